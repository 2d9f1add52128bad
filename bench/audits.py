"""Do the intervals of the quality report hold what they promise? Audits are drawn again and again from known worlds.

    python bench/audits.py [--audits 1000] [--worlds 1000] [--seed 1] [--documents 60000] [--size 600] [--none 0.5]

Each world has documents of several classes, rare and common, easy and hard; an audit is drawn as
`groundswell label draw audit` does, labelled by the truth, and estimated: how often does each interval cover the truth?
By default every audit is of a world of its own, whose rates are drawn, too: of one world alone the share covered
swings with the rate, as that of every interval for counts does (Brown, Cai and DasGupta 2001); `--worlds 1` shows that.
Other designs: a small world (`--documents 2000`) whose rare strata are looked at whole, a small audit, and strata drawn
still more unequally (`--none` is the share of the audit from what is called nothing).
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from groundswell.index.records import Sample
from groundswell.nlp.trust.estimate import Estimate
from groundswell.nlp.trust.quality import Audited, figures

CLASSES = {
    "rare": ((0.003, 0.01), (0.5, 0.9), (0.001, 0.004)),
    "gambling": ((0.01, 0.04), (0.6, 0.95), (0.002, 0.008)),
    "common": ((0.05, 0.15), (0.7, 0.97), (0.01, 0.04)),
}
"""Class: ranges of the share that the model calls so, of those that are, and of the others that are."""
SIZE, DOCUMENTS = 600, 60_000
"""Documents of a world and of an audit. Of a class that is nearly all looked at hardly anything is left to guess."""
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)


def main(args: Sequence[str] | None = None) -> None:
    """Draw, estimate, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audits", type=int, default=1000)
    parser.add_argument("--worlds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--none", type=float, default=0.5)
    given = parser.parse_args(args)
    design = Design(given.documents, given.size, given.none)
    for name, covered in coverage(given.audits, given.worlds, given.seed, design).items():
        print(json.dumps({"interval": name, "covers": round(covered, 3)}))


@dataclass(frozen=True)
class Design:
    """Documents of a world, documents of an audit, and the share of these from what is called nothing."""

    documents: int = DOCUMENTS
    size: int = SIZE
    none: float = 0.5


def coverage(audits: int, worlds: int, seed: int = 1, design: Design | None = None) -> dict[str, float]:
    """Return interval → share of audits in which it covers the truth, of those audits that say something of it."""
    dice, design = np.random.default_rng(seed), design or Design()
    names = list(CLASSES)
    hits: Counter[str] = Counter()
    tries: Counter[str] = Counter()
    for turn in range(audits):
        if turn % max(1, audits // worlds) == 0:
            called, true = world(dice, design.documents)
            truth = {name: _truth(called[:, n], true[:, n]) for n, name in enumerate(names)}
            rows = _strata(called)
        found, sample = _audit(dice, rows, (called, true), names, design)
        for figure in figures(found, [sample], names):
            for kind in ("precision", "recall", "false_positives", "prevalence"):
                estimate = getattr(figure, kind)
                tries[f"{figure.name} {kind}"] += estimate.value is not None
                hits[f"{figure.name} {kind}"] += _covers(estimate, truth[figure.name][kind])
    return {name: count / tries[name] for name, count in sorted(hits.items())}


def _strata(called: np.ndarray) -> dict[int, np.ndarray]:
    """Return the rows of each stratum: what is called several classes stands in the rarest."""
    strata = np.full(len(called), -1)
    for n in sorted(range(called.shape[1]), key=lambda n: -called[:, n].sum()):
        strata[called[:, n]] = n
    return {stratum: np.flatnonzero(strata == stratum) for stratum in sorted(set(strata.tolist()))}


def world(dice: np.random.Generator, documents: int = DOCUMENTS) -> tuple[np.ndarray, np.ndarray]:
    """Return which documents are called what, and are what; shape (documents, classes), bool."""
    rates = [[np.exp(dice.uniform(*np.log(span))) for span in spans] for spans in CLASSES.values()]
    called = np.stack([dice.uniform(size=documents) < share for share, _, _ in rates], 1)
    right = np.stack([np.where(called[:, n], p, q) for n, (_, p, q) in enumerate(rates)], 1)
    return called, dice.uniform(size=called.shape) < right


def _truth(called: np.ndarray, true: np.ndarray) -> dict[str, float]:
    both = float((called & true).sum())
    return {
        "precision": both / max(1, called.sum()),
        "recall": both / max(1, true.sum()),
        "false_positives": float((called & ~true).sum() / (~true).sum()),
        "prevalence": float(true.mean()),
    }


def _audit(
    dice: np.random.Generator,
    rows: dict[int, np.ndarray],
    tables: tuple[np.ndarray, np.ndarray],
    names: list[str],
    design: Design,
) -> tuple[list[Audited], Sample]:
    """Draw half, or another share, from what is called nothing, the rest alike from each class."""
    called, true = tables
    none = round(design.size * design.none)
    sizes = {n: none if n < 0 else (design.size - none) // len(names) for n in rows}
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
