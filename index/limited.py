"""A reader that shows some markets and nothing of any other: the one place that holds people to their markets.

Documents are narrowed in the question itself, so that totals, facets, pages and counts know of no other. Records that
were made of documents are shown where all of these are in the markets; where only some are, what can be told from
those alone (a theme's title, keywords, size), and what cannot is left out. What has no rule is not shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar, cast

from groundswell.index.closing import Closing
from groundswell.index.groups import counted, subject_of
from groundswell.index.open import OpenReader
from groundswell.index.query import Bucket, By, Extent, Field, Page, Query, Tally
from groundswell.index.records import (
    Case,
    Checkpoint,
    CrawlRun,
    Decision,
    Delivery,
    Document,
    Enriched,
    Label,
    Lease,
    Lineage,
    Membership,
    Mention,
    Moderation,
    Record,
    Refusal,
    Revision,
    Sample,
    SavedSearch,
    Signal,
    Snooze,
    Task,
    Theme,
)
from groundswell.index.store import EVERY

R = TypeVar("R")
WHOLE_SUBJECTS = (CrawlRun, Refusal)
"""Kinds of which all records about one subject (a source) are shown, or none."""
NOWHERE = "nowhere"
"""A market that no document has: what is asked for where all that was asked for is out of bounds."""
ALL = 100_000
"""Records of one kind that are looked through for those that may be shown."""
SAMPLE = 100
"""Documents whose words say how a theme may be called, newest first."""
OPEN_MARKS = frozenset({"signals", "signals/learned"})
"""Checkpoints without anybody's words: up to when signals were looked for, and what judgements taught the ranking."""


class LimitedReader(Closing):
    """What somebody sees who is limited to some markets.

    Args:
        reader: the whole store.
        markets: ISO codes; "" stands for documents without a market.
        person: whose saved searches may be shown.
    """

    def __init__(self, reader: OpenReader, markets: Collection[str], *, person: str = "") -> None:
        self._reader, self._markets, self._person = reader, tuple(sorted(set(markets))), person

    # --- documents

    def narrowed(self, query: Query) -> Query:
        """Return a question about these markets only."""
        asked = query.where.get("market")
        both = tuple(market for market in self._markets if asked is None or market in asked)
        where: Mapping[Field, tuple[str, ...]] = {**query.where, "market": both or (NOWHERE,)}
        return replace(query, where=where)

    def search(self, query: Query) -> Page:
        """As `Reader.search`, of these markets."""
        return self._reader.search(self.narrowed(query))

    def count(self, query: Query, by: By) -> list[Bucket]:
        """As `Reader.count`, of these markets."""
        return self._reader.count(self.narrowed(query), by)

    def extents(self, queries: Sequence[Query]) -> list[Extent]:
        """As `Reader.extents`, of these markets."""
        return self._reader.extents([self.narrowed(query) for query in queries])

    def scan(self, query: Query) -> Iterator[Document]:
        """As `Store.scan`, of these markets."""
        return self._reader.scan(self.narrowed(query))

    # --- records

    def get(self, kind: type[R], id: str) -> R | None:
        """As `Reader.get`."""
        found = self._reader.get(kind, id)
        return next(iter(self._shown(kind, [found])), None) if found is not None else None

    def many(self, kind: type[R], ids: Sequence[str]) -> list[R]:
        """As `Reader.many`."""
        return self._shown(kind, self._reader.many(kind, ids))

    def recent(self, kind: type[R], *, limit: int = 1000) -> list[R]:
        """As `Reader.recent`; `limit` counts what is shown."""
        return self._shown(kind, self._reader.recent(kind, limit=max(limit, ALL)))[:limit]

    def select(
        self,
        kind: type[R],
        *,
        states: Collection[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = EVERY,
    ) -> list[R]:
        """As `Reader.select`; `limit` counts what is shown."""
        found = self._reader.select(kind, states=states, since=since, until=until, limit=max(limit, EVERY))
        return self._shown(kind, found)[:limit]

    def latest(self, kind: type[R], *, states: Collection[str] = (), until: datetime | None = None) -> list[R]:
        """As `Reader.latest`, of what is shown."""
        if kind in WHOLE_SUBJECTS:
            return self._shown(kind, self._reader.latest(kind, states=states, until=until))
        newest: dict[str, R] = {}
        for record in self.select(kind, states=states, until=until):
            newest.setdefault(subject_of(cast("Record", record)), record)
        return [newest[subject] for subject in sorted(newest)]

    def tally(self, kind: type[R], *, since: datetime | None = None, until: datetime | None = None) -> list[Tally]:
        """As `Reader.tally`, of what is shown."""
        if kind in WHOLE_SUBJECTS:
            shown = _Sight(self._reader, self).sources
            return [one for one in self._reader.tally(kind, since=since, until=until) if shown.get(one.subject)]
        return counted(cast("list[Record]", self.select(kind, since=since, until=until)))

    def close(self) -> None:
        """Give back what is held."""
        self._reader.close()

    def _shown(self, kind: type[R], records: Sequence[R]) -> list[R]:
        rule = _RULES.get(kind)
        return cast("list[R]", rule(_Sight(self._reader, self), list(records))) if rule and records else []

    def in_markets(self, market: object) -> bool:
        """Return whether a market is one of these."""
        return str(market or "") in self._markets

    @property
    def person(self) -> str:
        """Return whose own things are shown."""
        return self._person


class _Sight:
    """What one question needs to know of the documents behind records; asked once."""

    def __init__(self, whole: OpenReader, part: LimitedReader) -> None:
        self.whole, self.part = whole, part

    def mentions(self, ids: Iterable[str]) -> tuple[dict[str, Mention], set[str]]:
        """Return those mentions that are in the markets, and the ids of those that are in others."""
        found = self.whole.many(Mention, list(dict.fromkeys(ids)))
        seen = {one.id: one for one in found if self.part.in_markets(one.market)}
        return seen, {one.id for one in found} - set(seen)

    @cached_property
    def themes(self) -> dict[str, bool]:
        """Return the themes that have documents in the markets, and whether all they have are there."""
        return self._wholly("theme")

    @cached_property
    def sources(self) -> dict[str, bool]:
        """Return the sources of documents in the markets, and whether they have no others."""
        return self._wholly("source")

    def _wholly(self, field: Field) -> dict[str, bool]:
        everything = {bucket.values[0]: bucket.copies for bucket in self.whole.count(Query(), By(fields=(field,)))}
        own = self.part.count(Query(), By(fields=(field,)))
        return {
            bucket.values[0]: bucket.copies == everything.get(bucket.values[0]) for bucket in own if bucket.values[0]
        }

    def alerts(self, ids: Iterable[str]) -> set[str]:
        """Return those of these alerts that are shown."""
        return {one.id for one in signals(self, self.whole.many(Signal, list(dict.fromkeys(ids))))}


# --- one rule for each kind: the records that are shown, without what tells of other markets


def _documents(sight: _Sight, records: list[Document]) -> list[Document]:
    return [one for one in records if sight.part.in_markets(one.mention.market)]


def _of_market(sight: _Sight, records: list[Any]) -> list[Any]:
    return [one for one in records if sight.part.in_markets(one.market)]


def _of_document(sight: _Sight, records: list[Any]) -> list[Any]:
    seen, _ = sight.mentions(one.id for one in records)
    return [one for one in records if one.id in seen]


def _revisions(sight: _Sight, records: list[Revision]) -> list[Revision]:
    seen, _ = sight.mentions(one.mention for one in records)
    return [one for one in records if one.mention in seen]


def _themes(sight: _Sight, records: list[Theme]) -> list[Theme]:
    return [
        theme if sight.themes[theme.id] else _told_from_part(sight, theme)
        for theme in records
        if theme.id in sight.themes
    ]


def _told_from_part(sight: _Sight, theme: Theme) -> Theme:
    """Return a theme as its documents in the markets tell it."""
    asked = Query(where={"theme": (theme.id,)}, limit=SAMPLE)
    page = sight.part.search(asked)
    words = _text(hit.document.mention for hit in page.hits)
    keywords = tuple(word for word in theme.keywords if word.casefold() in words)
    name = " · ".join(keywords[:3])
    seen, _ = sight.mentions(theme.exemplars)
    risks = {bucket.values[0] for bucket in sight.part.count(asked, By(fields=("risk",)))}
    dates = [hit.document.mention.published_at for hit in page.hits if hit.document.mention.published_at]
    return replace(
        theme, label=theme.label if _stands_in(theme.label, words) else name, keywords=keywords,
        titles={tongue: title for tongue, title in theme.titles.items() if _stands_in(title, words)},
        exemplars=tuple(key for key in theme.exemplars if key in seen), size=page.total,
        parents=tuple(key for key in theme.parents if key in sight.themes),
        children=tuple(key for key in theme.children if key in sight.themes),
        risk=theme.risk if theme.risk in risks else "", feeling="", centroid=None,
        first_seen=max(theme.first_seen, min(dates, default=theme.first_seen)) if page.total <= SAMPLE
        else theme.first_seen, last_seen=max(dates, default=theme.last_seen),
    )  # fmt: skip


def _text(mentions: Iterable[Mention]) -> str:
    return "\n".join(f"{one.title}\n{one.text}" for one in mentions).casefold()


def _stands_in(title: str, words: str) -> bool:
    """Return whether each word of a title stands in a text: what was said elsewhere is not in it."""
    return all(word in words for word in re.findall(r"\w+", title.casefold()))


def signals(sight: _Sight, records: list[Signal]) -> list[Signal]:
    """Return the alerts about one of the markets, or about nothing but documents of them."""
    seen, others = sight.mentions(key for one in records for key in one.evidence)
    return [
        _signal(sight, one, seen)
        for one in records
        if (one.market and sight.part.in_markets(one.market))
        or (
            not one.market
            and one.evidence
            and any(key in seen for key in one.evidence)
            and others.isdisjoint(one.evidence)
        )
    ]


def _signal(sight: _Sight, signal: Signal, seen: Mapping[str, Mention]) -> Signal:
    """Return an alert of the markets; a theme that others share lends it no words that stand in none of its own."""
    own = tuple(key for key in signal.evidence if key in seen)
    near = signal.nearest_case if signal.nearest_case and _case_shown(sight, signal.nearest_case) else ""
    shown = replace(signal, evidence=own, nearest_case=near)
    if sight.themes.get(signal.theme, not signal.theme) and own == signal.evidence:
        return shown
    words = _text(seen[key] for key in own)
    terms = tuple(term for term in signal.terms if term.casefold() in words)
    title = signal.title if _stands_in(signal.title, words) else " · ".join(terms[:3])
    return replace(shown, title=title, terms=terms, explained="")


def _case_shown(sight: _Sight, id: str) -> bool:
    found = sight.whole.get(Case, id)
    return found is not None and bool(_cases(sight, [found], by_alerts=False))


def _cases(sight: _Sight, records: list[Case], *, by_alerts: bool = True) -> list[Case]:
    """Return the cases all of whose evidence is of the markets; one that holds none goes by its alerts."""
    bare = [one for one in records if not one.evidence]
    alerts = sight.alerts(key for one in bare for key in one.signals) if bare and by_alerts else set()
    return [
        one
        for one in records
        if (one.evidence and all(sight.part.in_markets(item.get("market")) for item in one.evidence))
        or (not one.evidence and one.signals and alerts.issuperset(one.signals))
    ]


def _decisions(sight: _Sight, records: list[Decision]) -> list[Decision]:
    alerts = sight.alerts(one.alert for one in records)
    return [one for one in records if one.alert in alerts]


def _labels(sight: _Sight, records: list[Label]) -> list[Label]:
    subjects = [one.subject for one in records]
    seen, _ = sight.mentions(subjects)
    known = sight.alerts(subjects) | set(seen)
    return [one for one in records if one.subject in known]


def _tasks(sight: _Sight, records: list[Task]) -> list[Task]:
    seen, _ = sight.mentions(one.subject for one in records)
    return [one for one in records if one.subject in seen]


def _deliveries(sight: _Sight, records: list[Delivery]) -> list[Delivery]:
    alerts = sight.alerts(one.about for one in records)
    return [one for one in records if one.about in alerts or sight.sources.get(one.about, False)]


def _of_source(sight: _Sight, records: list[Any]) -> list[Any]:
    return [one for one in records if sight.sources.get(one.source, False)]


def _snoozes(sight: _Sight, records: list[Snooze]) -> list[Snooze]:
    return [one if sight.themes[one.id] else replace(one, reason="") for one in records if one.id in sight.themes]


def _lineage(sight: _Sight, records: list[Lineage]) -> list[Lineage]:
    return [
        one if sight.themes[one.theme]
        else replace(one, why="", others=tuple(key for key in one.others if key in sight.themes))
        for one in records if one.theme in sight.themes
    ]  # fmt: skip


def _searches(sight: _Sight, records: list[SavedSearch]) -> list[SavedSearch]:
    return [one for one in records if one.owner == sight.part.person]


def _marks(sight: _Sight, records: list[Checkpoint]) -> list[Checkpoint]:  # noqa: ARG001  a rule like the others
    return [one for one in records if one.id in OPEN_MARKS]


def _nothing(sight: _Sight, records: list[Any]) -> list[Any]:  # noqa: ARG001  a rule like the others
    return []


_RULES: Mapping[type[Any], Callable[[_Sight, list[Any]], list[Any]]] = {
    Document: _documents,
    Mention: _of_market,
    Moderation: _of_market,
    Enriched: _of_document,
    Membership: _of_document,
    Revision: _revisions,
    Theme: _themes,
    Lineage: _lineage,
    Snooze: _snoozes,
    Signal: signals,
    Case: _cases,
    Decision: _decisions,
    Label: _labels,
    Task: _tasks,
    Delivery: _deliveries,
    CrawlRun: _of_source,
    Refusal: _of_source,
    SavedSearch: _searches,
    Checkpoint: _marks,
    Lease: _nothing,  # names sources and hosts that workers are at
    Sample: _nothing,  # its counts are of all markets
}
