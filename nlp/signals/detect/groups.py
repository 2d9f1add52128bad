"""Steady ways to group what people write, so that the swelling of something known can be counted.

A ball around a text sees what is new; it has no past to swell from. Words, word stems, neighbourhoods of meaning and
themes do. Each keeps one rule of membership through window and history, so that a jump is the world's, not the rule's.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from groundswell.configs.topics import Topic
from groundswell.nlp.signals.detect.neighbours import DAY, HISTORY, REACH, Rows
from groundswell.nlp.signals.detect.terms import pieces

REBUILT = 7 * DAY
"""How often neighbourhoods of meaning are drawn anew."""
GRAINS = (12, 40)
"""How many neighbourhoods a stream is divided into: coarse and fine."""
FEWEST_TO_DIVIDE = 300
SHORTEST_STEM = 4
KINSHIP = (0.5, 0.65)
"""Likeness of the company that two words keep, from which they are kin: a wide family and a close one."""
COMPANY = 120 * DAY
"""How far back the company of a word is looked at: rarer words need longer."""
FEWEST_OF_WORD, MOST_OF_WORD = 5, 0.15
"""A word takes part from so many documents of the history, up to such a share of them."""
ROUNDS = 12


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups with the time in which each may speak (hours) and a name for a person, or empty."""

    rows: Rows
    first: NDArray[np.float64]
    last: NDArray[np.float64]
    names: Sequence[str]


def _always(rows: Rows, names: Sequence[str]) -> Groups:
    count = len(rows.starts) - 1
    return Groups(rows, np.full(count, -np.inf), np.full(count, np.inf), names)


def by_term(has: sparse.csr_matrix, vocabulary: Sequence[str], use: NDArray[np.bool_], fewest: int = 3) -> Groups:
    """Return the documents of every word and pair of words that enough documents have."""
    index = np.flatnonzero(use)
    turned = has[index].T.tocsr()
    turned.sort_indices()
    count = np.diff(turned.indptr)
    kept = np.flatnonzero(count >= fewest)
    part = turned[kept]
    items = index[part.indices].astype(np.int32)
    return _always(
        Rows(part.indptr.astype(np.int64), items, np.ones(len(items), np.float32)), [vocabulary[int(k)] for k in kept]
    )


def by_stem(
    has: sparse.csr_matrix,
    vocabulary: Sequence[str],
    hours: NDArray[np.float64],
    use: NDArray[np.bool_],
    fewest: int = 3,
) -> Groups:
    """Return the documents of every word together with longer words that contain it (tipu: ditipu, penipu, tipuan).

    Affixes differ by language, containment does not. A group may speak once the bare word was seen `fewest` times, so
    that no stem is known before people used it.
    """
    words = [(k, word) for k, word in enumerate(vocabulary) if " " not in word and len(word) >= SHORTEST_STEM]
    index = np.flatnonzero(use)
    columns = has[index].tocsc()
    columns.sort_indices()
    frequent = np.diff(columns.indptr)
    known = {word: k for k, word in words if frequent[k] >= fewest and word.isascii()}
    holders: dict[int, set[int]] = defaultdict(set)
    for k, word in words:
        for size in range(SHORTEST_STEM, len(word) + 1):
            for start in range(len(word) - size + 1):
                stem = known.get(word[start : start + size])
                if stem is not None and frequent[k]:
                    holders[stem].add(k)
    starts, items, names, first = [0], [np.zeros(0, np.int32)], [], []
    for stem, members in holders.items():
        if len(members) == 1:
            continue
        parts = [columns.indices[columns.indptr[k] : columns.indptr[k + 1]] for k in sorted(members)]
        documents = np.unique(np.concatenate(parts))
        items.append(index[documents].astype(np.int32))
        starts.append(starts[-1] + len(documents))
        names.append(f"*{vocabulary[stem]}*")
        first.append(hours[index[columns.indices[columns.indptr[stem] + fewest - 1]]])
    flat = np.concatenate(items)
    rows = Rows(np.array(starts), flat, np.ones(len(flat), np.float32))
    return Groups(rows, np.array(first, np.float64), np.full(len(first), np.inf), names)


def by_topic(
    has: sparse.csr_matrix,
    vocabulary: Sequence[str],
    languages: Sequence[str],
    topics: Sequence[Topic],
    use: NDArray[np.bool_],
) -> Groups:
    """Return the documents of every standing topic, by its words in the document's language.

    Args:
        has: terms of the documents (`words.index_terms`).
        vocabulary: the terms.
        languages: of each document, ISO 639-1, empty where unknown.
        topics: what to look for.
        use: which documents count.
    """
    spoken = np.array(languages)
    found: list[list[NDArray[np.int64]]] = [[] for _ in topics]
    finder = TermFinder(vocabulary)
    for language in sorted(set(languages)):
        mine = np.flatnonzero((spoken == language) & use)
        part = has[mine].tocsc()
        for k, topic in enumerate(topics):
            found[k] += [mine[_holding(part, finder.terms(word))] for word in topic.spoken(language)]
    members = [np.unique(np.concatenate([*parts, np.zeros(0, np.int64)])) for parts in found]
    starts = np.cumsum([0, *map(len, members)])
    items = np.concatenate([np.zeros(0, np.int64), *members]).astype(np.int32)
    return _always(Rows(starts.astype(np.int64), items, np.ones(len(items), np.float32)), [t.title for t in topics])


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


def by_meaning(vectors: NDArray[np.float32], hours: NDArray[np.float64], use: NDArray[np.bool_]) -> Groups:
    """Return neighbourhoods of meaning, drawn anew every week from the `HISTORY` before, each valid for that week.

    Spherical k-means at two grains; a document belongs to its nearest centre, before and after the drawing alike, so
    window and history are counted by one rule.
    """
    index = np.flatnonzero(use)
    when, dense = hours[index], vectors[index]
    starts, items, near, first, last = [0], [], [], [], []
    if len(when) == 0:
        return _always(Rows(np.array(starts), np.zeros(0, np.int32), np.zeros(0, np.float32)), [])
    moment = np.ceil(when[0] / REBUILT) * REBUILT
    while moment < when[-1]:
        low, here = np.searchsorted(when, [moment - HISTORY, moment])
        high = int(np.searchsorted(when, moment + REBUILT))
        oldest = int(np.searchsorted(when, moment - REACH))
        for grain in GRAINS if here - low >= FEWEST_TO_DIVIDE else ():
            centres = _divide(dense[low:here], grain)
            likeness = dense[oldest:high] @ centres.T
            nearest = likeness.argmax(1)
            for k in range(len(centres)):
                mine = np.flatnonzero(nearest == k)
                items.append(index[mine + oldest].astype(np.int32))
                near.append(likeness[mine, k])
                starts.append(starts[-1] + len(mine))
                first.append(moment)
                last.append(moment + REBUILT)
        moment += REBUILT
    flat = np.concatenate([np.zeros(0, np.int32), *items])
    rows = Rows(np.array(starts), flat, np.concatenate([np.zeros(0, np.float32), *near]))
    return Groups(rows, np.array(first, np.float64), np.array(last, np.float64), [""] * len(first))


def by_kin(
    has: sparse.csr_matrix,
    vocabulary: Sequence[str],
    vectors: NDArray[np.float32],
    hours: NDArray[np.float64],
    use: NDArray[np.bool_],
) -> Groups:
    """Return the documents of every word and its kin: words that mean alike, or are forms of one another.

    People call one thing by several words (refund, pengembalian, dikembalikan), and no single one of them shows its
    swelling. A word is the mean of the texts that have it in the time of `COMPANY` before; families are drawn anew
    every week from nothing later, and each is valid for that week.
    """
    words = np.array([k for k, word in enumerate(vocabulary) if " " not in word], np.int64)
    index = np.flatnonzero(use)
    when, columns, dense = hours[index], has[index].tocsc()[:, words].tocsr(), vectors[index]
    made: list[Groups] = []
    moment = np.ceil(when[0] / REBUILT) * REBUILT if len(when) else np.inf
    while len(when) and moment < when[-1]:
        oldest, low, here, high = np.searchsorted(when, [moment - REACH, moment - COMPANY, moment, moment + REBUILT])
        if here - low >= FEWEST_TO_DIVIDE:
            kept, families = _families(columns[low:here], dense[low:here])
            holds = (columns[oldest:high][:, kept] @ families).T.tocsr()
            holds.sort_indices()
            rows = Rows(
                holds.indptr.astype(np.int64),
                index[holds.indices + oldest].astype(np.int32),
                np.ones(holds.nnz, np.float32),
            )
            names = [
                " ".join(vocabulary[words[kept[k]]] for k in families[:, [f]].indices[:6])
                for f in range(families.shape[1])
            ]
            count = len(names)
            made.append(Groups(rows, np.full(count, moment), np.full(count, moment + REBUILT), names))
        moment += REBUILT
    return _joined(made)


def _families(has: sparse.csr_matrix, dense: NDArray[np.float32]) -> tuple[NDArray[np.int64], sparse.csc_matrix]:
    """Return the words that take part, by column, and which of them each family holds, ``(words, families)``."""
    frequent = np.asarray(has.sum(axis=0)).ravel()
    kept = np.flatnonzero((frequent >= FEWEST_OF_WORD) & (frequent <= MOST_OF_WORD * has.shape[0]))
    company = (has[:, kept].T @ dense) / np.maximum(frequent[kept], 1)[:, None]
    company -= company.mean(axis=0) if len(kept) else 0
    company /= np.maximum(np.linalg.norm(company, axis=1, keepdims=True), 1e-9)
    likeness = company @ company.T
    sets = {tuple(np.flatnonzero(likeness[k] >= least).tolist()): None for least in KINSHIP for k in range(len(kept))}
    several = [members for members in sets if len(members) > 1]
    rows = np.array([word for members in several for word in members], np.int64)
    owner = np.repeat(np.arange(len(several)), [len(members) for members in several])
    shape = (len(kept), len(several))
    return kept, sparse.csc_matrix((np.ones(len(rows), np.float32), (rows, owner)), shape=shape)


def _joined(parts: Sequence[Groups]) -> Groups:
    """Return several sets of groups as one."""
    starts, offset = [np.zeros(1, np.int64)], 0
    for part in parts:
        starts.append(part.rows.starts[1:] + offset)
        offset += len(part.rows.items)
    rows = Rows(
        np.concatenate(starts),
        np.concatenate([np.zeros(0, np.int32), *(part.rows.items for part in parts)]),
        np.concatenate([np.zeros(0, np.float32), *(part.rows.near for part in parts)]),
    )
    first, last = (
        np.concatenate([np.zeros(0), *(getattr(part, name) for part in parts)]) for name in ("first", "last")
    )
    return Groups(rows, first, last, [name for part in parts for name in part.names])


def _divide(dense: NDArray[np.float32], grain: int) -> NDArray[np.float32]:
    """Return centres of a spherical k-means whose start is chosen without chance: far from all chosen before."""
    centres = [dense.mean(0)]
    closest = np.full(len(dense), -np.inf, np.float32)
    for _ in range(grain):
        closest = np.maximum(closest, dense @ centres[-1])
        centres.append(dense[int(np.argmin(closest))])
    now = np.stack(centres[1:])
    for _ in range(ROUNDS):
        nearest = (dense @ now.T).argmax(1)
        total = np.zeros_like(now)
        np.add.at(total, nearest, dense)
        length = np.linalg.norm(total, axis=1, keepdims=True)
        now = np.where(length > 0, total / np.maximum(length, 1e-9), now).astype(np.float32)
    return now
