"""The words of a text that matter, each with what it means: for whoever must judge evidence in a language not theirs.

Nothing is translated and nothing guessed: a word is one of a standing topic's (`groundswell.configs.topics`) and means
its title, or one that met a rule and means the rule's risk. What is beside them is not said to be unimportant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from groundswell.configs.rules import Compiled
from groundswell.configs.topics import Topic
from groundswell.index.spelling import normalise
from groundswell.nlp.text.clean import clean_one
from groundswell.nlp.themes.subjects import pattern_of
from groundswell.ui.report import wording
from groundswell.ui.report.tongue import spoken

MOST_WORDS, LONGEST_WORD, LONGEST_READ = 8, 60, 5000
"""Words that are told, characters of one, and characters of a text that are looked at."""


@dataclass(frozen=True, slots=True)
class Meant:
    """A word as it stands in a text, and what it means; `risk` is the id of the risk whose rule it met, or empty."""

    word: str
    meaning: str
    risk: str = ""


@dataclass(slots=True)
class Glossary:
    """Knows what words mean; cheap to ask once it has read a text of a language."""

    topics: Sequence[Topic]
    rules: Sequence[Compiled]
    _patterns: dict[str, list[tuple[Topic, re.Pattern[str]]]] = field(default_factory=dict)

    def of(self, text: str, lang: str, met: Sequence[str] = ()) -> tuple[Meant, ...]:
        """Return the words of a text that matter, those of risks first, each meaning once.

        Args:
            text: as it was found.
            lang: its language (ISO 639-1).
            met: ids of the rules that it met.
        """
        read = normalise(clean_one(text))[:LONGEST_READ].casefold()
        found = {one.meaning: one for one in (*self._of_topics(read, lang), *self._of_rules(read, met))}
        order = sorted(found.values(), key=lambda one: (not one.risk, read.find(one.word)))
        return tuple(order[:MOST_WORDS])

    def _of_topics(self, read: str, lang: str) -> Iterator[Meant]:
        for topic, pattern in self._spoken(lang):
            if (found := pattern.search(read)) and found[0].strip():
                yield Meant(found[0].strip()[:LONGEST_WORD], topic.titled(spoken()) or topic.title)

    def _spoken(self, lang: str) -> list[tuple[Topic, re.Pattern[str]]]:
        if lang not in self._patterns:
            self._patterns[lang] = [
                (topic, re.compile("|".join(map(pattern_of, words))))
                for topic in self.topics
                if (words := topic.spoken(lang))
            ]
        return self._patterns[lang]

    def _of_rules(self, read: str, met: Sequence[str]) -> Iterator[Meant]:
        """Yield the shortest stretch by which a text met each rule: RE2 reads it in time linear in its length."""
        import re2

        options = re2.Options()
        options.log_errors = False
        for each in self.rules:
            if each.rule.id in met:
                stretches = (
                    re2.search(normalise(pattern), read, options=options) for pattern in (*each.any, *each.all)
                )
                if found := sorted((one.group(0) for one in stretches if one), key=len):
                    yield Meant(found[0].strip()[:LONGEST_WORD], wording.risk(each.rule.about), each.rule.about)
