"""How the risk heads do on sources they have not learnt from: each group of sources is left out in turn.

    python bench/sources_out.py DATA

DATA is what `groundswell train` reads. Encodes the labelled documents (minutes), fits the heads once for every group,
with the cuts of the others, and prints F1 a class with at least 15 positives, the mean with its bootstrap interval, and
any risk by language. Beside it stands the floor: TF-IDF of character pieces and logistic regression, left out the same
way. The branch below the heads has seen two thirds of the documents: only the third it has not is judged.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from groundswell.configs.schema import ModelSettings
from groundswell.configs.taxonomy import load_taxonomy
from groundswell.nlp.evaluate.metrics import bootstrap
from groundswell.nlp.model.heads import risk_features, sigmoid
from groundswell.nlp.model.lexicon import Wording
from groundswell.nlp.model.model import load_model
from groundswell.nlp.text.clean import clean_one
from groundswell.nlp.train.calibrate import fit_risks
from groundswell.nlp.train.risks import RiskText, _round, all_risk_texts, find_texts
from groundswell.nlp.train.run import COUNTS, fit_linear

FEWEST = 15
TOGETHER = {
    "streaming_en_2024": "streaming",
    "netflix_en_2024": "streaming",
    "hackernews_2006_15": "hackernews_2015_16",
}
Flags = NDArray[np.bool_]
Array = NDArray[np.float32]


def main(data: Path) -> None:
    """Print the figures."""
    taxonomy = load_taxonomy()
    texts = all_risk_texts(data, taxonomy)
    group = groups_of(data, texts)
    labels = np.stack([each.labels for each in texts])
    unseen = np.array([bool(name) and each.split == "validation" for name, each in zip(group, texts, strict=True)])
    for title, logits in (("heads", by_heads(texts, labels, group)), ("TF-IDF", by_words(texts, labels, group))):
        show(title, believed(logits, labels, group), labels, unseen, np.array([each.lang for each in texts]))


def groups_of(data: Path, texts: list[RiskText]) -> NDArray[np.str_]:
    """Return the group of sources of each labelled document, empty for all other texts."""
    place = {clean_one(text): key[0].split("/")[0] for key, text in find_texts(data, _round("first"))}
    names = [place.get(each.text, "") if each.origin == "labelled" else "" for each in texts]
    return np.array([TOGETHER.get(name, name) for name in names])


def counted(texts: list[RiskText], group: NDArray[np.str_], left_out: str) -> Array:
    """Return what each text counts for where a group is left out; what patterns chose comes from the same sets."""
    own = np.array([COUNTS[each.origin] * (each.origin != "pattern") for each in texts], np.float32)
    return own * (group != left_out)


def by_heads(texts: list[RiskText], labels: Array, group: NDArray[np.str_]) -> Array:
    """Return logits of heads that have not learnt from a text's group."""
    words = [each.text for each in texts]
    encoded = load_model(ModelSettings()).encode(words)
    features = risk_features(encoded.vectors, encoded.pooled, Wording.of(load_taxonomy().risks)(words))
    logits = np.zeros_like(labels)
    for name in sorted(set(group) - {""}):
        logits[group == name] = fit_linear(features, labels, counted(texts, group, name)).logits(
            features[group == name]
        )
    return logits


def by_words(texts: list[RiskText], labels: Array, group: NDArray[np.str_]) -> Array:
    """Return the same of the floor."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, min_df=3, max_features=100_000)
    features = vectors.fit_transform([each.text for each in texts])
    logits = np.full_like(labels, -9)
    for name in sorted(set(group) - {""}):
        weight, judged = counted(texts, group, name), group == name
        for column in range(labels.shape[1]):
            rows = (weight > 0) & (labels[:, column] >= 0)
            if len(set(labels[rows, column])) > 1:
                model = LogisticRegression(C=10, class_weight="balanced", solver="liblinear")
                model.fit(features[rows], labels[rows, column], sample_weight=weight[rows])
                logits[judged, column] = model.decision_function(features[judged])
    return logits


def believed(logits: Array, labels: Array, group: NDArray[np.str_]) -> Array:
    """Return probabilities, cuts fitted on the other groups."""
    chances = np.zeros_like(logits)
    for name in sorted(set(group) - {""}):
        others = (group != name) & (group != "")
        scale, shift = fit_risks(logits[others], labels[others], np.ones(int(others.sum()), np.float32))
        chances[group == name] = sigmoid(scale * logits[group == name] + shift)
    return chances


def show(title: str, chances: Array, labels: Array, unseen: Flags, langs: NDArray[np.str_]) -> None:
    """Print F1 by class, the mean, and any risk by language."""
    ids = load_taxonomy().risk_ids
    counted_here = [n for n in range(len(ids)) if (labels[unseen, n] == 1).sum() >= FEWEST]
    gold, said = labels[unseen], chances[unseen] >= 0.5

    def f1(rows: NDArray[np.int64], column: int) -> float:
        known = gold[rows, column] >= 0
        holds, claimed = gold[rows, column][known] == 1, said[rows, column][known]
        return float(2 * (holds & claimed).sum() / max(1, holds.sum() + claimed.sum()))

    mean = bootstrap(lambda rows: float(np.mean([f1(rows, n) for n in counted_here])), len(gold))
    every = np.arange(len(gold))
    print(f"{title}: macro-F1 {mean}; " + ", ".join(f"{ids[n]} {f1(every, n):.2f}" for n in counted_here))
    for lang in sorted(set(langs[unseen])):
        rows = langs[unseen] == lang
        holds, claimed = (gold[rows] == 1).any(axis=1), said[rows].any(axis=1)
        print(f"  any risk, {lang}: {2 * (holds & claimed).sum() / max(1, holds.sum() + claimed.sum()):.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
