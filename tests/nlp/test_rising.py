"""What is rising, not yet sure: how likely it becomes an alert, and what the early list shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from groundswell.configs.schema import SignalSettings
from groundswell.index.records import Signal
from groundswell.nlp.signals.alerts.policy import Policy, threshold
from groundswell.nlp.signals.alerts.rising import became, chance, rising
from groundswell.nlp.train.rising import Examples, calibration, learn, left_out_chances, said

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SETTINGS = SignalSettings()


def _signal(name: str, hours: float = 1.0, **more: Any) -> Signal:
    at = NOW - timedelta(hours=hours)
    values: dict[str, Any] = {
        "theme": "", "kind": "surge", "at": at, "start": at, "end": at, "observed": 5, "expected": 1, "strength": -0.5,
        "severity": "low", "evidence": tuple(f"{name}{k}" for k in range(5)), "why": "", "subject": name,
        "statistic": 4.0,
    }  # fmt: skip
    return Signal(id=name, **(values | more))


def _decided(*signals: Signal) -> list[Signal]:
    return Policy(SETTINGS).decide(signals)


def test_whatever_may_still_become_an_alert_says_how_likely_it_is() -> None:
    """Held for its strength or its few documents: a chance; an alert, a follow-up, something explained: none."""
    alert = _signal("alert", 30, strength=1.0)
    follows = _signal("again", 20, strength=-0.2, evidence=alert.evidence)
    explained = _signal("gap", 10, strength=1.0, explained="crawl gap")
    few = _signal("few", 5, strength=0.5, evidence=("a", "b", "c"))
    found = {s.id: s for s in _decided(alert, follows, explained, few, _signal("weak", 3))}
    assert found["alert"].fired
    assert {name for name, s in found.items() if s.alert_chance is not None} == {"few", "weak"}


def test_what_is_nearer_to_the_threshold_is_likelier() -> None:
    """And a larger budget makes the same candidate likelier."""
    chances = [chance(_signal("x", strength=strength), threshold(SETTINGS)) for strength in (-1.3, -0.8, -0.3)]
    assert chances == sorted(chances)
    assert 0 < chances[0] < chances[-1] < 1
    generous = threshold(SignalSettings(false_alerts_a_week=4.0))
    assert chance(_signal("x", strength=-0.8), generous) > chances[1]


def test_one_thing_stands_on_the_early_list_once_and_an_alert_never() -> None:
    """The likeliest record of a thing speaks for it; what an alert tells of, or what is three days old, is left out."""
    alert = _signal("alert", 60, strength=1.0)
    signals = _decided(
        alert, _signal("one", 20, strength=-1.0),
        _signal("one again", 2, subject="one", evidence=("one0", "one1", "z")),
        _signal("old", 73), _signal("told", 4, subject="alert", strength=-1.2, evidence=("alert0", "q", "r", "s", "t")),
    )  # fmt: skip
    assert [signal.id for signal in rising(signals, now=NOW)] == ["one again"]
    assert rising(signals, now=NOW - timedelta(hours=70)) == [next(s for s in signals if s.id == "old")]


def test_a_day_brings_three_entries_at_most() -> None:
    """The likeliest of each day."""
    many = _decided(*(_signal(f"s{k}", 2 + k / 10, strength=-1.2 + k / 10) for k in range(8)), _signal("before", 30))
    listed = rising(many, now=NOW)
    assert {signal.id for signal in listed} == {"s7", "s6", "s5", "before"}
    assert [s.alert_chance for s in listed] == sorted(
        (s.alert_chance for s in listed), reverse=True, key=lambda p: p or 0
    )


def test_a_candidate_became_an_alert_if_one_about_the_same_followed_in_three_days() -> None:
    """Not if it came later, and not if it is about something else."""
    candidate = _signal("c", 100)
    late = _signal("late", 20, evidence=candidate.evidence)
    other = _signal("other", 90)
    soon = _signal("soon", 90, evidence=candidate.evidence[:4])
    assert not became(candidate, [late, other])
    assert became(candidate, [late, other, soon])


@pytest.mark.parametrize("slope", [1.0, 2.0])
def test_learnt_chances_hold_on_streams_that_were_not_learnt_from(slope: float) -> None:
    """And the same examples give the same weights."""
    dice = np.random.default_rng(1)
    numbers = np.stack([np.ones(6000), *dice.normal(size=(3, 6000))], 1)
    true = 1 / (1 + np.exp(1.5 + slope * numbers[:, 1]))
    given = Examples(numbers, dice.random(6000) < true, np.repeat(["a", "b", "c"], 2000))
    assert calibration(left_out_chances(given), given.became)[0] < 0.03
    assert np.array_equal(learn(given), learn(given))
    assert calibration(said(given, np.zeros(4)), given.became)[0] > 0.2
