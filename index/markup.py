"""Which ``<…>`` of a text is markup and which is what somebody wrote: every reader of texts goes by this one answer.

Posts say "if a<b", "<3", "<your name>", "how do I block <script> and <iframe> ads". To HTML these are tags, and the
last two eat all that follows. Here a tag has a name that HTML knows and attributes of HTML's grammar, and an element
that hides its content hides it only where it ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

HIDING = frozenset(
    {
        "applet",
        "audio",
        "button",
        "canvas",
        "datalist",
        "embed",
        "form",
        "frameset",
        "head",
        "iframe",
        "math",
        "noembed",
    }
    | {"noframes", "noscript", "object", "plaintext", "script", "select", "style", "svg", "template", "textarea"}
    | {"title", "video", "xmp"}
)
"""Elements whose content is not read as text."""
VOID = frozenset(
    {"area", "base", "br", "col", "embed", "frame", "hr", "img", "input", "link", "meta", "param", "source"}
)
ELEMENTS = HIDING.union(
    VOID,
    re.findall(
        r"\w+",
        "a abbr acronym address article aside b bdi bdo big blockquote body caption center cite code colgroup data dd"
        " del details dfn dialog dir div dl dt em fieldset figcaption figure font footer g h1 h2 h3 h4 h5 h6 header"
        " hgroup html i ins kbd label legend li main map mark marquee menu meter nav nobr ol optgroup option output p"
        " path picture pre progress q rp rt ruby s samp search section slot small span strike strong sub summary sup"
        " table tbody td tfoot th thead time tr track tt u ul var wbr",
    ),
)
"""Elements of HTML, also those that are out of date."""
BARE = (
    "allowfullscreen|async|autofocus|autoplay|border|checked|compact|contenteditable|controls|default|defer|disabled"
    "|download|draggable|hidden|inert|ismap|itemscope|loop|multiple|muted|nofollow|nomodule|noshade|novalidate|nowrap"
    r"|open|playsinline|readonly|required|reversed|selected|data-[\w-]++|v-[\w-]++|aria-[\w-]++"
)
"""Attributes that stand without a value."""
VALUE = r"""(?:"[^"<]*+(?:<[^"<]{0,200}+){0,5}"|'[^'<]*+(?:<[^'<]{0,200}+){0,5}'|[^\s"'<>=`]++)"""
TAG = re.compile(
    rf"<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9]{{0,20}}+(?:[:-][A-Za-z0-9_.:-]{{1,40}}+)?)"
    rf"(?P<attributes>(?:[\s/]++(?:[\w:@.*\[\]()#-]++\s*+=\s*+{VALUE}|(?:{BARE})(?=[\s/>])))*+)[\s/]*+>",
    re.IGNORECASE,
)
CLOSING = re.compile(r"</([A-Za-z][A-Za-z0-9:_.-]{0,60}+)\s*+>")
DECLARATION = re.compile(r"<!doctype\b[^<>]{0,500}+>|<\?xml\b[^<>]{0,500}+>", re.IGNORECASE)
CODE = re.compile(r"[{}()\[\];=<>|&*]|://|/\*|:\s*[\w#.-]+;")
CODE_SHARE = 0.02
BEGINNING = re.compile(r"<(?=[A-Za-z/!?])")
CDATA = "<![CDATA["


class Piece(NamedTuple):
    """A stretch of a text: words, a tag (with its lower-case `name`), or something that is never shown."""

    kind: Literal["text", "open", "close", "nothing"]
    value: str
    name: str = ""


def pieces(text: str) -> Iterator[Piece]:
    """Yield a text's words and its tags; CDATA's brackets are taken off. Time is linear."""
    if CDATA in text:
        text = text.replace(CDATA, "").replace("]]>", "")
    ends = {found[1].lower(): found.start() for found in CLOSING.finditer(text)}
    begin = comment_end = 0
    for found in BEGINNING.finditer(text):
        at = found.start()
        if at < begin:
            continue
        if text.startswith("<!--", at):
            comment_end = _find(text, "-->", at, comment_end)
            piece = Piece("nothing", text[at : comment_end + 3]) if comment_end >= 0 else None
        else:
            piece = _tag(text, at, ends)
        if piece is not None:
            if at > begin:
                yield Piece("text", text[begin:at])
            yield piece
            begin = at + len(piece.value)
    if begin < len(text):
        yield Piece("text", text[begin:])


def without_markup(text: str) -> str:
    """Return a text's words: each tag is a space; scripts and styles go with the code that they hold, where they end.

    Words between such tags stay: to a reader of plain text they are there, so they must not hide from a model.
    """
    if "<" not in text:
        return text
    parts: list[str] = []
    hidden, within = "", ""
    for piece in pieces(text):
        if piece.kind == "text" and hidden:
            within += piece.value
        elif piece.kind == "text":
            parts.append(piece.value)
        elif hidden and piece.kind == "close" and piece.name == hidden:
            parts += (" ", "" if is_code(within) else within, " ")
            hidden, within = "", ""
        elif not hidden:
            parts.append(" ")
            hidden = piece.name if piece.kind == "open" and piece.name in ("script", "style") else ""
    return "".join(parts)


def is_code(text: str) -> bool:
    """Return whether a text is code rather than words."""
    signs = len(CODE.findall(text))
    return not text.strip() or (signs > 1 and signs >= CODE_SHARE * len(text))


def _tag(text: str, at: int, ends: dict[str, int]) -> Piece | None:
    found = TAG.match(text, at)
    if found is None:
        declared = DECLARATION.match(text, at)
        return Piece("nothing", declared[0]) if declared else None
    name, closes = found["name"].lower(), bool(found["close"])
    is_known, ends_later = name in ELEMENTS, ends.get(name, -1) > at
    if closes:
        return Piece("close", found[0], name) if is_known or ":" in name or "-" in name else None
    if not is_known and not ends_later:
        return Piece("nothing", found[0], name) if found["attributes"] else None
    if name in HIDING - VOID and not ends_later and not found[0].endswith("/>"):
        return Piece("nothing", found[0], name) if found["attributes"] else None
    return Piece("open", found[0], name)


def _find(text: str, what: str, at: int, beyond: int) -> int:
    """Return where something is found next, -1 where never; `known` is the last answer: each is looked for once."""
    return beyond if beyond < 0 or beyond >= at > 0 else text.find(what, at)
