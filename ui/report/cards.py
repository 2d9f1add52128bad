"""The alerts of the first page: gravest first, with what is needed to decide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from groundswell.index.query import Bucket, By, Field, Query
from groundswell.index.records import Case, Severity, Signal, Theme
from groundswell.index.store import Reader
from groundswell.nlp.signals.alerts.episodes import Episode
from groundswell.nlp.themes.framing import capital, subject_of
from groundswell.ui.report.inbox import Entry, Inbox, about, name_of, shown_title
from groundswell.ui.report.series import Series, day_axis, mean_mood, mood_series, theme_series, volume_series
from groundswell.ui.report.trends import HISTORY_DAYS

SPARK_DAYS = 56
MOST_CARDS = 12
"""Alerts that are drawn as cards; the inbox has all."""
HANDLED_DAYS = 7
"""An alert that somebody confirmed or made a case stays on the first page so long, unless it is over before."""


@dataclass(frozen=True, slots=True)
class Card:
    """An alert on the first page.

    `subject` is what it is about, as it stands in a sentence; `why` the reason of its gravest signal without it;
    languages, markets and mood are of its documents since it began, copies included.
    """

    entry: Entry
    series: Series
    subject: str = ""
    why: str = ""
    languages: tuple[tuple[str, int], ...] = ()
    markets: tuple[tuple[str, int], ...] = ()
    mood: float | None = None

    @property
    def episode(self) -> Episode:
        """Return the alert with what followed it."""
        return self.entry.episode

    @property
    def signal(self) -> Signal:
        """Return the signal that made it as grave as it is."""
        return self.entry.episode.gravest

    @property
    def severity(self) -> Severity:
        """Return how grave it has become."""
        return self.entry.episode.severity

    @property
    def title(self) -> str:
        """Return what it is about, in the language that is spoken."""
        return shown_title(self.entry)

    @property
    def grown(self) -> int:
        """Return how many documents it has by now."""
        return self.entry.documents

    @property
    def case(self) -> Case | None:
        """Return the open case that it is in."""
        return self.entry.standing.case if self.entry.standing.status == "case" else None

    @property
    def confirmed_by(self) -> str:
        """Return who confirmed it, or nothing."""
        standing = self.entry.standing
        return standing.decision.by if standing.decision and standing.status == "confirmed" else ""


def find_cards(reader: Reader, inbox: Inbox, *, now: datetime) -> tuple[Card, ...]:
    """Return cards of what waits, and of what goes on although somebody has taken it up, in the inbox's order."""
    shown = [entry for entry in inbox.entries if _shown(entry, now)][:MOST_CARDS]
    days = day_axis(now, SPARK_DAYS + HISTORY_DAYS)
    themes = [entry.episode.theme for entry in shown if entry.episode.theme]
    counted = theme_series(reader, themes, days, now=now)
    return tuple(
        _card(reader, entry, _line(entry, days, buckets), now=now)
        for entry in shown
        for theme in [entry.episode.theme]
        for buckets in [counted.get(theme, []) if theme else _own_days(reader, entry.episode, now)]
    )


def _shown(entry: Entry, now: datetime) -> bool:
    """Return whether an alert stands on the first page: it waits, or goes on with somebody at work on it."""
    if entry.standing.status == "waiting":
        return True
    recent = entry.episode.newest.at >= now - timedelta(days=HANDLED_DAYS)
    return entry.standing.status in {"confirmed", "case"} and entry.phase != "over" and recent


def _own_days(reader: Reader, episode: Episode, now: datetime) -> list[Bucket]:
    """Return the days of an alert without a theme: those of its own documents."""
    query = Query(until=now, trusted_dates=True, collapse=True, where=condition(episode))
    return reader.count(query, By(period="day"))


def condition(episode: Episode) -> Mapping[Field, tuple[str, ...]]:
    """Return what an alert is about, as the conditions of a query."""
    return about(episode)


def subject_in(signal: Signal, theme: Theme | None) -> str:
    """Return what an alert is about, as it stands within a sentence."""
    return signal.title if signal.standing and signal.title else subject_of(name_of(signal, theme))


def reason(why: str, title: str, subject: str) -> str:
    """Return a sentence about an alert without the beginning that its title says above it."""
    for prefix in (f"{title}, ", f"{capital(subject)}: "):
        if why.startswith(prefix):
            return capital(why.removeprefix(prefix))
    return why


def _line(entry: Entry, days: Sequence[datetime], buckets: Sequence[Bucket]) -> Series:
    sour = entry.episode.gravest.kind == "sour"
    return (mood_series(days, buckets) if sour else volume_series(days, buckets)).last(SPARK_DAYS)


def _card(reader: Reader, entry: Entry, series: Series, *, now: datetime) -> Card:
    episode = entry.episode
    since = episode.alert.start if episode.theme else None
    window = Query(since=since, until=now, trusted_dates=True, where=condition(episode))
    counts = reader.count(window, By(fields=("lang", "market")))
    subject = subject_in(episode.gravest, entry.theme)
    return Card(
        entry=entry,
        subject=subject_in(episode.alert, entry.theme),
        why=reason(episode.gravest.why, entry.title, subject),
        series=series,
        languages=_tally(counts, 0),
        markets=_tally(counts, 1),
        mood=mean_mood(counts),
    )


def _tally(buckets: Sequence[Bucket], field: int) -> tuple[tuple[str, int], ...]:
    counts: dict[str, int] = defaultdict(int)
    for bucket in buckets:
        if bucket.values[field]:
            counts[bucket.values[field]] += bucket.copies
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
