"""Bytes of the web to text: the encoding that a server, a document or its bytes name, read as browsers read it."""

from __future__ import annotations

import codecs
import re
import unicodedata
from dataclasses import dataclass
from functools import cache

import webencodings
from webencodings.labels import LABELS

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16's, which is its beginning
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
WIDE = (
    (re.compile(rb"\s*<\x00\x00\x00"), "utf-32-le"),
    (re.compile(rb"(?:\x00\x00\x00\s)*\x00\x00\x00<"), "utf-32-be"),
    (re.compile(rb"(?:\s\x00)*[<{\[]\x00[^\x00]\x00"), "utf-16-le"),
    (re.compile(rb"(?:\x00\s)*\x00[<{\[]\x00[^\x00]"), "utf-16-be"),
)
"""How a document of two or four bytes a letter begins where nothing says so."""
LARGER = {"gbk": "gb18030", "iso-2022-jp": "iso2022_jp_ext"}
"""WHATWG's decoders of these read what the larger set holds; documents that say "gb2312" are hardly ever just that."""
MORE_CODECS = re.compile(r"^(cp\d{3,5}|koi8_[rtu]|mac_\w+|iso2022_\w+|hz|johab|ptcp154|kz1048|utf_32(_[bl]e)?)$")
"""Codecs of Python beside WHATWG's that are encodings of texts (`unicode_escape`, `idna` and UTF-7 are none)."""
WESTERN = frozenset({"ascii", "cp1252", "iso8859-1", "iso8859-15", "latin-1", "windows-1252"})
"""What servers name without looking."""
HEADER = re.compile(r"""charset\s*=\s*["']?\s*([^\s"';,]+)""", re.IGNORECASE)
XML = re.compile(rb"""^\s*<\?xml[^>]{0,300}?\bencoding\s*=\s*["']\s*([^"'>]{1,60}?)\s*["']""")
META = re.compile(rb"""<meta\b[^>]{0,500}?\bcharset\s*=\s*["']?\s*([^\s"'/>;]{1,60})""", re.IGNORECASE)
SPOKEN = re.compile(rb"""<language>\s*([A-Za-z-]{2,10})|\b(?:xml:)?lang\s*=\s*["']([A-Za-z-]{2,10})["']""")
"""Where a document says its language."""
LOOK = 4096
"""Bytes in which a document names its encoding; browsers look at 1,024, some sites put it later."""
CESU = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")
"""A letter beyond the first 65,536 as Java and old MySQL write it: two halves, each of three bytes."""
UTF8_PAIR = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
BY_CHANCE = 4
"""So many letters that are valid UTF-8 may be so by chance in a text of another encoding (two Thai letters can)."""
FALLBACKS = {
    "th": "cp874", "zh": "gb18030", "zh-hant": "big5hkscs", "zh-tw": "big5hkscs", "zh-hk": "big5hkscs",
    "ja": "cp932", "ko": "cp949", "vi": "cp1258",
}  # fmt: skip
"""What browsers assume of a page that names nothing, by the language of its readers (WHATWG's table of locales)."""
MARKETS = {"TH": "th", "TW": "zh-tw", "HK": "zh-hk", "CN": "zh", "JP": "ja", "KR": "ko", "VN": "vi"}
STATEFUL = {"iso2022": b"\x1b", "hz": b"~{"}
"""Encodings that write every letter in ASCII bytes, by the beginning of their names, and what they switch over with."""
TOLERANCE = 0.02
"""Share of bytes beyond ASCII that may be broken before a named encoding is not believed."""
SPOILT = 3
"""Broken bytes that even a short document may have."""


class EncodingError(ValueError):
    """An encoding that is named but not known; the message names it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A document as text, the encoding it was read in, and how many of its letters could not be read (U+FFFD)."""

    text: str
    encoding: str
    broken: int = 0


@cache
def codec_of(label: str) -> str | None:
    """Return Python's codec for an encoding as the web names it (WHATWG labels first), or ``None``.

    Source: the WHATWG Encoding Standard's table of labels (through webencodings); spellings that differ in hyphens
    only (``tis620``) are understood too. "utf-16" without more is little-endian, as in browsers.
    """
    found = webencodings.lookup(label) or webencodings.lookup(_loose().get(_letters(label), ""))
    if found is not None and found.name in {"replacement", "x-user-defined"}:
        found = None
    if found is not None:
        return LARGER.get(found.name) or str(found.codec_info.name)
    try:
        name = codecs.lookup(label).name.replace("-", "_")
    except (LookupError, ValueError):
        return None
    return name if MORE_CODECS.match(name) else None


def read(body: bytes, *, content_type: str = "", lang: str = "", market: str = "") -> Reading:
    """Return a document's text; what cannot be read of it is U+FFFD, never the rest.

    A byte order mark wins; then valid (or but for single bytes valid) UTF-8, whatever anybody calls it, for hardly any
    other text is that by chance; then what the server says and what the document says, in the order in which they can
    be believed; where nothing is named, what readers of its language or market are used to.

    Args:
        body: the document.
        content_type: what the server says of it (the header).
        lang: language of the source (BCP 47), if known.
        market: its market, if known.

    Raises:
        EncodingError: the only encoding that is named is not known, or none is named and the bytes are not UTF-8.
    """
    for mark, name in BOMS:
        if body.startswith(mark):
            return _decoded(body[len(mark) :], name)
    head = body[:LOOK]
    for begins, name in WIDE:
        if begins.match(head):
            return _decoded(body, name)
    named = _named(head, content_type)
    codecs_named = [codec for label in named if (codec := codec_of(label)) and not _is_wide(codec)]
    if (stateful := [codec for codec in codecs_named if _switches(body, codec)]) and body.isascii():
        return _decoded(body, stateful[0])
    if _is_utf8(body, codecs_named):
        return _decoded(body, "utf-8")
    spoken = SPOKEN.search(head)
    declared = (spoken[1] or spoken[2]).decode("ascii") if spoken else ""
    usual = [] if named else _usual(declared.lower(), "") or _usual(lang.lower(), market)
    reading = _most_believable(body, codecs_named or usual)
    if not codecs_named and not usual and reading.broken > SPOILT:
        raise EncodingError(f"unknown encoding {named[0][:60]!r}" if named else "names no encoding and is not UTF-8")
    return reading


def _named(head: bytes, content_type: str) -> list[str]:
    """Return the labels that server and document give, the more believable first."""
    found = HEADER.search(content_type)
    server = [found[1]] if found else []
    document = [match[1].decode("latin-1") for pattern in (XML, META) if (match := pattern.search(head))]
    if server and codec_of(server[0]) in WESTERN:
        return [*document, *server]
    return [*server, *document]


def _usual(lang: str, market: str) -> list[str]:
    """Return what readers of a language, else of a market, are used to."""
    found = FALLBACKS.get(lang) or FALLBACKS.get(lang.partition("-")[0]) or FALLBACKS.get(MARKETS.get(market, ""))
    return [found] if found else []


def _most_believable(body: bytes, named: list[str]) -> Reading:
    """Return the first reading with hardly anything broken, else the one with the least."""
    wide = sum(1 for byte in body if byte > 127) if len(body) < 1_000_000 else len(body) // 2
    best: Reading | None = None
    for codec in dict.fromkeys([*named, "utf-8"]):
        reading = _decoded(body, codec)
        if reading.broken <= max(min(SPOILT, wide // 4), TOLERANCE * wide) and not (codec == "utf-8" and best):
            return reading
        if best is None or reading.broken < best.broken:
            best = reading
    return best or _decoded(body, "utf-8")


def _decoded(body: bytes, codec: str) -> Reading:
    if codec == "utf-8":
        body = CESU.sub(_joined, body)
    text = body.decode(codec, "replace")
    if codec == "cp1258":  # Vietnamese with its tone marks written apart
        text = unicodedata.normalize("NFC", text)
    return Reading(text.removeprefix("\ufeff"), codec, text.count("\ufffd"))


def _joined(pair: re.Match[bytes]) -> bytes:
    halves = pair[0].decode("utf-8", "surrogatepass")
    return halves.encode("utf-16", "surrogatepass").decode("utf-16").encode()


def _is_utf8(body: bytes, named: list[str]) -> bool:
    """Return whether bytes are plainly UTF-8, but perhaps for single bytes."""
    if body.isascii():
        return True
    letters = len(UTF8_PAIR.findall(body))
    others = len(UTF8_PAIR.sub(b"", body).translate(None, bytes(range(128))))
    trusted = [codec for codec in named if codec not in WESTERN and codec != "utf-8"]
    if others == 0:
        return letters > BY_CHANCE or not trusted
    return letters > 10 * others and (not trusted or letters > 50 * others)


def _switches(body: bytes, codec: str) -> bool:
    return any(codec.startswith(name) and mark in body for name, mark in STATEFUL.items())


def _is_wide(codec: str) -> bool:
    """Return whether a codec takes two or four bytes a letter: such a text was told by its bytes above, or is none."""
    return codec.startswith(("utf-16", "utf_16", "utf-32", "utf_32"))


def _letters(label: str) -> str:
    return re.sub(r"[^a-z0-9]", "", label.lower())


@cache
def _loose() -> dict[str, str]:
    return {_letters(label): label for label in LABELS}
