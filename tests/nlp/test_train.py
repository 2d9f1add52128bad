from __future__ import annotations

import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from groundswell.configs.taxonomy import load_taxonomy
from groundswell.nlp.model.bundle import find_bundle, read_bundle
from groundswell.nlp.model.encoder.graph import Range, Shape, activations, blocks, build
from groundswell.nlp.model.encoder.runtime import OnnxRuntime
from groundswell.nlp.model.encoder.tokens import Batch, Tokenizer
from groundswell.nlp.model.encoder.torch import read_weights
from groundswell.nlp.model.heads import softmax
from groundswell.nlp.model.seeds import LANGUAGES, codes, seeds
from groundswell.nlp.train.calibrate import fit_risks, fit_sentiment
from groundswell.nlp.train.kept import read_steps
from groundswell.nlp.train.risk_heads import refit_risks
from groundswell.nlp.train.risks import hand_labelled, ours, text_id
from groundswell.nlp.train.run import fit_linear
from groundswell.nlp.train.sources import Source, read_examples, read_source

SMALL = Shape(hidden=32, layers=2, heads=2, feed=64, positions=16, fork=1, branch=1)


def random_weights(shape: Shape, pieces: int = 50, seed: int = 0) -> dict[str, np.ndarray]:
    """Return random weights of an encoder."""
    chance = np.random.default_rng(seed)
    weights: dict[str, np.ndarray] = {
        "embed.word.weight": chance.normal(size=(pieces, shape.hidden)),
        "embed.place.weight": chance.normal(size=(shape.positions, shape.hidden)),
        "embed.norm.weight": np.ones(shape.hidden),
        "embed.norm.bias": np.zeros(shape.hidden),
    }
    sizes = {"wide": (shape.feed, shape.hidden), "narrow": (shape.hidden, shape.feed)}
    for name in [*(f"trunk.{n}" for n in range(shape.layers)), *(f"branch.{n}" for n in range(shape.branch))]:
        for part in ("query", "key", "value", "mix", "wide", "narrow"):
            size = sizes.get(part, (shape.hidden, shape.hidden))
            weights[f"{name}.{part}.weight"] = chance.normal(size=size) * 0.2
            weights[f"{name}.{part}.bias"] = chance.normal(size=size[0]) * 0.1
        for part in ("norm1", "norm2"):
            weights[f"{name}.{part}.weight"] = np.ones(shape.hidden)
            weights[f"{name}.{part}.bias"] = np.zeros(shape.hidden)
    return {name: value.astype(np.float32) for name, value in weights.items()}


class Pieces:
    """Stands in for a tokenizer where texts are already piece numbers."""

    def __call__(self, texts: list[str]) -> list[str]:
        """Return the texts themselves."""
        return list(texts)

    def batches(self, texts: list[str], _: int) -> list[Batch]:
        """Return all texts as one batch."""
        rows = [[int(piece) for piece in text.split()] for text in texts]
        length = max(map(len, rows))
        ids = np.ones((len(rows), length), np.int64)
        mask = np.zeros((len(rows), length), np.int32)
        for at, row in enumerate(rows):
            ids[at, : len(row)], mask[at, : len(row)] = row, 1
        return [Batch(np.arange(len(rows)), ids, mask)]


def texts(count: int = 24) -> list[str]:
    """Return texts that are piece numbers."""
    chance = np.random.default_rng(5)
    return [" ".join(map(str, chance.integers(2, 50, chance.integers(3, 12)))) for _ in range(count)]


def test_four_bit_weights_are_kept_exactly() -> None:
    """The checkpoint we start from lies on a 4-bit grid, and storing it in ours loses nothing."""
    chance = np.random.default_rng(1)
    codes4 = chance.integers(-8, 8, (6, 64))
    codes4[:, ::32] = -8
    matrix = (codes4 * chance.uniform(0.01, 0.1, (6, 1))).astype(np.float32)
    assert np.abs(blocks(matrix, 4).restore() - matrix).max() < 1e-6


def test_integers_agree_with_floats() -> None:
    """The quantised graph gives nearly the vectors and states of the float graph."""
    pytest.importorskip("onnx")
    from groundswell.nlp.train.quantise import find_ranges, session

    weights, tokenizer = random_weights(SMALL), Pieces()
    ranges = find_ranges(SMALL, weights, texts(), tokenizer)  # type: ignore[arg-type]  # the stand-in
    [batch] = tokenizer.batches(texts(), 0)
    feed = {"ids": batch.ids, "places": np.arange(batch.ids.shape[1]), "mask": batch.mask}
    exact = session(build(SMALL, weights, {})).run(["vector", "pieces"], feed)
    storage = {"embed": "int8", "trunk": "int8", "branch": "int8"}
    rounded = session(build(SMALL, weights, storage, ranges)).run(["vector", "pieces"], feed)  # type: ignore[arg-type]
    assert (exact[0] * rounded[0]).sum(axis=1).min() > 0.99
    assert np.abs(exact[1] - rounded[1])[batch.mask.astype(bool)].mean() < 0.1


@pytest.mark.slow
def test_training_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    """A branch tuned in two pieces is the branch tuned in one."""
    import torch

    from groundswell.nlp.train.branch import Activations, Lesson, Recipe, make_branch, tune

    recipe = Recipe(layers=1, heads=2, batch_tokens=40, steps=6, last_steps=4, warm_up=2, dropout=0.0)
    chance = np.random.default_rng(3)
    lengths = chance.integers(3, 9, 30)
    states = Activations(tmp_path / "states.f16", lengths, SMALL.hidden)
    for row in range(30):
        states.put(row, chance.normal(size=(lengths[row], SMALL.hidden)).astype(np.float32))
    ones = np.ones(30, np.float32)
    lesson = Lesson(states, chance.integers(0, 3, 30), chance.integers(0, 2, (30, 2)).astype(np.float32), ones, ones)

    def tuned(checkpoint: Path, stop: int | None) -> dict[str, torch.Tensor]:
        branch = make_branch(random_weights(SMALL), recipe, 1, 2)

        def kill(step: int, _: int | None, __: str) -> None:
            if step == stop:
                raise KeyboardInterrupt

        tune(branch, lesson, lesson, recipe, checkpoint=checkpoint, progress=kill, every=2)
        return dict(branch.state_dict())

    whole = tuned(tmp_path / "whole.pt", None)
    for stop in (4, 8):
        with pytest.raises(KeyboardInterrupt):
            tuned(tmp_path / "pieces.pt", stop)
    pieces = tuned(tmp_path / "pieces.pt", None)
    assert all(torch.allclose(whole[name], pieces[name], atol=1e-6) for name in whole)


def test_averaged_branches_lie_in_the_middle() -> None:
    """Every weight of an average is the mean of the branches' own, and they began alike."""
    import torch

    from groundswell.nlp.train.branch import Recipe, average, make_branch

    recipe = Recipe(layers=1, heads=2)
    one, other = (make_branch(random_weights(SMALL), recipe, 1, 2) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    with torch.no_grad():
        for weight in other.parameters():
            weight.add_(1.0)
    begun = [weight.clone() for weight in one.parameters()]
    mean = average([one, other])
    assert all(torch.allclose(a, b + 0.5) for a, b in zip(mean.parameters(), begun, strict=True))


def test_calibration_moves_confidence_to_what_is_right() -> None:
    """Logits three times too sure come back to their true temperature, and a language's bias is found."""
    chance = np.random.default_rng(0)
    true = chance.normal(size=(3000, 3)).astype(np.float32) * 1.5
    gold = np.array([chance.choice(3, p=softmax(row)) for row in true])
    langs = ["en"] * 1500 + ["th"] * 1500
    wrong = true * 3
    wrong[1500:, 0] += 4
    found = fit_sentiment(wrong, np.zeros_like(wrong), gold, langs, ["en", "th"])
    scales, shifts = found.scales, found.shifts
    assert all(1 / 4.5 < scale < 1 / 2 for scale in scales)
    assert shifts[1, 0] - shifts[1, 1:].mean() < shifts[0, 0] - shifts[0, 1:].mean() - 0.8


def test_a_feeling_nobody_can_check_is_not_talked_away() -> None:
    """A language whose validation texts lack a feeling takes the common shift, not one that never says it."""
    chance = np.random.default_rng(1)
    true = chance.normal(size=(1200, 3)).astype(np.float32) * 2
    gold = np.array([chance.choice(3, p=softmax(row)) for row in true])
    langs = np.where(np.arange(1200) < 900, "en", "zh")
    kept = (langs == "en") | (gold != 1)
    found = fit_sentiment(true[kept], np.zeros_like(true[kept]), gold[kept], langs[kept].tolist(), ["en", "zh"])
    assert np.allclose(found.shifts[1], found.shifts[0], atol=0.05)


def test_no_validation_texts_mean_no_correction() -> None:
    """Whoever has nothing to calibrate on gets the raw probabilities, not an error."""
    nothing = np.zeros((0, 3), np.float32)
    found = fit_sentiment(nothing, nothing, np.zeros(0, np.int64), [], ["en", "th"])
    assert np.allclose(found.scales, 1)
    assert np.allclose(found.shifts, 0)


def test_a_graph_is_written_out_again_with_the_same_integers(tmp_path: Path) -> None:
    """Weights and steps read from an exported graph give the same codes, and the same answers."""
    onnx = pytest.importorskip("onnx")
    weights, storage = random_weights(SMALL), {"embed": "int4", "trunk": "int8", "branch": "int8"}
    reach = Range(np.full(32, -3, np.float32), np.full(32, 3, np.float32))
    wide = Range(np.full(64, -0.2, np.float32), np.full(64, 8, np.float32))
    ranges = {name: wide if name.endswith(".bent") else reach for name in activations(SMALL)}
    first, second = tmp_path / "first.onnx", tmp_path / "second.onnx"
    onnx.save(build(SMALL, weights, storage, ranges), first)  # type: ignore[arg-type]  # literals in a dict
    onnx.save(build(SMALL, read_weights(first, SMALL.fork), storage, read_steps(first)), second)  # type: ignore[arg-type]  # as above
    batch = Batch(np.arange(1), np.array([[4, 7, 9, 11]]), np.ones((1, 4), np.int32))
    answers = [OnnxRuntime(path, threads=1).run(batch, pieces=True) for path in (first, second)]
    assert answers[0][1] is not None
    assert answers[1][1] is not None
    assert np.allclose(answers[0][0], answers[1][0], atol=1e-5)
    assert np.allclose(answers[0][1], answers[1][1], atol=1e-4)


def test_risks_are_claimed_where_the_harm_of_both_errors_is_least() -> None:
    """After calibration one half is the cut with the best F1, and unknown labels do not count."""
    raw = np.concatenate([np.full((20, 1), -1.0), np.full((80, 1), -4.0)]).astype(np.float32)
    labels = np.concatenate([np.ones((20, 1)), np.zeros((80, 1))]).astype(np.float32)
    labels[-1] = -1
    scale, shift = fit_risks(raw, labels, np.ones(100, np.float32))
    assert scale * -1.0 + shift[0] >= 0 > scale * -4.0 + shift[0]


def test_seeds_speak_six_languages_and_every_risk() -> None:
    """Every class has texts of ours in every language, and counterexamples beside them."""
    found = Counter((seed.lang, risk) for seed in seeds() for risk in seed.risks)
    missing = [(lang, risk) for lang in LANGUAGES for risk in codes().values() if not found[lang, risk]]
    assert not missing
    assert sum(not seed.risks for seed in seeds()) > 100
    assert set(codes().values()) == set(load_taxonomy().risk_ids)


@pytest.mark.slow
def test_risk_heads_are_learnt_anew_and_all_else_stays(tmp_path: Path) -> None:
    """Encoder, feelings and languages are those of the bundle that is kept; the version says who made the scores."""
    taxonomy, keep = load_taxonomy(), find_bundle("groundswell-small")
    assert keep
    some = list(ours(taxonomy))[:: 4_000 // 60]
    made = read_bundle(refit_risks(some, tmp_path / "made", version="9", keep=keep))
    now, before = made.arrays("heads.npz"), read_bundle(keep).arrays("heads.npz")
    changed = {name for name in now if not np.array_equal(now[name], before[name])}
    assert {"risks.weight"} <= changed <= {"risks.weight", "risks.bias", "background", "stance.weight", "stance.bias"}
    assert made["version"] == "9"
    assert {name: made["sha256"][name] for name in ("encoder.onnx", "surface.npz", "tokenizer.json")} == {
        name: read_bundle(keep)["sha256"][name] for name in ("encoder.onnx", "surface.npz", "tokenizer.json")
    }


def test_a_class_without_examples_keeps_still() -> None:
    """What nobody gave texts for is not claimed; what was labelled is told apart."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(80, 9)).astype(np.float32)
    labels = np.stack([features[:, 0] > 0, np.zeros(80), np.full(80, -1)], axis=1)
    head = fit_linear(features, labels.astype(np.float32), np.ones(80, np.float32))
    logits = head.logits(features)
    assert ((logits[:, 0] > 0) == (features[:, 0] > 0)).mean() > 0.9
    assert (logits[:, 1:] < -5).all()


def test_labels_find_their_documents_by_hash(tmp_path: Path) -> None:
    """A labelled document is recognised in the user's own copy of the set, and no text stands in our label files."""
    rows = {text_id("ads ads ads"): "ad_experience"}
    place = tmp_path / "corpora" / "spotify_id_2024" / "reviews.csv"
    place.parent.mkdir(parents=True)
    with place.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerows([["content"], ["ads ads ads"], ["a text nobody labelled"]])
    assert not list(hand_labelled(tmp_path, load_taxonomy()))
    assert rows == {text_id("ads ads ads"): "ad_experience"}


def test_examples_of_a_class_say_nothing_of_the_others() -> None:
    """An example in the taxonomy is known to belong to its class; whether to others too nobody said."""
    taxonomy = load_taxonomy()
    example = next(one for one in ours(taxonomy) if one.text == taxonomy.risk("gambling").examples[0])
    assert sorted(set(example.labels.tolist())) == [-1.0, 1.0]


def test_the_same_texts_are_held_out_everywhere(tmp_path: Path) -> None:
    """What is held out depends on the text alone, whatever the order of the file."""
    lines = [f"text number {n},{n % 5 + 1}" for n in range(300)]
    source = Source("corpora/x/y.csv", "en", label="score", labels={"1": 0, "3": 1, "5": 2}, held_out=0.2)
    path = tmp_path / source.path
    path.parent.mkdir(parents=True)
    found = []
    for order in (lines, lines[::-1]):
        path.write_text("\n".join(["text,score", *order]), encoding="utf-8")
        found.append({e.text for e in read_source(source, tmp_path) if e.split == "validation"})
    assert found[0] == found[1]
    assert 10 < len(found[0]) < 60


def test_what_training_reads_is_not_for_validation(tmp_path: Path) -> None:
    """A tweet in one set's training file and another's validation file, its name and link masked, is learned only."""
    (tmp_path / "sentiment").mkdir()
    for name, lines in {
        "english_umsab_train": ["positive\t@user What a lovely morning! http"],
        "en_tweeteval_val": [
            "positive\t@anna what a lovely morning https://t.co/x",
            "negative\tNobody has seen this one",
        ],
    }.items():
        (tmp_path / "sentiment" / f"{name}.tsv").write_text("\n".join(["label\ttext", *lines]), encoding="utf-8")
    found = {(example.split, example.text[:6]) for example in read_examples(tmp_path)}
    assert found == {("train", "@user "), ("validation", "Nobody")}


def test_rows_whose_labels_do_not_fit_are_not_read(tmp_path: Path) -> None:
    """A source may begin at a later row."""
    source = Source("sentiment/x.tsv", "hi", first=2)
    (tmp_path / "sentiment").mkdir()
    lines = ["label\ttext", "negative\tone", "neutral\ttwo", "positive\tthree"]
    (tmp_path / source.path).write_text("\n".join(lines), encoding="utf-8")
    assert [example.text for example in read_source(source, tmp_path)] == ["three"]


def test_training_wakes_no_torch_before_it_trains() -> None:
    """Importing the training package is cheap."""
    code = "import groundswell.nlp.train, sys; raise SystemExit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_flat_graph_says_what_the_padded_one_says(tmp_path: Path) -> None:
    """Fewer steps and no padding change nothing but the last digits, whatever else is in the batch."""
    onnx = pytest.importorskip("onnx")
    from groundswell.nlp.model.encoder.flat import GRAPH, WEIGHTS, write_flat
    from groundswell.nlp.train.quantise import find_ranges

    weights, storage = random_weights(SMALL), {"embed": "int4", "trunk": "int8", "branch": "int8"}
    ranges = find_ranges(SMALL, weights, texts(), Pieces())  # type: ignore[arg-type]  # the stand-in
    onnx.save(build(SMALL, weights, storage, ranges), tmp_path / WEIGHTS)  # type: ignore[arg-type]  # literals in a dict
    padded = OnnxRuntime(tmp_path / WEIGHTS, threads=1)
    assert write_flat(tmp_path, SMALL) == tmp_path / GRAPH
    flat = OnnxRuntime(tmp_path / WEIGHTS, threads=1)
    assert (padded.even, flat.even) == (False, True)
    [batch] = Pieces().batches(texts(), 0)
    vectors, states = padded.run(batch, pieces=True)
    assert states is not None
    for row, text in enumerate(texts()):
        length = len(text.split())
        twice = Batch(np.arange(2), batch.ids[[row, row], :length], batch.mask[[row, row], :length])
        own, pieces = flat.run(twice, pieces=True)
        assert pieces is not None
        assert np.array_equal(own[0], own[1])
        assert own[0] @ vectors[row] > 0.9999
        assert np.abs(pieces[0] - states[row, :length]).mean() < 0.01


def test_even_batches_have_no_padding() -> None:
    """Where the runtime knows of no padding, texts of two lengths never share a batch, and none is lost."""
    folder = find_bundle("groundswell-small")
    assert folder is not None
    tokenizer = Tokenizer.read(folder / "tokenizer.json", prefix="query: ", max_tokens=64, pad=1)
    tokens = tokenizer([seed.text for seed in seeds()][:90])
    batches = list(tokenizer.batches(tokens, 128, even=True))
    assert all(batch.mask.all() and (batch.ids.size <= 128 or len(batch.rows) == 1) for batch in batches)
    assert sorted(int(row) for batch in batches for row in batch.rows) == list(range(90))
