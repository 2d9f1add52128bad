"""A `Query` in Elasticsearch's query DSL: values only ever travel as values, nothing anybody types is parsed there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from groundswell.index.fields import TAGS, UNDATED, moment
from groundswell.index.paging import DEEPEST
from groundswell.index.query import AllOf, AnyOf, Expression, Field, Is, Lack, Not, Phrase, Query, Word
from groundswell.index.segment import for_query
from groundswell.index.store import StoreError

Clause = dict[str, Any]
NOTHING: Clause = {"match_none": {}}
EVERYTHING: Clause = {"match_all": {}}
TITLE_BOOST = 2.0
"""A word in the title counts twice, as in the embedded store."""
PREFIXES = 1000
"""Words that a last, unfinished Chinese or Thai character may stand for."""
LACKS: dict[Lack, str] = {"enriched": "enriched", "membership": "membership", "vector": "has_vector"}


def filters(query: Query, *, match: bool = True) -> list[Clause]:
    """Return what must hold for a document.

    Raises:
        StoreError: an expression is nested too deeply.
    """
    found: list[Clause] = []
    if query.since is not None or query.until is not None or query.trusted_dates:
        found.append({"range": {"at": _bounds(query)}})
    found += [any_of(name, values) for name, values in query.where.items()]
    found += [_not(any_of(name, values)) for name, values in query.without.items()]
    if query.lacks is not None:
        found.append({"term": {LACKS[query.lacks]: False}})
    if query.made_by_not:
        found += [{"term": {"enriched": True}}, _not({"term": {"made_by": query.made_by_not}})]
    if match and query.match is not None:
        found.append(expression(query.match))
    return found


def _bounds(query: Query) -> dict[str, int]:
    bounds = {"gt": UNDATED}
    if query.since is not None:
        bounds = {"gte": moment(query.since)}
    if query.until is not None:
        bounds["lt"] = moment(query.until)
    return bounds


def any_of(name: Field, values: Sequence[str]) -> Clause:
    """Return that a field has one of the values ("" = it has none)."""
    if not values:
        return NOTHING
    has: Clause = {"terms": {name: list(values)}}
    if name not in TAGS or "" not in values:
        return has
    return {"bool": {"should": [has, _not({"exists": {"field": name}})], "minimum_should_match": 1}}


def expression(item: Expression, depth: int = 0) -> Clause:
    """Return the clause of a boolean expression."""
    if depth > DEEPEST:
        raise StoreError(f"a query may have at most {DEEPEST} brackets within brackets")
    match item:
        case Word(text) | Phrase(text):
            return words(text)
        case Is(name, value):
            return any_of(name, (value,))
        case Not(inner):
            return _not(expression(inner, depth + 1))
        case AllOf(items):
            return {"bool": {"must": [expression(one, depth + 1) for one in items]}} if items else EVERYTHING
        case AnyOf(items):
            should = [expression(one, depth + 1) for one in items]
            return {"bool": {"should": should, "minimum_should_match": 1}} if items else NOTHING


def words(text: str) -> Clause:
    """Return that these words follow one another in title or text."""
    found, unfinished = for_query(text)
    if not found:
        return NOTHING
    fields = [_phrase("title_words", found, unfinished, TITLE_BOOST), _phrase("text_words", found, unfinished, 1.0)]
    return {"bool": {"should": fields, "minimum_should_match": 1}}


def _phrase(name: str, found: Sequence[str], unfinished: bool, boost: float) -> Clause:
    if len(found) == 1:
        kind = "prefix" if unfinished else "term"
        return {kind: {name: {"value": found[0], "boost": boost}}}
    kind = "match_phrase_prefix" if unfinished else "match_phrase"
    body: dict[str, Any] = {"query": " ".join(found), "boost": boost}
    if unfinished:
        body["max_expansions"] = PREFIXES
    return {kind: {name: body}}


def _not(clause: Clause) -> Clause:
    return {"bool": {"must_not": [clause]}}


def has_words(item: Expression) -> bool:
    """Return whether an expression is of words alone, so that it can rank."""
    match item:
        case Word(text) | Phrase(text):
            return bool(for_query(text)[0])
        case AllOf(items) | AnyOf(items):
            wanted = [one for one in items if not isinstance(one, Not)]
            return bool(wanted) and all(has_words(one.item if isinstance(one, Not) else one) for one in items)
        case _:
            return False


def split(item: Expression | None) -> tuple[tuple[Expression, ...], tuple[Expression, ...]]:
    """Return what of an expression is about words (ranked), and what must hold whatever the words are."""
    items = item.items if isinstance(item, AllOf) else () if item is None else (item,)
    return tuple(one for one in items if has_words(one)), tuple(one for one in items if not has_words(one))
