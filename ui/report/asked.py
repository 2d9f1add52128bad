"""What an address of the search page asks: the one way from an address to a query, for the page and for its tests."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast, get_args

from groundswell.index.groups import EPISODE
from groundswell.index.query import Field, Query, Sort
from groundswell.index.query_language import parse
from groundswell.index.records import Signal
from groundswell.index.store import Reader
from groundswell.nlp.signals.alerts.episodes import episodes

NONE = "-"
"""Stands for "no document at all" where an alert is not there any more."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A search as its address says it.

    Attributes:
        text: of the query language.
        sort: an order, or empty for that of the text.
        copies: whether copies are listed and counted each, instead of folded.
        of: "signal-ID" for the documents that made a signal, "alert-ID" for those of an alert and what followed it.
    """

    text: str = ""
    sort: str = ""
    copies: bool = False
    of: str = ""

    def query(self, reader: Reader, *, now: datetime, values: Mapping[Field, Collection[str]] | None = None) -> Query:
        """Return what is asked; `values` are all that closed fields can have (`groundswell.index.closed_fields`).

        Raises:
            QueryError: the text cannot be understood.
        """
        query = replace(parse(self.text, now=now, values=values), collapse=not self.copies)
        if self.sort in get_args(Sort):
            query = replace(query, sort=cast("Sort", self.sort))
        return _within(query, evidence_of(reader, self.of)) if self.of else query


def asked(address: Mapping[str, str]) -> Asked:
    """Return what the parameters of an address ask."""
    return Asked(
        text=address.get("q", ""),
        sort=address.get("sort", ""),
        copies=address.get("copies", "") == "1",
        of=address.get("of", ""),
    )


def evidence_of(reader: Reader, name: str) -> tuple[str, ...]:
    """Return the documents of "signal-ID" or "alert-ID"; none where it is not there any more."""
    kind, _, own = name.partition("-")
    signal = reader.get(Signal, own)
    if signal is None:
        return ()
    if kind == "signal":
        return signal.evidence
    found = episodes(reader.select(Signal, states=EPISODE), until=datetime.max.replace(tzinfo=signal.at.tzinfo))
    return next((e.evidence for e in found if any(s.id == own for s in e.signals)), signal.evidence)


def _within(query: Query, ids: tuple[str, ...]) -> Query:
    """Return a query narrowed to some documents."""
    there = query.where.get("id")
    inside = tuple(one for one in ids if there is None or one in there)
    return replace(query, where={**query.where, "id": inside or (NONE,)})
