"""A stated date as a row of tokens: numbers, known words, punctuation; what is unknown stays visible as such."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from groundswell.crawlers.dates.words import CHINESE_DIGITS, LEXICON, SIGNED_WEEKDAYS, Word
from groundswell.crawlers.dates.zones import iana_names

NUMBER_KINDS = {1: "d", 2: "d", 3: "t", 4: "y", 6: "6", 8: "8", 12: "c", 14: "e"}
PUNCTUATION = frozenset(":/-.,()[]+|'~·•@;")


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `kind` is a single letter, so that a row of tokens is matched by a regular expression over kinds."""

    kind: str
    value: object
    text: str
    gap: bool = False
    """Whether white space stands before it."""
    lang: str = ""


def _by_letter() -> dict[str, re.Pattern[str]]:
    """Return for each first letter a pattern of its words, longest first; Latin words end where no letter follows."""
    names = {name for name in iana_names() if "/" in name}
    groups: dict[str, list[str]] = defaultdict(list)
    for word in sorted({*LEXICON, *names}, key=len, reverse=True):
        groups[word[0]].append(re.escape(word) + _boundary(word[-1]))
    return {letter: re.compile("|".join(words)) for letter, words in groups.items()}


def _boundary(last: str) -> str:
    return r"(?!\d)" if last.isdigit() else r"(?![^\W\d_])" if _is_spaced(last) else ""


def _is_spaced(letter: str) -> bool:
    return letter.isalpha() and letter < "\u0e00"  # scripts before Thai put blanks between words


WORDS = _by_letter()
NUMBER = re.compile(r"\d+")
UNKNOWN = re.compile(r"[^\W\d_]+")
FRACTION = re.compile(r"(?<=\d:\d\d:\d\d)[.,]\d{1,9}(?!\d)")
SIGNED = re.compile(
    r"\(([月火水木金土日一二三四五六월화수목금토일])(?:曜日?|・?祝)?\)|(?<!\w)t([2-7])(?=\s*,\s*\d|\s+\d{1,2}[/-])"
)
"""Weekdays that are one only where they stand: (日) in brackets, T2 before a date."""
CHINESE_NUMBER = re.compile(
    r"[〇○零一二三四五六七八九十两兩]+(?=[年月日號号點点時时分秒])|(?<=民國)元(?=年)|(?<=令和)元(?=年)"
)
HALF = re.compile(r"(?<=[点點時时시])半")


def scan(text: str) -> list[Token]:
    """Return the tokens of a normalised text."""
    text = HALF.sub("30", CHINESE_NUMBER.sub(lambda found: _number(found[0]), text))
    return list(_tokens(text))


def _tokens(text: str) -> Iterator[Token]:
    place, gap = 0, False
    while place < len(text):
        if text[place].isspace():
            place, gap = place + 1, True
            continue
        token = _token(text, place, gap=gap)
        yield token
        place, gap = place + len(token.text), False


def _token(text: str, place: int, *, gap: bool) -> Token:
    first = text[place]
    if found := NUMBER.match(text, place):
        return Token(NUMBER_KINDS.get(len(found[0]), "n"), int(found[0][:20]), found[0], gap)
    if found := SIGNED.match(text, place):
        return Token("W", int(found[2]) - 2 if found[2] else SIGNED_WEEKDAYS[found[1]], found[0], gap)
    if (words := WORDS.get(first)) and (found := words.match(text, place)):
        word = LEXICON.get(found[0], Word("Z", found[0]))
        return Token(word.kind, word.value, found[0], gap, word.lang)
    if first in ".," and (found := FRACTION.match(text, place)):
        return Token("f", found[0][1:], found[0], gap)
    return _stranger(text, place, gap=gap)


def _stranger(text: str, place: int, *, gap: bool) -> Token:
    first = text[place]
    if first in PUNCTUATION:
        return Token(first, first, first, gap)
    found = UNKNOWN.match(text, place) if _is_spaced(first) else None
    unknown = found[0] if found else first  # scripts without blanks: go on at the next letter
    return Token("U", unknown, unknown, gap)


def _number(signs: str) -> str:
    """Return a Chinese number up to 99, or a row of Chinese digits, in our digits."""
    if signs == "元":
        return "1"
    if "十" not in signs:
        return "".join(str(CHINESE_DIGITS[sign]) for sign in signs)
    tens, _, ones = signs.partition("十")
    if len(tens) > 1 or len(ones) > 1 or "十" in ones:
        return signs
    return str(10 * (CHINESE_DIGITS[tens] if tens else 1) + (CHINESE_DIGITS[ones] if ones else 0))
