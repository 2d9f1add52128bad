"""What the board shows first and the mail says once a day: the same facts, gathered once, from counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from groundswell.configs.schema import Settings
from groundswell.index.query import By, Query
from groundswell.index.records import Signal, Theme
from groundswell.index.store import Reader
from groundswell.ui.report import links, wording
from groundswell.ui.report.cards import Card, find_cards
from groundswell.ui.report.coverage import Coverage, coverage
from groundswell.ui.report.inbox import Entry, Inbox, find_inbox, over_at
from groundswell.ui.report.series import DAY, Series, day_axis, mood_series, volume_series
from groundswell.ui.report.tongue import spoken, tr
from groundswell.ui.report.trends import HISTORY_DAYS, beyond_chance, concern, departure

SHOWN_DAYS = 60
STALE = timedelta(days=3)
"""With nothing newer than this, the board looks at the last day there is instead of at the clock."""
LATE = timedelta(minutes=90)
"""Signals looked for longer ago than this do not speak of now."""
MOVERS = 8
HEAT_ROWS = 8
# A departure below this many standard deviations does not order the rows.
NO_DEPARTURE = 0.9


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
    inbox: Inbox
    cards: tuple[Card, ...]
    volume: Series
    mood: Series
    alerts: tuple[Signal, ...]
    unseen: tuple[tuple[str, ...], ...]
    heat: Heat
    movers: tuple[Mover, ...]
    coverage: Coverage
    titles: Mapping[str, str] = field(default_factory=dict)
    ended: tuple[Entry, ...] = ()
    """Alerts that have become over since the day that is told began."""
    zone: str = "UTC"


def look(
    reader: Reader,
    settings: Settings,
    *,
    now: datetime,
    since: datetime | None = None,
    by_clock: bool = False,
    inbox: Inbox | None = None,
) -> Today:
    """Return the first page as it stands at `now`, all from counts and the newest records.

    Args:
        reader: the store.
        settings: markets, zone, and the hour at which a day begins.
        now: the moment that is told of.
        since: when the time that is told of began; by default at the last such hour.
        by_clock: whether `now` is taken at its word; else an archive is looked at as of its end.
        inbox: where it was found already.
    """
    now = now if by_clock else moment_of(reader, now)
    zone, hour = settings.board.timezone, settings.digest.hour
    begin = since or period_begin(now, zone, hour)
    fresh = reader.count(Query(since=begin, until=now, trusted_dates=True), By(fields=("source",)))
    confidence = reader.count(Query(), By(fields=("date_confidence",)))
    seen = coverage(reader, now=now, days=SHOWN_DAYS + HISTORY_DAYS)
    volume, mood = whole_series(reader, seen, now=now)
    inbox = inbox or find_inbox(reader, now=now)
    begun = [entry for entry in inbox.entries if entry.episode.alert.at >= now - SHOWN_DAYS * DAY]
    return Today(
        now=now,
        since=begin,
        posts=sum(bucket.copies for bucket in fresh),
        sources=len(fresh),
        total=sum(bucket.copies for bucket in confidence),
        undated=sum(bucket.copies for bucket in confidence if bucket.values[0] == "none"),
        history_days=_history(volume),
        inbox=inbox,
        cards=find_cards(reader, inbox, now=now),
        volume=volume.last(SHOWN_DAYS),
        mood=mood.last(SHOWN_DAYS),
        alerts=tuple(replace(entry.episode.alert, severity=entry.episode.severity) for entry in begun),
        unseen=tuple(seen.unseen()[-SHOWN_DAYS:]),
        heat=find_heat(reader, settings.signals.markets, now=now),
        movers=find_movers(reader, now=now),
        coverage=seen.last(30),
        titles={entry.id: entry.title for entry in begun},
        ended=over_at(reader, inbox, then=begin),
        zone=zone,
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


def _history(volume: Series) -> int:
    begun = next((i for i, value in enumerate(volume.values) if value), len(volume.values))
    return len(volume.values) - begun


def whole_series(reader: Reader, seen: Coverage, *, now: datetime) -> tuple[Series, Series]:
    """Return posts a day and mean mood a day, with bands made of the days we were looking."""
    buckets = reader.count(Query(since=seen.days[0], until=now, trusted_dates=True), By(period="day"))
    looked = [not names for names in seen.unseen()]
    return volume_series(seen.days, buckets, looked), mood_series(seen.days, buckets)


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
    ranked = sorted(risks, key=lambda risk: (-round(max(peak[risk] - NO_DEPARTURE, 0), 1), -talk[risk], risk))
    return tuple(ranked[:HEAT_ROWS])


def find_movers(reader: Reader, *, now: datetime, hours: int = 48) -> tuple[Mover, ...]:
    """Return the themes that moved beyond chance, those first that a risk team should see, mere praise last."""
    window = timedelta(hours=hours)
    by = By(fields=("theme",))
    latest = {
        b.values[0]: b
        for b in reader.count(Query(since=now - window, until=now, trusted_dates=True, collapse=True), by)
    }
    before = Query(since=now - 2 * window, until=now - window, trusted_dates=True, collapse=True)
    was = {b.values[0]: b.count for b in reader.count(before, by)}
    moved = [
        Mover(theme, was.get(theme.id, 0), bucket.count if bucket else 0, bucket.mood if bucket else None)
        for theme in reader.many(Theme, sorted((set(was) | set(latest)) - {""}))
        for bucket in [latest.get(theme.id)]
        if beyond_chance(was.get(theme.id, 0), bucket.count if bucket else 0)
    ]
    return tuple(sorted(moved, key=_urgency)[:MOVERS])


def _urgency(mover: Mover) -> tuple[bool, float, str]:
    needed = concern(mover.was, mover.now, mover.mood, risky=bool(mover.theme.risk))
    return mover.theme.feeling == "praise", -needed, mover.theme.id


# --- the sentence on top -------------------------------------------------------------------------------------------


def lead(today: Today) -> tuple[str, str]:
    """Return what waits: a first sentence to stand out, and what follows it; every word of both from a count."""
    if not today.total:
        return "Nothing has been crawled yet.", "Run groundswell run, and come back in a few minutes."
    waiting = today.inbox.having("waiting")
    if spoken() == "en":
        first = f"{wording.spelled(len(waiting))} alert{' waits' if len(waiting) < 2 else 's wait'}."
    else:
        first = tr("{count} waiting.").format(count=wording.plural(len(waiting), "alert"))
    return first, " ".join(filter(None, (_gravest(today), _over(waiting), _looked(today), _blind(today))))


def _gravest(today: Today) -> str:
    card = next((card for card in today.cards if card.entry.standing.status == "waiting"), None)
    if card is None:
        return ""
    grave = [entry.episode.severity for entry in today.inbox.having("waiting")]
    begin = "It" if len(grave) == 1 else "The gravest" if grave.count(card.severity) == 1 else "One of the gravest"
    what = (card.subject or card.title) if spoken() == "en" else card.title
    text = (
        tr(f"{begin} is over: {{what}}, {{where}}.")
        if card.entry.phase == "over"
        else tr(f"{begin} is {{phase}}: {{what}}, {{where}}.")
    )
    return text.format(phase=tr(card.entry.phase), what=what.replace("{", "("), where=_places(card))


def _places(card: Card) -> str:
    """Return how many documents an alert has and where: no place is left out without its count."""
    named = [
        tr("{count} in {place}").format(count=wording.number(count), place=wording.market(code))
        for code, count in card.markets[:2]
    ]
    rest = card.grown - sum(count for _, count in card.markets[:2])
    if named and rest:
        named.append(tr("{count} elsewhere or with no market named").format(count=wording.number(rest)))
    return f"{wording.plural(card.grown, 'document')}{': ' if named else ''}{wording.listed(named)}"


def _over(waiting: Sequence[Entry]) -> str:
    over = sum(entry.phase == "over" for entry in waiting)
    if not over or len(waiting) == 1:
        return ""
    if spoken() != "en":
        return tr("Over and still to be decided: {count}.").format(count=wording.number(over))
    return f"{wording.spelled(over)} of them {'is' if over == 1 else 'are'} over and still to be decided."


def _looked(today: Today) -> str:
    """Return up to when signals were looked for, where that is not just now or where nothing waits."""
    upto, zone = today.inbox.upto, today.zone
    if upto is None:
        return tr("Signals have not been looked for yet: groundswell signals does.")
    if today.now - upto > LATE:
        since = wording.span(today.now - upto)
        text = tr("Signals were looked for up to {time}, {since} ago; nothing newer is judged yet.")
        return text.format(time=wording.moment(upto, zone), since=since)
    text = tr("Signals were looked for up to {time}.").format(time=wording.moment(upto, zone))
    return "" if today.inbox.having("waiting") else text


def _blind(today: Today) -> str:
    missing = today.unseen[-1] or (today.unseen[-2] if len(today.unseen) > 1 else ())
    if missing:
        count = wording.plural(len(missing), "source")
        return tr("{count} could not be seen: a quiet line there is not calm.").format(count=count)
    if today.history_days < 14:
        days = wording.plural(today.history_days, "day")
        return tr("There are only {days} of history yet, too few to know what is usual.").format(days=days)
    return ""


def held(today: Today) -> str:
    """Return how many weaker signals there were; empty where there were none. The inbox lists them."""
    count = len(today.inbox.held)
    if not count:
        return ""
    if spoken() != "en":
        return tr("{count} of the last 7 days held back").format(count=wording.plural(count, "weaker signal"))
    was = "signal of the last 7 days was" if count == 1 else "signals of the last 7 days were"
    return f"{wording.number(count)} weaker {was} held back"


def risk_address(risk: str, market: str, now: datetime) -> str:
    """Return the search behind one cell of risk by market."""
    return links.search(risk=risk, market=market or "none", since=links.instant(now - DAY), until=links.instant(now))
