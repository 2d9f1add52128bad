"""Writing mentions and what was understood of them: the narrow row, the body, tags, words and vector together."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from groundswell.index.batches import sliced
from groundswell.index.codec import encode
from groundswell.index.fields import COLUMNS, columns, dated, day_of, tags
from groundswell.index.parts import ORDER, Part, applied, text_of, without
from groundswell.index.records import Document, Enriched, Mention
from groundswell.index.refusals import NO_MENTION, wrong_dimensions
from groundswell.index.segment import for_index
from groundswell.index.sqlite.columns import Change, update
from groundswell.index.sqlite.load import ROWS_AT_ONCE, documents, numbers
from groundswell.index.store import Refused, Report
from groundswell.index.vector import to_blob


@dataclass(slots=True)
class Entry:
    """A document before and after a call."""

    n: int
    before: Document | None
    after: Document | None


def put(db: sqlite3.Connection, parts: Sequence[Part]) -> Report:
    """Write parts of documents within a transaction."""
    entries = _load(db, list(dict.fromkeys(part.id for part in parts)))
    dimensions = _dimensions(db)
    tally: dict[str, int] = {"new": 0, "updated": 0, "same": 0}
    refused = []
    for part in sorted(parts, key=lambda part: ORDER[type(part)]):
        if isinstance(part, Enriched) and part.vector is not None:
            dimensions = dimensions or len(part.vector)
            if len(part.vector) != dimensions:
                refused.append(Refused(id=part.id, reason=wrong_dimensions(len(part.vector), dimensions)))
                continue
        entry = entries[part.id]
        if entry.after is None and not isinstance(part, Mention):
            refused.append(Refused(id=part.id, reason=NO_MENTION))
            continue
        entry.after, outcome = applied(entry.after, part)
        tally[outcome] += 1
    write(db, [entry for entry in entries.values() if entry.after is not entry.before])
    return Report(**tally, refused=tuple(refused))


def _load(db: sqlite3.Connection, ids: Sequence[str]) -> dict[str, Entry]:
    """Return what is there of each id, and a fresh row number for each that is not."""
    places = numbers(db, ids)
    found = {document.id: document for document in documents(db, list(places.values()), vectors=True)}
    fresh = int(db.execute("SELECT coalesce(max(n), 0) FROM document").fetchone()[0])
    entries = {}
    for one in ids:
        if one not in places:
            fresh += 1
        entries[one] = Entry(places.get(one, fresh), found.get(one), found.get(one))
    return entries


def _dimensions(db: sqlite3.Connection) -> int:
    """Return how many numbers the vectors of this store have, 0 where there is none yet."""
    row = db.execute("SELECT length(half) / 2 FROM vector LIMIT 1").fetchone()
    return int(row[0]) if row else 0


def delete(db: sqlite3.Connection, kind: type[object], ids: Sequence[str]) -> int:
    """Forget documents, or one part of them; return how many there were."""
    entries = [entry for entry in _load(db, list(dict.fromkeys(ids))).values() if entry.before is not None]
    for entry in entries:
        entry.after = without(entry.before, kind) if entry.before else None
    changed = [entry for entry in entries if entry.after != entry.before]
    write(db, changed)
    return len(changed)


def write(db: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    """Bring every table from before to after."""
    for some in sliced(entries, ROWS_AT_ONCE):
        _write_rows(db, some)
        _write_tags(db, some)
        _write_words(db, some)
        _write_vectors(db, some)
    if entries:
        seq = _next(db, "change", 1)
        _note_days(db, entries, seq)
        update(db, map(_change, entries), seq)


def _change(entry: Entry) -> Change:
    """Return what the columns are to know of a document."""
    if entry.after is None:
        return Change(entry.n)
    return Change(entry.n, columns(entry.after), tuple(tags(entry.after)))


def _write_rows(db: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    """Write the narrow rows and the bodies."""
    gone = [(entry.n,) for entry in entries if entry.after is None]
    db.executemany("DELETE FROM document WHERE n = ?", gone)
    db.executemany("DELETE FROM body WHERE n = ?", gone)
    marks = ", ".join("?" * (len(COLUMNS) + 1))
    db.executemany(
        f"REPLACE INTO document (n, {', '.join(COLUMNS)}) VALUES ({marks})",
        [(entry.n, *columns(entry.after)) for entry in entries if entry.after],
    )
    left = [(entry.n, entry.before, entry.after) for entry in entries if entry.after]
    # A place in a theme is what changes most often: what was said and how it was read is not written again for it.
    same = {n for n, before, after in left if before and _is_read_alike(before, after)}
    db.executemany(
        "REPLACE INTO body (n, mention, enriched, membership) VALUES (?, ?, ?, ?)",
        [(n, *_body(after)) for n, _, after in left if n not in same],
    )
    places = [(encode(after.membership) if after.membership else None, n) for n, _, after in left if n in same]
    db.executemany("UPDATE body SET membership = ? WHERE n = ?", places)


def _is_read_alike(before: Document, after: Document) -> bool:
    """Return whether neither mention nor understanding was exchanged; what is equal but another object may be not."""
    return before.mention is after.mention and before.enriched is after.enriched


def _body(document: Document) -> tuple[str, str | None, str | None]:
    """Return the JSON of the parts."""
    return (
        encode(document.mention),
        text_of(document.enriched) if document.enriched else None,
        encode(document.membership) if document.membership else None,
    )


def _write_tags(db: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    """Write what a document has several of."""
    changes = [(entry.n, _tags(entry.before), _tags(entry.after)) for entry in entries]
    gone = [(field, value, n) for n, old, new in changes for field, value in old - new]
    come = [(field, value, n) for n, old, new in changes for field, value in new - old]
    db.executemany("DELETE FROM tag WHERE field = ? AND value = ? AND n = ?", gone)
    db.executemany("INSERT INTO tag (field, value, n) VALUES (?, ?, ?)", come)


def _tags(document: Document | None) -> set[tuple[str, str]]:
    """Return the tags of a document."""
    return set(tags(document)) if document else set()


def _write_words(db: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    """Write the words of those whose text is new or another; the index must be told the old words to forget them."""
    others = [e for e in entries if not (e.before and e.after and e.before.mention is e.after.mention)]
    changes = [(entry.n, _words(entry.before), _words(entry.after)) for entry in others]
    gone = [("delete", n, *old) for n, old, new in changes if old and old != new]
    come = [(n, *new) for n, old, new in changes if new and old != new]
    db.executemany("INSERT INTO words (words, rowid, title, text) VALUES (?, ?, ?, ?)", gone)
    db.executemany("INSERT INTO words (rowid, title, text) VALUES (?, ?, ?)", come)


def _words(document: Document | None) -> tuple[str, str] | None:
    """Return the words of title and text."""
    return (for_index(document.mention.title), for_index(document.mention.text)) if document else None


def _write_vectors(db: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    """Write vectors that are new or others, each with the next number of the sequence."""
    others = [e for e in entries if not (e.before and e.after and e.before.enriched is e.after.enriched)]
    changes = [(entry.n, _half(entry.before), _half(entry.after)) for entry in others]
    db.executemany("DELETE FROM vector WHERE n = ?", [(n,) for n, old, new in changes if old and not new])
    come = [(n, new) for n, old, new in changes if new and new != old]
    if not come:
        return
    first = _next(db, "seq", len(come))
    db.executemany(
        "REPLACE INTO vector (n, seq, half) VALUES (?, ?, ?)",
        [(n, first + place, half) for place, (n, half) in enumerate(come)],
    )


def _note_days(db: sqlite3.Connection, entries: Sequence[Entry], seq: int) -> None:
    """Note which days have changed, so that an export writes only those."""
    documents = [document for entry in entries for document in (entry.before, entry.after) if document]
    days = {day_of(dated(document)) for document in documents}
    db.executemany("REPLACE INTO changed (day, seq) VALUES (?, ?)", [(day, seq) for day in days])


def _next(db: sqlite3.Connection, counter: str, count: int) -> int:
    """Take numbers from a counter that never goes back; return the first."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", (counter,)).fetchone()
    last = int(row[0]) if row else 0
    db.execute("REPLACE INTO meta (key, value) VALUES (?, ?)", (counter, str(last + count)))
    return last + 1


def _half(document: Document | None) -> bytes | None:
    """Return the vector of a document as the database keeps it."""
    if document is None or document.enriched is None or document.enriched.vector is None:
        return None
    return to_blob(document.enriched.vector)
