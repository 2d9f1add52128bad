"""What spiders of lists in no sure order share: the mark holds which version of each item has been read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from scrapy.http import Response

from groundswell.crawlers.mention import Raw
from groundswell.crawlers.spiders.base import Missed, S, SourceSpider
from groundswell.crawlers.spiders.listing import UNREADABLE, unreadable
from groundswell.index.ids import stable_id

MOST_SEEN = 50_000


@dataclass(slots=True)
class Reading:
    """One reading of a list that may have several pages.

    Attributes:
        before: versions by item, as the last visits left them.
        met: those of the items met so far.
        whole: whether everything met has been read, now.
        was_whole: whether that was so at the last visit: then a page without news ends the reading.
        count: items met so far.
        fresh: news on the last page.
    """

    before: dict[str, str] = field(default_factory=dict)
    met: dict[str, str] = field(default_factory=dict)
    whole: bool = True
    was_whole: bool = False
    count: int = 0
    fresh: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """An item of a list: what identifies it, and what it becomes."""

    id: str
    raw: Raw | Missed


class SeenSpider(SourceSpider[S]):
    """A spider that tells by their content which items of a list are new or changed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.readings: dict[str, Reading] = {}

    def reading(self, key: str) -> Reading:
        """Return the reading of a list, begun where it was not."""
        if key not in self.readings:
            mark = self.job.marks.get(key, {})
            self.readings[key] = Reading(dict(mark.get("seen", {})), was_whole=bool(mark.get("whole")))
        return self.readings[key]

    def part(self, item: Any, where: str) -> Part:
        """Return an item as it was found.

        Raises:
            ValueError, TypeError, KeyError: it cannot be understood.
        """
        raise NotImplementedError

    def take(self, key: str, items: Sequence[Any], response: Response) -> Iterator[Raw | Missed]:
        """Yield the items of a page that are new or changed, until this visit is full; one bad item costs one item."""
        reading = self.reading(key)
        reading.fresh = 0
        for number, item in enumerate(items, 1):
            where = f"{response.url[:300]} item {number}"
            reading.count += 1
            try:
                part = self.part(item, where)
            except UNREADABLE as error:
                part = Part(where, unreadable(where, error))
            name, version = stable_id(part.id), stable_id(json.dumps(item, sort_keys=True, default=str))
            if reading.before.get(name) == version or reading.met.get(name) == version:
                reading.met[name] = version
            elif self.is_full():
                reading.whole = False
                self.leave()
            else:
                reading.met[name] = version
                reading.fresh += 1
                self.taken += 1
                yield part.raw

    def save(self, key: str, *, ended: bool, validators: dict[str, str] | None = None) -> None:
        """Keep what has been read; validators only where nothing is left, so that the next visit gets the rest."""
        reading = self.reading(key)
        seen = reading.met if ended and reading.whole else {**reading.before, **reading.met}
        mark = {"seen": dict(list(seen.items())[-MOST_SEEN:]), "whole": ended and reading.whole}
        self.keep(key, mark | (validators or {} if ended and reading.whole else {}))
