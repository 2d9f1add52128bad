"""What a detector carries from hour to hour in one scope: living subjects, the noise of its days, what was told."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.signals.detect.neighbours import DAY

FRESH = 0.2
"""Share of documents that are not on record yet, from which a subject as strong as an alert is told of again."""
FORGOTTEN = 9 * DAY
"""An episode of a standing topic that was told of so long ago is over."""


@dataclass(slots=True)
class Subject:
    """What candidates that share documents are about; documents by position."""

    number: int
    born: float
    seen: float
    documents: set[int] = field(default_factory=set)
    best: float = 0.0
    most: int = 0
    records: int = 0


@dataclass(slots=True)
class Told:
    """What was told of a subject: how strongly at most, by which documents, when last."""

    best: float
    documents: set[int]
    at: float
    name: str = ""


@dataclass(slots=True)
class Lately:
    """What was seen of a standing topic in the last day."""

    at: float
    topic: int
    score: float
    documents: NDArray[np.int64]


@dataclass(slots=True)
class Life:
    """All of it.

    Attributes:
        living: subjects that were seen in the last week.
        born: how many subjects there ever were.
        told: by subject's number, or (topic, episode).
        noise: the strongest test of each day's candidates, by day.
        middles: (hour, subject, middle of its documents in whole numbers of `SCALE`) of some candidates.
        lately: standing topics that stood out.
        episodes: by topic, when its episode began and its number.
    """

    living: list[Subject] = field(default_factory=list)
    born: int = 0
    told: dict[Hashable, Told] = field(default_factory=dict)
    noise: dict[int, float] = field(default_factory=dict)
    middles: list[tuple[float, int, NDArray[np.float32]]] = field(default_factory=list)
    lately: list[Lately] = field(default_factory=list)
    episodes: dict[int, tuple[float, int]] = field(default_factory=dict)

    def copy(self) -> Life:
        """Return a life that goes its own way."""
        return Life(
            living=[_own(s) for s in self.living], born=self.born,
            told={k: Told(t.best, set(t.documents), t.at, t.name) for k, t in self.told.items()},
            noise=dict(self.noise), middles=list(self.middles), lately=list(self.lately), episodes=dict(self.episodes),
        )  # fmt: skip

    def tells(self, subject: Hashable, strength: float, documents: NDArray[np.int64], at: float, rule: Rule) -> bool:
        """Return whether a subject is worth telling of (again), and take note if so.

        Only what grew stronger, or by enough documents, is worth a line more.
        """
        told = self.told.get(subject) or Told(-np.inf, set(), at)
        fresh = set(documents.tolist()) - told.documents
        longer = strength >= rule.alerts and len(fresh) >= FRESH * len(documents)
        if strength < rule.kept or not (strength >= told.best + rule.grows or longer):
            return False
        self.told[subject] = told
        told.best, told.at = max(told.best, strength), at
        told.documents |= fresh
        return True

    def forget(self, at: float, look_back: float) -> None:
        """Drop what no later hour asks for."""
        alive = {subject.number for subject in self.living}
        self.told = {
            k: t for k, t in self.told.items() if (at - t.at <= FORGOTTEN if isinstance(k, tuple) else k in alive)
        }
        self.noise = {day: score for day, score in self.noise.items() if day >= (at - look_back) // DAY - 1}
        self.middles = [each for each in self.middles if at - each[0] <= look_back + DAY]

    def follow(self, place: NDArray[np.int64]) -> None:
        """Follow documents to their new positions; those below 0 are forgotten."""
        for subject in self.living:
            subject.documents = _moved(subject.documents, place)
        for told in self.told.values():
            told.documents = _moved(told.documents, place)
        for each in self.lately:
            moved = place[each.documents]
            each.documents = moved[moved >= 0]


def _moved(documents: set[int], place: NDArray[np.int64]) -> set[int]:
    moved = place[np.fromiter(documents, np.int64, len(documents))]
    return set(moved[moved >= 0].tolist())


def _own(subject: Subject) -> Subject:
    return Subject(
        subject.number, subject.born, subject.seen, set(subject.documents), subject.best, subject.most, subject.records
    )


@dataclass(frozen=True, slots=True)
class Rule:
    """What is worth telling.

    Attributes:
        kept: strength from which anything is told.
        grows: how much stronger a subject must have become to be told of again.
        alerts: strength from which it is told of again for its new documents alone.
    """

    kept: float
    grows: float
    alerts: float = np.inf


def packed(life: Life) -> dict[str, Any]:
    """Return a life as JSON values, but for its middles, which are numbers (`Life.middles`)."""
    return {
        "born": life.born,
        "living": [
            [s.number, s.born, s.seen, sorted(s.documents), s.best, s.most, s.records] for s in life.living
        ],
        "told": [
            [list(k) if isinstance(k, tuple) else k, t.best, sorted(t.documents), t.at, t.name]
            for k, t in life.told.items()
        ],
        "noise": [*life.noise.items()],
        "middles": [[at, subject] for at, subject, _ in life.middles],
        "lately": [[each.at, each.topic, each.score, each.documents.tolist()] for each in life.lately],
        "episodes": [[topic, *value] for topic, value in life.episodes.items()],
    }  # fmt: skip


def unpacked(values: dict[str, Any], middles: Sequence[NDArray[np.float32]]) -> Life:
    """Return the life that `packed` was given.

    Raises:
        KeyError, ValueError, TypeError: the values are of another version.
    """
    return Life(
        living=[
            Subject(n, born, seen, set(documents), best, most, records)
            for n, born, seen, documents, best, most, records in values["living"]
        ],
        born=values["born"],
        told={
            tuple(k) if isinstance(k, list) else k: Told(best, set(documents), at, name)
            for k, best, documents, at, name in values["told"]
        },
        noise={int(day): float(score) for day, score in values["noise"]},
        middles=[(at, subject, row) for (at, subject), row in zip(values["middles"], middles, strict=True)],
        lately=[Lately(at, topic, score, np.array(docs, np.int64)) for at, topic, score, docs in values["lately"]],
        episodes={topic: (began, number) for topic, began, number in values["episodes"]},
    )  # fmt: skip
