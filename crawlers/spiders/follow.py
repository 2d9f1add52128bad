"""What spiders share that follow links from a list to articles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from scrapy import Request
from scrapy.http import Response, TextResponse
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from groundswell.crawlers.encoding import EncodingError
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.spiders.article import read_article
from groundswell.crawlers.spiders.base import Missed, SourceSpider, explain
from groundswell.index.ids import stable_id

GONE = frozenset({401, 402, 403, 404, 410, 451})
"""Answers that will be the same tomorrow; an article that got one is not asked for again."""


class ArticleSpider(SourceSpider[Any]):
    """A spider that follows links to articles, each once in each version.

    The mark of a list of links holds which versions have been read. While some are still to be read (a failure, the
    limit of a visit, a kill) the list's validators are withheld, so that the next visit gets the list again.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.waiting: Counter[str] = Counter()

    def article(self, url: str, raw: Raw, *, key: str, version: str) -> Request | None:
        """Return a request for an article, unless this version has been read or this visit is full."""
        name = stable_id(url)
        mark = self.marks.setdefault(key, {})
        seen = mark.setdefault("seen", {})
        if self.job.marks.get(key, {}).get("seen", {}).get(name) == version:
            seen[name] = version
            return None
        self.waiting[key] += 1
        if self.is_full():
            return None
        self.taken += 1
        request = self.ask(url, self.read_page, key=key, raw=raw, name=name, version=version)
        return request.replace(errback=self.on_missed)

    def read_page(self, response: Response, key: str, raw: Raw, name: str, version: str) -> Iterator[Raw | Missed]:
        """Yield the article of a page, else what the list itself said."""
        self._done(key, name, version)
        try:
            found = read_article(self.readable(response), raw.title)
        except EncodingError as error:
            yield raw if raw.text else Missed(where=raw.where, reason=f"{response.url[:200]}: {error}")
            return
        if found is None and not raw.text:
            kind = (response.headers.get(b"Content-Type") or b"").decode("latin-1")[:60]
            yield Missed(where=raw.where, reason=f"no article on the page {response.url[:200]} ({kind})")
        elif found is None or len(found.text) < len(str(raw.text or "")):
            yield raw
        else:
            yield replace(
                raw,
                text=found.text,
                is_html=False,
                title=raw.title or found.title,
                statements=(*raw.statements, *found.dates),
                author=raw.author or found.author,
                lang=raw.lang or found.lang,
            )

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
        gone = isinstance(failure.value, HttpError) and failure.value.response.status in GONE
        if gone:
            self._done(given["key"], given["name"], given["version"])
        if given["raw"].text:
            yield given["raw"]
        else:
            later = "" if gone else "; asked again at the next visit"
            yield Missed(where=request.url, reason=f"article could not be fetched: {explain(failure)}{later}")

    def final_marks(self) -> dict[str, Any]:
        """Return the marks; validators only where every article of the list has been read."""
        marks = super().final_marks()
        return {key: {"seen": mark["seen"]} if self.waiting[key] else mark for key, mark in marks.items()}

    def _done(self, key: str, name: str, version: str) -> None:
        self.marks[key]["seen"][name] = version
        self.waiting[key] -= 1
