"""Which analysts' rules a text meets: one pass over all patterns at once, in time linear in the text (RE2)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from groundswell.configs.rules import Compiled, load_rules, refusal
from groundswell.configs.yaml_lines import ConfigError
from groundswell.index.spelling import normalise
from groundswell.nlp.text.clean import clean_one
from groundswell.nlp.text.language import UNKNOWN, same_family

SHADOW = "shadow:"
"""Prefix of a hit that is only counted, until its rule has proved itself."""
ENGINE_MEMORY = 64 << 20
"""Bytes that each engine may take for its automaton; RE2 forgets states and goes on when it is full."""


class Rules:
    """All rules, compiled together. Opened by `read_rules`; cheap to keep, safe to use again."""

    def __init__(self, compiled: Sequence[Compiled]) -> None:
        """Compile the rules.

        Raises:
            ConfigError: RE2 refuses a pattern, or it matches an empty text; with file, line and reason.
        """
        self.compiled = tuple(compiled)
        self._about = {each.rule.id: each.rule.about for each in compiled}
        self._engine = self._built()

    def __len__(self) -> int:
        """Return how many rules there are."""
        return len(self.compiled)

    def hits(self, texts: Sequence[str], langs: Sequence[str]) -> list[tuple[str, ...]]:
        """Return for each text the ids of the rules it meets, in the files' order; shadow ones as ``shadow:id``.

        Args:
            texts: cleaned texts (`groundswell.nlp.text.clean`).
            langs: their languages; ``und`` or empty meets rules of every language.
        """
        return [self._of(text, lang) for text, lang in zip(texts, langs, strict=True)]

    def about(self, hits: Sequence[str]) -> tuple[str, ...]:
        """Return the risks and tags that hits claim, each once; shadow hits claim nothing."""
        return tuple(dict.fromkeys(self._about[hit] for hit in hits if not hit.startswith(SHADOW)))

    def complaints(self) -> Iterator[str]:
        """Yield a sentence, with file and line, for every example that a rule does not treat as it promises."""
        yield from (complaint for _, complaint in self._broken())

    def proven(self, now: datetime | None = None) -> tuple[Rules, tuple[str, ...]]:
        """Return the rules that keep their promises and have not expired, and what is said of those left out."""
        broken = [*self._broken(), *self._expired(now)]
        if not broken:
            return self, ()
        failing = {name for name, _ in broken}
        return Rules([each for each in self.compiled if each.rule.id not in failing]), tuple(why for _, why in broken)

    def _expired(self, now: datetime | None) -> Iterator[tuple[str, str]]:
        for each in self.compiled:
            if now is not None and each.rule.expires is not None and each.rule.expires <= now.date():
                whose = f"; ask {each.rule.owner}" if each.rule.owner else ""
                yield each.rule.id, f"{each.where}: rule {each.rule.id} expired on {each.rule.expires}{whose}"

    def _broken(self) -> Iterator[tuple[str, str]]:
        for each in self.compiled:
            if not each.rule.reject:
                yield (
                    each.rule.id,
                    f"{each.where}: rule {each.rule.id} names no text under 'reject' that it must leave alone",
                )
            lang = each.rule.languages[0] if each.rule.languages else UNKNOWN
            for wanted, examples in ((True, each.rule.match), (False, each.rule.reject)):
                for example in examples:
                    if self._meets(each, example, lang) is not wanted:
                        verb = "does not hit" if wanted else "hits"
                        yield each.rule.id, f"{each.where}: rule {each.rule.id} {verb} its example {example!r}"

    def _meets(self, each: Compiled, text: str, lang: str) -> bool:
        found = self._of(clean_one(text), lang)
        return each.rule.id in found or SHADOW + each.rule.id in found

    def _of(self, text: str, lang: str) -> tuple[str, ...]:
        if self._engine is None:
            return ()
        matches = set(self._engine.Match(unicodedata.normalize("NFC", text.lower())) or ())
        return tuple(
            SHADOW + each.rule.id if each.rule.shadow else each.rule.id
            for each, (some, every, no) in self._candidates(matches)
            if (not some or matches & some) and every <= matches and not matches & no and _speaks(each, lang)
        )

    def _candidates(self, matches: set[int]) -> list[tuple[Compiled, tuple[frozenset[int], ...]]]:
        """Return the rules that one of the patterns found belongs to, in order."""
        rows = sorted({row for pattern in matches for row in self._used_by[pattern]})
        return [(self.compiled[row], self._patterns[row]) for row in rows]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        everything = (pattern for each in self.compiled for part in (each.any, each.all, each.none) for pattern in part)
        return {pattern: number for number, pattern in enumerate(dict.fromkeys(everything))}

    @cached_property
    def _patterns(self) -> list[tuple[frozenset[int], ...]]:
        return [
            tuple(frozenset(self._numbers[pattern] for pattern in part) for part in (each.any, each.all, each.none))
            for each in self.compiled
        ]

    @cached_property
    def _used_by(self) -> list[list[int]]:
        users: list[list[int]] = [[] for _ in self._numbers]
        for row, (some, every, _) in enumerate(self._patterns):
            for pattern in some | every:
                users[pattern].append(row)
        return users

    def _built(self) -> Any:
        """Build RE2's Filter: one search for the letters every pattern needs, then only the patterns they allow."""
        import re2  # only who applies rules pays for it

        options = re2.Options()
        options.max_mem, options.log_errors, options.never_capture = ENGINE_MEMORY, False, True
        engine = re2.Filter()
        for pattern in self._numbers:
            try:
                engine.Add(normalise(pattern), options)
            except re2.error:
                raise ConfigError(self._refused(pattern)) from None
        if not self._numbers:
            return None  # RE2 refuses to search for nothing
        engine.Compile()
        for number in engine.Match("") or ():
            raise ConfigError(self._refused(list(self._numbers)[number]))
        return engine

    def _refused(self, pattern: str) -> str:
        users = [each for each in self.compiled if pattern in (*each.any, *each.all, *each.none)]
        return "\n".join(f"{each.where}: rule {each.rule.id}: {refusal(pattern)}" for each in users)


def read_rules(paths: Sequence[Path] = (), *, risks: Sequence[str] | None = None) -> Rules:
    """Read shipped and own rules (`groundswell.configs.rules.load_rules`), ready to be applied."""
    return Rules(load_rules(paths, risks=risks))


def _speaks(each: Compiled, lang: str) -> bool:
    wanted = each.rule.languages
    return not wanted or lang in {"", UNKNOWN} or any(same_family(lang, one) for one in wanted)
