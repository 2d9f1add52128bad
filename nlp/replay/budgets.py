"""What a setting of the alert policy is worth: what it would have fired, found and missed, and how soon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from groundswell.configs.events import TOLD_WITHIN, Event
from groundswell.configs.schema import SignalSettings
from groundswell.configs.topics import ANY, Topic
from groundswell.index.records import Signal
from groundswell.index.store import Reader
from groundswell.nlp.signals.alerts import feedback
from groundswell.nlp.signals.alerts.policy import Policy
from groundswell.nlp.signals.detect import terms
from groundswell.nlp.signals.detect.groups import topics_of

BUDGETS = (0.25, 0.5, 1.0, 2.0, 7.0)
ABOUT = 0.5
"""Share of an alert's documents that makes it one about an event."""


@dataclass(frozen=True, slots=True)
class Known:
    """An event and the documents that tell of it."""

    name: str
    start: datetime
    last: datetime
    documents: frozenset[str]

    def told_by(self, alert: Signal) -> bool:
        """Return whether an alert is about it and in time."""
        shared = len(self.documents.intersection(alert.evidence))
        return self.start <= alert.at <= self.last and shared >= ABOUT * len(alert.evidence)


@dataclass(frozen=True, slots=True)
class BudgetResult:
    """What one budget of false alerts a week would have given.

    Attributes:
        budget: false alerts a week that are allowed.
        fired: alerts.
        found: names of known events that an alert told of.
        missed: names of those that none told of.
        hours: median hours from an event's beginning to its first alert, or nothing.
        others: alerts a week about nothing known: false, or news to whoever made the list.
    """

    budget: float
    fired: int
    found: tuple[str, ...]
    missed: tuple[str, ...]
    hours: float | None
    others: float


def confirmed(reader: Reader) -> list[Event]:
    """Return the alerts that analysts confirmed, as events that their own evidence tells of."""
    judged = feedback.judgements(reader)
    alerts = [one for one in reader.recent(Signal, limit=20_000) if judged.get(one.id) == "confirmed" and one.evidence]
    return [
        Event(
            name=f"{one.title or one.kind} ({one.at:%Y-%m-%d %H:%M})"[-120:], start=min(one.start, one.at),
            until=one.at + TOLD_WITHIN, ids=frozenset(one.evidence),
        )
        for one in alerts
    ]  # fmt: skip


def known_events(
    events: Sequence[Event], ids: Sequence[str], texts: Sequence[str], languages: Sequence[str]
) -> list[Known]:
    """Return events with their documents: those named, and those from the start on that have one of the words."""
    has, vocabulary = terms.index_terms(texts)
    named = [Topic(id="event", title="event", words={ANY: event.words or ("\0",)}) for event in events]
    having = [frozenset(ids[k] for k in each) for each in topics_of(has, vocabulary, languages, named)]
    return [
        Known(event.name, event.start, event.last, event.ids | by_words)
        for event, by_words in zip(events, having, strict=True)
    ]


def weigh(
    signals: Sequence[Signal], settings: SignalSettings, events: Sequence[Known], *, began: datetime, ended: datetime,
    budgets: Sequence[float] = BUDGETS,
) -> list[BudgetResult]:  # fmt: skip
    """Return what each budget would have given, the whole policy applied anew.

    Args:
        signals: candidates, as found; how they were decided does not matter.
        settings: everything of the policy but the budget.
        events: what happened.
        began: of the stream, for the warm-up.
        ended: of the stream.
        budgets: false alerts a week.
    """
    fresh = [replace(signal, fired=False, held_by="", follows="") for signal in signals]
    weeks = max((ended - began) / timedelta(weeks=1), 1e-9)
    worth = []
    for budget in budgets:
        policy = Policy(settings.model_copy(update={"false_alerts_a_week": budget}), began=began)
        worth.append(_worth(budget, [signal for signal in policy.decide(fresh) if signal.fired], events, weeks))
    return worth


def _worth(budget: float, alerts: Sequence[Signal], events: Sequence[Known], weeks: float) -> BudgetResult:
    first = {event.name: min((a.at for a in alerts if event.told_by(a)), default=None) for event in events}
    delays = [(at - event.start) / timedelta(hours=1) for event in events if (at := first[event.name])]
    about = sum(any(event.told_by(alert) for event in events) for alert in alerts)
    return BudgetResult(
        budget,
        len(alerts),
        tuple(name for name, at in first.items() if at),
        tuple(name for name, at in first.items() if not at),
        round(float(np.median(delays)), 1) if delays else None,
        round((len(alerts) - about) / weeks, 2),
    )
