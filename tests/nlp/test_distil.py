from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from groundswell.nlp.model.encoder.graph import Shape, build
from groundswell.nlp.model.encoder.tokens import Batch
from groundswell.nlp.model.encoder.torch import read_weights
from groundswell.nlp.model.heads import Head
from groundswell.nlp.train.distil import Distillation, Lesson, Student, distil, distil_texts
from groundswell.nlp.train.kept import Kept, read_steps
from groundswell.nlp.train.quantise import find_ranges

onnx = pytest.importorskip("onnx")
SMALL = Shape(hidden=32, layers=2, heads=2, feed=64, positions=16, fork=1, branch=2)
HOW = Distillation(fork=1, branch=(1,), steps=6, warm_up=2)
LINEAR = {"query": (32, 32), "key": (32, 32), "value": (32, 32), "mix": (32, 32), "wide": (64, 32), "narrow": (32, 64)}


class Pieces:
    """Stands in for a tokenizer where texts are already piece numbers; the last text stands alone."""

    def __call__(self, texts: list[str]) -> list[str]:
        """Return the texts themselves."""
        return list(texts)

    def batches(self, texts: list[str], _: int) -> list[Batch]:
        """Return all texts but the last as one batch, the last as another."""
        rows = np.array([[int(piece) for piece in text.split()] for text in texts])
        parts = (np.arange(len(rows) - 1), np.arange(len(rows) - 1, len(rows)))
        return [Batch(part, rows[part], np.ones_like(rows[part], dtype=np.int32)) for part in parts]


def teacher(folder: Path) -> Kept:
    """Return a small random encoder with a branch of two layers, as a bundle keeps it."""
    chance = np.random.default_rng(0)
    weights = {"embed.word.weight": chance.normal(size=(50, 32)), "embed.place.weight": chance.normal(size=(16, 32))}
    for norm in ("embed.norm", *(f"{layer}.{n}" for layer in LAYERS for n in ("norm1", "norm2"))):
        weights |= {f"{norm}.weight": np.ones(32), f"{norm}.bias": np.zeros(32)}
    for name, size in ((f"{layer}.{part}", size) for layer in LAYERS for part, size in LINEAR.items()):
        weights |= {f"{name}.weight": 0.2 * chance.normal(size=size), f"{name}.bias": 0.1 * chance.normal(size=size[0])}
    floats = {name: np.asarray(value, np.float32) for name, value in weights.items()}
    ranges = find_ranges(SMALL, floats, texts(), Pieces())  # type: ignore[arg-type]  # the stand-in
    storage = {"embed": "int4", "trunk": "int8", "branch": "int8"}
    path = folder / "encoder.onnx"
    onnx.save(build(SMALL, floats, storage, ranges), path)  # type: ignore[arg-type]  # literals in a dict
    head = Head(chance.normal(size=(3, 32)).astype(np.float32), np.zeros(3, np.float32))
    return Kept(SMALL, read_weights(path, SMALL.fork), read_steps(path), head, {})


LAYERS = ("trunk.0", "trunk.1", "branch.0", "branch.1")


def texts() -> list[str]:
    """Return texts that are piece numbers, all of one length."""
    return [" ".join(map(str, row)) for row in np.random.default_rng(5).integers(2, 50, (7, 6))]


def test_distillation_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    """A student taught in two pieces is the student taught in one, also where a batch holds a single text."""
    kept = teacher(tmp_path)

    def taught(checkpoint: Path, stop: int | None = None) -> Kept:
        def kill(step: int, _: int | None, __: str) -> None:
            if step == stop:
                raise KeyboardInterrupt

        return distil(kept, texts(), Pieces(), HOW, checkpoint=checkpoint, progress=kill, every=2)  # type: ignore[arg-type]  # the stand-in

    whole = taught(tmp_path / "whole.pt")
    with pytest.raises(KeyboardInterrupt):
        taught(tmp_path / "pieces.pt", 4)
    pieces = taught(tmp_path / "pieces.pt")
    assert whole.shape == replace(SMALL, branch=1)
    assert all(np.isfinite(value).all() for value in whole.weights.values())
    assert all(np.allclose(whole.weights[name], pieces.weights[name], atol=1e-6) for name in whole.weights)
    assert not np.allclose(whole.weights["branch.0.wide.weight"], kept.weights["branch.1.wide.weight"])


def test_a_loss_that_is_no_number_stops_before_the_checkpoint_is_spoilt(tmp_path: Path) -> None:
    """What was learnt until then is kept."""
    student = Student(teacher(tmp_path), HOW, tmp_path / "student.pt")
    student.descent.save()
    before = (tmp_path / "student.pt").read_bytes()
    nothing = np.full((2, 3, 32), np.nan, np.float32)
    with pytest.raises(FloatingPointError, match=r"step 1: .*sound"):
        student.learn(Lesson(nothing, nothing, np.ones((2, 3), np.int32)))
    assert (tmp_path / "student.pt").read_bytes() == before
    assert student.descent.step == 0


def test_texts_kept_for_judging_are_not_learnt_from(tmp_path: Path) -> None:
    """Validation texts are left out, copies are taken once, and the order depends on the texts alone."""
    (tmp_path / "set.csv").write_text("text\nthe first of the texts\nthe second of them\nthe first of the texts\n")
    assert distil_texts(tmp_path, {}, {"the second of them"}) == ["the first of the texts"]
    assert len(distil_texts(tmp_path, {"set": 2.0}, set())) == 4
