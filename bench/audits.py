"""Do the intervals of the quality report hold what they promise? Audits are drawn again and again from known worlds.

    python bench/audits.py [--audits 1000]

Each world has documents of several classes, rare and common, easy and hard; an audit is drawn as
`groundswell label draw audit` does, labelled by the truth, and estimated: how often does each interval cover the truth?
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from groundswell.index.records import Sample
from groundswell.nlp.trust.estimate import Estimate
from groundswell.nlp.trust.quality import Audited, figures

CLASSES = {"gambling": (0.02, 0.85, 0.004), "scam_jobs": (0.005, 0.7, 0.002), "ad_experience": (0.08, 0.9, 0.02)}
"""Class: share that the model calls so, share of them that is, share of the others that is."""
SIZE, DOCUMENTS = 600, 60_000
"""Documents of a world and of an audit. Of a class that is nearly all looked at hardly anything is left to guess."""
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)


def main(args: Sequence[str] | None = None) -> None:
    """Draw, estimate, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audits", type=int, default=1000)
    given = parser.parse_args(args)
    for name, covered in coverage(given.audits).items():
        print(json.dumps({"interval": name, "covers": round(covered, 3)}))


def coverage(audits: int, seed: int = 1) -> dict[str, float]:
    """Return interval → share of audits in which it covers the truth."""
    dice = np.random.default_rng(seed)
    called, true = world(dice)
    names = list(CLASSES)
    truth = {name: _truth(called[:, n], true[:, n]) for n, name in enumerate(names)}
    strata = np.where(called.any(1), len(names) - 1 - called[:, ::-1].argmax(1), -1)
    rarity = sorted(range(len(names)), key=lambda n: called[:, n].sum())
    for n in reversed(rarity):
        strata[called[:, n]] = n
    rows = {stratum: np.flatnonzero(strata == stratum) for stratum in sorted(set(strata.tolist()))}
    hits: Counter[str] = Counter()
    for _ in range(audits):
        found, sample = _audit(dice, rows, called, true, names)
        for figure in figures(found, [sample], names):
            for kind in ("precision", "recall", "false_positives", "prevalence"):
                hits[f"{figure.name} {kind}"] += _covers(getattr(figure, kind), truth[figure.name][kind])
    return {name: count / audits for name, count in sorted(hits.items())}


def world(dice: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return which documents are called what, and are what; shape (documents, classes), bool."""
    called = np.stack([dice.uniform(size=DOCUMENTS) < share for share, _, _ in CLASSES.values()], 1)
    right = np.stack([np.where(called[:, n], p, q) for n, (_, p, q) in enumerate(CLASSES.values())], 1)
    return called, dice.uniform(size=called.shape) < right


def _truth(called: np.ndarray, true: np.ndarray) -> dict[str, float]:
    both = float((called & true).sum())
    return {
        "precision": both / called.sum(),
        "recall": both / true.sum(),
        "false_positives": float((called & ~true).sum() / (~true).sum()),
        "prevalence": float(true.mean()),
    }


def _audit(
    dice: np.random.Generator, rows: dict[int, np.ndarray], called: np.ndarray, true: np.ndarray, names: list[str]
) -> tuple[list[Audited], Sample]:
    """Draw half from what is called nothing, the rest alike from each class."""
    sizes = {n: SIZE // 2 if n < 0 else SIZE // 2 // len(names) for n in rows}
    population, found = {}, []
    for stratum, inside in rows.items():
        label = "none" if stratum < 0 else names[stratum]
        population[label] = {"": len(inside)} | {name: int(called[inside, n].sum()) for n, name in enumerate(names)}
        for row in dice.choice(inside, min(len(inside), sizes[stratum]), replace=False):
            has, said = ([name for n, name in enumerate(names) if table[row, n]] for table in (true, called))
            found.append(Audited("s", label, "en", "SG", "m", frozenset(said), frozenset(has), frozenset(names)))
    sample = Sample(id="s", at=NOON, by="bench", since=NOON - timedelta(days=7), until=NOON, population=population)
    return found, sample


def _covers(estimate: Estimate, truth: float) -> bool:
    return estimate.value is not None and estimate.low - 1e-12 <= truth <= estimate.high + 1e-12


if __name__ == "__main__":
    main()
