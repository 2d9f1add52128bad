"""Steady ways to group what people write, so that the swelling of something known can be counted.

A ball around a text sees what is new; it has no past to swell from. Words, word stems, neighbourhoods of meaning and
themes do. Each keeps one rule of membership through window and history, so that a jump is the world's, not the rule's.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from groundswell.configs.topics import Topic
from groundswell.nlp.signals.detect.neighbours import DAY, Rows
from groundswell.nlp.signals.detect.terms import pieces

REBUILT = 7 * DAY
"""How often neighbourhoods of meaning, and families of words, are drawn anew."""
GRAINS = (12, 40)
"""How many neighbourhoods a stream is divided into: coarse and fine."""
FEWEST_TO_DIVIDE = 300
SHORTEST_STEM, LONGEST_STEM_WORD = 4, 40
KINSHIP = (0.5, 0.65)
"""Likeness of the company that two words keep, from which they are kin: a wide family and a close one."""
COMPANY = 90 * DAY
"""How far back the company of a word is looked at: rarer words need longer."""
FEWEST_OF_WORD, MOST_OF_WORD = 5, 0.15
"""A word takes part from so many documents of the history, up to such a share of them."""
MOST_WORDS = 6000
"""Words that are compared with each other, commonest first."""
MOST_HELD = 12_000_000
"""Documents of all families together, each counted for each of its words …"""
MANY = 40_000
"""… in a stream of so many documents in the time of `COMPANY`."""
FEWEST_OF_STEM = 3
"""Documents with the bare word, within `REACH`, before its stem may speak: no stem is known before people used it."""
ROUNDS = 12


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups with the time in which each may speak: not before `first`, not after `last` (hours).

    `which` says, of some of more groups, which these are.
    """

    rows: Rows
    first: NDArray[np.float64]
    last: NDArray[np.float64]
    which: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def touched(
        self, holds: NDArray[np.bool_], since: int, recent: int = 0, fewest: int = 1,
        among: NDArray[np.bool_] | None = None,
    ) -> Groups:  # fmt: skip
        """Return the groups, of members in a scope only, that are worth a test.

        Args:
            holds: which documents belong to the scope.
            since: position; one member at least is from there on.
            recent: position before `since`; so many as `fewest` are from there on.
            fewest: members, one at least.
            among: which of the groups come into question, or all.
        """
        starts, items = self.rows.starts, self.rows.items
        lately = np.flatnonzero(items >= recent)  # what decides is new, and little: the rest is not touched for it
        lately = lately[holds[items[lately]]]
        bounds = np.searchsorted(lately, starts)
        some = np.flatnonzero(np.diff(bounds) >= fewest)
        some = some[items[lately[bounds[some + 1] - 1]] >= since]
        some = some if among is None else some[among[some]]
        taken = np.zeros(len(starts) - 1, bool)
        taken[some] = True
        members = np.flatnonzero(np.repeat(taken, np.diff(starts)) & holds[items])
        ends = np.searchsorted(members, starts[some + 1])
        rows = Rows(np.concatenate([np.zeros(1, np.int64), ends]), items[members], self.rows.near[members])
        return Groups(rows, self.first[some], self.last[some], some)

    def __len__(self) -> int:
        """Return how many."""
        return len(self.first)


def _alive(rows: Rows, since: int, recent: int, fewest: int) -> NDArray[np.int64]:
    """Return the groups whose newest member is from one position on, and so many of whose members from another."""
    if not len(rows.items):
        return np.zeros(0, np.int64)
    ends = rows.starts[1:]
    large = np.flatnonzero(np.diff(rows.starts) >= fewest)
    ends = ends[large]
    alive: NDArray[np.int64] = large[(rows.items[ends - 1] >= since) & (rows.items[ends - fewest] >= recent)]
    return alive


def joined(parts: Sequence[Groups]) -> Groups:
    """Return several sets of groups as one, one after the other."""
    starts, offset = [np.zeros(1, np.int64)], 0
    for part in parts:
        starts.append(part.rows.starts[1:] + offset)
        offset += len(part.rows.items)
    rows = Rows(
        np.concatenate(starts),
        np.concatenate([part.rows.items for part in parts]),
        np.concatenate([part.rows.near for part in parts]),
    )
    first, last = (np.concatenate([getattr(part, name) for part in parts]) for name in ("first", "last"))
    return Groups(rows, first, last)


def chosen(rows: Rows, which: NDArray[np.int64]) -> Rows:
    """Return some of the groups."""
    counts = rows.starts[which + 1] - rows.starts[which]
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    at = np.arange(starts[-1]) + np.repeat(rows.starts[which] - starts[:-1], counts)
    return Rows(starts, rows.items[at], rows.near[at])


def always(rows: Rows) -> Groups:
    """Return groups that may speak at any time."""
    count = len(rows.starts) - 1
    return Groups(rows, np.full(count, -np.inf), np.full(count, np.inf))


def from_members(members: Sequence[NDArray[np.int64]]) -> Rows:
    """Return groups from the documents of each, ascending."""
    starts = np.cumsum([0, *map(len, members)]).astype(np.int64)
    items = np.concatenate([np.zeros(0, np.int64), *members]).astype(np.int32)
    return Rows(starts, items, np.ones(len(items), np.float32))


def by_term(columns: sparse.csc_matrix, begin: int, since: int, recent: int, fewest: int) -> Rows:
    """Return the documents, from position `begin` on, of the words and pairs of words that are worth a test."""
    whole = Rows(columns.indptr.astype(np.int64), columns.indices.astype(np.int32), columns.data)
    lately = np.arange(columns.shape[0]) >= begin
    mine = chosen(whole, _alive(whole, since, recent, fewest))
    return always(mine).touched(lately, since, recent, fewest).rows


def stems(words: Sequence[str], touched: Sequence[str], frequent: frozenset[str]) -> dict[str, list[int]]:
    """Return the stems within touched words, each with the positions of all words that contain it.

    A stem is a word that people use by itself (tipu: ditipu, penipu, tipuan). Affixes differ by language, containment
    does not.

    Args:
        words: all there are.
        touched: those of which documents have just come.
        frequent: those that may be stems.
    """
    wanted = {part for word in touched for part in _parts(word) & frequent}
    holders: dict[str, list[int]] = {stem: [] for stem in sorted(wanted)}
    for k in _beginning(words, wanted):
        for part in _parts(words[k]) & wanted:
            holders[part].append(k)
    return holders


def _beginning(words: Sequence[str], wanted: Collection[str]) -> list[int]:
    """Return the words that hold the first letters, anywhere, of one of the stems: few others need be looked at."""
    if not wanted:
        return []
    letters = np.frombuffer("\n".join(words).encode("utf-32-le", "surrogatepass"), np.uint32)
    firsts = np.frombuffer(
        "".join(stem[:SHORTEST_STEM] for stem in wanted).encode("utf-32-le", "surrogatepass"), np.uint32
    )
    table = np.zeros(1 << 20, bool)
    table[_mixed(firsts.reshape(-1, SHORTEST_STEM).T)] = True
    windows = [letters[k : len(letters) - SHORTEST_STEM + k + 1] for k in range(SHORTEST_STEM)]
    word_of = np.cumsum(letters == ord("\n"))
    found: list[int] = np.unique(word_of[np.flatnonzero(table[_mixed(windows)])]).tolist()
    return found


def _mixed(letters: Sequence[NDArray[np.uint32]] | NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return a number below 2²⁰ for each row of letters."""
    mixed = np.zeros(len(letters[0]), np.uint32)
    for each in letters:
        mixed = (mixed ^ each) * np.uint32(0x9E3779B1)
    return mixed >> np.uint32(12)


def _parts(word: str) -> set[str]:
    if len(word) > LONGEST_STEM_WORD:
        return set()
    sizes = range(SHORTEST_STEM, len(word) + 1)
    return {word[start : start + size] for size in sizes for start in range(len(word) - size + 1)}


def topics_of(
    has: sparse.csr_matrix, vocabulary: Sequence[str], languages: Sequence[str], topics: Sequence[Topic]
) -> list[NDArray[np.int64]]:
    """Return the documents of every standing topic, by its words in the document's language.

    Args:
        has: terms of the documents (`terms.index_terms`).
        vocabulary: the terms.
        languages: of each document, ISO 639-1, empty where unknown.
        topics: what to look for.
    """
    spoken = np.array(languages)
    found: list[list[NDArray[np.int64]]] = [[] for _ in topics]
    finder = TermFinder(vocabulary)
    for language in sorted(set(languages)):
        mine = np.flatnonzero(spoken == language)
        part = has[mine].tocsc()
        for k, topic in enumerate(topics):
            found[k] += [mine[_holding(part, finder.terms(word))] for word in topic.spoken(language)]
    return [np.unique(np.concatenate([*parts, np.zeros(0, np.int64)])) for parts in found]


def _holding(part: sparse.csc_matrix, wanted: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Return the rows that have one term of each of several sets; none where a set is empty."""
    rows: NDArray[np.int64] | None = None
    for terms in wanted:
        if not terms:
            return np.zeros(0, np.int64)
        have = np.unique(np.concatenate([part.indices[part.indptr[k] : part.indptr[k + 1]] for k in terms]))
        rows = have if rows is None else np.intersect1d(rows, have, assume_unique=True)
    return np.zeros(0, np.int64) if rows is None else rows.astype(np.int64)


class TermFinder:
    """Finds the terms of a vocabulary that a word of a topic stands for."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self.number = {term: k for k, term in enumerate(vocabulary)}
        self.single = sorted(term for term in vocabulary if " " not in term)
        self.known: dict[str, list[list[int]]] = {}

    def terms(self, word: str) -> list[list[int]]:
        """Return sets of terms; a document has the word when it has a term of each set.

        A phrase is all of its pairs of words, a word of an unspaced script all of its pairs of characters.
        """
        if word not in self.known:
            self.known[word] = self._find(word)
        return self.known[word]

    def _find(self, word: str) -> list[list[int]]:
        bare = word.strip("*")
        parts = pieces(bare)
        if len(parts) > 1:
            unspaced = " " not in bare
            wanted = parts if unspaced else [f"{a} {b}" for a, b in pairwise(parts)]
            return [[self.number[term]] if term in self.number else [] for term in wanted]
        if not parts:
            return [[]]
        return [[self.number[term] for term in self._like(word, parts[0])]]

    def _like(self, word: str, bare: str) -> list[str]:
        if word.startswith("*") or (len(bare) == 1 and not bare.isascii()):
            return [term for term in self.single if bare in term]
        if word.endswith("*"):
            begin = bisect_left(self.single, bare)
            end = bisect_left(self.single, bare + "\U0010ffff")
            return self.single[begin:end]
        return [bare] if bare in self.number else []


def centres_of(dense: NDArray[np.float32], scale: int) -> list[NDArray[np.float32]]:
    """Return centres of neighbourhoods of meaning at each grain, whole numbers of `scale`; none while there are few.

    Spherical k-means, drawn anew every week from the `HISTORY` before and valid for that week; a document belongs to
    its nearest centre, before and after the drawing alike, so window and history are counted by one rule.

    Args:
        dense: vectors, whole numbers of `scale`, ``(n, d)``.
        scale: what stands for 1.
    """
    return [_divide(dense, grain, scale) for grain in GRAINS] if len(dense) >= FEWEST_TO_DIVIDE else []


def by_centre(dense: NDArray[np.float32], centres: Sequence[NDArray[np.float32]], index: NDArray[np.int64]) -> Rows:
    """Return the documents nearest to each centre; `dense` belong to the documents `index`."""
    members = []
    for each in centres:
        nearest = (dense @ each.T).argmax(1)
        members += [index[np.flatnonzero(nearest == k)] for k in range(len(each))]
    return from_members(members)


def families_of(has: sparse.csr_matrix, dense: NDArray[np.float32], scale: int) -> list[NDArray[np.int64]]:
    """Return families of words (columns of `has`) that mean alike or are forms of one another.

    People call one thing by several words (refund, pengembalian, dikembalikan), and no single one of them shows its
    swelling. A word is the mean of the texts that have it in the time of `COMPANY` before; families are drawn anew
    every week from nothing later, and each is valid for that week.

    Args:
        has: which text has which word, ``(n, words)``.
        dense: vectors of the texts, whole numbers of `scale`, ``(n, d)``.
        scale: what stands for 1.
    """
    if has.shape[0] < FEWEST_TO_DIVIDE:
        return []
    frequent = np.asarray(has.sum(axis=0)).ravel()
    words = np.flatnonzero((frequent >= FEWEST_OF_WORD) & (frequent <= MOST_OF_WORD * has.shape[0]))
    if len(words) > MOST_WORDS:
        words = np.sort(words[np.argsort(-frequent[words], kind="stable")[:MOST_WORDS]])
    total = has[:, words].T.astype(np.float64) @ dense.astype(np.float64)  # whole numbers: exact in any order
    company = total / np.maximum(frequent[words], 1)[:, None]
    company -= company.mean(axis=0) if len(words) else 0
    unit = _whole(company, scale)
    likeness = unit @ unit.T / np.float32(scale * scale)
    sets = {tuple(np.flatnonzero(likeness[k] >= least).tolist()): None for least in KINSHIP for k in range(len(words))}
    return [words[list(members)] for members in sets if len(members) > 1]


def narrow(families: Sequence[NDArray[np.int64]], counts: NDArray[Any], documents: int) -> list[NDArray[np.int64]]:
    """Return the families but the broadest, so that all together have no more documents than `MOST_HELD`.

    In a dense stream a word of many senses is kin to hundreds: what a quarter of all documents belong to is no subject.

    Args:
        families: words (columns).
        counts: documents of each word.
        documents: all there are; of fewer than `MANY` every family stays.
    """
    if documents < MANY:
        return list(families)
    held = np.array([float(counts[family].sum()) for family in families])
    order = np.argsort(held, kind="stable")
    kept = np.sort(order[np.cumsum(held[order]) <= MOST_HELD])
    return [families[k] for k in kept.tolist()]


def by_family(has: sparse.csr_matrix, words: NDArray[np.int64], owner: NDArray[np.int64], begin: int) -> Rows:
    """Return the documents, from position `begin` on, with a word (column) of each family (its owner, from 0 on)."""
    shape = (has.shape[1], int(owner.max()) + 1)
    belongs = sparse.csc_matrix((np.ones(len(words), np.float32), (words, owner)), shape=shape)
    holds = (has[begin:] @ belongs.tocsr()).T.tocsr()
    holds.sort_indices()
    items = (holds.indices + begin).astype(np.int32)
    return Rows(holds.indptr.astype(np.int64), items, np.ones(len(items), np.float32))


def _divide(dense: NDArray[np.float32], grain: int, scale: int) -> NDArray[np.float32]:
    """Return centres of a spherical k-means whose start is chosen without chance: far from all chosen before."""
    centres = [_whole(dense.sum(0, dtype=np.float64)[None], scale)[0]]
    closest = np.full(len(dense), -np.inf, np.float32)
    for _ in range(grain):
        closest = np.maximum(closest, dense @ centres[-1])
        centres.append(dense[int(np.argmin(closest))])
    now = np.stack(centres[1:])
    exact, before = dense.astype(np.float64), np.full(len(dense), -1)
    for _ in range(ROUNDS):
        nearest = (dense @ now.T).argmax(1)
        if np.array_equal(nearest, before):  # at rest: every further round would give the same
            break
        order = np.argsort(nearest, kind="stable")
        starts = np.searchsorted(nearest[order], np.arange(grain + 1))
        belongs = sparse.csr_matrix((np.ones(len(order)), order, starts), shape=(grain, len(dense)))
        total = belongs @ exact  # whole numbers: exact in any order
        now, before = np.where(total.any(1)[:, None], _whole(total, scale), now), nearest
    return now


def _whole(rows: NDArray[np.float64], scale: int) -> NDArray[np.float32]:
    """Return rows at unit length as whole numbers of `scale`, whose products any machine adds up alike."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    whole: NDArray[np.float32] = np.rint(rows / np.maximum(length, 1e-9) * scale).astype(np.float32)
    return whole
