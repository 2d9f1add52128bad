"""An alert is an episode: it begins, grows, falls back and ends; what follows it belongs to it.

The policy ties follow-ups to their alert (`Signal.follows`); here they become one thing, with the severity, risk and
evidence that it has by now. How it goes is told from counts of its documents alone (`phase`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from typing import Literal

from groundswell.index.records import SEVERITIES, Severity, Signal
from groundswell.nlp.signals.alerts.policy import same_name, same_theme

Phase = Literal["growing", "active", "recovering", "over"]
GOES_ON = timedelta(hours=168)
"""Another alert about the same theme so soon after an episode's newest signal belongs to it."""
LEAST_USUAL = 0.25
"""Nothing usual is taken as a quarter of a document a day: its Poisson spread is never nothing."""
NOTICED = 2.0
"""Standard deviations, nearly, by which a day's count must differ from the day before to be growth or recovery."""
TWIN_SHARE, TWIN_WORDS = 0.1, 0.5
"""Share of the smaller one's documents, or of its title's words, from which two episodes are offered for merging."""


@dataclass(frozen=True, slots=True)
class Episode:
    """An alert with all that followed it, oldest first; the first is the alert that it is known by."""

    signals: tuple[Signal, ...]

    @property
    def alert(self) -> Signal:
        """Return the alert that began it."""
        return self.signals[0]

    @property
    def id(self) -> str:
        """Return the id that decisions about it name."""
        return self.alert.id

    @property
    def newest(self) -> Signal:
        """Return the latest signal that belongs to it."""
        return self.signals[-1]

    @property
    def severity(self) -> Severity:
        """Return the gravest that it has been."""
        return max((signal.severity for signal in self.signals), key=SEVERITIES.index)

    @property
    def gravest(self) -> Signal:
        """Return its first signal of this severity: what is to be told of it."""
        return next(signal for signal in self.signals if signal.severity == self.severity)

    @property
    def risk(self) -> str:
        """Return the risk that most of its documents' signals name, those that name one; empty where none does."""
        counts = Counter({signal.risk: 0 for signal in self.signals if signal.risk})
        for signal in self.signals:
            if signal.risk:
                counts[signal.risk] += len(signal.evidence)
        return max(counts, key=lambda risk: (counts[risk], risk), default="")

    @property
    def theme(self) -> str:
        """Return the theme of its alert, or of what followed, where the alert had none."""
        return next((signal.theme for signal in self.signals if signal.theme), "") if not self.alert.standing else ""

    @property
    def evidence(self) -> tuple[str, ...]:
        """Return the documents of all its signals, each once, as they came."""
        return tuple(dict.fromkeys(one for signal in self.signals for one in signal.evidence))


def episodes(signals: Iterable[Signal], *, until: datetime, merged: Mapping[str, str] | None = None) -> list[Episode]:
    """Return the episodes that had begun by a moment, as they stood then, newest signal first.

    Args:
        signals: alerts and candidates in any order.
        until: what came later is left out.
        merged: alerts that a person put to another one's episode.
    """
    counted = (s for s in signals if s.at <= until and (s.fired or s.held_by == "follow-up"))
    ordered = sorted(counted, key=lambda s: (s.at, not s.fired, s.id))
    roots: dict[str, list[Signal]] = {}
    root_of: dict[str, str] = {}
    latest: dict[str, list[str]] = defaultdict(list)
    for signal in ordered:
        root = _root(signal, roots, root_of, latest[signal.theme])
        if root is not None:
            root_of[signal.id] = root
            if root not in roots:
                latest[signal.theme].append(root)
            roots.setdefault(root, []).append(signal)
    return _newest_first(_joined(roots, merged or {}))


def _root(
    signal: Signal, roots: dict[str, list[Signal]], root_of: Mapping[str, str], same: Sequence[str]
) -> str | None:
    """Return the first alert of the episode that a signal belongs to, itself where it begins one.

    `same` are the episodes that began with the same theme, as they came.
    """
    followed = root_of.get(signal.follows, "")
    if signal.fired:
        return followed or _going_on(signal, roots, same) or signal.id
    if signal.held_by != "follow-up" or not followed:
        return None
    alert = roots[followed][0]
    if signal.standing and not alert.standing:  # its documents share a word with the episode's, and perhaps no more
        return None
    return followed if same_theme(signal, alert) or same_name(signal, alert) else None


def _going_on(signal: Signal, roots: Mapping[str, list[Signal]], same: Sequence[str]) -> str:
    """Return the episode of the same theme that was seen not long before."""
    going = (root for root in reversed(same) if signal.at - roots[root][-1].at < GOES_ON)
    return next(going, "") if signal.theme else ""


def _joined(roots: Mapping[str, list[Signal]], merged: Mapping[str, str]) -> list[Episode]:
    """Return episodes, those that a person merged as one."""
    whole: dict[str, list[Signal]] = {}
    for root, members in roots.items():
        whole.setdefault(_end(root, merged, roots), []).extend(members)
    return [
        Episode((*(s for s in members if s.id == root), *sorted((s for s in members if s.id != root), key=_when)))
        for root, members in whole.items()
    ]


def _end(root: str, merged: Mapping[str, str], roots: Mapping[str, object]) -> str:
    """Return what an alert was merged into in the end; a circle ends where it is met again."""
    seen = {root}
    while (other := merged.get(root, "")) in roots and other not in seen:
        root = other
        seen.add(root)
    return root


def _when(signal: Signal) -> tuple[datetime, str]:
    return signal.at, signal.id


def _newest_first(found: Sequence[Episode]) -> list[Episode]:
    return sorted(found, key=lambda episode: (episode.newest.at, episode.id), reverse=True)


# --- how it goes -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pace:
    """How many documents an episode had in the last 24 hours and in the 24 before, and how many a day are usual."""

    now: int
    before: int
    usual: float
    seen: datetime | None = None
    """When its latest document was published."""


def phase(pace: Pace, age: timedelta) -> Phase:
    """Return how an episode goes.

    Over: two days have passed and neither had more than is usual (by two standard deviations of a Poisson count).
    Growing and recovering: the last day differs from the one before by `NOTICED`, in square roots, which makes Poisson
    counts equally noisy at any level (Anscombe 1948). Anything else is active.

    >>> phase(Pace(now=20, before=5, usual=1.0), timedelta(hours=30))
    'growing'
    >>> phase(Pace(now=1, before=0, usual=1.0), timedelta(days=4))
    'over'
    """
    most = pace.usual + 2 * sqrt(max(pace.usual, LEAST_USUAL))
    if age >= timedelta(hours=48) and max(pace.now, pace.before) <= most:
        return "over"
    moved = 2 * (sqrt(pace.now + 3 / 8) - sqrt(pace.before + 3 / 8))
    if moved >= NOTICED:
        return "growing"
    return "recovering" if moved <= -NOTICED or (pace.now <= most and age >= timedelta(hours=24)) else "active"


def usual_a_day(alert: Signal) -> float:
    """Return how many documents a day were expected of an alert's subject; nothing of a mood or of places."""
    hours = max((alert.end - alert.start) / timedelta(hours=1), 1.0)
    return alert.expected * 24 / hours if alert.kind in {"new", "surge"} else 0.0


def likely_twins(found: Sequence[Episode], titles: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return pairs of episodes that may be one, later first: shared documents, or one risk and half a title."""
    ordered = sorted(found, key=lambda episode: episode.alert.at)
    faces = [(frozenset(e.evidence), _words(titles.get(e.id, "")), e.risk) for e in ordered]
    ends = [e.newest.at + GOES_ON for e in ordered]
    pairs: list[tuple[str, str]] = []
    for i, later in enumerate(ordered):
        begun, face = later.alert.at, faces[i]
        near = (k for k in range(i) if begun < ends[k] and _alike(faces[k], face))
        pairs += [(later.id, ordered[k].id) for k in near]
    return pairs


Face = tuple[frozenset[str], frozenset[str], str]
"""An episode's documents, the words of its title, its risk."""


def _alike(one: Face, other: Face) -> bool:
    (first, words, risk), (second, others, another) = one, other
    if len(first & second) >= TWIN_SHARE * min(len(first), len(second)):
        return True
    if not risk or risk != another:
        return False
    return len(words & others) >= TWIN_WORDS * max(1, min(len(words), len(others)))


def _words(title: str) -> frozenset[str]:
    words = title.casefold().replace(",", " ").split()
    return frozenset(word for word in words if len(word) > 3 and word != "complaints")
