"""HTML to plain text, without running or fetching anything; other people's words kept apart from the author's."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import lxml.etree
import lxml.html

from groundswell.crawlers.xml_items import pair_references
from groundswell.index.markup import HIDING, pieces

BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figcaption", "figure", "footer"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table"}
    | {"td", "th", "tr", "ul"}
)
DROPPED = HIDING - {"audio", "canvas", "video"}
INLINE = re.compile(
    r"</(b|i|em|strong|span|a|u|s|sup|sub|font|small|mark|br|p|div)\s*>|<br\s*/?>|<img\s[^<>]{0,2000}>", re.IGNORECASE
)
"""What shows that a title is markup: an RSS title may be, and may as well say "<b> or <strong>?"."""
TWICE = re.compile(
    r"\s*<(p|div|article|section|table|ul|ol|h[1-6])\b[^<>]{0,2000}>.*</\1\s*>\s*", re.DOTALL | re.IGNORECASE
)
"""A text that is one block of markup from end to end: its feed escaped it twice."""
CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\u200b\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
"""Control characters, halves of surrogate pairs (no database takes them), and marks that turn the writing direction."""
SPACES = re.compile(r"[^\S\n]+")
BREAKS = re.compile(r"\s*\n\s*\n\s*")
LINES = re.compile(r" ?\n ?")
EMOJI = re.compile(r"(^|\s)(emoji|emojione|wp-smiley|twemoji|emoticon|smiley)", re.IGNORECASE)
NAMING = re.compile(
    r"(^|[\s_-])(title|author|username|user|attribution|quote-controls|avatar)([\s_-]|$)", re.IGNORECASE
)
NO_WORDS = re.compile(
    r"^(image|img|photo|picture|logo|avatar|icon|\d*|\S+\.(jpe?g|png|gif|webp|svg|avif))$", re.IGNORECASE
)
"""What stands in a picture's `alt` where nobody wrote one."""


@dataclass(frozen=True, slots=True)
class Words:
    """What an author wrote, and what the text quotes of others."""

    own: str
    quoted: str = ""


def text_of(markup: str) -> str:
    """Return the text of a piece of HTML; scripts, styles and comments are left out, blocks become lines."""
    return words_of(markup).own


def words_of(markup: str, *, is_others: Callable[[lxml.html.HtmlElement], bool] | None = None) -> Words:
    """Return the words of a piece of HTML, decoded exactly once.

    Args:
        markup: HTML. Where all of it, decoded, is one block of markup again, its feed escaped it twice.
        is_others: tells elements that hold other people's words; without it, all words are the author's.
    """
    tree = tree_of(markup)
    if tree is None:
        text = html.unescape(pair_references(markup))
        if not TWICE.fullmatch(text) or (tree := tree_of(text)) is None:
            return Words(tidy(text))
    own, quoted = _pieces(tree, is_others)
    return Words(tidy(own), tidy(quoted))


def heading(text: str, *, is_html: bool) -> str:
    """Return a title on one line; as markup only where it closes a tag, for many are plain and speak of tags."""
    if not is_html:
        return one_line(text)
    return one_line(text_of(text) if INLINE.search(text) else html.unescape(pair_references(text)))


def tidy(text: str) -> str:
    """Return text without control characters and runs of white space, lines kept."""
    text = CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return LINES.sub("\n", BREAKS.sub("\n\n", SPACES.sub(" ", text))).strip()


def one_line(text: str) -> str:
    """Return text on a single line."""
    return " ".join(tidy(text).split())


def tree_of(markup: str) -> lxml.html.HtmlElement | None:
    """Return the elements of a piece of HTML, ``None`` where it holds none."""
    if "<" not in markup:
        return None
    found = list(pieces(markup))
    if all(piece.kind == "text" for piece in found):
        return None
    sound = "".join(
        "" if piece.kind == "nothing" else piece.value.replace("<", "&lt;") if piece.kind == "text" else piece.value
        for piece in found
    )
    parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        sound = CONTROL.sub("", pair_references(sound))
        tree = lxml.html.document_fromstring(f"<html><body><div>{sound}</div></body></html>".encode(), parser=parser)
    except (lxml.etree.LxmlError, ValueError, AssertionError):  # lxml asserts on some broken fragments
        return _flat(found)
    return _flat(found) if any("depth" in each.message for each in parser.error_log) else tree


def _flat(found: Sequence[tuple[str, str, str]]) -> lxml.html.HtmlElement:
    """Return one element with all words, for markup that is too deep or too broken for a tree."""
    flat = lxml.html.Element("div")
    words = (html.unescape(value) if kind == "text" else "\n" for kind, value, _ in found)
    flat.text = CONTROL.sub("", "".join(words))
    return flat


def _pieces(root: lxml.html.HtmlElement, is_others: Callable[[lxml.html.HtmlElement], bool] | None) -> tuple[str, str]:
    """Walk without recursion: hostile pages nest a million elements."""
    own: list[str] = []
    quoted: list[str] = []
    skipping: lxml.html.HtmlElement | None = None
    quoting: lxml.html.HtmlElement | None = None
    for event, node in lxml.etree.iterwalk(root, events=("start", "end")):
        pieces = own if quoting is None else quoted
        if event == "start":
            if skipping is None and (node.tag in DROPPED or (quoting is not None and _names(node))):
                skipping = node
            elif skipping is None:
                if quoting is None and is_others is not None and node is not root and is_others(node):
                    own.append("\n")
                    quoting, pieces = node, quoted
                pieces += ("\n" if node.tag in BLOCKS else "", _alt(node), node.text or "")
            continue
        if skipping is node:
            skipping = None
        elif skipping is None and node.tag in BLOCKS - {"br"}:
            pieces.append("\n")
        if quoting is node:
            quoting, pieces = None, own
        if skipping is None and node is not root:
            pieces.append(node.tail or "")
    return "".join(own), "".join(quoted)


def _names(node: lxml.html.HtmlElement) -> bool:
    """Return whether an element inside of a quote only says whose words they are."""
    return node.tag == "cite" or bool(NAMING.search(node.get("class") or ""))


def _alt(node: lxml.html.HtmlElement) -> str:
    """Return what a picture says to those who do not see it; an emoji stands in its sentence."""
    if node.tag != "img" or not (alt := (node.get("alt") or "").strip()) or NO_WORDS.match(alt):
        return ""
    return alt if EMOJI.search(node.get("class") or "") or len(alt) < 3 else f"\n{alt}\n"
