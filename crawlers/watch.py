"""Whether a text is about what a source watches for: all words at once, in time linear in the text (RE2)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from groundswell.configs.rules import UNSPACED
from groundswell.configs.schema import CrawlSettings
from groundswell.configs.source import Source
from groundswell.configs.watch import Condition, Spoken, family, pick, read_watch

UNSPACED_LETTER = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]"
)
"""Thai, Lao, Burmese, Khmer, Kana, Han, and Hangul (whose particles stand close): they need no boundary."""
OTHER_SCRIPT = rf"{UNSPACED}\p{{Hangul}}"
BEFORE = rf"(?:^|[^\p{{L}}\p{{M}}\p{{N}}]|[{OTHER_SCRIPT}])"
AFTER_LETTER = rf"(?:$|[^\p{{L}}\p{{M}}]|[{OTHER_SCRIPT}])"
"""A digit may follow: "Shopee11.11", Indonesian "iklan2" (iklan-iklan)."""
AFTER_DIGIT = rf"(?:$|[^\p{{L}}\p{{M}}\p{{N}}]|[{OTHER_SCRIPT}])"
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufe00-\ufe0f]")
JOINTS = re.compile(r"[\s_\-\u2010-\u2015]+")
"""Between the words of a phrase: "ad account", "ad-account" and "ad_account" are one."""
ENGINE_MEMORY = 64 << 20


class Watcher:
    """The conditions of one source, compiled together."""

    def __init__(self, conditions: Sequence[Condition]) -> None:
        """Compile them.

        Raises:
            ValueError: RE2 refuses a word.
        """
        self.conditions = tuple(conditions)
        words = (word for each in conditions for clause in (*each.clauses, each.none) for word in clause)
        self._numbers = {word: number for number, word in enumerate(dict.fromkeys(words))}
        self._engine = _engine(list(self._numbers))

    def meets(self, text: str, lang: str = "") -> tuple[str, ...]:
        """Return the ids of the conditions that a text meets; in an unknown language every word counts."""
        matches = set(self._engine.Match(folded(text)) or ()) if self._engine else set()
        own = family(lang)

        def speaks(words: Sequence[Spoken]) -> bool:
            return any(self._numbers[each] in matches and (not own or each.lang in {"", own}) for each in words)

        return tuple(
            each.id
            for each in self.conditions
            if matches and all(speaks(clause) for clause in each.clauses) and not speaks(each.none)
        )


def watcher_of(source: Source, crawl: CrawlSettings) -> Watcher | None:
    """Return what keeps a source to its topics, or ``None`` where it watches for nothing.

    Raises:
        ConfigError: a watch list cannot be used.
    """
    return _watcher(tuple(pick(read_watch(crawl.watch), source.watch))) if source.watch else None


@lru_cache(16)
def _watcher(conditions: tuple[Condition, ...]) -> Watcher:
    """Return the one watcher of all sources that watch for the same."""
    return Watcher(conditions)


def folded(text: str) -> str:
    """Return a text as words are compared: one width, one case, one way to store accents, nothing invisible."""
    plain = unicodedata.normalize("NFKC", INVISIBLE.sub("", text)).casefold()
    return JOINTS.sub(" ", unicodedata.normalize("NFKC", plain))


def pattern(word: str) -> str:
    """Return a word as RE2 looks for it in a `folded` text."""
    plain = folded(word.strip("*")).strip()
    letters = "".join(letter if letter.isalnum() or letter == " " else _escaped(letter) for letter in plain)
    begins = word.startswith("*") or UNSPACED_LETTER.match(plain)
    ends = word.endswith("*") or UNSPACED_LETTER.match(plain[-1])
    after = "" if ends else AFTER_DIGIT if plain[-1].isdigit() else AFTER_LETTER
    found = f"{'' if begins else BEFORE}{letters}{after}"
    tag = f"#{letters.replace(' ', '')}{after}"  # people write a phrase as one tag
    return f"{found}|{tag}" if " " in plain else found


def _escaped(letter: str) -> str:
    return rf"\x{{{ord(letter):x}}}"


def _engine(words: Sequence[Spoken]) -> Any:
    import re2  # only who watches pays for it

    options = re2.Options()
    options.max_mem, options.log_errors, options.never_capture = ENGINE_MEMORY, False, True
    engine = re2.Filter()
    for each in words:
        try:
            engine.Add(pattern(each.word), options)
        except re2.error:
            raise ValueError(f"the word {each.word[:60]!r} cannot be looked for") from None
    if not words:
        return None
    engine.Compile()
    return engine


__all__ = ["Watcher", "folded", "pattern", "watcher_of"]
