"""Going through all documents, oldest first, some at a time, with nothing held in memory or open in between."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from groundswell.index.query import Query
from groundswell.index.sqlite.compile import where

Place = tuple[int, int, str]
"""Row number, time, id."""


def following(db: sqlite3.Connection, query: Query, limit: int, after: Sequence[object] = ()) -> list[Place]:
    """Return the next places after one (time, id); the first of each near-duplicate cluster where collapsed."""
    found = where(query)
    if after:
        found.add("(d.at, d.id) > (?, ?)", *after)
    if query.collapse:
        other = where(query, "o")
        found.add(
            "NOT EXISTS (SELECT 1 FROM document o WHERE o.duplicate = d.duplicate"
            f" AND (o.at, o.id) < (d.at, d.id) AND {other.sql})",
            *other.parameters,
        )
    sql = f"SELECT d.n, d.at, d.id FROM document d WHERE {found.sql} ORDER BY d.at, d.id LIMIT ?"
    return db.execute(sql, (*found.parameters, limit)).fetchall()
