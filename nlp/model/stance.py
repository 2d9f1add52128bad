"""How a text stands to the risk it speaks of: does it claim it, deny it, warn of it, ask about it or call it solved?

Cues and their scope, after NegEx (Chapman et al. 2001, *A simple algorithm for identifying negated findings*): what is
complained of counts as denied behind a negation in its clause, or before "but it was not"; "not only" and "no reply"
are no denials. What was found is weighed by a small regression, learnt from sentences that differ in nothing else.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from groundswell.index.records import Stance

Array = NDArray[np.float32]

STANCES: tuple[Stance, ...] = ("claims", "denies", "warns", "asks", "resolved")
CLAIMING = (0, 2)
"""Stances by which a risk counts: it is claimed, or warned of."""
CUES = Path(__file__).parent / "data" / "stance.cues"
KINDS = ("neg", "post", "not", "ask", "why", "warn", "solved", "then", "doubt", "bad")
LONGEST_READ = 1_200
"""Characters that are looked at: a stance is told at the beginning, and patterns take time."""
SCOPE = 60
"""Characters behind a negation that it denies, within its clause; a Thai or Chinese one reaches half as far."""
BEHIND = 12
"""Characters between what is complained of and a denial of it behind it."""
_SENTENCE = re.compile(r"[.!?。！？\n…]+")
_CLAUSE = re.compile(r"[.!?;,:\n…。！？；，：、]+|\b(?:but|tapi|tetapi|tp|namun|nhưng)\b|แต่|但是|但|可是|不过")
_UNSPACED = re.compile("[\u0e00-\u0e7f\u3400-\u9fff]")
SINGLE = (
    "bad", "free", "denied", "asked", "post", "solved", "warn", "doubt", "negation", "question", "why", "then",
    "free_after_but", "doubt_then_post", "solved_last", "only_denied", "plain", "denied_last", "short",
)  # fmt: skip
NAMES = (*SINGLE, *(f"{a}·{b}" for a, b in combinations(SINGLE, 2)))


@dataclass(frozen=True, slots=True)
class _Found:
    """Where cues of each kind begin and end, and where clauses and sentences end."""

    spans: dict[str, list[tuple[int, int]]]
    clauses: list[int]
    sentences: list[int]


def stance_features(texts: Sequence[str]) -> Array:
    """Return what is read of each text's stance, shape ``(n, len(NAMES))``, zeros and ones."""
    single = np.array([_features(text[:LONGEST_READ].lower()) for text in texts], np.float32).reshape(-1, len(SINGLE))
    pairs = [single[:, a] * single[:, b] for a, b in combinations(range(len(SINGLE)), 2)]
    return (
        np.concatenate([single, np.stack(pairs, axis=1)], axis=1)
        if len(texts)
        else np.zeros((0, len(NAMES)), np.float32)
    )


def _features(text: str) -> list[float]:
    found = _find(text)
    bad = found.spans["bad"]
    denied = [_denied(text, found, start, end) for start, end in bad]
    asked = [_in_question(text, found, start) for start, _ in bad]
    doubted = [_before_in(found.sentences, found.spans["doubt"], start) for start, _ in bad]
    posted = [any(at - end > BEHIND for at, _ in found.spans["post"]) for _, end in bad]
    free = [not d and not a and not (p and q) for d, a, p, q in zip(denied, asked, posted, doubted, strict=True)]
    last = max((n for n, _ in enumerate(bad)), default=-1)
    solved = bool(found.spans["solved"])
    then = any(start <= at < end for at, _ in bad for start, end in found.spans["then"])
    flags = {
        "bad": bool(bad),
        "free": any(free),
        "denied": any(denied),
        "asked": any(asked),
        "post": any(posted),
        "solved": solved,
        "warn": bool(found.spans["warn"]),
        "doubt": any(doubted),
        "negation": bool(found.spans["neg"]),
        "question": bool(found.spans["ask"]),
        "then": then,
        "why": bool(found.spans["why"]),
        "free_after_but": any(free)
        and _after_but(found, [start for (start, _), f in zip(bad, free, strict=True) if f]),
        "doubt_then_post": any(d and p for d, p in zip(doubted, posted, strict=True)),
        "solved_last": solved and last >= 0 and found.spans["solved"][-1][1] > bad[last][0],
        "only_denied": any(denied) and not any(free),
        "plain": any(free) and not any(denied) and not solved and not found.spans["ask"],
        "denied_last": last >= 0 and denied[last],
        "short": len(text) < SCOPE,
    }
    return [float(flags[name]) for name in SINGLE]


def _find(text: str) -> _Found:
    patterns = _patterns()
    spans = {"not": [found.span() for found in patterns["not"].finditer(text)]}
    rest = list(text)
    for start, end in spans["not"]:
        rest[start:end] = "\x01" * (end - start)
    bare = "".join(rest)
    for kind in KINDS:
        if kind != "not":
            spans[kind] = [found.span() for found in patterns[kind].finditer(bare if kind in ("neg", "post") else text)]
    return _Found(
        spans, [found.end() for found in _CLAUSE.finditer(text)], [found.end() for found in _SENTENCE.finditer(text)]
    )


def _denied(text: str, found: _Found, at: int, until: int) -> bool:
    """Return whether a negation stands before a place in its clause, near enough, or a denial right behind it."""
    if any(0 <= start - until <= BEHIND and _same(found.clauses, at, start) for start, _ in found.spans["post"]):
        return True
    for start, end in found.spans["neg"]:
        if end <= at:
            reach = SCOPE // 2 if _UNSPACED.match(text[start]) else SCOPE
            if at - end <= reach and _same(found.clauses, start, at):
                return True
        elif start <= at < end:
            return True
    return False


def _in_question(text: str, found: _Found, at: int) -> bool:
    """Return whether the sentence of a place is a question."""
    return any(
        _same(found.sentences, start, at) or _same(found.sentences, end - 1, at) for start, end in found.spans["ask"]
    ) and bool(text)


def _before_in(ends: list[int], spans: list[tuple[int, int]], at: int) -> bool:
    return any(end <= at and _same(ends, start, at) for start, end in spans)


def _after_but(found: _Found, places: Sequence[int]) -> bool:
    """Return whether something stands behind the last cut of a text that has several clauses."""
    return bool(found.clauses) and any(bisect_right(found.clauses, place) for place in places)


def _same(ends: list[int], one: int, other: int) -> bool:
    return bisect_left(ends, one + 1) == bisect_left(ends, other + 1)


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    parts: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for line in CUES.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, pattern = line.split(" ", 1)
            parts[kind].append(pattern)
    return {kind: re.compile("|".join(several), re.IGNORECASE) for kind, several in parts.items()}
