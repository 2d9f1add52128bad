"""What is remembered of the documents of the look-back: packed columns, in order of time, each made once.

Everything is a function of the documents alone, whatever pieces they came in: vectors and weights are kept as whole
numbers (`SCALE` stands for 1), so that sums of products are exact and no order of adding changes a likeness.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from groundswell.configs.topics import Topic
from groundswell.nlp.signals.detect.groups import topics_of
from groundswell.nlp.signals.detect.neighbours import COPY, DAY, HISTORY, NEAREST, REACH, SCALE, Rows
from groundswell.nlp.signals.detect.ragged import Ragged
from groundswell.nlp.signals.detect.terms import index_words, pieces

BLOCK = 512
MOST_PAIRS = 20_000
"""Pairs of texts whose terms are compared at once."""
NEAR_FOR = 10 * DAY
"""How long the neighbours of a document are kept: whoever tests needs those of the last six days."""
FEWEST_SHARED, LONG = 5, 9
"""Terms that copies share at least, and terms from which a text is long enough to be a copy by its words."""
_SQUEEZE = re.compile(r"[\W_]+")
Int = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Batch:
    """Documents as they are heard, in order of time (hours since 1970, then id); sequences of equal length.

    Attributes:
        ids: their ids.
        texts: what is read of each (`groundswell.nlp.text.document_text`).
        hours: when each was published.
        known: when each was known.
        vectors: ``(n, d)``, unit length.
        languages: ISO 639-1, "" where unknown.
        places: market and kind of each.
        sources: where each was heard.
        moods: positive minus negative; NaN where unknown.
        firsts: id of the first of each one's copies, its own or "" where it has none.
    """

    ids: Sequence[str]
    texts: Sequence[str]
    hours: NDArray[np.float64]
    known: NDArray[np.float64]
    vectors: NDArray[np.float32]
    languages: Sequence[str]
    places: Sequence[tuple[str, str]]
    sources: Sequence[str]
    moods: NDArray[np.float32]
    firsts: Sequence[str]

    def __len__(self) -> int:
        """Return how many."""
        return len(self.ids)

    def part(self, start: int, stop: int) -> Batch:
        """Return some of them."""
        return Batch(*(getattr(self, each.name)[start:stop] for each in fields(self)))


def _none(kind: Any) -> Callable[[], Any]:
    return lambda: np.zeros(0, kind)


def _texts() -> NDArray[np.str_]:
    return np.zeros(0, np.str_)


@dataclass(slots=True)
class Memory:
    """The documents; `first` is the position of the first of a document's copies, its own where it has none before.

    `raw` and `vectors` are ``(n, d)`` (as the model gave them, and centred), `codes` and `weights` the terms of
    document k at ``starts[k]:starts[k + 1]``, ascending. `near_starts`, `near_items`, `near` hold, for documents from
    position `near_from` on, who came before and is near (`share` is the weight of vectors against words). `words` are
    the single words behind codes (`word_codes`).
    """

    ids: NDArray[np.str_] = field(default_factory=_texts)
    hours: NDArray[np.float64] = field(default_factory=_none(np.float64))
    known: NDArray[np.float64] = field(default_factory=_none(np.float64))
    raw: NDArray[np.int16] = field(default_factory=lambda: np.zeros((0, 0), np.int16))
    vectors: NDArray[np.int16] = field(default_factory=lambda: np.zeros((0, 0), np.int16))
    starts: Int = field(default_factory=lambda: np.zeros(1, np.int64))
    codes: NDArray[np.uint64] = field(default_factory=_none(np.uint64))
    weights: NDArray[np.int16] = field(default_factory=_none(np.int16))
    keys: NDArray[np.uint64] = field(default_factory=_none(np.uint64))
    first: Int = field(default_factory=_none(np.int64))
    alone: NDArray[np.int8] = field(default_factory=_none(np.int8))
    joins: NDArray[np.bool_] = field(default_factory=_none(np.bool_))
    lengths: NDArray[np.int32] = field(default_factory=_none(np.int32))
    languages: NDArray[np.str_] = field(default_factory=_texts)
    markets: NDArray[np.str_] = field(default_factory=_texts)
    kinds: NDArray[np.str_] = field(default_factory=_texts)
    sources: NDArray[np.str_] = field(default_factory=_texts)
    themes: NDArray[np.str_] = field(default_factory=_texts)
    moods: NDArray[np.float32] = field(default_factory=_none(np.float32))
    share: float = 0.5
    near_from: int = 0
    near_starts: Int = field(default_factory=lambda: np.zeros(1, np.int64))
    near_items: NDArray[np.int32] = field(default_factory=_none(np.int32))
    near: NDArray[np.float32] = field(default_factory=_none(np.float32))
    topic_starts: Int = field(default_factory=lambda: np.zeros(1, np.int64))
    topics: NDArray[np.int16] = field(default_factory=_none(np.int16))
    words: NDArray[np.str_] = field(default_factory=_texts)
    word_codes: NDArray[np.uint64] = field(default_factory=_none(np.uint64))

    def __len__(self) -> int:
        """Return how many documents."""
        return len(self.hours)

    @property
    def use(self) -> NDArray[np.bool_]:
        """Return which documents are the first of their copies."""
        firsts: NDArray[np.bool_] = self.first == np.arange(len(self))
        return firsts

    def at(self, hour: float) -> int:
        """Return the position of the first document at an hour or later."""
        return int(np.searchsorted(self.hours, hour))

    def add(self, batch: Batch, topics: Sequence[Topic] = ()) -> None:
        """Append documents, none before those that are there; everything about them is made here."""
        old = len(self)
        if not len(batch):
            return
        words = [pieces(text) for text in batch.texts]
        self._append(batch, words)
        self._tell_topics(words, batch.languages, topics)
        self._weigh(old)
        self._centre(old)
        self._tell_copies(old, batch.firsts)
        self._meet(old)

    def _append(self, batch: Batch, heard: Sequence[Sequence[str]]) -> None:
        raw = np.rint(batch.vectors * SCALE).astype(np.int16)
        codes = [term_codes(words) for words in heard]
        words = sorted({word for words in heard for word in words} - set(self.words.tolist()))
        plain = {
            "ids": batch.ids, "hours": batch.hours, "known": batch.known, "languages": batch.languages,
            "keys": np.array([_hash(_SQUEEZE.sub(" ", text.casefold()).strip()) for text in batch.texts], np.uint64),
            "markets": [market for market, _ in batch.places], "kinds": [kind for _, kind in batch.places],
            "sources": batch.sources, "themes": [""] * len(batch), "moods": batch.moods,
            "lengths": np.array([len(text) for text in batch.texts], np.int32),
            "codes": np.concatenate(codes),
            "words": words, "word_codes": np.array([word_code(word) for word in words], np.uint64),
        }  # fmt: skip
        for name, values in plain.items():
            setattr(
                self, name, np.concatenate([getattr(self, name), np.asarray(values, getattr(self, name).dtype.type)])
            )
        counts = np.cumsum([len(each) for each in codes]) + self.starts[-1]
        self.starts = np.concatenate([self.starts, counts])
        self.raw = np.concatenate([self.raw.reshape(-1, raw.shape[1]), raw])

    def _tell_topics(self, words: Sequence[Sequence[str]], languages: Sequence[str], topics: Sequence[Topic]) -> None:
        members = topics_of(*index_words(words), languages, topics) if topics else []
        document = np.concatenate([np.zeros(0, np.int64), *members])
        topic = np.repeat(np.arange(len(members)), [len(each) for each in members])
        order = np.lexsort((topic, document))
        counts = np.bincount(document, minlength=len(words))
        self.topics = np.concatenate([self.topics, topic[order].astype(np.int16)])
        self.topic_starts = np.concatenate([self.topic_starts, self.topic_starts[-1] + np.cumsum(counts)])

    def topic_rows(self, count: int, begin: int) -> Rows:
        """Return the documents of each of `count` standing topics, from position `begin` on."""
        low = self.topic_starts[begin]
        topic = self.topics[low:]
        document = np.repeat(np.arange(begin, len(self)), np.diff(self.topic_starts[begin:]))
        order = np.argsort(topic, kind="stable")
        starts = np.searchsorted(topic[order], np.arange(count + 1))
        return Rows(starts, document[order].astype(np.int32), np.ones(len(order), np.float32))

    def _weigh(self, old: int) -> None:
        """Weigh the terms of new documents by how rare each was in the `HISTORY` before the document's own day."""
        days = (self.hours // DAY).astype(np.int64)
        oldest = int(np.searchsorted(days, days[old] - int(HISTORY // DAY)))
        low = self.starts[oldest]
        _, number = np.unique(self.codes[low:], return_inverse=True)
        made = [self.weights]
        for day in np.unique(days[old:]):
            begin, stop = max(old, int(np.searchsorted(days, day))), int(np.searchsorted(days, day, "right"))
            since, until = np.searchsorted(days, [day - int(HISTORY // DAY), day])
            inside = number[self.starts[since] - low : self.starts[until] - low]
            seen = np.bincount(inside, minlength=int(number.max(initial=0)) + 1)
            here = number[self.starts[begin] - low : self.starts[stop] - low]
            weights = np.log1p((until - since + 1.0) / (seen[here] + 0.5))
            starts = self.starts[begin : stop + 1] - self.starts[begin]
            made.append(_whole(weights, starts))
        self.weights = np.concatenate(made)

    def _centre(self, old: int) -> None:
        """Take the mean of the `HISTORY` before out of new vectors: sentence encoders live in a narrow cone."""
        oldest = np.searchsorted(self.hours, self.hours[old:] - HISTORY)
        begin = int(oldest[0])
        before = self.raw[begin:old].sum(axis=0, dtype=np.int64)
        new = self.raw[old:].astype(np.int64)
        gone = np.cumsum(self.raw[begin : int(oldest[-1])], axis=0, dtype=np.int64)
        gone = np.concatenate([np.zeros((1, new.shape[1]), np.int64), gone])[oldest - begin]
        total = before + np.cumsum(new, axis=0) - new - gone
        count = np.maximum(np.arange(old, len(self)) - oldest, 1)[:, None]
        moved = new - total / count * np.minimum(1.0, count / 20)
        length = np.linalg.norm(moved, axis=1, keepdims=True)
        unit = np.rint(moved / np.maximum(length, 1e-9) * SCALE).astype(np.int16)
        self.vectors = np.concatenate([self.vectors.reshape(-1, unit.shape[1]), unit])

    def _tell_copies(self, old: int, given: Sequence[str]) -> None:
        """Say of new documents which earlier one each repeats: as the store knows, by the same text, by most words."""
        wanted = set(given)
        place = {one: k for k, one in enumerate(self.ids.tolist()) if one in wanted}
        fresh = set(self.keys[old:].tolist())
        recent = range(self.at(float(self.hours[old]) - HISTORY), old)
        seen = {key: k for k in recent if self.alone[k] & 2 and (key := int(self.keys[k])) in fresh}
        first, alone = self.first.tolist(), self.alone.tolist()
        for here in range(old, len(self)):
            copy = place.get(given[here - old], -1)
            key = int(self.keys[here])
            before = copy if 0 <= copy <= here else seen.get(key, -1)
            if before < 0 or self.hours[here] - self.hours[before] > HISTORY:
                seen[key] = here
                first.append(here)
                alone.append(3)
            else:
                first.append(here if before == here else first[before])
                alone.append(int(first[here] == here))
        self.alone = np.array(alone, np.int8)
        for row, col in self._copies(old):
            first[row] = min(first[row], first[col])
        self.first = np.array(first, np.int64)
        pairs = list(zip(first, self.markets.tolist(), self.kinds.tolist(), strict=True))
        earlier = set(pairs[max(0, int(self.first[old:].min())) : old])
        joins = []
        for pair in pairs[old:]:
            joins.append(pair not in earlier)
            earlier.add(pair)
        self.joins = np.concatenate([self.joins, np.array(joins, bool)])

    def _copies(self, old: int) -> Iterator[tuple[int, int]]:
        """Yield (later, earlier) of longer texts that share most of their terms.

        Two such texts share one of the few rarest terms of each (prefix filter: Bayardo et al. 2007), so that only
        those are looked up.
        """
        oldest = self.at(float(self.hours[old]) - HISTORY)
        size = np.diff(self.starts)
        long = np.flatnonzero((self.alone & 1).astype(bool) & (size >= LONG))
        long = long[long >= oldest]
        if not len(long) or long[-1] < old:
            return
        has, size = self.terms(oldest, "ones")[long - oldest], size[long]
        rare = _rarest(has, size)
        new = int(np.searchsorted(long, old))
        pairs = (rare[new:] @ rare.T).tocoo()
        later, earlier = pairs.row + new, pairs.col
        near = (earlier < later) & (self.hours[long[later]] - self.hours[long[earlier]] <= HISTORY)
        near &= np.minimum(size[later], size[earlier]) >= COPY * np.maximum(size[later], size[earlier])
        later, earlier = later[near], earlier[near]
        order = np.lexsort((earlier, later))
        for start in range(0, len(order), MOST_PAIRS):
            part = order[start : start + MOST_PAIRS]
            a, b = later[part], earlier[part]
            common = np.asarray(has[a].multiply(has[b]).sum(1)).ravel()
            keep = (common >= FEWEST_SHARED) & (common >= COPY * (size[a] + size[b] - common))
            yield from zip(long[a[keep]].tolist(), long[b[keep]].tolist(), strict=True)

    def terms(self, begin: int, what: str = "weights") -> sparse.csr_matrix:
        """Return documents from `begin` on by terms: ones, or weights; terms in order of their codes."""
        low = self.starts[begin]
        distinct, number = np.unique(self.codes[low:], return_inverse=True)
        values = np.ones(len(number), np.float32) if what == "ones" else self.weights[low:].astype(np.float32)
        shape = (len(self) - begin, max(1, len(distinct)))
        return sparse.csr_matrix((values, number, self.starts[begin:] - low), shape=shape)

    def _meet(self, old: int) -> None:
        """Find who of the `REACH` before is near to each new document."""
        begin = self.at(float(self.hours[old]) - REACH)
        index = np.flatnonzero(self.joins[begin:]) + begin
        weighted = self.terms(begin)[index - begin]
        dense = self.vectors[index].astype(np.float32)
        when = self.hours[index]
        counts = np.zeros(len(self) - old, np.int64)
        items, near = [self.near_items], [self.near]
        new = int(np.searchsorted(index, old))
        for start in range(new, len(index), BLOCK):
            stop = min(start + BLOCK, len(index))
            low = int(np.searchsorted(when, when[start] - REACH))
            likeness = dense[start:stop] @ dense[low:stop].T
            likeness *= np.float32(self.share / SCALE**2)
            by_words = (weighted[start:stop] @ weighted[low:stop].T).toarray()
            by_words *= np.float32((1 - self.share) / SCALE**2)
            likeness += by_words
            row, col = np.nonzero(likeness >= NEAREST)
            keep = (col + low <= row + start) & (when[row + start] - when[col + low] <= REACH)
            row, col = row[keep], col[keep]
            items.append(index[col + low].astype(np.int32))
            near.append(likeness[row, col])
            np.add.at(counts, index[row + start] - old, 1)
        self.near_starts = np.concatenate([self.near_starts, self.near_starts[-1] + np.cumsum(counts)])
        self.near_items, self.near = np.concatenate(items), np.concatenate(near)

    def tell_themes(self, begin: int, themes: Sequence[str]) -> None:
        """Note the themes of the documents from position `begin` on."""
        themes_before = self.themes[:begin].tolist()
        self.themes = np.array([*themes_before, *themes], np.str_) if themes_before or themes else _texts()

    def places(self, position: int) -> list[str]:
        """Return where a document comes from: what can be new to a theme ("source:x", "lang:th", "market:SG")."""
        named = (("source", self.sources), ("lang", self.languages), ("market", self.markets), ("kind", self.kinds))
        return [f"{name}:{value}" for name, values in named if (value := values[position])]

    def near_before(self, positions: Int) -> tuple[Ragged, NDArray[np.float32]]:
        """Return who came before some documents and is near, themselves among them, and how near."""
        lay = Ragged.parts(self.near_starts, positions - self.near_from)
        return Ragged(self.near_items[lay.items].astype(np.int64), lay.starts, lay.owner), self.near[lay.items]

    def balls(self, since: float, fresh: float, new: int, least: float) -> tuple[Int, Rows]:
        """Return documents since an hour and the neighbours of each: from before it, and up to `fresh` after it.

        Args:
            since: hour.
            fresh: hours.
            new: position; only of documents that have one of the documents from there on among their neighbours.
            least: likeness of a neighbour.
        """
        begin = max(self.near_from, self.at(since))
        low = int(self.near_starts[begin - self.near_from])
        counts = np.diff(self.near_starts[begin - self.near_from :])
        near = self.near[low:]
        keep = near >= least
        later, earlier, near = (
            np.repeat(np.arange(begin, len(self)), counts)[keep],
            self.near_items[low:][keep],
            near[keep],
        )
        ahead = (earlier >= begin) & (earlier != later) & (self.hours[later] - self.hours[earlier] <= fresh)
        grown = np.zeros(len(self) - begin, bool)
        grown[new - begin :] = True
        grown[earlier[ahead & (later >= new)] - begin] = True
        ahead[ahead] = grown[earlier[ahead] - begin]
        own = grown[later - begin]
        centre = np.concatenate([later[own], earlier[ahead]])
        member = np.concatenate([earlier[own], later[ahead]])
        near = np.concatenate([near[own], near[ahead]])
        order = np.lexsort((member, centre))
        centres = np.flatnonzero(grown) + begin
        starts = np.searchsorted(centre[order], np.append(centres, len(self)))
        return centres, Rows(starts, member[order].astype(np.int32), near[order])

    def cut(self, hour: float) -> None:
        """Forget all documents from an hour on, as if they had not been heard."""
        self._keep(0, self.at(hour))

    def trim(self, hour: float) -> int:
        """Forget documents before an hour; return by how many positions the others have moved."""
        gone = self.at(hour)
        if gone:
            self._keep(gone, len(self))
        return gone

    def _keep(self, begin: int, end: int) -> None:
        terms = slice(int(self.starts[begin]), int(self.starts[end]))
        self.starts = self.starts[begin : end + 1] - self.starts[begin]
        self.codes, self.weights = self.codes[terms], self.weights[terms]
        about = slice(int(self.topic_starts[begin]), int(self.topic_starts[end]))
        self.topic_starts = self.topic_starts[begin : end + 1] - self.topic_starts[begin]
        self.topics = self.topics[about]
        self._keep_near(max(begin, self.near_from), end)
        for name in PER_DOCUMENT:
            setattr(self, name, getattr(self, name)[begin:end])
        self.first -= begin
        self.near_items -= begin
        self.near_from -= begin

    def _keep_near(self, begin: int, end: int) -> None:
        end = max(begin, end)
        starts = self.near_starts[begin - self.near_from : end - self.near_from + 1]
        part = slice(int(starts[0]), int(starts[-1]))
        self.near_items, self.near = self.near_items[part].copy(), self.near[part]
        self.near_starts, self.near_from = starts - starts[0], begin

    def forget_neighbours(self, hour: float) -> None:
        """Forget the neighbours of documents before an hour."""
        begin = max(self.near_from, self.at(hour))
        self._keep_near(begin, len(self))


PER_DOCUMENT = (
    "ids", "hours", "known", "raw", "vectors", "keys", "first", "alone", "joins", "lengths", "languages", "markets",
    "kinds", "sources", "themes", "moods",
)  # fmt: skip


def term_codes(words: Sequence[str]) -> NDArray[np.uint64]:
    """Return the codes of a text's words and pairs of words, ascending."""
    codes = np.array([word_code(word) for word in words], np.uint64)
    pairs = pair_codes(codes[:-1], codes[1:]) if len(codes) > 1 else np.zeros(0, np.uint64)
    return np.unique(np.concatenate([codes, pairs]))


_CODES: dict[str, int] = {}
MOST_CODES = 500_000


def word_code(word: str) -> int:
    """Return a number for a word, the same on every machine and day; its last bit is 0."""
    code = _CODES.get(word)
    if code is None:
        if len(_CODES) >= MOST_CODES:
            _CODES.clear()
        code = _CODES[word] = _hash(word) & ~1
    return code


def pair_codes(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return a number for each pair of words, by theirs; its last bit is 1."""
    spread = (right ^ (right >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (left * np.uint64(0x9E3779B97F4A7C15) + spread).astype(np.uint64)
    codes: NDArray[np.uint64] = (mixed ^ (mixed >> np.uint64(32))) | np.uint64(1)
    return codes


def _hash(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _rarest(has: sparse.csr_matrix, size: Int) -> sparse.csr_matrix:
    """Return so many of the rarest terms of each text that a copy of it must have one of them."""
    frequent = np.bincount(has.indices, minlength=has.shape[1])
    owner = np.repeat(np.arange(has.shape[0]), size)
    order = np.lexsort((has.indices, frequent[has.indices], owner))
    rank = np.arange(len(order)) - has.indptr[owner]
    is_rare = rank < (size - np.ceil(COPY * size - 1e-9) + 1)[owner]
    column, row = has.indices[order][is_rare], owner[is_rare]
    return sparse.csr_matrix((np.ones(len(row), np.float32), (row, column)), shape=has.shape)


def _whole(weights: NDArray[np.float64], starts: Int) -> NDArray[np.int16]:
    """Return rows of weights at unit length as whole numbers of `SCALE`."""
    fine = np.rint(weights * 1e4).astype(np.int64)
    squares = np.concatenate([np.zeros(1, np.int64), np.cumsum(fine * fine)])
    length = np.sqrt((squares[starts[1:]] - squares[starts[:-1]]).astype(np.float64))
    rows = np.repeat(np.maximum(length, 1e-9), np.diff(starts))
    whole: NDArray[np.int16] = np.rint(fine / rows * SCALE).astype(np.int16)
    return whole


__all__ = ["SCALE", "Batch", "Memory", "pair_codes", "word_code"]
