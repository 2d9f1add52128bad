"""Sentences that differ in one thing, by capability and language, after CheckList (Ribeiro et al. 2020).

``behaviour.tsv`` holds them, and what is expected: ``none`` (no risk is claimed), ``any`` (one is), or a feeling. They
are written by hand and never trained on.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from groundswell.index.records import SENTIMENTS
from groundswell.nlp.text.clean import clean

if TYPE_CHECKING:
    from groundswell.nlp.model.model import Model

CASES = Path(__file__).parent / "behaviour.tsv"
CLAIMED = 0.5
"""Probability from which a risk is claimed."""


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence and what is expected of it."""

    capability: str
    lang: str
    expect: str
    text: str


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How many sentences of one capability and language there are, and which fail."""

    capability: str
    lang: str
    cases: int
    failed: tuple[str, ...]


def cases() -> list[Case]:
    """Return all sentences."""
    with CASES.open(encoding="utf-8", newline="") as stream:
        return [Case(**row) for row in csv.DictReader(stream, delimiter="\t")]


def behave(model: Model, some: Sequence[Case] | None = None) -> list[Behaviour]:
    """Return how a model does, by capability and language, in the order of the file."""
    asked = list(some) if some is not None else cases()
    reading = model.read(clean([case.text for case in asked]))
    good = [
        _good(case.expect, bool((risks >= CLAIMED).any()), SENTIMENTS[int(feeling.argmax())])
        for case, risks, feeling in zip(asked, reading.risks, reading.sentiment, strict=True)
    ]
    found = []
    for capability, lang in dict.fromkeys((case.capability, case.lang) for case in asked):
        rows = [n for n, case in enumerate(asked) if (case.capability, case.lang) == (capability, lang)]
        found.append(Behaviour(capability, lang, len(rows), tuple(asked[n].text for n in rows if not good[n])))
    return found


def _good(expect: str, claimed: bool, feeling: str) -> bool:
    """Return whether what was read is what was expected."""
    if expect in {"none", "any"}:
        return claimed == (expect == "any")
    return feeling != expect.removeprefix("not ") if expect.startswith("not ") else feeling == expect
