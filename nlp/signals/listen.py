"""Hearing the store: which of its hours have changed, and what departs in them from its own past.

Which hours of the store have changed since the last turn is asked of counts by hour; the watch goes back to the last
midnight before the first of them, hears what there is from then on, and goes on to the last whole hour. So documents
that come late land on their own hour, and documents that are changed or gone are heard anew or not at all.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from groundswell.configs.schema import Settings
from groundswell.configs.topics import Topic, load_topics, topics_from
from groundswell.index.progress import Progress
from groundswell.index.query import By, Query
from groundswell.index.records import Document, Membership, Mention
from groundswell.index.store import Store
from groundswell.nlp.signals import state
from groundswell.nlp.signals.alerts.crawl_gaps import known_at
from groundswell.nlp.signals.alerts.explanation import epoch
from groundswell.nlp.signals.alerts.policy import threshold
from groundswell.nlp.signals.departures import GROWS, KEPT, Departure, Teller
from groundswell.nlp.signals.detect.detect import RETAINED, Watch
from groundswell.nlp.signals.detect.groups import REBUILT
from groundswell.nlp.signals.detect.lives import Rule
from groundswell.nlp.signals.detect.memory import Batch
from groundswell.nlp.signals.detect.neighbours import DAY
from groundswell.nlp.text.document_text import document_texts

FOLDER = "signals"
"""Folder of the state within the data folder."""
Prints = dict[str, list[float]]
"""By hour: documents and their mean mood, so that whatever changes in an hour is seen."""
MADE_AGAIN = f"the watch is made again from the documents of the last {RETAINED / DAY:.0f} days"
MISHEARD = timedelta(days=14)
"""How far back one looks for documents that a clock which was ahead fetched."""
log = logging.getLogger(__name__)


class _AnotherModelError(Exception):
    """What comes was read by another model than what is remembered: their vectors cannot be compared."""


@dataclass
class Listener:
    """Brings the watch up to date with the store: to the last whole hour, or (`within`) to the end of this one."""

    store: Store
    settings: Settings
    now: datetime
    mark: Mapping[str, Any]
    within: bool = False
    watch: Watch = field(init=False)
    prints: Prints = field(default_factory=dict)
    sources: dict[str, float] = field(default_factory=dict)
    themes: dict[str, str] = field(default_factory=dict)
    seen: float = -math.inf
    made_by: str = ""
    woken: bool = False

    def __post_init__(self) -> None:
        """Wake the watch as it was after the last turn, where that is known."""
        self.watch, own = Watch(), self.settings.signals.topics
        try:
            more = state.load(self.folder, self.mark["state"], self.watch) if self.mark.get("state") else None
        except state.StateError as error:
            log.warning("%s; %s", error, MADE_AGAIN)
            more = None
        if more is not None and more["topics_from"] == topics_from(own):
            self.prints, self.sources, self.seen = more["prints"], more["sources"], more["seen"]
            self.made_by = more["made_by"]
            self.watch.topics = tuple(Topic.model_validate(each) for each in more["topics"])
        else:
            self.watch = Watch(topics=load_topics(own))

    @property
    def folder(self) -> Path:
        """Return where the state rests."""
        return self.settings.data_dir / FOLDER

    @property
    def end(self) -> float:
        """Return the end of the last whole hour, or of the one that is not over."""
        return float(self.now.timestamp() // 3600) + self.within

    @property
    def since(self) -> float:
        """Return the hour up to which was told already, -inf before the first turn.

        A mark of the future was written while the clock was wrong: then what counts is the newest document heard.
        """
        if "upto" not in self.mark:
            return -math.inf
        upto = datetime.fromisoformat(str(self.mark["upto"]))
        if upto <= self.now:
            return upto.timestamp() / 3600
        log.warning(
            "signals were looked for up to %s, but it is %s now: the clock was wrong then or is now; "
            "everything since the newest document heard then is looked at again",
            f"{upto:%Y-%m-%d %H:%M}Z", f"{self.now:%Y-%m-%d %H:%M}Z",
        )  # fmt: skip
        heard = self.mark.get("seen")
        return min(float(heard) if heard is not None else -math.inf, self.now.timestamp() / 3600)

    def hear(self, progress: Progress | None) -> list[Departure] | None:
        """Return what departed since the last turn; nothing at all where nothing has changed since."""
        awake, before = math.isfinite(self.watch.upto), self.prints
        self.prints = self._count()
        first = _first_difference(before, self.prints, self.end - RETAINED)
        if awake and first >= self.watch.upto == self.end:
            return None
        if awake:
            self.watch.back_to(min(first, self.end, self._misheard()))
        self.woken = math.isfinite(self.watch.upto)
        try:
            return self._listen(progress)
        except _AnotherModelError as error:
            log.warning("%s; %s", error, MADE_AGAIN)
            self.woken = math.isfinite(self.watch.back_to(-math.inf))
            return self._listen(progress)

    def _misheard(self) -> float:
        """Return the hour of the oldest document that a clock which was ahead took for one found too late."""
        if "upto" not in self.mark or datetime.fromisoformat(str(self.mark["upto"])) <= self.now:
            return math.inf
        recent = self.store.scan(Query(since=epoch(self.end) - MISHEARD, until=epoch(self.end), trusted_dates=True))
        return min((math.floor(_hour(d)) for d in recent if d.mention.fetched_at > self.now), default=math.inf)

    def _listen(self, progress: Progress | None) -> list[Departure]:
        # What is heard anew is known by its id; what is made anew from the store was told of up to the mark.
        since = -math.inf if math.isfinite(self.watch.upto) else self.since
        teller = Teller(self.watch, Rule(KEPT, GROWS, threshold(self.settings.signals)), since)
        found: list[Departure] = []
        for batch, upto in self._batches():
            if progress:
                progress(len(found), None, f"watching {epoch(upto):%d %b}")
            for detection in self.watch.go_on(batch, upto, self._themes, end=self.end):
                found += teller.tell(detection)
        return found

    def _count(self) -> Prints:
        """Return the prints of all whole hours that can still matter: of what has been read in each, count and mood."""
        begin = max(self.end - RETAINED, 0.0)
        query = Query(since=epoch(begin), until=epoch(self.end), trusted_dates=True)
        prints: Prints = {}
        for bucket in self.store.count(query, By(period="hour", fields=("sentiment",))):
            if bucket.start is not None and bucket.values[0]:
                mine = prints.setdefault(str(int(bucket.start.timestamp() // 3600)), [0, 0.0])
                mine[0] += bucket.copies
                mine[1] = round(mine[1] + bucket.copies * (bucket.mood or 0.0), 4)
        return prints

    def _batches(self) -> Iterator[tuple[Batch, float]]:
        """Yield the documents to be heard a week at a time, in order of time, and the hour up to which they go."""
        begin = self.watch.upto
        if not math.isfinite(begin) and math.isfinite(self.since):
            begin = self.end - RETAINED
        for source, hour in self._first_visits(begin if math.isfinite(begin) else None).items():
            self.sources[source] = min(hour, self.sources.get(source, math.inf))
        done = -math.inf
        for week, documents in groupby(self._scan(begin), key=lambda d: _hour(d) // REBUILT):
            done = min((week + 1) * REBUILT, self.end)
            yield self._batch(list(documents)), done
        if done < self.end:
            yield self._batch([]), self.end

    def _scan(self, begin: float) -> Iterator[Document]:
        since = epoch(begin) if math.isfinite(begin) else None
        query = Query(since=since, until=epoch(self.end), trusted_dates=True, with_vectors=True)
        return (d for d in self.store.scan(query) if d.enriched is not None and d.enriched.vector is not None)

    def _first_visits(self, begin: float | None) -> dict[str, float]:
        """Return when each source was first visited (hour of fetching), among the documents from an hour on."""
        since = None if begin is None else epoch(begin)
        first: dict[str, float] = {}
        for document in self.store.scan(Query(since=since, until=epoch(self.end), trusted_dates=True)):
            source, hour = document.mention.source, document.mention.fetched_at.timestamp() / 3600
            first[source] = min(hour, first.get(source, math.inf))
        return first

    def _batch(self, documents: Sequence[Document]) -> Batch:
        """Return those of the documents that count, as the watch hears them."""
        moments = [known_at(self._fetched(d.mention), epoch(self.sources[d.mention.source])) for d in documents]
        timely = [(d, heard) for d, heard in zip(documents, moments, strict=True) if heard is not None]
        timely.sort(key=lambda pair: (_hour(pair[0]), pair[0].id))
        mentions = [d.mention for d, _ in timely]
        self._same_model(documents)
        self.seen = max([self.seen, *(self._fetched(d.mention).fetched_at.timestamp() / 3600 for d in documents)])
        enriched = [d.enriched for d, _ in timely if d.enriched]
        vectors = [e.vector for e in enriched if e.vector is not None]
        return Batch(
            ids=[m.id for m in mentions], texts=document_texts(mentions), hours=np.array([_hour(d) for d, _ in timely]),
            known=np.array([heard.timestamp() / 3600 for _, heard in timely]),
            vectors=np.array(vectors, np.float32), languages=[e.lang for e in enriched],
            places=[(m.market, m.kind) for m in mentions], sources=[m.source for m in mentions],
            moods=np.array([e.sentiment.mood for e in enriched], np.float32),
            firsts=[e.duplicate_of for e in enriched],
        )  # fmt: skip

    def _fetched(self, mention: Mention) -> Mention:
        """Return a mention as it was fetched; what a clock that was ahead fetched in the future was found at once."""
        published = mention.published_at
        return replace(mention, fetched_at=published) if published and mention.fetched_at > self.now else mention

    def _same_model(self, documents: Sequence[Document]) -> None:
        """Note which model has read the newest of what comes.

        Raises:
            _AnotherModelError: it is another than had read the newest before.
        """
        newest = documents[-1].enriched if documents else None
        if newest is None:
            return
        if self.woken and newest.made_by != self.made_by:
            raise _AnotherModelError(f"documents are read by {newest.made_by} now, and were by {self.made_by}")
        self.made_by = newest.made_by

    def _themes(self, ids: Sequence[str]) -> list[str]:
        lacking = [one for one in ids if one not in self.themes]
        self.themes.update(dict.fromkeys(lacking, ""))
        self.themes.update({member.id: member.theme for member in self.store.many(Membership, lacking)})
        return [self.themes[one] for one in ids]

    def save(self) -> str:
        """Write the state of the watch; return the name of its file."""
        more = {
            "prints": self.prints, "sources": self.sources, "seen": self.seen, "made_by": self.made_by,
            "topics": [topic.model_dump(mode="json") for topic in self.watch.topics],
            "topics_from": topics_from(self.settings.signals.topics),
        }  # fmt: skip
        return state.save(self.folder, self.watch, more)

    def value(self) -> dict[str, Any]:
        """Return what the mark says beside the state."""
        return {"upto": self.now.isoformat(), "seen": self.seen if math.isfinite(self.seen) else None}


def _first_difference(before: Prints, now: Prints, begin: float) -> float:
    """Return the first hour, from one on, in which the store is not what it was."""
    changed = (int(hour) for hour in before.keys() | now.keys() if before.get(hour) != now.get(hour))
    return min((hour for hour in changed if hour >= begin), default=math.inf)


def _hour(document: Document) -> float:
    published = document.mention.published_at
    return published.timestamp() / 3600 if published else 0.0


__all__ = ["FOLDER", "Listener"]
