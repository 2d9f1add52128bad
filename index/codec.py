"""Records to JSON and back, exactly: ``from_json(kind, to_json(record)) == record`` for every record and `Document`."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from groundswell.index.older import UPGRADES
from groundswell.index.records import RECORDS, Document, Record

if TYPE_CHECKING:
    from pydantic import TypeAdapter

R = TypeVar("R")
KINDS: dict[str, type[Any]] = {kind.__name__.lower(): kind for kind in (*RECORDS, Document)}
"""Every kind by its name in files and tables: ``mention``, ``enriched``, ``crawlrun`` …"""


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


def adapter(kind: type[Any]) -> TypeAdapter[Any]:
    """Return pydantic's reader and writer for a kind, built once."""
    if kind not in _ADAPTERS:
        from pydantic import TypeAdapter  # a tenth of a second, which a question in SQL has no need of

        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def name_of(kind: type[Any]) -> str:
    """Return a kind's name in files and tables."""
    return kind.__name__.lower()


def to_json(record: Record | Document) -> dict[str, Any]:
    """Return the record as JSON values; times as ISO 8601, vectors as text (see `groundswell.index.vector`).

    Raises:
        ValueError: a field holds what its type does not allow; the message names it.
    """
    values: dict[str, Any] = adapter(type(record)).dump_python(record, mode="json", warnings="error")
    return values


def from_json(kind: type[R], values: dict[str, Any]) -> R:
    """Return the record that `to_json` was given, of this version or an older one.

    Raises:
        ValueError: the values do not make a record of this kind; the message names the field.
    """
    upgrade = UPGRADES.get(kind)
    record: R = adapter(kind).validate_python(upgrade(values) if upgrade else values)
    return record


def encode(record: Record | Document) -> str:
    """Return canonical JSON text: keys sorted, no spaces, so that equal records have equal text.

    Raises:
        ValueError: a number is not finite, or a text is not Unicode.
    """
    text = json.dumps(to_json(record), ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    text.encode("utf-8")
    return text


def decode(kind: type[R], text: str | bytes) -> R:
    """Return the record that `encode` was given, of this version or an older one.

    Raises:
        ValueError: the text does not hold a record of this kind; the message names the field.
    """
    if kind in UPGRADES:
        with suppress(ValueError):  # what is no JSON is said below
            return from_json(kind, json.loads(text))
    record: R = adapter(kind).validate_json(text)
    return record
