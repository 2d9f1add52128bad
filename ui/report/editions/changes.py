"""What an edition tells a person: which alerts are new, grew, calmed down or ended in its time, from counts alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal, TypedDict

from groundswell.configs.schema import Settings
from groundswell.index.query import By, Query
from groundswell.index.records import SEVERITIES, Case, CrawlRun, Delivery, Mention, Signal
from groundswell.index.store import Reader
from groundswell.nlp.signals.alerts.episodes import NOTICED
from groundswell.nlp.signals.alerts.policy import quiet_until
from groundswell.ui.report.coverage import Coverage, coverage
from groundswell.ui.report.disturbing import claimed, disturbing_risks
from groundswell.ui.report.editions.people import EVERYBODY, Edition, Places, Scope, markets_of
from groundswell.ui.report.inbox import Entry, Inbox, about, find_inbox, over_at, severity_at
from groundswell.ui.report.series import DAY, Series, day_axis, mood_series, theme_series, volume_series
from groundswell.ui.report.today import LATE
from groundswell.ui.report.tongue import in_english, spoken
from groundswell.ui.report.trends import HISTORY_DAYS, change

Change = Literal["new", "grew", "calmed", "over"]
CHANGES: tuple[Change, ...] = ("new", "grew", "calmed", "over")
SPARK_DAYS = 28
KEPT = 20
"""Documents from which a quotation is chosen."""
SHORTEST_QUOTE, LONGEST_QUOTE = 30, 220
"""Characters of a good quotation: shorter ones say little, longer ones are cut."""
IGNORED = ("dismissed", "snoozed", "closed")
"""Alerts that somebody has let go, for now or for good: no digest repeats them."""
MOST_DELIVERIES = 5000
AHEAD = timedelta(days=8)
"""A digest goes out at most a week and a little after its end: a visit that was noted later was not yet."""


@dataclass(frozen=True, slots=True)
class Quotation:
    """What somebody wrote: `text` shortened, and where it stands; the risks that count for it."""

    document: str
    text: str
    source: str
    market: str
    lang: str
    at: datetime | None
    risks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """One change. `now` and `before` are documents, copies included, in the edition's time and in as long before it.

    `was` is how grave it was before, where it has become graver. `markets` are of its documents since it began.
    """

    entry: Entry
    change: Change
    now: int
    before: int
    markets: tuple[tuple[str, int], ...] = ()
    was: str = ""
    quotation: Quotation | None = None
    series: Series | None = None
    held: datetime | None = None
    """When it was found, where quiet hours held it back."""


@dataclass(frozen=True, slots=True)
class Changes:
    """All that an edition tells.

    Attributes:
        edition: of what time.
        total: documents in the store; of `posts` in the edition's time and of the person's markets and brands, those
            of `everywhere` of any.
        newest: when the newest document up to its end was published.
        looked: up to when signals were looked for, or never.
        visited: when a source was last visited, or never.
        items: what changed, by kind and gravest first; `more` of each kind were left out.
        still: alerts that go on without a change, and those over that still wait for a decision.
        ignored: alerts that somebody dismissed or snoozed, which are left out.
        cases: open ones, the most urgent first.
        held: what quiet hours held back and is none of the items.
        rising: candidates that may become alerts, likeliest first.
    """

    edition: Edition
    total: int
    posts: int
    everywhere: int
    sources: int
    newest: datetime | None
    looked: datetime | None
    visited: datetime | None
    items: tuple[Item, ...]
    still: tuple[Entry, ...]
    waiting_over: tuple[Entry, ...]
    ignored: int
    cases: tuple[Case, ...]
    held: tuple[Delivery, ...]
    coverage: Coverage
    mood: Series
    undated: int = 0
    more: Mapping[str, int] = field(default_factory=dict)
    rising: tuple[Signal, ...] = ()

    def of(self, change: Change) -> list[Item]:
        """Return the items of one kind."""
        return [item for item in self.items if item.change == change]

    def fewer(self, most: int) -> Changes:
        """Return the same with so many items of each kind at most; the others are counted."""
        left = {kind: len(self.of(kind)[most:]) + self.more.get(kind, 0) for kind in CHANGES}
        shown = tuple(item for kind in CHANGES for item in self.of(kind)[:most])
        return replace(self, items=shown, more={kind: count for kind, count in left.items() if count})

    @property
    def nothing_seen(self) -> bool:
        """Return whether nothing at all was seen in the time that is told of, of any market."""
        return self.total > 0 and self.everywhere == 0

    @property
    def not_looked(self) -> bool:
        """Return whether signals were not looked for up to its end."""
        return self.looked is None or self.edition.upto - self.looked > LATE


class Seen(TypedDict):
    """How much was seen; see `Changes`."""

    total: int
    undated: int
    posts: int
    everywhere: int
    sources: int
    newest: datetime | None


class Morning:
    """What all editions of one moment share, asked of the store once: inboxes and coverage."""

    def __init__(self, reader: Reader, settings: Settings) -> None:
        self.reader, self.settings = reader, settings
        self._inboxes: dict[datetime, Inbox] = {}
        self._coverages: dict[tuple[datetime, datetime, str], Coverage] = {}
        self._over: dict[tuple[datetime, datetime], tuple[Entry, ...]] = {}
        self._moods: dict[tuple[object, ...], Series] = {}
        self._places: dict[datetime, Places] = {}

    @cached_property
    def folded(self) -> tuple[str, ...]:
        """Return the risks whose texts may disturb and are not quoted."""
        return disturbing_risks(self.settings)

    def inbox(self, upto: datetime) -> Inbox:
        """Return all alerts as they stood at a moment."""
        if upto not in self._inboxes:
            self._inboxes[upto] = in_english(lambda: find_inbox(self.reader, now=upto, whole=False))
        return self._inboxes[upto]

    def places(self, upto: datetime) -> Places:
        """Return what was counted of alerts up to a moment, by market, to be added to."""
        return self._places.setdefault(upto, {})

    def coverage(self, edition: Edition) -> Coverage:
        """Return what was seen of each source in five weeks, with reasons for the days of an edition."""
        key = edition.since, edition.upto, spoken()
        if key not in self._coverages:
            days = 7 + HISTORY_DAYS
            self._coverages[key] = coverage(self.reader, now=edition.upto, days=days, shown=edition.since)
        return self._coverages[key]

    def over(self, edition: Edition) -> tuple[Entry, ...]:
        """Return what has become over in an edition's time."""
        key = edition.since, edition.upto
        if key not in self._over:
            self._over[key] = over_at(self.reader, self.inbox(edition.upto), then=edition.since)
        return self._over[key]

    def mood(self, scope: Scope, upto: datetime) -> Series:
        """Return the mean mood a day over four weeks, of a person's markets and brands, with what was usual."""
        key = (upto, scope.person.markets, scope.brands)
        if key not in self._moods:
            days = day_axis(upto, SPARK_DAYS + HISTORY_DAYS)
            query = scope.query(Query(since=days[0], until=upto, trusted_dates=True))
            self._moods[key] = mood_series(days, self.reader.count(query, By(period="day"))).last(SPARK_DAYS)
        return self._moods[key]


def find_changes(
    morning: Morning, scope: Scope, edition: Edition, *, most: Callable[[Mapping[Change, int]], int] = lambda _: 8
) -> Changes:
    """Return what an edition tells a person, of each kind of change as many items at most as `most` says of counts."""
    reader, inbox = morning.reader, morning.inbox(edition.upto)
    begun = [entry for entry in inbox.entries if entry.episode.alert.at <= edition.upto]
    open_ones = [entry for entry in begun if entry.standing.status not in IGNORED]
    sorted_out = _sorted_out(morning, open_ones, edition)
    changed = [item for item in sorted_out if isinstance(item, Item)]
    places = morning.places(edition.upto)
    concerned = {e.id for e in scope.concerned(reader, [i.entry for i in changed], upto=edition.upto, places=places)}
    items = [item for item in changed if item.entry.id in concerned]
    still = scope.concerned(reader, [e for e in sorted_out if isinstance(e, Entry)], upto=edition.upto, places=places)
    ignored = [entry for entry in begun if entry.standing.status in {"dismissed", "snoozed"} and scope.grave(entry)]
    held = _held(reader, scope, edition, morning.settings)
    items.sort(key=lambda item: (-SEVERITIES.index(item.entry.episode.severity), -item.now))  # as many fit, so the news
    by_kind = {kind: [item for item in items if item.change == kind] for kind in CHANGES}
    limit = most({kind: len(some) for kind, some in by_kind.items()})
    shown = [item for some in by_kind.values() for item in some[:limit]]
    told = {item.entry.id for item in items}
    return Changes(
        edition=edition,
        items=tuple(_filled(reader, scope, shown, edition, held)),
        more={kind: len(some) - limit for kind, some in by_kind.items() if len(some) > limit},
        still=tuple(entry for entry in still if entry.phase != "over"),
        waiting_over=tuple(entry for entry in still if entry.phase == "over" and entry.standing.status == "waiting"),
        ignored=len([entry for entry in ignored if entry.phase != "over"]),
        cases=_cases(reader, scope, begun, edition, places),
        held=tuple(row for row in held if row.about not in told),
        coverage=morning.coverage(edition),
        mood=morning.mood(scope, edition.upto),
        looked=inbox.upto,
        rising=tuple(scope.may_concern(inbox.rising)),
        visited=_visited(reader, edition),
        **_seen(reader, scope, edition),
    )


def _visited(reader: Reader, edition: Edition) -> datetime | None:
    """Return when a source was visited last; visits far beyond the edition were noted by a clock that was ahead."""
    near = reader.select(CrawlRun, until=edition.upto + AHEAD, limit=1)
    return near[0].started_at if near else None


def _seen(reader: Reader, scope: Scope, edition: Edition) -> Seen:
    """Return how many documents there are, how many were seen in an edition's time, and when the newest was."""
    window = Query(since=edition.since, until=edition.upto, trusted_dates=True)
    fresh = reader.count(window, By(fields=("source",)))
    own = reader.count(scope.query(window), By())
    dated = reader.count(Query(), By(fields=("date_confidence",)))
    ever = reader.extents([Query(until=edition.upto, trusted_dates=True)])[0]
    return {
        "total": sum(b.copies for b in dated), "undated": sum(b.copies for b in dated if b.values[0] == "none"),
        "posts": sum(b.copies for b in own), "everywhere": sum(b.copies for b in fresh), "sources": len(fresh),
        "newest": ever.last,
    }  # fmt: skip


def _sorted_out(morning: Morning, entries: Sequence[Entry], edition: Edition) -> list[Item | Entry]:
    """Return each alert as what has changed about it in an edition's time, or as it is where nothing has."""
    over = {entry.id for entry in morning.over(edition)}
    going = [entry for entry in entries if entry.phase != "over" or entry.episode.alert.at > edition.since]
    counts = _counts(morning.reader, going, edition)
    found: list[Item | Entry] = []
    for entry in entries:
        now, before = counts.get(entry.id, (0, 0))
        kind, was = _change(entry, edition, now, before, ended=entry.id in over)
        found.append(Item(entry, kind, now, before, was=was) if kind else entry)
    return found


def _counts(reader: Reader, entries: Sequence[Entry], edition: Edition) -> dict[str, tuple[int, int]]:
    """Return the documents of alerts in an edition's time and in as long before it; for a day that is known."""
    if edition.upto - edition.since == DAY:
        return {entry.id: (entry.pace.now, entry.pace.before) for entry in entries}
    length = edition.upto - edition.since
    queries = [
        Query(since=max(since, begun), until=max(until, begun), trusted_dates=True, where=about(entry.episode))
        for since, until in ((edition.since, edition.upto), (edition.since - length, edition.since))
        for entry in entries
        for begun in [entry.episode.alert.start if entry.episode.theme else since]
    ]
    found = [extent.count for extent in reader.extents(queries)]
    return {e.id: (found[k], found[k + len(entries)]) for k, e in enumerate(entries)}


def _change(entry: Entry, edition: Edition, now: int, before: int, *, ended: bool) -> tuple[Change | None, str]:
    """Return what has changed about an alert, if anything, and how grave it was where it has become graver."""
    was = severity_at(entry.episode, edition.since)
    if was is None:
        return "new", ""
    if ended:
        return "over", ""
    if entry.phase == "over":
        return None, ""
    if SEVERITIES.index(entry.episode.severity) > SEVERITIES.index(was):
        return "grew", was
    moved = change(before, now)
    return ("grew" if moved >= NOTICED else "calmed" if moved <= -NOTICED else None), ""


def _held(reader: Reader, scope: Scope, edition: Edition, settings: Settings) -> list[Delivery]:
    """Return what quiet hours held back from this person in an edition's time, gravest first."""
    receiver = next((one for one in settings.alerts.receivers if one.id == scope.person.id), None)
    if receiver is None:
        return []
    quiet = receiver.quiet_hours or settings.signals.quiet_hours
    rows = [
        row
        for row in reader.recent(Delivery, limit=MOST_DELIVERIES)
        if row.receiver == receiver.id and edition.since < row.at <= edition.upto
        if quiet_until(row.at, row.severity, quiet) is not None
    ]
    return sorted(rows, key=lambda row: (-SEVERITIES.index(row.severity), row.at, row.id))


def _cases(
    reader: Reader, scope: Scope, entries: Sequence[Entry], edition: Edition, places: Places
) -> tuple[Case, ...]:
    """Return the open cases that a person should know of: those about an alert that concerns them, and their own."""
    cases = [
        case for case in reader.recent(Case, limit=5000) if case.status != "closed" and case.opened_at <= edition.upto
    ]
    by_signal = {signal.id: entry for entry in entries for signal in entry.episode.signals}
    about_them = {case.id: [by_signal[one] for one in case.signals if one in by_signal] for case in cases}
    concerned = {e.id for e in scope.concerned(reader, {e.id: e for es in about_them.values() for e in es}.values(),
                                               upto=edition.upto, places=places)}  # fmt: skip
    mine = [
        case
        for case in cases
        if any(entry.id in concerned for entry in about_them[case.id])
        or (not about_them[case.id] and scope.person.id == EVERYBODY)
        or case.owner.casefold() in _names(scope)
    ]
    far = edition.upto + timedelta(days=36500)
    return tuple(sorted(mine, key=lambda case: (case.due or far, case.id)))


def _names(scope: Scope) -> set[str]:
    """Return what a person may be called as an owner."""
    name = scope.person.address.partition("<")[0].strip(' "').casefold() if "<" in scope.person.address else ""
    return {scope.person.id.casefold(), name} - {""}


# --- what is said of each item ---------------------------------------------------------------------------------------


def _filled(
    reader: Reader, scope: Scope, items: Sequence[Item], edition: Edition, held: Sequence[Delivery]
) -> list[Item]:
    """Return the items with their places, their line and one quotation each."""
    days = day_axis(edition.upto, SPARK_DAYS + HISTORY_DAYS)
    themes = sorted({item.entry.episode.theme for item in items if item.entry.episode.theme})
    counted = theme_series(reader, themes, days, now=edition.upto)
    waited = {row.about: row.at for row in held}
    filled = []
    for item in items:
        episode = item.entry.episode
        begun = episode.alert.start if episode.theme else None
        whole = Query(since=begun, until=edition.upto, trusted_dates=True, where=about(episode))
        buckets = counted.get(episode.theme) or reader.count(
            Query(since=days[0], until=edition.upto, trusted_dates=True, collapse=True, where=about(episode)),
            By(period="day"),
        )
        filled.append(
            replace(
                item,
                markets=tuple(markets_of(reader, whole).items()),
                quotation=_quotation(reader, scope, whole, edition),
                series=volume_series(days, buckets, shown=SPARK_DAYS),
                held=waited.get(item.entry.id),
            )
        )
    return filled


def _quotation(reader: Reader, scope: Scope, whole: Query, edition: Edition) -> Quotation | None:
    """Return what one of an alert's documents says: of the edition's time and the person's markets where there is one,
    the one with most copies, then in their language, then of a good length.
    """  # noqa: D205  one sentence
    fresh = replace(whole, since=max(filter(None, (whole.since, edition.since))), collapse=True, limit=KEPT)
    for query in (scope.query(fresh), fresh, replace(whole, collapse=True, limit=KEPT)):
        hits = reader.search(query).hits
        if hits:
            best = max(hits, key=lambda hit: (hit.copies, *_worth(hit.document.mention, scope), hit.document.id))
            mention, enriched = best.document.mention, best.document.enriched
            return Quotation(
                best.document.id, mention.text or mention.title, mention.source, mention.market,
                enriched.lang if enriched else mention.lang, mention.published_at, tuple(claimed(best.document)),
            )  # fmt: skip
    return None


def _worth(mention: Mention, scope: Scope) -> tuple[bool, bool]:
    return mention.lang.startswith(scope.person.language), SHORTEST_QUOTE <= len(mention.text) <= LONGEST_QUOTE
