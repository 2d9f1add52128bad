"""Whether a source is still what it was: it keeps its floors, it is not silent, its items have the fields they had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from math import exp
from typing import Any, Self

from groundswell.configs.source import Floor
from groundswell.index.records import CrawlRun, Mention

DAY = timedelta(days=1)
CHANCE = 0.0002
"""A silence less likely than this, as the source usually brings, is told."""
KNOWN = 10
"""New items from which it can be said how much a source usually brings."""
REMEMBERED = timedelta(days=14)
GAPS = 3.0
"""So many times its longest silence so far must a source be silent: newsrooms rest at night and at weekends."""
FIELDS = ("title", "url", "author_key", "published_at", "rating", "reach", "thread")
"""What is watched of an item; a text it always has, or it is refused."""
ALWAYS = 0.95
"""Share of the earlier items from which a field counts as always there."""
GONE = 0.5
"""Share of today's items below which such a field counts as missing."""
ENOUGH = 20
"""Earlier items from which a shape is known."""
FEW = 4
"""Items of a visit from which it shows a shape."""
MEMORY = 500
"""Earlier items that count; so that what changes slowly is followed."""
SETTLED = timedelta(days=7)
"""A changed shape that stays so long is the new one."""


@dataclass(slots=True)
class Shape:
    """Of how many items each field was there.

    `since` is when the items began to differ from what was known; `few` are the last ones, while they are too few to
    show anything.
    """

    count: float = 0.0
    fields: Counter[str] = field(default_factory=Counter)
    since: datetime | None = None
    few: Shape | None = None

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Self:
        """Return the shape that a checkpoint holds."""
        since, few = value.get("since"), value.get("few")
        fields = Counter({str(name): float(count) for name, count in value.get("fields", {}).items()})
        moment = datetime.fromisoformat(since) if since else None
        return cls(float(value.get("count", 0)), fields, moment, cls.read(few) if few else None)

    def write(self) -> dict[str, Any]:
        """Return what a checkpoint holds."""
        return {
            "count": round(self.count, 2),
            "fields": {name: round(count, 2) for name, count in self.fields.items()},
            "since": self.since.isoformat() if self.since else None,
            "few": self.few.write() if self.few else None,
        }

    def see(self, mention: Mention) -> None:
        """Count an item."""
        self.count += 1
        for name in FIELDS:
            self.fields[name] += getattr(mention, name) not in (None, "")

    def share(self, name: str) -> float:
        """Return in which share of the items a field was there."""
        return self.fields[name] / self.count if self.count else 0.0

    def lost(self, seen: Shape) -> list[str]:
        """Return the fields that always were there and are missing in what was seen now."""
        if self.count < ENOUGH:
            return []
        return [name for name in FIELDS if self.share(name) >= ALWAYS and seen.share(name) < GONE]

    def learn(self, seen: Shape) -> None:
        """Add what was seen to what is known; older items fade."""
        fade = min(1.0, max(0.0, MEMORY - seen.count) / self.count) if self.count else 1.0
        self.count = self.count * fade + seen.count
        self.fields = Counter({name: self.fields[name] * fade + seen.fields[name] for name in FIELDS})
        self.since = None


def changed_shape(before: Shape, seen: Shape, *, now: datetime) -> str:
    """Return how a source's items have changed, or empty; `known` learns what is not strange.

    A change is told at each visit until it has stayed for a week, or somebody says ``crawl --again``.
    """
    if before.few:
        before.few.learn(seen)
    seen, before.few = before.few or seen, None
    if seen.count < FEW and before.count >= ENOUGH:
        before.few = seen
        return ""
    lost = before.lost(seen)
    if not lost or (before.since and now - before.since > SETTLED):
        before.learn(seen)
        return ""
    before.since = before.since or now
    names = ", ".join(name.removesuffix("_key").removesuffix("_at") for name in lost)
    return f"its shape changed: {seen.count:.0f} items, hardly any with {names}, which nearly all had before"


def below_floor(floor: Floor, run: CrawlRun, past: Sequence[CrawlRun], *, unchanged: bool, now: datetime) -> str:
    """Return which floor of its YAML a visit missed, or empty."""
    if run.found < floor.per_run and not unchanged:
        return f"{run.found} found, floor {floor.per_run} a run"
    if not floor.per_day or all(each.started_at > now - DAY for each in past):
        return ""  # not yet known for a day
    stored = run.stored + sum(each.stored for each in past if each.started_at > now - DAY and each.id != run.id)
    return f"{stored} new in 24 hours, floor {floor.per_day}" if stored < floor.per_day else ""


def silence(run: CrawlRun, past: Sequence[CrawlRun], *, now: datetime) -> str:
    """Return that a source is improbably silent, as it usually brings, or empty.

    Args:
        run: this visit.
        past: the source's runs so far, in any order; the very first brought a backlog and does not count.
        now: its moment.
    """
    if run.stored:
        return ""
    runs = sorted((each for each in past if each.started_at > now - REMEMBERED), key=lambda each: each.started_at)[1:]
    brought = [each for each in runs if each.stored]
    if sum(each.stored for each in brought) < KNOWN or len(brought) < 2:
        return ""
    last, first = brought[-1].started_at, runs[0].started_at
    rate = sum(each.stored for each in brought) / max((last - first) / DAY, 1 / 24)
    gaps = [later.started_at - earlier.started_at for earlier, later in pairwise(brought)]
    silent = now - last
    if exp(-rate * (silent / DAY)) >= CHANCE or silent < GAPS * max(gaps):
        return ""
    return f"nothing new for {silent / timedelta(hours=1):.0f} hours, where about {rate:.0f} a day are usual"
