"""Which signals become alerts: a budget of false ones, and the reasons for which a signal is held back.

A signal's `strength` is −log10 of how many false alerts a week come with strengths like its own or higher, so that the
threshold follows from the budget and means the same for every theme, stream and language.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from groundswell.configs.schema import QuietHours, SignalSettings
from groundswell.index.records import SEVERITIES, Severity, Signal, Snooze
from groundswell.nlp.signals.alerts.rising import NOT_YET, chance

CLEARLY_STRONGER = 1.0
"""A follow-up alerts by itself only when it has become critical, is ten times rarer than the alert it follows …"""
CLEARLY_LARGER = 3.0
"""… and has so many times its documents."""
SHARED = 1 / 3
"""Share of the smaller one's documents that makes two signals one subject."""
KNOWN, TOUCHED = 0.5, 0.25
"""Share of a subject's documents that an alert has grown to, from which it goes on with it; and of a topic's."""
GROWS_BY = 0.5
"""Share of the smaller one's documents from which a follow-up's are counted to its alert."""
OTHER_MARKET = 0.5
"""Weight of a market that the settings do not name."""
RULES = ("warm-up", "budget", "documents", "authors", "explained", "snoozed", "follow-up")
# Severity: what each factor is at its least, and where the product turns medium, high and critical.
LEAST_RISK = LEAST_BREADTH = 0.4
LEAST_SPEED = 0.5
READERS_A_DOCUMENT = 50
EDGES = (0.1, 0.25, 0.5)
"""Reasons a signal can be held for, in the order they are asked."""


@dataclass(frozen=True, slots=True)
class SeverityInputs:
    """What makes one risk worse than another.

    Attributes:
        weight: of the risk category, 0 (benign) to 1 (somebody may be harmed).
        claimed: share of the documents that carry it.
        reach: people who may have seen it, or None where sources do not say.
        documents: copies included.
        ratio: observed over expected.
        market: ISO code, or empty.
    """

    weight: float = 0.0
    claimed: float = 0.0
    reach: int | None = None
    documents: int = 0
    ratio: float = 1.0
    market: str = ""


@dataclass(frozen=True, slots=True)
class AlertExtent:
    """What an alert's documents have become.

    Attributes:
        close: its own, and those of follow-ups that tell of one thing.
        wide: those of standing topics beside: a topic holds what merely happened in the same days, too, so that
            another topic may go on with it, but nothing that is a subject of its own.
    """

    close: set[str]
    wide: set[str]


@dataclass(slots=True)
class Policy:
    """Decides signals one by one, in order of time, remembering what is running."""

    settings: SignalSettings
    snoozes: Sequence[Snooze] = ()
    began: datetime | None = None
    running: list[Signal] = field(default_factory=list)
    grown: dict[str, AlertExtent] = field(default_factory=dict)

    def remember(self, held: Iterable[Signal]) -> None:
        """Take note of follow-ups that earlier runs held back, so that their alerts have grown as they had then."""
        alerts = {alert.id: alert for alert in self.running}
        for signal in held:
            if signal.held_by == "follow-up" and signal.follows in alerts:
                self._grow(alerts[signal.follows], signal)

    def decide(self, signals: Iterable[Signal]) -> list[Signal]:
        """Return the signals, fired (and when to tell) or held, follow-ups tied to the alert that they follow."""
        return [self._one(signal) for signal in sorted(signals, key=lambda s: (s.at, -s.strength, s.id))]

    def _one(self, signal: Signal) -> Signal:
        held = next((rule for rule in RULES[:-1] if _HOLDS[rule](self, signal)), "")
        before = self._followed(signal)
        if before is not None:
            signal = replace(signal, follows=before.follows or before.id)
            held = held or ("" if _outgrows(signal, before) else "follow-up")
            if held == "follow-up":
                self._grow(before, signal)
        if held:
            early = held in NOT_YET and not signal.follows
            likely = chance(signal, threshold(self.settings)) if early else None
            return replace(signal, fired=False, held_by=held, alert_chance=likely)
        fired = replace(
            signal, fired=True, held_by="", alert_chance=None, tell_at=tell_at(signal, self.settings.quiet_hours)
        )
        self.running.append(fired)
        return fired

    def _followed(self, signal: Signal) -> Signal | None:
        """Return the newest alert still running that the signal goes on with, if there is one."""
        cooldown = timedelta(hours=self.settings.cooldown_hours)
        self.running = [alert for alert in self.running if signal.at - alert.at < cooldown]
        self.grown = {alert.id: self.grown[alert.id] for alert in self.running if alert.id in self.grown}
        return next((a for a in reversed(self.running) if self._goes_on(signal, a)), None)

    def _goes_on(self, signal: Signal, alert: Signal) -> bool:
        """Return whether a signal is about an alert's subject, or about enough of what the alert has grown to.

        The detector's name of a subject is believed only where a document is shared: names drift over days from one
        scandal to the next, as its candidates share documents that tell of both.
        """
        if same_theme(signal, alert) or shared_enough(signal, alert):
            return True
        grown = self._grown(alert)
        if signal.standing:
            least = TOUCHED * len(signal.evidence)
            return same_name(signal, alert) or len(grown.wide.intersection(signal.evidence)) >= least
        shared = len(grown.close.intersection(signal.evidence))
        return shared > 0 and (same_name(signal, alert) or shared >= KNOWN * len(signal.evidence))

    def _grown(self, alert: Signal) -> AlertExtent:
        """Return what an alert has become: itself, before anything followed it."""
        if alert.id not in self.grown:
            self.grown[alert.id] = AlertExtent(set(alert.evidence), set(alert.evidence))
        return self.grown[alert.id]

    def _grow(self, alert: Signal, signal: Signal) -> None:
        """Add a follow-up's documents to its alert's: a subject that goes on is known by its newest documents."""
        grown = self._grown(alert)
        fresh, by_name = set(signal.evidence), same_theme(signal, alert) or same_name(signal, alert)
        if not by_name and len(fresh & grown.wide) < GROWS_BY * min(len(fresh), len(grown.wide)):
            return
        grown.wide.update(fresh)
        if by_name or not signal.standing:
            grown.close.update(fresh)


def shared_enough(one: Signal, other: Signal) -> bool:
    """Return whether a third of the smaller one's documents are the other's too, whatever their themes."""
    common = len(set(other.evidence).intersection(one.evidence))
    return common > 0 and common >= SHARED * min(len(one.evidence), len(other.evidence))


def same_theme(one: Signal, other: Signal) -> bool:
    """Return whether two signals are of one theme."""
    return bool(one.theme) and one.theme == other.theme


def same_name(one: Signal, other: Signal) -> bool:
    """Return whether two signals are of one subject of the detector, or one standing topic."""
    return bool(one.subject) and one.subject == other.subject


def threshold(settings: SignalSettings) -> float:
    """Return the strength from which a signal fits into the budget."""
    return -math.log10(settings.false_alerts_a_week)


def _warm(policy: Policy, signal: Signal) -> bool:
    began = policy.began
    return began is not None and signal.at - began < timedelta(days=policy.settings.warm_up_days)


def _weak(policy: Policy, signal: Signal) -> bool:
    return signal.strength < threshold(policy.settings)


def _few(policy: Policy, signal: Signal) -> bool:
    return len(signal.evidence) < policy.settings.fewest_documents


def _lonely(policy: Policy, signal: Signal) -> bool:
    return signal.authors is not None and signal.authors < policy.settings.fewest_authors


def _explained(_: Policy, signal: Signal) -> bool:
    return bool(signal.explained)


def _snoozed(policy: Policy, signal: Signal) -> bool:
    return any(snooze.id == signal.theme and snooze.holds(signal.at) for snooze in policy.snoozes)


def _outgrows(signal: Signal, before: Signal) -> bool:
    more = len(signal.evidence) >= CLEARLY_LARGER * len(before.evidence)
    worse = signal.severity == SEVERITIES[-1] != before.severity
    return more and worse and signal.strength >= before.strength + CLEARLY_STRONGER


_HOLDS: Mapping[str, Callable[[Policy, Signal], bool]] = {
    "warm-up": _warm,
    "budget": _weak,
    "documents": _few,
    "authors": _lonely,
    "explained": _explained,
    "snoozed": _snoozed,
}


def severity(facts: SeverityInputs, markets: Sequence[str]) -> Severity:
    """Return how bad it is: risk × reach × speed × market; without a risk nothing is worse than low.

    The product is of numbers in (0, 1]: the risk's weight times the share that carries it, the logarithm of reach (or
    of documents), the logarithm of growth, and half for a market that nobody watches. Cut at .1, .25 and .5 of it.
    """
    if facts.weight <= 0 or facts.claimed <= 0:
        return "low"
    risk = facts.weight * min(1.0, LEAST_RISK + facts.claimed)
    seen = facts.reach if facts.reach else READERS_A_DOCUMENT * facts.documents
    breadth = min(1.0, LEAST_BREADTH + math.log10(1 + seen) / 8)
    speed = min(1.0, LEAST_SPEED + math.log2(max(1.0, facts.ratio)) / 8)
    where = 1.0 if not facts.market or facts.market in markets else OTHER_MARKET
    badness = risk * breadth * speed * where
    return SEVERITIES[sum(badness >= edge for edge in EDGES)]


def tell_at(signal: Signal, quiet: QuietHours | None) -> datetime:
    """Return when a person is to be told: at once, or when quiet hours end, unless the alert is too severe to wait."""
    return quiet_until(signal.at, signal.severity, quiet) or signal.at


def quiet_until(at: datetime, severity: Severity, quiet: QuietHours | None) -> datetime | None:
    """Return when the quiet hours end that hold something back at a moment, or ``None`` where none do."""
    if quiet is None or (quiet.override != "never" and SEVERITIES.index(severity) >= SEVERITIES.index(quiet.override)):
        return None
    local = at.astimezone(ZoneInfo(quiet.timezone))
    start, end = time.fromisoformat(quiet.start), time.fromisoformat(quiet.end)
    now = local.time()
    inside = start <= now < end if start <= end else now >= start or now < end
    if not inside:
        return None
    wakes = local.replace(hour=end.hour, minute=end.minute, second=0, microsecond=0)
    wakes += timedelta(days=1) if wakes <= local else timedelta()
    return wakes.astimezone(at.tzinfo)
