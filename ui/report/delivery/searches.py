"""Saved searches that tell when they change: spoken of, louder than usual, as usual again, silent.

Only a change is told. What there was when somebody asked to be told is where it begins, and is no news.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from groundswell.configs.schema import Settings
from groundswell.index.query import By, Query
from groundswell.index.query_language import QueryError, parse
from groundswell.index.records import Checkpoint, SavedSearch, Severity
from groundswell.index.store import Reader
from groundswell.ui.report import links, wording
from groundswell.ui.report.delivery.news import News
from groundswell.ui.report.digest import board_address
from groundswell.ui.report.series import DAY, day_axis
from groundswell.ui.report.tongue import tr
from groundswell.ui.report.trends import HISTORY_DAYS, beyond_chance, departure

Level = Literal["silent", "usual", "loud", "broken"]
SILENT_DAYS = 7
"""Days without a document after which a subject has fallen silent, and whose end is news."""
LOUD, STILL_LOUD = 3.0, 2.0
"""Standard deviations above four weeks from which a day is louder than usual, and below which it is so no more."""
FEWEST = 4
"""Documents that a loud day has at least."""
LOOK_EVERY = timedelta(seconds=60)
MOST = 5_000


@dataclass(frozen=True, slots=True)
class Look:
    """A search as it stands: texts (copies once) of the last 24 hours, of a usual day before, and of seven days."""

    level: Level
    day: int = 0
    usual: float = 0.0
    week: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a look at a search leaves: the mark to keep, and the news where there is any."""

    search: SavedSearch
    mark: Checkpoint
    change: Callable[[], News] | None = None

    @property
    def news(self) -> News | None:
        """Return the news in the language that is spoken."""
        return self.change() if self.change else None


def turns(reader: Reader, settings: Settings, *, now: datetime) -> Iterator[Turn]:
    """Yield what has become of each search that somebody wants to be told of, at most once a minute each."""
    for search in reader.recent(SavedSearch, limit=MOST):
        if not search.tell or search.language != "search":
            continue
        mark = reader.get(Checkpoint, f"tell/{search.id}")
        if mark is not None and timedelta() <= now - mark.at < LOOK_EVERY and mark.value["text"] == search.text:
            continue
        yield _turn(reader, search, mark, settings, now)


def _turn(reader: Reader, search: SavedSearch, mark: Checkpoint | None, settings: Settings, now: datetime) -> Turn:
    before = mark.value if mark is not None and mark.value["text"] == search.text else None
    look = look_at(reader, search.text, was=before["level"] if before else "", now=now)
    since = str(before["since"]) if before and before["level"] == look.level else now.isoformat()
    value = {"text": search.text, "level": look.level, "since": since}
    kept = Checkpoint(id=f"tell/{search.id}", value=value, at=now)
    if before is None or before["level"] == look.level:
        return Turn(search, kept)
    return Turn(search, kept, partial(_news, search, before, look, settings, now))


def look_at(reader: Reader, text: str, *, was: str, now: datetime) -> Look:
    """Return how a search stands; `was` is its level before, so that what hovers at a threshold tells nothing."""
    try:
        query = replace(parse(text, now=now), trusted_dates=True, collapse=True)
    except QueryError as error:
        return Look("broken", why=str(error))
    day, week = (_count(reader, query, now - length, now) for length in (DAY, SILENT_DAYS * DAY))
    history = _history(reader, query, now)
    usual = sum(history) / len(history)
    if week == 0:
        return Look("silent", day, usual, week)
    above = departure(day, history)
    loud = day >= FEWEST and above >= LOUD and beyond_chance(usual, day)
    still = was == "loud" and above >= STILL_LOUD
    return Look("loud" if loud or still else "usual", day, usual, week)


def _count(reader: Reader, query: Query, since: datetime, until: datetime) -> int:
    return sum(bucket.count for bucket in reader.count(_within(query, since, until), By()))


def _history(reader: Reader, query: Query, now: datetime) -> Sequence[int]:
    """Return the texts of each of the 28 whole days before the last two."""
    days = day_axis(now, HISTORY_DAYS + 2)[:-2]
    found = reader.count(_within(query, days[0], days[-1] + DAY), By(period="day"))
    counts: Mapping[datetime | None, int] = {bucket.start: bucket.count for bucket in found}
    return [counts.get(day, 0) for day in days]


def _within(query: Query, since: datetime, until: datetime) -> Query:
    begin = max(since, query.since) if query.since else since
    end = min(until, query.until) if query.until else until
    return replace(query, since=min(begin, end), until=end)


def _news(search: SavedSearch, before: Mapping[str, str], look: Look, settings: Settings, now: datetime) -> News:
    """Return what is told of a change; its name follows from what there was before, so that it is told once."""
    what, severity = _said(before["level"], look)
    usual = wording.number(round(look.usual, 1))
    counted = tr("{texts} in 24 h, {usual} a day in the four weeks before.")
    counts = counted.format(texts=wording.plural(look.day, "text"), usual=usual)
    title = tr(TITLES[what]).format(name=search.name.replace("{", "(").replace("}", ")"))
    window = links.query_text(since=links.instant(now - SILENT_DAYS * DAY))
    text = f"({search.text}) {window}" if " OR " in search.text else f"{search.text} {window}"
    return News(
        about=f"search:{search.id}", state=f"{what} since {before['since']}", severity=severity,
        title=title, more=(look.why or counts, tr("The search:") + f" {search.text}"), at=now,
        place=f"{board_address(settings)}/{links.search_text(text.strip())}",
    )  # fmt: skip


TITLES = {
    "heard": "“{name}” is spoken of",
    "louder": "“{name}” is louder than usual",
    "calmer": "“{name}” is as usual again",
    "silent": "“{name}” has not been spoken of for seven days",
    "broken": "“{name}” cannot be asked any more",
}


def _said(was: str, look: Look) -> tuple[str, Severity]:
    """Return the word for a change and how grave it is."""
    if look.level == "broken":
        return "broken", "medium"
    if look.level == "loud":
        return "louder", "high"
    if look.level == "silent":
        return "silent", "low"
    return ("calmer", "low") if was == "loud" else ("heard", "medium")
