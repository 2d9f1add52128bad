"""Everything that departs from its past in a stream: groups, tests, candidates, and the numbers that describe them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from groundswell.configs.topics import Topic
from groundswell.nlp.signals.detect import groups, neighbours, terms
from groundswell.nlp.signals.detect.candidates import Candidate, Family, candidates
from groundswell.nlp.signals.detect.features import Describer
from groundswell.nlp.signals.detect.refine import Refiner
from groundswell.nlp.signals.detect.scan import LONG, SHORT, look
from groundswell.nlp.signals.detect.topics import Standing, TopicSurge

RADII = (0.22, 0.27, 0.32, 0.38, 0.45)
"""Similarities at which a ball ends, from a wide subject to nearly the same words."""
LEAST = 2.7
"""Score (−log10 of the tail) from which a test of a ball is worth looking at."""
WAYS = ("ball", "term", "stem", "kin", "meaning")
"""Ways to form groups that take part unless others are asked for."""
LEAST_STEADY = 3.0
"""The same for words, stems, neighbourhoods and themes."""


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


@dataclass(frozen=True, slots=True)
class Detection:
    """What was found: candidates in order of time, a row of numbers for each, and what they were made from.

    `swells` are those of standing topics, with `swell_numbers` of their own (`standing.NAMES`).
    """

    found: list[Candidate]
    numbers: NDArray[np.float64]
    swells: list[TopicSurge]
    swell_numbers: NDArray[np.float64]
    has: sparse.csr_matrix
    vocabulary: list[str]
    firsts: NDArray[np.int64]
    use: NDArray[np.bool_]
    vectors: NDArray[np.float32]


def detect(
    stream: Stream, *, share: float = 0.5, ways: Sequence[str] = WAYS, topics: Sequence[Topic] = ()
) -> Detection:
    """Return all candidates of a stream, replayed hour by hour; nothing later than an hour takes part in it.

    Args:
        stream: what was heard.
        share: weight of vectors against words in similarity (1 is vectors alone, 0 words alone).
        ways: which ways to form groups take part.
        topics: standing topics that are counted for themselves.
    """
    has, vocabulary = terms.index_terms(stream.texts)
    weighted = terms.weigh(has, (stream.hours // 24).astype(np.int64), 35)
    firsts = neighbours.first_of_copies(stream.texts, has, stream.hours, stream.firsts)
    use = (firsts == np.arange(len(firsts))) & stream.counts
    vectors = neighbours.centre(stream.vectors, stream.hours)
    near = neighbours.neighbours(vectors, weighted, stream.hours, use, share=share)
    families = list(_families(_Parts(stream.hours, has, vocabulary, vectors, near, use), ways))
    refiner = Refiner(vectors, weighted, stream.hours, use)
    found = list(candidates(families, stream.hours, stream.hours[use], refiner))
    lengths = np.array([len(text) for text in stream.texts], np.float64)
    describer = Describer(
        stream.hours, vectors=vectors, weighted=weighted, has=has, near=near, use=use, firsts=firsts, lengths=lengths
    )
    swells, numbers = _standing(stream, topics, has, vocabulary, use)
    return Detection(found, describer.rows(found), swells, numbers, has, vocabulary, firsts, use, vectors)


def standing_swells(stream: Stream, topics: Sequence[Topic]) -> tuple[list[TopicSurge], NDArray[np.float64]]:
    """Return only the swells of standing topics, with their numbers; vectors are not asked for."""
    has, vocabulary = terms.index_terms(stream.texts)
    firsts = neighbours.first_of_copies(stream.texts, has, stream.hours, stream.firsts)
    return _standing(stream, topics, has, vocabulary, (firsts == np.arange(len(firsts))) & stream.counts)


def _standing(
    stream: Stream, topics: Sequence[Topic], has: sparse.csr_matrix, vocabulary: list[str], use: NDArray[np.bool_]
) -> tuple[list[TopicSurge], NDArray[np.float64]]:
    languages = stream.languages or [""] * len(stream.ids)
    made = groups.by_topic(has, vocabulary, languages, topics, use)
    return Standing(made.rows, stream.hours, use, has).find()


@dataclass(frozen=True, slots=True)
class _Parts:
    """What groups are made from."""

    hours: NDArray[np.float64]
    has: sparse.csr_matrix
    vocabulary: list[str]
    vectors: NDArray[np.float32]
    near: neighbours.Rows
    use: NDArray[np.bool_]


def _families(parts: _Parts, ways: Sequence[str]) -> Iterator[Family]:
    """Yield each way to form groups, with its tests."""
    hours, use = parts.hours, parts.use
    if "ball" in ways:
        for radius in RADII:
            rows = parts.near.within(radius)
            yield Family("ball", rows, radius, look(rows, hours, use, hours, hours + neighbours.FRESH, least=LEAST))
    steady: dict[str, Callable[[], groups.Groups]] = {
        "term": lambda: groups.by_term(parts.has, parts.vocabulary, use),
        "stem": lambda: groups.by_stem(parts.has, parts.vocabulary, hours, use),
        "kin": lambda: groups.by_kin(parts.has, parts.vocabulary, parts.vectors, hours, use),
        "meaning": lambda: groups.by_meaning(parts.vectors, hours, use),
    }
    for name, build in steady.items():
        if name in ways:
            made = build()
            baselines = (LONG, SHORT)
            tests = look(made.rows, hours, use, made.first, made.last, least=LEAST_STEADY, baselines=baselines)
            yield Family(name, made.rows, 0.0, tests, made.names)
