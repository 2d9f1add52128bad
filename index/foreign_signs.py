"""Signs that people bring from other tools to the search: read as what they mean here, or refused with what to write.

Nothing of it is dropped in silence: what would find something else than was meant is a mistake that can be told.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from groundswell.index.segment import for_query, is_beginning
from groundswell.index.spelling import without_invisible


def _plain_signs() -> Mapping[int, str]:
    """Return for each sign of keyboards, phones and typography the one sign of ours that it is another form of."""
    forms = {
        code: unicodedata.normalize("NFKC", chr(code))
        for first, last in ((0x2000, 0x2070), (0xFE10, 0xFE70), (0xFF01, 0xFF5F))
        for code in range(first, last)
    }
    signs = {
        code: plain
        for code, plain in forms.items()
        if len(plain) == 1 and plain.isascii() and (code > 0xFF00 or not plain.isalnum())
    }
    alike = {
        '"': "“”„‟«»「」『』〝〞〟❝❞🙶🙷🙸″‶״﹁﹂﹃﹄",
        ":": "∶︰꞉ː",
        "*": "∗⁎",
        "|": "∣¦︱│┃",
        "(": "❨⦅⟮",
        ")": "❩⦆⟯",
        "-": "\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{FIGURE DASH}–—―−⁃⁻₋⸺⸻﹘",
        " ": "\u3000",
    }
    return signs | {ord(sign): plain for plain, some in alike.items() for sign in some}


_SIGNS = _plain_signs()
CONNECTORS = frozenset({"&", "&&", "+", "/", ",", "."})
"""Signs between words that join them as a space does."""

NO_FIELD = {
    **dict.fromkeys(
        ("title", "intitle", "allintitle", "headline", "subject", "text", "intext", "allintext", "body", "content"),
        "title and text are searched together; leave the name away",
    ),
    **dict.fromkeys(
        ("url", "inurl", "allinurl", "link", "domain", "host"),
        "addresses are not searched; source: names where a post is from",
    ),
    **dict.fromkeys(("hashtag", "tag", "tags"), "write the hashtag as a word"),
    **dict.fromkeys(("near", "within", "around"), "nearness is not known; words in quotes follow one another"),
    **dict.fromkeys(("order", "orderby", "order_by"), "write sort:newest, sort:oldest or sort:relevance"),
    **dict.fromkeys(("newer_than", "newer"), "write since:7d"),
    **dict.fromkeys(("older_than", "older"), "write until:2026-11-01"),
    **dict.fromkeys(("place", "place_country", "location", "geo", "region"), "write market:SG"),
    **dict.fromkeys(("filter", "is", "has", "include", "exclude"), "there is no such filter; write - before a word"),
}
"""Fields of other tools, and what to write here instead."""

_NEARNESS = "nearness is not known: words in quotes follow one another, words without stand anywhere"
_TILDE = "~ (nearness, similar spelling) is not known: write the words, or their beginnings such as scam*"
_PATTERN = "regular expressions belong to rules: search for words, or beginnings: scam*"
_STAR = "a * stands only at the end of a word: scam*"
_FOREIGN: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.ASCII if ascii_only else 0), says)
    for pattern, ascii_only, says in (
        (
            r"^(?:O?NEAR|WITHIN|AROUND)(?:/\d*F?)?$|^(?i:o?near|within|around|w|n|pre|adj|before|after)/\d+f?$",
            1,
            _NEARNESS,
        ),
        (r"^(?i:o?near|adj|around)/?\d+f?$|^/(?:[sp]|\d+)$", 1, _NEARNESS),
        (r"~\d*$|^~", 1, _TILDE),
        (r"^\*+$", 0, "to see everything leave the search empty; a * stands behind the beginning of a word: scam*"),
        (r"\*.", 0, _STAR),
        (r"^\w+\?\w+$|^\?+\w", 0, "a ? for one letter is not known: write the beginning of the word and a *: colo*"),
        (
            r"%\w+%|^%[^\W\d]|[^\W\d]%$",
            0,
            "% for any letters is not known: write the beginning of the word and a *: scam*",
        ),
        (r"\^[\d.]+$", 1, "^ (weight) is not known: sort:relevance puts first what fits best"),
        (r"^/[^/]+/[a-z]*$|\\|^\^|[a-z]\$$", 0, _PATTERN),
        (r"^[!¬]+\w", 0, "to leave a word out write - before it: -crypto"),
        (r"^(?i:and_?not|but_?not|not_?in)$|^BUT$", 1, "to leave a word out write - before it: -crypto"),
        (r"^XOR$", 1, "one or the other but not both is not known: write (a -b) OR (b -a)"),
        (r"^:+(?:\w|$)", 0, "a field and its value are written together: market:SG"),
        (r"^[^\W\d]\w*(?:[<>]=?|!?==?|=~)", 0, "a field and its value are written with a colon: market:SG"),
        (r"^[<>!=]=?$|^=~$|^<>$", 0, "a field and its value are written with a colon: market:SG"),
        (r"^\$?\d[\d.,]*\.\.+\$?\d", 0, "a range of numbers is not known: write the numbers, with OR between them"),
        (r"^[\[{](?!.*[\]}])|^(?!.*[\[{]).*[\]}]$", 0, "only ( ) group, and words in quotes follow one another"),
        (r"[^\W\d][,;、，；；][^\W\d]", 0, "between words write a space for all of them, OR for any of them"),
    )
)
"""Signs that mean something in other tools and nothing here: said, never dropped. A sign of ASCII only where marked."""
_LOWER = {
    "or": 'for either of the two write OR in capitals (for the word itself "or" in quotes)',
    "not": 'to leave something out write - before it, or NOT (for the word itself "not" in quotes)',
}
_OPENS, _CLOSES = "'‘‚‹`´", "'’›`´"
_REMARKED = re.compile(r"^[#@$]+(?=\w)")


def plain(text: str) -> str:
    """Return what was typed, each sign as one of ours and without what nobody sees; places are those of what is seen.

    >>> plain("ｍａｒｋｅｔ：SG —“ads”")
    'market:SG -"ads"'
    """
    return without_invisible(text).translate(_SIGNS)


def foreign(word: str) -> str:
    """Return what to write instead of a word with a sign of another tool; nothing where the word is plain."""
    for pattern, says in _FOREIGN:
        if pattern.search(word):
            return says
    if word.endswith("*") and not is_beginning(word):
        return _STAR
    if for_query(word)[0] or word in CONNECTORS:
        return ""
    if word.startswith("-"):
        return "a dash by itself leaves nothing out: write it right before the word, -crypto"
    return "signs are not searched, only letters, digits and pictures: leave it away"


def foreign_phrase(text: str) -> str:
    """Return what is wrong with the words between two quotation marks, or nothing."""
    if not text.strip():
        return "there is nothing between these quotation marks"
    if "*" in text[:-1] or (text.endswith("*") and not is_beginning(text)):
        return "within quotation marks a * stands only at the very end, behind the beginning of a word"
    return "" if for_query(text)[0] else "signs are not searched, only letters, digits and pictures: leave it away"


def lower_operator(word: str, *, follows: bool, first: bool) -> str:
    """Return what to write instead of "or" and "not" in small letters, which would be words to look for.

    Args:
        word: what was typed.
        follows: whether something stands behind it.
        first: whether nothing stands before it: a search may begin with the word "or".
    """
    low = word.lower()
    return _LOWER[low] if follows and low in _LOWER and not (low == "or" and first) else ""


def single_quotes(words: list[tuple[str, int]]) -> tuple[str, int] | None:
    """Return what to write where words stand between single quotation marks, and at which place; else ``None``."""
    for begin, (word, at) in enumerate(words):
        opens = word[0] in _OPENS and len(word) > 1 and word[-1] not in _CLOSES
        if opens and any(later[-1] in _CLOSES and len(later) > 1 for later, _ in words[begin + 1 :]):
            return f'{word}: words that follow one another stand in double quotation marks: "no refund"', at
    return None


def remarks(text: str) -> tuple[str, ...]:
    """Return what a reader of the results should know about signs before words that are not searched.

    >>> remarks("#ads refund")
    ('#ads finds the word ads, with the sign and without: signs are not searched.',)
    """
    found = dict.fromkeys(word for word in plain(text).replace("(", " ").split() if _REMARKED.match(word))
    return tuple(
        f"{word} finds the word {_REMARKED.sub('', word)}, with the sign and without: signs are not searched."
        for word in found
    )
