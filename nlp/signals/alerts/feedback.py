"""Learning from judgements: what analysts called right or false moves the strength of alerts like it, once accepted.

`propose` fits a small correction and shows what it would have changed; nothing takes effect before `accept`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from groundswell.index.records import Checkpoint, Label, Signal
from groundswell.index.store import Reader, Store

MARK = "signals/learned"
"""Checkpoint: the accepted correction."""
FEWEST = 8
"""Judgements without which nothing is proposed."""
RIDGE = 2.0
"""Prior precision of every weight: with few judgements little moves."""
MOST = 1.0
"""Powers of ten by which a strength can be moved either way."""
FEATURES = ("always", "surge", "sour", "spread", "risk", "documents", "growth", "authors", "spoken_before")


@dataclass(frozen=True, slots=True)
class Taught:
    """An accepted correction: a weight for each of `FEATURES`, and one for each theme judged often."""

    weights: Mapping[str, float] = field(default_factory=dict)
    themes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """An alert (or held signal) of the past whose fate the correction would change."""

    signal: str
    title: str
    at: datetime
    strength: float
    would_be: float
    fired: bool
    would_fire: bool
    judged: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was learnt and how it would have changed the past.

    Attributes:
        judged: alerts with a judgement; `right` of them confirmed.
        kept: judged alerts that would still be strong enough; `right_then` of them confirmed.
        changes: signals whose fate it would change, newest first.
    """

    taught: Taught
    judged: int
    right: int
    kept: int
    right_then: int
    changes: Sequence[Change]


def describe(signal: Signal) -> NDArray[np.float64]:
    """Return the numbers of a signal that judgements are learnt on, in the order of `FEATURES`."""
    return np.array(
        [
            1.0, signal.kind == "surge", signal.kind == "sour", signal.kind == "spread", bool(signal.risk),
            math.log1p(len(signal.evidence)) - 2, math.log(max(signal.growth or 1.0, 0.1)) - 1,
            math.log1p(signal.authors or 0) - 1.5, bool(signal.follows),
        ],
        np.float64,
    )  # fmt: skip


def judgements(reader: Reader) -> dict[str, str]:
    """Return the newest disposition of each judged signal: confirmed, false or duplicate."""
    newest: dict[str, str] = {}
    for label in reader.recent(Label, limit=20_000):
        if label.field == "disposition":
            newest.setdefault(label.subject, label.value)
    return newest


def propose(reader: Reader, *, threshold: float) -> Proposal | None:
    """Return a correction fitted to the judgements there are, or nothing while there are too few.

    Ridge logistic regression (Newton's method); a duplicate is a true alert that came twice, so it counts as right for
    its subject and as wrong for following another. Strengths move by the fitted log-odds against the plain rate.
    """
    judged = judgements(reader)
    signals = {signal.id: signal for signal in reader.recent(Signal, limit=20_000)}
    examples = [(signals[one], value) for one, value in sorted(judged.items()) if one in signals]
    if len(examples) < FEWEST or len({value == "confirmed" for _, value in examples}) < 2:
        return None
    taught = fit(examples)
    changes = [change for signal in signals.values() if (change := _change(signal, taught, threshold, judged))]
    passing = [value for signal, value in examples if adjust(signal, taught).strength >= threshold]
    right = sum(value == "confirmed" for _, value in examples)
    return Proposal(
        taught=taught,
        judged=len(examples),
        right=right,
        kept=len(passing),
        right_then=sum(value == "confirmed" for value in passing),
        changes=sorted(changes, key=lambda change: change.at, reverse=True),
    )


def fit(examples: Sequence[tuple[Signal, str]]) -> Taught:
    """Return the correction that judgements teach."""
    x = np.stack([describe(signal) for signal, _ in examples])
    y = np.array([value == "confirmed" for _, value in examples], np.float64)
    rate = (y.sum() + 1) / (len(y) + 2)
    usual = math.log(rate / (1 - rate))
    weights = np.zeros(x.shape[1])
    for _ in range(25):
        chance = 1 / (1 + np.exp(-(usual + x @ weights)))
        slope = x.T @ (y - chance) - RIDGE * weights
        bend = (x * (chance * (1 - chance))[:, None]).T @ x + RIDGE * np.eye(x.shape[1])
        weights += np.linalg.solve(bend, slope)
    themes: dict[str, list[float]] = {}
    for signal, value in examples:
        if signal.theme:
            themes.setdefault(signal.theme, []).append(float(value == "confirmed"))
    often = {theme: (sum(v) - len(v) * rate) / (len(v) + 3) for theme, v in themes.items() if len(v) >= 2}
    return Taught({name: round(float(w), 4) for name, w in zip(FEATURES, weights, strict=True)}, often)


def adjusted(signals: Sequence[Signal], taught: Taught) -> list[Signal]:
    """Return signals with their strengths moved by what was taught."""
    return [adjust(signal, taught) for signal in signals]


def adjust(signal: Signal, taught: Taught) -> Signal:
    """Return the signal with its strength moved, by at most `MOST` either way; before anything is taught, itself."""
    if not taught.weights:
        return signal
    weights = np.array([taught.weights.get(name, 0.0) for name in FEATURES])
    odds = float(describe(signal) @ weights) + 2 * taught.themes.get(signal.theme, 0.0)
    moved = signal.strength + max(-MOST, min(MOST, odds / math.log(10)))
    return replace(signal, strength=round(moved, 4), untaught=signal.strength)


def accept(store: Store, taught: Taught, *, by: str, now: datetime) -> None:
    """Let a proposal take effect on signals found from now on."""
    value = {"weights": dict(taught.weights), "themes": dict(taught.themes), "by": by}
    store.put([Checkpoint(id=MARK, value=value, at=now)])


def forget(store: Store) -> None:
    """Go back to the ranking as it came."""
    store.delete(Checkpoint, [MARK])


def current(reader: Reader) -> Taught:
    """Return the correction in effect, empty where none was accepted."""
    mark = reader.get(Checkpoint, MARK)
    return Taught(dict(mark.value["weights"]), dict(mark.value["themes"])) if mark else Taught()


def _change(signal: Signal, taught: Taught, threshold: float, judged: Mapping[str, str]) -> Change | None:
    moved = adjust(signal, taught).strength
    would_fire = moved >= threshold if signal.fired or signal.held_by == "budget" else False
    if would_fire == signal.fired:
        return None
    return Change(
        signal=signal.id, title=signal.title, at=signal.at, strength=signal.strength, would_be=moved,
        fired=signal.fired, would_fire=would_fire, judged=judged.get(signal.id, ""),
    )  # fmt: skip
