"""What spiders share that read lists: which entries are new, which are left, and the articles they lead to."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from scrapy import Request
from scrapy.http import HtmlResponse, Response, TextResponse
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from groundswell.crawlers.addresses import canonical
from groundswell.crawlers.apart import LARGE, Found, look_apart
from groundswell.crawlers.encoding import EncodingError
from groundswell.crawlers.handover import Trouble
from groundswell.crawlers.hosts import Postponed
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.reading import look
from groundswell.crawlers.spiders.article import Article
from groundswell.crawlers.spiders.base import Missed, SourceSpider, explain
from groundswell.crawlers.titles import without_publisher
from groundswell.index.ids import stable_id

GONE = frozenset({401, 402, 403, 404, 410, 451})
"""Answers that will be the same tomorrow; an article that got one is not asked for again."""
TRIES = 5
"""Visits in a row that ask for an article which is not to be had; after them it is asked for now and then."""
NOW_AND_THEN = timedelta(hours=6)
PATIENCE = timedelta(days=3)
"""How long an article is asked for at all."""
REMEMBERED = 5000
"""Entries that are remembered after they have left their list, for lists shrink and come back."""
SHRUNK = 0.25
"""A list with less than this share of its entries has lost them, rather than moved on."""
MANY = 8
"""Entries from which that can be told."""


TURN = "turn"
"""Mark that holds with which list the next visit begins."""
MOST_OWED = 20
"""Articles that are remembered where a visit had no time for any."""
OWED = ("url", "published", "updated", "inferred", "lang")


class ArticleSpider(SourceSpider[Any]):
    """A spider that reads lists, and follows their links to articles, each once in each version.

    The mark of a list holds which versions of its entries have been read (``seen``), and how often others were asked
    for in vain (``tries``). While some are still to be read (a failure, the limit of a visit, a kill) the list's
    validators are withheld, so that the next visit gets the list again.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.waiting: Counter[str] = Counter()
        self.in_vain: Counter[str] = Counter()
        self.owed: dict[str, list[dict[str, Any]]] = {}
        self.had: dict[str, dict[str, str]] = {}
        self.postponed_list = ""
        self.answered = 0

    def in_turn(self) -> list[str]:
        """Return the addresses of the lists, first the one that the last visit did not get to."""
        urls, first = list(self.source.urls), self.job.marks.get(TURN)
        start = urls.index(first) if first in urls else 0
        return urls[start:] + urls[:start]

    def owed_first(self) -> Iterator[Request]:
        """Yield requests for articles where the last visit had time for their list only; then comes the list."""
        for key, before in self.job.marks.items():
            owed = before.get("owed") if isinstance(before, dict) else None
            for each in owed or ():
                if key not in self.marks:
                    self.keep(key, {name: before.get(name, {}) for name in ("seen", "tries", "size")} | {"seen": {}})
                raw = Raw(where=each["url"], text="", **{name: each[name] for name in OWED})
                self.waiting[key] += 1
                more = {"raw": raw, "name": stable_id(raw.url), "version": each["version"]}
                yield self.ask(raw.url, self.read_page, key=key, **more).replace(errback=self.on_missed)

    def begin_list(self, key: str, response: Response, count: int) -> None:
        """Start the mark of a list that has `count` entries now."""
        before, read = int(self.before(key).get("size", 0)), self.marks.get(key, {}).get("seen", {})
        self.had[key] = dict(read)
        self.marks[key] = self.validators(response) | {"seen": read, "tries": {}, "size": max(count, before // 2)}
        if before >= MANY and count < SHRUNK * before:
            self.waiting[key] += 1
            self.remark(f"{response.url[:300]} has {count} entries, where {before} stood; read again at the next visit")

    def before(self, key: str) -> Mapping[str, Any]:
        """Return the mark of the last visit."""
        mark: Mapping[str, Any] = self.job.marks.get(key, {})
        return mark

    def is_new(self, key: str, name: str, version: str) -> bool:
        """Return whether this version of an entry has not been read, and may be now; what may not is left."""
        if version in (self.before(key).get("seen", {}).get(name), self.had.get(key, {}).get(name)):
            self.marks[key]["seen"][name] = version
            return False
        if self.is_full():
            self.waiting[key] += 1
            self.leave()
            return False
        self.taken += 1
        return True

    def entry(self, raw: Raw, *, key: str) -> Iterator[Raw]:
        """Yield an entry that is not followed. One that is known costs nothing and shows that the list is alive."""
        name = stable_id(raw.own_id, raw.url, str(raw.title))
        version = stable_id(str(raw.title), str(raw.text))[:8]
        is_read = self.before(key).get("seen", {}).get(name) == version
        if self.is_new(key, name, version):
            self.marks[key]["seen"][name] = version
            yield raw
        elif is_read:
            yield raw

    def article(self, url: str, raw: Raw, *, key: str, version: str) -> Iterator[Request | Raw]:
        """Yield a request for an article, unless this version has been read or this visit is full.

        One that another source has read in this run is not asked for again.
        """
        name = stable_id(url)
        if not self._is_due(key, name) or not self.is_new(key, name, version):
            return
        if read := self.job.hosts.articles.get(canonical(url)):
            self.marks[key]["seen"][name] = version
            yield with_article(raw, read)
            return
        self.waiting[key] += 1  # until it has been read: it may never come to that
        request = self.ask(url, self.read_page, key=key, raw=raw, name=name, version=version)
        yield request.replace(errback=self.on_missed)

    async def read_page(
        self, response: Response, key: str, raw: Raw, name: str, version: str
    ) -> AsyncIterator[Raw | Missed]:
        """Yield the article of a page, else what the list itself said."""
        self.answered += 1
        found, wall = await self._read(response, raw)
        for item in (
            self._try_later(f"{wall} instead", key, raw, name, version)
            if wall
            else self._read_whole(response, found, raw, (key, name, version))
        ):
            yield item

    def _read_whole(
        self, response: Response, found: Article | None, raw: Raw, entry: tuple[str, str, str]
    ) -> Iterator[Raw | Missed]:
        """Yield the article, or what the list said where that is more."""
        self._done(*entry)
        if found is None and not raw.text:
            kind = (response.headers.get(b"Content-Type") or b"").decode("latin-1")[:60]
            yield Missed(where=raw.where, reason=f"no article on the page {response.url[:200]} ({kind})")
        elif found is None:
            yield raw
        else:
            article = replace(found, title=without_publisher(found.title, _site_names(response), [response.url]))
            self.job.hosts.remember(canonical(raw.url), article)
            yield with_article(raw, article)

    async def _read(self, response: Response, raw: Raw) -> Found:
        """Return the article on a page, and what stands in its place. A large page does not hold up the others."""
        summary = {"title": str(raw.title or ""), "summary": str(raw.text or ""), "url": raw.url}
        try:
            page = self.readable(response)
            return look(page, **summary) if len(page.body) < LARGE else await look_apart(page, summary)
        except EncodingError as error:
            return None, str(error)
        except Exception as error:  # noqa: BLE001  whatever a page does to a parser, it costs one article
            return None, f"a page that cannot be understood ({type(error).__name__}: {str(error)[:100]})"

    def readable(self, response: Response) -> Response:
        """Return a page in UTF-8, whatever it came in.

        Raises:
            EncodingError: it names an encoding that nobody knows.
        """
        if not isinstance(response, TextResponse):
            return response
        return response.replace(body=self.text(response).encode("utf-8", "replace"), encoding="utf-8")

    def on_missed(self, failure: Failure) -> Iterator[Raw | Missed]:
        """Keep what the list said of an article that cannot be fetched; ask again next time unless it is gone."""
        request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy adds it
        given = request.cb_kwargs
        if isinstance(failure.value, Postponed):
            self._owe(given["key"], given["raw"], given["version"])
            self.postpone(failure.value)
        elif isinstance(failure.value, HttpError) and failure.value.response.status in GONE:
            self._done(given["key"], given["name"], given["version"])
            yield from self._kept(given["raw"], f"article could not be fetched: {explain(failure)}")
        else:
            why = f"article could not be fetched: {explain(failure)}"
            yield from self._try_later(why, given["key"], given["raw"], given["name"], given["version"])

    def on_failure(self, failure: Failure) -> Iterator[Trouble]:
        """Remember the first list that this visit did not get to: the next one begins with it."""
        request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy adds it
        if isinstance(failure.value, Postponed) and request.meta["key"] in self.source.urls:
            self.postponed_list = self.postponed_list or request.meta["key"]
        yield from super().on_failure(failure)

    def _owe(self, key: str, raw: Raw, version: str) -> None:
        """Note an article that this visit had no time for; nothing of what its list says of persons is kept."""
        owed = self.owed.setdefault(key, [])
        if len(owed) < MOST_OWED:
            owed.append({name: getattr(raw, name) for name in OWED} | {"version": version})

    def final_marks(self) -> dict[str, Any]:
        """Return the marks; validators only where every entry of the list has been read."""
        if self.postponed_list:
            self.keep(TURN, self.postponed_list)
        if self.in_vain:
            most = "; ".join(f"{count} times {why}" for why, count in self.in_vain.most_common(3))
            self.remark(f"{self.in_vain.total()} articles were not to be had ({most}): asked again next time")
        return {key: self._whole(key, mark) for key, mark in super().final_marks().items()}

    def _whole(self, key: str, mark: Any) -> Any:
        """Return a list's mark as it is kept."""
        if not isinstance(mark, dict) or "seen" not in mark:
            return mark
        gone = {name: version for name, version in self.before(key).get("seen", {}).items() if name not in mark["seen"]}
        seen = dict(list(gone.items())[-REMEMBERED:]) | mark["seen"]
        mark_now = {"seen": seen, "tries": mark.get("tries", {}), "size": mark.get("size", 0)}
        if not self.answered and key in self.owed:
            mark_now["owed"] = self.owed[key]
        return mark_now if self.waiting[key] else mark | mark_now

    def _is_due(self, key: str, name: str) -> bool:
        """Return whether an article may be asked for; one that is not to be had is asked for less and less often."""
        tries, _, last = self.before(key).get("tries", {}).get(name, (0, "", ""))
        if tries < TRIES or self.job.now - datetime.fromisoformat(last) >= NOW_AND_THEN:
            return True
        self.marks[key]["tries"][name] = self.before(key)["tries"][name]
        self.waiting[key] += 1
        return False

    def _try_later(self, why: str, key: str, raw: Raw, name: str, version: str) -> Iterator[Raw | Missed]:
        """Keep what the list said, and ask again at a later visit, but not for ever."""
        now = self.job.now
        tries, first, _ = self.before(key).get("tries", {}).get(name, (0, now.isoformat(), ""))
        if tries + 1 >= TRIES and now - datetime.fromisoformat(first) >= PATIENCE:
            self._done(key, name, version)
            yield from self._kept(raw, f"{why}; given up after {tries + 1} visits")
            return
        self.marks[key]["tries"][name] = [tries + 1, first, now.isoformat()]
        self.in_vain[why.removeprefix("article could not be fetched: ")] += 1
        if name not in self.before(key).get("seen", {}):  # else a whole text is stored, and better than a summary
            yield from self._kept(raw, f"{why}; asked again at the next visit")

    @staticmethod
    def _kept(raw: Raw, why: str) -> Iterator[Raw | Missed]:
        """Yield what the list itself said, or why there is nothing."""
        yield raw if raw.text else Missed(where=raw.url or raw.where, reason=why)

    def _done(self, key: str, name: str, version: str) -> None:
        self.marks[key]["seen"][name] = version
        self.waiting[key] -= 1


def with_article(raw: Raw, found: Article) -> Raw:
    """Return what a list said with what the page says, or alone where that is more."""
    if len(found.text) < len(str(raw.text or "")):
        return raw
    return replace(
        raw,
        text=found.text,
        is_html=False,
        title=raw.title or found.title,
        statements=(*raw.statements, *found.dates),
        author=raw.author or found.author,
        lang=raw.lang or found.lang,
    )


def _site_names(response: Response) -> list[str]:
    """Return what a site calls itself."""
    if not isinstance(response, HtmlResponse):
        return []
    return response.xpath('//meta[@property="og:site_name" or @name="application-name"]/@content').getall()[:3]
