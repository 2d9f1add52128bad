"""How many documents, and the latest of them, for many small questions at once."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from groundswell.index.batches import sliced
from groundswell.index.fields import UNDATED, time_of
from groundswell.index.query import Extent, Query
from groundswell.index.sqlite.choose import RowFilter, bounds, row_numbers
from groundswell.index.sqlite.columns import CODED, HERE, Numbers
from groundswell.index.sqlite.load import ROWS_AT_ONCE

SINGLE = frozenset(CODED) - {"made_by"}


def extent(chooser: RowFilter, query: Query) -> Extent:
    """Return how many documents a query's conditions hold for, and when the latest was published."""
    times = _times(chooser, query)
    begin, end = bounds(times, query)
    return Extent(end - begin, _latest(times[begin:end]))


def _latest(times: Numbers) -> datetime | None:
    return time_of(int(times[-1])) if len(times) and times[-1] > UNDATED else None


def _times(chooser: RowFilter, query: Query) -> Numbers:
    """Return the times, in order, of all that meet the conditions other than those on time."""
    plain = not query.without and query.match is None and query.lacks is None and not query.made_by_not
    if plain and len(query.where) == 1:
        ((name, values),) = query.where.items()
        if name in SINGLE and len(values) == 1:
            return chooser.columns.times_of(name, chooser.code(name, values[0]))
        if name == "id":
            return np.sort(chooser.columns["at"][_rows(chooser, list(values))])
    return np.sort(chooser.columns["at"][np.flatnonzero(chooser.choose(query))])


def _rows(chooser: RowFilter, ids: list[str]) -> Numbers:
    """Return the row numbers of those ids that there are."""
    found = [np.zeros(0, np.int64)]
    for some in sliced(sorted(set(ids)), ROWS_AT_ONCE):
        marks = ", ".join("?" * len(some))
        found.append(row_numbers(chooser.db, f"SELECT n FROM document WHERE id IN ({marks})", some))
    numbers = np.concatenate(found)
    numbers = numbers[numbers < chooser.columns.size]
    return numbers[(chooser.columns["flags"][numbers] & HERE) > 0]
