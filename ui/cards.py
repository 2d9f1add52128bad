"""The alerts that wait for a person: one for each theme, gravest first, with what is needed to decide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from groundswell.index.query import Bucket, By, Field, Query
from groundswell.index.records import Case, Checkpoint, Label, Signal, Theme
from groundswell.index.store import Reader
from groundswell.ui import wording
from groundswell.ui.series import DAY, Series, day_axis, mean_mood, mood_series, theme_series, volume_series
from groundswell.ui.trends import HISTORY_DAYS

SPARK_DAYS = 56
CARD_DAYS = 7
"""An alert that nobody has dealt with stays on the first page so long."""
SEVERITIES = ("critical", "high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Card:
    """An alert on the first page.

    `case` is the open case about its theme, `in_case` whether this alert stands in it.
    """

    signal: Signal
    title: str
    series: Series
    languages: tuple[tuple[str, int], ...] = ()
    markets: tuple[tuple[str, int], ...] = ()
    mood: float | None = None
    case: Case | None = None
    in_case: bool = False
    confirmed_by: str = ""


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
    waiting.sort(key=lambda alert: (SEVERITIES.index(alert.severity), -alert.at.timestamp()))
    days = day_axis(now, SPARK_DAYS + HISTORY_DAYS)
    counted = theme_series(reader, [alert.theme for alert in waiting], days, now=now)
    lines = {alert.id: _line(alert, days, counted.get(alert.theme, [])) for alert in waiting}
    return tuple(
        _card(reader, alert, title_of(alert, themes.get(alert.theme)), lines[alert.id], handled, now=now)
        for alert in waiting
    )


def _handled(reader: Reader, alerts: Sequence[Signal]) -> Handled:
    labels = [label for label in reader.recent(Label, limit=20_000) if label.field == "disposition"]
    cases = list(reversed(reader.recent(Case, limit=20_000)))
    theme_of = {alert.id: alert.theme for alert in alerts}
    by_signal = {signal: case for case in cases for signal in case.signals}
    by_theme = {theme_of[signal]: case for signal, case in by_signal.items() if theme_of.get(signal)}
    return Handled({label.subject: label for label in reversed(labels)}, by_signal, by_theme)


def title_of(signal: Signal, theme: Theme | None) -> str:
    """Return what an alert is about, in the words of its theme: in English, as the board, where there are such."""
    if theme and (theme.titles.get("en") or not signal.title):
        return wording.theme(theme)
    return signal.title or wording.risk(signal.risk) or "Unnamed theme"


def latest_by_theme(alerts: Sequence[Signal], now: datetime) -> list[Signal]:
    """Return the newest recent alert of each theme; alerts without a theme stand for themselves."""
    newest: dict[str, Signal] = {}
    for alert in sorted(alerts, key=lambda alert: alert.at):
        if alert.at >= now - CARD_DAYS * DAY:
            newest[alert.theme or alert.id] = alert
    return list(newest.values())


def _waits(reader: Reader, alert: Signal, handled: Handled, now: datetime) -> bool:
    label, case = handled.judged.get(alert.id), handled.by_signal.get(alert.id)
    if (label and label.value in {"false", "duplicate"}) or (case and case.status == "closed"):
        return False
    return not snoozed_until(reader, alert.theme, now=now)


def snoozed_until(reader: Reader, theme: str, *, now: datetime) -> datetime | None:
    """Return until when a theme is silenced, or ``None`` where it is not."""
    mark = reader.get(Checkpoint, f"snooze/{theme}")
    until = datetime.fromisoformat(str(mark.value["until"])) if mark and mark.value.get("until") else None
    return until if until and until > now else None


def _line(alert: Signal, days: Sequence[datetime], buckets: Sequence[Bucket]) -> Series:
    whole = mood_series(days, buckets) if alert.kind == "sour" else volume_series(days, buckets)
    return whole.last(SPARK_DAYS)


def _card(reader: Reader, alert: Signal, title: str, series: Series, handled: Handled, *, now: datetime) -> Card:
    where: Mapping[Field, tuple[str, ...]] = {"theme": (alert.theme,)} if alert.theme else {}
    window = Query(since=alert.start, until=now, trusted_dates=True, where=where)
    counts = reader.count(window, By(fields=("lang", "market")))
    label = handled.judged.get(alert.id)
    case = handled.by_signal.get(alert.id) or handled.by_theme.get(alert.theme)
    return Card(
        signal=alert,
        title=title,
        series=series,
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
