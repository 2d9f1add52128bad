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

BLOCK, PAST_AT_ONCE = 512, 16_384
"""Documents whose neighbours are looked for at once, and among how many."""
MOST_PAIRS = 20_000
"""Pairs of texts whose terms are compared at once."""
GONE = np.iinfo(np.int64).min // 2
"""The position of a document that is not in the sample of its day."""
MOST_A_DAY = 1500
"""Documents of a day that are remembered once it is `SETTLED`: a sample, each standing for several (`Memory.thin`)."""
FINEST = 64
"""A document of a sample stands for a whole number of such parts, so that sums are exact in any order."""
SETTLED = 8 * DAY
"""How old a day is when only a sample of it stays: no window of any test, nor the gap before it, reaches it."""
MOST_NEAR = 12_000_000
"""Pairs of neighbours of a week: the denser a stream, the closer they must be, or their number grows by its square."""
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

    `raw` and `vectors` are ``(n, d)`` (as the model gave them, and centred), `numbers` and `weights` the terms of
    document k at ``starts[k]:starts[k + 1]``, ascending: term k has the code ``distinct[k]``. `stands` says for how
    many documents each stands: more than one where only a sample is left of a day (`thin`). `near_starts`,
    `near_items`, `near` hold, for documents from position `near_from` on, who came before and is near, as alike as
    `least` (`share` is the weight of vectors against words). `words` are
    the single words behind codes (`word_codes`). Of the first `kept` documents the file `past` has the large columns.
    """

    ids: NDArray[np.str_] = field(default_factory=_texts)
    hours: NDArray[np.float64] = field(default_factory=_none(np.float64))
    known: NDArray[np.float64] = field(default_factory=_none(np.float64))
    raw: NDArray[np.int16] = field(default_factory=lambda: np.zeros((0, 0), np.int16))
    vectors: NDArray[np.int16] = field(default_factory=lambda: np.zeros((0, 0), np.int16))
    starts: Int = field(default_factory=lambda: np.zeros(1, np.int64))
    distinct: NDArray[np.uint64] = field(default_factory=_none(np.uint64))
    numbers: NDArray[np.int32] = field(default_factory=_none(np.int32))
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
    stands: NDArray[np.float32] = field(default_factory=_none(np.float32))
    share: float = 0.5
    least: float = NEAREST
    near_from: int = 0
    near_starts: Int = field(default_factory=lambda: np.zeros(1, np.int64))
    near_items: NDArray[np.int32] = field(default_factory=_none(np.int32))
    near: NDArray[np.float32] = field(default_factory=_none(np.float32))
    topic_starts: Int = field(default_factory=lambda: np.zeros(1, np.int64))
    topics: NDArray[np.int16] = field(default_factory=_none(np.int16))
    words: NDArray[np.str_] = field(default_factory=_texts)
    word_codes: NDArray[np.uint64] = field(default_factory=_none(np.uint64))
    past: str = ""
    kept: int = 0

    def __len__(self) -> int:
        """Return how many documents."""
        return len(self.hours)

    @property
    def use(self) -> NDArray[np.bool_]:
        """Return which documents are the first of their copies."""
        firsts: NDArray[np.bool_] = self.first == np.arange(len(self))
        return firsts

    @property
    def weighted(self) -> sparse.csr_matrix:
        """Return the weights of terms, ``(documents, terms)``, in whole numbers of `SCALE`."""
        shape = (len(self), max(1, len(self.distinct)))
        return sparse.csr_matrix((self.weights.astype(np.float32), self.numbers, self.starts), shape=shape)

    def at(self, hour: float) -> int:
        """Return the position of the first document at an hour or later."""
        return int(np.searchsorted(self.hours, hour))

    def large_from(self, position: int) -> dict[str, NDArray[Any]]:
        """Return the large columns of the documents from a position on."""
        terms = int(self.starts[position])
        near = int(self.near_starts[max(position, self.near_from) - self.near_from])
        return {
            "raw": self.raw[position:], "vectors": self.vectors[position:], "weights": self.weights[terms:],
            "near_items": self.near_items[near:], "near": self.near[near:],
        }  # fmt: skip

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
            "stands": np.ones(len(batch), np.float32),
            "lengths": np.array([len(text) for text in batch.texts], np.int32),
            "words": words, "word_codes": np.array([word_code(word) for word in words], np.uint64),
        }  # fmt: skip
        for name, values in plain.items():
            setattr(
                self, name, np.concatenate([getattr(self, name), np.asarray(values, getattr(self, name).dtype.type)])
            )
        self._number(np.concatenate(codes))
        counts = np.cumsum([len(each) for each in codes]) + self.starts[-1]
        self.starts = np.concatenate([self.starts, counts])
        self.raw = np.concatenate([self.raw.reshape(-1, raw.shape[1]), raw])

    def _number(self, codes: NDArray[np.uint64]) -> None:
        """Append terms by their codes; terms are numbered in order of their codes, so those there were may move."""
        own, number = np.unique(codes, return_inverse=True)
        place = np.searchsorted(self.distinct, own)
        there = place < len(self.distinct)
        there[there] = self.distinct[place[there]] == own[there]
        numbers = self.numbers
        if not there.all():
            new, before = own[~there], place[~there]
            ahead = np.searchsorted(before, np.arange(len(self.distinct)), side="right")
            numbers = (np.arange(len(self.distinct)) + ahead).astype(np.int32)[numbers]
            self.distinct = np.insert(self.distinct, before, new)
            place = np.searchsorted(self.distinct, own)
        self.numbers = np.concatenate([numbers, place.astype(np.int32)[number]])

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
        number = self.numbers[low:]
        made = [self.weights]
        for day in np.unique(days[old:]):
            begin, stop = max(old, int(np.searchsorted(days, day))), int(np.searchsorted(days, day, "right"))
            since, until = np.searchsorted(days, [day - int(HISTORY // DAY), day])
            inside = number[self.starts[since] - low : self.starts[until] - low]
            seen = np.bincount(inside, minlength=len(self.distinct))
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
        recent = self.at(float(self.hours[old]) - HISTORY)
        alike = np.flatnonzero((self.alone[recent:] & 2).astype(bool) & np.isin(self.keys[recent:old], self.keys[old:]))
        seen = dict(zip(self.keys[alike + recent].tolist(), (alike + recent).tolist(), strict=True))
        first = np.concatenate([self.first, np.arange(old, len(self))])
        alone = np.concatenate([self.alone, np.full(len(self) - old, 3, np.int8)])
        for here in range(old, len(self)):
            copy = place.get(given[here - old], -1)
            key = int(self.keys[here])
            before = copy if 0 <= copy <= here else seen.get(key, -1)
            if before < 0 or self.hours[here] - self.hours[before] > HISTORY:
                seen[key] = here
            else:
                first[here] = first[before]
                alone[here] = first[here] == here
        self.alone = alone
        for row, col in self._copies(old):
            first[row] = min(first[row], first[col])
        self.first = first
        self._tell_joins(old)

    def _tell_joins(self, old: int) -> None:
        """Say which new documents are the first of their copies in their market and kind."""
        some = np.flatnonzero(np.isin(self.first[:old], self.first[old:]))
        some = np.concatenate([some, np.arange(old, len(self))])
        columns = (self.first[some], self.markets[some], self.kinds[some])
        earlier: set[tuple[int, str, str]] = set()
        joins = []
        for pair in zip(*(column.tolist() for column in columns), strict=True):
            joins.append(pair not in earlier)
            earlier.add(pair)
        self.joins = np.concatenate([self.joins, np.array(joins[len(some) - (len(self) - old) :], bool)])

    def _copies(self, old: int) -> Iterator[tuple[int, int]]:
        """Yield (later, earlier) of longer texts that share most of their terms.

        The earlier one has one of the few rarest terms of the later (prefix filter: Bayardo et al. 2007), so that only
        those are looked up.
        """
        oldest = self.at(float(self.hours[old]) - HISTORY)
        size = np.diff(self.starts)
        long = np.flatnonzero((self.alone & 1).astype(bool) & (size >= LONG))
        long = long[long >= oldest]
        if not len(long) or long[-1] < old:
            return
        new, size = int(np.searchsorted(long, old)), size[long]
        has = self.terms(oldest, "ones", since=old)[long - oldest]  # whoever shares no term with them is no copy
        rare = _rarest(has[new:], size[new:], np.bincount(has.indices, minlength=has.shape[1]))
        pairs = (rare @ has.T).tocoo()
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

    def terms(self, begin: int, what: str = "weights", since: int = 0) -> sparse.csr_matrix:
        """Return documents from `begin` on by terms: ones, or weights; terms in order of their codes.

        Args:
            begin: position.
            what: "ones" or "weights".
            since: position; only terms that documents from there on have.
        """
        low = int(self.starts[begin])
        number, starts, values = self.numbers[low:], self.starts[begin:] - low, self.weights[low:]
        wanted = np.zeros(len(self.distinct), bool)
        wanted[self.numbers[int(self.starts[max(since, begin)]) :]] = True
        if since > begin:
            mine = wanted[number]
            starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(mine)])[starts]
            number, values = number[mine], values[mine]
        number = (np.cumsum(wanted, dtype=np.int32) - 1)[number]
        data = np.ones(len(number), np.float32) if what == "ones" else values.astype(np.float32)
        shape = (len(self) - begin, max(1, int(np.count_nonzero(wanted))))
        return sparse.csr_matrix((data, number, starts), shape=shape)

    def _meet(self, old: int) -> None:
        """Find who of the `REACH` before is near to each new document."""
        begin = self.at(float(self.hours[old]) - REACH)
        index = np.flatnonzero(self.joins[begin:]) + begin
        weighted = self.terms(begin, since=old)[index - begin]
        when = self.hours[index]
        counts = np.zeros(len(self) - old, np.int64)
        items, near = [self.near_items], [self.near]
        new = int(np.searchsorted(index, old))
        for start in range(new, len(index), BLOCK):
            stop = min(start + BLOCK, len(index))
            low = int(np.searchsorted(when, when[start] - REACH))
            row, col, likeness = self._near_pairs(index, weighted, start, stop, low)
            keep = (col <= row + start) & (when[row + start] - when[col] <= REACH)
            row, col = row[keep], col[keep]
            items.append(index[col].astype(np.int32))
            near.append(likeness[keep])
            np.add.at(counts, index[row + start] - old, 1)
        self.near_starts = np.concatenate([self.near_starts, self.near_starts[-1] + np.cumsum(counts)])
        self.near_items, self.near = np.concatenate(items), np.concatenate(near)

    def _near_pairs(
        self, index: Int, weighted: sparse.csr_matrix, start: int, stop: int, low: int
    ) -> tuple[Int, Int, NDArray[np.float32]]:
        """Return row (from `start` on), column and likeness of all that are near, of some documents to those before."""
        mine = self.vectors[index[start:stop]].astype(np.float32)
        rows, cols, near = [], [], []
        for begin in range(low, stop, PAST_AT_ONCE):
            end = min(begin + PAST_AT_ONCE, stop)
            likeness = mine @ self.vectors[index[begin:end]].astype(np.float32).T
            likeness *= np.float32(self.share / SCALE**2)
            by_words = (weighted[start:stop] @ weighted[begin:end].T).toarray()
            by_words *= np.float32((1 - self.share) / SCALE**2)
            likeness += by_words
            row, col = np.nonzero(likeness >= self.least)
            rows.append(row)
            cols.append(col + begin)
            near.append(likeness[row, col])
        row, col, alike = np.concatenate(rows), np.concatenate(cols), np.concatenate(near)
        order = np.argsort(row, kind="stable") if len(rows) > 1 else slice(None)
        return row[order], col[order], alike[order]

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

    def balls(self, since: float, fresh_for: float, new: int, least: float) -> tuple[Int, Rows]:
        """Return documents since an hour and the neighbours of each: from before it, and up to `fresh_for` after it.

        Args:
            since: hour.
            fresh_for: hours.
            new: position; only of documents that have one of the documents from there on among their neighbours.
            least: likeness of a neighbour.
        """
        begin = max(self.near_from, self.at(since))
        low = int(self.near_starts[begin - self.near_from])
        starts, items, near = self.near_starts[begin - self.near_from :] - low, self.near_items[low:], self.near[low:]
        grown = np.zeros(len(self), bool)
        fresh = slice(int(starts[new - begin]), len(items))
        grown[items[fresh][near[fresh] >= least]] = True
        grown[:begin], grown[new:] = False, True
        mine = np.flatnonzero(grown[items])
        mine = mine[near[mine] >= least]
        later, earlier = np.searchsorted(starts, mine, side="right") - 1 + begin, items[mine].astype(np.int64)
        ahead = (earlier != later) & (self.hours[later] - self.hours[earlier] <= fresh_for)
        alive = np.zeros(len(self), bool)  # who has one of the new ones near, and not too long after it
        alive[earlier[ahead & (later >= new)]] = True
        alive[new:] = True
        ahead &= alive[earlier]
        centres = np.flatnonzero(alive)
        own = Ragged.parts(starts, centres - begin)
        close = near[own.items] >= least
        owned = own.items[close]
        centre = np.concatenate([centres[own.owner[close]], earlier[ahead]])
        member = np.concatenate([items[owned].astype(np.int64), later[ahead]])
        nearness = np.concatenate([near[owned], near[mine[ahead]]])
        order = np.argsort(centre * len(self) + member, kind="stable")
        bounds = np.searchsorted(centre[order], np.append(centres, len(self)))
        return centres, Rows(bounds, member[order].astype(np.int32), nearness[order])

    def cut(self, hour: float) -> None:
        """Forget all documents from an hour on, as if they had not been heard."""
        end = self.at(hour)
        if end < len(self):
            self._keep(np.arange(end))

    def trim(self, hour: float) -> Int | None:
        """Forget documents before an hour; return the new position of each, below 0 where it is gone."""
        gone = self.at(hour)
        return self._keep(np.arange(gone, len(self)), gone) if gone else None

    def thin(self, hour: float) -> Int | None:
        """Leave a sample of the days before an hour that have more than `MOST_A_DAY` documents.

        Returns:
            The new position of each document, below 0 where it is gone; nothing where no day has so many.
        """
        end = self.at(np.floor(hour / DAY) * DAY)
        days = (self.hours[:end] // DAY).astype(np.int64)
        bounds = np.flatnonzero(np.diff(days, prepend=-1, append=-1))  # where each day begins, and the end
        dense = np.flatnonzero(np.diff(bounds) > MOST_A_DAY)
        if not len(dense):
            return None
        stays = np.ones(len(self), bool)
        for low, high in zip(bounds[dense], bounds[dense + 1], strict=True):
            part = slice(int(low), int(high))
            stays[part], self.stands[part] = sample(self.keys[part], self._kinds(part), MOST_A_DAY)
        return self._keep(np.flatnonzero(stays))

    def _kinds(self, part: slice) -> Int:
        """Return a number for the market and kind of each document."""
        _, markets = np.unique(self.markets[part], return_inverse=True)
        _, kinds = np.unique(self.kinds[part], return_inverse=True)
        numbers: Int = markets * (int(kinds.max(initial=0)) + 1) + kinds
        return numbers

    def _keep(self, index: Int, shift: int = 0) -> Int:
        """Keep some documents, in order; return the new position of each, below 0 where it is gone.

        Those before `shift` are gone for their age, others because they are not in a sample.
        """
        rows = _whole_part(index)
        self.kept = min(self.kept, len(index)) if isinstance(rows, slice) and not rows.start else 0
        place = np.arange(len(self)) - shift
        place[shift:] = GONE
        place[index] = np.arange(len(index))
        part, self.starts = _lay(self.starts, index)
        self.numbers, self.weights = self.numbers[part], self.weights[part]
        part, self.topic_starts = _lay(self.topic_starts, index)
        self.topics = self.topics[part]
        self._keep_near(index[index >= self.near_from])
        self.near_from = int(np.searchsorted(index, self.near_from))
        self._follow(place, shift, whole=isinstance(_whole_part(index), slice))
        self._follow_copies(index, place, shift)
        for name in PER_DOCUMENT:
            setattr(self, name, getattr(self, name)[rows])
        self._forget_terms()
        return place

    def _keep_near(self, index: Int) -> None:
        part, self.near_starts = _lay(self.near_starts, index - self.near_from)
        self.near_items, self.near = self.near_items[part], self.near[part]

    def _follow(self, place: Int, shift: int, *, whole: bool) -> None:
        """Let neighbours follow documents that have moved; those that are gone are none any more."""
        if whole and not shift:
            return  # what is later is gone, and nobody's neighbour came after him
        items = self.near_items - shift if whole else place[self.near_items]
        here = items >= 0
        if not here.all():
            self.near_starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(here)])[self.near_starts]
            items, self.near = items[here], self.near[here]
        self.near_items = items.astype(np.int32)

    def _follow_copies(self, index: Int, place: Int, shift: int) -> None:
        """Let copies follow their firsts; where a first is gone from a day, the earliest copy that stays is it now.

        A first that was forgotten for its age stays a number below 0, by which its copies are known as such.
        """
        first = self.first[index]
        moved = np.where(first >= 0, place[np.maximum(first, 0)], first - shift)
        lost = np.flatnonzero((first >= 0) & (moved == GONE))
        if len(lost):
            self.alone = self.alone.copy()
            _, leader, which = np.unique(first[lost], return_index=True, return_inverse=True)
            moved[lost] = lost[leader][which]
            self.alone[index[lost[leader]]] = 3
        self.first = moved

    def _forget_terms(self) -> None:
        """Forget the terms and words that no document has any more, once they are half of all."""
        here = np.zeros(len(self.distinct), bool)
        here[self.numbers] = True
        if 2 * np.count_nonzero(here) >= len(here):
            return
        self.numbers = (np.cumsum(here, dtype=np.int32) - 1).astype(np.int32)[self.numbers]
        self.distinct = self.distinct[here]
        alive = np.isin(self.word_codes, self.distinct)
        self.words, self.word_codes = self.words[alive], self.word_codes[alive]

    def closest(self, since: float, steps: Sequence[float]) -> float:
        """Return how alike neighbours must be from now on, so that there are no more pairs of them than `MOST_NEAR`.

        Args:
            since: hour; the pairs of later documents are counted, which are known from there on.
            steps: likenesses to choose from, ascending; one step down at most, as nobody has looked there.
        """
        begin = max(self.near_from, self.at(since))
        near = self.near[int(self.near_starts[begin - self.near_from]) :]
        now = list(steps).index(self.least)
        counts = [int(np.count_nonzero(near >= step)) for step in steps[now:]]
        fit = [step for step, count in zip(steps[now:], counts, strict=True) if count <= MOST_NEAR]
        if now and counts[0] <= MOST_NEAR // 4:
            return steps[now - 1]
        return fit[0] if fit else steps[-1]

    def forget_neighbours(self, hour: float) -> None:
        """Forget the neighbours of documents before an hour."""
        begin = max(self.near_from, self.at(hour))
        if begin > self.near_from:
            self._keep_near(np.arange(begin, len(self)))
            self.near_from = begin


def sample(keys: NDArray[np.uint64], kinds: Int, most: int) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Return which documents of a day stay, and for how many each stands then.

    At most `most` stay, of each kind as many up to one level, so that what is small stays whole; of a kind those with
    the lowest keys, which chance has given to texts. Copies share a key.
    """
    counts = np.bincount(kinds)
    level = most // max(1, int(np.count_nonzero(counts)))
    for small in np.sort(counts[counts > 0]).tolist():  # what the small ones leave is for the others
        rest = counts[counts >= small]
        level = max(level, (most - int(counts[counts < small].sum())) // len(rest))
    order = np.lexsort((np.arange(len(keys)), keys, kinds))
    rank = np.empty(len(keys), np.int64)
    rank[order] = np.arange(len(keys)) - (np.cumsum(counts) - counts)[kinds[order]]
    stays = rank < level
    stands = np.rint(counts / np.maximum(1, np.minimum(counts, level)) * FINEST) / FINEST
    return stays, stands[kinds].astype(np.float32)


def _whole_part(index: Int) -> slice | Int:
    """Return some positions, as a part where they lie one behind the other: a part is no copy."""
    if len(index) and index[-1] - index[0] + 1 == len(index):
        return slice(int(index[0]), int(index[-1]) + 1)
    return index


def _lay(starts: Int, index: Int) -> tuple[slice | Int, Int]:
    """Return what some rows have in a table whose row k lies at ``starts[k]:starts[k + 1]``, and their own starts."""
    rows = _whole_part(index)
    if isinstance(rows, slice):
        own = starts[rows.start : rows.stop + 1]
        return slice(int(own[0]), int(own[-1])), own - own[0]
    lay = Ragged.parts(starts, index)
    return lay.items, lay.starts


PER_DOCUMENT = (
    "ids", "hours", "known", "raw", "vectors", "keys", "alone", "joins", "lengths", "languages", "markets",
    "kinds", "sources", "themes", "moods", "stands",
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


def _rarest(has: sparse.csr_matrix, size: Int, frequent: Int) -> sparse.csr_matrix:
    """Return so many of the rarest terms of each text that a copy of it must have one of them."""
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
