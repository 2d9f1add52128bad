"""What was found goes into the store, once, and is counted: found = stored + duplicate + refused + off_topic."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice

from groundswell.crawlers.dates.read import AHEAD
from groundswell.crawlers.handover import OffTopic, Removed
from groundswell.crawlers.health import Shape
from groundswell.crawlers.history import forget, revisions
from groundswell.crawlers.identity import Candidate, Facts, facts_of, is_moved, is_same, settled
from groundswell.crawlers.mention import Made
from groundswell.index.forgotten import Forgotten
from groundswell.index.ids import stable_id
from groundswell.index.records import Mention, Refusal
from groundswell.index.store import Report, Store

BATCH = 500
LATER_DATES = 3
"""Other dates of one item that are kept; a feed that restamps at every visit would else be written at every visit."""
DAY, ZONES = timedelta(days=1), timedelta(hours=14)
Found = tuple[str, Made | Removed]
"""Where it stood, and what it was."""
Beat = Callable[[int], None]


@dataclass(slots=True)
class Counts:
    """What became of everything that was found."""

    stored: int = 0
    duplicate: int = 0
    refused: int = 0
    undated: int = 0
    off_topic: int = 0
    deleted: int = 0

    @property
    def found(self) -> int:
        """Return how many there were."""
        return self.stored + self.duplicate + self.refused + self.off_topic


class Seen:
    """The ids met in one run, with a hash of their text and where they stood; on disk, so that memory stays bounded."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)  # a private temporary file that vanishes when closed
        self._db.execute("CREATE TABLE seen (id TEXT PRIMARY KEY, text TEXT, place TEXT) WITHOUT ROWID")

    def first(self, mention: Mention, place: str) -> tuple[bool, str]:
        """Note a mention; return whether its text is the first one's, and where that stood (empty: it is the first)."""
        text = stable_id(mention.title, mention.text)
        row = self._db.execute("SELECT text, place FROM seen WHERE id = ?", (mention.id,)).fetchone()
        if row:
            return row[0] == text, row[1] or "before"
        self._db.execute("INSERT INTO seen VALUES (?, ?, ?)", (mention.id, text, place))
        return True, ""

    def close(self) -> None:
        """Forget all."""
        self._db.close()


class Intake:
    """Takes what one visit to one source found.

    Args:
        store: where it goes.
        source: its name; nobody takes back what another source told.
        strict: the source gives its own ids, so that one id with two texts in one run is a mistake to be told. On the
            web the same article simply stands in two feeds with two summaries.
    """

    def __init__(self, store: Store, *, strict: bool, source: str = "") -> None:
        self.source = source
        self.store, self.strict, self.counts, self.shape = store, strict, Counts(), Shape()
        self._seen = Seen()
        self._forgotten = Forgotten.of(store)

    def take(self, found: Iterable[Found], *, beat: Beat | None = None) -> None:
        """Store what is new, batch by batch."""
        stream = iter(found)
        while batch := list(islice(stream, BATCH)):
            self._batch(batch)
            if beat:
                beat(self.counts.found)

    def close(self) -> None:
        """Give back what is held."""
        self._seen.close()

    def _batch(self, batch: list[Found]) -> None:
        batch = list(self._identified(batch))
        refusals = [each for _, each in batch if isinstance(each, Refusal)]
        self.counts.deleted += forget(self.store, [each for _, each in batch if isinstance(each, Removed)], self.source)
        fresh = list(self._remembered(self._once(batch, refusals), refusals))
        stored = {each.id: each for each in self.store.many(Mention, [mention.id for mention in fresh])}
        news = [newer for mention in fresh if (newer := changed(mention, stored.get(mention.id)))]
        if edits := revisions(self.store, stored, news):
            self.store.put(edits)
        self.counts.duplicate += len(fresh) - len(news)
        report = self.store.put(news)
        refusals += self._not_taken(report, news)
        self.counts.stored += report.new + report.updated
        self.counts.duplicate += report.same
        self.counts.refused += len(refusals)
        if refusals:
            self.store.put(refusals)

    def _identified(self, batch: list[Found]) -> Iterator[Found]:
        """Yield what was found, each mention under the id that it rests under already, else under its own."""
        candidates = [each for _, each in batch if isinstance(each, Candidate)]
        held = self._known([each.id for each in candidates])
        strangers = [each for each in candidates if each.id not in held or not is_same(held[each.id], facts_of(each))]
        held |= self._known([other for each in strangers for other in (*each.others, each.own) if other])
        for where, found in batch:
            if isinstance(found, Candidate):
                name = self._id_of(found, held)
                held.setdefault(name, facts_of(found))
                yield where, settled(found, name)
            else:
                yield where, found

    def _known(self, ids: list[str]) -> dict[str, Facts]:
        """Return what rests in the store under these ids."""
        return {each.id: facts_of(each) for each in self.store.many(Mention, ids)}

    @staticmethod
    def _id_of(found: Candidate, stored: Mapping[str, Facts]) -> str:
        facts = facts_of(found)
        if found.id in stored and (not found.own or is_same(stored[found.id], facts)):
            return found.id
        there = (other for other in found.others if other in stored)
        moved = (other for other in there if not found.own or is_moved(stored[other], facts))
        return next(moved, found.own if found.own and found.id in stored else found.id)

    def _once(self, batch: list[Found], refusals: list[Refusal]) -> Iterator[Mention]:
        """Yield the first of each id; count or refuse the others."""
        for where, mention in batch:
            if isinstance(mention, OffTopic):
                self.counts.off_topic += 1
                continue
            if isinstance(mention, (Refusal, Removed)):
                continue
            self.counts.undated += mention.date_confidence == "none"
            self.shape.see(mention)
            same, before = self._seen.first(mention, where)
            if not before:
                yield mention
            elif same or not self.strict:
                self.counts.duplicate += 1
            else:
                refusals.append(self._clash(mention, where, before))

    def _remembered(self, fresh: Iterable[Mention], refusals: list[Refusal]) -> Iterator[Mention]:
        """Yield what nobody asked to forget; the rest is refused without a word of it."""
        for mention in fresh:
            if not self._forgotten.holds(mention):
                yield mention
                continue
            why = "somebody asked for it to be forgotten; it is not stored again"
            name, at = stable_id("refusal", mention.source, "forgotten"), mention.fetched_at
            refusals.append(Refusal(id=name, source=mention.source, where="forgotten", reason=why, at=at))

    @staticmethod
    def _clash(mention: Mention, where: str, before: str) -> Refusal:
        reason = f"the id of {before} again, with another text"
        return Refusal(
            id=stable_id("refusal", mention.source, where, reason),
            source=mention.source,
            where=where,
            reason=reason,
            at=mention.fetched_at,
            sample=mention.text[:200],
        )

    @staticmethod
    def _not_taken(report: Report, news: list[Mention]) -> list[Refusal]:
        mentions = {mention.id: mention for mention in news}
        return [
            Refusal(
                id=stable_id("refusal", "store", refused.id, refused.reason),
                source=mentions[refused.id].source,
                where=mentions[refused.id].url or refused.id,
                reason=f"the store refused it: {refused.reason}",
                at=mentions[refused.id].fetched_at,
                sample=mentions[refused.id].text[:200],
            )
            for refused in report.refused
            if refused.id in mentions
        ]


def changed(mention: Mention, stored: Mention | None) -> Mention | None:
    """Return what is to be stored, or ``None`` where nothing new is said.

    An edited text keeps its id and replaces the older version. Its date stays the one of the first sighting. Another
    source that tells of the same page adds nothing: else a feed's summary and a sitemap's full text would replace each
    other. Likes alone do not make a new version, for they change with every visit.
    """
    if stored is None:
        return mention
    if stored.source != mention.source:
        return None
    mention = with_first_date(mention, stored)
    return None if content(stored) == content(mention) else mention


def with_first_date(mention: Mention, stored: Mention) -> Mention:
    """Return a later version with the date of the first, and what it states otherwise in `extra` (``later_dates``).

    Feeds restamp their entries with every answer or touch old ones at night; what was seen before was published before.
    A date that was a day or a guess may become more exact within what it said.
    """
    later = mention.published_at
    if stored.published_at is None or stored.date_confidence == "none":
        if later is None or later <= stored.fetched_at + AHEAD:
            return mention
        return replace(mention, published_at=stored.fetched_at, date_confidence="inferred")
    history = {name: stored.extra[name] for name in ("later_dates",) if name in stored.extra}
    if _refines(mention, stored):
        return replace(mention, extra={**mention.extra, **history})
    first = replace(mention, published_at=stored.published_at, date_confidence=stored.date_confidence)
    dates = str(history.get("later_dates", "")).split()
    if later is not None and later != stored.published_at and len(dates) < LATER_DATES:
        dates = list(dict.fromkeys([*dates, later.isoformat()]))
    return replace(first, extra={**mention.extra, **({"later_dates": " ".join(dates)} if dates else {})})


def _refines(mention: Mention, stored: Mention) -> bool:
    """Return whether a later date says more exactly what the first one said, from before it was first seen."""
    at, first = mention.published_at, stored.published_at
    if at is None or first is None or mention.date_confidence != "exact" or at > stored.fetched_at + AHEAD:
        return False
    if stored.date_confidence == "day":
        return first - ZONES <= at < first + DAY + ZONES
    return stored.date_confidence == "inferred"


def content(mention: Mention) -> tuple[object, ...]:
    """Return what makes two versions different."""
    dates = (mention.published_at, mention.date_confidence, mention.extra.get("later_dates"))
    return (mention.title, mention.text, *dates, mention.rating, mention.market)
