"""The learning loop: heads are corrected by a team's labels, and must be better on labels that they have not seen.

What is learnt is a residual: the model's own logit stays, and a ridge-penalised linear step on the features beside it
says where the team sees things otherwise (a Gaussian prior centred on the champion; Chelba and Acero 2006). A class
whose cross-validated agreement with people (Cohen's kappa) does not gain stays as it is. Then everything is judged on
labels held out of all of this (copies of a text on the same side), by a paired bootstrap (Efron 1979): what is not
better is refused.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.index.records import SENTIMENTS, Document
from groundswell.nlp.model.heads import Head, risk_stretch
from groundswell.nlp.model.learned import LEARNED_MARK, Learned
from groundswell.nlp.model.model import Looked, Model, Reading
from groundswell.nlp.text.document_text import document_texts
from groundswell.nlp.trust.truth import UNSURE

Array = NDArray[np.float32]
Array64 = NDArray[np.float64]
Numbers = NDArray[np.int64]
UNKNOWN = -1
HELD_OUT = 0.3
"""Share of the labelled texts that judge and never teach."""
FOLDS = 4
STRENGTHS = (1.0, 10.0)
"""Inverse ridge penalties that are tried; the gentlest first."""
SCALE_PULL = 5.0
"""Pull of the factor on the model's own logit towards 1, in texts."""
FEWEST_POSITIVES, FEWEST_TEXTS = 12, 100
"""Texts that carry a class, and texts at all, below which nothing is learnt."""
FEWEST_JUDGED = 5
"""Held-out texts that carry a class from which it counts."""
CUT_TEXTS = 15.0
"""Texts that the model's own cut is worth beside the one that labels ask for."""
POSITIVE_COUNTS = 2.0
GAIN = 0.02
"""Kappa that a class must gain in cross-validation to be learnt."""
LOSS, LOSS_POSITIVES = 0.05, 15
"""Kappa that no class with so many held-out texts may lose."""
DRAWS, SURE = 1000, 0.95
"""Bootstrap draws, and the share of them in which the challenger must be better."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """``n`` labelled texts.

    Attributes:
        groups: what a text is a copy of, else its own id.
        feelings: 0 to 2, -1 where nobody said, ``(n,)``.
        risks: 1 holds, 0 does not, -1 nobody said, ``(n, classes)``.
    """

    texts: tuple[str, ...]
    groups: tuple[str, ...]
    feelings: Numbers
    risks: Numbers

    def part(self, rows: Numbers) -> Lessons:
        """Return some of them."""
        texts, groups = (tuple(each[row] for row in rows) for each in (self.texts, self.groups))
        return Lessons(texts, groups, self.feelings[rows], self.risks[rows])


@dataclass(frozen=True, slots=True)
class Class:
    """Kappa of the model with people about a class, on held-out labels; `learned` says whether labels changed it."""

    name: str
    positives: int
    before: float
    after: float
    learned: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """What a challenger did on labels that it had not seen.

    Attributes:
        before: mean kappa of feelings and of risks, the champion's; `after` the challenger's.
        sure: share of bootstrap draws in which the challenger is better.
        wins: whether it may take the champion's place; `reasons` say why or why not.
    """

    taught: int
    held_out: int
    before: float
    after: float
    sure: float
    classes: tuple[Class, ...]
    wins: bool
    reasons: tuple[str, ...]

    def report(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return asdict(self)


def lessons(documents: Sequence[Document], known: dict[str, dict[str, str]], risk_ids: Sequence[str]) -> Lessons:
    """Return what people say of documents (document → field → value) as heads learn from it; "unsure" says nothing."""
    texts = document_texts([one.mention for one in documents])
    groups = [one.enriched.duplicate_of if one.enriched else "" for one in documents]
    answers = {"yes": 1, "no": 0}
    feelings = [_feeling(known[one.id].get("sentiment", UNSURE)) for one in documents]
    risks = [[answers.get(known[one.id].get(risk, ""), UNKNOWN) for risk in risk_ids] for one in documents]
    return Lessons(
        tuple(texts),
        tuple(group or one.id for group, one in zip(groups, documents, strict=True)),
        np.array(feelings, np.int64),
        np.array(risks, np.int64).reshape(len(documents), len(risk_ids)),
    )


def _feeling(value: str) -> int:
    return SENTIMENTS.index(value) if value in SENTIMENTS else UNKNOWN


def learn(model: Model, given: Lessons) -> tuple[Learned | None, Trial]:
    """Return what labels teach a model, nothing where they teach nothing, and how it did on those held out.

    Args:
        model: the one in effect; what was learnt before is a part of it.
        given: labelled texts, in any order.
    """
    place = np.array([zlib.crc32(f"held out {group}".encode()) / 2**32 for group in given.groups])
    inside, outside = (np.flatnonzero(rows) for rows in (place >= HELD_OUT, place < HELD_OUT))
    taught, unseen = given.part(inside), given.part(outside)
    learned = fit(model, taught)
    return learned, judge(model, learned, unseen, taught=len(inside))


def fit(model: Model, given: Lessons) -> Learned | None:
    """Return the classes and feelings that gain in cross-validation; nothing where none does."""
    looked = model.look(given.texts)
    reading = model.judge(looked)
    folds = np.array([zlib.crc32(f"fold {group}".encode()) % FOLDS for group in given.groups])
    features = np.asarray(model.risk_features(given.texts, looked.encoded), np.float64)
    stretch = _stretch(model, features.shape[1])
    own = model.heads.risks.logits(features.astype(np.float32)).astype(np.float64)
    made: dict[str, Head] = {}
    for n, risk in enumerate(model.risk_ids):
        rows = np.flatnonzero(given.risks[:, n] != UNKNOWN)
        if given.risks[rows, n].sum() >= FEWEST_POSITIVES and len(rows) >= FEWEST_TEXTS:
            found = _risk(features[rows] * stretch, own[rows, n], given.risks[rows, n], folds[rows])
            if found is not None:
                scale, weight, bias = found
                old = model.heads.risks
                made[risk] = Head(scale * old.weight[n] + weight * stretch, np.asarray(scale * old.bias[n] + bias))
    feeling = _sentiment(looked, reading, given.feelings, folds)
    if not made and feeling is None:
        return None
    if feeling is not None and model.heads.learned is not None:
        earlier = model.heads.learned
        feeling = Head(earlier.weight + feeling.weight, earlier.bias + feeling.bias)
    weights, biases = model.heads.risks.weight.copy(), model.heads.risks.bias.copy()
    for n, risk in enumerate(model.risk_ids):
        if risk in made:
            weights[n], biases[n] = made[risk].weight, made[risk].bias
    base, _, before = model.made_by.partition(LEARNED_MARK)
    return Learned(
        base=base,
        before=before,
        risk_ids=model.risk_ids,
        risks=Head(weights, biases),
        sentiment=feeling if feeling is not None else model.heads.learned,
    )


def _stretch(model: Model, width: int) -> Array:
    heads = model.heads
    if width <= heads.dimensions:
        return np.ones(width, np.float32)
    return risk_stretch(width, width - 2 * heads.dimensions)


def _risk(features: Array64, own: Array64, gold: Numbers, folds: Numbers) -> tuple[float, Array, float] | None:
    """Return factor, weights and bias of a class, nothing where it would not gain."""
    before = _kappa(own >= 0, gold == 1)
    best: tuple[float, float, float] | None = None
    for strength in STRENGTHS:
        unseen = np.zeros(len(gold))
        for fold in range(FOLDS):
            teach, ask = folds != fold, folds == fold
            if gold[teach].any() and ask.any():
                scale, weight, bias = _residual(features[teach], own[teach], gold[teach], strength)
                unseen[ask] = scale * own[ask] + features[ask] @ weight + bias
        cut = _cut(unseen, gold)
        after = _kappa(unseen >= cut, gold == 1)
        if after >= before + GAIN and (best is None or after > best[0]):
            best = (after, strength, cut)
    if best is None:
        return None
    scale, weight, bias = _residual(features, own, gold, best[1])
    return scale, weight.astype(np.float32), bias - best[2]


def _residual(features: Array64, own: Array64, gold: Numbers, strength: float) -> tuple[float, Array64, float]:
    """Return factor on the own logit, weights and bias of a penalised logistic regression around them."""
    from scipy.optimize import minimize

    counts = np.where(gold == 1, POSITIVE_COUNTS, 1.0)

    def loss(values: Array64) -> tuple[float, Array64]:
        scale, bias, weight = values[0], values[1], values[2:]
        logits = scale * own + bias + features @ weight
        wrong = counts * (1 / (1 + np.exp(-np.clip(logits, -40, 40))) - gold)
        lost = float((counts * (np.logaddexp(0, logits) - gold * logits)).sum())
        pull = SCALE_PULL * (scale - 1) ** 2 + float(weight @ weight) / (2 * strength)
        slope = np.concatenate([[wrong @ own + 2 * SCALE_PULL * (scale - 1), wrong.sum()], features.T @ wrong])
        slope[2:] += weight / strength
        return lost + pull, slope

    start = np.zeros(2 + features.shape[1])
    start[0] = 1.0
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 60}).x
    return float(found[0]), found[2:], float(found[1])


def _cut(logits: Array64, gold: Numbers) -> float:
    """Return the cut with the best F1, drawn towards 0 as far as few labels speak for it."""
    order = np.argsort(-logits, kind="stable")
    right = np.cumsum(gold[order] == 1)
    f1 = 2 * right / (np.arange(1, len(order) + 1) + max(1, right[-1]))
    best = int(np.argmax(f1))
    own = float(logits[order[best : best + 2]].mean())
    positives = float(right[-1])
    return positives * own / (positives + CUT_TEXTS)


def _sentiment(looked: Looked, reading: Reading, gold: Numbers, folds: Numbers) -> Head | None:
    """Return what is to be added to the logits of feelings, nothing where they would not gain."""
    rows = np.flatnonzero(gold != UNKNOWN)
    if len(rows) < FEWEST_TEXTS or len(np.unique(gold[rows])) < 2:
        return None
    norm = float(np.linalg.norm(looked.pooled[rows], axis=1).mean()) or 1.0
    features, own = looked.pooled[rows].astype(np.float64) / norm, np.log(np.maximum(reading.sentiment[rows], 1e-9))
    target, fold_of = gold[rows], folds[rows]
    before, best = _macro(own.argmax(axis=1), target), None
    for strength in STRENGTHS:
        unseen = own.astype(np.float64)
        for fold in range(FOLDS):
            teach, ask = fold_of != fold, fold_of == fold
            weight, bias = _added(features[teach], own[teach], target[teach], strength)
            unseen[ask] += features[ask] @ weight.T + bias
        after = _macro(unseen.argmax(axis=1), target)
        if after >= before + GAIN / 2 and (best is None or after > best[0]):
            best = (after, strength)
    if best is None:
        return None
    weight, bias = _added(features, own, target, best[1])
    return Head((weight / norm).astype(np.float32), bias.astype(np.float32))


def _added(features: Array64, own: Array, gold: Numbers, strength: float) -> tuple[Array64, Array64]:
    """Return weights ``(3, width)`` and bias ``(3,)`` of a penalised softmax regression beside given logits.

    Rare feelings count more, by the square root of how rare they are.
    """
    from scipy.optimize import minimize

    many = np.maximum(np.bincount(gold, minlength=3), 1)
    counts = (len(gold) / (3 * many)) ** 0.5
    wide, rows = features.shape[1], np.arange(len(gold))

    def loss(values: Array64) -> tuple[float, Array64]:
        weight, bias = values[: 3 * wide].reshape(3, wide), values[3 * wide :]
        logits = own + features @ weight.T + bias
        logits -= logits.max(axis=1, keepdims=True)
        chances = np.exp(logits)
        chances /= chances.sum(axis=1, keepdims=True)
        each = counts[gold]
        lost = -float((each * np.log(np.maximum(chances[rows, gold], 1e-300))).sum())
        chances[rows, gold] -= 1
        chances *= each[:, None]
        slope = chances.T @ features + weight / strength
        return lost + float((weight**2).sum()) / (2 * strength), np.concatenate([slope.ravel(), chances.sum(axis=0)])

    found = minimize(loss, np.zeros(3 * wide + 3), jac=True, method="L-BFGS-B", options={"maxiter": 60}).x
    return found[: 3 * wide].reshape(3, wide), found[3 * wide :]


def _kappa(said: NDArray[np.bool_], gold: NDArray[np.bool_]) -> float:
    """Return Cohen's kappa: unlike F1, it gains nothing by saying yes to everything."""
    return float(_scores(said[:, None], gold[:, None], np.ones((len(gold), 1), bool), np.ones((1, len(gold))))[0, 0])


def _macro(said: Numbers, gold: Numbers) -> float:
    return float(np.mean([_kappa(said == value, gold == value) for value in np.unique(gold)]))


# --- the gate


def judge(champion: Model, learned: Learned | None, unseen: Lessons, *, taught: int) -> Trial:
    """Return how a challenger did beside the champion on labels that neither has seen."""
    if learned is None or not len(unseen.texts):
        reason = "cross-validation found nothing that would gain" if taught else "there are no labels to learn from"
        return Trial(taught, len(unseen.texts), 0.0, 0.0, 0.0, (), False, (reason,))
    looked = champion.look(unseen.texts)
    readings = [model.judge(looked) for model in (champion, champion.having(learned))]
    columns = _columns(champion.risk_ids, unseen)
    said = [_said(reading, columns, champion.risk_ids) for reading in readings]
    gold, asked = _gold(columns, unseen, champion.risk_ids)
    once = np.ones((1, len(unseen.texts)))
    scores = [_scores(each, gold, asked, once)[0] for each in said]
    draws = np.random.default_rng(0).multinomial(len(unseen.texts), once[0] / len(unseen.texts), size=DRAWS)
    means = [_mean(_scores(each, gold, asked, draws), columns) for each in said]
    sure = float((means[1] > means[0]).mean())
    before, after = (float(_mean(each[None], columns)[0]) for each in scores)
    changed = _changed(champion, learned)
    classes = tuple(
        Class(name, int(gold[:, n].sum()), float(scores[0][n]), float(scores[1][n]), name in changed)
        for n, name in enumerate(columns)
    )
    lost = [one for one in classes if one.positives >= LOSS_POSITIVES and one.after < one.before - LOSS]
    reasons = [
        f"agreement with people (kappa) on {len(unseen.texts)} held-out texts: {before:.3f} before, {after:.3f} after"
    ]
    reasons.append(f"better in {sure:.0%} of bootstrap draws, {SURE:.0%} are asked for")
    reasons += [f"{one.name} would fall from {one.before:.2f} to {one.after:.2f}" for one in lost]
    wins = after > before and sure >= SURE and not lost
    return Trial(taught, len(unseen.texts), before, after, sure, classes, wins, tuple(reasons))


def _changed(champion: Model, learned: Learned) -> set[str]:
    """Return the classes that the labels changed."""
    old = champion.heads
    rows = np.flatnonzero(
        (learned.risks.weight != old.risks.weight).any(axis=1) | (learned.risks.bias != old.risks.bias)
    )
    feelings = learned.sentiment is not old.learned
    return {champion.risk_ids[row] for row in rows} | {f"sentiment:{value}" for value in SENTIMENTS if feelings}


def _columns(risk_ids: Sequence[str], unseen: Lessons) -> list[str]:
    """Return the classes that enough held-out texts carry to be judged."""
    many = {f"sentiment:{value}": int((unseen.feelings == n).sum()) for n, value in enumerate(SENTIMENTS)}
    many |= {risk: int((unseen.risks[:, n] == 1).sum()) for n, risk in enumerate(risk_ids)}
    return [name for name, count in many.items() if count >= FEWEST_JUDGED]


def _said(reading: Reading, columns: Sequence[str], risk_ids: Sequence[str]) -> NDArray[np.bool_]:
    feeling = reading.sentiment.argmax(axis=1)
    return np.stack(
        [
            feeling == SENTIMENTS.index(name.partition(":")[2])
            if name.startswith("sentiment:")
            else reading.risks[:, risk_ids.index(name)] >= 0.5
            for name in columns
        ]
        or [np.zeros(len(feeling), bool)],
        axis=1,
    )


def _gold(
    columns: Sequence[str], unseen: Lessons, risk_ids: Sequence[str]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which class holds of which text, and where somebody said so or not."""
    held, asked = [], []
    for name in columns:
        if name.startswith("sentiment:"):
            held.append(unseen.feelings == SENTIMENTS.index(name.partition(":")[2]))
            asked.append(unseen.feelings != UNKNOWN)
        else:
            column = unseen.risks[:, risk_ids.index(name)]
            held.append(column == 1)
            asked.append(column != UNKNOWN)
    nothing = [np.zeros(len(unseen.texts), bool)]
    return np.stack(held or nothing, axis=1), np.stack(asked or nothing, axis=1)


def _scores(said: NDArray[np.bool_], gold: NDArray[np.bool_], asked: NDArray[np.bool_], draws: NDArray[Any]) -> Array64:
    """Return kappa of each class in each draw, ``(draws, classes)``; `draws` counts how often each text was drawn."""
    many = np.maximum(draws @ asked.astype(np.float64), 1e-9)
    yes, true = (draws @ (each & asked).astype(np.float64) / many for each in (said, gold))
    alike = draws @ ((said == gold) & asked).astype(np.float64) / many
    chance = yes * true + (1 - yes) * (1 - true)
    return np.asarray((alike - chance) / np.maximum(1 - chance, 1e-9))


def _mean(scores: Array64, columns: Sequence[str]) -> Array64:
    """Return the mean of feelings' kappa and of risks', of those that there are, in each draw."""
    feelings = [n for n, name in enumerate(columns) if name.startswith("sentiment:")]
    risks = [n for n, name in enumerate(columns) if not name.startswith("sentiment:")]
    parts = [scores[:, rows].mean(axis=1) for rows in (feelings, risks) if rows]
    return np.mean(parts, axis=0) if parts else np.zeros(len(scores))


# --- what would change


@dataclass(frozen=True, slots=True)
class Change:
    """A document that would be read otherwise."""

    document: str
    before: str
    after: str


def changes(champion: Model, learned: Learned, documents: Sequence[Document]) -> list[Change]:
    """Return the documents whose feeling or risks would be others, in their order."""
    texts = document_texts([one.mention for one in documents])
    if not texts:
        return []
    looked, challenger = champion.look(texts), champion.having(learned)
    one, other = (_words(model, model.judge(looked)) for model in (champion, challenger))
    return [
        Change(document.id, before, after)
        for document, before, after in zip(documents, one, other, strict=True)
        if before != after
    ]


def _words(model: Model, reading: Reading) -> list[str]:
    """Return feeling and risks of each text as they are said."""
    return [
        " ".join(
            [SENTIMENTS[int(feeling.argmax())], *(r for r, p in zip(model.risk_ids, chances, strict=True) if p >= 0.5)]
        )
        for feeling, chances in zip(reading.sentiment, reading.risks, strict=True)
    ]
