"""Headlines by GDELT's DOC 2.0 search, newest first, at most 250 an answer.

Errors come in plain text under HTTP 200. `seendate` is when GDELT met the article, not when it was published.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from scrapy import Request
from scrapy.http import Response

from groundswell.configs.source import GDELT_COUNTRIES, GdeltSource
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.spiders.base import beginning
from groundswell.crawlers.spiders.listing import Item, ListSpider, Page, address, seconds
from groundswell.crawlers.spiders.stretches import Stretch, Walk

MOST = 250
FARTHEST = timedelta(days=89)
"""The search looks back three months; a span that begins earlier is refused whole."""
SEEN = "%Y%m%dT%H%M%SZ"
ASKED = "%Y%m%d%H%M%S"
LANGUAGES = {
    "english": "en", "chinese": "zh", "indonesian": "id", "malay": "ms", "thai": "th", "vietnamese": "vi",
    "tagalog": "fil", "filipino": "fil", "japanese": "ja", "korean": "ko", "hindi": "hi", "tamil": "ta", "french": "fr",
    "german": "de", "spanish": "es", "portuguese": "pt", "russian": "ru", "arabic": "ar", "italian": "it",
}  # fmt: skip
STRAY = re.compile(r'(?<!\\)((?:\\\\)*)\\(?![\\"/bfnrtu])')
MARKETS = {name: code for code, name in GDELT_COUNTRIES.items()}


class GdeltSpider(ListSpider[GdeltSource]):
    """Visits searches."""

    overlap = 3600
    """Articles are met every quarter of an hour, some of them late."""

    def requests(self) -> Iterator[Request]:
        """Ask for the newest articles of every stretch of every search."""
        for query in self.source.queries:
            for walk in self.walk_each(query):
                yield self._search(query, walk, walk.stretches[0].before)

    def read_page(self, response: Response, key: str, walk: Walk, before: int | None) -> Iterator[Any]:
        """Yield the articles of an answer, and where it was full the request for what lies below."""
        if not response.body.lstrip().startswith(b"{"):
            excerpt = response.body[:200].decode("utf-8", "replace").strip() or "nothing"
            yield self.refuse(key, response, f"GDELT answers: {excerpt}")
            return
        articles = parse(response).get("articles", [])
        if not isinstance(articles, list):
            yield self.refuse(key, response, f"no list of articles; it begins with {beginning(response)}")
            return
        page = Page()
        yield from self.take(page, walk, articles, read_article, response)
        bound = walk.bound
        is_last = len(articles) < MOST or bound is None
        if not is_last and before is not None and bound is not None and bound >= before:
            self.remark(f"{key[:60]!r}: more than {MOST} articles in one second; what GDELT leaves out is not known")
            is_last = True
        self.save(key, ended=walk if page.whole and is_last else None)
        if page.whole and not is_last:
            yield self._search(key, walk, bound)

    def _loaded(self, key: str) -> Any:
        """Return what is to be read, as far back as the search looks."""
        earliest = int((self.job.now - FARTHEST).timestamp())
        stretches: list[Stretch] = super()._loaded(key)
        near = [each for each in stretches if each.before is None or each.before > earliest]
        return [Stretch(max(each.after, earliest), each.before, each.had) for each in near]

    def _search(self, query: str, walk: Walk, before: int | None) -> Request:
        places = " OR ".join(f"sourcecountry:{GDELT_COUNTRIES[each]}" for each in self.source.countries)
        places = f"({places})" if len(self.source.countries) > 1 else places
        end = self.job.now if before is None else datetime.fromtimestamp(before, UTC)
        asked = {"query": f"{query} {places}".strip(), "mode": "artlist", "format": "json", "maxrecords": MOST}
        asked |= {"sort": "datedesc", "startdatetime": _stamp(walk.stretches[0].after), "enddatetime": f"{end:{ASKED}}"}
        url = address(self.source.url, "/api/v2/doc/doc", asked)
        return self.ask(url, self.read_page, key=query, walk=walk, before=before)


def parse(response: Response) -> dict[str, Any]:
    """Return an answer, without the backslashes that stand before any sign in titles and make it no JSON.

    Raises:
        ValueError: it is no JSON all the same.
    """
    text = STRAY.sub(r"\1", response.body.decode("utf-8", "replace"))
    try:
        answer = json.loads(text, strict=False)
    except ValueError:
        raise ValueError(f"not JSON; it begins with {beginning(response)}") from None
    return answer if isinstance(answer, dict) else {}


def read_article(article: dict[str, Any], where: str) -> Item:
    """Return a headline: GDELT gives no text. Its moment is an upper bound, so it is never called exact."""
    stated = str(article.get("seendate") or "")
    seen = _seen(stated)
    raw = Raw(
        where=where,
        text=" ".join(str(article.get("title") or "").split()),
        url=article["url"],
        published=seen or stated,
        inferred=True,
        lang=LANGUAGES.get(str(article.get("language") or "").lower(), ""),
        market=MARKETS.get(str(article.get("sourcecountry") or "").lower().replace(" ", ""), ""),
        extra={"publisher": article.get("domain"), "language": article.get("language")},
    )
    return Item(str(article["url"]), seconds(seen), raw)


def _seen(stated: str) -> datetime | None:
    try:
        return datetime.strptime(stated, SEEN).replace(tzinfo=UTC)
    except ValueError:
        return None


def _stamp(position: int) -> str:
    return f"{datetime.fromtimestamp(position, UTC):{ASKED}}"
