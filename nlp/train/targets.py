"""What the target head learns from: documents whose targets were labelled by hand, each with a feeling."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from groundswell.index.records import SentimentLabel, TargetKind
from groundswell.nlp.model.targets import KINDS
from groundswell.nlp.text.clean import clean_one
from groundswell.nlp.train.risks import FOLDER, Key, find_texts, split_of
from groundswell.nlp.train.sources import Split

FILE = FOLDER / "targets.csv"
SIGNS: dict[str, SentimentLabel] = {"-": "negative", "0": "neutral", "+": "positive"}


@dataclass(frozen=True, slots=True)
class TargetText:
    """A text and whom it is about, with a feeling each, the main one first."""

    text: str
    lang: str
    targets: tuple[tuple[TargetKind, SentimentLabel], ...]
    split: Split

    @property
    def main(self) -> TargetKind:
        """Return whom it is mostly about."""
        return self.targets[0][0]


def target_texts(data: Path) -> Iterator[TargetText]:
    """Yield the labelled documents whose sets are in the data folder."""
    with FILE.open(encoding="utf-8", newline="") as stream:
        rows: dict[Key, dict[str, str]] = {(row["set"], row["id"]): row for row in csv.DictReader(stream)}
    for key, text in find_texts(data, rows):
        yield TargetText(clean_one(text), rows[key]["lang"], parse(rows[key]["targets"]), split_of(key))


def parse(marks: str) -> tuple[tuple[TargetKind, SentimentLabel], ...]:
    """Return the targets of a line such as ``platform=- ad_product=0``.

    Raises:
        KeyError: A target or a sign that nobody knows.
    """
    kinds: dict[str, TargetKind] = {kind: kind for kind in KINDS}
    pairs = (mark.split("=") for mark in marks.split())
    return tuple((kinds[who], SIGNS[sign]) for who, sign in pairs)
