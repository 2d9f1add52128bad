"""What was asked to be forgotten, so that no crawl and no import brings it back: ids and keyed hashes, never the words.

One checkpoint holds it. A text is known again by a hash of its letters and digits alone, keyed with a secret of the
store, over windows of the same length: so it is found inside a longer one, too, however it is spaced or capitalised.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from groundswell.index.ids import mention_id
from groundswell.index.records import Case, Checkpoint, Enriched, Label, Membership, Mention, Record, Refusal, Revision
from groundswell.index.store import Reader, Store

MARK = "forgotten"
SHORTEST_TEXT = 12
"""Letters and digits that a text to be forgotten must have: a shorter one would take half of everything along."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Ids of documents, keys of authors, hashes of addresses and texts (with their lengths in letters)."""

    key: str = ""
    ids: frozenset[str] = frozenset()
    authors: frozenset[str] = frozenset()
    texts: frozenset[tuple[int, str]] = frozenset()

    @classmethod
    def of(cls, reader: Reader) -> Forgotten:
        """Return what a store was asked to forget."""
        mark = reader.get(Checkpoint, MARK)
        if mark is None:
            return cls()
        value = mark.value
        texts = frozenset((int(length), str(digest)) for length, digest in value["texts"])
        return cls(value["key"], frozenset(value["ids"]), frozenset(value["authors"]), texts)

    def __bool__(self) -> bool:
        """Return whether anything was."""
        return bool(self.ids or self.authors or self.texts)

    def holds(self, record: Record) -> bool:
        """Return whether a record is what was to be forgotten, or says it."""
        if isinstance(record, Mention):
            by_them = bool(record.author_key) and record.author_key in self.authors
            page = record.canonical_url and mention_id(canonical_url=record.canonical_url)
            return by_them or not self.ids.isdisjoint({record.id, page}) or self.says(f"{record.title}\n{record.text}")
        if isinstance(record, Refusal):
            return self.says(record.sample)
        if isinstance(record, Revision):
            return record.mention in self.ids or self.says(f"{record.title}\n{record.text}")
        if isinstance(record, Label):
            return record.subject in self.ids
        return isinstance(record, Enriched | Membership) and record.id in self.ids

    def without(self, record: Record) -> Record:
        """Return a case without the evidence that was to be forgotten; any other record as it is."""
        if not isinstance(record, Case):
            return record
        texts = ((item, f"{item.get('title', '')}\n{item.get('text', '')}") for item in record.evidence)
        left = tuple(item for item, words in texts if item.get("id") not in self.ids and not self.says(words))
        return record if len(left) == len(record.evidence) else replace(record, evidence=left)

    def says(self, text: str) -> bool:
        """Return whether a text contains one that was to be forgotten."""
        letters, lengths = plain(text) if self.texts else "", {length for length, _ in self.texts}
        return any(
            (length, hashed(self.key, letters[begin : begin + length])) in self.texts
            for length in lengths
            for begin in range(len(letters) - length + 1)
        )

    def also(self, *, ids: Iterable[str] = (), authors: Iterable[str] = (), texts: Iterable[str] = ()) -> Forgotten:
        """Return it with more; texts are given as they stand."""
        key = self.key or secrets.token_hex(16)
        more = {(len(letters), hashed(key, letters)) for letters in map(plain, texts)}
        return Forgotten(key, self.ids.union(ids), self.authors.union(authors), self.texts | more)

    def note(self, store: Store, *, now: datetime) -> None:
        """Write it down."""
        texts = sorted([length, digest] for length, digest in self.texts)
        value: dict[str, Any] = {"key": self.key, "ids": sorted(self.ids), "authors": sorted(self.authors)}
        value["texts"] = texts
        store.put([Checkpoint(id=MARK, value=value, at=now)])


def plain(text: str) -> str:
    """Return a text's letters and digits alone, folded: what is compared."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


def hashed(key: str, letters: str) -> str:
    """Return the keyed hash of folded letters."""
    return hashlib.blake2b(letters.encode("utf-8", "surrogatepass"), key=key.encode(), digest_size=16).hexdigest()


def without_forgotten(reader: Reader, records: Sequence[Record]) -> tuple[list[Record], int]:
    """Return the records that nobody asked to forget, and how many were left out."""
    forgotten = Forgotten.of(reader)
    if not forgotten:
        return list(records), 0
    records_left = [forgotten.without(record) for record in records if not forgotten.holds(record)]
    return records_left, len(records) - len(records_left)
