"""How many documents, by period and fields, from the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.index.batches import sliced
from groundswell.index.fields import DAY, TAGS, UNDATED, time_of
from groundswell.index.paging import MOST_VALUES
from groundswell.index.query import Bucket, By, Field, Period, Query
from groundswell.index.sqlite.choose import Mask, RowFilter
from groundswell.index.sqlite.columns import CODED, NO_MOOD, Numbers, texts_of
from groundswell.index.sqlite.load import ROWS_AT_ONCE

LENGTH: dict[Period, int] = {"hour": DAY // 24, "day": DAY, "week": 7 * DAY}
MONDAY = -3 * DAY
"""The Monday before 1970, a Thursday."""
DENSE = 1 << 22
"""Possible keys up to which counters for all of them are held; beyond, the keys are sorted."""


def total(chooser: RowFilter, chosen: Mask, *, clusters: bool) -> int:
    """Return how many documents are chosen, or clusters."""
    if not clusters:
        return int(np.count_nonzero(chosen))
    numbers, count = chooser.columns.clusters()
    seen = np.zeros(count, np.bool_)
    seen[numbers[chosen]] = True
    return int(np.count_nonzero(seen))


def facets(chooser: RowFilter, chosen: Mask, fields: Sequence[Field]) -> Mapping[Field, tuple[tuple[str, int], ...]]:
    """Return for each field its values (not "") with their documents, the most frequent first."""
    rows = np.flatnonzero(chosen)
    return {name: _most(chooser, _grouped(chooser, rows, By(fields=(name,)))) for name in fields}


def _most(chooser: RowFilter, groups: _Groups) -> tuple[tuple[str, int], ...]:
    """Return the most frequent values; texts are looked up for those only."""
    counts = np.bincount(groups.key, minlength=len(groups.labels))
    least = np.partition(counts, -MOST_VALUES - 1)[-MOST_VALUES - 1] if len(counts) > MOST_VALUES else 1
    often = [place for place in np.flatnonzero(counts >= least).tolist() if groups.labels[place][1]]
    texts = groups.texts(chooser, often)
    named = [(texts[place][0], int(counts[place])) for place in often]
    return tuple(sorted(named, key=lambda one: (-one[1], one[0]))[:MOST_VALUES])


def buckets(chooser: RowFilter, query: Query, by: By) -> list[Bucket]:
    """Return counts and moods, ordered by start, then values."""
    chosen = chooser.choose(query)
    if by.period and query.until is None and not query.trusted_dates:  # else the undated are out already
        chosen &= chooser.columns["at"] > UNDATED
    groups = _grouped(chooser, np.flatnonzero(chosen), by)
    size = len(groups.labels)
    mood = chooser.columns["mood"][groups.rows]
    felt = mood != NO_MOOD
    copies = np.bincount(groups.key, minlength=size)
    moods = np.bincount(groups.key[felt], minlength=size)
    sums = np.bincount(groups.key[felt], weights=mood[felt], minlength=size)
    counts = _clusters(chooser, groups) if query.collapse else copies
    texts = groups.texts(chooser, range(size))
    found = [
        Bucket(
            start=time_of(label[0]) if label[0] is not None else None,
            values=texts[place],
            count=int(counts[place]),
            copies=int(copies[place]),
            mood=float(sums[place]) / int(moods[place]) / 1_000_000 if moods[place] else None,
        )
        for place, label in enumerate(groups.labels)
    ]
    return sorted(found, key=lambda bucket: (bucket.start is not None, bucket.start, bucket.values))


def _clusters(chooser: RowFilter, groups: _Groups) -> Numbers:
    """Return how many near-duplicate clusters each group has."""
    numbers, count = chooser.columns.clusters()
    pairs = np.sort(groups.key * count + numbers[groups.rows])
    pairs = pairs[np.diff(pairs, prepend=-1) != 0]  # numpy.unique hashes first: forty times slower on a million
    return np.bincount(pairs // max(count, 1), minlength=len(groups.labels))


@dataclass(slots=True)
class _Groups:
    """Rows (one for each value of a field with several) and the group of each; a label is (start, code, code …)."""

    rows: Numbers
    key: Numbers
    labels: list[tuple[Any, ...]]

    def split(self, column: NDArray[Any]) -> None:
        """Divide every group by the values of a column that belongs to the rows."""
        values, dense = _dense(column)
        key = self.key * len(values) + dense
        size = len(self.labels) * len(values)
        if size <= DENSE:
            used = np.flatnonzero(np.bincount(key, minlength=size))
            place = np.zeros(size, np.int64)
            place[used] = np.arange(len(used))
            self.key = place[key]
        else:
            used, self.key = np.unique(key, return_inverse=True)
        self.labels = [(*self.labels[one // len(values)], values[one % len(values)]) for one in used.tolist()]

    def texts(self, chooser: RowFilter, places: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """Return the values of some groups as texts."""
        codes = {code for place in places for code in self.labels[place][1:] if isinstance(code, int)}
        texts: dict[Any, str] = dict(texts_of(chooser.db, codes - {0}))
        return {place: tuple(texts.get(code, code) for code in self.labels[place][1:]) for place in places}


def _dense(column: NDArray[Any]) -> tuple[list[Any], Numbers]:
    """Return the distinct values in order, and each value's place among them."""
    if column.dtype == np.object_ or int(column.max()) - (least := int(column.min())) >= DENSE:
        values, dense = np.unique(column, return_inverse=True)
        return values.tolist(), dense
    shifted = column.astype(np.int64) - least
    used = np.flatnonzero(np.bincount(shifted))
    place = np.zeros(int(used[-1]) + 1, np.int64)
    place[used] = np.arange(len(used))
    return (used + least).tolist(), place[shifted]


def _grouped(chooser: RowFilter, rows: Numbers, by: By) -> _Groups:
    """Return the rows grouped by period and fields."""
    labels: list[tuple[Any, ...]] = [(None,)] if len(rows) else []
    groups = _Groups(rows, np.zeros(len(rows), np.int64), labels)
    if not len(rows):
        return groups
    if by.period:
        length, origin = LENGTH[by.period], MONDAY if by.period == "week" else 0
        periods, groups.key = _dense((chooser.columns["at"][rows] - origin) // length)
        groups.labels = [(period * length + origin,) for period in periods]
    for name in by.fields:
        groups.split(_values(chooser, groups, name))
    return groups


def _values(chooser: RowFilter, groups: _Groups, name: Field) -> NDArray[Any]:
    """Return the value of each row in a field; rows that have several are repeated first."""
    if name in CODED:
        return chooser.columns[name][groups.rows]
    if name not in TAGS:
        return _names(chooser, groups.rows, name)
    tags = chooser.columns.tags(name)
    starts, counts = tags.starts[groups.rows], tags.starts[groups.rows + 1] - tags.starts[groups.rows]
    times = np.maximum(counts, 1)
    source = np.repeat(np.arange(len(counts)), times)
    within = np.arange(len(source)) - np.repeat(np.cumsum(times) - times, times)
    groups.rows, groups.key = groups.rows[source], groups.key[source]
    values = np.zeros(len(source), np.int64)
    has = counts[source] > 0
    values[has] = tags.codes[(starts[source] + within)[has]]
    return values


def _names(chooser: RowFilter, rows: Numbers, name: Field) -> NDArray[Any]:
    """Return a field that is another text in nearly every document: id or near-duplicate cluster."""
    found: dict[int, str] = {}
    for some in sliced(np.unique(rows).tolist(), ROWS_AT_ONCE):
        sql = f"SELECT n, {name} FROM document WHERE n IN ({', '.join('?' * len(some))})"
        found.update(chooser.db.execute(sql, some))
    return np.array([found[row] for row in rows.tolist()], np.object_)
