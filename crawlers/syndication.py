"""RSS and Atom in all their versions: what a feed says of itself and of each entry, decoded once by its own rules."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import lxml.etree

from groundswell.crawlers.plain_text import heading, text_of
from groundswell.crawlers.xml_items import BrokenItemError, Document, Part, element, name_of, take_apart

ROOTS = frozenset({"rss", "feed", "RDF", "channel", "Channel"})
ITEMS = frozenset({"item", "entry"})
BODIES = ("content:encoded", "content", "description", "summary", "body", "xhtml:body", "xhtml:div", "fullitem")
"""Where an entry's text stands; the one with the most words counts."""
LAST_BODIES = ("itunes:summary", "dc:description", "media:description", "itunes:subtitle", "dcterms:abstract")
"""What stands for a text only where there is none: a caption of a picture, a line for a player."""
PUBLISHED = ("pubDate", "published", "issued", "dc:date", "dcterms:issued", "created", "dcterms:created")
UPDATED = ("updated", "modified", "dcterms:modified")
TEXTUAL = re.compile(r"^(text(/\S+)?|html|xhtml|application/(xhtml\+xml|xml))?$", re.IGNORECASE)
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
BASE = "{http://www.w3.org/XML/1998/namespace}base"
ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"


class NoFeedError(ValueError):
    """A document that is neither RSS nor Atom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A text of an entry; `is_html` tells whether it is markup or plain."""

    value: str
    is_html: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An RSS item or an Atom entry, as it stands.

    `title` is plain text; `published` and `updated` hold every date stated, the usual place first; `links` holds
    Atom's links by relation; `publisher` is whom an aggregator took it from.
    """

    id: str = ""
    is_permalink: bool = False
    title: str = ""
    link: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    comments: str = ""
    bodies: tuple[Body, ...] = ()
    published: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    author: str = ""
    publisher: str = ""
    lang: str = ""
    base: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed: its own title, page and language, and its entries, still to be read one by one."""

    title: str
    link: str
    lang: str
    document: Document

    def entries(self) -> Iterator[tuple[Part, Entry | str]]:
        """Yield each item and its entry, or why it has none."""
        for part in self.document.parts:
            yield part, _entry(part, self.document)


def read_feed(text: str) -> Feed:
    """Return a feed.

    Raises:
        NoFeedError: the text is no feed.
    """
    document = take_apart(text, roots=ROOTS, items=ITEMS)
    if document.root not in ROOTS:
        raise NoFeedError("neither RSS nor Atom")
    children = _head_children(document)
    return Feed(
        title=heading(_first(children, "title"), is_html=True),
        link=_link(children),
        lang=document.lang or _first(children, "language", "dc:language"),
        document=document,
    )


def label_of(part: Part, entry: Entry | str) -> str:
    """Return how people find an item again: by its id, link or title, else by its number."""
    if isinstance(entry, Entry) and (name := entry.id or entry.link or entry.title):
        return " ".join(name.split())[:200]
    begin = re.search(r"<(?:guid|id|link|title)\b[^>]{0,200}>\s*(?:<!\[CDATA\[)?([^<]{1,200})", part.text[:20_000])
    return f"{part.number}" + (f" ({' '.join(begin[1].split())})" if begin else "")


def _entry(part: Part, document: Document) -> Entry | str:
    if not part.whole:
        return "cut off: its beginning or its end is not there"
    try:
        node = element(part.text, document.namespaces)
    except (BrokenItemError, ValueError) as error:
        return f"cannot be parsed: {error}"
    return read_entry(node)


def read_entry(node: Any) -> Entry:
    """Return what an element says."""
    children = _children(node)
    own_id, is_permalink = _id(node, children)
    link = _link(children)
    return Entry(
        id=own_id,
        is_permalink=is_permalink,
        title=_title(children),
        link=link or (own_id if is_permalink else ""),
        links={each.get("rel", "alternate"): each.get("href", "") for each in reversed(children.get("link", []))},
        comments=_first(children, "comments"),
        bodies=tuple(_bodies(children)),
        published=tuple(_texts(children, PUBLISHED)),
        updated=tuple(_texts(children, UPDATED)),
        author=_author(children),
        publisher=_publisher(children),
        lang=_lang(node, children),
        base=node.get(BASE, ""),
    )


def _children(node: Any) -> dict[str, list[Any]]:
    """Return the direct children by name; what is nested (a picture's title, a quoted source) is not the entry's."""
    found: dict[str, list[Any]] = {}
    for child in node:
        if name := name_of(child):
            found.setdefault(name, []).append(child)
    for group in found.get("media:group", []):
        for child in group:
            if name_of(child) == "media:description":
                found.setdefault("media:description", []).append(child)
    return found


def _head_children(document: Document) -> dict[str, list[Any]]:
    try:
        root = element(document.head.partition("?>")[2] or document.head, document.namespaces)
    except (BrokenItemError, ValueError):
        return {}
    found = _children(root)
    channel = found.get("channel")
    return _children(channel[0]) if channel else found


def _title(children: Mapping[str, list[Any]]) -> str:
    """Return the title as plain text: Atom says whether it is markup; RSS does not, and both are met."""
    for name in ("title", "dc:title", "media:title", "itunes:title"):
        for node in children.get(name, []):
            kind = (node.get("type") or "").lower()
            if kind in ("xhtml", "application/xhtml+xml") or len(node):
                found = heading(text_of(_inner(node)), is_html=False)
            else:
                found = heading(_text(node), is_html=kind not in {"text", "text/plain"})
            if found:
                return found
    return ""


def _bodies(children: Mapping[str, list[Any]]) -> Iterator[Body]:
    """Yield the texts; what only stands in for one comes where there is none."""
    found = [body for name in BODIES for node in children.get(name, []) if (body := _body(node)).value.strip()]
    yield from found or (
        Body(value=_text(node), is_html=False) for name in LAST_BODIES for node in children.get(name, [])
    )


def _body(node: Any) -> Body:
    kind = (node.get("type") or "").strip().lower()
    if node.get("src") or not TEXTUAL.match(kind):
        return Body(value="")
    if node.get("mode") == "base64":
        return Body(value=_unpacked(_text(node)), is_html=kind not in ("", "text", "text/plain"))
    if kind in ("xhtml", "application/xhtml+xml") or len(node):
        return Body(value=_inner(node))
    return Body(value=_text(node), is_html=kind not in ("text", "text/plain") or node.get("mode") == "escaped")


def _unpacked(text: str) -> str:
    try:
        return base64.b64decode(text, validate=False).decode("utf-8", "replace")
    except ValueError:
        return ""


def _inner(node: Any) -> str:
    """Return the markup inside of an element, prefixes of XHTML left out."""
    inner = [lxml.etree.tostring(child, encoding="unicode") for child in node]
    text = (node.text or "").replace("&", "&amp;").replace("<", "&lt;") + "".join(inner)
    return re.sub(r'(</?)[\w.\-]{1,40}:(?=\w)|\sxmlns(?::[\w.\-]{1,40})?="[^"]{0,500}"', r"\1", text)


def _id(node: Any, children: Mapping[str, list[Any]]) -> tuple[str, bool]:
    """Return the entry's own id, and whether it says that it is an address (RSS: unless told otherwise)."""
    if guid := children.get("guid"):
        text = _text(guid[0])
        stated = (guid[0].get("isPermaLink") or guid[0].get("ispermalink") or "true").strip().lower()
        return text, stated != "false" and text.startswith(("http://", "https://"))
    if text := _first(children, "id"):
        return text, text.startswith(("http://", "https://"))  # Atom's is an address or only looks like one
    if text := _first(children, "dc:identifier"):
        return text, False
    return (node.get(ABOUT) or "").strip(), False


def _link(children: Mapping[str, list[Any]]) -> str:
    """Return the link: the original where FeedBurner wraps it, Atom's alternate, RSS's text."""
    if original := _first(children, "feedburner:origLink", "feedburner:origlink"):
        return original
    links = children.get("link", [])
    for wanted in ("alternate", None):
        for node in links:
            if node.get("href") and node.get("rel", "alternate") == "alternate" and wanted:
                return str(node.get("href")).strip()
            if not wanted and (text := _text(node)):
                return text
    return ""


def _author(children: Mapping[str, list[Any]]) -> str:
    for name in ("author", "dc:creator", "dc:author", "itunes:author", "creator"):
        for node in children.get(name, []):
            named = [child for child in node if name_of(child) == "name"]
            if text := _text(named[0] if named else node):
                return text
    return ""


def _publisher(children: Mapping[str, list[Any]]) -> str:
    for node in children.get("source", []):
        named = [child for child in node if name_of(child) == "title"]
        if text := _text(named[0] if named else node):
            return heading(text, is_html=True)
    return ""


def _lang(node: Any, children: Mapping[str, list[Any]]) -> str:
    for name in ("title", *BODIES):
        for child in children.get(name, []):
            if child.get(LANGUAGE):
                return str(child.get(LANGUAGE))
    return str(node.get(LANGUAGE) or _first(children, "dc:language", "language"))


def _texts(children: Mapping[str, list[Any]], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        for node in children.get(name, []):
            if text := _text(node):
                yield text


def _first(children: Mapping[str, list[Any]], *names: str) -> str:
    return next(_texts(children, names), "")


def _text(node: Any) -> str:
    return "".join(node.itertext()).strip()
