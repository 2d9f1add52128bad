"""Who gets a digest, of what time, and what concerns them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from groundswell.configs.schema import DigestSettings, Person, Settings
from groundswell.index.ids import stable_id
from groundswell.index.query import AllOf, AnyOf, By, Expression, Phrase, Query
from groundswell.index.records import SEVERITIES, Signal
from groundswell.index.store import Reader
from groundswell.ui.report.inbox import Entry, about

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Places = dict[str, Mapping[str, int]]
"""Documents of alerts by market, by the alert's id."""
SHARE = 0.1
"""Part of an alert's documents that must be of a person's markets, or name a brand of theirs."""
EVERYBODY = "everybody"
"""Id of nobody: the digest of everything, as it is written to files."""
LONGEST = timedelta(days=28)
"""A digest goes on where the one before ended, but tells of no more than that."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One digest: `day` names it (the local date of the hour at which it ends), it tells of `since` to `upto`.

    `late` says that it tells of more than its own day or week, because none went out for some time.
    """

    day: str
    since: datetime
    upto: datetime
    late: bool = False


def people_of(settings: DigestSettings) -> tuple[Person, ...]:
    """Return everybody who gets a digest: those with one of their own, then those who get that of everything.

    An address that stands in both lists gets its own only.
    """
    own = {_spec(person.address) for person in settings.people}
    rest = [one for one in dict.fromkeys(settings.recipients) if _spec(one) not in own]
    return (*settings.people, *(reader_of(one) for one in rest))


def reader_of(address: str) -> Person:
    """Return a bare recipient as a person; the id tells nothing of the address."""
    return Person(id=f"reader-{stable_id('recipient', address)[:12].lower()}", address=address)


def everybody() -> Person:
    """Return the reader of the digest of everything."""
    return Person(id=EVERYBODY, address="")


def _spec(address: str) -> str:
    """Return what an address comes to, for comparing."""
    return address.rpartition("<")[2].rstrip("> ").strip().casefold()


def zone_of(person: Person, settings: DigestSettings) -> str:
    """Return a person's time zone."""
    return person.timezone or settings.timezone


def last_end(person: Person, settings: DigestSettings, *, now: datetime) -> datetime:
    """Return when the digest that is due at a moment ended: at the last such hour of their clock (and weekday)."""
    zone = ZoneInfo(zone_of(person, settings))
    hour = settings.hour if person.hour is None else person.hour
    local = now.astimezone(zone)
    end = local.replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    while end.astimezone(UTC) > now or not _its_day(person, end):
        end = (end.replace(tzinfo=None) - timedelta(days=1)).replace(tzinfo=zone)
    return end.astimezone(UTC)


def _its_day(person: Person, at: datetime) -> bool:
    return person.frequency == "daily" or at.weekday() == WEEKDAYS.index(person.weekday)


def length_of(person: Person) -> timedelta:
    """Return how long the time is that one digest tells of."""
    return timedelta(days=7 if person.frequency == "weekly" else 1)


def edition_due(person: Person, settings: DigestSettings, *, now: datetime, told: datetime | None) -> Edition:
    """Return the edition that is due: the whole day (or week) up to the last such hour of their clock.

    Args:
        person: whose.
        settings: the usual hour and zone.
        now: the moment.
        told: up to when the last one that went out tells. Where one went missing, the next goes on from there, so that
            no hour is in no digest; it says so.
    """
    end = last_end(person, settings, now=now)
    zone = ZoneInfo(zone_of(person, settings))
    local = end.astimezone(zone)
    days = length_of(person).days
    hour = settings.hour if person.hour is None else person.hour  # on a day that lacks it, the clock shows another
    before = local.replace(tzinfo=None, hour=hour, minute=0, fold=0) - timedelta(days=days)
    begin = before.replace(tzinfo=zone).astimezone(UTC)
    late = told is not None and told < begin
    since = max(told, end - LONGEST) if told is not None and late else begin
    return Edition(local.date().isoformat(), since, end, late)


# --- what concerns them ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scope:
    """What a person wants to hear of, ready to be asked of a store; `brands` are all their names."""

    person: Person
    brands: tuple[str, ...] = ()

    def query(self, query: Query) -> Query:
        """Return a query narrowed to a person's markets and brands."""
        where = {**query.where, "market": self.person.markets} if self.person.markets else query.where
        match = query.match
        if self.brands:
            named = AnyOf(tuple(Phrase(brand) for brand in self.brands))
            match = named if match is None else AllOf((match, named))
        return replace(query, where=where, match=match)

    @property
    def named(self) -> Expression | None:
        """Return that a document names one of the brands."""
        return AnyOf(tuple(Phrase(brand) for brand in self.brands)) if self.brands else None

    def grave(self, entry: Entry) -> bool:
        """Return whether an alert is as grave as they want, and of their risks: what is known without counting."""
        person, episode = self.person, entry.episode
        enough = SEVERITIES.index(episode.severity) >= SEVERITIES.index(person.severity)
        return enough and (not person.risks or episode.risk in person.risks)

    def concerned(self, reader: Reader, entries: Iterable[Entry], *, upto: datetime, places: Places) -> list[Entry]:
        """Return the alerts that concern them, by risk and severity first, then by where and about whom they are.

        `places` keeps what was counted of alerts up to this moment, for the next person.
        """
        return [entry for entry in entries if self.grave(entry) and self._here(reader, entry, upto, places)]

    def may_concern(self, signals: Iterable[Signal]) -> list[Signal]:
        """Return the candidates that may concern them: of no other market, and by title about a brand of theirs."""
        return [signal for signal in signals if self._may(signal)]

    def _may(self, signal: Signal) -> bool:
        person, title = self.person, signal.title.casefold()
        return (
            SEVERITIES.index(signal.severity) >= SEVERITIES.index(person.severity)
            and (not person.risks or signal.risk in person.risks)
            and (not person.markets or not signal.market or signal.market in person.markets)
            and (not self.brands or any(brand.casefold() in title for brand in self.brands))
        )

    def _here(self, reader: Reader, entry: Entry, upto: datetime, places: Places) -> bool:
        if not (self.person.markets or self.brands):
            return True
        episode = entry.episode
        begun = episode.alert.start if episode.theme else None
        whole = Query(since=begun, until=upto, trusted_dates=True, where=about(episode))
        return self._in_markets(reader, entry, whole, places) and self._names(reader, entry, whole)

    def _in_markets(self, reader: Reader, entry: Entry, whole: Query, places: Places) -> bool:
        wanted = self.person.markets
        if not wanted:
            return True
        if any(signal.market in wanted for signal in entry.episode.signals if signal.market):
            return True
        if entry.id not in places:
            places[entry.id] = markets_of(reader, whole)
        counts = places[entry.id]
        known = sum(counts.values())
        return known == 0 or sum(counts.get(market, 0) for market in wanted) >= SHARE * known

    def _names(self, reader: Reader, entry: Entry, whole: Query) -> bool:
        if not self.brands:
            return True
        title = entry.title.casefold()
        if any(brand.casefold() in title for brand in self.brands):
            return True
        named, every = reader.extents([replace(whole, match=self.named), whole])
        return named.count > 0 and named.count >= SHARE * every.count


def markets_of(reader: Reader, query: Query) -> Mapping[str, int]:
    """Return how many of the documents, copies included, are of each market that is named, most first."""
    counts = {b.values[0]: b.copies for b in reader.count(query, By(fields=("market",))) if b.values[0]}
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def scope_of(person: Person, settings: Settings) -> Scope:
    """Return what a person wants to hear of; a brand that a watch list knows is meant by all its names."""
    return Scope(person, tuple(_spoken(person.brands, settings)) if person.brands else ())


def _spoken(brands: Sequence[str], settings: Settings) -> Iterable[str]:
    """Return all names of some brands, each once."""
    from groundswell.configs.watch import load_watch

    terms = [term for each in load_watch(settings).values() for term in (*each.brands, *each.terms["products"])]
    names = {brand.casefold(): brand for brand in brands}
    words = [
        word.word.rstrip("*")
        for term in terms
        if names.keys() & {term.name.casefold(), term.id.casefold(), *(word.word.casefold() for word in term.spoken)}
        for word in term.spoken
        if not word.word.startswith("*")
    ]
    return dict.fromkeys([*brands, *words])
