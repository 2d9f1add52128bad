"""Evaluate a model on held-out texts: per class and language, beside the version before and beside TF-IDF.

Everything here is a validation figure: calibration and the choice of a checkpoint saw these texts, so unseen texts will
come out somewhat lower.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from groundswell.configs.taxonomy import Taxonomy, load_taxonomy
from groundswell.nlp.evaluate.metrics import (
    Interval,
    Score,
    bootstrap,
    calibration_error,
    confusion,
    macro_f1,
    macro_recall,
    paired,
    score,
)
from groundswell.nlp.train.risks import RiskText, agreement, all_risk_texts
from groundswell.nlp.train.sources import SOURCES, Example, read_source
from groundswell.nlp.train.targets import TargetText, target_texts

if TYPE_CHECKING:
    from groundswell.nlp.model import Model

Array = NDArray[np.float32]
Labels = NDArray[np.int64]
Progress = Callable[[int, int | None, str], object]

FEELINGS = ("negative", "neutral", "positive")
SIGNS = {"-": "negative", "0": "neutral", "+": "positive"}
TARGETS = Path(__file__).parent / "targets.txt"
FEWEST = 15
"""Positives a class of risk needs to count in the mean: below, its F1 says little."""


@dataclass(frozen=True, slots=True)
class Feeling:
    """Sentiment on one set: figures, and the classes one by one."""

    name: str
    lang: str
    recall: Interval
    f1: Interval
    classes: tuple[Score, ...]
    confusion: Labels
    error: float
    unsure: float
    against_baseline: Interval | None = None
    against_previous: Interval | None = None


@dataclass(frozen=True, slots=True)
class RiskScore:
    """One class of risk on the held-out labelled documents."""

    id: str
    score: Score
    error: float


@dataclass(frozen=True, slots=True)
class MainTarget:
    """How often the main target of held-out documents is among those named, in one language."""

    lang: str
    texts: int
    named: float
    feeling: float
    answers: float


@dataclass(slots=True)
class Evaluation:
    """All figures of one model."""

    made_by: str
    previous: str = ""
    feelings: list[Feeling] = field(default_factory=list)
    risks: list[RiskScore] = field(default_factory=list)
    risk_f1: Interval | None = None
    own_risk_f1: Interval | None = None
    risk_by_lang: dict[str, Score] = field(default_factory=dict)
    target_recall: float = 0.0
    target_feeling: float = 0.0
    target_pairs: int = 0
    mains: list[MainTarget] = field(default_factory=list)
    agreement: dict[str, float] = field(default_factory=dict)

    @property
    def many_languages(self) -> float:
        """Return the mean macro-F1 over the UMSAB sets, or nan where there are none."""
        return float(np.mean([f.f1.value for f in self.feelings if "umsab" in f.name] or [np.nan]))

    @property
    def error(self) -> float:
        """Return the sentiment's mean calibration error over the sets."""
        return float(np.mean([f.error for f in self.feelings] or [np.nan]))


def evaluate(
    data: Path,
    model: Model,
    *,
    previous: Model | None = None,
    baseline: bool = True,
    taxonomy: Taxonomy | None = None,
    unsure_below: float = 0.5,
    most: int = 2000,
    progress: Progress | None = None,
) -> Evaluation:
    """Return the figures of a model on the validation texts that the data folder holds.

    Args:
        data: the folder that training reads.
        model: the model under test.
        previous: the version before, compared on the same texts.
        baseline: whether TF-IDF and logistic regression are trained for comparison.
        taxonomy: the classes; by default the shipped ones.
        unsure_below: as in the configuration.
        most: more validation texts of one set are not read.
        progress: called with (done, total, what).
    """
    say = progress or (lambda *_: None)
    examples = [e for source in SOURCES if (data / source.path).is_file() for e in read_source(source, data)]
    floor = _baseline([e for e in examples if e.split == "train"]) if baseline else None
    sets: dict[str, list[Example]] = {}
    for example in examples:
        if example.split == "validation":
            sets.setdefault(example.source, []).append(example)
    report = Evaluation(model.made_by, previous.made_by if previous else "")
    for number, (name, texts) in enumerate(sorted(sets.items())):
        say(number, len(sets), name)
        one = _feeling(name, texts[:most], model, previous=previous, floor=floor, unsure_below=unsure_below)
        report.feelings.append(one)
    held_out = [t for t in all_risk_texts(data, taxonomy or load_taxonomy()) if t.split == "validation"]
    _risks(report, [t for t in held_out if t.origin == "labelled"], model)
    _ours(report, [t for t in held_out if t.origin == "ours"], model, unsure_below)
    _targets(report, model)
    _mains(report, [t for t in target_texts(data) if t.split == "validation"], model)
    report.agreement = agreement(taxonomy or load_taxonomy())
    return report


def _baseline(train: Sequence[Example]) -> Callable[[Sequence[str]], Labels] | None:
    from groundswell.nlp.evaluate.baseline import Baseline

    if not train:
        return None
    return Baseline([e.text for e in train], np.array([e.sentiment for e in train]))


def _feeling(
    name: str,
    examples: Sequence[Example],
    model: Model,
    *,
    previous: Model | None,
    floor: Callable[[Sequence[str]], Labels] | None,
    unsure_below: float,
) -> Feeling:
    texts, gold = [e.text for e in examples], np.array([e.sentiment for e in examples])
    chances = model.read(texts).sentiment
    claimed, sure = chances.argmax(axis=1), chances.max(axis=1)
    before = previous.read(texts).sentiment.argmax(axis=1) if previous else None
    below = floor(texts) if floor else None
    return Feeling(
        name=name,
        lang=examples[0].lang,
        recall=bootstrap(lambda rows: macro_recall(gold[rows], claimed[rows]), len(gold)),
        f1=bootstrap(lambda rows: macro_f1(gold[rows], claimed[rows]), len(gold)),
        classes=tuple(score(gold, claimed, label) for label in range(len(FEELINGS))),
        confusion=confusion(gold, claimed, len(FEELINGS)),
        error=calibration_error(claimed == gold, sure),
        unsure=float((sure < unsure_below).mean()),
        against_baseline=paired(macro_f1, gold, claimed, below) if below is not None else None,
        against_previous=paired(macro_f1, gold, claimed, before) if before is not None else None,
    )


def _risks(report: Evaluation, texts: Sequence[RiskText], model: Model) -> None:
    if not texts:
        return
    chances = model.read([t.text for t in texts]).risks
    gold = np.stack([t.labels for t in texts])
    claimed = (chances >= 0.5).astype(np.int64)
    for column, name in enumerate(model.risk_ids):
        known = gold[:, column] >= 0
        mine, said = gold[known, column].astype(np.int64), claimed[known, column]
        right = mine == said
        sure = np.maximum(chances[known, column], 1 - chances[known, column])
        report.risks.append(RiskScore(name, score(mine, said, 1), calibration_error(right, sure)))
    many = [column for column, risk in enumerate(report.risks) if risk.score.support >= FEWEST]
    if many:
        report.risk_f1 = bootstrap(lambda rows: risk_macro(gold[rows], claimed[rows], many), len(texts))
    langs = np.array([t.lang for t in texts])
    for lang in sorted(set(langs)):
        rows = gold[langs == lang]
        known = rows >= 0
        report.risk_by_lang[lang] = score(rows[known].astype(np.int64), claimed[langs == lang][known], 1)


def _ours(report: Evaluation, texts: Sequence[RiskText], model: Model, unsure_below: float) -> None:
    """Add held-out texts of our own: sentiment in the languages that have little else, and every class of risk."""
    known = [t for t in texts if t.sentiment >= 0]
    for lang in sorted({t.lang for t in known}):
        examples = [Example(t.text, t.sentiment, lang, "ours", "validation") for t in known if t.lang == lang]
        one = _feeling(f"ours/{lang}", examples, model, previous=None, floor=None, unsure_below=unsure_below)
        report.feelings.append(one)
    if known:
        gold = np.stack([t.labels for t in known])
        claimed = (model.read([t.text for t in known]).risks >= 0.5).astype(np.int64)
        columns = list(range(gold.shape[1]))
        report.own_risk_f1 = bootstrap(lambda rows: risk_macro(gold[rows], claimed[rows], columns), len(known))


def risk_macro(gold: Array, claimed: Labels, columns: Sequence[int]) -> float:
    """Return the mean F1 over classes, unknown labels left out."""
    figures = []
    for column in columns:
        known = gold[:, column] >= 0
        figures.append(score(gold[known, column].astype(np.int64), claimed[known, column], 1).f1)
    return float(np.mean(figures))


def read_targets(path: Path = TARGETS) -> list[tuple[dict[str, str], str]]:
    """Return the texts written to test targets: ({who: feeling}, text)."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            marks, text = line.split(" | ", 1)
            rows.append(({who: SIGNS[sign] for who, sign in (mark.split("=") for mark in marks.split())}, text))
    return rows


def _targets(report: Evaluation, model: Model) -> None:
    rows = read_targets()
    named = [{target.who: target.label for target in targets} for targets in model.read([t for _, t in rows]).targets]
    pairs = [
        (who, feeling, found) for (gold, _), found in zip(rows, named, strict=True) for who, feeling in gold.items()
    ]
    report.target_pairs = len(pairs)
    report.target_recall = float(np.mean([who in found for who, _, found in pairs]))
    report.target_feeling = float(np.mean([found.get(who) == feeling for who, feeling, found in pairs]))  # type: ignore[call-overload]  # a str that is one of the literals


def _mains(report: Evaluation, texts: Sequence[TargetText], model: Model) -> None:
    """Add how often the main target is named, and with its feeling; `answers` says how many are named a text."""
    found = [
        {target.who: target.label for target in targets} for targets in model.read([t.text for t in texts]).targets
    ]
    for lang in sorted({t.lang for t in texts}):
        mine = [(t.targets[0], said) for t, said in zip(texts, found, strict=True) if t.lang == lang]
        report.mains.append(
            MainTarget(
                lang,
                len(mine),
                float(np.mean([who in said for (who, _), said in mine])),
                float(np.mean([said.get(who) == feeling for (who, feeling), said in mine])),
                float(np.mean([len(said) for _, said in mine])),
            )
        )
