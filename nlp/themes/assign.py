"""The online theme space: each document joins a living theme, waits in the pool, or helps to found a new theme.

Nothing here knows a store, a clock or a model: documents come in, in arrival order, with their vectors.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from groundswell.index.ids import stable_id
from groundswell.index.records import Lineage

Tokens = Callable[[Sequence[str], Sequence[str]], list[list[str]]]
"""Texts and their languages → the words of each."""


@dataclass(slots=True, eq=False)
class Cluster:
    """A living theme, or (while `theme` is empty) a handful of pooled documents that may become one.

    `size` counts documents without copies; `copies` counts them all. `members` are the most recent ids, bounded.
    """

    theme: str
    vector: NDArray[np.float64]
    words: Counter[str]
    first_seen: datetime
    last_seen: datetime
    size: int = 0
    copies: int = 0
    members: deque[str] = field(default_factory=lambda: deque(maxlen=64))
    authors: set[str] = field(default_factory=set)


class ThemeSpace:
    """Themes over a stream, kept online: the cost of a batch depends on what is alive, not on history.

    Use::

        space = ThemeSpace(smallest=5, fewest_authors=2)
        themes = space.add(ids, vectors, texts, langs, times, authors)   # theme id, or "" while a document waits
        moved = space.drain()       # earlier documents whose theme changed during the last `add`: {id: theme or ""}
        space.themes                # theme id → Cluster: vector (384,), words, size, first_seen, last_seen, members
        space.events                # every Lineage so far: born, split, merged, faded, revived

    `add` answers for the documents of this batch only; when a batch founds a theme, the earlier documents that had
    waited for it are reported by `drain`. Batches must come in arrival order; a batch may hold any number of
    documents (an hour, a day). Feeding the same documents in the same batches gives the same ids on any machine: a
    theme's id is a hash of its founding documents. Copies (`copy_of`) get the theme of their first and count once.
    """

    def __init__(
        self,
        *,
        join: float | None = None,
        smallest: int = 5,
        fewest_authors: int = 2,
        fade_days: int = 30,
        pool_days: int = 14,
        tokens: Tokens | None = None,
    ) -> None:
        self.join = 0.42 if join is None else join
        self.smallest, self.fewest_authors = smallest, fewest_authors
        self.fade, self.wait = timedelta(days=fade_days), timedelta(days=pool_days)
        self.tokens = tokens or plain_tokens
        self.themes: dict[str, Cluster] = {}
        self.events: list[Lineage] = []
        self._clusters: list[Cluster] = []
        self._of: dict[str, Cluster] = {}
        self._moved: dict[str, str] = {}
        self._mean: NDArray[np.float64] | None = None
        self._seen = 0
        self._window: deque[list[str]] = deque(maxlen=5000)
        self._df: Counter[str] = Counter()

    def add(
        self,
        ids: Sequence[str],
        vectors: NDArray[np.float32],
        texts: Sequence[str],
        langs: Sequence[str] | None = None,
        times: Sequence[datetime] | None = None,
        authors: Sequence[str] | None = None,
        copy_of: Sequence[str] | None = None,
    ) -> list[str]:
        """Place a batch of documents, in arrival order, and return the theme id of each ("" while it waits).

        Args:
            ids: document ids, unique over the life of the space.
            vectors: shape ``(n, 384)``, float32, unit length, as the encoder gives them (not centred).
            texts: title and text.
            langs: BCP 47 codes; empty where unknown.
            times: aware UTC; when each was published (or, undated, fetched).
            authors: author keys; empty where unknown.
            copy_of: the id of the document each is a near-copy of; empty or its own id for a first.
        """
        n = len(ids)
        times = times or [datetime.fromtimestamp(0).astimezone()] * n
        words = self.tokens(texts, langs or [""] * n)
        self._learn(vectors, words)
        centred = self._centre(vectors)
        for i in range(n):
            self._place(ids[i], centred[i], words[i], times[i], (authors or [""] * n)[i], (copy_of or [""] * n)[i])
        answer = [self.theme_of(i) for i in ids]
        for i in ids:
            self._moved.pop(i, None)
        return answer

    def theme_of(self, id: str) -> str:
        """Return a document's theme now, "" if it waits or is no longer remembered."""
        cluster = self._of.get(id)
        return cluster.theme if cluster else ""

    def drain(self) -> dict[str, str]:
        """Return and forget the changes to documents of earlier batches: id → theme."""
        moved, self._moved = self._moved, {}
        return moved

    def _learn(self, vectors: NDArray[np.float32], words: list[list[str]]) -> None:
        n = len(vectors)
        mean = vectors.mean(0, dtype=np.float64) if n else 0
        share = n / (min(self._seen, 5000) + n) if n else 0
        self._mean = mean if self._mean is None else (1 - share) * self._mean + share * mean
        self._seen += n
        for w in words:
            if len(self._window) == self._window.maxlen:
                self._df.subtract(set(self._window[0]))
            self._window.append(w)
            self._df.update(set(w))

    def _centre(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        x = vectors - self._mean
        return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)

    def _idf(self, word: str) -> float:
        return float(np.log((len(self._window) + 1) / (self._df[word] + 0.5)))

    def _weigh(self, counts: Counter[str]) -> dict[str, float]:
        return {w: np.log1p(c) * self._idf(w) for w, c in counts.items()}

    def _place(self, id: str, x: NDArray[np.float64], words: list[str], at: datetime, author: str, copy: str) -> None:
        if copy and copy != id and copy in self._of:
            cluster = self._of[copy]
            cluster.copies += 1
        else:
            cluster = self._nearest(x, words) or self._found(x, at)
            cluster.vector = cluster.vector + x
            cluster.words.update(set(words))
            cluster.size += 1
            cluster.copies += 1
            cluster.last_seen = max(cluster.last_seen, at)
            if author:
                cluster.authors.add(author)
        cluster.members.append(id)
        self._of[id] = cluster
        self._promote(cluster, at)

    def _found(self, x: NDArray[np.float64], at: datetime) -> Cluster:
        cluster = Cluster("", np.zeros_like(x), Counter(), at, at)
        self._clusters.append(cluster)
        return cluster

    def _nearest(self, x: NDArray[np.float64], words: list[str]) -> Cluster | None:
        mine = self._weigh(Counter(words))
        norm = np.sqrt(sum(v * v for v in mine.values())) or 1.0
        best, score = None, self.join
        for c in self._clusters:
            theirs = {w: np.log1p(c.words[w]) * self._idf(w) for w in mine if w in c.words}
            whole = np.sqrt(sum(v * v for v in self._weigh(c.words).values())) or 1.0
            lexical = sum(mine[w] * v for w, v in theirs.items()) / norm / whole
            s = 0.5 * lexical + 0.5 * float(x @ c.vector) / max(float(np.linalg.norm(c.vector)), 1e-9)
            if s > score:
                best, score = c, s
        return best

    def _promote(self, cluster: Cluster, at: datetime) -> None:
        known = len(cluster.authors)
        if cluster.theme or cluster.size < self.smallest or (known and known < self.fewest_authors):
            return
        cluster.theme = stable_id("theme", *list(cluster.members)[: self.smallest])
        self.themes[cluster.theme] = cluster
        self._moved.update(dict.fromkeys(cluster.members, cluster.theme))
        self.events.append(
            Lineage(id=stable_id("born", cluster.theme), theme=cluster.theme, what="born", at=at, why="enough documents")
        )


def plain_tokens(texts: Sequence[str], langs: Sequence[str]) -> list[list[str]]:
    """Return lower-case words, and pairs of characters where a script has no spaces."""
    return [_plain(t) for t in texts]


def _plain(text: str) -> list[str]:
    words: list[str] = []
    for run in re.findall(r"[\w']+", text.casefold()):
        if re.match(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]", run):
            words += [run[i : i + 2] for i in range(max(len(run) - 1, 1))]
        else:
            words.append(run)
    return words
