"""From many tests to few candidates: what overlaps is one thing, and what goes on is the same thing still."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.signals.detect.lives import Life, Subject
from groundswell.nlp.signals.detect.neighbours import DAY, Rows
from groundswell.nlp.signals.detect.refine import Refined
from groundswell.nlp.signals.detect.scan import ScanTests

SHARED = 0.4
"""Share of the smaller one's documents that makes two candidates of one hour one."""
CONTINUES = 1 / 3
"""Share of a candidate's documents that a living subject must hold for it to go on."""
LIVES = 7 * DAY
"""How long a subject lives after it was last seen."""
MOST_AN_HOUR = 60
"""Tests of one hour that are read, strongest first; beyond these they repeat each other."""


@dataclass(frozen=True, slots=True)
class Family:
    """One way to form groups: its name, its groups, and a size (radius) for the record."""

    name: str
    rows: Rows
    size: float
    looks: ScanTests
    labels: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that departed from its past at the end of one hour, with the test that says so most clearly.

    `documents` are positions, ascending, from the onset on; `scores` the strongest test by family name.
    """

    at: float
    subject: int
    born: float
    records: int
    family: str
    size: float
    group: int
    window: float
    observed: float
    past: float
    expected: float
    spread: float
    score: float
    scores: dict[str, float]
    documents: NDArray[np.int64]
    whole: NDArray[np.int64]
    refined: Refined


def onset(
    members: NDArray[np.int64], hours: NDArray[np.float64], volume: NDArray[np.float64], *,
    at: float, window: float, expected: float,
) -> int:  # fmt: skip
    """Return the position in `members` from which their rate stands out most (likelihood ratio over all suffixes).

    The Poisson likelihood ratio of a scan over windows that end now (Neill 2009). Two texts of the first day, then
    four within an hour, where half of a text was expected in 48 hours: it began with the four.

    >>> hours = np.array([1.0, 20.0, 47.0, 47.2, 47.4, 47.6])
    >>> volume = np.arange(0.0, 48.0, 0.5)
    >>> onset(np.arange(6), hours, volume, at=48.0, window=48.0, expected=0.5)
    2
    """
    count = len(members)
    left = np.arange(count, 0, -1, dtype=np.float64)
    began = hours[members]
    whole = max(1.0, float(np.searchsorted(volume, at) - np.searchsorted(volume, at - window)))
    part = np.searchsorted(volume, at) - np.searchsorted(volume, began)
    mean = np.maximum(expected * np.maximum(part, left) / whole, 1e-6)
    gain = left * np.log(left / mean) - (left - mean)
    gain[left < min(3, count)] = -np.inf
    return int(np.argmax(gain))


Second = Callable[[Sequence[NDArray[np.int64]], Sequence[float]], Sequence[Refined]]
"""Gives several sets of documents, each with the end of its hour, a second look."""


def candidates(
    families: Sequence[Family], hours: NDArray[np.float64], volume: NDArray[np.float64], refine: Second, life: Life
) -> list[Candidate]:  # fmt: skip
    """Return candidates in order of time: new subjects, and living ones whenever they have grown.

    Args:
        families: groups and their tests.
        hours: time of each document.
        volume: times of the documents that count, ascending.
        refine: gives each a second look.
        life: subjects that live; it goes on.
    """
    grown = list(_grown(families, life))
    recent: list[NDArray[np.int64]] = []
    for each in grown:
        look = each.found.look
        cut = onset(
            each.found.members,
            hours,
            volume,
            at=each.at,
            window=float(look["window"]),
            expected=float(look["expected"]),
        )
        recent.append(each.found.members[cut:])
    seconds = refine(recent, [each.at for each in grown])
    return [
        _candidate(each, families[each.found.family], documents, second, hours, volume)
        for each, documents, second in zip(grown, recent, seconds, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Grown:
    """A subject that is new or has grown, as it was then."""

    at: float
    found: _Found
    subject: int
    born: float
    records: int


def _grown(families: Sequence[Family], life: Life) -> Iterator[_Grown]:
    """Yield what is new or has grown, in order of time."""
    for at, tests in _by_hour(families):
        life.living = [subject for subject in life.living if at - subject.seen <= LIVES]
        for found in _merge(tests, families):
            subject = _continued(found, life.living)
            if subject is None:
                subject = Subject(number=life.born, born=at, seen=at)
                life.living.append(subject)
                life.born += 1
            score = max(found.scores.values())
            fresh = found.holds - subject.documents
            subject.seen = at
            if not fresh and score <= subject.best + 0.3:
                continue
            subject.documents |= fresh
            yield _Grown(at, found, subject.number, subject.born, subject.records)
            subject.best = max(subject.best, score)
            subject.most = max(subject.most, len(found.members))
            subject.records += 1


def _candidate(  # noqa: PLR0917  what is known of one candidate
    grown: _Grown, family: Family, recent: NDArray[np.int64], second: Refined, hours: NDArray[np.float64],
    volume: NDArray[np.float64],
) -> Candidate:  # fmt: skip
    at, look, scores = grown.at, grown.found.look, grown.found.scores
    if len(second.documents) > len(recent) and second.score > max(scores.values()):
        begin = onset(
            second.documents, hours, volume,
            at=at, window=at - float(hours[second.documents[0]]) + 1e-6, expected=second.expected,
        )  # fmt: skip
        recent = second.documents[begin:]
    return Candidate(
        at=at, subject=grown.subject, born=grown.born, records=grown.records, family=family.name, size=family.size,
        group=int(look["group"]), window=float(look["window"]), observed=float(look["observed"]),
        past=float(look["past"]), expected=float(look["expected"]), spread=float(look["spread"]),
        score=float(look["score"]), scores=scores, documents=recent, whole=grown.found.members, refined=second,
    )  # fmt: skip


@dataclass(slots=True)
class _Found:
    look: dict[str, float]
    family: int
    members: NDArray[np.int64]
    holds: set[int]
    scores: dict[str, float]


def _by_hour(families: Sequence[Family]) -> Iterator[tuple[float, list[tuple[float, int, int]]]]:
    """Yield each hour with its tests ``(score, family, row)``, strongest first."""
    at = np.concatenate([family.looks.at for family in families])
    score = np.concatenate([family.looks.score for family in families])
    which = np.concatenate([np.full(len(family.looks), k) for k, family in enumerate(families)])
    row = np.concatenate([np.arange(len(family.looks)) for family in families])
    order = np.lexsort((row, which, -score, at))
    if not len(order):
        return
    starts = np.flatnonzero(np.r_[True, np.diff(at[order]) > 0])
    for start, stop in zip(starts, np.r_[starts[1:], len(order)], strict=True):
        chosen = order[start : min(stop, start + MOST_AN_HOUR)]
        yield float(at[chosen[0]]), [(float(score[k]), int(which[k]), int(row[k])) for k in chosen]


def _merge(tests: list[tuple[float, int, int]], families: Sequence[Family]) -> list[_Found]:
    """Return the strongest tests of an hour that share too little to be one."""
    found: list[_Found] = []
    for score, which, row in tests:
        family = families[which]
        looks = family.looks
        upto, count = int(looks.upto[row]), int(looks.observed[row])
        members = family.rows.items[upto - count : upto].astype(np.int64)
        holds = set(members.tolist())
        same = next((f for f in found if len(holds & f.holds) >= SHARED * min(len(holds), len(f.holds))), None)
        if same is not None:
            same.scores[family.name] = max(same.scores.get(family.name, 0.0), score)
            continue
        if len(found) >= 12:
            continue
        look = {name: float(getattr(looks, name)[row]) for name in ScanTests.__dataclass_fields__}
        found.append(_Found(look, which, members, holds, {family.name: score}))
    return found


def _continued(found: _Found, living: list[Subject]) -> Subject | None:
    """Return the living subject that holds most of the candidate, if it holds enough."""
    best, most = None, CONTINUES * len(found.holds)
    for subject in living:
        common = len(found.holds & subject.documents)
        if common >= most and common > 0:
            best, most = subject, common
    return best
