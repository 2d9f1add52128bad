"""Which words of a text made it a hit: short fragments with [[ ]] marks, the same for every store."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from groundswell.index.query import Phrase, Word
from groundswell.index.segment import EMOJI, UNSPACED, fold, is_beginning, tokens
from groundswell.index.spelling import aligned

WIDTH = 160
"""Characters of one fragment, about."""
MOST = 3
"""Fragments of one hit."""
LONGEST_SHOWN = 100_000
"""Characters of a text that are looked at."""
_IN_WORD = rf"[^\W_{UNSPACED}{EMOJI}]"


def highlights(texts: Iterable[str], wanted: Iterable[Word | Phrase]) -> tuple[str, ...]:
    """Return up to `MOST` fragments of the texts in which the wanted words are marked."""
    if (pattern := _pattern(wanted)) is None:
        return ()
    found = [fragment for text in texts for fragment in _fragments(text[:LONGEST_SHOWN], pattern)]
    return tuple(found[:MOST])


def _pattern(wanted: Iterable[Word | Phrase]) -> re.Pattern[str] | None:
    """Return an expression that finds any of the words in folded text; longer ones first."""
    parts = {part for leaf in wanted if (part := _part(leaf.text))}
    return re.compile("|".join(sorted(parts, key=len, reverse=True))) if parts else None


def _part(text: str) -> str:
    """Return an expression for words that follow one another."""
    pieces = [
        re.escape(token) if kind != "word" else rf"(?<!{_IN_WORD}){re.escape(token)}(?!{_IN_WORD})"
        for kind, token in tokens(text)
    ]
    if pieces and is_beginning(text):
        pieces[-1] = pieces[-1].removesuffix(rf"(?!{_IN_WORD})") + rf"{_IN_WORD}*"
    return r"[\W_]*".join(pieces)


def _fragments(text: str, pattern: re.Pattern[str]) -> Iterator[str]:
    """Yield pieces of the text around what was found, none overlapping another."""
    folded, origin = _folded(text)
    spans = [(origin[m.start()], origin[m.end() - 1] + 1) for m in pattern.finditer(folded) if m.end() > m.start()]
    while spans:
        begin = max(0, spans[0][0] - WIDTH // 3)
        end = min(len(text), max(begin + WIDTH, spans[0][1]))
        inside = [span for span in spans if span[1] <= end]
        yield ("… " if begin else "") + _marked(text, begin, end, inside) + (" …" if end < len(text) else "")
        spans = [span for span in spans if span[0] >= end]


def _folded(text: str) -> tuple[str, list[int]]:
    """Return the text in one spelling, folded character by character, and for each character where it came from."""
    if text.isascii():
        return text.lower(), list(range(len(text)))
    plain, origin = aligned(text)
    pieces = [fold(character) for character in plain]
    return "".join(pieces), [at for at, piece in zip(origin, pieces, strict=True) for _ in piece]


def _marked(text: str, begin: int, end: int, spans: list[tuple[int, int]]) -> str:
    """Return a piece of the text on one line with marks around the spans."""
    out, at = [], begin
    for start, stop in spans:
        out += [text[at:start], "[[", text[start:stop], "]]"]
        at = stop
    return " ".join("".join([*out, text[at:end]]).split())
