"""Feeds and sitemaps as they are: taken apart item by item, so that one broken item costs no other.

No entity is expanded but HTML's own names for letters, no document type is read, nothing is fetched. Each item is
parsed by itself, so memory and depth are bounded by one item.
"""

from __future__ import annotations

import html
import html.entities
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import lxml.etree

NAMESPACES = {
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "media": "http://search.yahoo.com/mrss/",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "image": "http://www.google.com/schemas/sitemap-image/1.1",
    "video": "http://www.google.com/schemas/sitemap-video/1.1",
    "news": "http://www.google.com/schemas/sitemap-news/0.9",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "thr": "http://purl.org/syndication/thread/1.0",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "xhtml": "http://www.w3.org/1999/xhtml",
    "atom": "http://www.w3.org/2005/Atom",
}
"""Prefixes as everybody uses them."""
SPELLINGS = (
    ("content", "rss/1.0/modules/content"), ("dcterms", "purl.org/dc/terms"), ("dc", "purl.org/dc/elements"),
    ("media", "search.yahoo.com/mrss"), ("itunes", "podcast-1.0.dtd"), ("image", "sitemap-image"),
    ("video", "sitemap-video"), ("news", "sitemap-news"), ("rdf", "22-rdf-syntax-ns"),
    ("thr", "syndication/thread"), ("feedburner", "rssnamespace.org/feedburner"), ("xhtml", "1999/xhtml"),
    ("atom", "2005/atom"), ("atom", "purl.org/atom"),
    ("", "purl.org/rss/1.0"), ("", "purl.org/rss/0.9"), ("", "purl.org/net/rss1.1"), ("", "my.netscape.com"),
    ("", "backend.userland.com"), ("", "harvard.edu"), ("", "sitemaps.org/schemas"), ("", "schemas/sitemap/"),
)  # fmt: skip
"""What an address of a namespace holds, whatever its version, scheme and last slash (half of the world errs there)."""
NAME = r"[A-Za-z_][\w.\-]*+(?::[A-Za-z_][\w.\-]*+)?"
ATTRIBUTES = r"""(?:[^<>"']++|"[^<"]*+"|'[^<']*+')*+"""
MARKUP = re.compile(rf"<!--|<!\[CDATA\[|<(?P<close>/?)(?P<name>{NAME})(?=[\s/>])(?P<rest>{ATTRIBUTES})>")
DOCTYPE = re.compile(r"<!DOCTYPE\b[^\[<>]*+(?:\[[^\]]*+\]\s*+)?>", re.IGNORECASE)
BEGIN_DOCTYPE = re.compile(r"<!DOCTYPE\b", re.IGNORECASE)
ENTITY = re.compile(r"<!ENTITY\s+([\w.\-]{1,60})\s")
DECLARED = re.compile(r"""\bxmlns(?::([\w.\-]+))?\s*=\s*["']([^"'<>]{1,500})["']""")
USED = re.compile(r"</?([A-Za-z_][\w.\-]*+):(?=\w)|\s([A-Za-z_][\w.\-]*+):[\w.\-]++\s*=")
LANG = re.compile(r"""\bxml:lang\s*=\s*["']([\w-]{1,35})["']""")
BASE = re.compile(r"""\bxml:base\s*=\s*["']([^"'<>]{1,2000})["']""")
ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
REFERENCE = re.compile(r"&(?:#(?:\d{1,9}|[xX][0-9A-Fa-f]{1,8});?|[A-Za-z][A-Za-z0-9]{1,31};)?")
SURROGATES = re.compile(
    r"&#(?:(5[56]\d{3})|[xX]([dD][89abAB][0-9A-Fa-f]{2}));&#(?:(5[67]\d{3})|[xX]([dD][c-fC-F][0-9A-Fa-f]{2}));"
)
STRAY = re.compile(r"<(?![A-Za-z_/!?])")
XML_OWN = frozenset({"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"})
CDATA, CDATA_END, COMMENT, COMMENT_END = "<![CDATA[", "]]>", "<!--", "-->"
SECTION = re.compile(r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<\?[\w-].*?(?:\?>|\Z)", re.DOTALL)
HOLDER = re.compile(
    r"<(title|description|summary|subtitle|content|tagline|\w+:(?:encoded|description|summary|title))"
    rf"((?:\s{ATTRIBUTES})?)>",
    re.IGNORECASE,
)
"""Elements whose content is text for people, so that broken markup in it is theirs alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One item of a document, not yet parsed. `whole` tells whether its beginning and its end were there."""

    number: int
    text: str
    whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An XML document taken apart.

    `root` is the local name of its root, `namespaces` the prefixes that it declares ("" is the default one), `lang`
    and `base` its ``xml:lang`` and ``xml:base``, `head` all that is no item, `parts` the items.
    """

    root: str
    parts: list[Part]
    namespaces: Mapping[str, str] = field(default_factory=dict)
    lang: str = ""
    base: str = ""
    head: str = ""


class BrokenItemError(ValueError):
    """An item that cannot be parsed, and why."""


def take_apart(text: str, *, roots: frozenset[str], items: frozenset[str]) -> Document:
    """Return a document's items: the elements with one of these local names.

    What looks like an item inside a comment or CDATA is none. An item that is not closed ends where the next one
    begins; one whose beginning is broken, or that the document's end cuts off, is not `whole`. A root of another name
    than `roots` is passed over (some servers print their warnings first); where there is none of them, `root` is the
    first element's name.
    """
    parts: list[Part] = []
    rest: list[str] = []
    root, first, attributes, inside = "", "", "", ""
    at, begin = 0, -1
    text = _without_entities(text)
    for tag, start, end in _tags(text):
        name, closes = tag["name"], bool(tag["close"])
        prefix, _, local = name.rpartition(":")
        first = first or local
        if not root and local in roots:
            root, attributes = local, tag["rest"]
        if local not in items or (prefix in NAMESPACES and prefix != "atom") or (inside and name != inside):
            continue
        if begin >= 0 and not closes:
            parts.append(Part(number=len(parts) + 1, text=text[begin:start]))
        elif begin < 0 and closes:
            parts.append(Part(number=len(parts) + 1, text=text[at:end], whole=False))
            rest.append(text[at:start])
            at = end
            continue
        else:
            rest.append(text[at:start] if not closes else "")
        begin, inside = (start, name) if begin < 0 or not closes else (begin, inside)
        if closes or tag["rest"].endswith("/"):
            parts.append(Part(number=len(parts) + 1, text=text[begin:end]))
            at, begin, inside = end, -1, ""
    if begin >= 0:
        parts.append(Part(number=len(parts) + 1, text=text[begin:], whole=False))
    else:
        rest.append(text[at:])
    lang, base = LANG.search(attributes), BASE.search(attributes)
    return Document(
        root=root or first,
        parts=parts,
        namespaces={prefix: html.unescape(uri) for prefix, uri in DECLARED.findall(attributes)},
        lang=lang[1] if lang else "",
        base=html.unescape(base[1]) if base else "",
        head="".join(rest),
    )


def element(text: str, namespaces: Mapping[str, str]) -> lxml.etree._Element:
    """Return one item as an element: as it stands, else with broken texts taken as texts, else what can be saved.

    Raises:
        BrokenItemError: nothing of it can be parsed.
    """
    for step, recover in ((mend, False), (_texts_apart, False), (_texts_apart, True)):
        attempt = step(text)
        try:
            root = lxml.etree.fromstring(_wrapped(attempt, namespaces), _parser(recover=recover))
        except lxml.etree.XMLSyntaxError:
            continue
        if root is not None and len(root):
            return root[0]
    raise BrokenItemError("not XML")


def mend(text: str) -> str:
    """Return XML text whose references are all ones that XML knows: letters for HTML's names and for pairs of halves.

    A bare ``&`` is one, a ``<`` that begins no tag is one, letters that XML forbids are gone. CDATA is left as it is.
    """
    text = ILLEGAL.sub("", pair_references(text))
    pieces: list[str] = []
    at = 0
    for section in SECTION.finditer(text):
        pieces += (_mended(text[at : section.start()]), _closed(section[0]))
        at = section.end()
    return "".join([*pieces, _mended(text[at:])])


def pair_references(text: str) -> str:
    """Return text in which a letter written as two references to halves of it (old JavaScript does) is one letter."""
    return SURROGATES.sub(_pair, text) if "&#" in text else text


def name_of(node: lxml.etree._Element) -> str:
    """Return an element's name with the prefix that everybody uses for its namespace: ``title``, ``media:title``.

    Elements of Atom, RSS and sitemaps have none; ``""`` for comments. An unknown namespace is told by the document's
    own prefix, which mostly is the usual one.
    """
    if not isinstance(node.tag, str):
        return ""
    if not node.tag.startswith("{"):
        return node.tag
    uri, _, local = node.tag[1:].partition("}")
    low = uri.lower()
    prefix = next((prefix for prefix, spelling in SPELLINGS if spelling in low), node.prefix or "")
    prefix = node.prefix if prefix in ("", "atom") and node.prefix in NAMESPACES else prefix
    return local if prefix in ("", "atom", None) else f"{prefix}:{local}"


def _without_entities(text: str) -> str:
    """Return a document without its document type; entities that it defines are nothing, whatever they would become."""
    begin = BEGIN_DOCTYPE.search(text)
    found = DOCTYPE.match(text, begin.start()) if begin else None  # only the first: each failure reads to the end
    if found is None:
        return text
    text = text[: found.start()] + text[found.end() :]
    own = {name for name in ENTITY.findall(found[0]) if f"{name};" not in html.entities.html5} - {"amp", "lt", "gt"}
    return re.sub(rf"&(?:{'|'.join(sorted(map(re.escape, own))[:1000])});", "", text) if own else text


def _tags(text: str) -> Iterator[tuple[re.Match[str], int, int]]:
    """Yield the tags that stand outside of comments and CDATA. Each end is looked for once, so time is linear."""
    at = cdata_end = comment_end = 0
    while found := MARKUP.search(text, at):
        at = found.end()
        if found[0] == COMMENT:
            comment_end = _find(text, COMMENT_END, at, comment_end)
            at = min(comment_end + 3, len(text)) if comment_end < len(text) else at
        elif found[0] == CDATA:
            cdata_end = _find(text, CDATA_END, at, cdata_end)
            at = _cdata_end(text, at, cdata_end)
        else:
            yield found, found.start(), at


def _find(text: str, what: str, at: int, beyond: int) -> int:
    if beyond >= at and beyond:
        return beyond
    found = text.find(what, at)
    return len(text) if found < 0 else found


ITEM_END = re.compile(r"</(?:\w+:)?(?:item|entry|url|sitemap)\s*>")


def _cdata_end(text: str, at: int, end: int) -> int:
    """Return where CDATA ends; one that never closes, or only in another item's CDATA, ends with its own item."""
    if end < len(text) and text.find(CDATA, at, end) < 0:
        return end + 3
    item_end = ITEM_END.search(text, at, end)
    return item_end.start() if item_end else min(end + 3, len(text))


def _wrapped(text: str, namespaces: Mapping[str, str]) -> bytes:
    used = {one or other for one, other in USED.findall(text)} - {"xml", "xmlns"}
    declared = {prefix: uri for prefix, uri in namespaces.items() if prefix not in {"xml", "xmlns"}}
    for prefix in sorted(used - declared.keys()):
        declared[prefix] = NAMESPACES.get(prefix, f"urn:undeclared:{prefix}")
    stated = "".join(f' xmlns{":" if prefix else ""}{prefix}="{html.escape(uri)}"' for prefix, uri in declared.items())
    return f"<whole{stated}>{text}</whole>".encode()


def _parser(*, recover: bool) -> lxml.etree.XMLParser:
    return lxml.etree.XMLParser(
        encoding="utf-8",
        recover=recover,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def _texts_apart(text: str) -> str:
    """Return a mended item in which markup inside of texts is text; each end is looked for once."""
    text, pieces, at = mend(text), [], 0
    unclosed: set[str] = set()
    while found := HOLDER.search(text, at):
        close = f"</{found[1]}>"
        end = -1 if close in unclosed or found[2].endswith("/") else text.find(close, found.end())
        if end < 0:
            unclosed.add(close)
            pieces.append(text[at : found.end()])
            at = found.end()
        else:
            pieces += (text[at : found.end()], _as_text(text[found.end() : end]))
            at = end
    return "".join([*pieces, text[at:]])


def _as_text(inner: str) -> str:
    if "<" not in inner or inner.lstrip().startswith(CDATA):
        return inner
    return html.escape(inner, quote=False) if not SECTION.search(inner) else _plain_sections(inner)


def _plain_sections(inner: str) -> str:
    return html.escape(
        SECTION.sub(lambda each: each[0].removeprefix(CDATA).removesuffix(CDATA_END), inner), quote=False
    )


def _closed(section: str) -> str:
    """Return a section with its end, and no comment or instruction at all (they say nothing to people)."""
    if not section.startswith(CDATA):
        return ""
    return section if section.endswith(CDATA_END) else _mended(section.removeprefix(CDATA))


def _mended(text: str) -> str:
    return STRAY.sub("&lt;", REFERENCE.sub(_letter, text) if "&" in text else text)


def _letter(found: re.Match[str]) -> str:
    reference = found[0]
    if reference in XML_OWN:
        return reference
    if not reference.startswith("&#"):
        character = html.entities.html5.get(reference[1:])
        return html.escape(character) if character else f"&amp;{reference[1:]}"
    letter = ILLEGAL.sub("", html.unescape(reference if reference.endswith(";") else f"{reference};"))
    return html.escape(letter) if letter else "\ufffd"


def _pair(found: re.Match[str]) -> str:
    high = int(found[1] or 0) or int(found[2] or "0", 16)
    low = int(found[3] or 0) or int(found[4] or "0", 16)
    if not (0xD800 <= high <= 0xDBFF and 0xDC00 <= low <= 0xDFFF):
        return found[0]
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
