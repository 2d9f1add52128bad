"""What more labelled texts, and more tuned layers, would bring: short runs of the recipe that `groundswell train` uses.

    python bench/curve.py DATA WORK [--steps 200]

DATA is the folder that training reads, WORK a folder for the lower layers' states (.6 GB, made once, in minutes): those
of UMSAB's texts and of one in eight of all others, which is more than so few steps read. Prints the mean macro-F1 over
UMSAB's validation sets: of logistic regression on mean states below the fork, for an eighth to all of UMSAB's training
texts, then of two, four and six tuned layers on all sets. The figures compare with each other, not with the shipped
model, which is tuned for 32 times as many steps.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.configs.taxonomy import load_taxonomy
from groundswell.nlp.evaluate.metrics import macro_f1
from groundswell.nlp.model.bundle import find_bundle
from groundswell.nlp.model.encoder.tokens import Tokenizer
from groundswell.nlp.train.branch import Activations, Lesson, Recipe, make_branch, predict, tune
from groundswell.nlp.train.pretrained import read_pretrained
from groundswell.nlp.train.quantise import find_ranges
from groundswell.nlp.train.run import (
    LONGEST_SEQUENCE,
    NAME,
    Kit,
    cache,
    cut_vocabulary,
    feeling_lesson,
    read_texts,
    shape_of,
    trunk_of,
)
from groundswell.nlp.train.vocabulary import PREFIX

Rows = NDArray[np.int64]
OTHERS = 8
"""Of the texts outside UMSAB, which come in random order, every so many-th is read."""


def prepare(data: Path, work: Path, recipe: Recipe) -> tuple[Kit, Activations]:
    """Return what training prepares, and the states of all texts."""
    work.mkdir(parents=True, exist_ok=True)
    taxonomy, start = load_taxonomy(), read_pretrained()
    whole = read_texts(data, taxonomy)
    some = [e for n, e in enumerate(whole.feelings) if "umsab" in e.source or n % OTHERS == 0]
    texts = dataclasses.replace(whole, feelings=some)
    weights = cut_vocabulary(start, texts, find_bundle(NAME), work)
    tokenizer = Tokenizer.read(work / "tokenizer.json", prefix=PREFIX, max_tokens=LONGEST_SEQUENCE, pad=start.pad)
    shape = shape_of(start, recipe)
    ranges = find_ranges(trunk_of(shape), weights, texts.ranges, tokenizer)
    kit = Kit(shape, weights, tokenizer, ranges, texts, taxonomy)
    return kit, cache(work / "feelings.f16", [e.text for e in texts.feelings], kit, None)


def mean_f1(gold: Rows, claimed: Rows, langs: NDArray[np.str_]) -> float:
    """Return the mean macro-F1 over languages, in points."""
    return 100 * float(np.mean([macro_f1(gold[langs == lang], claimed[langs == lang]) for lang in sorted(set(langs))]))


def frozen(lesson: Lesson, train: Rows, check: Rows, langs: NDArray[np.str_], share: int) -> float:
    """Return the figure of logistic regression on the mean states of one in `share` training texts."""
    from sklearn.linear_model import LogisticRegression

    def means(rows: Rows) -> NDArray[np.float32]:
        states, starts = lesson.activations.states, lesson.activations.starts
        return np.stack([states[starts[row] : starts[row + 1]].astype(np.float32).mean(axis=0) for row in rows])

    some = np.random.default_rng(0).permutation(train)[: len(train) // share]
    model = LogisticRegression(C=0.3, max_iter=300).fit(means(some), lesson.sentiment[some])
    return mean_f1(lesson.sentiment[check], model.predict(means(check)), langs)


def tuned(kit: Kit, lesson: Lesson, layers: int, recipe: Recipe, checkpoint: Path) -> Any:
    """Return a branch of which only the upper `layers` learned."""
    branch = make_branch(kit.weights, recipe, kit.shape.fork, len(kit.taxonomy.risks))
    for layer in list(branch.layers)[: recipe.layers - layers]:
        layer.requires_grad_(requires_grad=False)
    tune(branch, lesson, lesson, recipe, checkpoint=checkpoint)
    return branch


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--steps", type=int, default=200)
    options = parser.parse_args()
    recipe = dataclasses.replace(Recipe(), steps=options.steps, last_steps=0, later=0.0, warm_up=30)
    kit, activations = prepare(options.data, options.work, recipe)
    lesson = feeling_lesson(kit.texts, activations, kit.taxonomy)
    feelings = kit.texts.feelings
    umsab = np.array(["umsab" in e.source for e in feelings])
    learned = np.array([e.split == "train" for e in feelings])
    train, check = np.flatnonzero(umsab & learned), np.flatnonzero(umsab & ~learned)
    langs = np.array([feelings[row].lang for row in check])
    for share in (8, 4, 2, 1):
        figure = frozen(lesson, train, check, langs, share)
        print(f"frozen, {len(train) // share:6,} texts of UMSAB  {figure:5.1f}", flush=True)
    for layers in (2, 4, 6):
        branch = tuned(kit, lesson, layers, recipe, options.work / f"{layers}-{options.steps}.pt")
        claimed = predict(branch, activations, check.tolist())[1].argmax(axis=1)
        figure = mean_f1(lesson.sentiment[check], claimed, langs)
        print(f"{layers} layers tuned, {options.steps} steps   {figure:5.1f}", flush=True)


if __name__ == "__main__":
    main()
