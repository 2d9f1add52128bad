"""The stages of training, one after the other; each leaves its result in the work folder and is not done twice."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from groundswell.configs.taxonomy import Taxonomy, load_taxonomy
from groundswell.nlp.model.bundle import find_bundle, write_manifest
from groundswell.nlp.model.encoder.flat import WEIGHTS, write_flat
from groundswell.nlp.model.encoder.graph import Range, Shape, Step, build
from groundswell.nlp.model.encoder.tokens import Tokenizer
from groundswell.nlp.model.heads import Head, Heads, fit_targets, risk_features, risk_stretch
from groundswell.nlp.model.lexicon import Wording
from groundswell.nlp.model.stance import STANCES, stance_features
from groundswell.nlp.model.surface import Surface
from groundswell.nlp.model.valence import plainly
from groundswell.nlp.text.clean import clean_one
from groundswell.nlp.text.language import FAMILY
from groundswell.nlp.train.branch import Activations, Lesson, Recipe, average, branch_weights, make_branch, tune
from groundswell.nlp.train.calibrate import fit_risks, fit_sentiment
from groundswell.nlp.train.kept import read_kept
from groundswell.nlp.train.pretrained import Pretrained, PretrainedError, read_pretrained
from groundswell.nlp.train.quantise import find_ranges, session
from groundswell.nlp.train.risks import RiskText, all_risk_texts
from groundswell.nlp.train.sources import SOURCES, Example, read_examples
from groundswell.nlp.train.stances import stance_texts
from groundswell.nlp.train.surface import Lesson as SurfaceLesson
from groundswell.nlp.train.surface import fit_surface
from groundswell.nlp.train.targets import TargetText, target_texts
from groundswell.nlp.train.vocabulary import PREFIX, choose_pieces, count_pieces, make_tokenizer

if TYPE_CHECKING:
    from groundswell.index.progress import Progress

Array = NDArray[np.float32]

NAME = "groundswell-small"
EMBEDDING = "e5-small-72k-1"
"""Names the space of vectors: starting weights, vocabulary, prefix, pooling. Themes are calibrated on it."""
PIECES = 72_000
LONGEST_SEQUENCE = 64
"""Pieces of a training text where the branch is tuned."""
WHOLE = 256
"""Pieces of a text where only heads are learnt: as many as are read live."""
RANGE_TEXTS = 16
"""Texts of each source from which the ranges of activations are taken."""
BACKGROUND = 600
"""Texts kept in the bundle, as numbers, for a user's own classes to be told from; of every language and risk."""
STRENGTH = 3.0
"""Inverse of the ridge penalty of the risk heads: with sources left out in turn 1 and 3 do alike (.637 and .646, cuts
included), on texts of ours 3 does better (.61 against .53)."""
FIT_STEPS = 80
"""Steps of fitting the risk heads; fitted to the end they do worse on sources left out (.631 against .645 to .659)."""
COUNTS = {"ours": 1.0, "labelled": 4.0, "pattern": 0.5}
"""What a text counts for when the risk heads are fitted."""
RARE_COUNTS = 2.0
"""What a text that carries the class counts for beside one that does not; set on languages left out in turn."""
CHECKED = {"ours": 1.0, "labelled": 1.0, "pattern": 0.0}
"""What a text counts for when the cuts are chosen: real documents before ours, and never what a pattern chose."""
OWN_COUNTS = 1.0
"""What a text of ours counts for when the tables of letters are learnt."""
LENT = 0.3
"""What an Indonesian text counts for in the table of Malay."""
NEVER = -9.0
"""Logit of a class nobody gave texts for."""
STORAGE: Mapping[str, Any] = {"embed": "int4", "trunk": "int8", "branch": "int8"}


@dataclass(frozen=True, slots=True)
class Texts:
    """All training and validation texts."""

    feelings: list[Example]
    risks: list[RiskText]
    targets: list[TargetText]

    @property
    def ranges(self) -> list[str]:
        """Return some texts of every source."""
        by_source: dict[str, list[str]] = {}
        for example in self.feelings:
            by_source.setdefault(example.source, []).append(example.text)
        return [text for texts in by_source.values() for text in texts[:RANGE_TEXTS]]


@dataclass(frozen=True, slots=True)
class Kit:
    """What the stages share; once the branch is tuned, `weights` and `ranges` hold it too."""

    shape: Shape
    weights: Mapping[str, Array]
    tokenizer: Tokenizer
    ranges: Mapping[str, Range | Step]
    texts: Texts
    taxonomy: Taxonomy


def read_texts(data: Path, taxonomy: Taxonomy) -> Texts:
    """Read all labelled texts that the data folder has.

    Raises:
        PretrainedError: There is none at all.
    """
    feelings = read_examples(data)
    if not feelings:
        msg = f"{data}: no labelled sentiment found; it should hold sentiment/*.tsv as docs/model-card.md lists them"
        raise PretrainedError(msg)
    order = np.random.default_rng(0).permutation(len(feelings))
    return Texts([feelings[n] for n in order], all_risk_texts(data, taxonomy), list(target_texts(data)))


def run(
    data: Path,
    out: Path,
    *,
    version: str,
    taxonomy: Taxonomy | None,
    recipe: Recipe | None,
    vocabulary: Path | None,
    keep: Path | None,
    progress: Progress | None,
) -> Path:
    """See `groundswell.nlp.train.train`."""
    say: Callable[[int, int | None, str], object] = progress or (lambda *_: None)
    taxonomy, recipe = taxonomy or load_taxonomy(), recipe or Recipe()
    work = out / "work"
    work.mkdir(parents=True, exist_ok=True)
    texts = read_texts(data, taxonomy)
    about: dict[str, Any] = {"version": version, "recipe": asdict(recipe)}
    if keep:
        kit, sentiment, held = keep_encoder(keep, texts, taxonomy, out)
        about |= held
    else:
        kit, sentiment = tune_encoder(texts, taxonomy, recipe, out, vocabulary=vocabulary, progress=progress)
    say(4, 5, "export")
    surface = fit_surface(surface_lessons(data, texts), recipe.seed)
    np.savez_compressed(out / "surface.npz", allow_pickle=False, **surface.arrays())
    write_rest(out, kit, make_heads(kit, sentiment, write_encoder(out, kit), surface), about)
    say(5, 5, "done")
    shutil.rmtree(work)
    return out


def keep_encoder(folder: Path, texts: Texts, taxonomy: Taxonomy, out: Path) -> tuple[Kit, Head, dict[str, Any]]:
    """Return the encoder of a bundle, its head of sentiment, and what the manifest says of their training."""
    held = read_kept(folder)
    shutil.copyfile(folder / "tokenizer.json", out / "tokenizer.json")
    tokenizer = Tokenizer.read(out / "tokenizer.json", prefix=PREFIX, max_tokens=WHOLE, pad=held.manifest["pad"])
    about = {"recipe": held.manifest["recipe"], "encoder_of": f"{held.manifest['name']} {held.manifest['version']}"}
    return Kit(held.shape, held.weights, tokenizer, held.steps, texts, taxonomy), held.sentiment, about


def tune_encoder(
    texts: Texts, taxonomy: Taxonomy, recipe: Recipe, out: Path, *, vocabulary: Path | None, progress: Progress | None
) -> tuple[Kit, Head]:
    """Return an encoder with a newly tuned branch, and its head of sentiment."""
    say: Callable[[int, int | None, str], object] = progress or (lambda *_: None)
    work, start = out / "work", read_pretrained()
    say(1, 5, "vocabulary")
    weights = cut_vocabulary(start, texts, vocabulary or find_bundle(NAME), out)
    tokenizer = Tokenizer.read(out / "tokenizer.json", prefix=PREFIX, max_tokens=LONGEST_SEQUENCE, pad=start.pad)
    shape = shape_of(start, recipe)
    say(2, 5, "ranges")
    ranges = find_ranges(trunk_of(shape), weights, texts.ranges, tokenizer)
    kit = Kit(shape, weights, tokenizer, ranges, texts, taxonomy)
    say(3, 5, "tuning")
    feelings = cache(work / "feelings.f16", [e.text for e in texts.feelings], kit, progress)
    risks = cache(work / "risks.f16", [r.text for r in texts.risks], kit, progress)
    lessons = feeling_lesson(texts, feelings, taxonomy), risk_lesson(texts, risks)
    branches = []
    for seed in range(recipe.seed, recipe.seed + recipe.soup):
        branches.append(make_branch(weights, recipe, shape.fork, len(taxonomy.risks)))
        order, checkpoint = replace(recipe, seed=seed), work / f"branch-{seed}.pt"
        tune(branches[-1], *lessons, order, checkpoint=checkpoint, progress=progress)
    branch = average(branches)
    whole = {**weights, **branch_weights(branch)}
    ranges = find_ranges(shape, whole, texts.ranges, tokenizer)
    return replace(kit, weights=whole, ranges=ranges), _linear(branch.sentiment)


def shape_of(start: Pretrained, recipe: Recipe) -> Shape:
    """Return the shape of the whole encoder: the trunk, and a branch that forks as many layers below its top."""
    return Shape(
        hidden=start.hidden,
        layers=start.layers,
        heads=start.heads,
        feed=start.feed,
        positions=start.positions,
        fork=start.layers - recipe.layers,
        branch=recipe.layers,
    )


def trunk_of(shape: Shape, layers: int | None = None) -> Shape:
    """Return the shape of the trunk alone, or of its lower layers."""
    parts = {**asdict(shape), "layers": layers or shape.layers, "branch": 0}
    return Shape(**{**parts, "fork": parts["layers"]})


def cut_vocabulary(start: Pretrained, texts: Texts, like: Path | None, out: Path) -> dict[str, Array]:
    """Write the tokenizer and return the weights with the rows of the pieces it keeps."""
    out.mkdir(parents=True, exist_ok=True)
    if like is not None:
        pieces = pieces_of(like / "tokenizer.json", start)
    else:
        seen = count_pieces([e.text for e in texts.feelings] + [r.text for r in texts.risks], make_tokenizer(start))
        pieces = choose_pieces(start, seen, PIECES)
    make_tokenizer(start, pieces).save(str(out / "tokenizer.json"))
    return {**start.weights, "embed.word.weight": start.weights["embed.word.weight"][pieces]}


def pieces_of(path: Path, start: Pretrained) -> list[int]:
    """Return which pieces of the full vocabulary a tokenizer keeps."""
    import json

    number = {piece: n for n, (piece, _) in enumerate(start.pieces)}
    return [number[piece] for piece, _ in json.loads(path.read_text(encoding="utf-8"))["model"]["vocab"]]


def cache(path: Path, texts: Sequence[str], kit: Kit, progress: Progress | None) -> Activations:
    """Return the states below the fork, in the integers that will serve; computed once, then read from `path`."""
    tokens = kit.tokenizer(texts)
    done = path.with_suffix(".done")
    activations = Activations(path, np.array([len(pieces) for pieces in tokens], dtype=np.int64), kit.shape.hidden)
    if done.exists():
        return activations
    runner, rows = session(lower_layers(kit)), 0
    for batch in kit.tokenizer.batches(tokens, 2048):
        feed = {"ids": batch.ids, "places": np.arange(batch.ids.shape[1]), "mask": batch.mask}
        states = runner.run(["pieces"], feed)[0]
        for at, row in enumerate(batch.rows):
            activations.put(int(row), states[at, : int(batch.mask[at].sum())])
        rows += len(batch.rows)
        if progress:
            progress(rows, len(tokens), "lower layers")
    done.touch()
    return activations


def lower_layers(kit: Kit) -> Any:
    """Return the graph of the layers below the fork; its output ``pieces`` is what the branch reads."""
    from onnx import helper

    fork = kit.shape.fork
    model = build(trunk_of(kit.shape, fork), kit.weights, STORAGE, kit.ranges)
    model.graph.node.append(helper.make_node("Identity", [f"trunk.{fork - 1}.out"], ["pieces"]))
    model.graph.output.append(helper.make_tensor_value_info("pieces", 1, ["n", "length", kit.shape.hidden]))
    return model


QUIET = ("umsab", "semeval", "nusax")
"""Sources whose texts hardly ever carry a risk: they teach the risk heads to keep still."""


def feeling_lesson(texts: Texts, activations: Activations, taxonomy: Taxonomy) -> Lesson:
    """Return what sentiment is learned from."""
    source = {source.name: source for source in SOURCES}
    quiet = np.array([any(word in e.source for word in QUIET) for e in texts.feelings])
    risks = np.where(quiet[:, None], 0.0, -1.0).repeat(len(taxonomy.risks), axis=1).astype(np.float32)
    train = [e.split == "train" for e in texts.feelings]
    return Lesson(
        activations,
        np.array([e.sentiment for e in texts.feelings], dtype=np.int64),
        risks,
        np.array([source[e.source].weight for e in texts.feelings], dtype=np.float32),
        np.array([source[e.source].times * t for e, t in zip(texts.feelings, train, strict=True)], dtype=np.float32),
    )


TIMES = {"ours": 1.0, "labelled": 1.5, "pattern": 0.8}


def risk_lesson(texts: Texts, activations: Activations) -> Lesson:
    """Return what risks are learned from; our own texts teach sentiment too."""
    return Lesson(
        activations,
        np.array([r.sentiment for r in texts.risks], dtype=np.int64),
        np.stack([r.labels for r in texts.risks]),
        np.array([r.weight for r in texts.risks], dtype=np.float32),
        np.array([TIMES[r.origin] * (r.split == "train") for r in texts.risks], dtype=np.float32),
    )


def write_encoder(out: Path, kit: Kit) -> Any:
    """Write the graph that ships, flat as well, and return a session on the one that takes texts of any lengths."""
    model = build(kit.shape, kit.weights, STORAGE, kit.ranges)
    (out / WEIGHTS).write_bytes(model.SerializeToString())
    write_flat(out, kit.shape)
    return session(model)


def write_rest(out: Path, kit: Kit, heads: Heads, about: Mapping[str, Any]) -> None:
    """Write heads and manifest; with the manifest the bundle is there."""
    np.savez_compressed(out / "heads.npz", allow_pickle=False, **heads.arrays())
    manifest = {
        "name": NAME,
        "embedding_version": EMBEDDING,
        "prefix": PREFIX,
        "pad": 1,
        "dimensions": kit.shape.hidden,
        "shape": asdict(kit.shape),
        "risk_ids": list(kit.taxonomy.risk_ids),
        "wording": [[list(risk.words), list(risk.unless)] for risk in kit.taxonomy.risks],
        "texts": {"sentiment": len(kit.texts.feelings), "risk": len(kit.texts.risks)},
    }
    write_manifest(out, {**manifest, **about})


def embed(runner: Any, tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[Array, Array]:
    """Return vectors and pooled branch states of texts, by the graph that ships."""
    tokens = tokenizer(texts)
    width = runner.get_outputs()[0].shape[1]
    vectors, pooled = (np.zeros((len(tokens), width), dtype=np.float32) for _ in range(2))
    for batch in tokenizer.batches(tokens, 2048):
        feed = {"ids": batch.ids, "places": np.arange(batch.ids.shape[1]), "mask": batch.mask}
        vectors[batch.rows], states = runner.run(["vector", "pieces"], feed)
        real = batch.mask[:, :, None]
        pooled[batch.rows] = (states * real).sum(axis=1) / real.sum(axis=1)
    return vectors, pooled


def make_heads(kit: Kit, sentiment: Head, runner: Any, surface: Surface) -> Heads:
    """Return calibrated heads; all but language, target and stance are calibrated on validation texts."""
    texts = kit.texts.risks
    languages = languages_of(kit.texts)
    corrections = fit_sentiment(*checked_feelings(kit, sentiment, runner, surface, languages), languages)
    sample = language_sample(kit.texts, languages)
    vectors, _ = embed(runner, kit.tokenizer, [text for text, _ in sample])
    risk_vectors, risk_pooled = embed(runner, kit.tokenizer, [r.text for r in texts])
    features = risk_features(risk_vectors, risk_pooled, Wording.of(kit.taxonomy.risks)([r.text for r in texts]))
    own = np.array([r.origin == "ours" for r in texts])
    about = [t for t in kit.texts.targets if t.split == "train"]
    about_vectors, _ = embed(runner, kit.tokenizer, [t.text for t in about])
    return Heads(
        sentiment=sentiment,
        risks=fit_risk_head(features, texts),
        risk_ids=kit.taxonomy.risk_ids,
        target=fit_targets(
            np.concatenate([about_vectors, risk_vectors[own]]),
            [t.text for t in about] + [r.text for r in texts if r.origin == "ours"],
            [t.main for t in about] + [None] * int(own.sum()),
        ),
        language=fit_language(vectors, [lang for _, lang in sample], languages),
        scales=corrections.scales,
        shifts=corrections.shifts,
        background=features[own][:: max(1, int(own.sum()) // BACKGROUND)][:BACKGROUND],
        mixes=corrections.mixes,
        languages=tuple(languages),
        stance=fit_stance([r.text for r in texts if r.split == "train" and (r.labels == 1).any()]),
    )


def languages_of(texts: Texts) -> list[str]:
    """Return the languages that training texts have feelings in, those of ours among them."""
    learnt = {e.lang for e in texts.feelings if e.split == "train"}
    return sorted(learnt | {r.lang for r in texts.risks if r.sentiment >= 0 and r.lang})


def surface_lessons(data: Path, texts: Texts) -> dict[str, SurfaceLesson]:
    """Return what the tables of letters are learnt from: all labelled texts, ours too; Malay leans on Indonesian."""
    weight = {source.name: source.weight for source in SOURCES}
    rows = [
        (e.lang, e.text, e.sentiment, weight[e.source]) for e in read_examples(data, every=True) if e.split == "train"
    ]
    own = [r for r in texts.risks if r.sentiment >= 0 and r.split == "train"]
    rows += [(r.lang, r.text, r.sentiment, OWN_COUNTS) for r in own]
    if any(lang == "ms" for lang, *_ in rows):
        rows += [("ms", text, label, LENT * counts) for lang, text, label, counts in rows if lang == "id"]
    parts = {lang: [row[1:] for row in rows if row[0] == lang] for lang in languages_of(texts)}
    return {lang: SurfaceLesson(*zip(*part, strict=True)) for lang, part in parts.items()}


def checked_feelings(
    kit: Kit, sentiment: Head, runner: Any, surface: Surface, languages: Sequence[str]
) -> tuple[Array, Array, NDArray[np.int64], list[str]]:
    """Return logits of branch and letters, labels and languages of all validation texts, those of ours among them."""
    rows = [(e.text, e.sentiment, e.lang) for e in kit.texts.feelings if e.split == "validation"]
    rows += [
        (r.text, r.sentiment, r.lang)
        for r in kit.texts.risks
        if r.split == "validation" and r.sentiment >= 0 and r.lang in languages
    ]
    rows = [(plain, label, lang) for plain, (_, label, lang) in zip(plainly([r[0] for r in rows]), rows, strict=True)]
    _, pooled = embed(runner, kit.tokenizer, [text for text, _, _ in rows])
    surface_logits, langs = np.zeros((len(rows), 3), np.float32), [lang for _, _, lang in rows]
    for lang in set(langs):
        mine = [n for n, each in enumerate(langs) if each == lang]
        surface_logits[mine] = surface.logits([rows[n][0] for n in mine], lang)
    return sentiment.logits(pooled), surface_logits, np.array([label for _, label, _ in rows], np.int64), langs


STANCE_STRENGTH = 1.0
"""Inverse of the ridge penalty of the stance head."""
REAL_COUNTS = 1.0
"""What a text that was labelled with a risk counts for, as one that claims it, beside a sentence of the grammar."""


def fit_stance(claiming: Sequence[str]) -> Head:
    """Return the head that tells stances apart, from our pairs and from texts that claim a risk."""
    from sklearn.linear_model import LogisticRegression

    pairs = [each for each in stance_texts() if each.split == "train"]
    features = stance_features([clean_one(each.text) for each in pairs] + list(claiming))
    labels = [STANCES.index(each.stance) for each in pairs] + [0] * len(claiming)
    weights = np.repeat([1.0, REAL_COUNTS], [len(pairs), len(claiming)])
    model = LogisticRegression(C=STANCE_STRENGTH, max_iter=300).fit(features, labels, sample_weight=weights)
    return Head(model.coef_.astype(np.float32), model.intercept_.astype(np.float32))


def fit_risk_head(features: Array, texts: Sequence[RiskText]) -> Head:
    """Return the risk heads: logistic regression on the training texts, calibrated on the held-out ones.

    Folds of the training texts would not do for that: the branch has seen their labels, and its states remember them.
    """
    labels = np.stack([r.labels for r in texts])
    train = np.array([r.split == "train" for r in texts])
    head = fit_linear(features, labels, np.array([COUNTS[r.origin] for r in texts]) * train)
    checked = np.array([CHECKED[r.origin] for r in texts], np.float32) * ~train
    if not checked.any():
        return head
    scale, shift = fit_risks(head.logits(features), labels, checked)
    return Head(head.weight * scale, head.bias * scale + shift)


def fit_linear(features: Array, labels: Array, weight: Array) -> Head:
    """Return one logistic regression a class, on the rows that weigh something and whose label is known.

    All classes are fitted together (L-BFGS) and stopped early: more steps fit the sources that are learnt from. A class
    without texts for and against it keeps still (`NEVER`).
    """
    from scipy.optimize import minimize

    rows = weight > 0
    held, known = labels[rows] == 1, labels[rows] >= 0
    stretch = risk_stretch(features.shape[1], labels.shape[1])
    read = np.ascontiguousarray(features[rows] * stretch, np.float32)
    counts = weight[rows, None] * known * np.where(held, RARE_COUNTS, 1.0)
    shape = (read.shape[1] + 1, labels.shape[1])

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        values = flat.reshape(shape)
        logits = (read @ values[:-1].astype(np.float32) + values[-1].astype(np.float32)).astype(np.float64)
        wrong = counts * (1 / (1 + np.exp(-logits)) - held)
        slopes = np.vstack([read.T @ wrong.astype(np.float32) + values[:-1] / STRENGTH, wrong.sum(axis=0)])
        lost = (counts * (np.logaddexp(0, logits) - held * logits)).sum() + (values[:-1] ** 2).sum() / (2 * STRENGTH)
        return float(lost), slopes.ravel()

    best = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": FIT_STEPS})
    values = best.x.reshape(shape).astype(np.float32)
    told = (known & held).any(axis=0) & (known & ~held).any(axis=0)
    return Head(
        np.where(told[:, None], values[:-1].T * stretch, 0).astype(np.float32), np.where(told, values[-1], NEVER)
    )


def _linear(layer: Any) -> Head:
    return Head(layer.weight.detach().numpy().copy(), layer.bias.detach().numpy().copy())


def language_sample(texts: Texts, languages: Sequence[str], most: int = 150) -> list[tuple[str, str]]:
    """Return some texts of every language, those for validation first; of Malay and Indonesian ours as well."""
    own = [(r.text, r.lang) for r in texts.risks if r.lang in FAMILY and r.sentiment >= 0 and r.split == "train"]
    checked = sorted(texts.feelings, key=lambda e: e.split != "validation")
    found = [[(e.text, lang) for e in checked if e.lang == lang][:most] for lang in languages]
    return [row for part in found for row in part] + own


def fit_language(vectors: Array, langs: Sequence[str], languages: Sequence[str]) -> Head:
    """Return a head that tells the languages of `known` apart, in their order."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=100.0, max_iter=300).fit(vectors, [languages.index(lang) for lang in langs])
    return Head(model.coef_.astype(np.float32), model.intercept_.astype(np.float32))
