"""Makes the ranking: boosted trees on candidates of development streams, calibrated on streams of another kind.

    python -m groundswell.nlp.signals.train STREAMS [--out ranking.npz]

STREAMS is a folder with, for each stream, ``IN.jsonl`` (id, text, published_at) and ``TRUTH.json``: ``score_from``,
``last``, ``injections`` (``start``, ``ids``: real texts of a subject that was put in, or of one that was swelled) and
``events``. A candidate is right when half of its evidence is of one injection (or event) within seven days. All else
counts as wrong, though some of it was real and merely unrecorded: its weight is capped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.signals.detect import Stream, detect
from groundswell.nlp.signals.features import NAMES
from groundswell.nlp.signals.rank import KINDS, kind_of
from groundswell.nlp.signals.subjects import Candidate

WEEK = 168.0
LATE, NOTHING = -2, -1
SETTINGS: Mapping[str, Any] = {
    "n_estimators": 150, "max_depth": 3, "learning_rate": 0.08, "subsample": 0.5, "max_features": 0.4,
    "min_samples_leaf": 30, "random_state": 0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    """A stream's candidates, and what each was about.

    `truth`: number of the injection (or 1000 + event), `NOTHING`, or `LATE` for one that came after seven days.
    """

    name: str
    kind: str
    numbers: NDArray[np.float64]
    truth: NDArray[np.int64]
    at: NDArray[np.float64]
    subject: NDArray[np.int64]
    start: float
    end: float

    @property
    def weeks(self) -> float:
        """Return how long the scored part of the stream is."""
        return (self.end - self.start) / WEEK


def hours(moment: str) -> float:
    """Return hours since 1970."""
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp() / 3600


def judge(name: str, kind: str, ids: Sequence[str], found: Sequence[Candidate], numbers: NDArray[np.float64], truth: Mapping[str, Any]) -> Judged:
    """Return candidates with what they were about."""
    place = {id: k for k, id in enumerate(ids)}
    planted = [(hours(i["start"]), {place[x] for x in i["ids"]}) for i in truth["injections"]]
    events = [(hours(e["day"]), hours(e["until"]) + 24, {place[x] for x in e["ids"] if x in place}) for e in truth["events"]]
    about = np.array([_about(candidate, planted, events) for candidate in found], np.int64)
    return Judged(
        name, kind, numbers, about, np.array([c.at for c in found]), np.array([c.subject for c in found]),
        hours(truth["score_from"]), hours(truth["last"]),
    )  # fmt: skip


def _about(
    c: Candidate, planted: Sequence[tuple[float, set[int]]], events: Sequence[tuple[float, float, set[int]]]
) -> int:
    documents = set(c.documents.tolist())
    for k, (start, ids) in enumerate(planted):
        if len(documents & ids) >= 0.5 * len(documents):
            return k if start <= c.at <= start + WEEK else LATE
    for k, (start, until, ids) in enumerate(events):
        if ids and start <= c.at <= until and len(documents & ids) >= 0.5 * len(documents):
            return 1000 + k
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
    return weight / weight.mean()


def fit(streams: Sequence[Judged]) -> dict[str, Any]:
    """Return a boosted ensemble for each kind of signal."""
    from sklearn.ensemble import GradientBoostingClassifier

    x = np.concatenate([stream.numbers for stream in streams])
    y = np.concatenate([stream.truth >= 0 for stream in streams])
    weight = weights(streams)
    kinds = np.array(kind_of(x))
    made = {}
    for kind in KINDS:
        mine = kinds == kind
        model = GradientBoostingClassifier(**SETTINGS)
        made[kind] = model.fit(x[mine].astype(np.float32), y[mine], sample_weight=weight[mine])
    return made


def scores(models: Mapping[str, Any], numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each candidate's score by the model of its kind."""
    out = np.zeros(len(numbers))
    kinds = np.array(kind_of(numbers))
    for kind in KINDS:
        if (kinds == kind).any():
            out[kinds == kind] = models[kind].decision_function(numbers[kinds == kind].astype(np.float32))
    return out


def left_out(streams: Sequence[Judged], fit: Callable[[Sequence[Judged]], Any] = fit) -> list[NDArray[np.float64]]:
    """Return scores of each stream by models that never saw its kind."""
    by_kind = {kind: fit([s for s in streams if s.kind != kind]) for kind in {s.kind for s in streams}}
    return [scores(by_kind[stream.kind], stream.numbers) for stream in streams]


def curve(
    streams: Sequence[Judged], scored: Sequence[NDArray[np.float64]], kind: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (scores, strengths): −log10 of false alerts of this kind a week, mean over kinds of streams.

    A subject is counted once in seven days, as an analyst would be told of it.
    """
    grid = np.unique(np.concatenate([np.quantile(s, np.linspace(0.02, 1, 60)) for s in scored if len(s)]))
    rates = []
    for family in sorted({s.kind for s in streams}):
        chosen = [(s, v) for s, v in zip(streams, scored, strict=True) if s.kind == family]
        weeks = sum(s.weeks for s, _ in chosen)
        if weeks < 2:
            continue
        rates.append(np.mean([[_false(s, v, kind, t) for t in grid] for s, v in chosen], 0) * len(chosen) / weeks)
    rate = np.mean(rates, 0)
    usable = rate > 0.02
    at, strength = grid[usable], -np.log10(rate[usable])
    strength = np.maximum.accumulate(strength)
    keep = np.r_[True, np.diff(strength) > 1e-3]
    return at[keep], strength[keep]


def _false(stream: Judged, scored: NDArray[np.float64], kind: str, threshold: float) -> int:
    mine = np.array([k == kind for k in kind_of(stream.numbers)], bool)
    rows = np.flatnonzero(mine & (scored >= threshold) & (stream.truth == NOTHING) & (stream.at >= stream.start))
    last: dict[int, float] = {}
    count = 0
    for k in rows:
        subject = int(stream.subject[k])
        if stream.at[k] - last.get(subject, -np.inf) >= WEEK:
            last[subject] = float(stream.at[k])
            count += 1
    return count


def pack(models: Mapping[str, Any], curves: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]], card: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is written to the file: plain arrays, no objects."""
    arrays: dict[str, Any] = {"card": json.dumps({**card, "features": list(NAMES)}, sort_keys=True)}
    for kind, model in models.items():
        arrays |= {f"{kind}.{name}": value for name, value in _flat(model).items()}
        arrays[f"{kind}.scores"], arrays[f"{kind}.strengths"] = curves[kind]
    return arrays


def _flat(model: Any) -> dict[str, Any]:
    """Return a scikit-learn ensemble as nodes in one row, the learning rate in the leaves."""
    columns: dict[str, list[Any]] = {name: [] for name in ("feature", "threshold", "left", "right", "value")}
    roots, base = [], 0
    for (estimator,) in model.estimators_:
        tree = estimator.tree_
        roots.append(base)
        columns["feature"].append(tree.feature)
        columns["threshold"].append(tree.threshold)
        for name, child in (("left", tree.children_left), ("right", tree.children_right)):
            columns[name].append(np.where(child >= 0, child + base, -1))
        columns["value"].append(tree.value[:, 0, 0] * model.learning_rate)
        base += tree.node_count
    kinds = {"feature": np.int16, "threshold": np.float32, "left": np.int32, "right": np.int32, "value": np.float32}
    flat = {name: np.concatenate(parts).astype(kinds[name]) for name, parts in columns.items()}
    prior = float(model.init_.class_prior_[1])
    return {**flat, "roots": np.array(roots, np.int32), "start": np.float64(np.log(prior / (1 - prior)))}
