"""A `Query` as SQL: text only ever travels as a parameter, so nothing anybody types can become SQL or FTS5 syntax."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from groundswell.index.fields import TAGS, UNDATED, moment
from groundswell.index.paging import DEEPEST
from groundswell.index.query import AllOf, AnyOf, Expression, Field, Is, Lack, Not, Phrase, Query, Word
from groundswell.index.segment import for_query, is_text
from groundswell.index.store import StoreError

LACKS: dict[Lack, str] = {"enriched": "enriched", "membership": "membership", "vector": "vector"}
COLUMN: dict[Field, str] = {
    "id": "id",
    "source": "source",
    "kind": "kind",
    "lang": "lang",
    "market": "market",
    "sentiment": "sentiment",
    "theme": "theme",
    "author": "author",
    "thread": "thread",
    "duplicate": "duplicate",
    "date_confidence": "date_confidence",
}


@dataclass(slots=True)
class Where:
    """Conditions joined by AND, with their parameters in order."""

    parts: list[str] = field(default_factory=list)
    parameters: list[object] = field(default_factory=list)

    def add(self, part: str, *parameters: object) -> Self:
        """Add a condition."""
        self.parts.append(part)
        self.parameters.extend(parameters)
        return self

    @property
    def sql(self) -> str:
        """Return the condition."""
        return " AND ".join(self.parts) or "1"


def where(query: Query, alias: str = "d") -> Where:
    """Return which rows of `document` (under an alias) a query asks for.

    Raises:
        StoreError: an expression is nested too deeply.
    """
    found = Where()
    if query.since is not None:
        found.add(f"{alias}.at >= ?", moment(query.since))
    if query.until is not None:
        found.add(f"{alias}.at < ?", moment(query.until))
    if query.until is not None or query.trusted_dates:
        found.add(f"{alias}.at > {UNDATED}")
    for name, values in query.where.items():
        found.add(*_any_of(name, values, alias))
    for name, values in query.without.items():
        condition, *parameters = _any_of(name, values, alias)
        found.add(f"NOT {condition}", *parameters)
    if query.lacks is not None:
        found.add(f"{alias}.{LACKS[query.lacks]} = 0")
    if query.made_by_not:
        found.add(f"{alias}.enriched = 1 AND {alias}.made_by <> ?", query.made_by_not)
    if query.match is not None:
        found.add(*expression(query.match, alias))
    return found


def _any_of(name: Field, values: Sequence[str], alias: str) -> tuple[str, ...]:
    """Return a condition that a field has one of the values ("" = it has none), and its parameters."""
    if name not in TAGS:
        return any_of(f"{alias}.{COLUMN[name]}", values)
    condition, *parameters = any_of("value", values)
    has = f"{alias}.n IN (SELECT n FROM tag WHERE field = ? AND {condition})"
    if "" not in values:
        return (has, name, *parameters)
    return (f"({has} OR {alias}.n NOT IN (SELECT n FROM tag WHERE field = ?))", name, *parameters, name)


def any_of(column: str, values: Sequence[str]) -> tuple[str, ...]:
    """Return a condition that a column has one of the values, and its parameters."""
    values = [value for value in values if is_text(value)]
    return (f"{column} IN ({_marks(values)})", *values)


def _marks(values: Sequence[object]) -> str:
    """Return one question mark a value."""
    return ", ".join("?" * len(values))


def expression(item: Expression, alias: str, depth: int = 0) -> tuple[str, ...]:
    """Return the condition of a boolean expression, and its parameters."""
    if depth > DEEPEST:
        raise StoreError(f"a query may have at most {DEEPEST} brackets within brackets")
    if (text := fts(item)) is not None:
        return (f"{alias}.n IN (SELECT rowid FROM words WHERE words MATCH ?)", text)
    match item:
        case Is(name, value):
            return _any_of(name, (value,), alias)
        case Not(inner):
            condition, *parameters = expression(inner, alias, depth + 1)
            return (f"NOT ({condition})", *parameters)
        case AllOf(items):
            return _join(items, " AND ", "1", alias, depth)
        case AnyOf(items):
            return _join(items, " OR ", "0", alias, depth)
        case _:
            return ("0",)  # a word without a letter or digit


def _join(items: tuple[Expression, ...], by: str, empty: str, alias: str, depth: int) -> tuple[str, ...]:
    """Return the conditions of several expressions, joined."""
    compiled = [expression(item, alias, depth + 1) for item in items]
    condition = by.join(f"({one[0]})" for one in compiled) or empty
    return (condition, *(parameter for one in compiled for parameter in one[1:]))


def fts(item: Expression, depth: int = 0) -> str | None:
    """Return an expression of words alone in FTS5's language, every word quoted; ``None`` where it has none."""
    if depth > DEEPEST:
        return None
    match item:
        case Word(text) | Phrase(text):
            return phrase(text)
        case AnyOf(items):
            parts = [fts(one, depth + 1) for one in items]
            return f"({' OR '.join(filter(None, parts))})" if parts and all(parts) else None
        case AllOf(items):
            return _fts_all(items, depth)
        case _:
            return None


def _fts_all(items: tuple[Expression, ...], depth: int) -> str | None:
    """Return words that must, and words that must not be there; ``None`` unless there is one that must."""
    wanted = [fts(one, depth + 1) for one in items if not isinstance(one, Not)]
    unwanted = [fts(one.item, depth + 1) for one in items if isinstance(one, Not)]
    if not wanted or not all(wanted) or not all(unwanted):
        return None
    positive = f"({' AND '.join(filter(None, wanted))})"
    return f"({positive} NOT ({' OR '.join(filter(None, unwanted))}))" if unwanted else positive


def phrase(text: str) -> str | None:
    """Return words that follow one another, quoted for FTS5; ``None`` where the text has no word."""
    words, unfinished = for_query(text)
    if not words:
        return None
    quoted = " ".join(words).replace('"', '""')
    return f'"{quoted}"' + (" *" if unfinished else "")


def split(item: Expression | None) -> tuple[tuple[Expression, ...], tuple[Expression, ...]]:
    """Return what of an expression is about words (ranked), and what must hold whatever the words are."""
    items = item.items if isinstance(item, AllOf) else () if item is None else (item,)
    ranked = tuple(one for one in items if fts(one) is not None)
    return ranked, tuple(one for one in items if fts(one) is None)
