"""The cuts of a stream: blocks that depend on the documents alone, never on the turns in which they arrived.

So that the themes are the same however a stream is cut into turns: a block is complete when it holds `BLOCK` documents
or a later day begins. What is left at the end of a turn is an open block; it is placed as well as can be, and placed
again with the documents that come next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from heapq import merge
from itertools import chain

from groundswell.index.batches import batched
from groundswell.index.records import Document
from groundswell.nlp.themes.space import BLOCK


def blocks(documents: Iterable[Document]) -> Iterator[tuple[list[Document], bool]]:
    """Yield blocks of documents, in the order given, and whether each is complete; only the last may be open."""
    block: list[Document] = []
    latest = date.min
    for document in documents:
        day = time_of(document).date()
        if block and day > latest:
            yield block, True
            block = []
        block.append(document)
        latest = max(day, latest) if len(block) > 1 else day
        if len(block) == BLOCK:
            yield block, True
            block = []
    if block:
        yield block, False


def in_order(documents: Iterable[Document], fetch: Callable[[Sequence[str]], Iterable[Document]]) -> Iterator[Document]:
    """Yield documents by the time at which they count, from a scan that gives undated ones first.

    Args:
        documents: undated ones, in any order, then dated ones, oldest first.
        fetch: gives documents by id; undated ones are asked for again when their time has come, so that none is held.
    """
    rest = iter(documents)
    undated: list[tuple[datetime, str]] = []
    dated: Iterator[Document] = iter(())
    for document in rest:
        if document.mention.published_at is not None:
            dated = chain([document], rest)
            break
        undated.append((time_of(document), document.id))
    undated.sort()
    late = (document for part in batched([one for _, one in undated], BLOCK) for document in fetch(part))
    yield from merge(dated, late, key=lambda document: (time_of(document), document.id))


def time_of(document: Document) -> datetime:
    """Return when a document counts: when it was published or, undated, fetched."""
    return document.mention.published_at or document.mention.fetched_at
