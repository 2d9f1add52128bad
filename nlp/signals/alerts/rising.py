"""What is rising, not yet sure: the chance that a candidate becomes an alert within three days, and the early list.

A candidate that the budget holds back today is often tomorrow's alert. A logistic regression says how often: on how far
it is below the alerts' threshold, how clear its test is, and whether it is a standing topic. Its weights come from
`python -m groundswell.nlp.train.rising`, on strengths by models that saw no stream of the same kind.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from groundswell.index.records import Signal

FILE = Path(__file__).parent / "rising.json"
WITHIN = timedelta(days=3)
"""How soon an alert counts, and how long a candidate stays on the list after it was last seen to grow."""
A_DAY = 3
"""Entries of one day on the early list."""
NOT_YET = frozenset({"budget", "documents", "authors"})
"""Rules that hold back what may still become an alert by growing."""
SHARED = 1 / 3
"""Share of the smaller one's documents that makes two candidates one entry."""
NAMES = ("usual", "below", "statistic", "standing")


def describe(signal: Signal, threshold: float) -> tuple[float, ...]:
    """Return what the chance is made of, in the order of `NAMES`.

    Args:
        signal: a candidate.
        threshold: strength from which it would be an alert.
    """
    return 1.0, threshold - signal.strength, math.log1p(signal.statistic), float(signal.standing)


@lru_cache(maxsize=1)
def weights() -> Mapping[str, float]:
    """Return the weight of each number of `NAMES`, as it came with Groundswell."""
    read: Mapping[str, float] = json.loads(FILE.read_text("utf-8"))["weights"]
    return read


def chance(signal: Signal, threshold: float, by: Mapping[str, float] | None = None) -> float:
    """Return the probability that a candidate becomes an alert within three days, by weights of `NAMES`."""
    by = by or weights()
    odds = sum(by[name] * value for name, value in zip(NAMES, describe(signal, threshold), strict=True))
    return round(1 / (1 + math.exp(-max(-30.0, min(30.0, odds)))), 4)


def rising(signals: Iterable[Signal], *, now: datetime, most: int = A_DAY) -> list[Signal]:
    """Return the early list at a moment: what may become an alert, likeliest first.

    Of the last three days, of each day the likeliest (24 hours counted back from `now`), one entry for one thing, and
    nothing that an alert of the last week tells of already.

    Args:
        signals: candidates and alerts, in any order.
        now: the moment; what came later is left out.
        most: entries of one day.
    """
    known = [signal for signal in signals if now - timedelta(days=7) < signal.at <= now]
    told = [signal for signal in known if signal.fired or signal.follows]
    listed: list[Signal] = []
    days: dict[int, int] = {}
    candidates = (s for s in known if s.alert_chance is not None and now - s.at < WITHIN)
    for signal in sorted(candidates, key=lambda s: (-(s.alert_chance or 0.0), -s.at.timestamp(), s.id)):
        day = (now - signal.at) // timedelta(days=1)
        if days.get(day, 0) >= most or any(same(signal, other) for other in (*told, *listed)):
            continue
        days[day] = days.get(day, 0) + 1
        listed.append(signal)
    return listed


def same(one: Signal, other: Signal) -> bool:
    """Return whether two signals tell of one thing: of one name, or a third of the smaller one's documents shared."""
    common = len(set(one.evidence).intersection(other.evidence))
    if common and one.subject and one.subject == other.subject:
        return True
    return common > 0 and common >= SHARED * min(len(one.evidence), len(other.evidence))


def became(signal: Signal, alerts: Sequence[Signal]) -> bool:
    """Return whether one of the alerts came within three days of a candidate and tells of the same."""
    return any(signal.at < alert.at <= signal.at + WITHIN and same(signal, alert) for alert in alerts)


__all__ = ["A_DAY", "NAMES", "WITHIN", "became", "chance", "describe", "rising", "same", "weights"]
