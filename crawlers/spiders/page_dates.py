"""The dates that an article's page states of the article itself: in its data, its meta elements, beside its heading.

Footers, lists of other stories and other objects' data are left alone: their dates are true of something else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from groundswell.crawlers.dates import Statement
from groundswell.crawlers.dates.choose import What
from groundswell.crawlers.dates.spans import date_spans

LD_CHARS = 200_000
LD_SCRIPTS = 20
LD_NODES = 5_000
ARTICLES = re.compile(r"article|posting|report|review|statement|webpage|itempage|liveblog|pressrelease", re.IGNORECASE)
NOT_ITS_OWN = frozenset(
    {"itemListElement", "hasPart", "isPartOf", "mentions", "comment", "video", "image", "citation", "relatedLink"}
    | {"author", "publisher", "about", "breadcrumb", "associatedMedia", "subjectOf", "isBasedOn", "significantLink"}
)
"""Keys below which a page describes other things."""
PUBLISHED_META = (
    '//meta[@property="article:published_time" or @name="article:published_time"]/@content',
    '//meta[@property="og:published_time"]/@content',
    '//meta[@itemprop="datePublished"]/@content',
    '//meta[@name="parsely-pub-date" or @name="pubdate" or @name="publishdate" or @name="publish-date"]/@content',
    '//meta[@name="DC.date.issued" or @name="dcterms.issued" or @name="dcterms.created" or @name="DC.date"]/@content',
    '//meta[@name="publish_date" or @name="publication_date" or @name="article.published" or @name="date"]/@content',
    '//meta[@property="article:published" or @name="sailthru.date" or @name="cXenseParse:recs:publishtime"]/@content',
)
"""Where publishers state the moment, the most careful ones first."""
UPDATED_META = (
    '//meta[@property="article:modified_time" or @property="og:updated_time" or @itemprop="dateModified"]/@content',
    '//meta[@name="lastmod" or @name="last-modified" or @name="dcterms.modified"]/@content',
)
ELSEWHERE = re.compile(
    r"related|recommend|popular|sidebar|widget|trending|terkait|terpopuler|baca-juga|lien-quan|lienquan|xem-them|comment"
    r"|footer|carousel|archive|newest|latest|most-read|more-(news|stories)|read-?more|promo|sponsor|ticker|menu|relate",
    re.IGNORECASE,
)
"""Names of parts of a page that are about other stories."""
ABOUT_TIME = re.compile(
    r"date|time|publish|posted|tanggal|tgl|waktu|ngay|thoi|byline|meta|info|created|jam|hari|author|source|รันที่",
    re.IGNORECASE,
)
"""Names of elements that hold the moment."""
UPDATED = re.compile(
    r"updat|modif|diperbarui|pembaruan|kemas ?kini|cập nhật|อัปเดต|อัพเดต|แก้ไข|ปรับปรุง|更新|修改|수정|edited",
    re.IGNORECASE,
)
HOLDERS = (
    "time", "span", "div", "li", "td", "b", "em", "strong", "small", "i", "abbr", "ul", "dd", "font", "label",
    "section", "header", "p",
)  # fmt: skip
"""Elements that hold a date where their names, or the heading beside them, say so."""
APART = frozenset({"footer", "aside", "nav", "form", "select"})
MOST_ELEMENTS = 400
LONGEST_LINE = 200
STEPS_FROM_HEADING = 3
URL_DATE = re.compile(r"/(20\d\d)[/-]?(0[1-9]|1[0-2])[/-]?(0[1-9]|[12]\d|3[01])(?=[/\-_.]|$)")


@dataclass(frozen=True, slots=True)
class Page:
    """A parsed page with what tells which objects on it are its own.

    `places` remembers of elements whether they are part of a link, and of something about other stories.
    """

    root: HtmlElement
    addresses: frozenset[str]
    titles: tuple[str, ...]
    places: dict[HtmlElement, tuple[bool, bool]] = field(default_factory=dict)


def page_of(root: HtmlElement, url: str, title: str = "") -> Page:
    """Return a page with what tells its own objects from others'."""
    return Page(root, frozenset(_addresses(root, url)), tuple(_titles(root, title)))


def page_dates(page: Page, url: str) -> tuple[Statement, ...]:
    """Return what a page states of its own dates, the surest first; the day in its address is a guess."""
    found = [*_from_data(page), *_from_meta(page), *_from_elements(page)]
    if day := URL_DATE.search(urlsplit(url).path):
        found.append(Statement("-".join(day.groups()), "page", "guess"))
    return tuple(dict.fromkeys(found))


def _addresses(root: HtmlElement, url: str) -> Iterator[str]:
    for each in (
        url,
        *root.xpath('//link[@rel="canonical" or @rel="amphtml"]/@href'),
        *root.xpath('//meta[@property="og:url"]/@content'),
    ):
        yield _path(str(each))


def _path(url: str) -> str:
    """Return what of an address is the same for its AMP, mobile and shared twins; a front page's is empty."""
    path = urlsplit(url.strip()).path.lower().rstrip("/")
    return path.removesuffix(".amp").removesuffix("/amp").removeprefix("/amp")


def _titles(root: HtmlElement, title: str) -> Iterator[str]:
    headings = [each.text_content() for each in root.xpath("//h1")[:3]]
    for each in (title, *headings, *root.xpath('//meta[@property="og:title"]/@content'), *root.xpath("//title/text()")):
        if letters := _letters(str(each)):
            yield letters


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def own_data(page: Page) -> list[Mapping[str, Any]]:
    """Return the article's own JSON-LD objects."""
    scripts = page.root.xpath('//script[contains(@type, "ld+json")]/text()')[:LD_SCRIPTS]
    return _own([node for script in scripts for node in _nodes(_parsed(str(script)[:LD_CHARS]))], page)


def _from_data(page: Page) -> Iterator[Statement]:
    """Yield the dates of the article's own JSON-LD object."""
    for node in own_data(page):
        for name, what in (("datePublished", "published"), ("dateCreated", "published"), ("dateModified", "updated")):
            yield from _statement(node.get(name), what)


def _statement(value: Any, what: str) -> Iterator[Statement]:
    value = value[0] if isinstance(value, list) and value else value
    value = value.get("@value") if isinstance(value, Mapping) else value
    if isinstance(value, (str, int, float)) and not isinstance(value, bool) and value:
        kind: What = "updated" if what == "updated" else "published"
        yield Statement(value.strip() if isinstance(value, str) else value, "page", kind)


def _parsed(script: str) -> Any:
    """Return the JSON of a script, with the slips that sites make (comments around, commas too many), or ``None``."""
    text = re.sub(r"^\s*(?:<!--|//\s*<!\[CDATA\[|/\*.*?\*/)|(?:-->|//\s*\]\]>)\s*$", "", script, flags=re.DOTALL)
    for attempt in (text, re.sub(r",(\s*[}\]])", r"\1", text).rstrip("; \n")):
        try:
            return json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _nodes(data: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the objects that describe texts, those below other objects' keys left out."""
    waiting, seen = [data], 0
    while waiting and seen < LD_NODES:
        node, seen = waiting.pop(0), seen + 1
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, Mapping):
            kinds = node.get("@type") or ""
            if any(ARTICLES.search(str(kind)) for kind in (kinds if isinstance(kinds, list) else [kinds])):
                yield node
            waiting += [
                value for key, value in node.items() if key not in NOT_ITS_OWN and isinstance(value, (dict, list))
            ]


def _own(nodes: Sequence[Mapping[str, Any]], page: Page) -> list[Mapping[str, Any]]:
    """Return the objects of this very article: by address, else by headline, else the only one that names neither."""
    by_address = [node for node in nodes if page.addresses & set(_node_paths(node)) - {""}]
    by_title = [node for node in nodes if _is_titled(node, page.titles)]
    nameless = [node for node in nodes if not _node_paths(node) and not node.get("headline")]
    return by_title or by_address or (nodes_of_one(nameless) if len(nodes) == 1 else [])


def nodes_of_one(nodes: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the only node, or none."""
    return list(nodes) if len(nodes) == 1 else []


def _node_paths(node: Mapping[str, Any]) -> list[str]:
    values = [node.get("url"), node.get("@id"), node.get("mainEntityOfPage")]
    values += [value.get("@id") or value.get("url") for value in values if isinstance(value, Mapping)]
    return [_path(value) for value in values if isinstance(value, str) and "/" in value]


def _is_titled(node: Mapping[str, Any], titles: Sequence[str]) -> bool:
    headline = _letters(str(node.get("headline") or node.get("name") or ""))
    return len(headline) >= 4 and any(_alike(headline, title) for title in titles)


def _alike(one: str, other: str) -> bool:
    """Return whether one title is the other, or its beginning (sites cut them, and add their name)."""
    short, long = sorted((one, other), key=len)
    return short == long or (len(short) >= 12 and long.startswith(short[: max(12, len(short) - 3)]))


def _from_meta(page: Page) -> Iterator[Statement]:
    for paths, what in ((PUBLISHED_META, "published"), (UPDATED_META, "updated")):
        for path in paths:
            for value in page.root.xpath(path)[:2]:
                yield from _statement(str(value), what)


def _from_elements(page: Page) -> Iterator[Statement]:
    """Yield what stands in elements made for dates, and beside the heading."""
    for element in _candidates(page.root):
        if element.tag in {"script", "style", "a", "h1", "p"} or is_elsewhere(page, element):
            continue
        for stamp in (element.get("datetime"), element.get("content") if element.get("itemprop") else None):
            yield from _statement(stamp, "updated" if _is_update(element, "") else "published")
        if lines := short_text(element, LONGEST_LINE):
            for span, stands in date_spans("\n".join(lines)):
                yield from _statement(span, "updated" if _is_update(element, stands) else "published")


def short_text(element: HtmlElement, limit: int) -> list[str]:
    """Return the pieces of an element's text, or none where they have more letters than `limit` (read no further)."""
    pieces, size = [], 0
    for piece in element.itertext():
        size += len(piece)
        if size > 2 * limit:
            return []
        if piece.strip():
            pieces.append(" ".join(piece.split()))
    return pieces if sum(map(len, pieces)) <= limit else []


def _candidates(root: HtmlElement) -> list[HtmlElement]:
    """Return elements in the page's order: by what they are called, and those around the heading."""
    near = {each for heading in root.xpath("//h1")[:1] for each in _around(heading)}
    found = (each for each in root.iter(*HOLDERS) if each in near or _is_called_so(each))
    return list(islice(found, MOST_ELEMENTS))


def _is_called_so(element: HtmlElement) -> bool:
    """Return whether an element is one for dates, by its tag or its name."""
    return bool(
        element.tag == "time" or ABOUT_TIME.search(_name(element)) or element.get("itemprop") == "datePublished"
    )


def _around(heading: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the elements that follow (or precede) a heading closely, and what they hold."""
    place = heading
    for _ in range(STEPS_FROM_HEADING):
        for sibling in [*place.itersiblings(), *place.itersiblings(preceding=True)][:6]:
            if isinstance(sibling.tag, str):
                yield from list(sibling.iter("time", "span", "div", "li", "b", "em", "small", "p", "i", "strong"))[:40]
        parent = place.getparent()
        if parent is None or parent.tag in {"body", "html"}:
            return
        place = parent


def _name(element: HtmlElement) -> str:
    return " ".join(element.get(name, "") for name in ("class", "id", "itemprop", "data-role"))


def is_elsewhere(page: Page, element: HtmlElement, *, links: bool = True) -> bool:
    """Return whether an element is part of a link, a footer, an aside or a list of other stories.

    What holds the page's heading is none of these, whatever it is called (VnExpress's main column is its "sidebar-1").
    """
    above, place = [], element
    while place is not None and place not in page.places:
        above.append(place)
        place = place.getparent()
    in_link, is_apart = page.places[place] if place is not None else (False, False)
    for each in reversed(above):
        in_link, is_apart = in_link or each.tag == "a", is_apart or _is_apart(each)
        page.places[each] = (in_link, is_apart)
    return is_apart or (links and in_link)


def _is_apart(element: HtmlElement) -> bool:
    called = "" if element.tag in {"body", "html"} else f"{element.get('class', '')} {element.get('id', '')}"
    is_so = element.tag in APART or (called != " " and ELSEWHERE.search(called) is not None)
    return is_so and not element.xpath("boolean(.//h1)")


def _is_update(element: HtmlElement, text: str) -> bool:
    """Return whether an element, or what stands right before it, speaks of a change."""
    previous, parent = element.getprevious(), element.getparent()
    label = (
        previous.tail or previous.text_content() if previous is not None else parent.text if parent is not None else ""
    )
    called = f"{element.get('itemprop', '')} {element.get('class', '')}"
    return bool(UPDATED.search(f"{called} {text} {(label or '')[-30:]}"))
