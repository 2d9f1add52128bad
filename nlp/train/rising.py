"""Makes the weights of the early list: how often a candidate becomes an alert within three days.

    python -m groundswell.nlp.train.rising STREAMS [--topics SWELLING] [--out rising.json]

STREAMS and SWELLING are as for `groundswell.nlp.train.ranking`. Strengths come from models that saw no stream of the
same kind; the policy decides on them as it would live, at several budgets. Calibration is counted on what weights that
saw no stream of a candidate's kind say of it (expected calibration error over ten bins); the weights that ship were
learnt from all. There is no chance in it: the same streams give the same weights.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from groundswell.configs.schema import SignalSettings
from groundswell.index.records import Signal
from groundswell.nlp.signals.alerts.policy import Policy, threshold
from groundswell.nlp.signals.alerts.rising import FILE, NAMES, NOT_YET, became, describe
from groundswell.nlp.signals.departures import GROWS, KEPT
from groundswell.nlp.signals.detect import features, topics
from groundswell.nlp.signals.detect.lives import Life, Rule
from groundswell.nlp.signals.detect.rank import KINDS, STANDING, Ranking
from groundswell.nlp.train.ranking import (
    EPISODES,
    SAME,
    Judged,
    Lessons,
    calibrated,
    fit,
    fit_standing,
    left_out,
    read_lessons,
)  # fmt: skip

BUDGETS = (0.5, 1.0, 2.0)
"""Budgets of false alerts a week at which candidates are looked at."""
RIDGE = 1.0
BINS = 10
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Examples:
    """Candidates by `NAMES` ``(n, len(NAMES))``, whether each became an alert, and the kind of its stream."""

    numbers: Floats
    became: NDArray[np.bool_]
    kinds: NDArray[np.str_]

    def of(self, which: NDArray[np.bool_]) -> Examples:
        """Return some of them."""
        return Examples(self.numbers[which], self.became[which], self.kinds[which])


def unseen(lessons: Lessons, names: Sequence[str], kinds: Sequence[str], *, standing: bool) -> list[Floats]:
    """Return the strengths of each stream's candidates by models and calibration that saw no stream of its kind."""
    scored = left_out(lessons.streams, lessons.also, fit_standing if standing else fit)
    ranking = Ranking({}, {kind: calibrated(lessons.streams, scored, kind) for kind in kinds}, {})
    days = names.index("history")
    return [
        ranking.placed(scores, stream.kinds, stream.numbers.reshape(-1, len(names))[:, days])
        for stream, scores in zip(lessons.streams, scored, strict=True)
    ]


def records(judged: Judged, strengths: Floats, rule: Rule) -> Iterator[Signal]:
    """Yield what would be put on record of a stream, as signals that no policy has decided yet."""
    life, standing = Life(), bool(len(judged.kinds)) and judged.kinds[0] == STANDING
    names = topics.NAMES if standing else features.NAMES
    statistic = judged.numbers.reshape(-1, len(names))[:, names.index("score")]
    for k, strength in enumerate(strengths.tolist()):
        subject, at, documents = int(judged.subject[k]), float(judged.at[k]), judged.documents[k]
        if not life.tells(subject, strength, documents, at, rule) or at < judged.start:
            continue
        moment = datetime.fromtimestamp(at * 3600, UTC)
        yield Signal(
            id=f"{int(standing)} {k:09d}", theme="", kind="new" if judged.kinds[k] == "new" else "surge", at=moment,
            start=moment, end=moment, observed=0.0, expected=0.0, strength=strength, severity="low",
            evidence=tuple(map(str, documents.tolist())), why="", standing=standing, statistic=float(statistic[k]),
            subject=f"{int(standing)} {subject // (EPISODES if standing else 1)}",
        )  # fmt: skip


def decided(parts: Sequence[tuple[Judged, Floats]], budget: float) -> list[Signal]:
    """Return the records of one stream, decided by the policy at a budget."""
    settings = SignalSettings(false_alerts_a_week=budget)
    rule = Rule(KEPT, GROWS, threshold(settings))
    return Policy(settings).decide(signal for judged, strengths in parts for signal in records(judged, strengths, rule))


def examples(streams: Sequence[Sequence[tuple[Judged, Floats]]], budgets: Sequence[float] = BUDGETS) -> Examples:
    """Return every candidate that was held back and follows no alert, at several budgets."""
    rows, right, kinds = [], [], []
    for parts in streams:
        for budget in budgets:
            signals = decided(parts, budget)
            alerts = [signal for signal in signals if signal.fired]
            least = threshold(SignalSettings(false_alerts_a_week=budget))
            for signal in signals:
                if signal.held_by in NOT_YET and not signal.follows:
                    rows.append(describe(signal, least))
                    right.append(became(signal, alerts))
                    kinds.append(parts[0][0].kind)
    return Examples(np.array(rows, np.float64), np.array(right, bool), np.array(kinds, np.str_))


def learn(given: Examples) -> Floats:
    """Return weights by ridge-penalised logistic regression (Newton's method); each kind of stream weighs the same."""
    x, y = given.numbers, given.became.astype(np.float64)
    _, place, counts = np.unique(given.kinds, return_inverse=True, return_counts=True)
    weight = len(y) / len(counts) / counts[place]
    penalty = RIDGE * np.eye(x.shape[1])
    penalty[0, 0] = 0.0
    found = np.zeros(x.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-(x @ found)))
        bend = (x * (weight * p * (1 - p))[:, None]).T @ x + penalty
        found += np.linalg.solve(bend, x.T @ (weight * (y - p)) - penalty @ found)
    return np.asarray(found.round(4))


def said(given: Examples, by: Floats) -> Floats:
    """Return the probability that weights give to each."""
    chances: Floats = 1 / (1 + np.exp(-(given.numbers @ by)))
    return chances


def left_out_chances(given: Examples) -> Floats:
    """Return the probability of each by weights that saw no stream of its kind."""
    chances = np.zeros(len(given.became))
    for kind in np.unique(given.kinds):
        mine = given.kinds == kind
        chances[mine] = said(given.of(mine), learn(given.of(~mine)))
    return chances


def calibration(chances: Floats, came: NDArray[np.bool_]) -> tuple[float, list[tuple[float, float, int]]]:
    """Return the expected calibration error, and by bin of probability: what was said, what came, how many."""
    place = np.minimum((chances * BINS).astype(int), BINS - 1)
    table = [
        (float(chances[place == k].mean()), float(came[place == k].mean()), int((place == k).sum()))
        for k in range(BINS)
        if (place == k).any()
    ]
    error = sum(abs(mean - rate) * count for mean, rate, count in table) / max(1, len(chances))
    return float(error), table


def main() -> None:
    """Learn the weights, say how well they are calibrated, write them."""
    parser = argparse.ArgumentParser(description="Make the weights of the early list from development streams.")
    parser.add_argument("streams", type=Path, help="folder with a folder for each stream: IN.jsonl and TRUTH.json")
    parser.add_argument("--topics", type=Path, help="folder with streams in which standing topics swell")
    parser.add_argument("--same", default=SAME, help="backgrounds of one kind: name=kind,…")
    parser.add_argument("--out", type=Path, default=FILE)
    options = parser.parse_args()
    same = dict(pair.split("=") for pair in options.same.split(",") if pair)
    candidates, swells = read_lessons(options.streams, None, options.topics, same)
    of_candidates = unseen(candidates, features.NAMES, KINDS, standing=False)
    of_topics = unseen(swells, topics.NAMES, (STANDING,), standing=True)
    both = zip(candidates.streams, of_candidates, swells.streams, of_topics, strict=True)
    write(options.out, [[(c, by_c), (s, by_s)] for c, by_c, s, by_s in both])


def write(out: Path, streams: Sequence[Sequence[tuple[Judged, Floats]]]) -> None:
    """Learn from streams with known strengths, say how well what was learnt holds, and write the weights."""
    every = examples(streams)
    chances = left_out_chances(every)
    error, table = calibration(chances, every.became)
    for mean, rate, count in table:
        print(f"said {mean:.2f}, came {rate:.2f} ({count:,})")  # noqa: T201  a command
    of = {str(kind): every.kinds == kind for kind in np.unique(every.kinds)}
    alone = {kind: round(calibration(chances[mine], every.became[mine])[0], 3) for kind, mine in of.items()}
    print(f"expected calibration error {error:.3f}, by kind {alone}")  # noqa: T201  a command
    card = {
        "made_by": "python -m groundswell.nlp.train.rising", "examples": len(every.became),
        "became": int(every.became.sum()), "budgets": list(BUDGETS), "error_left_out": round(error, 4),
        "weights": dict(zip(NAMES, learn(every).tolist(), strict=True)),
    }  # fmt: skip
    out.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
