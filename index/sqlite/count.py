"""How many documents, by period and fields: from the roll-up where it knows, from the documents where it does not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from groundswell.index.fields import DAY, TAGS, UNDATED, moment, time_of
from groundswell.index.paging import MOST_VALUES
from groundswell.index.query import Bucket, By, Field, Period, Query
from groundswell.index.sqlite.compile import COLUMN, Where, any_of, where
from groundswell.index.sqlite.rollup import BESIDE, PLAIN

LENGTH: dict[Period, int] = {"hour": DAY // 24, "day": DAY, "week": 7 * DAY}
MONDAY = -3 * DAY
"""The Monday before 1970, a Thursday."""
LAST_DAY = moment(datetime.max.replace(tzinfo=UTC)) // DAY * DAY
Key = tuple[int | str | None, ...]
"""Begin of the period (or ``None``), then one value a field."""
Row = tuple[Key, int, int, int, int]
"""Key, clusters or documents, documents, those with a mood, sum of the moods in millionths."""


def total(db: sqlite3.Connection, query: Query, found: Where | None = None) -> int:
    """Return how many documents match (or what is given as found), or clusters where collapsed."""
    rows = _raw(db, query, By(), found) if found else _tally(db, query, By())
    return sum(count for _, count, *_ in rows)


def facets(
    db: sqlite3.Connection, query: Query, found: Where | None = None
) -> Mapping[Field, tuple[tuple[str, int], ...]]:
    """Return for each facet its values (not "") with their documents, the most frequent first."""
    single = replace(query, collapse=False)
    return {
        name: _most(_raw(db, single, By(fields=(name,)), found) if found else _tally(db, single, By(fields=(name,))))
        for name in query.facets
    }


def _most(rows: Sequence[Row]) -> tuple[tuple[str, int], ...]:
    """Return the most frequent values."""
    named = [(str(key[1]), documents) for key, _, documents, _, _ in rows if key[1]]
    return tuple(sorted(named, key=lambda one: (-one[1], one[0]))[:MOST_VALUES])


def buckets(db: sqlite3.Connection, query: Query, by: By) -> list[Bucket]:
    """Return counts and moods, ordered by start, then values."""
    rows = sorted(_tally(db, query, by), key=lambda row: (row[0][0] or 0, *row[0][1:]))
    return [_bucket(*row) for row in rows]


def _bucket(key: Key, count: int, copies: int, moods: int, mood: int) -> Bucket:
    """Return one bucket."""
    return Bucket(
        start=time_of(int(key[0])) if key[0] is not None else None,
        values=tuple(str(value) for value in key[1:]),
        count=count,
        copies=copies,
        mood=mood / moods / 1_000_000 if moods else None,
    )


def _tally(db: sqlite3.Connection, query: Query, by: By) -> list[Row]:
    """Count, each part of the time where that is quickest."""
    sums: dict[Key, tuple[int, int, int, int]] = {}
    for rolled, part in _parts(query, by):
        for key, *numbers in _rolled(db, part, by) if rolled else _raw(db, part, by):
            a, b, c, d = sums.get(key, (0, 0, 0, 0))
            sums[key] = (a + numbers[0], b + numbers[1], c + numbers[2], d + numbers[3])
    return [(key, *numbers) for key, numbers in sums.items()]


def _parts(query: Query, by: By) -> Iterator[tuple[bool, Query]]:
    """Yield whole days, for the roll-up, and what is left before and after them."""
    since = None if query.since is None else moment(query.since)
    until = None if query.until is None else moment(query.until)
    first = None if since is None else -(-since // DAY) * DAY
    last = None if until is None else until // DAY * DAY
    empty = first is not None and (first >= LAST_DAY or (last is not None and first >= last))
    if empty or not _rollable(query, by):
        yield False, query
        return
    if first != since and first is not None:
        yield False, replace(query, until=time_of(first))
    if last != until and last is not None:
        yield False, replace(query, since=time_of(last))
    yield (
        True,
        replace(
            query,
            since=None if first is None else time_of(first),
            until=None if last is None else time_of(last),
        ),
    )


def _rollable(query: Query, by: By) -> bool:
    """Tell whether the roll-up knows everything a question needs: at most one field beside the plain ones."""
    if query.match or query.vector is not None or query.lacks or query.made_by_not or query.collapse:
        return False
    uses = [*query.where, *query.without, *by.fields]
    beside = set(uses) - set(PLAIN)
    if by.period == "hour" or len(set(by.fields)) < len(by.fields) or len(beside) > 1 or not beside <= set(BESIDE):
        return False
    return all(uses.count(name) == 1 and _counts_once(query, name) for name in beside & set(TAGS))


def _counts_once(query: Query, name: Field) -> bool:
    """Tell whether no document stands in two of the cells asked for, as one with two of the risks would."""
    return name not in query.without and len(query.where.get(name, ("",))) == 1


def _rolled(db: sqlite3.Connection, query: Query, by: By) -> list[Row]:
    """Count from the roll-up, which the question must allow."""
    asked = {*query.where, *query.without, *by.fields}
    beside = next(iter(asked & set(BESIDE)), "")
    found = Where().add("r.field = ?", beside)
    if query.since is not None:
        found.add("r.day >= ?", moment(query.since))
    if query.until is not None:
        found.add("r.day < ?", moment(query.until))
    if query.until is not None or query.trusted_dates or by.period:
        found.add(f"r.day > {UNDATED}")
    for chosen, sense in ((query.where, ""), (query.without, "NOT ")):
        for name, values in chosen.items():
            condition, *parameters = any_of("r.value" if name == beside else f"r.{name}", values)
            found.add(sense + condition, *parameters)
    keys = [_start("r.day", by.period), *("r.value" if name == beside else f"r.{name}" for name in by.fields)]
    numbers = "sum(r.documents), sum(r.documents), sum(r.moods), sum(r.mood)"
    return _rows(db, keys, numbers, f"rollup r WHERE {found.sql}", found.parameters)


def _raw(db: sqlite3.Connection, query: Query, by: By, found: Where | None = None) -> list[Row]:
    """Count document by document."""
    found = found or where(query)
    dated = f" AND d.at > {UNDATED}" if by.period else ""
    values = [_value(name, number) for number, name in enumerate(by.fields)]
    count = "count(DISTINCT d.duplicate)" if query.collapse else "count(*)"
    joins = " ".join(join for _, join in values)
    keys = [_start("d.at", by.period), *(value for value, _ in values)]
    numbers = f"{count}, count(*), count(d.mood), coalesce(sum(d.mood), 0)"
    return _rows(db, keys, numbers, f"document d {joins} WHERE {found.sql}{dated}", found.parameters)


def _rows(
    db: sqlite3.Connection, keys: Sequence[str], numbers: str, source: str, parameters: Sequence[object]
) -> list[Row]:
    """Return one row a key, none for nothing."""
    places = ", ".join(str(place) for place in range(1, len(keys) + 1))
    sql = f"SELECT {', '.join(keys)}, {numbers} FROM {source} GROUP BY {places}"
    return [(tuple(row[:-4]), *row[-4:]) for row in db.execute(sql, parameters) if row[-3]]


def _value(name: Field, number: int) -> tuple[str, str]:
    """Return a field's SQL value and the join it needs; "" where a document has none."""
    if name not in TAGS:
        return f"d.{COLUMN[name]}", ""
    alias = f"t{number}"
    return f"coalesce({alias}.value, '')", f"LEFT JOIN tag {alias} ON {alias}.n = d.n AND {alias}.field = '{name}'"


def _start(time: str, period: Period | None) -> str:
    """Return the begin of a time's period as SQL; % in SQLite keeps the sign of what it divides."""
    if period is None:
        return "NULL"
    length, origin = LENGTH[period], MONDAY if period == "week" else 0
    return f"{time} - ((({time} - ({origin})) % {length}) + {length}) % {length}"
