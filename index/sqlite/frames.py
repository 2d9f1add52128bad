"""Documents and records as Arrow columns, only those that are asked for: no record is made of any of them.

Most columns lie packed already (`columns`); what a text says and where it stood is cut out of its
JSON by DuckDB, of those rows alone that it looks at.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from groundswell.index.codec import name_of
from groundswell.index.fields import UNDATED, moment
from groundswell.index.query import Field
from groundswell.index.sqlite.columns import ENRICHED, HERE, MEMBERSHIP, NO_MOOD, ColumnCache, Columns, texts_of
from groundswell.index.tables import DOCUMENT, parquet_table

if TYPE_CHECKING:
    import pyarrow as pa

AT_ONCE = 20_000
"""Row numbers whose JSON is fetched together."""
CODED = dict.fromkeys(("source", "kind", "lang", "market", "date_confidence", "author", "thread"), 0) | {
    "sentiment": ENRICHED,
    "made_by": ENRICHED,
    "theme": MEMBERSHIP,
}
"""Columns that stand as codes, and the part without which they hold nothing."""
TAGGED: dict[str, Field] = {"risks": "risk", "rules": "rule"}
PLAIN = ("id", "duplicate")
"""Columns that stand as texts."""
BODY = {
    "fetched_at": "(mention->>'$.fetched_at')::TIMESTAMPTZ",
    "title": "mention->>'$.title'",
    "text": "mention->>'$.text'",
    "url": "mention->>'$.url'",
    "reach": "(mention->>'$.reach')::BIGINT",
    "rating": "(mention->>'$.rating')::DOUBLE",
    "negative": "(enriched->>'$.sentiment.negative')::DOUBLE",
    "neutral": "(enriched->>'$.sentiment.neutral')::DOUBLE",
    "positive": "(enriched->>'$.sentiment.positive')::DOUBLE",
    "targets": "coalesce(list_sort([t.who || ':' || t.label FOR t IN json_transform(enriched->'$.targets',"
    """ '[{"who":"VARCHAR","label":"VARCHAR"}]')]), [])""",
    "theme_confidence": "(membership->>'$.confidence')::DOUBLE",
}
"""Columns that stand in the JSON of a document's parts, and how they are cut out."""

CUT = {
    "string": """coalesce(json->>'$."?"', '')""",
    "strings": """coalesce(json_transform(json->'$."?"', '["VARCHAR"]'), [])""",
    "time": """(json->>'$."?"')::TIMESTAMPTZ""",
    "number": """(json->>'$."?"')::DOUBLE""",
    "integer": """(json->>'$."?"')::BIGINT""",
    "boolean": """coalesce((json->>'$."?"')::BOOLEAN, false)""",
}
"""How a column of records is cut out of their JSON, by what it holds; ``?`` stands for its name."""


def documents(db: sqlite3.Connection, names: Collection[str]) -> pa.Table:
    """Return all documents as an Arrow table of what these columns of `groundswell.index.tables.DOCUMENT` need.

    A column of `BODY` needs the JSON of a part, which stands in a column by the part's name; `cut` takes it out. Those
    columns that nobody needs are there and hold nothing. Everything is read within one transaction.
    """
    import pyarrow as pa

    db.execute("BEGIN")
    try:
        packed = ColumnCache().current(db)
        rows = np.flatnonzero(packed["flags"] & HERE)
        made = {name: _packed(db, packed, rows, name) for name in names if name not in (*PLAIN, *BODY)}
        made |= {name: _plain(db, name) for name in names if name in PLAIN}
        made |= {part: _bodies(db, part) for part in parts(names)}
    finally:
        db.execute("ROLLBACK")
    nothing = {each.name: pa.nulls(len(rows), each.type) for each in parquet_table([], DOCUMENT).schema}
    return pa.table(nothing | made)


def parts(names: Collection[str]) -> list[str]:
    """Return the parts of documents whose JSON some columns need."""
    return [part for part in ("mention", "enriched", "membership") if any(part in BODY.get(name, "") for name in names)]


def cut(names: Collection[str], *, of: str) -> str:
    """Return a SELECT of all columns of documents, which cuts those that are needed out of the JSON."""
    columns = (f'{BODY[name] if name in BODY and name in names else name} AS "{name}"' for name in DOCUMENT)
    return f"SELECT {', '.join(columns)} FROM {of}"


def count(db: sqlite3.Connection) -> int:
    """Return how many documents there are, at most."""
    return int(db.execute("SELECT coalesce(max(n), 0) FROM document").fetchone()[0])


def records(db: sqlite3.Connection, kind: type[Any]) -> pa.Table:
    """Return the JSON of all records of a kind, newest first, in one column ``json``."""
    import pyarrow as pa

    rows = db.execute("SELECT json FROM record WHERE kind = ? ORDER BY at DESC, id", (name_of(kind),))
    return pa.table({"json": pa.array([text for (text,) in rows], pa.string())})


def _packed(db: sqlite3.Connection, packed: Columns, rows: NDArray[np.int64], name: str) -> Any:
    """Return a column of those that lie packed."""
    import pyarrow as pa

    if name in TAGGED:
        return _tagged(db, packed, rows, TAGGED[name])
    if name == "mood":
        mood = packed["mood"][rows]
        return pa.array(mood / 1_000_000, mask=mood == NO_MOOD)
    if name == "published_at":
        return _published(db, packed, rows)
    lacks = (packed["flags"][rows] & CODED[name]) == 0 if CODED[name] else None
    return _texts(db, packed[name][rows], lacks)


def _texts(db: sqlite3.Connection, codes: NDArray[Any], lacks: NDArray[np.bool_] | None) -> Any:
    """Return the texts of codes, each distinct one once; nothing where the document lacks the part."""
    import pyarrow as pa

    distinct, places = np.unique(codes, return_inverse=True)
    texts = texts_of(db, distinct[distinct > 0])
    values = pa.array([texts.get(int(code), "") for code in distinct], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32), mask=lacks), values)


def _tagged(db: sqlite3.Connection, packed: Columns, rows: NDArray[np.int64], name: Field) -> Any:
    """Return lists of texts; those of a document that is gone are none, so the lists follow one another."""
    import pyarrow as pa

    tags = packed.tags(name)
    starts = np.concatenate([tags.starts[rows], tags.starts[-1:]]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(starts), _texts(db, tags.codes, None).dictionary_decode())


def _published(db: sqlite3.Connection, packed: Columns, rows: NDArray[np.int64]) -> Any:
    """Return when documents were published; a date that is not trusted is a date all the same."""
    import pyarrow as pa

    at = packed["at"].astype(np.int64)
    untrusted = "SELECT n, json_extract(mention, '$.published_at') FROM document JOIN body USING (n) WHERE at = ?"
    for n, text in db.execute(untrusted, (UNDATED,)):
        at[n] = moment(datetime.fromisoformat(text)) if text else UNDATED
    found = at[rows]
    return pa.array(found, pa.int64(), mask=found == UNDATED).cast(pa.timestamp("us", tz="UTC"))


def _plain(db: sqlite3.Connection, name: str) -> Any:
    """Return a column of the table of documents, row by row only where a value holds a line end of its own."""
    import pyarrow as pa

    inside = f"SELECT {name} AS it FROM document ORDER BY n"
    lines, rows = db.execute(f"SELECT CAST(group_concat(it, char(10)) AS BLOB), count(*) FROM ({inside})").fetchone()
    letters = np.frombuffer(lines or b"", np.uint8)
    ends = np.flatnonzero(letters == ord("\n"))
    if len(ends) + 1 != rows:
        return pa.array([text for (text,) in db.execute(inside)], pa.string())
    offsets = np.concatenate([[0], ends - np.arange(len(ends)), [len(letters) - len(ends)]]).astype(np.int32)
    kept = letters[letters != ord("\n")].tobytes()
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(kept))


def _bodies(db: sqlite3.Connection, part: str) -> Any:
    """Return the JSON of a part of all documents; SQLite joins the lines, since a row in Python costs more."""
    import pyarrow as pa

    return pa.chunked_array(list(_chunks(db, part)), pa.string())


def _chunks(db: sqlite3.Connection, part: str) -> Iterator[Any]:
    import pyarrow as pa

    last = count(db)
    sql = f"SELECT CAST(group_concat(coalesce({part}, 'null'), char(10)) AS BLOB) FROM body WHERE n >= ? AND n < ?"
    for begin in range(0, last + 1, AT_ONCE):
        lines = db.execute(sql, (begin, begin + AT_ONCE)).fetchone()[0]
        if lines is None:
            continue
        ends = np.flatnonzero(np.frombuffer(lines, np.uint8) == ord("\n"))  # JSON escapes its own line ends
        offsets = np.concatenate([[0], ends + 1, [len(lines)]]).astype(np.int32)
        yield pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(lines))


def unpacked(columns: dict[str, str], *, of: str) -> str:
    """Return a SELECT that cuts a table's columns out of the JSON of its records."""
    cut = ", ".join(f'{CUT[holds].replace("?", name)} AS "{name}"' for name, holds in columns.items())
    return f"SELECT {cut} FROM {of}"
