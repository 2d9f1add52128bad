"""What spiders of lists share: items one by one, stretches as marks, and nothing lost to one bad item."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from scrapy.http import Response

from groundswell.crawlers.dates import DateLocale, read_date
from groundswell.crawlers.handover import Trouble
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.spiders.base import Gone, Missed, S, SourceSpider
from groundswell.crawlers.spiders.recheck import Recent
from groundswell.crawlers.spiders.stretches import Walk, dumped, loaded

UNREADABLE = (AttributeError, IndexError, KeyError, TypeError, ValueError)
SERVICE = DateLocale(timezone="UTC")
"""How services write moments: where they name no zone, they mean UTC."""
MOST_REPEATS = 3
"""Pages in a row that may hold nothing new: two may meet where many items share a moment."""
AHEAD = 600
"""Seconds that somebody else's clock may be ahead of ours."""


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a list: its id, its position (``None``: nobody knows), and what it becomes (``None``: nothing)."""

    id: str
    at: int | None
    raw: Raw | Missed | Gone | None


@dataclass(slots=True)
class Page:
    """What was made of a page.

    `fresh` counts items met for the first time; `whole` says that all were read, `below` that all lie below what is
    wanted.
    """

    fresh: int = 0
    whole: bool = True
    below: bool = False


Reader = Callable[[Any, str], Item]


class ListSpider(SourceSpider[S]):
    """A spider that reads lists from the newest item down.

    Its marks say what is still to be read (`groundswell.crawlers.spiders.stretches`), after each page anew: so they
    hold whatever happens afterwards, and a visit that is cut goes on where it was.
    """

    overlap: ClassVar[int] = 0
    """How far below the newest item the next visit looks for what comes late, in the list's positions."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.walks: dict[str, list[Walk]] = {}
        self.recents: dict[str, Recent] = {}
        self.repeats: dict[Walk, int] = {}

    def recent(self, key: str) -> Recent:
        """Return the items of the last hours under a mark, to see which have gone; for spiders that note them."""
        since = int(self.job.now.timestamp()) - self.overlap
        return self.recents.setdefault(key, Recent.read(self.job.marks.get(key), since))

    def walk_all(self, key: str) -> Walk:
        """Return one reading for all that is to be read under a mark: for lists that cannot be asked by position."""
        walk = Walk(self._loaded(key), now=self.latest)
        self.walks[key] = [walk]
        return walk

    def walk_each(self, key: str) -> list[Walk]:
        """Return a reading for each stretch of a mark, the newest first: for services that are asked by position."""
        self.walks[key] = [Walk([stretch], now=self.latest) for stretch in self._loaded(key)]
        return list(self.walks[key])

    @property
    def latest(self) -> int | None:
        """Return the highest position that can be true."""
        return int(self.job.now.timestamp()) + AHEAD

    def take(
        self, page: Page, walk: Walk, items: Sequence[Any], read: Reader, response: Response
    ) -> Iterator[Raw | Missed | Gone]:
        """Yield what a page's items become, until this visit is full; one bad item costs one item."""
        positions: list[int | None] = []
        for number, each in enumerate(items, 1):
            where = f"{response.url[:300]} item {number}"
            try:
                item = read(each, where)
            except UNREADABLE as error:
                item = Item(f"unreadable {each!r:.2000}", None, unreadable(where, error))
            positions.append(item.at)
            wanted = self.is_wanted(walk, item)
            if wanted and self.is_full():
                page.whole = False
                self.leave(len(items) - number + 1)
                return
            page.fresh += walk.note(item.id, item.at)
            if wanted and item.raw is not None:
                self.taken += 1
                yield item.raw
        page.below = walk.is_past(positions)
        self._stop_at_repeats(page, walk, items, response)

    def _stop_at_repeats(self, page: Page, walk: Walk, items: Sequence[Any], response: Response) -> None:
        """Read no further where a service gives the same page whatever it is asked for; the rest stays to be read."""
        self.repeats[walk] = 0 if page.fresh or not items else self.repeats.get(walk, 0) + 1
        if self.repeats[walk] >= MOST_REPEATS:
            page.whole = False
            self.remark(
                f"{urlsplit(response.url).netloc} gave the same items {MOST_REPEATS + 1} times, whatever page was asked"
                " for: what lies below them is tried again at the next visit"
            )

    def is_wanted(self, walk: Walk, item: Item) -> bool:
        """Return whether an item is still to be read."""
        return walk.wants(item.id, item.at)

    def save(self, key: str, *, ended: Walk | None = None) -> None:
        """Keep what is still to be read under a mark; one of its readings may have come to its end."""
        if ended is not None:
            ended.ended = True
        rest = (stretch for walk in self.walks[key] for stretch in walk.rest(overlap=self.overlap))
        recent = {"recent": self.recents[key].write()} if key in self.recents else {}
        self.keep(key, {"stretches": dumped(rest)} | recent)

    def refuse(self, key: str, response: Response, message: str) -> Trouble:
        """Return what to tell where an answer is none; what is still to be read stays."""
        return self.spoil(key, response.url, message)

    def _loaded(self, key: str) -> Any:
        return loaded(self.job.marks.get(key), since=int(self.since.timestamp()), until=self.upto)

    @property
    def upto(self) -> int | None:
        """Return where a stretch of the past that is filled in ends."""
        until = self.until
        return math.ceil(until.timestamp()) if until else None


def unreadable(where: str, error: Exception) -> Missed:
    """Return an item that is not as its service describes it."""
    what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
    return Missed(where=where, reason=f"cannot be understood: {what[:200]}")


def moment(value: object, *, now: datetime) -> datetime | None:
    """Return the moment that a service states, in UTC where it names no zone; ``None`` where it cannot be."""
    return read_date(value, now=now, locale=SERVICE).at  # type: ignore[arg-type]  # whatever it is, it is judged there


def seconds(at: datetime | None) -> int | None:
    """Return a moment as a position."""
    return None if at is None else int(at.timestamp())


def address(base: str, path: str, asked: dict[str, Any]) -> str:
    """Return the address of a question; arguments that are ``None`` or empty are left out."""
    given = {name: value for name, value in asked.items() if value not in (None, "")}
    return f"{base.rstrip('/')}{path}" + (f"?{urlencode(given)}" if given else "")


__all__ = ["UNREADABLE", "Item", "ListSpider", "Page", "address", "moment", "seconds", "unreadable"]
