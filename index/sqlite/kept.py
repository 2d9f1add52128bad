"""Records that were decoded before: to read twenty thousand signals again costs their texts, not their decoding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from groundswell.index.codec import decode

R = TypeVar("R")


class RecordCache:
    """What a reader has decoded, by kind and id, with the text it came from; records are frozen, so they are shared."""

    def __init__(self) -> None:
        self._held: dict[tuple[type[Any], str], dict[str, tuple[int, Any]]] = {}

    def decoded(self, kind: type[R], rows: Sequence[tuple[str, str]], *, whole: bool, asked: str = "") -> list[R]:
        """Return the records of rows (id, JSON); `whole` tells that the rows are all that were asked for.

        Those of each question (`asked`) are held apart, so that what no answer has any more is let go.

        A text is told from another by its hash (64 bits), so that the texts themselves need not be held.
        """
        cached = self._held.get((kind, asked), {})
        fresh: dict[str, tuple[int, R]] = {}
        for one, text in rows:
            own = hash(text)
            old = cached.get(one)
            fresh[one] = old if old is not None and old[0] == own else (own, decode(kind, text))
        self._held[kind, asked] = fresh if whole else cached | fresh
        return [record for _, record in fresh.values()]
