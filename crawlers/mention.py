"""The one place where a raw item of any format becomes a `Mention`, or is refused with its reason."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from groundswell.configs.schema import CrawlSettings
from groundswell.configs.source import FileSource, Source
from groundswell.crawlers.addresses import canonical, former, unwrapped
from groundswell.crawlers.dates import DateLocale, Order, Stamp, Statement, When, choose_date
from groundswell.crawlers.handles import Mask, brand_names, without_author
from groundswell.crawlers.handover import OffTopic
from groundswell.crawlers.identity import Candidate
from groundswell.crawlers.own_words import CONVERSATION, own_plain, own_words
from groundswell.crawlers.plain_text import heading, one_line, tidy
from groundswell.crawlers.watch import Watcher
from groundswell.index.ids import author_key, mention_id, stable_id
from groundswell.index.personal_data import masked
from groundswell.index.records import Mention, Refusal

LANG = re.compile(r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$")
MARKET = re.compile(r"^[A-Za-z]{2}$")
BINARY_SHARE = 0.1
"""Control or replacement characters above this share make a text binary."""
UNDECODED = re.compile("[\udc80-\udcff]")
ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffd]")
SAMPLE = 200
TITLE_CHARS = 500
EXTRA_CHARS = 500
EXTRA_FIELDS = 40
PERSONAL = re.compile(
    r"(^|[_\W])(user|username|name|author|avatar|e?mail|phone|handle|screen_?name|reviewer|profile|image|ip)([_\W]|$)"
    r"|user_?(name|image|id)|author",
    re.IGNORECASE,
)
# No rating, score or reach is larger.
MOST_OF_A_NUMBER = 1e12
"""Columns that sound like people; they are never kept unless asked for by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """What a spider or a file reader found, as it was found.

    `where` says where it stood, for people (``reviews.csv:17``). `published` may be of any form `read_date` takes;
    `updated` is used where `published` cannot be. `statements` are what the list says besides, and what the item's own
    page does; they fill in what is left open, and never overrule the day of a usable `published`. `inferred` tells that
    `published` is a guess (a sitemap's lastmod). `date_order` is how a file's whole column writes dates of numbers.
    `own_id` is the source's own id; `by_address` tells whether the address identifies the item better than that (an
    article does; a review only shares its product's page), and `may_share` that several items may have one address (of
    a feed nobody knows), so that both decide.
    """

    where: str
    text: Any
    title: Any = ""
    title_is_html: bool = False
    is_html: bool = False
    url: str = ""
    own_id: str = ""
    by_address: bool = True
    may_share: bool = False
    published: Stamp = None
    updated: Stamp = None
    inferred: bool = False
    statements: tuple[Statement, ...] = ()
    date_order: Order = ""
    author: Any = ""
    lang: Any = ""
    market: Any = ""
    reach: Any = None
    rating: Any = None
    thread: Any = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


Made = Mention | Refusal | OffTopic
"""What a raw item becomes."""


class Builder:
    """Makes mentions of one source."""

    def __init__(
        self, source: Source, settings: CrawlSettings, *, salt: str, now: datetime, watcher: Watcher | None = None
    ) -> None:
        self.watcher = watcher
        self.masked = Mask(source=source.name, salt=salt, brands=brand_names(tuple(settings.watch)))
        self.source, self.settings, self.salt, self.now = source, settings, salt, now
        self.pattern = source.date_format if isinstance(source, FileSource) else ""

    def build(self, raw: Raw) -> Made:
        """Return the mention, or why there is none."""
        try:
            return self._on_topic(self._mention(raw), raw.where)
        except Exception as error:  # noqa: BLE001  whatever an item does, it is refused and never lost in silence
            return self.refuse(raw.where, f"cannot be understood: {error}")

    def _on_topic(self, made: Mention | Refusal, where: str) -> Made:
        if self.watcher is None or not isinstance(made, Mention):
            return made
        return made if self.watcher.meets(f"{made.title}\n{made.text}", made.lang) else OffTopic(tidy(where)[:200])

    def identities(self, raw: Raw) -> list[str]:
        """Return the ids that an item has, or had under earlier versions."""
        ids = self._ids(raw, canonical(raw.url), str(raw.title or ""), str(raw.text or ""))
        return [ids["id"], *ids["others"]]

    def refuse(self, where: str, reason: str, sample: object = "") -> Refusal:
        """Return a refusal; the same item refused again for the same reason is the same refusal."""
        return Refusal(
            id=stable_id("refusal", self.source.name, where, reason),
            source=self.source.name,
            where=tidy(where)[:TITLE_CHARS],
            reason=tidy(reason)[:TITLE_CHARS],
            at=self.now,
            sample=self._kept(tidy(str(sample)[: 4 * SAMPLE])[:SAMPLE], self.source.market),
        )

    def _mention(self, raw: Raw) -> Mention | Refusal:
        text = "" if raw.text is None else str(raw.text)
        if reason := self._unreadable(text):
            return self.refuse(raw.where, reason, text)
        words = (own_words if raw.is_html else own_plain)(text, kind=self.source.kind)
        text = words.own
        title = heading(str(raw.title or ""), is_html=raw.title_is_html)[:TITLE_CHARS]
        author = one_line(str(raw.author or ""))
        if reason := self._too_short(text or title):
            return self.refuse(raw.where, reason, text)
        lang, market = _lang(raw.lang) or self.source.lang, _market(raw.market) or self.source.market
        when, stated = self._date(raw, lang, market)
        address = canonical(raw.url)
        extra = bounded({**raw.extra, "quoted": raw.extra.get("quoted") or words.quoted})
        extra |= {
            name: self._kept(each, market) for name, each in extra.items() if isinstance(each, str) and name != "link"
        }
        if when.why and stated is not None:
            extra["stated_date"], extra["date_note"] = str(stated)[:100], when.why
        if len(text) > self.settings.max_text_chars:
            extra["cut_from_chars"] = len(text)
        if raw.may_share and raw.own_id and canonical(raw.own_id) != address:
            extra["guid"] = one_line(raw.own_id)[:EXTRA_CHARS]
        shown = self._kept(without_author(title, author) if self.source.kind in CONVERSATION else title, market)
        return Candidate(
            **self._ids(raw, address, title, text),
            source=self.source.name,
            kind=self.source.kind,
            title=shown,
            text=(self._kept(text, market) or shown)[: self.settings.max_text_chars],
            url=address and unwrapped(raw.url),
            canonical_url=address,
            author_key=author_key(author, source=self.source.name, salt=self.salt),
            lang=lang,
            market=market,
            published_at=when.at,
            date_confidence=when.confidence,
            fetched_at=self.now,
            reach=_whole(raw.reach),
            rating=_number(raw.rating),
            thread=one_line(str(raw.thread or ""))[:TITLE_CHARS],
            extra=extra,
        )

    def _kept(self, text: str, market: str) -> str:
        """Return a text as it is kept: without what is personal in it, and with tokens instead of accounts."""
        return self.masked(masked(text, market=market) if self.settings.mask_personal_data else text)

    def _ids(self, raw: Raw, address: str, title: str, text: str) -> dict[str, Any]:
        """Return the ids of an item: what it is called, what it may be called already, what if that is another's."""
        native, source = one_line(raw.own_id), self.source.name
        stamp = raw.published or raw.updated or ""
        own = mention_id(source=source, native_id=native, text=f"{stamp}\x1f{title}\x1f{text}")
        before = () if native else (mention_id(source=source, text=f"{raw.published}\x1f{text}"),)
        pages = [mention_id(canonical_url=each) for each in (address, *former(raw.url))] if address else []
        if address and (raw.by_address or not (native or raw.may_share)):
            mine = (own, *before) if raw.may_share else ()
            is_page = bool(native) and canonical(native) == address  # its id says so: a corrected text stays the same
            return {"id": pages[0], "others": (*mine, *pages[1:]), "own": own if raw.may_share and not is_page else ""}
        return {"id": own, "others": (*before, *(pages if raw.may_share else ())), "own": own if raw.may_share else ""}

    def _date(self, raw: Raw, lang: str, market: str) -> tuple[When, Stamp]:
        """Return when an item was published, and the statement that says so."""
        is_file = isinstance(self.source, FileSource)
        locale = DateLocale(self.source.timezone, market, lang, raw.date_order, serials=is_file)
        listed = Statement(raw.published, what="guess" if raw.inferred else "published")
        statements = (listed, Statement(raw.updated, what="updated"), *raw.statements)
        return choose_date(statements, now=self.now, locale=locale, pattern=self.pattern)

    def _unreadable(self, text: str) -> str:
        if (size := len(text)) > self.settings.max_page_bytes:
            return f"too long: {size:,} characters, at most {self.settings.max_page_bytes:,} (crawl.max_page_bytes)"
        if UNDECODED.search(text):
            return "wrong encoding: some bytes are not of the encoding that the source names (encoding)"
        return "binary: not a text" if len(ODD.findall(text)) > BINARY_SHARE * size else ""

    def _too_short(self, text: str) -> str:
        if not text:
            return "empty: no text"
        least = self.source.min_chars
        return f"too short: {len(text)} characters, at least {least} (min_chars)" if len(text) < least else ""


def bounded(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return JSON-safe fields: at most 40, texts at most 500 characters, empty ones left out."""
    accepted: dict[str, Any] = {}
    for name, value in list(fields.items())[:EXTRA_FIELDS]:
        if value is None or value == "" or (isinstance(value, float) and not math.isfinite(value)):
            continue
        plain = value if isinstance(value, (bool, int, float)) else tidy(str(value)[: 2 * EXTRA_CHARS])[:EXTRA_CHARS]
        accepted[tidy(str(name))[:100]] = plain
    return accepted


def is_personal(name: str) -> bool:
    """Return whether a column's name sounds like a person's name, address or picture."""
    return bool(PERSONAL.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)))


def _lang(value: Any) -> str:
    text = str(value or "").strip().replace("_", "-")
    return text.split("-")[0].lower() + text[len(text.split("-")[0]) :] if LANG.match(text) else ""


def _market(value: Any) -> str:
    text = str(value or "").strip()
    return text.upper() if MARKET.match(text) else ""


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if abs(number) < MOST_OF_A_NUMBER else None  # NaN and infinity are not below it


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None or number < 0 else int(number)
