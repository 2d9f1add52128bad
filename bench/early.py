"""How soon the early list has what was put into streams, and how many entries a day that costs.

    python bench/early.py STREAMS [--topics SWELLING]

STREAMS and SWELLING are as for `groundswell.nlp.train.ranking`; strengths are by models that saw no stream of the kind.
The list is looked at whenever a candidate is found. An entry or alert counts for what was put in if half of its
documents are of it.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from groundswell.index.records import Signal
from groundswell.nlp.signals.alerts.rising import WITHIN, rising, same
from groundswell.nlp.signals.detect import features, topics
from groundswell.nlp.signals.detect.rank import KINDS, STANDING
from groundswell.nlp.train.ranking import SAME, WEEK, hours, read_lessons, read_stream
from groundswell.nlp.train.rising import decided, unseen

SOON = 24.0
"""Hours from the onset in which it is to be on the list."""


def listed(signals: Sequence[Signal]) -> list[Signal]:
    """Return the candidates that were on the list at the moment they were found."""
    found: list[Signal] = []
    for k, signal in enumerate(signals):
        if signal.alert_chance is None:
            continue
        lately = [other for other in signals[: k + 1] if signal.at - other.at < timedelta(days=7)]
        if any(entry.id == signal.id for entry in rising(lately, now=signal.at)):
            found.append(signal)
    return found


def entries(found: Sequence[Signal]) -> int:
    """Return how many things they are: what was listed in the three days before is no new entry."""
    return sum(
        not any(same(signal, other) and signal.at - other.at < WITHIN for other in found[:k])
        for k, signal in enumerate(found)
    )


def soonest(signals: Sequence[Signal], start: float, ids: frozenset[str]) -> float:
    """Return after how many hours the first of the signals tells of an injection."""
    ages = (
        signal.at.timestamp() / 3600 - start
        for signal in signals
        if len(ids.intersection(signal.evidence)) >= 0.5 * len(signal.evidence)
    )
    return min((age for age in ages if 0 <= age <= WEEK), default=float("inf"))


def tally(signals: Sequence[Signal], rows: Sequence[Mapping[str, Any]], truth: Mapping[str, Any]) -> Counter[str]:
    """Return of one stream how many injections of each profile there are, and were listed or alerted soon."""
    place = {row["id"]: str(k) for k, row in enumerate(rows)}
    early, alerts, counts = listed(signals), [s for s in signals if s.fired], Counter[str]()
    counts["entries"] = entries(early)
    for injection in truth["injections"]:
        start, ids = hours(injection["start"]), frozenset(place[one] for one in injection["ids"])
        name = str(injection["profile"])
        counts[name] += 1
        counts[f"{name} soon"] += min(soonest(early, start, ids), soonest(alerts, start, ids)) <= SOON
        counts[f"{name} alerted soon"] += soonest(alerts, start, ids) <= SOON
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("streams", type=Path)
    parser.add_argument("--topics", type=Path)
    given = parser.parse_args()
    candidates, swells = read_lessons(given.streams, None, given.topics, dict(p.split("=") for p in SAME.split(",")))
    of_candidates = unseen(candidates, features.NAMES, KINDS, standing=False)
    of_topics = unseen(swells, topics.NAMES, (STANDING,), standing=True)
    folders = [path.parent for path in sorted(given.streams.glob("*/TRUTH.json"))]
    whole, days = Counter[str](), 0.0
    for k, folder in enumerate(folders):
        parts = [(candidates.streams[k], of_candidates[k]), (swells.streams[k], of_topics[k])]
        whole += tally(decided(parts, 1.0), *read_stream(folder))
        days += 7 * parts[0][0].weeks
    print(f"{whole.pop('entries') / days:.2f} entries a day")
    for name, count in sorted(whole.items()):
        print(f"{name}: {count}")


if __name__ == "__main__":
    main()
