"""How well alerts would do on a kind of stream that the ranking never saw: recall against false alerts a week.

    python bench/ranking.py STREAMS [--also PLANTED] [--topics SWELLING] [--unread FILE]

The folders are those of `groundswell.nlp.train.ranking`. Every stream is ranked by models that learnt from streams of
other kinds only, calibrated on the same; then the policy chooses alerts (one a subject in a week,
followed by what shares its documents). A hit is an alert within seven days of the start, half of whose evidence was put
in; everything else is false, though some of it was real and merely unrecorded. `read_alerts.csv` says what was found
when false alerts were read: "of those real" is the share of the false ones that tell of one thing that did happen; what
nobody read counts as unreal, and `--unread` writes it down for reading. Rows are budgets: the strength asked for
is −log10 of the budget. Rates are means over replays of one background, weighted by its length.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.configs.schema import SignalSettings
from groundswell.index.records import Signal
from groundswell.nlp.signals.alerts.policy import Policy, threshold
from groundswell.nlp.signals.detect import features, topics
from groundswell.nlp.signals.detect.rank import KINDS, STANDING, Ranking
from groundswell.nlp.train.ranking import (
    EPISODES,
    RECORDED,
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
    read_stream,
)

READ = Path(__file__).parent / "read_alerts.csv"
BUDGETS = (0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 4.0, 7.0)
DAY = 24.0


@dataclass(frozen=True, slots=True)
class Told:
    """An alert: when, how strong, which injection it is about (or a negative number), and the ids of its evidence."""

    at: float
    strength: float
    about: int
    evidence: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader found that false alerts of one background with this evidence tell of."""

    background: str
    verdict: str
    evidence: frozenset[str]

    def of(self, background: str, told: Told) -> bool:
        """Return whether an alert is one of those that were read: half of the smaller evidence is shared."""
        least = 0.5 * min(len(told.evidence), len(self.evidence))
        return background == self.background and len(told.evidence & self.evidence) >= least


def read_readings(path: Path = READ) -> list[Reading]:
    """Return what was read: columns ``background, verdict, what, ids`` (ids with spaces between)."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Reading(row["background"], row["verdict"], frozenset(row["ids"].split())) for row in csv.DictReader(file)
        ]


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream's documents and truth, and judged candidates with the strength of each."""

    rows: Sequence[Mapping[str, Any]]
    truth: Mapping[str, Any]
    judged: Sequence[tuple[Judged, NDArray[np.float64]]]

    @property
    def background(self) -> str:
        """Return what it was made from."""
        return str(self.truth["background"]).removeprefix("ev_")

    @property
    def weeks(self) -> float:
        """Return how long the scored part is."""
        return self.judged[0][0].weeks

    def alerts(self, settings: SignalSettings) -> Iterator[Told]:
        """Yield what the policy would have told, in order of time."""
        least = threshold(settings)
        told = {
            f"{which} {k:09d}": self.told(each, int(k), float(strengths[k]))
            for which, (each, strengths) in enumerate(self.judged)
            for k in np.flatnonzero((strengths >= least) & (each.at >= each.start))
        }
        for signal in Policy(settings).decide(self.signal(name, each) for name, each in told.items()):
            if signal.fired:
                yield told[signal.id]

    def told(self, each: Judged, k: int, strength: float) -> Told:
        """Return a candidate as it would be told of."""
        evidence = frozenset(self.rows[n]["id"] for n in each.documents[k].tolist())
        return Told(float(each.at[k]), strength, int(each.truth[k]), evidence)

    def signal(self, name: str, told: Told) -> Signal:
        """Return a candidate as the policy reads it."""
        which, k = map(int, name.split())
        each = self.judged[which][0]
        at = datetime.fromtimestamp(told.at * 3600, UTC)
        subject = int(each.subject[k]) // (EPISODES if which else 1)
        return Signal(
            id=name, theme="", kind="surge", at=at, start=at, end=at, observed=0.0, expected=0.0,
            strength=told.strength, severity="low", evidence=tuple(map(str, each.documents[k].tolist())), why="",
            subject=f"{which} {subject}", standing=bool(which), statistic=told.strength,
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


@dataclass(slots=True)
class Outcome:
    """What alerts of one stream were worth: the first hit of each injection, and every alert."""

    stream: Stream
    found: dict[int, float] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    again: int = 0
    real: int = 0

    @property
    def false(self) -> int:
        """Return how many were about nothing that was put in or recorded."""
        return sum(told.about < 0 for told in self.told)

    def hits(self) -> Iterator[tuple[Mapping[str, Any], float | None]]:
        """Yield every injection with the hours until it was told of, or None."""
        for k, injection in enumerate(self.stream.truth["injections"]):
            yield injection, self.found[k] - hours(injection["start"]) if k in self.found else None

    def best_of_days(self, most: int = 5) -> Iterator[bool]:
        """Yield of the strongest of each day whether they were right."""
        days = defaultdict[int, list[tuple[float, bool]]](list)
        for told in self.told:
            days[int(told.at // DAY)].append((told.strength, told.about >= 0))
        for day in days.values():
            yield from (right for _, right in sorted(day, reverse=True)[:most])


def outcome(stream: Stream, budget: float, readings: Sequence[Reading]) -> Outcome:
    """Return what the alerts that fit into a budget were worth."""
    out = Outcome(stream)
    for told in stream.alerts(SignalSettings(false_alerts_a_week=budget)):
        out.told.append(told)
        out.again += told.about in out.found
        if told.about < 0:
            out.real += any(r.verdict == "real" and r.of(stream.background, told) for r in readings)
        elif told.about < RECORDED:
            out.found.setdefault(told.about, told.at)
    return out


def row(streams: Sequence[Stream], budget: float, readings: Sequence[Reading] = ()) -> str:
    """Return one line of the table."""
    outcomes = [outcome(stream, budget, readings) for stream in streams]
    cells, delays = defaultdict[str, list[bool]](list), defaultdict[str, list[float]](list)
    for injection, delay in (hit for one in outcomes for hit in one.hits()):
        family = "swells" if injection["profile"] == "swell" else "new"
        for cell in (family, injection["cell"]):
            cells[cell].append(delay is not None)
        if delay is not None:
            delays[family].append(delay)
    mean, worst, where = false_rates(outcomes)
    told = [each for one in outcomes for each in one.told]
    false, right = sum(one.false for one in outcomes), sum(each.about >= 0 for each in told)
    best = [right for one in outcomes for right in one.best_of_days()]
    wait, wait_swell = (np.median(delays[family] or [0]) for family in ("new", "swells"))
    shares = " · ".join(f"{name} {sum(cells[name])}/{len(cells[name])}" for name in sorted(cells))
    return (
        f"| {budget} | {np.mean(cells['new'] or [False]):.2f} | {np.mean(cells['swells'] or [False]):.2f} | "
        f"{mean:.2f} | {worst:.2f} {where} | {sum(one.real for one in outcomes) / max(1, false):.2f} | "
        f"{wait:.0f} / {wait_swell:.0f} h | {sum(one.again for one in outcomes) / max(right, 1):.2f} | "
        f"{np.mean(best or [False]):.2f} | {shares} |"
    )


def false_rates(outcomes: Sequence[Outcome]) -> tuple[float, float, str]:
    """Return false alerts a week: the mean by length, the worst background of two weeks or more, and its name."""
    of = defaultdict[str, list[Outcome]](list)
    for one in outcomes:
        of[one.stream.background].append(one)
    rates = {name: sum(o.false for o in all_) / sum(o.stream.weeks for o in all_) for name, all_ in of.items()}
    longest = {name: max(o.stream.weeks for o in all_) for name, all_ in of.items()}
    worst = max((name for name in rates if longest[name] >= 2), key=lambda name: rates[name])
    return sum(rates[name] * longest[name] for name in rates) / sum(longest.values()), rates[worst], worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("streams", type=Path)
    parser.add_argument("--also", type=Path)
    parser.add_argument("--topics", type=Path)
    parser.add_argument("--unread", type=Path, help="where to write the false alerts of a budget of 1 to be read")
    given = parser.parse_args()
    same = dict(pair.split("=") for pair in SAME.split(","))
    candidates, swells = read_lessons(given.streams, given.also, given.topics, same)
    both = zip(
        candidates.streams, strengths(candidates, features.NAMES, KINDS, fit),
        swells.streams, strengths(swells, topics.NAMES, (STANDING,), fit_standing), strict=True,
    )  # fmt: skip
    folders = [path.parent for path in sorted(given.streams.glob("*/TRUTH.json"))]
    streams = [
        Stream(*read_stream(folder), [(c, by_c), (s, by_s)])
        for folder, (c, by_c, s, by_s) in zip(folders, both, strict=True)
    ]
    planted, swelling = len(candidates.also), len(swells.also) - len(candidates.also)
    print(f"{len(streams)} streams, {planted} planted, {swelling} with swelling topics; hit within {WEEK:.0f} h")
    print(
        "| budget | new | swells | false a week | worst | of those real | delay new / swells | repeats | P@5 | cells |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    readings = read_readings()
    for budget in BUDGETS:
        print(row(streams, budget, readings), flush=True)
    if given.unread:
        write_unread(given.unread, streams, readings)


def write_unread(path: Path, streams: Sequence[Stream], readings: Sequence[Reading]) -> None:
    """Write the false alerts of a budget of 1 that nobody read, one for each evidence, with their texts."""
    read = list(readings)
    with path.open("w", encoding="utf-8") as file:
        for stream in streams:
            texts = {row["id"]: row["text"] for row in stream.rows}
            for told in stream.alerts(SignalSettings(false_alerts_a_week=1.0)):
                if told.about < 0 and not any(r.of(stream.background, told) for r in read):
                    read.append(Reading(stream.background, "", told.evidence))
                    ids = sorted(told.evidence)
                    at = datetime.fromtimestamp(told.at * 3600, UTC).isoformat()
                    about = {"background": stream.background, "at": at, "ids": ids, "texts": [texts[i] for i in ids]}
                    file.write(json.dumps(about, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
