"""HTML to plain text, without running or fetching anything."""

from __future__ import annotations

import html
import re

import lxml.etree
import lxml.html

BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figcaption", "figure", "footer"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table"}
    | {"td", "th", "tr", "ul"}
)
DROPPED = frozenset(
    {"script", "style", "noscript", "template", "iframe", "object", "embed", "svg", "math", "head", "title"}
    | {"form", "button"}
)
TAG = re.compile(r"</?(p|br|a|div|span|img|b|i|em|strong|ul|li|script|style|iframe)\b[^>]{0,2000}>", re.IGNORECASE)
CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\u200b\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
"""Control characters, halves of surrogate pairs (no database takes them), and marks that turn the writing direction."""
SPACES = re.compile(r"[^\S\n]+")
BREAKS = re.compile(r"\s*\n\s*\n\s*")
LINES = re.compile(r" ?\n ?")


def text_of(markup: str) -> str:
    """Return the text of a piece of HTML; scripts, styles and comments are left out, blocks become lines."""
    text = _strip(markup)
    if TAG.search(text):  # some feeds escape their HTML twice
        text = _strip(text)
    return tidy(text)


def tidy(text: str) -> str:
    """Return text without control characters and runs of white space, lines kept."""
    text = CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return LINES.sub("\n", BREAKS.sub("\n\n", SPACES.sub(" ", text))).strip()


def one_line(text: str) -> str:
    """Return text on a single line."""
    return " ".join(tidy(text).split())


def _strip(markup: str) -> str:
    if "<" not in markup:
        return html.unescape(markup)
    try:
        root = lxml.html.fragment_fromstring(CONTROL.sub("", markup), create_parent="div")
    except (lxml.etree.LxmlError, ValueError, AssertionError):  # lxml asserts on some broken fragments
        return html.unescape(re.sub(r"<[^>]{0,2000}>", " ", markup))
    return "".join(_pieces(root))


def _pieces(root: lxml.html.HtmlElement) -> list[str]:
    """Walk without recursion: hostile pages nest a million elements."""
    pieces: list[str] = []
    skipping: lxml.html.HtmlElement | None = None
    for event, element in lxml.etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event == "start":
            if skipping is None and element.tag in DROPPED:
                skipping = element
            elif skipping is None:
                pieces += ("\n" if element.tag in BLOCKS else "", element.text or "")
            continue
        if skipping is element:
            skipping = None
        elif event == "end" and skipping is None and element.tag in BLOCKS - {"br"}:
            pieces.append("\n")
        if skipping is None and element is not root:
            pieces.append(element.tail or "")
    return pieces
