"""Which documents a question is about: a mask over the columns, true where a row belongs to the answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.index.fields import TAGS, UNDATED, cluster_of, moment
from groundswell.index.paging import DEEPEST
from groundswell.index.query import AllOf, AnyOf, Expression, Field, Is, Lack, Not, Query
from groundswell.index.segment import is_text
from groundswell.index.sqlite.columns import (
    CODED,
    ENRICHED,
    HERE,
    MEMBERSHIP,
    VECTOR,
    Columns,
    Numbers,
    code_of,
)
from groundswell.index.sqlite.compile import fts
from groundswell.index.store import StoreError

LACKS: dict[Lack, int] = {"enriched": ENRICHED, "membership": MEMBERSHIP, "vector": VECTOR}
NARROW: tuple[Field, ...] = ("theme", "thread")
"""Fields of which one value is had by few documents, so that these are looked up."""
MOST_LOOKED_UP = 64
WIDTH = 11
"""Digits of a row number as text: it is counted from 10 ** (WIDTH - 1), so that all have as many."""
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Answers from the columns, and asks the database only for words and ids."""

    db: sqlite3.Connection
    columns: Columns
    _codes: dict[tuple[str, str], int] = field(default_factory=dict)

    def code(self, name: str, value: str) -> int:
        """Return the code of a text, -1 where no document ever had it; asked for once."""
        if (name, value) not in self._codes:
            self._codes[name, value] = code_of(self.db, name, value)
        return self._codes[name, value]

    def choose(self, query: Query) -> Mask:
        """Return which rows a query asks for.

        Raises:
            StoreError: an expression is nested too deeply.
        """
        found, where = self._narrowed(query)
        for name, values in where.items():
            found &= self._any_of(name, values)
        for name, values in query.without.items():
            found &= ~self._any_of(name, values)
        if query.lacks is not None:
            found &= (self.columns["flags"] & LACKS[query.lacks]) == 0
        if query.made_by_not:
            found &= (self.columns["flags"] & ENRICHED) > 0
            found &= self.columns["made_by"] != self.code("made_by", query.made_by_not)
        if query.match is not None:
            found &= self.expression(query.match)
        return found

    def _narrowed(self, query: Query) -> tuple[Mask, Mapping[Field, Sequence[str]]]:
        """Return which rows are in the time asked for, and conditions that are left.

        Of a field that narrows most, a theme or a thread, the rows are looked up; else every row is looked at.
        """
        name = next((one for one in NARROW if one in query.where), None)
        if name is None or len(query.where[name]) > MOST_LOOKED_UP:
            found = (self.columns["flags"] & HERE) > 0
            self._in_time(found, query)
            return found, query.where
        found = np.zeros(self.columns.size, np.bool_)
        for code in {self.code(name, value) for value in query.where[name]} - {-1}:
            times, rows = self.columns.having(name, code)
            begin, end = bounds(times, query)
            found[rows[begin:end]] = True
        return found, {other: values for other, values in query.where.items() if other != name}

    def _in_time(self, found: Mask, query: Query) -> None:
        """Take away what was not published in the time asked for."""
        at = self.columns["at"]
        if query.since is not None:
            found &= at >= moment(query.since)
        if query.until is not None:
            found &= at < moment(query.until)
        if query.until is not None or query.trusted_dates:
            found &= at > UNDATED

    def _any_of(self, name: Field, values: Sequence[str]) -> Mask:
        """Return which rows have one of the values ("" = none) in a field."""
        if name in TAGS:
            return self._any_tag(name, values)
        if name in CODED:
            codes = [code for value in values if (code := self.code(name, value)) >= 0]
            return np.isin(self.columns[name], codes)
        if name == "duplicate":
            return np.isin(self.columns["cluster"], [cluster_of(value) for value in values])
        values = [value for value in values if is_text(value)]
        marks = ", ".join("?" * len(values))
        return self._rows(f"SELECT n FROM document WHERE id IN ({marks})", values)

    def _any_tag(self, name: Field, values: Sequence[str]) -> Mask:
        """Return which rows have one of the values in a field of which they may have several."""
        tags = self.columns.tags(name)
        codes = [self.code(name, value) for value in values if value]
        counted = np.concatenate([[0], np.cumsum(np.isin(tags.codes, codes))])
        found = counted[tags.starts[1:]] > counted[tags.starts[:-1]]
        return found | (tags.starts[1:] == tags.starts[:-1]) if "" in values else found

    def expression(self, item: Expression, depth: int = 0) -> Mask:
        """Return which rows a boolean expression holds for."""
        if depth > DEEPEST:
            raise StoreError(f"a query may have at most {DEEPEST} brackets within brackets")
        if (text := fts(item)) is not None:
            return self._rows("SELECT rowid AS n FROM words WHERE words MATCH ?", [text])
        match item:
            case Is(name, value):
                return self._any_of(name, (value,))
            case Not(inner):
                return ~self.expression(inner, depth + 1)
            case AllOf(items):
                return self._join(np.logical_and, items, depth)
            case AnyOf(items):
                return self._join(np.logical_or, items, depth)
            case _:
                return np.zeros(self.columns.size, np.bool_)  # a word without a letter or digit

    def _join(self, by: np.ufunc, items: Sequence[Expression], depth: int) -> Mask:
        """Return which rows all or any of the expressions hold for."""
        found = np.full(self.columns.size, by is np.logical_and)
        for one in items:
            by(found, self.expression(one, depth + 1), out=found)
        return found

    def _rows(self, sql: str, parameters: Sequence[Any]) -> Mask:
        """Return the rows whose numbers a statement gives as n."""
        found = np.zeros(self.columns.size, np.bool_)
        numbers = row_numbers(self.db, sql, parameters)
        found[numbers[numbers < len(found)]] = True
        return found


def bounds(times: Numbers, query: Query) -> tuple[int, int]:
    """Return from where to where times, in order, are in the time that a query asks for."""
    begin, end = 0, len(times)
    if query.until is not None or query.trusted_dates:
        begin = int(times.searchsorted(UNDATED, "right"))
    if query.since is not None:
        begin = max(begin, int(times.searchsorted(moment(query.since))))
    if query.until is not None:
        end = int(times.searchsorted(moment(query.until)))
    return begin, max(begin, end)


def row_numbers(db: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> Numbers:
    """Return the numbers that a statement gives as n.

    They come as one text: to hand over a million rows one by one takes ten times as long as to find them.
    """
    sql = f"SELECT group_concat(n + {10 ** (WIDTH - 1)}, '') FROM ({sql})"
    text = db.execute(sql, parameters).fetchone()[0] or ""
    digits = np.frombuffer(text.encode("ascii"), np.uint8).reshape(-1, WIDTH)
    numbers = np.zeros(len(digits), np.int64)
    for column in range(1, WIDTH):
        numbers *= 10
        numbers += digits[:, column] - ord("0")
    return numbers
