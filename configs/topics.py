"""Standing topics: what people write about again and again, in YAML, as plain words. Users add theirs without code."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from pydantic import Field, field_validator

from groundswell.configs.schema import Section, refuse_twice
from groundswell.configs.yaml_lines import read_as, shipped

ANY = "any"
"""Where words stand that count in every language."""
_SIGNS = re.compile(r"^[-–—−!~^]|[\"“”|*~()\[\]{}\\]| (?:OR|AND|NOT) |\b(?i:near)/\d")
"""Signs of searches and patterns, which no text holds: a word with one would never be counted."""
LANGUAGES = (ANY, "en", "ms", "zh", "th", "vi")
"""Languages that words may be given for; Malay and Indonesian are one, under ``ms``."""


def refuse_unknown_words(words: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return words by language, if each can be looked for.

    Raises:
        ValueError: a language is not known, or a word would count every text or nothing.
    """
    if unknown := sorted(set(words) - set(LANGUAGES)):
        msg = f"words are given for {', '.join(unknown)}; known are {', '.join(LANGUAGES)}"
        raise ValueError(msg)
    if empty := [word for several in words.values() for word in several if not word.strip("* ")]:
        msg = f"{empty[0]!r} would count every text; give at least a letter"
        raise ValueError(msg)
    if signs := [word for several in words.values() for word in several if _SIGNS.search(word.strip().strip("*"))]:
        msg = f"{signs[0]!r}: words are written as they are, with a * at an end only; either is two words in the list"
        raise ValueError(msg)
    return words


class Topic(Section):
    """Something that is written about all the time, so that only how often is news."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")
    """Short name, kept in every signal."""
    title: str = Field(min_length=2, max_length=60)
    """What people read."""
    titles: dict[str, str] = Field(default_factory=dict)
    """What people read in other languages, by ISO 639-1 code; a brand needs none."""
    words: dict[str, tuple[str, ...]] = Field(min_length=1)
    """By language: a word for itself, ``refund*`` for how words begin, ``*tipu*`` for a part of words, or two words."""

    @field_validator("words")
    @classmethod
    def _known_languages(cls, words: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return refuse_unknown_words(words)

    def titled(self, language: str) -> str:
        """Return the title in a language; a name that is written with capitals is the same in all."""
        return self.titles.get(language, "") or (self.title if language == "en" or self.title[0].isupper() else "")

    @property
    def all_words(self) -> tuple[str, ...]:
        """Return its words of every language."""
        return tuple(word for words in self.words.values() for word in words)

    def spoken(self, language: str) -> tuple[str, ...]:
        """Return the words that count in texts of a language (ISO 639-1; empty: only those of every language)."""
        own = {"id": "ms"}.get(language, language)
        return (*self.words.get(ANY, ()), *self.words.get(own, ()))


class TopicFile(Section):
    """A list of topics."""

    topics: tuple[Topic, ...] = ()
    """The topics."""

    @field_validator("topics")
    @classmethod
    def _ids_once(cls, topics: tuple[Topic, ...]) -> tuple[Topic, ...]:
        refuse_twice([one.id for one in topics])
        return topics


def topics_from(path: Path | None = None) -> str:
    """Return a fingerprint of the files that `load_topics` would read."""
    files = (shipped("topics.yaml"), *([path] if path else []))
    return hashlib.blake2b(b"\0".join(file.read_bytes() for file in files if file.is_file()), digest_size=8).hexdigest()


def load_topics(path: Path | None = None) -> tuple[Topic, ...]:
    """Read the topics that come with Groundswell, and the user's own; one with a known id takes its place.

    Raises:
        ConfigError: A file is missing, is not YAML, or does not follow the schema; named with its line.
    """
    files = (shipped("topics.yaml"), *([path] if path else []))
    found = {topic.id: topic for file in files for topic in read_as(file, TopicFile).topics}
    return tuple(found.values())
