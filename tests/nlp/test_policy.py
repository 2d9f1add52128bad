"""What the policy promises: a budget that is kept, one alert a subject, silence where it was asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from groundswell.configs.schema import QuietHours, SignalSettings
from groundswell.index.records import Signal, Snooze
from groundswell.nlp.signals.alerts.policy import (
    Policy,
    SeverityInputs,
    severity,
    shared_enough,
    tell_at,
    threshold,
)
from groundswell.nlp.signals.detect.lives import Life, Rule

AT = datetime(2026, 3, 2, 15, tzinfo=UTC)
SETTINGS = SignalSettings(false_alerts_a_week=0.5)


def signal(id: str = "a", *, theme: str = "t", at: datetime = AT, strength: float = 1.0, **given: Any) -> Signal:
    """Return a signal that nothing speaks against."""
    more: dict[str, Any] = {"subject": f"subject-{id}", "authors": 6} | given
    evidence = more.pop("evidence", tuple(f"{id}{k}" for k in range(6)))
    return Signal(
        id=id, theme=theme, kind="new", at=at, start=at, end=at, observed=6, expected=0.5, strength=strength,
        severity=more.pop("severity", "low"), evidence=evidence, why="", **more,
    )  # fmt: skip


def decided(*signals: Signal, **policy: Any) -> list[Signal]:
    """Return the signals after the policy."""
    return Policy(SETTINGS, **policy).decide(signals)


def test_a_threshold_follows_from_the_budget() -> None:
    """Half a false alert a week is 10 ** -0.3; a tenth of it asks for one power of ten more."""
    assert threshold(SETTINGS) == pytest.approx(0.301, abs=1e-3)
    assert threshold(SignalSettings(false_alerts_a_week=0.05)) == pytest.approx(1.301, abs=1e-3)


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"strength": 0.29}, "budget"),
        ({"evidence": ("x", "y", "z")}, "documents"),
        ({"authors": 2}, "authors"),
        ({"explained": "crawl gap: reviews had just come back after silence"}, "explained"),
    ],
)
def test_what_a_rule_holds_says_which(changed: dict[str, Any], rule: str) -> None:
    """A held signal names the rule; nothing is dropped."""
    held = decided(signal(**changed))[0]
    assert (held.fired, held.held_by) == (False, rule)


def test_unknown_authors_do_not_hold() -> None:
    """Where no source tells authors, they cannot be asked for."""
    assert decided(signal(authors=None))[0].fired


def test_nothing_fires_before_the_past_is_known() -> None:
    """Four days of history are too few, six are not."""
    assert decided(signal(), began=AT - timedelta(days=4))[0].held_by == "warm-up"
    assert decided(signal(), began=AT - timedelta(days=6))[0].fired


def test_a_subject_alerts_once_and_what_goes_on_follows_it() -> None:
    """A second signal of the theme two days later is merged into the running alert; nine days later it is a new one."""
    first, second, third = decided(
        signal("a"), signal("b", at=AT + timedelta(days=2)), signal("c", at=AT + timedelta(days=9))
    )
    assert first.fired
    assert (second.fired, second.held_by, second.follows) == (False, "follow-up", "a")
    assert (third.fired, third.follows) == (True, "")


def test_shared_documents_make_one_subject_whatever_the_theme() -> None:
    """Two themes (or none) with a third of the documents in common are told of once."""
    one = signal("a", theme="")
    other = signal("b", theme="u", evidence=("a0", "a1", "a2", "b1", "b2"), at=AT + timedelta(hours=3))
    assert shared_enough(one, other)
    assert [s.fired for s in decided(one, other)] == [True, False]
    assert not shared_enough(one, signal("c", theme="u"))


def test_a_subject_that_goes_on_is_known_by_its_newest_documents() -> None:
    """A signal that shares nothing with the alert, but with what followed it, follows too; also in a later run."""
    first = signal("a", evidence=tuple("abcdef"))
    second = signal("b", theme="u", at=AT + timedelta(days=1), evidence=tuple("cdefgh"))
    third = signal("c", theme="v", at=AT + timedelta(days=2), evidence=tuple("ghij"))
    one, two, three = decided(first, second, third)
    assert (one.fired, two.held_by, three.held_by) == (True, "follow-up", "follow-up")
    assert decided(first, third)[1].fired
    later = Policy(SETTINGS, running=[one])
    later.remember([one, two])
    assert later.decide([third])[0].held_by == "follow-up"


def test_a_subject_of_its_own_is_not_swallowed_by_the_topics_that_followed_an_alert() -> None:
    """A topic holds two scandals of one week; the second is told of, though its documents came with the first's."""
    first = signal("a", evidence=tuple("abcdef"))
    topic = signal("b", theme="", at=AT + timedelta(days=1), evidence=tuple("cdefgh"), standing=True)
    other_topic = signal("c", theme="", at=AT + timedelta(days=2), evidence=tuple("ghij"), standing=True)
    scandal = signal("d", theme="v", at=AT + timedelta(days=2), evidence=tuple("ghijk"))
    assert [s.held_by for s in decided(first, topic, other_topic)] == ["", "follow-up", "follow-up"]
    assert [s.fired for s in decided(first, topic, scandal)] == [True, False, True]


def test_a_name_is_believed_only_where_a_document_is_shared() -> None:
    """The detector's subject may drift to the next scandal; of a topic the name is enough."""
    named: dict[str, Any] = {"subject": "drifting"}
    first = signal("a", evidence=tuple("abcdef"), **named)
    goes_on = signal("b", theme="u", at=AT + timedelta(days=1), evidence=tuple("fghijk"), **named)
    scandal = signal("c", theme="v", at=AT + timedelta(days=2), evidence=tuple("uvwxyz"), **named)
    assert [s.fired for s in decided(first, goes_on, scandal)] == [True, False, True]
    topic: dict[str, Any] = {"subject": "topic-scams", "standing": True}
    one, other = signal("d", **topic), signal("e", theme="u", at=AT + timedelta(days=2), **topic)
    assert [s.fired for s in decided(one, other)] == [True, False]


def test_a_follow_up_is_mostly_known() -> None:
    """Of what an alert grew to, two documents of ten do not make a signal its follow-up; half of them do."""
    first = signal("a", evidence=tuple("abcdef"))
    second = signal("b", theme="u", at=AT + timedelta(days=1), evidence=tuple("cdefgh"))
    mixed = signal("c", theme="v", at=AT + timedelta(days=2), evidence=tuple("ghijklmnop"))
    assert decided(first, second, mixed)[2].fired
    known = replace(mixed, evidence=tuple("ghij"))
    assert decided(first, second, known)[2].held_by == "follow-up"


def test_an_alert_that_outgrows_itself_is_told_again() -> None:
    """Three times the documents, ten times rarer, and critical now: that is news, and still follows the first."""
    more = signal(
        "b", at=AT + timedelta(days=1), strength=2.5, severity="critical", evidence=tuple(f"b{k}" for k in range(30))
    )
    first, second = decided(signal("a"), more)
    assert first.fired
    assert second.fired
    assert second.follows == "a"
    assert not decided(signal("a"), replace(more, severity="high"))[1].fired


def test_an_alert_from_an_earlier_run_still_runs() -> None:
    """What fired yesterday keeps today's signal of the same theme quiet."""
    before = replace(signal("a", at=AT - timedelta(days=1)), fired=True)
    assert decided(signal("b"), running=[before])[0].held_by == "follow-up"


def test_a_snoozed_theme_is_silent_until_it_wakes() -> None:
    """And only that theme."""
    snooze = Snooze(id="t", at=AT - timedelta(days=1), until=AT + timedelta(days=1))
    assert decided(signal(), snoozes=[snooze])[0].held_by == "snoozed"
    assert decided(signal(theme="other"), snoozes=[snooze])[0].fired
    assert decided(signal(at=AT + timedelta(days=2)), snoozes=[snooze])[0].fired


def test_severity_is_risk_times_reach_times_speed_times_market() -> None:
    """More of any makes it worse; without a risk nothing is worse than low, however loud."""
    bad = SeverityInputs(weight=1.0, claimed=0.9, reach=2_000_000, documents=80, ratio=40, market="SG")
    assert severity(bad, ("SG",)) == "critical"
    assert severity(replace(bad, weight=0.0), ("SG",)) == "low"
    assert severity(replace(bad, claimed=0.0), ("SG",)) == "low"
    order = ("low", "medium", "high", "critical")
    for milder in (
        replace(bad, weight=0.3), replace(bad, reach=100), replace(bad, ratio=1.1), replace(bad, market="XX"),
    ):  # fmt: skip
        assert order.index(severity(milder, ("SG",))) <= order.index("critical")
    assert severity(replace(bad, weight=0.3, reach=100, ratio=1.1, market="XX"), ("SG",)) in {"low", "medium"}


def test_quiet_hours_wait_until_morning_unless_it_is_critical() -> None:
    """23:00 in Singapore: told at 07:00 there; a critical one at once; outside the hours at once."""
    quiet = QuietHours(start="22:00", end="07:00", timezone="Asia/Singapore", override="critical")
    night = signal()
    assert tell_at(night, quiet) == datetime(2026, 3, 2, 23, tzinfo=UTC)
    assert tell_at(replace(night, severity="critical"), quiet) == AT
    assert tell_at(replace(night, at=AT + timedelta(hours=10)), quiet) == AT + timedelta(hours=10)
    assert tell_at(replace(night, at=AT + timedelta(hours=2)), quiet) == datetime(2026, 3, 2, 23, tzinfo=UTC)
    assert tell_at(night, None) == AT
    never = QuietHours(start="22:00", end="07:00", timezone="Asia/Singapore", override="never")
    assert tell_at(replace(night, severity="critical"), never) > AT


def test_a_running_alert_grows_by_documents_though_it_grows_no_stronger() -> None:
    """What is as strong as an alert is recorded again with its new documents; what is weaker only when it grows."""
    life, rule = Life(), Rule(kept=-1.0, grows=0.25, alerts=0.0)
    first, second = np.arange(4), np.arange(2, 8)

    def adds(subject: str, strength: float, documents: np.ndarray[tuple[int], np.dtype[np.int64]]) -> bool:
        return life.tells(subject, strength, documents, 0.0, rule)

    assert adds("loud", 0.5, first)
    assert not adds("loud", 0.5, first)
    assert adds("loud", 0.4, second)
    assert adds("faint", -0.5, first)
    assert not adds("faint", -0.5, second)
    assert adds("faint", -0.2, second)
    assert not adds("unheard", -1.5, first)
