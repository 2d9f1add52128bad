"""How many documents, by period and fields."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from groundswell.index.query import Bucket, By, Field, Period, Query
from groundswell.index.sqlite.compile import COLUMN, Where, where
from groundswell.index.sqlite.rows import TAGS, UNDATED, time_of

HOUR, DAY, WEEK = 3_600_000_000, 86_400_000_000, 604_800_000_000
LENGTH: dict[Period, int] = {"hour": HOUR, "day": DAY, "week": WEEK}
MONDAY = -3 * DAY
"""The Monday before 1970, a Thursday."""
MOST_VALUES = 200
"""Values of one facet, the most frequent first."""


def total(db: sqlite3.Connection, query: Query, found: Where) -> int:
    """Return how many documents match, or clusters where collapsed."""
    what = "count(DISTINCT d.duplicate)" if query.collapse else "count(*)"
    sql = f"SELECT {what} FROM document d WHERE {found.sql}"
    return int(db.execute(sql, found.parameters).fetchone()[0])


def facets(db: sqlite3.Connection, query: Query, found: Where) -> Mapping[Field, tuple[tuple[str, int], ...]]:
    """Return for each facet its values (not "") with their documents, the most frequent first."""
    return {name: _facet(db, name, found) for name in query.facets}


def _facet(db: sqlite3.Connection, name: Field, found: Where) -> tuple[tuple[str, int], ...]:
    """Return the values of one facet."""
    value, join = value_of(name)
    sql = (
        f"SELECT {value} AS value, count(*) AS documents FROM document d {join}"
        f" WHERE {found.sql} AND {value} <> '' GROUP BY value ORDER BY documents DESC, value LIMIT {MOST_VALUES}"
    )
    return tuple(db.execute(sql, found.parameters))


def value_of(name: Field, number: int = 0) -> tuple[str, str]:
    """Return a field's SQL value and the join it needs; "" where a document has none."""
    if name not in TAGS:
        return f"d.{COLUMN[name]}", ""
    alias = f"t{number}"
    return f"coalesce({alias}.value, '')", f"LEFT JOIN tag {alias} ON {alias}.n = d.n AND {alias}.field = '{name}'"


def buckets(db: sqlite3.Connection, query: Query, by: By) -> list[Bucket]:
    """Return counts and moods, ordered by start, then values."""
    found = where(query)
    values = [value_of(name, number) for number, name in enumerate(by.fields)]
    start = "NULL"
    if by.period:
        found.add(f"d.at > {UNDATED}")
        start = f"d.at - {_beyond(by.period)}"
    what = "count(DISTINCT d.duplicate)" if query.collapse else "count(*)"
    keys = [start, *(value for value, _ in values)]
    places = ", ".join(str(place) for place in range(1, len(keys) + 1))
    sql = (
        f"SELECT {', '.join(keys)}, {what}, count(*), avg(d.mood) FROM document d"
        f" {' '.join(join for _, join in values)} WHERE {found.sql}"
        f" GROUP BY {places} ORDER BY {places}"
    )
    return [_bucket(row) for row in db.execute(sql, found.parameters) if row[-2]]


def _beyond(period: Period) -> str:
    """Return how far a time is beyond the begin of its period; SQLite's % keeps the sign of what it divides."""
    length, origin = LENGTH[period], MONDAY if period == "week" else 0
    return f"(((d.at - ({origin})) % {length}) + {length}) % {length}"


def _bucket(row: tuple[object, ...]) -> Bucket:
    """Return one bucket."""
    start, *values, documents, copies, mood = row
    return Bucket(
        start=time_of(start) if isinstance(start, int) else None,
        values=tuple(map(str, values)),
        count=int(str(documents)),
        copies=int(str(copies)),
        mood=mood / 1_000_000 if isinstance(mood, float) else None,
    )
