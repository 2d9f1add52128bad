"""Which chart an answer of SQL makes: what stands on its axes, found from the kinds of its columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any, Literal

from groundswell.index.sql import Table, told_apart

ChartKind = Literal["lines", "bars"]
MOST_BARS, MOST_POINTS, MOST_LINES = 60, 2000, 12
"""More than these nobody can tell apart: the first ones are drawn, and that it is so is said."""


@dataclass(frozen=True, slots=True)
class Axes:
    """Columns by their places: what is along the chart, what is counted, and what tells several lines apart."""

    along: int
    counted: tuple[int, ...]
    by: int | None
    kind: ChartKind


def axes_of(found: Table) -> Axes | None:
    """Return the axes of an answer: over times a line, else bars; ``None`` where it has no number to draw.

    >>> axes_of(Table(("market", "posts"), (("SG", 2), ("MY", 3))))
    Axes(along=0, counted=(1,), by=None, kind='bars')
    """
    columns = list(zip(*found.rows, strict=True)) if found.rows else []
    kinds = [_kind(column) for column in columns]
    numbers = [i for i, kind in enumerate(kinds) if kind == "number"]
    times = [i for i, kind in enumerate(kinds) if kind == "time"]
    texts = [i for i, kind in enumerate(kinds) if kind == "text"]
    along = next(iter([*times, *texts]), None)
    if along is None and len(numbers) > 1:
        along, *numbers = numbers  # numbers over numbers: the first is along
    if along is None or not numbers:
        return None
    by = next((i for i in texts if i != along), None) if len(numbers) == 1 else None
    return Axes(along, tuple(numbers[:MOST_LINES]), by, "lines" if along in times else "bars")


def points(found: Table, axes: Axes) -> tuple[list[dict[str, Any]], str]:
    """Return the rows to draw with the names of their columns, and what is left out of the drawing."""
    names = told_apart(found.columns)
    shown = [axes.along, *axes.counted, *([axes.by] if axes.by is not None else [])]
    rows = [row for row in found.rows if row[axes.along] is not None]
    rows, left = _bounded(rows, axes)
    drawn = [{names[i]: _value(row[i], counted=i in axes.counted) for i in shown} for row in rows]
    return drawn, left


def _bounded(rows: Sequence[tuple[Any, ...]], axes: Axes) -> tuple[list[tuple[Any, ...]], str]:
    """Return the rows that can be told apart, and what is said of the others."""
    left = []
    if axes.by is not None:
        lines = list(dict.fromkeys(row[axes.by] for row in rows))
        wanted = set(lines[:MOST_LINES])
        rows = [row for row in rows if row[axes.by] in wanted]
        left += [f"{MOST_LINES} of {len(lines)} lines"] if len(lines) > MOST_LINES else []
    most = MOST_BARS if axes.kind == "bars" else MOST_POINTS
    places = list(dict.fromkeys(row[axes.along] for row in rows))
    if len(places) > most:
        inside = set(places[:most])
        rows = [row for row in rows if row[axes.along] in inside]
        left.append(f"the first {most:,} of {len(places):,} places")
    return list(rows), " and ".join(left)


def _kind(column: Sequence[Any]) -> str:
    present = [value for value in column if value is not None]
    if present and all(isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) for value in present):
        return "number"
    if present and all(isinstance(value, date) for value in present):
        return "time"
    return "text" if present and all(isinstance(value, (str, bool)) for value in present) else ""


def _value(value: Any, *, counted: bool) -> Any:
    if counted:
        number = None if value is None else float(value)
        return number if number is not None and isfinite(number) else None
    if isinstance(value, (date, datetime)):
        return value
    return "" if value is None else str(value)[:80]
