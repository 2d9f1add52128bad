"""Everything that departs from its past in a stream, found as documents arrive: what is new costs, not what was.

A `Watch` is fed documents in order of time and asked to go on to an hour. Tests are made at the end of whole hours, of
the groups that grew in them, so that it does not matter in which pieces the documents came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from groundswell.configs.topics import Topic
from groundswell.nlp.signals.detect import groups
from groundswell.nlp.signals.detect.candidates import Candidate, Family, candidates
from groundswell.nlp.signals.detect.drift import Drift, drifts
from groundswell.nlp.signals.detect.features import NAMES, RECALLED, Describer, Ground, copy_numbers
from groundswell.nlp.signals.detect.groups import REBUILT, Groups
from groundswell.nlp.signals.detect.lives import Life
from groundswell.nlp.signals.detect.memory import MOST_A_DAY, NEAR_FOR, SETTLED, Batch, Memory
from groundswell.nlp.signals.detect.neighbours import DAY, FRESH, HISTORY, NEAREST, REACH, SCALE, Rows
from groundswell.nlp.signals.detect.ragged import Ragged
from groundswell.nlp.signals.detect.refine import Refined, Refiner
from groundswell.nlp.signals.detect.scan import (
    LONG,
    SHORT,
    WINDOWS,
    Baseline,
    Daily,
    GroupCounts,
    Places,
    ScanTests,
    hopeful,
    look,
)
from groundswell.nlp.signals.detect.scopes import WHOLE, Scope, watched
from groundswell.nlp.signals.detect.topics import NAMES as STANDING_NAMES
from groundswell.nlp.signals.detect.topics import Standing, TopicSurge

RADII = (0.22, 0.27, 0.32, 0.38, 0.45)
"""Similarities at which a ball ends, from a wide subject to nearly the same words."""
LEAST = 2.7
"""Score (−log10 of the tail) from which a test of a ball is worth looking at."""
WAYS = ("ball", "term", "stem", "kin", "meaning")
"""Ways to form groups that take part unless others are asked for."""
LEAST_STEADY = 3.0
"""The same for words, stems, neighbourhoods and themes."""
FEWEST = 3
"""Documents that a group of words needs to be tested at all."""
RETAINED = RECALLED + REBUILT
"""How long a document is remembered."""
THEMES_SETTLE = 7 * DAY
"""Documents younger than this are asked for their theme again."""
BACK = 3 * DAY
"""How far back the watch can be turned without starting anew: midnights of so many days are kept."""


@dataclass(frozen=True, slots=True)
class Week:
    """What is drawn anew every week, from nothing later than `at` (hours).

    `scopes` are watched, `centres` are those of neighbourhoods of meaning, `kin` the words of all families by their
    codes, so many a family as `sizes` say; `daily` is how many documents each family had in each scope on each day of
    the `REACH` before, ``(scopes, families, days)``; neighbours are as alike as `least`.
    """

    at: float
    scopes: tuple[Scope, ...] = (WHOLE,)
    centres: tuple[NDArray[np.float32], ...] = ()
    kin: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    sizes: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    daily: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0, 0), np.float32))
    least: float = NEAREST


@dataclass(frozen=True, slots=True)
class Detection:
    """What was found in one scope, in order of time, and a row of numbers for each; documents by position."""

    scope: Scope
    found: list[Candidate]
    numbers: NDArray[np.float64]
    swells: list[TopicSurge]
    swell_numbers: NDArray[np.float64]
    drifts: Sequence[Drift] = ()


Themes = Callable[[Sequence[str]], Sequence[str]]
"""The theme of each document by its id, "" where it has none."""


@dataclass(slots=True)
class Watch:
    """A detector with a state.

    Attributes:
        topics: standing topics that are counted for themselves.
        ways: which ways to form groups take part.
        scoped: whether markets and kinds are watched by themselves.
        retained: hours that a document is remembered.
        memory: the documents.
        began: hour of the first document there ever was.
        upto: hour up to which it has looked.
        weeks: what was drawn, newest last.
        lives: of each scope.
        past: lives as they were at midnights, and at `upto`: (hour, lives).
    """

    topics: Sequence[Topic] = ()
    ways: Sequence[str] = WAYS
    scoped: bool = True
    retained: float = RETAINED
    memory: Memory = field(default_factory=Memory)
    began: float = np.inf
    upto: float = -np.inf
    weeks: list[Week] = field(default_factory=list)
    lives: dict[Scope, Life] = field(default_factory=dict)
    past: list[tuple[float, dict[Scope, Life]]] = field(default_factory=list)

    def back_to(self, hour: float) -> float:
        """Go back to how things were at an hour or before, as if nothing later had been heard; return that hour.

        Where nothing is known of so long ago, everything is forgotten, and minus infinity returned.
        """
        while self.past and self.past[-1][0] > hour:
            self.past.pop()
        if not self.past:
            self.memory, self.weeks, self.lives, self.began, self.upto = Memory(), [], {}, np.inf, -np.inf
            return self.upto
        self.upto = self.past[-1][0]
        self.lives = {scope: life.copy() for scope, life in self.past[-1][1].items()}
        self.memory.cut(self.upto)
        self.weeks = [week for week in self.weeks if week.at < self.upto]
        self.memory.least = self.weeks[-1].least if self.weeks else NEAREST
        return self.upto

    def go_on(
        self, batch: Batch, upto: float, themes: Themes | None = None, *, end: float | None = None
    ) -> Iterator[Detection]:
        """Hear documents (of `self.upto` or later) and yield what is found up to a whole hour, in order of time.

        Positions in what is yielded hold until the next is asked for. With `themes`, their drifts are looked for too.
        `end` says how far it will go in the end: only near it does one have to be able to turn back.
        """
        if not len(self.memory) and len(batch):
            self.began = float(batch.hours[0])
            self.upto = float(np.floor(self.began))
        end = upto if end is None else end
        for edges in self._stretches(batch, upto, end):
            low, high = np.searchsorted(batch.hours, [self.upto, edges[-1]])
            self._draw()
            self.memory.add(batch.part(int(low), int(high)), self.topics)
            view = View(self, self.weeks[-1] if self.weeks else Week(-np.inf), self.upto, edges[-1])
            for edge in edges:
                since, self.upto = self.upto, edge
                if len(self.memory):
                    yield from view.look(since, edge)
                if themes and (found := self._drifts(since, edge, themes)):
                    none = np.zeros((0, 0))
                    yield Detection(WHOLE, [], none, [], none, found)
                self._note(end)
            self._settle()

    def _stretches(self, batch: Batch, upto: float, end: float) -> list[list[float]]:
        """Return the hours at which it stops on its way, those together between which nothing is drawn or forgotten."""
        edges, breaks = self._edges(batch, upto, end)
        stretches: list[list[float]] = [[]]
        for edge in edges:
            stretches[-1].append(edge)
            if edge in breaks:
                stretches.append([])
        return [each for each in stretches if each]

    def _drifts(self, since: float, until: float, themes: Themes) -> list[Drift]:
        """Return the themes whose mood turned or that spread, at the midnights after one hour and up to another."""
        memory, first = self.memory, np.floor(since / DAY + 1) * DAY
        if first > until or not len(memory):
            return []
        begin = memory.at(first - THEMES_SETTLE)
        memory.tell_themes(begin, themes(memory.ids[begin:].tolist()))
        return list(drifts(memory.themes, memory.hours, memory.moods, memory.places, since=since, until=until))

    def _edges(self, batch: Batch, upto: float, end: float) -> tuple[list[float], set[float]]:
        """Return the hours at which it stops on its way: when a week begins, midnights of the last days, the end.

        And the midnights at which a day of very many documents is `SETTLED`. Which of them end a stretch comes second.
        """
        if not np.isfinite(self.upto):
            return [], set()
        weeks = np.arange(np.ceil(self.upto / REBUILT) * REBUILT, upto, REBUILT)
        midnights = np.arange(np.ceil((end - BACK) / DAY) * DAY, upto, DAY)
        days, counts = np.unique(np.concatenate([self.memory.hours, batch.hours]) // DAY, return_counts=True)
        settled = (days[counts > MOST_A_DAY] + 1) * DAY + SETTLED
        breaks = {*weeks.tolist(), *settled[settled < upto].tolist()}
        return sorted(edge for edge in {*breaks, *midnights.tolist(), upto} if edge > self.upto), breaks

    def _note(self, end: float) -> None:
        """Take note of how things are, where one may have to come back to it."""
        for life in self.lives.values():
            life.forget(self.upto, REACH + BACK)
        if self.upto < end - BACK:
            return
        self.past = [(at, lives) for at, lives in self.past if at >= self.upto - BACK - DAY and at % DAY == 0]
        self.past.append((self.upto, {scope: life.copy() for scope, life in self.lives.items()}))

    def _settle(self) -> None:
        """Forget what is too old; positions change."""
        for place in (self.memory.trim(self.upto - self.retained), self.memory.thin(self.upto - SETTLED)):
            if place is not None:
                self._follow(place)
        self.memory.forget_neighbours(self.upto - NEAR_FOR if np.isfinite(self.retained) else -np.inf)

    def _follow(self, place: NDArray[np.int64]) -> None:
        for lives in (self.lives, *(lives for _, lives in self.past)):
            for life in lives.values():
                life.follow(place)

    def _draw(self) -> None:
        """Draw scopes, neighbourhoods and families anew at the beginning of a week."""
        if self.upto % REBUILT:
            return
        memory, at = self.memory, self.upto
        scopes = tuple(watched(memory, at, self.began)) if self.scoped and len(memory) else (WHOLE,)
        centres: list[NDArray[np.float32]] = []
        families: list[NDArray[np.uint64]] = []
        if len(memory):
            use = np.flatnonzero(memory.use)
            lately = use[memory.hours[use] >= at - HISTORY]
            centres = groups.centres_of(memory.vectors[lately].astype(np.float32), SCALE)
            families = self._families(use[memory.hours[use] >= at - groups.COMPANY])
        kin = np.concatenate([np.zeros(0, np.uint64), *families])
        sizes = np.array([len(each) for each in families], np.int64)
        memory.least = memory.closest(at - REBUILT, (NEAREST, *RADII))
        daily = self._daily(at, scopes, kin, sizes)
        self.weeks = [*self.weeks[-1:], Week(at, scopes, tuple(centres), kin, sizes, daily, memory.least)]
        self.lives = {scope: life for scope, life in self.lives.items() if scope in scopes}

    def _daily(
        self, at: float, scopes: Sequence[Scope], kin: NDArray[np.uint64], sizes: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Return how many documents each family had in each scope on each whole day of the `REACH` before an hour.

        Days of which only a sample will be left (`Memory.thin`) had none as yet.
        """
        memory, days = self.memory, int(REACH // DAY)
        counts = np.zeros((len(scopes), len(sizes), days), np.float32)
        if not len(sizes):
            return counts
        begin, first = memory.at(at - REACH), int(at - REACH) // int(DAY)
        column = np.searchsorted(memory.distinct, kin)
        rows = groups.by_family(memory.weighted, column, np.repeat(np.arange(len(sizes)), sizes), begin)
        day = (memory.hours // DAY).astype(np.int64) - first
        place = np.repeat(np.arange(len(sizes)), np.diff(rows.starts)) * days + day[rows.items]
        dense = np.bincount(day[begin:], minlength=days)[:days] > MOST_A_DAY
        dense[: max(0, days - int(SETTLED // DAY) - 1)] = False
        for scope, mine in zip(scopes, counts, strict=True):
            stands = np.where(scope.use(memory), memory.stands, 0)[rows.items]
            mine[:] = np.bincount(place, stands, len(sizes) * days).reshape(-1, days)
            mine[:, dense] = 0
        return counts

    def _families(self, use: NDArray[np.int64]) -> list[NDArray[np.uint64]]:
        if "kin" not in self.ways or not len(use):
            return []
        begin = int(use[0])
        distinct = self.memory.distinct
        low = self.memory.starts[begin]
        is_word = (distinct & np.uint64(1)) == 0
        mine = is_word[number := self.memory.numbers[low:]]
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(mine)])[self.memory.starts[begin:] - low]
        number = (np.cumsum(is_word, dtype=np.int32) - 1)[number[mine]]
        shape = (len(self.memory) - begin, max(1, int(np.count_nonzero(is_word))))
        has = sparse.csr_matrix((np.ones(len(number), np.float32), number, starts), shape=shape)
        dense = self.memory.vectors[use].astype(np.float32)
        counted = has[use - begin]
        found = groups.families_of(counted, dense, SCALE)
        words = distinct[is_word]
        return [words[family] for family in groups.narrow(found, np.asarray(counted.sum(axis=0)).ravel(), len(use))]


@dataclass
class View:
    """The memory as it is tested after one hour and up to another: made once for all scopes, where something came."""

    watch: Watch
    week: Week
    since: float
    until: float

    def __post_init__(self) -> None:
        """Take note of where things are."""
        self.memory = memory = self.watch.memory
        self.hours = memory.hours
        self.fresh = memory.at(self.since)
        self.begin = memory.at(self.since - REACH)
        self.recent = memory.at(self.since - max(WINDOWS))  # nothing is tested by fewer than `FEWEST` from here on
        self.distinct = memory.distinct
        self.scopes: dict[Scope, ScopeView] = {}
        self.uses: dict[Scope, NDArray[np.bool_]] = {}

    def use(self, scope: Scope) -> NDArray[np.bool_]:
        """Return which documents count in a scope."""
        if scope not in self.uses:
            self.uses[scope] = scope.use(self.memory)
        return self.uses[scope]

    def look(self, since: float, until: float) -> Iterator[Detection]:
        """Test the groups that grew after one hour and up to another, in every scope."""
        low, high = self.memory.at(since), self.memory.at(until)
        if low == high:
            return
        for scope in self.week.scopes:
            if scope not in self.scopes:
                self.scopes[scope] = ScopeView(self, scope)
            yield self.scopes[scope].look(self.watch.lives.setdefault(scope, Life()), since, until)

    @cached_property
    def weighted(self) -> sparse.csr_matrix:
        """Return the weights of terms, ``(documents, terms)``."""
        return self.memory.weighted

    @cached_property
    def columns(self) -> sparse.csc_matrix:
        """Return the same by term."""
        return self.weighted.tocsc()

    @cached_property
    def touched(self) -> NDArray[np.int64]:
        """Return the terms of what is new."""
        return np.unique(self.memory.numbers[self.memory.starts[self.fresh] :])

    @cached_property
    def parts(self) -> list[Part]:
        """Return the groups that grew, those together that are tested alike."""
        families = list(self._families())
        balls, steady = (
            [each for each in families if (each[0] == "ball") is ball] for ball in (True, False)
        )  # fmt: skip
        return [
            Part.of(some, self.hours, least, baselines)
            for some, least, baselines in ((balls, LEAST, (LONG,)), (steady, LEAST_STEADY, (LONG, SHORT)))
            if some
        ]

    @cached_property
    def copies(self) -> NDArray[np.int64]:
        """Return the documents that are copies, by what they repeat."""
        return copy_numbers(self.memory.first)

    def _families(self) -> Iterator[tuple[str, float, Groups, NDArray[np.int64]]]:
        """Yield each way to form groups: name, radius, groups, and the centre of each or nothing."""
        ways, none = self.watch.ways, np.zeros(0, np.int64)
        if "ball" in ways:
            radii = [radius for radius in RADII if radius >= self.week.least]
            centres, rows = self.memory.balls(self.since - FRESH - 1, FRESH, self.fresh, radii[0])
            every, when = np.ones(len(self.memory), bool), self.hours[centres]
            grown = Groups(rows, when, when + FRESH)
            for radius in radii:  # each within the one before
                nearer = Groups(grown.rows.within(radius), grown.first, grown.last)
                grown = nearer.touched(every, self.fresh, self.recent, FEWEST)
                centres = centres[grown.which]
                yield "ball", radius, grown, centres
        if "term" in ways:
            rows = groups.by_term(self.columns, self.begin, self.fresh, self.recent, FEWEST)
            yield "term", 0.0, groups.always(rows), none
        if "stem" in ways:
            yield "stem", 0.0, groups.always(self.stems[0]), none
        for name, drawn in (("kin", self._kin), ("meaning", self._meaning)):
            made = drawn() if name in ways else None
            if made is not None:
                first = np.full(len(made.starts) - 1, self.week.at)
                yield name, 0.0, Groups(made, first, first + REBUILT), none

    @cached_property
    def stems(self) -> tuple[Rows, Places]:
        """Return the documents of every stem that grew, and where those with the bare word lie."""
        memory = self.memory
        order = np.argsort(memory.word_codes, kind="stable")
        place = np.searchsorted(self.distinct, memory.word_codes[order])
        there = place < len(self.distinct)
        there[there] = self.distinct[place[there]] == memory.word_codes[order][there]
        column = place[there]
        words = memory.words[order[there]].tolist()
        counts = np.diff(self.columns.indptr)[column]
        long = [k for k, word in enumerate(words) if len(word) >= groups.SHORTEST_STEM]
        names = [words[k] for k in long]
        new = np.isin(column[long], self.touched)
        frequent = frozenset(words[k] for k in long if counts[k] >= groups.FEWEST_OF_STEM and words[k].isascii())
        holders = groups.stems(names, [name for name, grew in zip(names, new, strict=True) if grew], frequent)
        number = {name: int(column[k]) for name, k in zip(names, long, strict=True)}
        own = [column[[long[k] for k in members]] for members in holders.values() if len(members) > 1]
        bare = [number[stem] for stem, members in holders.items() if len(members) > 1]
        return self._having(own), Places(self._having([np.array([c], np.int64) for c in bare]), self.hours)

    def _having(self, columns: Sequence[NDArray[np.int64]]) -> Rows:
        """Return the documents that have one term (column) at least of each of several sets."""
        wanted, size = Ragged.of(columns), len(self.memory)
        lay = Ragged.parts(self.columns.indptr.astype(np.int64), wanted.items)
        items = self.columns.indices[lay.items]
        lately = items >= self.begin
        numbers = np.sort(wanted.owner[lay.owner[lately]] * size + items[lately])
        numbers = numbers[np.diff(numbers, prepend=-1) != 0]
        starts = np.searchsorted(numbers, np.arange(len(columns) + 1) * size)
        return Rows(starts, (numbers % max(1, size)).astype(np.int32), np.ones(len(numbers), np.float32))

    def _kin(self) -> Rows | None:
        """Return the documents of the families of words that grew and may stand out: most are as usual."""
        codes, count = self.week.kin, len(self.week.sizes)
        place = np.searchsorted(self.distinct, codes)
        owner = np.repeat(np.arange(count), self.week.sizes)
        there = place < len(self.distinct)
        there[there] = self.distinct[place[there]] == codes[there]
        column, owner = place[there], owner[there]
        grown = np.zeros(len(self.distinct), bool)
        grown[self.touched] = True
        some = np.unique(owner[grown[column]])
        if not len(some):
            return None
        mine = np.isin(owner, some)
        some = some[self._hopeful(some, column[mine], np.searchsorted(some, owner[mine]))]
        mine = np.isin(owner, some)
        if not len(some):
            return None
        return groups.by_family(self.weighted, column[mine], np.searchsorted(some, owner[mine]), self.begin)

    def _hopeful(
        self, which: NDArray[np.int64], column: NDArray[np.int64], owner: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Return which of some families (of words by column and family) may stand out in a scope."""
        memory, week = self.memory, self.week
        lately = Places(groups.by_family(self.weighted, column, owner, self.recent), self.hours)
        first = np.full(len(which), max(week.at, self.since))
        last = np.full(len(which), min(week.at + REBUILT, self.until - 1))
        may, certain = np.zeros(len(which), bool), bool((memory.stands == 1).all())
        for scope, counts in zip(week.scopes, week.daily, strict=True):
            clock = GroupCounts(lately, self.use(scope), memory.stands)
            daily = Daily(counts[which], int(week.at - REACH) // int(DAY), certain=certain)
            may |= hopeful(clock, daily, first, last, LEAST_STEADY, (LONG, SHORT))
        return may

    def _meaning(self) -> Rows | None:
        if not self.week.centres:
            return None
        index = np.arange(self.begin, len(self.memory))
        return groups.by_centre(self.memory.vectors[self.begin :].astype(np.float32), self.week.centres, index)


@dataclass(frozen=True, slots=True)
class Part:
    """Groups that are tested alike, those of several ways one after the other.

    `names` are name, radius, first group and the one behind the last of each way; balls come alone, each with its
    centre.
    """

    groups: Groups
    places: Places
    names: Sequence[tuple[str, float, int, int]]
    centres: NDArray[np.int64]
    least: float
    baselines: tuple[Baseline, ...]

    @classmethod
    def of(
        cls, families: Sequence[tuple[str, float, Groups, NDArray[np.int64]]], hours: NDArray[np.float64],
        least: float, baselines: tuple[Baseline, ...],
    ) -> Part:  # fmt: skip
        """Return several families as one."""
        whole = groups.joined([each[2] for each in families])
        ends = np.cumsum([0, *(len(each[2]) for each in families)]).tolist()
        names = [(name, radius, ends[k], ends[k + 1]) for k, (name, radius, _, _) in enumerate(families)]
        centres = np.concatenate([np.zeros(0, np.int64), *(each[3] for each in families)])
        return cls(whole, Places(whole.rows, hours), names, centres, least, baselines)


class ScopeView:
    """A part of the stream as it is tested: its tests are made once, and read hour by hour."""

    def __init__(self, view: View, scope: Scope) -> None:
        self.view, self.scope, self.memory = view, scope, view.memory
        self.holds, self.use = scope.holds(self.memory), view.use(scope)

    def look(self, life: Life, since: float, until: float) -> Detection:
        """Return what is found after one hour and up to another."""
        low, high = self.memory.at(since), self.memory.at(until)
        if not self.use[low:high].any():
            return Detection(self.scope, [], np.zeros((0, len(NAMES))), [], np.zeros((0, len(STANDING_NAMES))))
        tested = [replace(each, looks=each.looks.between(since, until)) for each in self.tested]
        found: list[Candidate] = []
        numbers = np.zeros((0, len(NAMES)))
        if any(len(family.looks) for family in tested):
            found = candidates(tested, self.view.hours, self.view.hours[self.use], self._refine, life)
            numbers = Describer(self.ground, life).rows(found)
        return Detection(self.scope, found, numbers, *self._swells(life, since, until))

    @cached_property
    def tested(self) -> list[Family]:
        """Return each way to form groups with the tests of those that grew."""
        return list(self._tested())

    @cached_property
    def refiner(self) -> Refiner:
        """Return what gives candidates a second look."""
        memory = self.memory
        return Refiner(memory.vectors, self.view.weighted, memory.hours, self.use, memory.stands)

    def _refine(self, members: Sequence[NDArray[np.int64]], at: Sequence[float]) -> Sequence[Refined]:
        return self.refiner.look(members, at) if members else []

    @cached_property
    def ground(self) -> Ground:
        """Return what candidates are described by."""
        view, memory = self.view, self.memory
        return Ground(
            hours=view.hours, began=view.watch.began, vectors=memory.vectors, weighted=view.weighted,
            columns=view.columns, near=memory.near_before, use=self.use, holds=self.holds, copies=view.copies,
            lengths=memory.lengths, stands=memory.stands,
        )  # fmt: skip

    def _tested(self) -> Iterator[Family]:
        """Yield each way to form groups with the tests of those that grew."""
        view, use = self.view, self.use
        for part in view.parts:
            first, last = np.maximum(part.groups.first, view.since), np.minimum(part.groups.last, view.until - 1)
            among = np.ones(len(first), bool)
            among[: len(part.centres)] = use[part.centres]
            clock = GroupCounts(part.places, use, self.memory.stands)
            tests = look(clock, first, last, least=part.least, baselines=part.baselines, among=among)
            for name, radius, begin, end in part.names:
                mine = tests.pick((tests.group >= begin) & (tests.group < end))
                mine = self._spoken(mine, clock, begin) if name == "stem" else mine
                yield self._family(name, radius, part.places.rows, mine)

    def _family(self, name: str, radius: float, rows: Rows, tests: ScanTests) -> Family:
        """Return a family of the groups that were tested alone, of members in the scope alone."""
        which, group = np.unique(tests.group, return_inverse=True)
        some = groups.chosen(rows, which)
        mine = self.use[some.items]
        counts = np.concatenate([np.zeros(1, np.int64), np.cumsum(mine)])
        upto = counts[tests.upto - rows.starts[tests.group] + some.starts[group]]
        own = Rows(counts[some.starts], some.items[mine], some.near[mine])
        return Family(name, own, radius, replace(tests, group=group, upto=upto))

    def _spoken(self, tests: ScanTests, clock: GroupCounts, begin: int) -> ScanTests:
        """Return the tests of stems that people use by themselves, and that hold more than the bare word."""
        if not len(tests):
            return tests
        bare = GroupCounts(self.view.stems[1], self.use, self.memory.stands)

        def within(clock: GroupCounts, group: NDArray[np.int64]) -> NDArray[np.int64]:
            places = clock.places
            return clock.drawn(*(places.before(group, places.at(at)) for at in (tests.at - REACH, tests.at)))

        own, both = within(bare, tests.group - begin), within(clock, tests.group)
        return tests.pick((own >= groups.FEWEST_OF_STEM) & (both > own))

    @cached_property
    def standing(self) -> GroupCounts:
        """Return the documents of each standing topic that count, laid out to be counted."""
        rows = self.memory.topic_rows(len(self.view.watch.topics), self.view.begin)
        used = self.use[rows.items]
        counts = np.concatenate([np.zeros(1, np.int64), np.cumsum(used)])
        own = Rows(counts[rows.starts], rows.items[used], rows.near[used])
        return GroupCounts(Places(own, self.view.hours), self.use, self.memory.stands)

    def _swells(self, life: Life, since: float, until: float) -> tuple[list[TopicSurge], NDArray[np.float64]]:
        view, items = self.view, self.standing.places.rows.items
        low, high = self.memory.at(since), self.memory.at(until)
        if not view.watch.topics or not ((items >= low) & (items < high)).any():
            return [], np.zeros((0, len(STANDING_NAMES)))
        return Standing(
            self.standing, self.holds, view.weighted, life, stands=self.memory.stands,
            since=since, until=until, began=view.watch.began,
        ).find()  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stream:
    """Documents of one stream in the order in which they became known; arrays of equal length.

    Attributes:
        ids: their ids.
        texts: title and text.
        hours: hours since 1970 (UTC) at which each counts.
        vectors: as the model gave them, ``(n, d)``, unit length.
        counts: which may count towards a spike: dated, collected in time.
        firsts: positions of first copies where the store knows them, else -1.
        languages: of each (ISO 639-1), "" where unknown; or nothing.
    """

    ids: Sequence[str]
    texts: Sequence[str]
    hours: NDArray[np.float64]
    vectors: NDArray[np.float32]
    counts: NDArray[np.bool_]
    firsts: NDArray[np.int64] | None = None
    languages: Sequence[str] = ()

    def batch(self) -> Batch:
        """Return those that count, as a watch hears them."""
        index = np.flatnonzero(self.counts)
        some = index.tolist()
        firsts = [""] * len(self.ids) if self.firsts is None else [self.ids[k] if k >= 0 else "" for k in self.firsts]
        languages = self.languages or [""] * len(self.ids)
        return Batch(
            ids=[self.ids[k] for k in some], texts=[self.texts[k] for k in some], hours=self.hours[index],
            known=self.hours[index], vectors=self.vectors[index], languages=[languages[k] for k in some],
            places=[("", "")] * len(index), sources=[""] * len(index), moods=np.full(len(index), np.nan, np.float32),
            firsts=[firsts[k] for k in some],
        )  # fmt: skip


def detect(
    stream: Stream, *, share: float = 0.5, ways: Sequence[str] = WAYS, topics: Sequence[Topic] = ()
) -> Detection:
    """Return all that is found in a stream, replayed hour by hour; nothing later than an hour takes part in it.

    Documents are those that count, by position among these.

    Args:
        stream: what was heard.
        share: weight of vectors against words in similarity (1 is vectors alone, 0 words alone).
        ways: which ways to form groups take part.
        topics: standing topics that are counted for themselves.
    """
    watch = Watch(topics=topics, ways=ways, scoped=False, retained=np.inf, memory=Memory(share=share))
    batch = stream.batch()
    end = float(np.floor(batch.hours[-1])) + 1 if len(batch) else 0.0
    parts = list(watch.go_on(batch, end))
    return Detection(
        WHOLE,
        [candidate for part in parts for candidate in part.found],
        np.concatenate([np.zeros((0, len(NAMES))), *(part.numbers for part in parts)]),
        [swell for part in parts for swell in part.swells],
        np.concatenate([np.zeros((0, len(STANDING_NAMES))), *(part.swell_numbers for part in parts)]),
    )


def standing_swells(stream: Stream, topics: Sequence[Topic]) -> tuple[list[TopicSurge], NDArray[np.float64]]:
    """Return only the swells of standing topics, with their numbers; vectors are not asked for."""
    found = detect(replace(stream, vectors=np.ones((len(stream.ids), 1), np.float32)), ways=(), topics=topics)
    return found.swells, found.swell_numbers
