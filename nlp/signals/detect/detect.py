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
from groundswell.nlp.signals.detect.scan import LONG, SHORT, WINDOWS, GroupCounts, ScanTests, look
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
    codes, so many a family as `sizes` say; neighbours are as alike as `least`.
    """

    at: float
    scopes: tuple[Scope, ...] = (WHOLE,)
    centres: tuple[NDArray[np.float32], ...] = ()
    kin: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    sizes: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
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
        edges = [edge for edge in self._edges(batch, upto, end) if edge > self.upto]
        for edge in edges:
            low, high = np.searchsorted(batch.hours, [self.upto, edge])
            self._draw()
            since = self.upto
            self.upto = edge
            if high > low:
                self.memory.add(batch.part(int(low), int(high)), self.topics)
                yield from self._look(since, edge)
            if themes and (found := self._drifts(since, edge, themes)):
                none = np.zeros((0, 0))
                yield Detection(WHOLE, [], none, [], none, found)
            self._settle(end)

    def _drifts(self, since: float, until: float, themes: Themes) -> list[Drift]:
        """Return the themes whose mood turned or that spread, at the midnights after one hour and up to another."""
        memory, first = self.memory, np.floor(since / DAY + 1) * DAY
        if first > until or not len(memory):
            return []
        begin = memory.at(first - THEMES_SETTLE)
        memory.tell_themes(begin, themes(memory.ids[begin:].tolist()))
        return list(drifts(memory.themes, memory.hours, memory.moods, memory.places, since=since, until=until))

    def _edges(self, batch: Batch, upto: float, end: float) -> list[float]:
        """Return the hours at which it stops on its way: when a week begins, midnights of the last days, the end.

        And the midnights at which a day of very many documents is `SETTLED`.
        """
        if not np.isfinite(self.upto):
            return []
        weeks = np.arange(np.ceil(self.upto / REBUILT) * REBUILT, upto, REBUILT)
        midnights = np.arange(np.ceil((end - BACK) / DAY) * DAY, upto, DAY)
        days, counts = np.unique(np.concatenate([self.memory.hours, batch.hours]) // DAY, return_counts=True)
        settled = (days[counts > MOST_A_DAY] + 1) * DAY + SETTLED
        return sorted({*weeks.tolist(), *midnights.tolist(), *settled[settled < upto].tolist(), upto})

    def _settle(self, end: float) -> None:
        """Take note of how things are, where one may have to come back to it; forget what is too old."""
        for life in self.lives.values():
            life.forget(self.upto, REACH + BACK)
        for place in (self.memory.trim(self.upto - self.retained), self.memory.thin(self.upto - SETTLED)):
            if place is not None:
                self._follow(place)
        self.memory.forget_neighbours(self.upto - NEAR_FOR if np.isfinite(self.retained) else -np.inf)
        if self.upto < end - BACK:
            return
        self.past = [(at, lives) for at, lives in self.past if at >= self.upto - BACK - DAY and at % DAY == 0]
        self.past.append((self.upto, {scope: life.copy() for scope, life in self.lives.items()}))

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
        self.weeks = [*self.weeks[-1:], Week(at, scopes, tuple(centres), kin, sizes, memory.least)]
        self.lives = {scope: life for scope, life in self.lives.items() if scope in scopes}

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

    def _look(self, since: float, until: float) -> Iterator[Detection]:
        """Test the groups that grew after one hour and up to another, in every scope."""
        week = self.weeks[-1] if self.weeks else Week(-np.inf)
        view = View(self, week, since, until)
        for scope in week.scopes:
            yield view.scope(scope, self.lives.setdefault(scope, Life()))


@dataclass
class View:
    """The memory as it is tested: made once for all scopes."""

    watch: Watch
    week: Week
    since: float
    until: float

    def __post_init__(self) -> None:
        """Number the terms, and find the groups that grew."""
        self.memory = memory = self.watch.memory
        self.hours = memory.hours
        self.fresh = memory.at(self.since)
        self.begin = memory.at(self.since - REACH)
        self.recent = memory.at(self.since - max(WINDOWS))  # nothing is tested by fewer than `FEWEST` from here on
        self.distinct = memory.distinct
        shape = (len(memory), max(1, len(self.distinct)))
        self.weighted = sparse.csr_matrix(
            (memory.weights.astype(np.float32), memory.numbers, memory.starts), shape=shape
        )
        self.columns = self.weighted.tocsc()
        self.touched = np.unique(memory.numbers[memory.starts[self.fresh] :])
        self.families = list(self._families())

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
    def stems(self) -> tuple[Rows, Rows]:
        """Return the documents of every stem that grew, and those with the bare word."""
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
        return self._having(own), self._having([np.array([c], np.int64) for c in bare])

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
        codes, count = self.week.kin, len(self.week.sizes)
        place = np.searchsorted(self.distinct, codes)
        owner = np.repeat(np.arange(count), self.week.sizes)
        there = place < len(self.distinct)
        there[there] = self.distinct[place[there]] == codes[there]
        column, owner = place[there], owner[there]
        grown = np.zeros(len(self.distinct), bool)
        grown[self.touched] = True
        some = np.unique(owner[grown[column]])
        mine = np.isin(owner, some)
        if not len(some):
            return None
        return groups.by_family(self.weighted, column[mine], np.searchsorted(some, owner[mine]), self.begin)

    def _meaning(self) -> Rows | None:
        if not self.week.centres:
            return None
        index = np.arange(self.begin, len(self.memory))
        return groups.by_centre(self.memory.vectors[self.begin :].astype(np.float32), self.week.centres, index)

    def scope(self, scope: Scope, life: Life) -> Detection:
        """Return what is found in a scope."""
        holds = scope.holds(self.memory)
        use = scope.use(self.memory)
        if not use[self.fresh :].any():
            return Detection(scope, [], np.zeros((0, len(NAMES))), [], np.zeros((0, len(STANDING_NAMES))))
        tested = list(self._tested(use))
        volume = self.hours[use]

        def refine(members: Sequence[NDArray[np.int64]], at: Sequence[float]) -> Sequence[Refined]:
            return (
                Refiner(self.memory.vectors, self.weighted, self.hours, use, self.memory.stands).look(members, at)
                if members
                else []
            )

        ground = Ground(
            hours=self.hours, began=self.watch.began, vectors=self.memory.vectors, weighted=self.weighted,
            columns=self.columns, near=self.memory.near_before, use=use, holds=holds, copies=self.copies,
            lengths=self.memory.lengths, stands=self.memory.stands,
        ) if any(len(family.looks) for family in tested) else None  # fmt: skip
        if ground is None:
            found, numbers = [], np.zeros((0, len(NAMES)))
        else:
            found = candidates(tested, self.hours, volume, refine, life)
            numbers = Describer(ground, life).rows(found)
        return Detection(scope, found, numbers, *self._swells(holds, use, life))

    def _tested(self, use: NDArray[np.bool_]) -> Iterator[Family]:
        """Yield each way to form groups with the tests of those that grew in a scope."""
        families = [(name, radius, self._grown(made, centres, use)) for name, radius, made, centres in self.families]
        for part, least, baselines in (
            ([each for each in families if each[0] == "ball"], LEAST, (LONG,)),
            ([each for each in families if each[0] != "ball"], LEAST_STEADY, (LONG, SHORT)),
        ):
            if not part:
                continue
            whole = groups.joined([each[2] for each in part])
            first, last = np.maximum(whole.first, self.since), np.minimum(whole.last, self.until - 1)
            tests = look(
                whole.rows, self.hours, use, first, last, stands=self.memory.stands, least=least, baselines=baselines
            )
            begin = 0
            for name, radius, made in part:
                mine = tests.pick((tests.group >= begin) & (tests.group < begin + len(made)))
                before = int(whole.rows.starts[begin])
                mine = replace(mine, group=mine.group - begin, upto=mine.upto - before)
                begin += len(made)
                yield Family(name, made.rows, radius, self._spoken(mine, made, use) if name == "stem" else mine)

    def _grown(self, made: Groups, centres: NDArray[np.int64], use: NDArray[np.bool_]) -> Groups:
        """Return the groups that grew in a scope; of balls, those whose centre counts there."""
        return made.touched(use, self.fresh, self.recent, FEWEST, use[centres] if len(centres) else None)

    def _spoken(self, tests: ScanTests, keep: Groups, use: NDArray[np.bool_]) -> ScanTests:
        """Return the tests of stems that people use by themselves, and that hold more than the bare word."""
        if not len(tests):
            return tests
        whole, bare = GroupCounts(keep.rows, self.hours, use, self.memory.stands), self.stems[1]
        rows_used = use[bare.items]
        counts = np.concatenate([np.zeros(1, np.int64), np.cumsum(rows_used)])
        alone = GroupCounts(
            Rows(counts[bare.starts], bare.items[rows_used], bare.near[rows_used]), self.hours, use, self.memory.stands
        )
        which = keep.which[tests.group]
        since = tests.at - REACH
        own = alone.before(which, tests.at) - alone.before(which, since)
        both = whole.before(tests.group, tests.at) - whole.before(tests.group, since)
        return tests.pick((own >= groups.FEWEST_OF_STEM) & (both > own))

    def _swells(
        self, holds: NDArray[np.bool_], use: NDArray[np.bool_], life: Life
    ) -> tuple[list[TopicSurge], NDArray[np.float64]]:
        topics = self.watch.topics
        rows = self.memory.topic_rows(len(topics), self.begin)
        rows_used = use[rows.items]
        if not topics or not rows_used[rows.items >= self.fresh].any():
            return [], np.zeros((0, len(STANDING_NAMES)))
        counts = np.concatenate([np.zeros(1, np.int64), np.cumsum(rows_used)])
        rows = Rows(counts[rows.starts], rows.items[rows_used], rows.near[rows_used])
        return Standing(
            rows, self.hours, use, holds, self.weighted, life, stands=self.memory.stands,
            since=self.since, until=self.until, began=self.watch.began,
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
