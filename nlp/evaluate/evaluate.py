"""Evaluate a model on held-out texts: per class and language, beside the version before and beside TF-IDF.

Everything here is a validation figure: calibration and the choice of a checkpoint saw these texts, so unseen texts will
come out somewhat lower.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from groundswell.configs.taxonomy import Taxonomy, load_taxonomy
from groundswell.index.progress import Progress
from groundswell.nlp.evaluate.behaviour import Behaviour, behave
from groundswell.nlp.evaluate.metrics import (
    Interval,
    Score,
    bootstrap,
    calibration_error,
    confusion,
    error_by_chance,
    macro_f1,
    macro_recall,
    paired,
    score,
)
from groundswell.nlp.model.heads import sigmoid, softmax
from groundswell.nlp.model.seeds import seeds
from groundswell.nlp.train.calibrate import fit_risks, fit_sentiment
from groundswell.nlp.train.risks import RiskText, agreement, all_risk_texts
from groundswell.nlp.train.sources import Example, read_examples
from groundswell.nlp.train.targets import TargetText, target_texts

if TYPE_CHECKING:
    from groundswell.nlp.model.model import Model, Reading

Array = NDArray[np.float32]
Labels = NDArray[np.int64]

FEELINGS = ("negative", "neutral", "positive")
SIGNS = {"-": "negative", "0": "neutral", "+": "positive"}
TARGETS = Path(__file__).parent / "targets.txt"
FEWEST = 15
"""Positives a class of risk needs to count in the mean: below, its F1 says little."""
CLAIMED = 0.5
"""Probability from which a risk is claimed."""
COMPARED = 100
"""Texts of each set on which runtimes are compared, beside all texts of ours."""
COLLECTIONS = {"UMSAB together": "umsab", "ours together": "ours/", "all texts": ""}
"""Sets whose calibration is looked at together as well: part of the name of each."""
NEVER = 1e-9
"""Chances of nothing and of one have no odds: they are taken as this far from it."""


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
    gold: Labels = field(default_factory=lambda: np.zeros(0, np.int64))
    claimed: Labels = field(default_factory=lambda: np.zeros(0, np.int64))
    against_baseline: Interval | None = None
    against_previous: Interval | None = None


@dataclass(frozen=True, slots=True)
class Calibration:
    """Calibration error of one or several sets taken together.

    `chance` is what true confidences would show on as many texts; `halves` the error where corrections were fitted on
    one half of all texts and judged on the other.
    """

    name: str
    texts: int
    error: float
    chance: float
    halves: float


@dataclass(frozen=True, slots=True)
class Runtimes:
    """How far the fast runtime and the same weights in float32 agree: likeliest feelings, and embeddings."""

    texts: int
    same: float
    sure: float
    same_where_sure: float
    cosine: float
    least_cosine: float


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
    calibration: list[Calibration] = field(default_factory=list)
    runtimes: Runtimes | None = None
    risks: list[RiskScore] = field(default_factory=list)
    risk_f1: Interval | None = None
    risk_f1_halves: float = float("nan")
    own_risk_f1: Interval | None = None
    risk_by_lang: dict[str, Score] = field(default_factory=dict)
    target_recall: float = 0.0
    target_feeling: float = 0.0
    target_pairs: int = 0
    mains: list[MainTarget] = field(default_factory=list)
    agreement: dict[str, float] = field(default_factory=dict)
    behaviour: list[Behaviour] = field(default_factory=list)

    @property
    def many_languages(self) -> float:
        """Return the mean macro-F1 over the UMSAB sets, or nan where there are none."""
        return float(np.mean([f.f1.value for f in self.feelings if "umsab" in f.name] or [np.nan]))

    @property
    def error(self) -> float:
        """Return the sentiment's mean calibration error over the sets."""
        return float(np.mean([f.error for f in self.feelings] or [np.nan]))

    @property
    def main_named(self) -> float:
        """Return how often the main target of labelled documents is among those named, or nan where there are none."""
        texts = sum(main.texts for main in self.mains)
        return sum(main.named * main.texts for main in self.mains) / texts if texts else float("nan")


def evaluate(
    data: Path,
    model: Model,
    *,
    previous: Evaluation | None = None,
    exact: Model | None = None,
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
        previous: figures of the version before on the same texts, for paired differences.
        exact: the same weights in another runtime, to be compared with.
        baseline: whether TF-IDF and logistic regression are trained for comparison.
        taxonomy: the classes; by default the shipped ones.
        unsure_below: as in the configuration.
        most: more validation texts of one set are not read.
        progress: called with (done, total, what).
    """
    say = progress or (lambda *_: None)
    examples = read_examples(data)
    floor = _baseline([e for e in examples if e.split == "train"]) if baseline else None
    held_out = [t for t in all_risk_texts(data, taxonomy or load_taxonomy()) if t.split == "validation"]
    ours = [t for t in held_out if t.origin == "ours" and t.sentiment >= 0]
    sets = _sets([e for e in examples if e.split == "validation"], ours, most)
    report = Evaluation(model.made_by, previous.made_by if previous else "")
    readings = {}
    for number, (name, texts) in enumerate(sets.items()):
        say(number, len(sets), name)
        readings[name] = model.read([e.text for e in texts])
        floor_scores = floor if not name.startswith("ours/") else None
        report.feelings.append(_feeling(name, texts, readings[name], floor=floor_scores, unsure_below=unsure_below))
    if previous:
        report.feelings = _beside(report.feelings, previous)
    report.calibration = _calibration(sets, readings, model)
    _risks(report, [t for t in held_out if t.origin == "labelled"], model)
    _own_risks(report, ours, readings)
    _targets(report, model)
    _mains(report, [t for t in target_texts(data) if t.split == "validation"], model)
    report.agreement = agreement(taxonomy or load_taxonomy())
    report.behaviour = behave(model)
    if exact:
        say(len(sets), len(sets), "runtimes")
        compared = [seed.text for seed in seeds()] + [e.text for some in sets.values() for e in some[:COMPARED]]
        report.runtimes = compare(model, exact, compared, unsure_below)
    return report


def _sets(examples: Sequence[Example], ours: Sequence[RiskText], most: int) -> dict[str, list[Example]]:
    """Return validation texts by set; those of ours by language."""
    sets: dict[str, list[Example]] = {}
    for example in sorted(examples, key=lambda example: example.source):
        sets.setdefault(example.source, []).append(example)
    for text in sorted(ours, key=lambda text: text.lang):
        example = Example(text.text, text.sentiment, text.lang, f"ours/{text.lang}", "validation")
        sets.setdefault(example.source, []).append(example)
    return {name: texts[:most] for name, texts in sets.items()}


def _baseline(train: Sequence[Example]) -> Callable[[Sequence[str]], Labels] | None:
    from groundswell.nlp.evaluate.baseline import Baseline

    if not train:
        return None
    return Baseline([e.text for e in train], np.array([e.sentiment for e in train]))


def _feeling(
    name: str,
    examples: Sequence[Example],
    reading: Reading,
    *,
    floor: Callable[[Sequence[str]], Labels] | None,
    unsure_below: float,
) -> Feeling:
    gold = np.array([e.sentiment for e in examples])
    claimed, sure = reading.sentiment.argmax(axis=1), reading.sentiment.max(axis=1)
    below = floor([e.text for e in examples]) if floor else None
    return Feeling(
        name=name,
        lang=examples[0].lang,
        recall=bootstrap(lambda rows: macro_recall(gold[rows], claimed[rows]), len(gold)),
        f1=bootstrap(lambda rows: macro_f1(gold[rows], claimed[rows]), len(gold)),
        classes=tuple(score(gold, claimed, label) for label in range(len(FEELINGS))),
        confusion=confusion(gold, claimed, len(FEELINGS)),
        error=calibration_error(claimed == gold, sure),
        unsure=float((sure < unsure_below).mean()),
        gold=gold,
        claimed=claimed,
        against_baseline=paired(macro_f1, gold, claimed, below) if below is not None else None,
    )


def _beside(feelings: Sequence[Feeling], previous: Evaluation) -> list[Feeling]:
    """Return the same with paired differences to what another model claimed on the same texts."""
    before = {one.name: one.claimed for one in previous.feelings}
    return [
        replace(one, against_previous=paired(macro_f1, one.gold, one.claimed, before[one.name]))
        if len(before.get(one.name, ())) == len(one.gold)
        else one
        for one in feelings
    ]


def _calibration(
    sets: Mapping[str, Sequence[Example]], readings: Mapping[str, Reading], model: Model
) -> list[Calibration]:
    """Return the errors of every set, of collections that consist of several, and of all texts."""
    names = np.repeat(list(sets), [len(texts) for texts in sets.values()])
    examples = [example for texts in sets.values() for example in texts]
    gold, langs = np.array([e.sentiment for e in examples]), np.array([e.lang for e in examples])
    chances = np.concatenate([readings[name].sentiment for name in sets])
    plain = np.concatenate([model.plain_sentiment(readings[name]) for name in sets])
    fair = other_half(plain, gold, langs)
    groups = {name: names == name for name in sets}
    for title, word in COLLECTIONS.items():
        groups[title] = np.array([word in name for name in names])
    groups |= {f"all of {lang}": langs == lang for lang in sorted(set(langs))}
    return [
        Calibration(name, int(rows.sum()), error, error_by_chance(chances[rows].max(axis=1)), halves)
        for name, rows in groups.items()
        if rows.any()
        for error, halves in [[_error(values[rows], gold[rows]) for values in (chances, fair)]]
    ]


def _error(chances: Array, gold: Labels) -> float:
    return calibration_error(chances.argmax(axis=1) == gold, chances.max(axis=1))


def other_half(logits: Array, gold: Labels, langs: NDArray[np.str_]) -> Array:
    """Return probabilities ``(n, 3)``, the corrections of each half of the texts having been fitted on the other."""
    languages = sorted(set(langs))
    number = np.array([languages.index(lang) for lang in langs])
    first = np.random.default_rng(0).random(len(gold)) < 0.5
    found = np.zeros_like(logits)
    for fitted, judged in ((first, ~first), (~first, first)):
        silent = np.zeros_like(logits[fitted])
        found_here = fit_sentiment(logits[fitted], silent, gold[fitted], langs[fitted].tolist(), languages)
        own = number[judged]
        found[judged] = softmax(found_here.scales[own, None] * logits[judged] + found_here.shifts[own])
    return found


def compare(model: Model, exact: Model, texts: Sequence[str], unsure_below: float) -> Runtimes:
    """Return how far two runtimes of the same weights agree; the exact one says where a feeling is sure."""
    fast, slow = model.read(texts), exact.read(texts)
    same = fast.sentiment.argmax(axis=1) == slow.sentiment.argmax(axis=1)
    sure = slow.sentiment.max(axis=1) >= unsure_below
    cosine = (fast.vectors * slow.vectors).sum(axis=1)
    return Runtimes(
        len(texts), float(same.mean()), float(sure.mean()), float(same[sure].mean()), float(cosine.mean()),
        float(cosine.min()),
    )  # fmt: skip


def _risks(report: Evaluation, texts: Sequence[RiskText], model: Model) -> None:
    if not texts:
        return
    chances = model.read([t.text for t in texts]).risks
    gold = np.stack([t.labels for t in texts])
    claimed = (chances >= CLAIMED).astype(np.int64)
    for column, name in enumerate(model.risk_ids):
        labelled = gold[:, column] >= 0
        mine, predicted = gold[labelled, column].astype(np.int64), claimed[labelled, column]
        right = mine == predicted
        sure = np.maximum(chances[labelled, column], 1 - chances[labelled, column])
        report.risks.append(RiskScore(name, score(mine, predicted, 1), calibration_error(right, sure)))
    many = [column for column, risk in enumerate(report.risks) if risk.score.support >= FEWEST]
    if many:
        report.risk_f1 = bootstrap(lambda rows: risk_macro(gold[rows], claimed[rows], many), len(texts))
        report.risk_f1_halves = risks_by_halves(chances, gold, many)
    langs = np.array([t.lang for t in texts])
    for lang in sorted(set(langs)):
        rows = gold[langs == lang]
        labelled = rows >= 0
        report.risk_by_lang[lang] = score(rows[labelled].astype(np.int64), claimed[langs == lang][labelled], 1)


def _own_risks(report: Evaluation, texts: Sequence[RiskText], readings: Mapping[str, Reading]) -> None:
    """Add every class of risk on held-out texts of our own."""
    if not texts:
        return
    gold, claimed = [], []
    for lang in sorted({t.lang for t in texts}):
        chances = readings[f"ours/{lang}"].risks
        claimed.append((chances >= CLAIMED).astype(np.int64))
        gold.append(np.stack([t.labels for t in texts if t.lang == lang])[: len(chances)])
    labels, predicted = np.concatenate(gold), np.concatenate(claimed)
    columns = list(range(labels.shape[1]))
    report.own_risk_f1 = bootstrap(lambda rows: risk_macro(labels[rows], predicted[rows], columns), len(labels))


def risks_by_halves(chances: Array, gold: Array, columns: Sequence[int]) -> float:
    """Return the macro-F1 where each half's cuts were fitted on the other half.

    Args:
        chances: ``(n, classes)``.
        gold: ``(n, classes)``, -1 where unknown.
        columns: the classes of the mean.
    """
    odds = np.clip(chances, NEVER, 1 - NEVER) / np.clip(1 - chances, NEVER, 1)
    logits = np.log(odds, dtype=np.float32)
    first = np.random.default_rng(0).random(len(gold)) < 0.5
    claimed = np.zeros(gold.shape, np.int64)
    for fitted, judged in ((first, ~first), (~first, first)):
        scale, shift = fit_risks(logits[fitted], gold[fitted], np.ones(int(fitted.sum()), np.float32))
        claimed[judged] = sigmoid(np.float32(scale) * logits[judged] + shift) >= CLAIMED
    return risk_macro(gold, claimed, columns)


def risk_macro(gold: Array, claimed: Labels, columns: Sequence[int]) -> float:
    """Return the mean F1 over classes, unknown labels left out."""
    figures = []
    for column in columns:
        labelled = gold[:, column] >= 0
        figures.append(score(gold[labelled, column].astype(np.int64), claimed[labelled, column], 1).f1)
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
        mine = [(t.targets[0], predicted) for t, predicted in zip(texts, found, strict=True) if t.lang == lang]
        report.mains.append(
            MainTarget(
                lang,
                len(mine),
                float(np.mean([who in predicted for (who, _), predicted in mine])),
                float(np.mean([predicted.get(who) == feeling for (who, feeling), predicted in mine])),
                float(np.mean([len(predicted) for _, predicted in mine])),
            )
        )
