"""Distillation: a branch of few layers that says what a tuned branch of many says (Hinton et al. 2015).

The trunk, and with it every embedding, stays as it is. The student's branch leaves it higher up, so that it reads
layers that are computed anyway, begins as some of the teacher's layers (Sanh et al. 2019), and learns the teacher's
states and what it takes a feeling for, on texts without labels. Teacher and trunk run as they ship, in integers. The
stage is resumable, and the same seed ends in the same weights.

    python -m groundswell.nlp.train.distil DATA OUT [--model groundswell-small] [--steps 3600] [--seed 13]

writes a bundle with the student and the teacher's heads; `groundswell train DATA BUNDLE --keep OUT` fits heads of its
own, `groundswell evaluate DATA --against …` judges it. No student has been promoted yet: docs/measurements/model.md.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from groundswell.configs.taxonomy import load_taxonomy
from groundswell.nlp.model.bundle import carried_over, find_bundle, write_manifest
from groundswell.nlp.model.encoder.flat import WEIGHTS, write_flat
from groundswell.nlp.model.encoder.graph import build
from groundswell.nlp.model.encoder.tokens import Batch, Tokenizer
from groundswell.nlp.model.heads import Head
from groundswell.nlp.text.clean import clean_one
from groundswell.nlp.train.branch import branch_weights, make_layers
from groundswell.nlp.train.descent import Descent
from groundswell.nlp.train.kept import Kept, read_kept
from groundswell.nlp.train.quantise import find_ranges, session
from groundswell.nlp.train.risks import all_risk_texts
from groundswell.nlp.train.sources import read_examples

if TYPE_CHECKING:
    from groundswell.index.progress import Progress

Array = NDArray[np.float32]
LONGEST = 800
"""Characters of a text that is distilled on."""
SHORTEST = 8
COLUMNS = (
    "content", "text", "review", "tweet", "title", "summary", "abstract", "headline", "CONTENT", "SMS",
    "Consumer complaint narrative", "Pattern String", "#1 String", "#2 String",
)  # fmt: skip
"""Columns of the data's files that hold texts; each becomes a text of its own."""


TIMES: Mapping[str, float] = {
    "sentiment/th_": 1.5, "thai": 1.5, "ecommerce_vi": 3.0, "chinese_waimai": 1.5, "umsab": 2.5, "bertrend_fr": 1.5,
    "hackernews": 0.5, "crisislex": 0.4, "clickbait": 0.5, "semeval2013": 0.7, "threads_en": 0.5, "netflix": 0.6,
    "covid_claims": 0.5, "coaid": 0.6, "tweeteval": 0.5, "cfpb": 0.5,
}  # fmt: skip
"""How often texts of some sets are taken: English is plentiful, other languages are not."""
MOST_PIECES = 128
RANGE_TEXTS = 600
"""Texts from which the ranges of the student's activations are taken."""


@dataclass(frozen=True, slots=True)
class Distillation:
    """How the student is made: where its branch leaves the trunk, what it begins as, and how long it learns."""

    fork: int = 8
    """Layers of the trunk that the student's branch reads."""
    branch: tuple[int, ...] = (3, 5)
    """Layers of the teacher's branch that the student's begins as."""
    steps: int = 3600
    batch_tokens: int = 2048
    learning_rate: float = 5e-4
    warm_up: int = 100
    weight_decay: float = 0.01
    seed: int = 13
    feelings: float = 2.0
    """How much what the teacher feels counts beside the likeness of states."""


def distil_texts(data: Path, rare: Mapping[str, float], kept_out: set[str]) -> list[str]:
    """Return the texts of all sets at hand but those of `kept_out`, in an order that depends on them alone.

    Args:
        data: the folder of training data.
        rare: how often texts of files whose name holds a word are taken; 1 where none does.
        kept_out: cleaned texts that are for validation.
    """
    found: dict[str, float] = {}
    for path in sorted([*data.rglob("*.csv"), *data.rglob("*.tsv")]):
        times = next((many for word, many in rare.items() if word in str(path.relative_to(data))), 1.0)
        for text in _column_texts(path):
            cleaned = clean_one(text[:LONGEST])
            if len(cleaned) >= SHORTEST and cleaned not in kept_out:
                found.setdefault(cleaned, times)
    copies = [text for text, times in found.items() for _ in range(_times(text, times))]
    return sorted(copies, key=_place)


def _times(text: str, times: float) -> int:
    """Return how often a text is taken: fractions by its hash."""
    return int(times + _place(text)[0] / 256)


def _place(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def _column_texts(path: Path) -> Iterator[str]:
    tabs = path.suffix == ".tsv"
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        rows = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE) if tabs else csv.DictReader(stream)
        for row in rows:
            yield from (row[name] for name in COLUMNS if row.get(name))


@dataclass(frozen=True, slots=True)
class Lesson:
    """Of a batch: the trunk's states where the student's branch leaves it, and the teacher's branch's last states."""

    fork: Array
    pieces: Array
    mask: NDArray[np.int32]


class Teacher:
    """The encoder that is learned from, as it ships."""

    def __init__(self, kept: Kept, fork: int) -> None:
        from onnx import helper

        shape = replace(kept.shape, layers=fork)
        self._names = [f"trunk.{fork - 1}.out", "pieces"]
        model = build(shape, kept.weights, {"embed": "int4", "trunk": "int8", "branch": "int8"}, kept.steps)
        model.graph.output.append(helper.make_tensor_value_info(self._names[0], 1, ["n", "length", shape.hidden]))
        self._session = session(model)

    def __call__(self, batch: Batch) -> Lesson:
        """Return what there is to learn of a batch."""
        feed = {"ids": batch.ids, "places": np.arange(batch.ids.shape[1]), "mask": batch.mask}
        fork, pieces = self._session.run(self._names, feed)
        return Lesson(fork, pieces, batch.mask)


def batches(texts: Sequence[str], tokenizer: Tokenizer, how: Distillation) -> Iterator[Batch]:
    """Yield batches of like length without an end, pass after pass, the same ones from the same seed."""
    number = 0
    while True:
        chance = np.random.default_rng((how.seed, number))
        order = chance.permutation(len(texts))
        for start in range(0, len(order), 8192):
            rows = order[start : start + 8192]
            tokens = tokenizer([texts[row] for row in rows])
            cut = list(tokenizer.batches(tokens, how.batch_tokens))
            yield from (cut[n] for n in chance.permutation(len(cut)))
        number += 1


class Student:
    """The student's branch on its way."""

    def __init__(self, kept: Kept, how: Distillation, checkpoint: Path) -> None:
        import torch

        torch.manual_seed(how.seed)
        self.how = how
        self.branch = make_layers(kept.weights, [f"branch.{n}" for n in how.branch], kept.shape.heads, 0.0)
        self.sentiment = _frozen(kept.sentiment)
        groups = [{"params": list(self.branch.parameters()), "most": how.learning_rate}]
        self.descent = Descent(self.branch, groups, checkpoint, weight_decay=how.weight_decay)

    def learn(self, lesson: Lesson) -> dict[str, float]:
        """Make one step towards the teacher; returns what is still amiss, part by part.

        Raises:
            FloatingPointError: the loss is no number; nothing was learnt from it.
        """
        import torch

        parts = self.amiss(lesson)
        if not all(torch.isfinite(part) for part in parts.values()):
            way = self.descent
            msg = f"step {way.step + 1}: the loss is no number; the last checkpoint, {way.checkpoint}, is sound"
            raise FloatingPointError(msg)
        self.descent.learn(sum(parts.values()), self.rate())
        return {name: float(part.detach()) for name, part in parts.items()}

    def rate(self) -> float:
        """Return the share of the learning rate: up in a line, then down as a cosine."""
        step = self.descent.step
        if step < self.how.warm_up:
            return (step + 1) / self.how.warm_up
        return 0.5 + 0.5 * float(np.cos(np.pi * step / self.how.steps))

    def amiss(self, lesson: Lesson) -> dict[str, Any]:
        """Return the parts of the loss on a batch."""
        import torch
        from torch.nn import functional as F  # noqa: N812  the name everybody knows it by

        pieces, mask = torch.from_numpy(lesson.fork), torch.from_numpy(lesson.mask).float()
        with torch.autocast("cpu", torch.bfloat16):
            for layer in self.branch:
                pieces = layer(pieces, mask[:, None, None, :].bool())
        pieces, wanted = pieces.float(), torch.from_numpy(lesson.pieces)
        own, theirs = _pooled(pieces, mask), _pooled(wanted, mask)
        kinds = F.log_softmax(self.sentiment(own), -1), F.softmax(self.sentiment(theirs), -1)
        return {
            "pieces": _distance(pieces, wanted, mask),
            "pooled": ((own - theirs) ** 2).mean() / _spread(theirs),
            "feeling": self.how.feelings * F.kl_div(*kinds, reduction="batchmean"),
        }


def _pooled(states: Any, mask: Any) -> Any:
    return (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)


def _distance(states: Any, wanted: Any, mask: Any) -> Any:
    """Return the mean squared distance over real pieces, beside how much the teacher's states vary."""
    real = mask.bool()
    mine, theirs = states[real], wanted[real]
    return ((mine - theirs) ** 2).mean() / _spread(theirs)


def _spread(states: Any) -> Any:
    """Return how much states vary; one alone has no other to vary from, so its channels must do."""
    return states.var(0).mean() if len(states) > 1 else states.var()


def _frozen(head: Head) -> Any:
    import torch
    from torch import nn

    layer = nn.Linear(head.weight.shape[1], head.weight.shape[0])
    layer.weight.data, layer.bias.data = torch.tensor(head.weight), torch.tensor(head.bias)
    return layer.requires_grad_(False)


def distil(
    kept: Kept,
    texts: Sequence[str],
    tokenizer: Tokenizer,
    how: Distillation,
    *,
    checkpoint: Path,
    progress: Progress | None = None,
    every: int = 100,
) -> Kept:
    """Return the student: the teacher with a small branch; goes on from `checkpoint`, written `every` so many steps.

    The steps of activations that the student's branch reads are not known yet; those of the trunk stay.
    """
    teacher, student = Teacher(kept, how.fork), Student(kept, how, checkpoint)
    way = student.descent
    for batch in islice(batches(texts, tokenizer, how), way.step, how.steps):
        amiss = student.learn(teacher(batch))
        if way.step % every == 0 or way.step == how.steps:
            way.save()
            if progress:
                told = ", ".join(f"{name} {value:.3f}" for name, value in amiss.items())
                progress(way.step, how.steps, f"distilling ({told})")
    return of_student(kept, student)


def of_student(kept: Kept, student: Student) -> Kept:
    """Return the encoder with the student's branch in place of the teacher's."""
    trunk = {name: value for name, value in kept.weights.items() if not name.startswith("branch.")}
    steps = {name: step for name, step in kept.steps.items() if not name.startswith("branch.")}
    shape = replace(kept.shape, fork=student.how.fork, branch=len(student.branch))
    return replace(kept, shape=shape, weights={**trunk, **branch_weights(student.branch)}, steps=steps)


def write_student(out: Path, teacher: Path, student: Kept, texts: Sequence[str], tokenizer: Tokenizer) -> Path:
    """Write the student's bundle: its encoder in integers, and the teacher's heads, which read states like theirs."""
    found = find_ranges(student.shape, student.weights, texts[:RANGE_TEXTS], tokenizer)
    storage: Mapping[str, Any] = {"embed": "int4", "trunk": "int8", "branch": "int8"}
    model = build(student.shape, student.weights, storage, {**found, **student.steps})
    (out / WEIGHTS).write_bytes(model.SerializeToString())
    write_flat(out, student.shape)
    for name in ("tokenizer.json", "heads.npz", "surface.npz"):
        shutil.copyfile(teacher / name, out / name)
    about = carried_over(student.manifest)
    version = f"{about['version']}-distilled"
    write_manifest(out, {**about, "shape": asdict(student.shape), "version": version})
    return out


def main() -> None:
    """Distil a bundle's branch; killed and called again, it goes on."""
    parser = argparse.ArgumentParser(description="Distil a model's branch into one of fewer layers.")
    parser.add_argument("data", type=Path, help="folder with sentiment/ and corpora/")
    parser.add_argument("out", type=Path, help="folder for the student's bundle")
    parser.add_argument("--model", default="groundswell-small", help="the teacher: a name or a bundle's folder")
    usual = Distillation()
    parser.add_argument("--steps", type=int, default=usual.steps)
    parser.add_argument("--seed", type=int, default=usual.seed)
    options = parser.parse_args()
    folder = find_bundle(options.model)
    if folder is None:
        parser.error(f"--model {options.model}: no bundle of ours is called so, and no folder holds one")
    how = Distillation(steps=options.steps, seed=options.seed)
    held_out = {each.text for each in read_examples(options.data) if each.split != "train"}
    held_out |= {each.text for each in all_risk_texts(options.data, load_taxonomy()) if each.split != "train"}
    texts = distil_texts(options.data, TIMES, held_out)
    if not texts:
        parser.error(f"{options.data}: no texts found; it should hold sentiment/ and corpora/ with tables of texts")
    options.out.mkdir(parents=True, exist_ok=True)
    kept = read_kept(folder)
    tokenizer = Tokenizer.read(
        folder / "tokenizer.json", prefix=kept.manifest["prefix"], max_tokens=MOST_PIECES, pad=kept.manifest["pad"]
    )
    checkpoint = options.out / f"student-{how.seed}-{how.steps}.pt"
    student = distil(kept, texts, tokenizer, how, checkpoint=checkpoint, progress=_say)
    checkpoint.unlink()
    print(write_student(options.out, folder, student, texts, tokenizer))  # noqa: T201  a command


def _say(done: int, total: int | None, what: str) -> None:
    print(f"{done:,} of {total or 0:,}: {what}", flush=True)  # noqa: T201  a command


if __name__ == "__main__":
    main()
