"""What makes two documents the same subject: their meaning, the rare words they share, and nothing from the future.

A document becomes one *evidence vector*, its centred embedding beside its hashed words, scaled so that the dot product
of two evidence vectors is the log-odds (up to a constant) that both tell of the same subject. Everything after that is
linear: the mean link between two groups is the dot product of their means, whatever their size.
"""

from __future__ import annotations

import zlib
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.themes.registers import Registers

Floats = NDArray[np.float32]
Tokens = Callable[[str, str], list[str]]
"""A text and its language → its words, repeats kept."""

DIMENSIONS = 384
"""Of the embedding."""
HASHED = 1024
"""Signed dimensions the words are hashed into (Weinberger et al. 2009): bounded, and it needs no vocabulary."""
WIDTH = DIMENSIONS + HASHED
MEMORY = 5000
"""Documents over which the mean vectors and the document frequencies trail."""
PRIOR = 2000
"""Weight, in documents, of the shipped mean vectors while a stream is young: a stream that begins with one event must
not have that event for its mean. Heavier costs streams of one kind of text, lighter streams of few events."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each kind of evidence says, in log-odds; see `bench/themes.py` for how they were found.

    Attributes:
        meaning: per unit of centred cosine.
        words: per nat of inverse document frequency that two documents share.
        telling: only so many words of a document count, its rarest, so that a long article does not resemble all.
        sharp: whether directions in which documents of one subject differ anyway count less (`sharpening`).
    """

    meaning: float = 15.0
    words: float = 0.15
    telling: int = 16
    sharp: bool = True


class Evidence:
    """Turns documents into evidence vectors, learning means and word frequencies from what came before.

    Attributes:
        means: trailing mean embedding of each language, and of all under "". The encoder's vectors lie in a narrow
            cone, so that uncentred everything is near everything, and each language has a corner of its own in it:
            taken from its own mean, the same complaint in two languages comes close.
        counted: documents behind each mean, the shipped prior included, at most `MEMORY`.
        priors: what each mean began as.
        prior_share: how much of each mean is still the prior.
        trust: what is made of the prior's weight when a mean is taken from vectors; less than 1 where hardly any
            documents are alike, so that what a language's have in common is the language, not an event.
        registers: what texts have in common because of how they are written.
        documents: documents read so far.
        recent: the words of the latest `MEMORY` of them.
        frequency: in how many of those each word is.
    """

    def __init__(self, weights: Weights, tokens: Tokens) -> None:
        self.weights, self.tokens = weights, tokens
        self.means = dict(prior_means())
        self.counted = dict.fromkeys(self.means, float(PRIOR))
        self.priors = dict(self.means)
        self.prior_share = dict.fromkeys(self.means, 1.0)
        self.trust = 1.0
        self.registers = Registers()
        self.documents = 0
        self.recent: deque[frozenset[str]] = deque()
        self.frequency: Counter[str] = Counter()

    def read(self, vectors: Floats, texts: Sequence[str], langs: Sequence[str]) -> Floats:
        """Learn from a batch and return its evidence vectors, shape ``(n, 384 + 1024)``."""
        words = [frozenset(self.tokens(t, lang)) for t, lang in zip(texts, langs, strict=True)]
        self._learn_words(words)
        codes = [plain_code(lang) for lang in langs]
        registers = self.registers.learn(vectors, texts, [code if code in prior_means() else "" for code in codes])
        x = vectors - self._learn_means(vectors, codes)
        if self.trust < 1 and registers:  # where alike documents are common, what a register has may be an event
            x -= np.float32(1 - self.trust) * self.registers.apart(registers)
        x = x @ sharpening() if self.weights.sharp else x
        x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)
        hashed = np.stack([self._hash(w) for w in words]) if words else np.zeros((0, HASHED))
        both = np.hstack([np.sqrt(self.weights.meaning) * x, np.sqrt(self.weights.words) * hashed])
        return both.astype(np.float16).astype(np.float32)  # halved precision, so that a saved state is the same state

    def rarity(self, word: str) -> float:
        """Return a word's inverse document frequency over the trailing documents, in nats."""
        return float(np.log((len(self.recent) + 1000) / (self.frequency[word] + 1)))

    def recall(self, words: Sequence[frozenset[str]], documents: int) -> None:
        """Take over the words of the latest documents, out of so many, from an earlier state."""
        self.documents = documents
        self.recent = deque(words)
        self.frequency = Counter(word for one in words for word in one)

    def _learn_words(self, words: list[frozenset[str]]) -> None:
        self.documents += len(words)
        for w in words:
            self.recent.append(w)
            self.frequency.update(w)
        while len(self.recent) > MEMORY:
            self._forget(self.recent.popleft())

    def _forget(self, words: frozenset[str]) -> None:
        """Take a document's words back; one that nobody says any more takes no room."""
        for word in words:
            self.frequency[word] -= 1
            if not self.frequency[word]:
                del self.frequency[word]

    def _learn_means(self, vectors: Floats, langs: list[str]) -> Floats:
        """Return the mean to take from each vector, its own counted in."""
        of = np.array(langs)
        for lang in sorted({"", *langs}):
            mine = vectors if not lang else vectors[of == lang]
            before, mean = self.counted.get(lang, float(PRIOR)), self.means.get(lang, self.means[""])
            self.priors.setdefault(lang, mean)
            self.prior_share[lang] = self.prior_share.get(lang, 1.0) * before / (before + len(mine))
            self.means[lang] = (before * mean + mine.sum(0, dtype=np.float64)) / (before + len(mine))
            self.counted[lang] = min(before + len(mine), float(MEMORY))
        taken = {lang: self._trusted(lang) for lang in sorted(set(langs))}
        return np.array([taken[lang] for lang in langs], np.float32).reshape(len(langs), DIMENSIONS)

    def _trusted(self, lang: str) -> NDArray[np.float64]:
        """Return a language's mean, moved on by what its documents have in common beside those of other languages.

        How far the prior is no longer trusted, so far it goes; what all languages share may be an event, and stays.
        """
        mean, rest = self.means[lang], (1 - self.trust) * self.prior_share[lang]
        spoken = [one for one, share in self.prior_share.items() if one and share < 1]
        if not rest or lang not in spoken:
            return mean
        shifts = {one: (self.means[one] - self.priors[one]) / (1 - self.prior_share[one]) for one in spoken}
        heard = np.array([self.counted[one] * (1 - self.prior_share[one]) for one in spoken])
        common = sum(n * shifts[one] for n, one in zip(heard / heard.sum(), spoken, strict=True))
        moved: NDArray[np.float64] = mean + rest * (shifts[lang] - common)
        return moved

    def _hash(self, words: frozenset[str]) -> NDArray[np.float64]:
        telling = sorted(((self.rarity(w), w) for w in words), reverse=True)[: self.weights.telling]
        out = np.zeros(HASHED)
        for rarity, word in telling:
            place, sign = bucket(word)
            out[place] += sign * np.sqrt(max(rarity, 0.0))
        return out


@lru_cache(maxsize=200_000)
def bucket(word: str) -> tuple[int, int]:
    """Return the dimension and the sign of a word, the same on every machine."""
    code = zlib.crc32(word.encode("utf-8", "surrogatepass"))
    return code % HASHED, 1 if code & 0x80000000 else -1


def plain_code(lang: str) -> str:
    """Return a language without region, Malay and Indonesian as one: short texts of theirs cannot be told apart."""
    code = lang.lower().partition("-")[0].partition("/")[0]
    return {"ms": "id", "und": ""}.get(code, code)


@lru_cache(maxsize=1)
def prior_means() -> dict[str, NDArray[np.float64]]:
    """Return the mean vectors that ship with Groundswell, by language, their own mean under ""."""
    with resources.files(__package__).joinpath("means.npz").open("rb") as file, np.load(file) as arrays:
        means = {lang: arrays[lang].astype(np.float64) for lang in arrays.files}
    return {"": np.mean(list(means.values()), axis=0), **means}


@lru_cache(maxsize=1)
def sharpening() -> Floats:
    """Return the matrix that ships with Groundswell, ``(384, 384)``: made by `bench/sharpen.py`."""
    with resources.files(__package__).joinpath("sharpening.npz").open("rb") as file, np.load(file) as arrays:
        matrix: Floats = arrays["matrix"].astype(np.float32)
    return matrix
