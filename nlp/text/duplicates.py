"""Near-duplicates: the same text told again (quoted, shortened, re-titled, with another link) counts once.

MinHash with locality-sensitive hashing (Broder 1997; banding as in Leskovec, Rajaraman & Ullman, *Mining of Massive
Datasets*, ch. 3), vectorised over a batch, then verified on the shingles themselves, so that an estimate never
decides. Spaced scripts are shingled by word pairs, Chinese, Thai and their like by character triples.

Two people who both write "too many ads" are two voices, not one told twice: under `VOICE_WORDS` words a text is a
copy only of the same author's, and up to `FEWEST_SHINGLES` pairs it must be the same text word for word.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nlargest, nsmallest
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from groundswell.index.spelling import normalise

Hashes = NDArray[np.uint64]

BANDS, ROWS = 24, 3
"""Two texts become candidates with probability 1 - (1 - J³)²⁴: .96 at Jaccard .5, 1 - 1e-7 at .8, .02 at .1."""
VOICE_WORDS = 5
"""Words (pairs of letters in unspaced scripts) from which equal texts of different authors are one told twice."""
FEWEST_SHINGLES = 8
"""Shingles a text needs before likeness is measured; below, one word more or less is another text."""
CONTAINED = 0.9
"""Share of the shorter text's shingles found in the longer one that makes it a quotation or a cut copy."""
CONTAINED_SHINGLES = 12
"""Shingles the shorter one needs for that: a stock phrase inside a long text is no quotation."""
CONTAINED_RATIO = 0.4
"""Length the shorter one must have beside the longer: below, the longer says something of its own."""
CANDIDATES = 64
"""Firsts a text is compared with, those that share most bands; copies share about half of the 24."""
CHUNK = 16_384
"""Shingles hashed at a time: 72 hash functions × 8 bytes × this is 9 MB."""

_MASKED = re.compile(
    r"https?(?:://[!-~]+)?|www\.[!-~]+|@[A-Za-z0-9_.@-]+|^\s*(?:rt|re|fwd?|转发微博|repost|via)\b[\s:：]*",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile("[ก-๎ກ-ໝက-႟ក-៓぀-ヿ㐀-鿿豈-﫿\U00020000-\U000323af]")
_NOT_LETTERS = re.compile(r"[\W_]+")

_seeds = np.random.default_rng(20_261_122)  # fixed: signatures must be the same on every machine, in every run
_FACTORS: Hashes = _seeds.integers(1, 2**63, BANDS * ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_OFFSETS: Hashes = _seeds.integers(0, 2**63, BANDS * ROWS, dtype=np.uint64)
_BAND_SALTS: Hashes = _seeds.integers(1, 2**63, BANDS, dtype=np.uint64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A text to be compared: when it was said, by whom (a hash, or empty)."""

    id: str
    text: str
    at: datetime
    author: str = ""


class Duplicates:
    """The texts of the last days, and which of them a new one repeats. Only the first of each cluster is kept.

    Deterministic: the same texts in the same order give the same clusters, in batches of any size. A copy is compared
    with firsts only, never with another copy, so a cluster cannot drift away from how it began.
    """

    def __init__(self, *, similarity: float = 0.8, days: int = 35) -> None:
        self.similarity = similarity
        self.reach = timedelta(days=days)
        self._firsts: list[tuple[str, datetime, Hashes]] = []
        self._sorted_keys: Hashes = np.empty(0, np.uint64)
        self._sorted_owners: NDArray[np.int32] = np.empty(0, np.int32)
        self._fresh: dict[int, list[int]] = {}

    def __len__(self) -> int:
        """Return how many firsts are kept."""
        return len(self._firsts)

    def add(self, batch: Sequence[Told]) -> list[str]:
        """Return for each text the id of the first one it repeats, or its own; remember those that are new."""
        sets = shingle_sets(batch)
        keys = band_keys(sets)
        settled = self._settled(keys)
        found = []
        for row, (post, shingles) in enumerate(zip(batch, sets, strict=True)):
            first = self._repeated(post, shingles, keys[row], settled[row])
            if first is None:
                self._remember(post, shingles, keys[row])
            found.append(first or post.id)
        self._settle()
        return found

    def remember(self, batch: Sequence[Told]) -> None:
        """Take texts as firsts that were found to be so before (when the store is read again)."""
        sets = shingle_sets(batch)
        for post, shingles, keys in zip(batch, sets, band_keys(sets), strict=True):
            self._remember(post, shingles, keys)
        self._settle()

    def forget_before(self, moment: datetime) -> None:
        """Drop firsts older than a moment."""
        is_recent = np.array([at >= moment for _, at, _ in self._firsts], bool)
        if is_recent.all():
            return
        self._settle(at_least=0)
        place = np.cumsum(is_recent, dtype=np.int32) - 1
        alive = is_recent[self._sorted_owners]
        self._sorted_keys = self._sorted_keys[alive]
        self._sorted_owners = place[self._sorted_owners[alive]].astype(np.int32)
        self._firsts = [first for first, keep in zip(self._firsts, is_recent, strict=True) if keep]

    def _repeated(self, post: Told, shingles: Hashes, keys: Hashes, settled: Iterable[int]) -> str | None:
        """Return the earliest first that the text repeats."""
        fresh = chain.from_iterable(self._fresh.get(key, ()) for key in keys.tolist())
        near = self._nearest(Counter(chain(settled, fresh)), post.at)
        if not near:
            return None
        same = alike(shingles, [others for _, _, others in near], self.similarity)
        copies = [(at, first) for (first, at, _), is_copy in zip(near, same, strict=True) if is_copy]
        return min(copies)[1] if copies else None

    def _nearest(self, shared: Counter[int], at: datetime) -> list[tuple[str, datetime, Hashes]]:
        """Return the firsts within reach that share most bands, at most `CANDIDATES`: a template has thousands."""
        within = [owner for owner in shared if abs(at - self._firsts[owner][1]) <= self.reach]
        if len(within) > CANDIDATES:
            fewest = nlargest(CANDIDATES, map(shared.__getitem__, within))[-1]
            most = [owner for owner in within if shared[owner] >= fewest]
            within = nsmallest(CANDIDATES, most, key=lambda owner: (-shared[owner], *self._firsts[owner][1::-1]))
        return [self._firsts[owner] for owner in within]

    def _remember(self, post: Told, shingles: Hashes, keys: Hashes) -> None:
        owner = len(self._firsts)
        self._firsts.append((post.id, post.at, shingles))
        for key in keys.tolist():
            self._fresh.setdefault(key, []).append(owner)

    def _settled(self, keys: Hashes) -> list[list[int]]:
        """Return for each row of band keys the owners in the sorted part that share one."""
        if not len(self._sorted_keys):
            return [[] for _ in keys]
        low = np.searchsorted(self._sorted_keys, keys, "left")
        high = np.searchsorted(self._sorted_keys, keys, "right")
        owners: list[list[int]] = [[] for _ in keys]
        for row, band in np.argwhere(high > low):
            owners[row].extend(self._sorted_owners[low[row, band] : high[row, band]].tolist())
        return owners

    def _settle(self, at_least: int = 100_000) -> None:
        """Move fresh keys into the sorted part, which holds a key in 12 bytes where a dict takes a hundred and more."""
        if len(self._fresh) <= at_least:
            return
        pairs = [(key, owner) for key, owners in self._fresh.items() for owner in owners]
        keys = np.concatenate([self._sorted_keys, np.array([key for key, _ in pairs], np.uint64)])
        owners = np.concatenate([self._sorted_owners, np.array([owner for _, owner in pairs], np.int32)])
        order = np.argsort(keys, kind="stable")
        self._sorted_keys, self._sorted_owners, self._fresh = keys[order], owners[order], {}


def alike(text: Hashes, others: Sequence[Hashes], similarity: float) -> NDArray[np.bool_]:
    """Return which of the others a text is a near-duplicate of: alike as a whole, or one quotes or cuts the other.

    All are sorted sets of shingles, none empty. As a whole is by Jaccard's share of common shingles, quoted by the
    containment of the smaller one (Broder 1997).

    >>> text, near, far = (np.array(one, np.uint64) for one in ([1, 2, 3, 4], [1, 2, 3, 5], [1, 7, 8, 9]))
    >>> alike(text, [near, far], similarity=0.6).tolist()
    [True, False]
    """
    lengths = np.array([len(other) for other in others])
    pooled = np.concatenate(others)
    places = np.minimum(np.searchsorted(text, pooled), len(text) - 1)
    shared = np.add.reduceat((text[places] == pooled).astype(np.int64), np.cumsum(lengths) - lengths)
    small, large = np.minimum(lengths, len(text)), np.maximum(lengths, len(text))
    whole = shared >= similarity * (lengths + len(text) - shared)
    quoted = (small >= CONTAINED_SHINGLES) & (small >= CONTAINED_RATIO * large) & (shared >= CONTAINED * small)
    return np.asarray(whole | quoted)


def normalised(text: str) -> str:
    """Return a text's letters and digits in one spelling, case and width, without links, handles and "RT"."""
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", normalise(_MASKED.sub(" ", text))).casefold()))


def shingle_sets(batch: Sequence[Told]) -> list[Hashes]:
    """Return the sorted, unique shingle hashes of each text; never empty."""
    return [_shingles(normalised(post.text), post) for post in batch]


def band_keys(sets: Sequence[Hashes]) -> Hashes:
    """Return the keys that candidates share, shape ``(n, BANDS)``."""
    if not sets:
        return np.empty((0, BANDS), np.uint64)
    signatures = np.concatenate([_signatures(part) for part in _chunks(sets)])
    grouped = signatures.reshape(-1, BANDS, ROWS)
    keys = np.broadcast_to(_BAND_SALTS, grouped.shape[:2]).copy()
    for row in range(ROWS):
        keys = _mixed(keys ^ grouped[:, :, row])
    return keys


def _shingles(plain: str, post: Told) -> Hashes:
    unspaced = len(_UNSPACED.findall(plain))
    if unspaced * 3 > len(plain):
        letters = plain.replace(" ", "")
        length, pieces = len(letters) // 2, np.frombuffer(letters.encode("utf-32-le"), np.uint32).astype(np.uint64)
        made = _windows(pieces, 3)
    else:
        words = plain.split()
        length, pieces = len(words), np.array([zlib.crc32(word.encode()) for word in words], np.uint64)
        made = _windows(pieces, 2)
    if length < VOICE_WORDS:
        return _whole(f"{plain}\x1f{post.author or post.id}")
    return np.unique(made) if len(made) >= FEWEST_SHINGLES else _whole(plain)


def _windows(pieces: Hashes, size: int) -> Hashes:
    """Return a hash of every `size` neighbours."""
    count = max(len(pieces) - size + 1, 0)
    made = np.zeros(count, np.uint64)
    for place in range(size):
        made = _mixed(made ^ pieces[place : place + count])
    return made


def _whole(text: str) -> Hashes:
    raw = text.encode()
    return np.array([zlib.crc32(raw) << 32 | zlib.adler32(raw)], np.uint64)


def _mixed(values: Hashes) -> Hashes:
    """Return splitmix64 of each value (Steele, Lea & Flood 2014): neighbouring inputs land far apart."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _signatures(sets: Sequence[Hashes]) -> Hashes:
    """Return the smallest value of each hash function over each set, shape ``(n, BANDS·ROWS)``."""
    starts = np.cumsum([0, *(len(one) for one in sets[:-1])])
    hashed = (np.concatenate(sets)[None, :] * _FACTORS[:, None] + _OFFSETS[:, None]) >> np.uint64(16)
    return np.minimum.reduceat(hashed, starts, axis=1).T


def _chunks(sets: Sequence[Hashes]) -> Iterator[Sequence[Hashes]]:
    start = size = 0
    for place, one in enumerate(sets):
        if size and size + len(one) > CHUNK:
            yield sets[start:place]
            start, size = place, 0
        size += len(one)
    yield sets[start:]
