"""Which standing topics a theme's documents are about, and how a reader's language calls them and the risks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import log
from typing import TYPE_CHECKING

from groundswell.nlp.themes.evidence import plain_code

if TYPE_CHECKING:
    from groundswell.configs.topics import Topic

MOST_OF_THEM = 0.4
"""Share of a theme's documents that must be about a topic for the theme to be about it."""
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
    """

    risk: Mapping[str, str] = field(default_factory=dict)
    topic: Mapping[str, str] = field(default_factory=dict)
    topics: Mapping[str, float] = field(default_factory=dict)


class TopicFinder:
    """Says which topics texts are about, by their words."""

    def __init__(self, topics: Sequence[Topic]) -> None:
        self.topics = {topic.id: topic for topic in topics}
        self._pattern = lru_cache(maxsize=None)(self._compiled)

    def shares(self, texts: Sequence[tuple[str, str]]) -> dict[str, float]:
        """Return the share of (text, language) pairs that is about each topic, where any is."""
        if not texts:
            return {}
        folded = [(text.casefold(), plain_code(lang)) for text, lang in texts]
        counts = {topic: sum(self.speaks_of(topic, *each) for each in folded) for topic in self.topics}
        return {topic: count / len(texts) for topic, count in counts.items() if count}

    def speaks_of(self, topic: str, folded: str, lang: str) -> bool:
        """Return whether a case-folded text is about a topic.

        Most texts have no piece of any of its words, which is quickly seen; only the others are read by the pattern.
        """
        parts, pattern = self._pattern(topic, lang)
        return any(part in folded for part in parts) and pattern.search(folded) is not None

    def _compiled(self, topic: str, lang: str) -> tuple[tuple[str, ...], re.Pattern[str]]:
        words = self.topics[topic].spoken(lang)
        parts = {max(word.strip("*").casefold().split(), key=len, default="") for word in words}
        return tuple(sorted(parts, key=len)), re.compile("|".join(map(pattern_of, words)) or r"(?!)")


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


def main_topic(own: Mapping[str, float], others: Sequence[Mapping[str, float]]) -> str:
    """Return the topic that most of a theme's documents are about and fewer of the other themes', or ""."""
    telling = {
        topic: share * log(1 + share / (EVERYWHERE + sum(each.get(topic, 0.0) for each in others) / (len(others) or 1)))
        for topic, share in own.items()
        if share >= MOST_OF_THEM
    }
    return max(telling, key=lambda topic: (telling[topic], topic), default="")
