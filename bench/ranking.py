"""How well alerts would do on a kind of stream that the ranking never saw: recall against false alerts a week.

    python bench/ranking.py STREAMS [--also PLANTED] [--topics SWELLING]

The folders are those of `groundswell.nlp.signals.train`. Every stream is ranked by models that learnt from streams of
other kinds only, calibrated on the same; then the policy chooses alerts (one a subject in a week,
followed by what shares its documents). A hit is an alert within seven days of the start, half of whose evidence was put
in; everything else is false, though some of it was real and merely unrecorded. Rows are budgets: the strength asked for
is −log10 of the budget. Rates are means over replays of one background, weighted by its length.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.configs.schema import SignalSettings
from groundswell.index.records import Signal
from groundswell.nlp.signals import features, standing
from groundswell.nlp.signals.policy import Policy, threshold
from groundswell.nlp.signals.rank import KINDS, STANDING, Ranking
from groundswell.nlp.signals.train import (
    EPISODES,
    SAME,
    WEEK,
    Judged,
    Lessons,
    calibrated,
    fit,
    fit_standing,
    hours,
    left_out,
    read_lessons,
)

BUDGETS = (0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 4.0, 7.0)
DAY = 24.0


@dataclass(frozen=True, slots=True)
class Told:
    """An alert: when, how strong, and which injection it is about (or a negative number)."""

    at: float
    strength: float
    about: int


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream with its truth, and judged candidates with the strength of each."""

    truth: Mapping[str, Any]
    judged: Sequence[tuple[Judged, NDArray[np.float64]]]

    @property
    def weeks(self) -> float:
        """Return how long the scored part is."""
        return self.judged[0][0].weeks

    def alerts(self, settings: SignalSettings) -> Iterator[Told]:
        """Yield what the policy would have told, in order of time."""
        least = threshold(settings)
        told = {
            f"{which} {k:09d}": Told(float(each.at[k]), float(strengths[k]), int(each.truth[k]))
            for which, (each, strengths) in enumerate(self.judged)
            for k in np.flatnonzero((strengths >= least) & (each.at >= each.start))
        }
        for signal in Policy(settings).decide(self.signal(name, each) for name, each in told.items()):
            if signal.fired:
                yield told[signal.id]

    def signal(self, name: str, told: Told) -> Signal:
        """Return a candidate as the policy reads it."""
        which, k = map(int, name.split())
        each = self.judged[which][0]
        at = datetime.fromtimestamp(told.at * 3600, UTC)
        subject = int(each.subject[k]) // (EPISODES if which else 1)
        return Signal(
            id=name, theme="", kind="surge", at=at, start=at, end=at, observed=0.0, expected=0.0,
            strength=told.strength, severity="low", evidence=tuple(map(str, each.documents[k].tolist())), why="",
            details={"subject": f"{which} {subject}"},
        )  # fmt: skip


def strengths(
    lessons: Lessons, names: Sequence[str], kinds: Sequence[str], learn: Callable[[Sequence[Judged]], Any]
) -> list[NDArray[np.float64]]:
    """Return each stream's strengths by models and calibration that did not learn from its kind."""
    scored = left_out(lessons.streams, lessons.also, learn)
    ranking = Ranking({}, {kind: calibrated(lessons.streams, scored, kind) for kind in kinds}, {})
    return [
        ranking.placed(scores, stream.kinds, stream.numbers.reshape(-1, len(names))[:, names.index("history")])
        for stream, scores in zip(lessons.streams, scored, strict=True)
    ]


def row(streams: Sequence[Stream], budget: float) -> str:
    """Return one line of the table."""
    false, weeks = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
    cells, delays = defaultdict[str, list[bool]](list), defaultdict[bool, list[float]](list)
    hits = again = 0
    days = defaultdict[tuple[int, int], list[tuple[float, bool]]](list)
    for number, stream in enumerate(streams):
        found: dict[int, float] = {}
        wrong = 0
        for told in stream.alerts(SignalSettings(false_alerts_a_week=budget)):
            days[number, int(told.at // DAY)].append((told.strength, told.about >= 0))
            again += told.about in found
            hits += told.about >= 0
            wrong += told.about < 0
            if 0 <= told.about < 1000:
                found.setdefault(told.about, told.at)
        background = stream.truth["background"].removeprefix("ev_")
        false[background].append(wrong)
        weeks[background].append(stream.weeks)
        for k, injection in enumerate(stream.truth["injections"]):
            cells[injection["cell"]].append(k in found)
            cells["swells" if injection["profile"] == "swell" else "new"].append(k in found)
            if k in found:
                delays[injection["profile"] == "swell"].append(found[k] - hours(injection["start"]))
    rates = {name: sum(false[name]) / sum(weeks[name]) for name in false}
    longest = {name: max(weeks[name]) for name in false}
    mean = sum(rates[name] * longest[name] for name in rates) / sum(longest.values())
    worst = max((name for name in rates if longest[name] >= 2), key=lambda name: rates[name])
    best = [right for day in days.values() for _, right in sorted(day, reverse=True)[:5]]
    wait, wait_swell = (np.median(delays[known] or [0]) for known in (False, True))
    shares = " · ".join(f"{name} {sum(cells[name])}/{len(cells[name])}" for name in sorted(cells))
    return (
        f"| {budget} | {np.mean(cells['new']):.2f} | {np.mean(cells['swells'] or [0]):.2f} | {mean:.2f} | "
        f"{rates[worst]:.2f} {worst} | {wait:.0f} / {wait_swell:.0f} h | "
        f"{again / max(hits, 1):.2f} | {np.mean(best or [0]):.2f} | {shares} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("streams", type=Path)
    parser.add_argument("--also", type=Path)
    parser.add_argument("--topics", type=Path)
    given = parser.parse_args()
    same = dict(pair.split("=") for pair in SAME.split(","))
    candidates, swells = read_lessons(given.streams, given.also, given.topics, same)
    both = zip(
        candidates.streams, strengths(candidates, features.NAMES, KINDS, fit),
        swells.streams, strengths(swells, standing.NAMES, (STANDING,), fit_standing), strict=True,
    )  # fmt: skip
    folders = [path.parent for path in sorted(given.streams.glob("*/TRUTH.json"))]
    streams = [
        Stream(json.loads((folder / "TRUTH.json").read_text("utf-8")), [(c, by_c), (s, by_s)])
        for folder, (c, by_c, s, by_s) in zip(folders, both, strict=True)
    ]
    planted, swelling = len(candidates.also), len(swells.also) - len(candidates.also)
    print(f"{len(streams)} streams, {planted} planted, {swelling} with swelling topics; hit within {WEEK:.0f} h")
    print("| budget a week | new | swells | false a week | worst | delay new / swells | repeats | P@5 | cells |")
    print("|---|---|---|---|---|---|---|---|---|")
    for budget in BUDGETS:
        print(row(streams, budget), flush=True)


if __name__ == "__main__":
    main()
