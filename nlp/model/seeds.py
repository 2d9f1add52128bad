"""Texts written for training: a line is risk codes, a feeling, the text. They are ours and ship with Groundswell."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "data"
FEELINGS = {"-": 0, "0": 1, "+": 2}
LANGUAGES = ("en", "id", "ms", "th", "vi", "zh")


@dataclass(frozen=True, slots=True)
class Seed:
    """A text we wrote: its language, its risks (none for a counterexample) and its feeling, 0 to 2."""

    text: str
    lang: str
    risks: tuple[str, ...]
    sentiment: int


@cache
def codes() -> dict[str, str]:
    """Return two-letter code → risk id."""
    return dict(line.split() for line in (FOLDER / "codes.txt").read_text(encoding="utf-8").splitlines())


@cache
def seeds() -> tuple[Seed, ...]:
    """Return all texts of all languages."""
    return tuple(
        _seed(line, lang)
        for lang in LANGUAGES
        for line in (FOLDER / f"{lang}.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    )


def _seed(line: str, lang: str) -> Seed:
    marks, feeling, text = line.split(" ", 2)
    risks = () if marks == "-" else tuple(codes()[mark] for mark in marks.split(","))
    return Seed(text, lang, risks, FEELINGS[feeling])
