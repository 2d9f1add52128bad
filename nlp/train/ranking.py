"""Makes the ranking: boosted trees on candidates of development streams, calibrated on streams of another kind.

    python -m groundswell.nlp.train.ranking STREAMS [--also PLANTED] [--topics SWELLING] [--out ranking.npz]

STREAMS is a folder with, for each stream, ``IN.jsonl`` (id, text, published_at) and ``TRUTH.json``: ``score_from``,
``last``, ``injections`` (``start``, ``ids``: real texts of a subject that was put in, or of one that was swelled) and
``events``. A candidate is right when half of its evidence is of one injection (or event) within seven days. All else
counts as wrong, though some of it was real and merely unrecorded: its weight is capped. PLANTED holds more such streams
(`groundswell.nlp.train.inject` makes them): they are learnt from too, but how rarely a false alert comes is counted on
STREAMS alone, by models that saw no stream of the same kind. SWELLING holds streams in which standing topics swell
(`plant --topics`), which only their ranking learns from.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.configs.schema import ModelSettings
from groundswell.configs.topics import load_topics
from groundswell.nlp.model.model import Model, load_model
from groundswell.nlp.model.vector_cache import encode
from groundswell.nlp.signals.detect.candidates import Candidate
from groundswell.nlp.signals.detect.detect import Stream, detect, standing_swells
from groundswell.nlp.signals.detect.features import NAMES
from groundswell.nlp.signals.detect.rank import FILE, KINDS, STANDING, kind_of
from groundswell.nlp.signals.detect.topics import NAMES as STANDING_NAMES
from groundswell.nlp.signals.detect.topics import TopicSurge

WEEK = 168.0
EPISODES = 1000
"""Of one standing topic at most: a swell's subject is its topic times so many, and the episode."""
RECORDED = 1000
"""Number of the first recorded event; those of injections are below it."""
LATE, NOTHING = -2, -1
SETTINGS: Mapping[str, Any] = {
    "max_iter": 120, "learning_rate": 0.06, "max_leaf_nodes": 6, "min_samples_leaf": 60, "l2_regularization": 5.0,
    "max_features": 0.5, "random_state": 0, "early_stopping": False,
}  # fmt: skip
STANDING_SETTINGS: Mapping[str, Any] = {
    "max_iter": 150, "learning_rate": 0.06, "max_depth": 3, "min_samples_leaf": 40, "l2_regularization": 5.0,
    "max_features": 0.5, "random_state": 0, "early_stopping": False,
}  # fmt: skip
STANDING_LEFT_OUT = frozenset({"volume", "history", "length"})
"""Numbers that tell one stream from another rather than a swell from noise."""
STANDING_COLUMNS = np.array([k for k, name in enumerate(STANDING_NAMES) if name not in STANDING_LEFT_OUT])
GROWS_WITH: Mapping[str, int] = {
    "score": 1, "by_ball": 1, "by_meaning": 1, "lexical": 1, "above_high": 1, "documents": 1, "likeness_meaning": 1,
    "likeness_words": 1, "ratio": 1, "second": 1,
}  # fmt: skip
"""What can only speak for a candidate, never against it: said so, trees err less on streams they never saw."""
LEFT_OUT = frozenset({"kind_of_group", "size", "window", "noise_median", "noise_high", "above_noise", "length_spread",
                      "crowd", "history", "kept", "observed", "expected"})  # fmt: skip
"""Numbers that tell one development stream from another rather than a subject from noise."""
USED = tuple(name for name in NAMES if name not in LEFT_OUT)
COLUMNS = np.array([NAMES.index(name) for name in USED])
SHARED_BY: Mapping[str, float] = {"new": 2.9, "surge": 2.9, STANDING: 0.93}
"""Factor on each kind's rate of false alerts, as all draw on one budget. Standing topics overlap with one another and
with the rest, so that many of their false alerts follow another instead of adding to it."""
SAME = "hotstar=video,netflix=video,netflix_early=video,shopee=tokopedia,hn_early=hn_dev"
"""Backgrounds of one kind, of those that the scoring tools and `plant` know."""
OTHER_KIND = 0.5
"""Weight of surges when the ranking of what is new is learnt, and the other way round."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A stream's candidates, and what each was about.

    `truth`: number of the injection (or `RECORDED` + event), `NOTHING`, or `LATE` for one that came after seven days;
    `documents`: the evidence of each, by position.
    """

    name: str
    kind: str
    numbers: NDArray[np.float64]
    truth: NDArray[np.int64]
    at: NDArray[np.float64]
    subject: NDArray[np.int64]
    kinds: NDArray[np.str_]
    documents: Sequence[NDArray[np.int64]]
    start: float
    end: float

    @property
    def weeks(self) -> float:
        """Return how long the scored part of the stream is."""
        return (self.end - self.start) / WEEK


def hours(moment: str) -> float:
    """Return hours since 1970."""
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp() / 3600


def judge(
    name: str, kind: str, ids: Sequence[str], *, found: Sequence[Candidate], numbers: NDArray[np.float64],
    truth: Mapping[str, Any],
) -> Judged:  # fmt: skip
    """Return candidates with what they were about."""
    subjects = [c.subject for c in found]
    return _judged(
        name, kind, ids, found=found, numbers=numbers, truth=truth, subjects=subjects, kinds=kind_of(numbers)
    )


def judge_swells(
    name: str, kind: str, ids: Sequence[str], *, found: Sequence[TopicSurge], numbers: NDArray[np.float64],
    truth: Mapping[str, Any],
) -> Judged:  # fmt: skip
    """Return swells of standing topics with what they were about."""
    subjects = [EPISODES * swell.topic + swell.episode for swell in found]
    kinds = [STANDING] * len(found)
    return _judged(name, kind, ids, found=found, numbers=numbers, truth=truth, subjects=subjects, kinds=kinds)


def _judged(
    name: str, kind: str, ids: Sequence[str], *, found: Sequence[Candidate | TopicSurge], numbers: NDArray[np.float64],
    truth: Mapping[str, Any], subjects: Sequence[int], kinds: Sequence[str],
) -> Judged:  # fmt: skip
    place = {one: k for k, one in enumerate(ids)}
    planted = [(hours(i["start"]), {place[x] for x in i["ids"]}) for i in truth["injections"]]
    events = [
        (hours(e["day"]), hours(e["until"]) + 24, {place[x] for x in e["ids"] if x in place}) for e in truth["events"]
    ]
    about = np.array([_about(candidate, planted, events) for candidate in found], np.int64)
    return Judged(
        name, kind, numbers, about, np.array([c.at for c in found]), np.array(subjects), np.array(kinds, np.str_),
        [c.documents for c in found],
        hours(truth["score_from"]), hours(truth["last"]),
    )  # fmt: skip


def _about(
    c: Candidate | TopicSurge,
    planted: Sequence[tuple[float, set[int]]],
    events: Sequence[tuple[float, float, set[int]]],
) -> int:
    documents = set(c.documents.tolist())
    for k, (start, ids) in enumerate(planted):
        if len(documents & ids) >= 0.5 * len(documents):
            return k if start <= c.at <= start + WEEK else LATE
    for k, (start, until, ids) in enumerate(events):
        if ids and start <= c.at <= until and len(documents & ids) >= 0.5 * len(documents):
            return RECORDED + k
    return NOTHING


def weights(streams: Sequence[Judged]) -> NDArray[np.float64]:
    """Return a weight for each candidate: subjects count rather than their records, kinds rather than streams.

    Right ones weigh half of all wrong ones together, so that what nobody recorded cannot drown them.
    """
    parts = []
    of_kind: dict[str, int] = {}
    for stream in streams:
        of_kind[stream.kind] = of_kind.get(stream.kind, 0) + 1
    for stream in streams:
        key = list(zip(stream.subject.tolist(), stream.truth.tolist(), strict=True))
        counts: dict[tuple[int, int], int] = {}
        for k in key:
            counts[k] = counts.get(k, 0) + 1
        weight = np.array([counts[k] ** -0.7 for k in key]) / of_kind[stream.kind]
        weight[stream.truth == LATE] = 0.0
        weight[stream.at < stream.start] *= 0.3
        parts.append(weight)
    weight = np.concatenate(parts)
    right = np.concatenate([stream.truth >= 0 for stream in streams])
    weight[right] *= 0.5 * weight[~right].sum() / max(weight[right].sum(), 1e-9)
    level: NDArray[np.float64] = weight / weight.mean()
    return level


def fit(streams: Sequence[Judged]) -> dict[str, Any]:
    """Return a boosted ensemble for each kind of signal."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    x = np.concatenate([stream.numbers for stream in streams])[:, COLUMNS].astype(np.float32)
    y = np.concatenate([stream.truth >= 0 for stream in streams])
    weight = weights(streams)
    kinds = np.concatenate([stream.kinds for stream in streams])
    made = {}
    for kind in KINDS:
        model = HistGradientBoostingClassifier(**SETTINGS, monotonic_cst=[GROWS_WITH.get(name, 0) for name in USED])
        made[kind] = model.fit(x, y, sample_weight=weight * np.where(kinds == kind, 1.0, OTHER_KIND))
    return made


def fit_standing(streams: Sequence[Judged]) -> dict[str, Any]:
    """Return a boosted ensemble for swells of standing topics."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    x = np.concatenate([stream.numbers for stream in streams])[:, STANDING_COLUMNS].astype(np.float32)
    y = np.concatenate([stream.truth >= 0 for stream in streams])
    model = HistGradientBoostingClassifier(**STANDING_SETTINGS)
    return {STANDING: model.fit(x, y, sample_weight=weights(streams))}


def scores(models: Mapping[str, Any], stream: Judged) -> NDArray[np.float64]:
    """Return each candidate's score by the model of its kind."""
    out = np.zeros(len(stream.numbers))
    for kind in np.unique(stream.kinds):
        chosen = stream.numbers[stream.kinds == kind]
        columns = STANDING_COLUMNS if kind == STANDING else COLUMNS
        out[stream.kinds == kind] = models[str(kind)].decision_function(chosen[:, columns].astype(np.float32))
    return out


def left_out(
    streams: Sequence[Judged], also: Sequence[Judged] = (), fit: Callable[[Sequence[Judged]], Any] = fit
) -> list[NDArray[np.float64]]:
    """Return scores of each of `streams` by models that learnt from all streams, these and `also`, but not its kind."""
    every = [*streams, *also]
    by_kind = {kind: fit([s for s in every if s.kind != kind]) for kind in {s.kind for s in streams}}
    return [scores(by_kind[stream.kind], stream) for stream in streams]


def curve(
    streams: Sequence[Judged], scored: Sequence[NDArray[np.float64]], kind: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (scores, strengths): −log10 of false alerts of this kind a week, on the noisiest kind of stream.

    A subject is counted once in seven days, as an analyst would be told of it.
    """
    pooled = np.concatenate(list(scored))
    grid = np.unique(np.quantile(pooled, np.r_[np.linspace(0.02, 0.9, 30), 1 - np.logspace(-1, -4, 90)]))
    rates = []
    for family in sorted({s.kind for s in streams}):
        chosen = [(s, v) for s, v in zip(streams, scored, strict=True) if s.kind == family]
        weeks = sum(s.weeks for s, _ in chosen)
        if weeks < 2:
            continue
        rates.append(np.mean([[_false(s, v, kind, t) for t in grid] for s, v in chosen], 0) * len(chosen) / weeks)
    rate = SHARED_BY[kind] * np.max(rates, 0)
    usable = rate > 0.02
    at, strength = grid[usable], -np.log10(rate[usable])
    strength = np.maximum.accumulate(strength)
    keep = np.r_[True, np.diff(strength) > 1e-3]
    return at[keep], strength[keep]


def _false(stream: Judged, scored: NDArray[np.float64], kind: str, threshold: float) -> int:
    rows = np.flatnonzero(
        (stream.kinds == kind) & (scored >= threshold) & (stream.truth == NOTHING) & (stream.at >= stream.start)
    )
    last: dict[int, float] = {}
    count = 0
    for k in rows:
        subject = int(stream.subject[k])
        if stream.at[k] - last.get(subject, -np.inf) >= WEEK:
            last[subject] = float(stream.at[k])
            count += 1
    return count


def pack(
    models: Mapping[str, Any],
    curves: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]],
    card: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what is written to the file: plain arrays, no objects."""
    arrays: dict[str, Any] = {
        "card": json.dumps({**card, "features": list(NAMES), "standing_features": list(STANDING_NAMES)}, sort_keys=True)
    }
    for kind, model in models.items():
        columns = STANDING_COLUMNS if kind == STANDING else COLUMNS
        arrays |= {f"{kind}.{name}": value for name, value in _flat(model, columns).items()}
        arrays[f"{kind}.scores"], arrays[f"{kind}.strengths"] = curves[kind]
    return arrays


def _flat(model: Any, places: NDArray[np.int64]) -> dict[str, Any]:
    """Return a scikit-learn ensemble as nodes in one row, features by their places in the row of numbers."""
    columns: dict[str, list[Any]] = {name: [] for name in ("feature", "threshold", "left", "right", "value")}
    roots, base = [], 0
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        leaf = nodes["is_leaf"].astype(bool)
        roots.append(base)
        columns["feature"].append(np.where(leaf, 0, places[np.where(leaf, 0, nodes["feature_idx"])]))
        columns["threshold"].append(nodes["num_threshold"])
        for name in ("left", "right"):
            columns[name].append(np.where(leaf, -1, nodes[name].astype(np.int64) + base))
        columns["value"].append(nodes["value"])
        base += len(nodes)
    kinds = {"feature": np.int16, "threshold": np.float64, "left": np.int32, "right": np.int32, "value": np.float32}
    flat = {name: np.concatenate(parts).astype(kinds[name]) for name, parts in columns.items()}
    return {**flat, "roots": np.array(roots, np.int32), "start": np.float64(model._baseline_prediction.ravel()[0])}


def read_stream(folder: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the documents of a stream (``IN.jsonl``) and what is known of them (``TRUTH.json``)."""
    rows = [json.loads(line) for line in (folder / "IN.jsonl").read_text("utf-8").split("\n") if line]
    return rows, json.loads((folder / "TRUTH.json").read_text("utf-8"))


def judge_folder(folder: Path, model: Model | None, same: Mapping[str, str]) -> tuple[Judged | None, Judged]:
    """Return the judged candidates of one stream, and the judged swells of standing topics.

    Args:
        folder: holds IN.jsonl and TRUTH.json.
        model: the encoder that ships; its vectors are kept where ``GROUNDSWELL_VECTOR_CACHE`` names a folder. Without
            it only swells are judged: they need no vectors.
        same: background → kind, for backgrounds that are of one kind.
    """
    rows, truth = read_stream(folder)
    texts = [row["text"] for row in rows]
    when = np.array([hours(row["published_at"]) for row in rows])
    ids, languages = [row["id"] for row in rows], [row.get("lang", "") for row in rows]
    background = truth["background"].removeprefix("ev_")
    kind, topics = same.get(background, background), load_topics()
    vectors = encode(model, texts) if model else np.zeros((len(rows), 0), np.float32)
    stream = Stream(ids, texts, when, vectors, np.ones(len(rows), bool), languages=languages)
    if model is None:
        swells, numbers = standing_swells(stream, topics)
        return None, judge_swells(folder.name, kind, ids, found=swells, numbers=numbers, truth=truth)
    found = detect(stream, topics=topics)
    return (
        judge(folder.name, kind, ids, found=found.found, numbers=found.numbers, truth=truth),
        judge_swells(folder.name, kind, ids, found=found.swells, numbers=found.swell_numbers, truth=truth),
    )


@dataclass(frozen=True, slots=True)
class Lessons:
    """What is learnt from: streams that strengths are counted on, and others."""

    streams: Sequence[Judged]
    also: Sequence[Judged] = ()


def read_lessons(
    streams: Path, also: Path | None, swelling: Path | None, same: Mapping[str, str]
) -> tuple[Lessons, Lessons]:
    """Return what folders of streams teach about candidates, and about swells of standing topics.

    Args:
        streams: streams that strengths are counted on, in order of name.
        also: planted streams, for both.
        swelling: streams in which standing topics swell, for these alone.
        same: as for `judge_folder`.
    """
    model = load_model(ModelSettings())
    counted, planted, topical = (
        [judge_folder(path.parent, using, same) for path in sorted(folder.glob("*/TRUTH.json"))] if folder else []
        for folder, using in ((streams, model), (also, model), (swelling, None))
    )
    candidates = Lessons([c for c, _ in counted if c], [c for c, _ in planted if c])
    return candidates, Lessons([s for _, s in counted], [s for _, s in (*planted, *topical)])


def make(candidates: Lessons, swells: Lessons) -> dict[str, Any]:
    """Return the ranking as arrays: fitted on all streams, calibrated on what models said of kinds they never saw."""
    models = {
        **fit([*candidates.streams, *candidates.also]),
        **fit_standing([*swells.streams, *swells.also]),
    }
    scored = left_out(candidates.streams, candidates.also)
    curves = {kind: calibrated(candidates.streams, scored, kind) for kind in KINDS}
    curves[STANDING] = calibrated(swells.streams, left_out(swells.streams, swells.also, fit_standing), STANDING)
    every = (*candidates.streams, *candidates.also, *swells.also)
    card = {
        "made_by": "python -m groundswell.nlp.train.ranking",
        "streams": len(candidates.streams),
        "planted": len(candidates.also),
        "swelling": len(swells.also),
        "candidates": sum(len(stream.truth) for stream in every),
        "right": int(sum((stream.truth >= 0).sum() for stream in every)),
        "settings": dict(SETTINGS),
        "standing_settings": dict(STANDING_SETTINGS),
    }
    return pack(models, curves, card)


def calibrated(
    streams: Sequence[Judged], scored: Sequence[NDArray[np.float64]], kind: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the curve of a kind, over the streams that are long enough to count a rate on."""
    long = [k for k, stream in enumerate(streams) if stream.weeks >= 2]
    return curve([streams[k] for k in long], [scored[k] for k in long], kind)


def main() -> None:
    """Make the ranking from a folder of streams."""
    parser = argparse.ArgumentParser(description="Make the ranking of signals from development streams.")
    parser.add_argument("streams", type=Path, help="folder with a folder for each stream: IN.jsonl and TRUTH.json")
    parser.add_argument("--also", type=Path, help="folder with planted streams, learnt from but not calibrated on")
    parser.add_argument("--topics", type=Path, help="folder with streams in which standing topics swell")
    parser.add_argument("--out", type=Path, default=FILE)
    parser.add_argument("--same", default=SAME, help="backgrounds of one kind: name=kind,…")
    options = parser.parse_args()
    same = dict(pair.split("=") for pair in options.same.split(",") if pair)
    candidates, swells = read_lessons(options.streams, options.also, options.topics, same)
    np.savez_compressed(options.out, **make(candidates, swells))


if __name__ == "__main__":
    main()
