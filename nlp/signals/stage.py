"""The stage: from the store's documents to signals in the store, as if every hour had been watched live.

A turn costs what is new: it hears what has changed (`listen`), reads the documents of what departed (`compose`), lets
the judgements and the policy decide, and writes signals and mark in one piece.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from groundswell.configs.schema import Settings
from groundswell.index.progress import Progress
from groundswell.index.records import Checkpoint, Signal, Snooze
from groundswell.index.store import Reader, Store
from groundswell.nlp.signals import state
from groundswell.nlp.signals.alerts import feedback
from groundswell.nlp.signals.alerts.explanation import epoch
from groundswell.nlp.signals.alerts.policy import Policy, threshold
from groundswell.nlp.signals.compose import Label, SignalBuilder
from groundswell.nlp.signals.listen import FOLDER, Listener

MARK = "signals"
"""Checkpoint: up to when signals were found, and the file with the state of the watch."""


def find_signals(
    store: Store, settings: Settings, *, now: datetime, progress: Progress | None = None, label: Label | None = None
) -> list[Signal]:
    """Find signals since the last time, decide which are alerts, write them with a new mark; return them.

    A first run replays all there is, hour by hour. Run again over the same documents, it finds nothing new. `label`
    reads the evidence where the store has vectors only.
    """
    mark = store.get(Checkpoint, MARK)
    listener = Listener(store, settings, now, dict(mark.value) if mark else {})
    departures = listener.hear(progress)
    if departures is None or not math.isfinite(listener.watch.upto):
        store.put([Checkpoint(id=MARK, value={**listener.mark, **listener.value()}, at=now)])
        return []
    built = list(SignalBuilder(store, settings, label).build(departures)) if departures else []
    stored = {signal.id for signal in store.many(Signal, [signal.id for signal in built])}
    decided = decide(store, [s for s in built if s.id not in stored], settings, began=epoch(listener.watch.began))
    name = listener.save()
    store.put([*decided, Checkpoint(id=MARK, value={**listener.value(), "state": name}, at=now)])
    state.forget_others(listener.folder, name, listener.watch.memory.past)
    return decided


def look_within_hour(
    store: Store, settings: Settings, *, now: datetime, progress: Progress | None = None
) -> list[Signal]:
    """Write and return the alerts that what came in this hour, which is not over, is enough for.

    The state of the watch stays as it was at the last whole hour, so that the hour is tested as a whole when it is
    over, whatever was looked at before; what goes on then with an alert of now follows it and is not told again.
    Nothing is looked at before `find_signals` has come to the last whole hour.
    """
    mark = store.get(Checkpoint, MARK)
    listener = Listener(store, settings, now, dict(mark.value) if mark else {}, within=True)
    if listener.watch.upto != listener.end - 1:
        return []
    departures = listener.hear(progress)
    strong = [each for each in departures or () if each.strength >= threshold(settings.signals)]
    built = [_by_now(signal, now) for signal in SignalBuilder(store, settings).build(strong)] if strong else []
    stored = {signal.id for signal in store.many(Signal, [signal.id for signal in built])}
    decided = decide(store, [s for s in built if s.id not in stored], settings, began=epoch(listener.watch.began))
    fired = [signal for signal in decided if signal.fired]
    if fired:
        store.put(fired)
    return fired


def _by_now(signal: Signal, now: datetime) -> Signal:
    """Return a signal of an hour that is not over as it is known now."""
    return replace(signal, at=min(signal.at, now), end=min(signal.end, now))


def decide(store: Reader, fresh: Sequence[Signal], settings: Settings, *, began: datetime) -> list[Signal]:
    """Return the signals decided by the policy, in the light of what ran before, of snoozes and of judgements."""
    earliest = min((signal.at for signal in fresh), default=None)
    earlier = sorted(store.recent(Signal, limit=5000), key=lambda s: s.at) if earliest else []
    policy = Policy(
        settings.signals,
        store.many(Snooze, sorted({signal.theme for signal in fresh if signal.theme})),
        began,
        [signal for signal in earlier if signal.fired],
    )
    policy.remember(earlier)
    return policy.decide(feedback.adjusted(fresh, feedback.current(store)))


__all__ = ["FOLDER", "MARK", "decide", "find_signals", "look_within_hour"]
