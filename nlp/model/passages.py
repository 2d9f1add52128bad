"""What of a long text the model reads: its lead, and the sentences that hold words of a risk.

The encoder takes so many pieces and no more. A reader short of time looks at how a text begins and at what catches the
eye further down; so does the model, at the cost of one window however long the text is. What it leaves out is counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

LEAD = 0.4
"""Share of what fits that the beginning of a text has for itself."""
FITS = 0.95
"""Share of the characters that fitted at the beginning which is filled: pieces are not equally long everywhere."""
LONGEST_SENTENCE = 160
"""Characters; what runs on without an end, as Thai does, is parted at blanks or commas."""
_SENTENCE = re.compile(r"(?:[^.!?。！？…\n]|[.!?](?=\S))+[.!?。！？…]*\s*|[.!?。！？…]+\s*")
_STRETCH = re.compile(rf".{{1,{LONGEST_SENTENCE}}}(?:[\s,，、;；]|$)|.{{1,{LONGEST_SENTENCE}}}", re.DOTALL)

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Passage:
    """What is read of a text, and how many of its characters are not."""

    text: str
    unread: int = 0


def passage(text: str, fits: int, marked: Callable[[Sequence[str]], Sequence[bool]]) -> Passage:
    """Return what is read of a text of which `fits` characters fit; all of it where it does.

    Args:
        text: cleaned.
        fits: characters of its beginning that the encoder takes.
        marked: says of sentences which hold what must not be missed.

    >>> found = passage("It rains. " * 9 + "It is a scam. It snows.", 60, lambda each: ["scam" in one for one in each])
    >>> found.text, found.unread
    ('It rains. It rains. It rains. It is a scam.', 70)
    """
    if fits >= len(text):
        return Passage(text)
    spans = sentences(text)
    marks = marked([text[begin:end] for begin, end in spans])
    if not any(mark and end > fits for mark, (_, end) in zip(marks, spans, strict=True)):
        return Passage(text[:fits], len(text) - fits)
    chosen = sorted(_chosen(spans, marks, int(FITS * fits)))
    read = " ".join(text[begin:end].strip() for begin, end in (spans[n] for n in chosen))
    return Passage(read, max(0, len(text) - len(read)))


def _chosen(spans: Sequence[Span], marks: Sequence[bool], room: int) -> list[int]:
    """Return the sentences that are read: the lead, then marked ones, then what follows the lead."""
    lead = [n for n, (_, end) in enumerate(spans) if end <= LEAD * room] or [0]
    rest = range(len(lead), len(spans))
    chosen = []
    for n in [*lead, *(n for n in rest if marks[n]), *(n for n in rest if not marks[n])]:
        size = spans[n][1] - spans[n][0] + 1
        if size <= room:
            chosen.append(n)
            room -= size
    return chosen


def sentences(text: str) -> list[Span]:
    """Return where the sentences of a text stand, in order and without gaps.

    >>> [("One. Two? 三。四" )[a:b] for a, b in sentences("One. Two? 三。四")]
    ['One. ', 'Two? ', '三。', '四']
    """
    return [
        (found.start() + part.start(), found.start() + part.end())
        for found in _SENTENCE.finditer(text)
        for part in _STRETCH.finditer(found.group())
    ]
