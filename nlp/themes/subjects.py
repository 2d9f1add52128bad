"""Which standing topics a theme's documents are about, and how a reader's language calls them and the risks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import log
from typing import TYPE_CHECKING

from groundswell.nlp.themes.evidence import plain_code

if TYPE_CHECKING:
    from groundswell.configs.complaints import Complaint
    from groundswell.configs.topics import Topic

MOST_OF_THEM = 0.5
"""Share of a theme's documents that must be about a topic for the theme to be about it."""
PART_OF_THEM, ALONE, MIXED = 0.1, 0.25, 3
"""Share that makes a topic one of those that a theme mixes; the same where it is the only one; how many are named."""
EVERYWHERE = 0.02
"""Share of documents that is added to how common a topic is among themes, so that rare ones do not win by chance."""
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a theme is about in words of our own, by language; empty where nothing is known.

    Attributes:
        risk: names of its risk.
        topic: titles of its standing topic.
        topics: the share of its documents that is about each topic, kept to set other themes apart.
        mixture: titles of the topics that it mixes, where it is about no single one.
        words: what people say of its risk and its topic, as taxonomy and topics spell words.
        complaint: what is wrong, of the complaints that at least half of its documents hold the commonest.
    """

    risk: Mapping[str, str] = field(default_factory=dict)
    topic: Mapping[str, str] = field(default_factory=dict)
    topics: Mapping[str, float] = field(default_factory=dict)
    mixture: Mapping[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    complaint: Mapping[str, str] = field(default_factory=dict)

    def told(self, lang: str) -> dict[str, str]:
        """Return what is known in a language, under the names that a title asks for."""
        return {
            "wrong": self.complaint.get(lang, "") or self.risk.get(lang, ""),
            "topic": self.topic.get(lang, ""), "mixture": self.mixture.get(lang, ""),
        }  # fmt: skip

    def holds(self, phrase: str) -> bool:
        """Return whether a phrase, in small letters, has a word that points to the risk or the topic."""
        return bool(self.words) and _any_of(self.words).search(phrase) is not None


class TopicFinder:
    """Says which topics texts are about, by their words."""

    def __init__(self, topics: Sequence[Topic]) -> None:
        self.topics = {topic.id: topic for topic in topics}
        self._pattern = lru_cache(maxsize=None)(self._compiled)
        self._parts = lru_cache(maxsize=None)(self._longest)

    def shares(self, texts: Sequence[tuple[str, str]]) -> dict[str, float]:
        """Return the share of (text, language) pairs that is about each topic, where any is."""
        if not texts:
            return {}
        folded: dict[str, list[str]] = {}
        for text, lang in texts:
            folded.setdefault(plain_code(lang), []).append(text.casefold())
        counts = Counter[str]()
        for lang, mine in folded.items():
            together = "\n".join(mine)  # most topics have no piece of a word in any of them
            for topic in self.topics:
                if self._may_speak_of(topic, together, lang):
                    counts[topic] += sum(self.speaks_of(topic, each, lang) for each in mine)
        return {topic: counts[topic] / len(texts) for topic in self.topics if counts[topic]}

    def speaks_of(self, topic: str, folded: str, lang: str) -> bool:
        """Return whether a case-folded text is about a topic.

        Most texts have no piece of any of its words, which is quickly seen; only the others are read by the pattern.
        """
        return self._may_speak_of(topic, folded, lang) and self._pattern(topic, lang).search(folded) is not None

    def _may_speak_of(self, topic: str, folded: str, lang: str) -> bool:
        return any(part in folded for part in self._parts(topic, lang))

    def _longest(self, topic: str, lang: str) -> tuple[str, ...]:
        """Return the longest piece of each of its words."""
        words = self.topics[topic].spoken(lang)
        return tuple(sorted({max(word.strip("*").casefold().split(), key=len, default="") for word in words}, key=len))

    def _compiled(self, topic: str, lang: str) -> re.Pattern[str]:
        return re.compile("|".join(map(pattern_of, self.topics[topic].spoken(lang))) or r"(?!)")


class ComplaintFinder:
    """Says what is wrong, of the complaints that people make again and again."""

    def __init__(self, complaints: Sequence[Complaint]) -> None:
        self.complaints = {one.id: one for one in complaints}
        self._words = TopicFinder(complaints)
        self._beside = TopicFinder([one.model_copy(update={"words": one.beside}) for one in complaints])

    def main(self, texts: Sequence[tuple[str, str]]) -> Complaint | None:
        """Return the commonest complaint that at least half of the (text, language) pairs hold, if there is one."""
        counts = Counter[str]()
        for text, lang in texts:
            counts.update(self._made(text.casefold(), plain_code(lang)))
        best = max(self.complaints, key=lambda one: counts[one], default="")  # the first of those as common
        return self.complaints[best] if counts[best] >= max(1, MOST_OF_THEM * len(texts)) else None

    def _made(self, folded: str, lang: str) -> list[str]:
        return [
            one
            for one, complaint in self.complaints.items()
            if self._words.speaks_of(one, folded, lang)
            and (not complaint.also_spoken(lang) or self._beside.speaks_of(one, folded, lang))
        ]


def pattern_of(word: str) -> str:
    """Return a topic's word as a regular expression over case-folded text.

    >>> re.findall(pattern_of("refund*"), "refunds, no refund; nonrefundable")
    ['refunds', 'refund']
    """
    core = re.escape(word.strip("*").casefold()).replace(r"\ ", r"\s+")
    if _UNSPACED.search(word):
        return core
    before = "" if word.startswith("*") else r"(?<!\w)"
    return before + core + (r"\w*" if word.endswith("*") else r"(?!\w)")


@lru_cache(maxsize=256)
def _any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(pattern_of, words)))


def mixture_of(own: Mapping[str, float]) -> tuple[str, ...]:
    """Return the topics that a good part of a theme is about, the commonest first; one alone must be commoner."""
    common = sorted((topic for topic in own if own[topic] >= PART_OF_THEM), key=lambda topic: (-own[topic], topic))
    return tuple(common[:MIXED]) if len(common) > 1 or (common and own[common[0]] >= ALONE) else ()


def main_topic(own: Mapping[str, float], others: Sequence[Mapping[str, float]]) -> str:
    """Return the topic that most of a theme's documents are about and fewer of the other themes', or ""."""
    telling = {
        topic: share * log(1 + share / (EVERYWHERE + sum(each.get(topic, 0.0) for each in others) / (len(others) or 1)))
        for topic, share in own.items()
        if share >= MOST_OF_THEM
    }
    return max(telling, key=lambda topic: (telling[topic], topic), default="")
