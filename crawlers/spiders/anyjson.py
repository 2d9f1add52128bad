"""Any JSON that a source's YAML describes: a list somewhere in the answer, and a JMESPath for each field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import jmespath
from jmespath.exceptions import JMESPathError
from scrapy import Request
from scrapy.http import Response
from w3lib.url import add_or_replace_parameter, url_query_parameter

from groundswell.configs.source import JsonSource, Paths
from groundswell.crawlers.addresses import absolute
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.plain_text import heading
from groundswell.crawlers.spiders.base import beginning
from groundswell.crawlers.spiders.seen import Part, SeenSpider

PAST_THE_END = frozenset({400, 404})
"""What services answer when they are asked for a page behind the last one (WordPress: 400)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, what it says, and how many items it gives."""

    response: Response
    answer: Any
    count: int


class JsonSpider(SeenSpider[JsonSource]):
    """Visits addresses that answer in JSON."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.paths = {
            name: jmespath.compile(path) for name in Paths.model_fields if (path := getattr(self.source.fields, name))
        }
        self.beside = {name: jmespath.compile(path) for name, path in self.source.keep.items() if path}
        self.first_pages: dict[str, dict[str, str]] = {}

    def requests(self) -> Iterator[Request]:
        """Ask for the first page of each address, if it has changed."""
        for url in self.source.urls:
            yield self._page(url, url, 1, self.source.paging.first)

    def read_page(self, response: Response, key: str, number: int, at: int) -> Iterator[Any]:
        """Yield the items of a page, and the request for the next."""
        if number == 1 and self.is_unchanged(response, key):
            return
        if number > 1 and response.status in PAST_THE_END:
            self.save(key, ended=True, validators=self.first_pages.get(key))
            return
        answer = self._answer(response)
        items = jmespath.search(self.source.items, answer)
        if not isinstance(items, list):
            yield self.spoil(
                key, response.url, f"no list at {self.source.items!r} (items); it begins with {beginning(response)}"
            )
            return
        if number == 1:
            self.first_pages[key] = self.validators(response)
        yield from self.take(key, items, response)
        yield from self._go_on(Answer(response, answer, len(items)), key, number, at)

    def part(self, item: Any, where: str) -> Part:
        """Return an item by its paths."""
        try:
            found = {name: path.search(item) for name, path in self.paths.items()}
            extra = {name: plain(path.search(item)) for name, path in self.beside.items()}
        except JMESPathError as error:
            raise ValueError(f"a path does not fit: {str(error)[:200]}") from None
        values = {name: plain(value) for name, value in found.items()}
        own = values.get("id") or ""
        return Part(
            own or values.get("url") or where,
            Raw(
                where=where,
                text=values.get("text") or "",
                title=heading(values.get("title") or "", is_html=self.source.html),
                is_html=self.source.html,
                url=self._link(values, where),
                own_id=own,
                by_address=self.source.by_address or not own,
                published=_stamp(found.get("published_at")),
                updated=_stamp(found.get("updated_at")),
                author=values.get("author"),
                lang=values.get("lang"),
                market=values.get("market"),
                reach=found.get("reach"),
                rating=found.get("rating"),
                thread=values.get("thread"),
                extra=extra,
            ),
        )

    def _answer(self, response: Response) -> Any:
        """Return the JSON of an answer, or of the place in a page's script where it lies.

        Raises:
            ValueError: there is none.
        """
        if self.source.between is None:
            return self.json(response)
        before, after = self.source.between
        _, found, rest = response.body.decode("utf-8", "replace").partition(before)
        inside, ended, _ = rest.partition(after)
        if not found or not ended:
            raise ValueError(f"nothing stands between {before!r} and {after!r} (between)")
        return json.loads(inside.strip().rstrip(";"))

    def _go_on(self, got: Answer, key: str, number: int, at: int) -> Iterator[Any]:
        """Keep what has been read, and yield the request for the next page, if there is one."""
        paging, reading = self.source.paging, self.reading(key)
        cursor = plain(jmespath.search(paging.next, got.answer)) if paging.next else ""
        more = {"none": False, "cursor": bool(cursor)}.get(paging.by, got.count >= paging.size or bool(cursor))
        idle = reading.was_whole and not reading.fresh
        if not more:
            self._compare(key, got.answer)
        self.save(key, ended=not more, validators=self.first_pages.get(key))
        if not more or not reading.whole:
            return
        if idle or number >= paging.pages:
            self.keep(key, {**self.marks[key], "whole": idle})
            if not idle:
                self.remark(f"{key[:200]}: only the first {number} pages were read (paging.pages)")
        elif paging.by == "cursor" and re.match(r"https?://|/", cursor):
            yield self._page(absolute(cursor, got.response.url), key, number + 1, at)
        elif paging.by == "cursor":
            yield self._page(add_or_replace_parameter(key, paging.parameter, cursor), key, number + 1, at)
        else:
            following = at + (paging.size if paging.by == "offset" else 1)
            yield self._page(key, key, number + 1, following)

    def _compare(self, key: str, answer: Any) -> None:
        """Remark it where the answer says that there are more items than it gave."""
        path = self.source.paging.total
        total, count = jmespath.search(path, answer) if path else None, self.reading(key).count
        if isinstance(total, int) and total > count:
            self.remark(f"{key[:200]}: {count:,} items of {total:,}; ask for more at once, or page by page (paging)")

    def _page(self, url: str, key: str, number: int, at: int) -> Request:
        paging = self.source.paging
        if paging.by in {"page", "offset"} and (number > 1 or url_query_parameter(url, paging.parameter) is None):
            url = add_or_replace_parameter(url, paging.parameter, str(at))
        request = self.ask(url, self.read_page, key=key, conditional=number == 1, number=number, at=at)
        if number > 1:
            request.meta["handle_httpstatus_list"] = [*request.meta["handle_httpstatus_list"], *PAST_THE_END]
        return request

    def _link(self, values: dict[str, str], where: str) -> str:
        if values.get("url"):
            return absolute(values["url"], where.split(" ", maxsplit=1)[0])
        return re.sub(r"\{(\w+)\}", lambda name: quote(values.get(name[1]) or "", safe=""), self.source.link)


def plain(value: Any) -> str:
    """Return a value as text: a list line by line, a number as it is written, nothing for nothing."""
    if isinstance(value, list):
        return "\n".join(text for each in value if (text := plain(each)))
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None or value is False else str(value).strip()


def _stamp(value: Any) -> Any:
    """Return a date as it stands; a list's first, for some services keep even dates in lists."""
    return _stamp(value[0]) if isinstance(value, list) and value else value or None
