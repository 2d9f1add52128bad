"""Words out of text, the same for every store: what is written to an index and what is asked of it.

Scripts without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) become overlapping pairs of characters, so that
any run can be found as a substring; everything else becomes words, folded (case, width, accents of Latin letters), so
that ``quang cao`` finds ``Quảng cáo``. Before, each word gets one spelling (`groundswell.index.spelling`), so that
either Chinese script finds the other. Stores index the result by white space only.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise

from groundswell.index.spelling import normalise

VERSION = 3
"""Counts changes of what `for_index` gives; a store that was written with another one must index again."""

UNSPACED = (
    "\u0e00-\u0e7f"  # Thai
    "\u0e80-\u0eff"  # Lao
    "\u1000-\u109f"  # Burmese
    "\u1780-\u17ff"  # Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # Japanese kana and iteration marks
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"  # Han
)
EMOJI = "\u203c\u2049\u2139\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff\u303d\U0001f000-\U0001faff"
"""Pictures that people write: ⭐ ❤ ⬆ ⏰ 👍 🇸🇬, one sign a word."""
_INDIC = "\u0900-\u0dff"  # Tamil, Hindi …: their vowel signs are marks, which \\w leaves out
_TOKEN = re.compile(rf"(?P<run>[{UNSPACED}]+)|(?P<emoji>[{EMOJI}])|(?P<word>(?:[^\W_{UNSPACED}{EMOJI}]|[{_INDIC}])+)")
_LATIN_MARKS = re.compile("[\u0300-\u036f]+")
_LETTERS = str.maketrans({"đ": "d", "Đ": "d", "ð": "d", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "ı": "i"})


def is_text(text: str) -> bool:
    """Tell whether a text is Unicode: half a surrogate pair is not, and no store can hold it."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def fold(text: str) -> str:
    """Return the text without differences of case, width and Latin accents; its length may change."""
    if text.isascii():
        return text.lower()
    bare = _LATIN_MARKS.sub("", unicodedata.normalize("NFKD", text)).translate(_LETTERS).casefold()
    return unicodedata.normalize("NFKC", _LATIN_MARKS.sub("", bare))


def tokens(text: str) -> list[tuple[str, str]]:
    """Return (kind, token) of a text in one spelling, folded; kind is run (unspaced script), emoji or word."""
    return [(found.lastgroup or "", found.group()) for found in _TOKEN.finditer(fold(normalise(text)))]


def for_index(text: str) -> str:
    """Return the words of a text as an index keeps them: ``广告多 Ads!`` becomes ``广告 告多 多 ads``.

    A run ends with its last character alone, so that every single character begins some word.
    """
    words: list[str] = []
    for kind, token in tokens(text):
        if kind == "run":
            words.extend(a + b for a, b in pairwise(token))
            words.append(token[-1])
        else:
            words.append(token)
    return " ".join(words)


def is_beginning(text: str) -> bool:
    """Tell whether a word stands for all that begin with it: ``scam*``."""
    return len(text) > 1 and text.endswith("*") and (text[-2].isalnum() or unicodedata.category(text[-2])[0] == "M")


@lru_cache(maxsize=4096)
def for_query(text: str) -> tuple[tuple[str, ...], bool]:
    """Return the words to look for, one after another, and whether the last is only the beginning of a word.

    The last is a beginning where the text ends in a single Chinese or Thai character, or in a letter and a ``*``. No
    words: nothing can match.
    """
    words: list[str] = []
    found = tokens(text)
    begins = is_beginning(text)
    for kind, token in found:
        words.extend([token] if kind != "run" else [a + b for a, b in pairwise(token)] + [token[-1]])
    if not found or found[-1][0] != "run":
        return tuple(words), bool(found) and begins and found[-1][0] == "word"
    single = len(found[-1][1]) == 1
    return tuple(words if single else words[:-1]), single
