"""Tells the story that the replica web serves: the same seed and clock tell the same story.

What is planted is known only to `Truth`; an `Item`, all that is ever served, knows nothing of it.
"""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from groundswell.crawlers.replica.grammar import Curve, Grammar, Site, Speaker, Subject, load_grammar
from groundswell.crawlers.replica.voices import Manner, compose

DAYS = 60
HOUR = timedelta(hours=1)
OFFSET = {"SG": 8, "MY": 8, "ID": 7, "TH": 7, "VN": 7, "PH": 8, "AU": 11, "NZ": 13}
"""Hours ahead of UTC, for the rhythm of the day (no daylight saving: it only shapes a curve)."""
RHYTHM = (3, 2, 1, 1, 1, 2, 4, 7, 9, 9, 9, 9, 11, 10, 8, 8, 8, 9, 10, 11, 13, 14, 12, 7)
"""How awake people are, by local hour: a bump at noon, a high evening."""
OFFICE = (0, 0, 0, 0, 0, 1, 4, 8, 12, 12, 11, 10, 9, 9, 10, 10, 9, 8, 5, 3, 2, 2, 1, 0)
"""The same for newsrooms."""
FIRST = 900_000_000
"""Number of the first item: far beyond real Hacker News ids, so that no link leads to a stranger's post."""
COPIES = 0.04
"""Share of items that somebody posts again."""
STOPPED = re.compile(r"[^\w]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing on the replica web.

    `published` is what it says of itself (``None``: it does not say; or a lie), `appears` when the web begins to show
    it. `paragraphs` of `text` are parted by an empty line. `link` is the path of its page. `tags` are timelines it
    stands in. `quirk` names an oddity of the format that the server must show.
    """

    number: int
    site: str
    form: str
    appears: datetime
    published: datetime | None
    title: str
    text: str
    author: str
    lang: str
    market: str
    link: str = ""
    tags: tuple[str, ...] = ()
    stars: int = 3
    reach: int = 0
    query: str = ""
    quirk: str = ""


@dataclass(frozen=True, slots=True)
class Truth:
    """What was planted and when it began: for the summary after the run, never for anything before.

    `paths` and `texts` hold, for each planted risk, the pages and the squeezed texts of its items.
    """

    onsets: Mapping[str, datetime]
    paths: Mapping[str, frozenset[str]] = field(repr=False)
    texts: Mapping[str, frozenset[str]] = field(repr=False)
    bursts: Mapping[str, datetime] = field(default_factory=dict)

    def of(self, *, url: str = "", text: str = "") -> str:
        """Return the planted risk (or benign burst) that a found document belongs to, or an empty string."""
        path, key = urlsplit(url).path, squeeze(text)
        for name in self.paths:
            if (path and path in self.paths[name]) or (key and key in self.texts[name]):
                return name
        return ""

    def found(self, evidence: Iterable[tuple[str, str]]) -> str:
        """Return what at least half of the evidence (pairs of url and text) belongs to, or an empty string."""
        names = [self.of(url=url, text=text) for url, text in evidence]
        for name in {*names} - {""}:
            if names.count(name) * 2 >= len(names):
                return name
        return ""


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that the web will show, oldest first, and the truth about it."""

    items: tuple[Item, ...]
    truth: Truth
    sites: tuple[Site, ...]
    gap: tuple[datetime, datetime]
    gap_sites: frozenset[str]
    now: datetime


@dataclass(frozen=True, slots=True)
class _Draft:
    """An item that still knows its subject."""

    item: Item
    subject: str


def squeeze(text: str) -> str:
    """Return the first letters of a text without case, marks and spaces: survives cleaning and cutting."""
    return STOPPED.sub("", unicodedata.normalize("NFKC", text).casefold())[:60]


def tell(*, now: datetime, seed: int = 7, folder: Path | None = None) -> Story:
    """Return the story of the `DAYS` days that end at `now` (aware UTC)."""
    now = now.astimezone(UTC).replace(microsecond=0)
    teller = _Teller(load_grammar(folder), Random(f"groundswell {seed}"), now)  # noqa: S311  a story, not a secret
    return teller.tell()


class _Teller:
    def __init__(self, grammar: Grammar, rng: Random, now: datetime) -> None:
        self.grammar, self.rng, self.now = grammar, rng, now
        self.speaker = Speaker(grammar, rng)
        self.sites = {site.name: site for site in grammar.sites}
        self.start = now - timedelta(days=DAYS)
        self.number = FIRST

    def tell(self) -> Story:
        drafts = [draft for subject in self.grammar.subjects for draft in self._subject(subject)]
        drafts.sort(key=lambda draft: draft.item.appears)
        drafts += self._copies(drafts)
        drafts += self._oddities()
        gap, gap_sites = self._gap()
        drafts = [draft for draft in drafts if not _inside(draft.item, gap, gap_sites)]
        drafts.sort(key=lambda draft: (draft.item.appears, draft.item.number))
        drafts = self._numbered(drafts)
        items = tuple(draft.item for draft in drafts)
        return Story(items, self._truth(drafts), self.grammar.sites, gap, gap_sites, self.now)

    def _subject(self, subject: Subject) -> Iterator[_Draft]:
        times = _curve_times(subject.curve, self.now, self.rng) if subject.curve else self._steady_times(subject)
        for at in times:
            item = self._item(subject, at)
            if item is not None:
                yield _Draft(item, subject.name)

    def _steady_times(self, subject: Subject) -> list[datetime]:
        times: list[datetime] = []
        for day in range(DAYS):
            begin = self.start + timedelta(days=day)
            weekday = subject.weekend if (begin + 12 * HOUR).weekday() >= 5 else 1.0
            mean = subject.rate * weekday * self.rng.gammavariate(8, 1 / 8)
            times += [begin + self.rng.random() * 24 * HOUR for _ in range(_poisson(mean, self.rng))]
        return times

    def _item(self, subject: Subject, at: datetime) -> Item | None:
        lang = _pick(subject.langs, self.rng)
        site = self._site(subject, lang, at)
        if site is None:
            return None
        at = min(self._at_rhythm(at, site, exact=subject.curve is not None), self.now)
        post = compose(self.speaker, subject.talk[lang], Manner(subject.name, lang, site.form, subject.mood))
        return self._made(subject, site, lang, at, post)

    def _site(self, subject: Subject, lang: str, at: datetime) -> Site | None:
        """Return a place where this language talks of this subject, or ``None`` where there is none."""
        for _ in range(12):
            form = _pick(subject.forms, self.rng)
            fit = [site for site in self.grammar.sites if self._fits(site, subject, lang, form, at)]
            if fit:
                return self.rng.choice(fit)
        return None

    def _fits(self, site: Site, subject: Subject, lang: str, form: str, at: datetime) -> bool:
        if site.form != form or lang not in site.langs or (form == "article" and not subject.talk[lang].headline):
            return False
        if form == "article" and subject.curve and at < self._onset(subject.curve) + subject.curve.news_after * HOUR:
            return False
        at_home = not subject.markets or not site.market or site.market in subject.markets
        return at_home and (not site.app or site.app in subject.apps)

    def _onset(self, curve: Curve) -> datetime:
        return self.now - curve.onset * HOUR

    def _at_rhythm(self, at: datetime, site: Site, *, exact: bool) -> datetime:
        """Move a moment within its day to an hour at which people here are awake."""
        if exact:
            return at.replace(microsecond=0)
        weights = OFFICE if site.form == "article" else RHYTHM
        local = self.rng.choices(range(24), weights)[0]
        midnight = self.start + (at - self.start) // timedelta(days=1) * timedelta(days=1)
        hour = (local - OFFSET.get(site.market, 8) - midnight.hour) % 24
        return (midnight + hour * HOUR + self.rng.randrange(3600) * timedelta(seconds=1)).replace(microsecond=0)

    def _made(self, subject: Subject, site: Site, lang: str, at: datetime, post: tuple[str, str]) -> Item:
        self.number += 1
        tags = self._tags(site, subject, lang)
        return Item(
            number=self.number,
            site=site.name,
            form=site.form,
            appears=at,
            published=at,
            title=post[0],
            text=post[1] + self._hashtags(site, lang),
            author=self._author(site),
            lang=lang,
            market=site.market,
            tags=tags,
            stars=self.rng.choice(subject.stars),
            reach=int(self.rng.paretovariate(1.1)) - 1,
        )

    def _tags(self, site: Site, subject: Subject, lang: str) -> tuple[str, ...]:
        if site.form != "post":
            return ()
        also = [
            other.tag
            for other in self.grammar.sites
            if other.tag in subject.tags and other.tag != site.tag and lang in other.langs
        ]
        return (site.tag, *(self.rng.sample(also, 1) if also and self.rng.random() < 0.2 else ()))

    def _hashtags(self, site: Site, lang: str) -> str:
        if site.form != "post" or self.rng.random() < 0.5:
            return ""
        return " #" + self.speaker.word(lang, "hashtag")

    def _author(self, site: Site) -> str:
        """Return a handle; some people post far more than others."""
        words = self.grammar.words["any"]
        crowd = Random(f"{site.market or site.name} {int(900 * self.rng.random() ** 2)}")  # noqa: S311  a handle
        if site.form == "article":
            return f"{crowd.choice(words['given'])} {crowd.choice(words['family'])}"
        ending = str(crowd.randrange(2, 99)) if crowd.random() < 0.6 else ""
        return (
            crowd.choice(words["handle_front"])
            + crowd.choice(("_", "", "."))
            + crowd.choice(words["handle_back"])
            + ending
        )

    # What happens to texts on the way: copied, quoted, cut, given another title, linked with a tracking parameter.

    def _copies(self, drafts: Sequence[_Draft]) -> list[_Draft]:
        made: list[_Draft] = []
        for draft in drafts:
            if self.rng.random() < COPIES and len(draft.item.text) > 40:
                copy = self._copy(draft.item)
                if copy is not None:
                    made.append(_Draft(copy, draft.subject))
        return made

    def _copy(self, item: Item) -> Item | None:
        at = item.appears + self.rng.uniform(0.3, 30) * HOUR
        site = self._elsewhere(item)
        if site is None or at > self.now:
            return None
        self.number += 1
        at = at.replace(microsecond=0)
        tags = (site.tag,) if site.tag else ()
        text, quirk = item.text, ""
        match self.rng.randrange(5):
            case 0:
                text = _cut(text)
            case 1:
                text = self.speaker.word(item.lang, "quoting").replace("@", text)
            case 2 if self.sites[item.site].format in {"rss", "atom"}:
                return replace(item, number=self.number, appears=at, quirk="tracking", query=f"from={item.number}")
            case _:
                quirk = ""
        title = self.speaker.word(item.lang, "retitle").replace("@", item.title) if item.title else ""
        return replace(
            item, number=self.number, site=site.name, market=site.market, appears=at, published=at, tags=tags,
            title=title, text=text, author=self._author(site), quirk=quirk,
        )  # fmt: skip

    def _elsewhere(self, item: Item) -> Site | None:
        fit = [
            site
            for site in self.grammar.sites
            if site.form == item.form and item.lang in site.langs and not site.app and site.name != item.site
        ]
        return self.rng.choice(fit) if fit else None

    # What is wrong with some items.

    def _oddities(self) -> list[_Draft]:
        undated = [self._odd(spec, None) for spec in self.grammar.web["undated"]]
        future = [self._odd(spec, self.now + timedelta(days=spec["days"])) for spec in self.grammar.web["future"]]
        hostile = [self._odd(spec, self.now - timedelta(days=spec["days"])) for spec in self.grammar.web["hostile"]]
        return [_Draft(item, "") for item in (*undated, *future, *hostile)]

    def _odd(self, spec: Mapping[str, str], published: datetime | None) -> Item:
        self.number += 1
        site = self.sites[spec["site"]]
        appears = self.start + self.rng.uniform(0.05, 0.9) * (self.now - self.start)
        return Item(
            number=self.number,
            site=site.name,
            form=site.form,
            appears=(published if published and published < self.now else appears).replace(microsecond=0),
            published=published,
            title=spec.get("title", ""),
            text=spec["text"].strip(),
            author=self._author(site),
            lang=spec.get("lang") or site.langs[0],
            market=site.market,
            tags=(site.tag,) if site.tag else (),
            stars=1,
            quirk=spec.get("quirk", ""),
        )

    def _gap(self) -> tuple[tuple[datetime, datetime], frozenset[str]]:
        spec = self.grammar.web["gap"]
        begin = self.now - timedelta(days=spec["days_ago"])
        return (begin, begin + timedelta(days=spec["days"])), frozenset(spec["sites"])

    def _numbered(self, drafts: Sequence[_Draft]) -> list[_Draft]:
        """Number items in the order they appear, as sites do, and give each its page; a tracked link keeps its page."""
        made = {draft.item.number: replace(draft.item, number=FIRST + 37 * place) for place, draft in enumerate(drafts)}
        return [replace(draft, item=_with_page(draft.item, made, self.sites)) for draft in drafts]

    def _truth(self, drafts: Sequence[_Draft]) -> Truth:
        curves = {subject.name: subject for subject in self.grammar.subjects if subject.curve}
        mine = {name: [draft.item for draft in drafts if draft.subject == name] for name in curves}
        first = {name: min(item.appears for item in items) for name, items in mine.items() if items}
        return Truth(
            onsets={name: at for name, at in first.items() if curves[name].planted},
            bursts={name: at for name, at in first.items() if not curves[name].planted},
            paths={name: frozenset(item.link for item in items if item.link) for name, items in mine.items()},
            texts={name: frozenset(squeeze(item.text) for item in items) for name, items in mine.items()},
        )


def _curve_times(curve: Curve, now: datetime, rng: Random) -> list[datetime]:
    """Return moments after the onset: the first exactly there, the rest by the curve, none after `now`."""
    onset = now - curve.onset * HOUR
    hours = range(math.ceil(min(curve.until, curve.onset)))
    weights = [_height(curve, hour) * math.sqrt(RHYTHM[(onset.hour + hour + 7) % 24]) for hour in hours]
    total = list(accumulate(weights))
    drawn = [bisect(total, rng.random() * total[-1]) + rng.random() for _ in range(curve.total - 1)]
    return [onset, *(min(onset + hour * HOUR, now - timedelta(minutes=2)) for hour in sorted(drawn))]


def _height(curve: Curve, hour: float) -> float:
    if hour <= curve.peak:
        return float(2 ** ((hour - curve.peak) / curve.double))
    return float(2 ** (-(hour - curve.peak) / curve.fade))


def _poisson(mean: float, rng: Random) -> int:
    """Return a Poisson draw (Knuth 1969); means here are small."""
    limit, count, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        count += 1
        product *= rng.random()
    return count


def _pick(weights: Mapping[str, float], rng: Random) -> str:
    return rng.choices(list(weights), list(weights.values()))[0]


def _inside(item: Item, gap: tuple[datetime, datetime], sites: frozenset[str]) -> bool:
    return item.site in sites and gap[0] <= item.appears < gap[1]


def _cut(text: str) -> str:
    return text[: max(30, int(len(text) * 0.72))].rstrip() + "…"


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-") or "story"


def link(item: Item, site: Site) -> str:
    """Return the path of an item's page; reviews and Algolia's comments have none."""
    match item.form:
        case "article":
            return f"/{site.name}/{item.appears:%Y/%m/%d}/{_slug(item.title)}-{item.number}.html"
        case "thread":
            return f"/{site.name}/t/{item.number}"
        case "post":
            return f"/@{item.author}/{snowflake(item)}"
    return ""


def snowflake(item: Item) -> str:
    """Return a Mastodon id: milliseconds shifted left by 16 bits, so that ids sort by time."""
    return str((int(item.appears.timestamp() * 1000) << 16) + item.number % 65536)


def _with_page(item: Item, made: Mapping[int, Item], sites: Mapping[str, Site]) -> Item:
    """Return the numbered item with its link; a tracked link leads to the page of the first."""
    new = made[item.number]
    first = made.get(int(item.query.removeprefix("from=")), new) if item.query else new
    query = f"utm_source=share&utm_medium=social&utm_campaign=w{new.number % 53}" if item.query else ""
    return replace(new, link=link(first, sites[item.site]), query=query)
