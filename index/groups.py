"""What records that are no documents are told apart by in a store, so that some can be read without all the others.

Each has a *state* (an alert or a weaker signal, a visit that failed or went well) and a *subject* (the theme, the
source); both stores keep them beside the record, and find and count by them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from groundswell.index.fields import day_of, moment, time_of
from groundswell.index.query import Tally
from groundswell.index.records import CrawlRun, Label, Record, Refusal, Signal
from groundswell.index.refusals import OWN_TIME

EPISODE = ("alert", "follow-up")
"""States of the signals that episodes are made of."""
MAY_RISE = ("alert", "follow-up", "rising")
"""States of the signals that the early list is made of."""
NOT_WHOLE = ("failed", "partly")
"""States of visits that did not see all there was."""
WHOLE = ("good", "empty")
"""States of visits that saw all there was, if there was anything."""
SEEN = ("good", "partly")
"""States of visits that brought something."""


def _signal(signal: Signal) -> str:
    if signal.fired:
        return "alert"
    if signal.held_by == "follow-up" or signal.follows:
        return "follow-up"
    return "held" if signal.alert_chance is None else "rising"


def _visit(run: CrawlRun) -> str:
    if run.error or run.complaint or run.cut:
        return "partly" if run.found and not run.error else "failed"
    return "good" if run.found else "empty"


_STATES: Mapping[type[Any], Callable[[Any], str]] = {Signal: _signal, CrawlRun: _visit, Label: lambda one: one.field}
BY_SOURCE = (CrawlRun, Refusal)
GROUPED = (*_STATES, Refusal)
"""Kinds whose state or subject stores of older versions did not keep."""


def state_of(record: Record) -> str:
    """Return what a record is told apart by from others of its kind; "" where there is nothing."""
    found = _STATES.get(type(record))
    return found(record) if found else str(getattr(record, "state", getattr(record, "status", "")))


def subject_of(record: Record) -> str:
    """Return what a record is about: a source, a theme, or ""."""
    return record.source if isinstance(record, BY_SOURCE) else str(getattr(record, "theme", ""))


def counted(records: Iterable[Record]) -> list[Tally]:
    """Return how many records there are by subject, state and day, in this order."""
    keys = Counter(
        (subject_of(one), state_of(one), day_of(moment(getattr(one, OWN_TIME[type(one)])))) for one in records
    )
    return [Tally(subject, state, time_of(day), count) for (subject, state, day), count in sorted(keys.items())]
