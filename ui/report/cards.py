"""The alerts that wait for a person: one for each theme, gravest first, with what is needed to decide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from groundswell.index.query import Bucket, By, Query
from groundswell.index.records import SEVERITIES, Case, Label, Signal, Snooze, Theme
from groundswell.index.store import Reader
from groundswell.nlp.signals.alerts.explanation import times
from groundswell.nlp.themes.framing import capital, subject_of
from groundswell.ui.report import wording
from groundswell.ui.report.links import within
from groundswell.ui.report.series import DAY, Series, day_axis, mean_mood, mood_series, theme_series, volume_series
from groundswell.ui.report.trends import HISTORY_DAYS

SPARK_DAYS = 56
CARD_DAYS = 7
"""An alert that nobody has dealt with stays on the first page so long."""
WORST_FIRST = SEVERITIES[::-1]


@dataclass(frozen=True, slots=True)
class Card:
    """An alert on the first page.

    `subject` is what it is about, as it stands in a sentence; `why` the alert's reason without it; `grown` how many
    documents its theme has had since it began, 0 where it has no theme; `case` is the open case about its theme,
    `in_case` whether this alert stands in it.
    """

    signal: Signal
    title: str
    series: Series
    subject: str = ""
    why: str = ""
    grown: int = 0
    languages: tuple[tuple[str, int], ...] = ()
    markets: tuple[tuple[str, int], ...] = ()
    mood: float | None = None
    case: Case | None = None
    in_case: bool = False
    confirmed_by: str = ""

    @property
    def by_now(self) -> str:
        """Return "57 documents" where there are more by now than the alert was made of, else ""."""
        return wording.plural(self.grown, "document") if self.grown > len(self.signal.evidence) else ""


@dataclass(frozen=True, slots=True)
class Handled:
    """What people have said: the newest judgement of each alert, the newest case of each alert and theme."""

    judged: Mapping[str, Label]
    by_signal: Mapping[str, Case]
    by_theme: Mapping[str, Case]


def find_cards(
    reader: Reader, alerts: Sequence[Signal], themes: Mapping[str, Theme], *, now: datetime
) -> tuple[Card, ...]:
    """Return the alerts that wait for a person, gravest first, one for each theme."""
    handled = _handled(reader, alerts)
    waiting = [alert for alert in latest_by_theme(alerts, now) if _waits(reader, alert, handled, now)]
    waiting.sort(key=lambda alert: _place(alert, themes.get(alert.theme)))
    days = day_axis(now, SPARK_DAYS + HISTORY_DAYS)
    counted = theme_series(reader, [alert.theme for alert in waiting if alert.theme], days, now=now)
    return tuple(
        _card(reader, alert, themes.get(alert.theme), _line(alert, days, buckets), handled, now=now)
        for alert in waiting
        for buckets in [counted.get(alert.theme, []) if alert.theme else _own_days(reader, alert, now)]
    )


def _place(alert: Signal, theme: Theme | None) -> tuple[bool, int, float]:
    """Return where an alert stands: gravest first, then newest; that people praise more than usual comes last."""
    praise = theme is not None and theme.feeling == "praise" and alert.kind != "sour" and not alert.standing
    return praise, WORST_FIRST.index(alert.severity), -alert.at.timestamp()


def _own_days(reader: Reader, alert: Signal, now: datetime) -> list[Bucket]:
    """Return the days of an alert without a theme: those of its own documents."""
    query = Query(until=now, trusted_dates=True, collapse=True, where=within(alert))
    return reader.count(query, By(period="day"))


def _handled(reader: Reader, alerts: Sequence[Signal]) -> Handled:
    labels = [label for label in reader.recent(Label, limit=20_000) if label.field == "disposition"]
    cases = list(reversed(reader.recent(Case, limit=20_000)))
    theme_of = {alert.id: alert.theme for alert in alerts}
    by_signal = {signal: case for case in cases for signal in case.signals}
    by_theme = {theme_of[signal]: case for signal, case in by_signal.items() if theme_of.get(signal)}
    return Handled({label.subject: label for label in reversed(labels)}, by_signal, by_theme)


def title_of(signal: Signal, theme: Theme | None) -> str:
    """Return what an alert is about, in the words of its theme: in English, as the board, where there are such.

    A standing topic is no news by itself, so that its title says how loud it is: "Couriers: 3.1 times the usual".
    """
    if signal.standing and signal.title:
        return f"{capital(signal.title)}: {times(signal.observed, signal.expected)}"
    return _name(signal, theme)


def subject_in(signal: Signal, theme: Theme | None) -> str:
    """Return what an alert is about, as it stands within a sentence."""
    return signal.title if signal.standing and signal.title else subject_of(_name(signal, theme))


def reason(why: str, title: str, subject: str) -> str:
    """Return a sentence about an alert without the beginning that its title says above it."""
    for told in (f"{title}, ", f"{capital(subject)}: "):
        if why.startswith(told):
            return capital(why.removeprefix(told))
    return why


def _name(signal: Signal, theme: Theme | None) -> str:
    if theme and (theme.titles.get("en") or not signal.title):
        return wording.theme(theme)
    return signal.title or wording.risk(signal.risk) or "Unnamed theme"


def latest_by_theme(alerts: Sequence[Signal], now: datetime) -> list[Signal]:
    """Return the newest recent alert of each theme, or of each subject where it has no theme."""
    newest: dict[str, Signal] = {}
    for alert in sorted(alerts, key=lambda alert: alert.at):
        if alert.at >= now - CARD_DAYS * DAY:
            newest[alert.theme or (alert.subject or alert.id)] = alert
    return list(newest.values())


def _waits(reader: Reader, alert: Signal, handled: Handled, now: datetime) -> bool:
    label, case = handled.judged.get(alert.id), handled.by_signal.get(alert.id)
    if (label and label.value in {"false", "duplicate"}) or (case and case.status == "closed"):
        return False
    return not (alert.theme and snoozed_until(reader, alert.theme, now=now))


def snoozed_until(reader: Reader, theme: str, *, now: datetime) -> datetime | None:
    """Return until when a theme is silenced, or ``None`` where it is not."""
    snooze = reader.get(Snooze, theme)
    return snooze.until if snooze and snooze.until > now else None


def _line(alert: Signal, days: Sequence[datetime], buckets: Sequence[Bucket]) -> Series:
    whole = mood_series(days, buckets) if alert.kind == "sour" else volume_series(days, buckets)
    return whole.last(SPARK_DAYS)


def _card(
    reader: Reader, alert: Signal, theme: Theme | None, series: Series, handled: Handled, *, now: datetime
) -> Card:  # fmt: skip
    window = Query(since=alert.start, until=now, trusted_dates=True, where=within(alert))
    counts = reader.count(window, By(fields=("lang", "market")))
    label = handled.judged.get(alert.id)
    case = handled.by_signal.get(alert.id) or (handled.by_theme.get(alert.theme) if alert.theme else None)
    title, subject = title_of(alert, theme), subject_in(alert, theme)
    return Card(
        signal=alert,
        title=title,
        subject=subject,
        why=reason(alert.why, title, subject),
        series=series,
        grown=sum(bucket.copies for bucket in counts) if alert.theme else 0,
        languages=_tally(counts, 0),
        markets=_tally(counts, 1),
        mood=mean_mood(counts),
        case=case if case and case.status != "closed" else None,
        in_case=bool(case and alert.id in case.signals),
        confirmed_by=label.annotator if label and label.value == "confirmed" else "",
    )


def _tally(buckets: Sequence[Bucket], field: int) -> tuple[tuple[str, int], ...]:
    counts: dict[str, int] = defaultdict(int)
    for bucket in buckets:
        if bucket.values[field]:
            counts[bucket.values[field]] += bucket.copies
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
