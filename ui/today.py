"""What the board shows first and the mail says once a day: the same facts, gathered once, from counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from groundswell.configs.schema import Settings
from groundswell.index.query import Bucket, By, Query
from groundswell.index.records import Case, Checkpoint, Label, Signal, Theme
from groundswell.index.store import Reader
from groundswell.ui import links, wording
from groundswell.ui.coverage import Coverage, coverage
from groundswell.ui.trends import HISTORY_DAYS, Band, change, count_bands, departure, mood_bands

SHOWN_DAYS = 60
SPARK_DAYS = 56
CARD_DAYS = 7
"""An alert that nobody has dealt with stays on the first page so long."""
STALE = timedelta(days=3)
"""With nothing newer than this, the board looks at the last day there is instead of at the clock."""
MOVERS = 8
HEAT_ROWS = 8
SEVERITIES = ("critical", "high", "medium", "low")
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Series:
    """Something counted day by day (UTC), with what was usual."""

    days: tuple[datetime, ...]
    values: tuple[float | None, ...]
    bands: tuple[Band | None, ...]

    def last(self, days: int) -> Series:
        """Return the last days only."""
        return Series(self.days[-days:], self.values[-days:], self.bands[-days:])


@dataclass(frozen=True, slots=True)
class Card:
    """An alert on the first page."""

    signal: Signal
    title: str
    series: Series
    languages: tuple[tuple[str, int], ...] = ()
    markets: tuple[tuple[str, int], ...] = ()
    mood: float | None = None
    case: Case | None = None
    confirmed_by: str = ""


@dataclass(frozen=True, slots=True)
class Mover:
    """A theme whose last 48 hours differ from the 48 before."""

    theme: Theme
    was: int
    now: int
    mood: float | None


@dataclass(frozen=True, slots=True)
class Heat:
    """Departures of the last 24 hours, risk by market; `counts` are the documents behind each."""

    risks: tuple[str, ...]
    markets: tuple[str, ...]
    departures: Mapping[tuple[str, str], float]
    counts: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Today:
    """Everything on the first page."""

    now: datetime
    since: datetime
    posts: int
    sources: int
    total: int
    undated: int
    history_days: int
    cards: tuple[Card, ...]
    volume: Series
    mood: Series
    alerts: tuple[Signal, ...]
    unseen: tuple[tuple[str, ...], ...]
    heat: Heat
    movers: tuple[Mover, ...]
    coverage: Coverage
    titles: Mapping[str, str] = field(default_factory=dict)


def look(reader: Reader, settings: Settings, *, now: datetime) -> Today:
    """Return the first page as it stands at `now`, all from counts and the newest records."""
    now = moment_of(reader, now)
    zone, hour = settings.board.timezone, settings.digest.hour
    begin = period_begin(now, zone, hour)
    fresh = reader.count(Query(since=begin, until=now, trusted_dates=True), By(fields=("source",)))
    confidence = reader.count(Query(), By(fields=("date_confidence",)))
    seen = coverage(reader, now=now, days=SHOWN_DAYS + HISTORY_DAYS)
    volume, mood = whole_series(reader, seen, now=now)
    alerts = tuple(signal for signal in reader.recent(Signal, limit=5000) if signal.fired and signal.at <= now)
    shown = tuple(alert for alert in alerts if alert.at >= now - SHOWN_DAYS * DAY)
    movers = find_movers(reader, now=now)
    themes = {theme.id: theme for theme in reader.many(Theme, list({alert.theme for alert in shown}))}
    return Today(
        now=now,
        since=begin,
        posts=sum(bucket.copies for bucket in fresh),
        sources=len(fresh),
        total=sum(bucket.copies for bucket in confidence),
        undated=sum(bucket.copies for bucket in confidence if bucket.values[0] == "none"),
        history_days=_history(volume),
        cards=find_cards(reader, settings, alerts, themes, now=now),
        volume=volume.last(SHOWN_DAYS),
        mood=mood.last(SHOWN_DAYS),
        alerts=shown,
        unseen=tuple(seen.unseen()[-SHOWN_DAYS:]),
        heat=find_heat(reader, settings.signals.markets, now=now),
        movers=movers,
        coverage=seen.last(30),
        titles={alert.id: title_of(alert, themes.get(alert.theme)) for alert in shown},
    )


def moment_of(reader: Reader, now: datetime) -> datetime:
    """Return `now`, or the end of the last day there is where everything is older (an imported archive)."""
    newest = reader.search(Query(until=now, trusted_dates=True, sort="newest", limit=1)).hits
    last = newest[0].document.mention.published_at if newest else None
    return last + timedelta(minutes=1) if last is not None and now - last > STALE else now


def period_begin(now: datetime, zone: str, hour: int) -> datetime:
    """Return when the day that is being told began: the last `hour` o'clock at least six hours ago."""
    local = now.astimezone(ZoneInfo(zone))
    begin = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    while local - begin < timedelta(hours=6):
        begin -= DAY
    return begin.astimezone(UTC)


def title_of(signal: Signal, theme: Theme | None) -> str:
    """Return what an alert is about, in the words of its theme."""
    return signal.title or (theme.label if theme else "") or wording.risk(signal.risk) or "Unnamed theme"


def _history(volume: Series) -> int:
    begun = next((i for i, value in enumerate(volume.values) if value), len(volume.values))
    return len(volume.values) - begun


# --- lines --------------------------------------------------------------------------------------------------------


def whole_series(reader: Reader, seen: Coverage, *, now: datetime) -> tuple[Series, Series]:
    """Return posts a day and mean mood a day, with bands made of the days we were looking."""
    buckets = reader.count(Query(since=seen.days[0], until=now, trusted_dates=True), By(period="day"))
    looked = [not names for names in seen.unseen()]
    return volume_series(seen.days, buckets, looked), mood_series(seen.days, buckets)


def volume_series(days: Sequence[datetime], buckets: Sequence[Bucket], looked: Sequence[bool] = ()) -> Series:
    """Return documents a day; days before the first document do not count as history."""
    counts = {bucket.start: float(bucket.count) for bucket in buckets}
    values = [counts.get(day, 0.0) for day in days]
    begun = next((i for i, value in enumerate(values) if value), len(values))
    seen = [i >= begun and (not looked or looked[i]) for i in range(len(values))]
    return Series(tuple(days), tuple(values), tuple(count_bands(values, seen)))


def mood_series(days: Sequence[datetime], buckets: Sequence[Bucket]) -> Series:
    """Return the mean mood a day."""
    moods = {bucket.start: bucket.mood for bucket in buckets}
    values = [moods.get(day) for day in days]
    return Series(tuple(days), tuple(values), tuple(mood_bands(values)))


def theme_series(
    reader: Reader, themes: Sequence[str], days: Sequence[datetime], *, now: datetime
) -> dict[str, list[Bucket]]:
    """Return the daily counts of some themes, from one question."""
    found: dict[str, list[Bucket]] = defaultdict(list)
    if themes:
        query = Query(since=days[0], until=now, trusted_dates=True, collapse=True, where={"theme": tuple(themes)})
        for bucket in reader.count(query, By(period="day", fields=("theme",))):
            found[bucket.values[0]].append(bucket)
    return found


def day_axis(now: datetime, days: int) -> tuple[datetime, ...]:
    """Return the begins (UTC) of the last days, today included."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return tuple(today - (days - 1 - i) * DAY for i in range(days))


# --- cards --------------------------------------------------------------------------------------------------------


def find_cards(
    reader: Reader, settings: Settings, alerts: Sequence[Signal], themes: Mapping[str, Theme], *, now: datetime
) -> tuple[Card, ...]:
    """Return the alerts that wait for a person, gravest first, one for each theme."""
    judged = {
        label.subject: label for label in reversed(reader.recent(Label, limit=20_000)) if label.field == "disposition"
    }
    cases = {signal: case for case in reversed(reader.recent(Case, limit=20_000)) for signal in case.signals}
    waiting = [alert for alert in latest_by_theme(alerts, now) if _waits(reader, alert, judged, cases, now)]
    waiting.sort(key=lambda alert: (SEVERITIES.index(alert.severity), -alert.at.timestamp()))
    days = day_axis(now, SPARK_DAYS + HISTORY_DAYS)
    counted = theme_series(reader, [alert.theme for alert in waiting], days, now=now)
    return tuple(
        _card(reader, alert, themes.get(alert.theme), counted.get(alert.theme, []), days, judged, cases, now)
        for alert in waiting
    )


def latest_by_theme(alerts: Sequence[Signal], now: datetime) -> list[Signal]:
    """Return the newest recent alert of each theme; alerts without a theme stand for themselves."""
    newest: dict[str, Signal] = {}
    for alert in sorted(alerts, key=lambda alert: alert.at):
        if alert.at >= now - CARD_DAYS * DAY:
            newest[alert.theme or alert.id] = alert
    return list(newest.values())


def _waits(
    reader: Reader, alert: Signal, judged: Mapping[str, Label], cases: Mapping[str, Case], now: datetime
) -> bool:
    label, case = judged.get(alert.id), cases.get(alert.id)
    if (label and label.value in {"false", "duplicate"}) or (case and case.status == "closed"):
        return False
    return not snoozed_until(reader, alert.theme, now=now)


def snoozed_until(reader: Reader, theme: str, *, now: datetime) -> datetime | None:
    """Return until when a theme is silenced, or ``None`` where it is not."""
    mark = reader.get(Checkpoint, f"snooze/{theme}")
    until = datetime.fromisoformat(str(mark.value["until"])) if mark and mark.value.get("until") else None
    return until if until and until > now else None


def _card(
    reader: Reader,
    alert: Signal,
    theme: Theme | None,
    buckets: Sequence[Bucket],
    days: Sequence[datetime],
    judged: Mapping[str, Label],
    cases: Mapping[str, Case],
    now: datetime,
) -> Card:
    series = mood_series(days, buckets) if alert.kind == "sour" else volume_series(days, buckets)
    window = Query(
        since=alert.start, until=now, trusted_dates=True, where={"theme": (alert.theme,)} if alert.theme else {}
    )
    counts = reader.count(window, By(fields=("lang", "market")))
    label = judged.get(alert.id)
    return Card(
        signal=alert,
        title=title_of(alert, theme),
        series=series.last(SPARK_DAYS),
        languages=_tally(counts, 0),
        markets=_tally(counts, 1),
        mood=mean_mood(counts),
        case=cases.get(alert.id),
        confirmed_by=label.annotator if label and label.value == "confirmed" else "",
    )


def _tally(buckets: Sequence[Bucket], field: int) -> tuple[tuple[str, int], ...]:
    counts: dict[str, int] = defaultdict(int)
    for bucket in buckets:
        if bucket.values[field]:
            counts[bucket.values[field]] += bucket.copies
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def mean_mood(buckets: Sequence[Bucket]) -> float | None:
    """Return the mean mood of buckets, each weighing as much as it holds."""
    measured = [(bucket.mood, bucket.count) for bucket in buckets if bucket.mood is not None]
    whole = sum(count for _, count in measured)
    return sum(mood * count for mood, count in measured) / whole if whole else None


# --- risk by market, movers ----------------------------------------------------------------------------------------


def find_heat(reader: Reader, markets: Sequence[str], *, now: datetime) -> Heat:
    """Return by how much each risk in each market departs, in its last 24 hours, from the 28 days before."""
    by = By(fields=("risk", "market"))
    latest = reader.count(Query(since=now - DAY, until=now, trusted_dates=True, collapse=True), by)
    days = day_axis(now, HISTORY_DAYS + 2)[:-2]
    past = Query(since=days[0], until=days[-1] + DAY, trusted_dates=True, collapse=True)
    history: dict[tuple[str, str], dict[datetime | None, int]] = defaultdict(dict)
    for bucket in reader.count(past, By(period="day", fields=("risk", "market"))):
        history[bucket.values[0], bucket.values[1]][bucket.start] = bucket.count
    counts = {(bucket.values[0], bucket.values[1]): bucket.count for bucket in latest}
    cells = [cell for cell in set(counts) | set(history) if cell[0]]
    departures = {cell: departure(counts.get(cell, 0), [history[cell].get(day, 0) for day in days]) for cell in cells}
    columns = _columns(markets, cells, counts, history)
    return Heat(_rows(columns, departures, history), columns, departures, counts)


def _columns(
    markets: Sequence[str],
    cells: Sequence[tuple[str, str]],
    counts: Mapping[tuple[str, str], int],
    history: Mapping[tuple[str, str], Mapping[datetime | None, int]],
) -> tuple[str, ...]:
    """Return the configured markets; where none of them has a post, those that have; last, posts that name none."""
    present: dict[str, int] = defaultdict(int)
    for cell in cells:
        present[cell[1]] += counts.get(cell, 0) + sum(history.get(cell, {}).values())
    named = tuple(markets)
    if not any(present.get(market) for market in markets):
        named = tuple(sorted((market for market in present if market), key=lambda market: -present[market])[:8])
    return (*named, "") if present.get("") else named


def _rows(
    columns: Sequence[str],
    departures: Mapping[tuple[str, str], float],
    history: Mapping[tuple[str, str], Mapping[datetime | None, int]],
) -> tuple[str, ...]:
    """Return the risks worth a row: those that depart most, then those that are talked of most."""
    risks = {cell[0] for cell in departures}
    talk = {risk: sum(sum(days.values()) for cell, days in history.items() if cell[0] == risk) for risk in risks}
    peak = {risk: max((departures.get((risk, market), 0.0) for market in columns), default=0.0) for risk in risks}
    ranked = sorted(risks, key=lambda risk: (-round(max(peak[risk] - 0.9, 0), 1), -talk[risk], risk))
    return tuple(ranked[:HEAT_ROWS])


def find_movers(reader: Reader, *, now: datetime, hours: int = 48) -> tuple[Mover, ...]:
    """Return the themes whose last hours differ most from as many hours before."""
    window = timedelta(hours=hours)
    by = By(fields=("theme",))
    latest = {
        b.values[0]: b
        for b in reader.count(Query(since=now - window, until=now, trusted_dates=True, collapse=True), by)
    }
    before = Query(since=now - 2 * window, until=now - window, trusted_dates=True, collapse=True)
    was = {b.values[0]: b.count for b in reader.count(before, by)}
    ranked = sorted(
        (
            (theme, was.get(theme, 0), latest[theme].count if theme in latest else 0)
            for theme in (set(was) | set(latest)) - {""}
        ),
        key=lambda row: (-abs(change(row[1], row[2])), row[0]),
    )[:MOVERS]
    themes = {theme.id: theme for theme in reader.many(Theme, [row[0] for row in ranked])}
    return tuple(
        Mover(themes[theme], old, new, latest[theme].mood if theme in latest else None)
        for theme, old, new in ranked
        if theme in themes
    )


# --- the sentence on top -------------------------------------------------------------------------------------------


def lead(today: Today) -> tuple[str, str]:
    """Return what changed: a first sentence to stand out, and what follows it."""
    if not today.total:
        return "Nothing has been crawled yet.", "Run groundswell run, and come back in a few minutes."
    count = len(today.cards)
    first = (
        "Nothing changed." if count == 0 else f"{wording.spelled(count)} {'thing' if count == 1 else 'things'} changed."
    )
    return first, " ".join(filter(None, (_gravest(today), _rest(today))))


def _gravest(today: Today) -> str:
    if not today.cards:
        return ""
    card = today.cards[0]
    where = [wording.market(code) for code, _ in card.markets[:2]]
    place = f" in {wording.listed(where)}" if where else ""
    fresh = today.now - card.signal.at < DAY
    lone = sum(other.signal.severity == card.signal.severity for other in today.cards) == 1
    begin = "It" if len(today.cards) == 1 else "The gravest" if lone else "The newest of the gravest"
    return f"{begin} {_SAID[card.signal.kind][fresh]}: {card.title}{place}."


_SAID = {
    "new": ("is new", "is new and fast"),
    "surge": ("is louder than usual", "is growing fast"),
    "sour": ("is a mood that fell", "is a mood that fell since yesterday"),
    "spread": ("has spread", "is spreading"),
}


def _rest(today: Today) -> str:
    missing = today.unseen[-1] or (today.unseen[-2] if len(today.unseen) > 1 else ())
    if missing:
        return (
            f"{wording.plural(len(missing), 'source').capitalize()} could not be seen: a quiet line there is not calm."
        )
    if today.history_days < 14:
        return (
            f"There are only {wording.plural(today.history_days, 'day')} of history yet, too few to know what is usual."
        )
    return "Everything else is within its normal range."


def risk_address(risk: str, market: str, now: datetime) -> str:
    """Return the search behind one cell of risk by market."""
    return links.search(risk=risk, market=market or "none", since=links.instant(now - DAY), until=links.instant(now))
