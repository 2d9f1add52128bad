"""Watch terms as each search service wants to be asked.

A service that knows OR and AND gets the rule as it is, cut into several queries where it would be too long; one that
takes only words gets one query for each word of the rule's smallest clause, and the rule itself is applied to what
comes back. What a service does not know (``refund*``) is asked as near as it can.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from groundswell.configs.watch import Condition, Spoken

Service = Literal["bluesky", "gdelt", "google_news", "hackernews", "lemmy", "mastodon", "stackexchange"]
Clauses = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Syntax:
    """What a service understands.

    Attributes:
        word: how a word or phrase is written; empty where it cannot be asked.
        boolean: whether it knows OR, AND and NOT.
        longest: characters of one query.
    """

    word: Callable[[str], str]
    boolean: bool = False
    longest: int = 300


def quoted(word: str) -> str:
    """Return a phrase in quotes, a single word as it stands."""
    return f'"{word}"' if re.search(r"[^\w]", word) else word


def _tag(word: str) -> str:
    """Return a word as a tag: without blanks and signs, for nobody writes tags with them."""
    return re.sub(r"[^\w]+", "", word)


def _gdelt(word: str) -> str:
    """GDELT searches English translations, takes letters of the Latin script, and refuses words below three letters."""
    return quoted(word) if len(word) > 2 and word.isascii() else ""


SYNTAX: dict[Service, Syntax] = {
    "bluesky": Syntax(word=quoted),
    "gdelt": Syntax(word=_gdelt, boolean=True, longest=240),  # it refuses queries over about 250 letters
    "google_news": Syntax(word=quoted, boolean=True, longest=500),
    "hackernews": Syntax(word=quoted),
    "lemmy": Syntax(word=str),
    "mastodon": Syntax(word=_tag),
    "stackexchange": Syntax(word=str),
}


def queries(conditions: Sequence[Condition], service: Service, *, lang: str = "") -> list[str]:
    """Return what a service is asked for some conditions, each query once.

    Args:
        conditions: of one or several lists.
        service: whom is asked.
        lang: only words of this language (and those of every one).
    """
    syntax = SYNTAX[service]
    spoken = [condition for each in conditions if (condition := each.within(lang))]
    made = (query for each in spoken for query in (_boolean if syntax.boolean else _plain)(each, syntax))
    return list(dict.fromkeys(made))


def _plain(condition: Condition, syntax: Syntax) -> Iterator[str]:
    """Yield one query for each word of the clause that makes fewest."""
    asked = [_asked(clause, syntax) for clause in condition.clauses]
    yield from min((words for words in asked if words), key=len, default=())


def _boolean(condition: Condition, syntax: Syntax) -> Iterator[str]:
    """Yield the condition itself, the longest clause halved until each query is short enough."""
    without = "".join(f" -{word}" for word in _asked(condition.none, syntax))
    clauses = tuple(_asked(clause, syntax) for clause in condition.clauses)
    if all(clauses):
        yield from _cut(clauses, without if len(without) < syntax.longest // 3 else "", syntax)


def _cut(clauses: Clauses, without: str, syntax: Syntax) -> Iterator[str]:
    query = " ".join(_either(clause) for clause in clauses) + without
    longest = max(range(len(clauses)), key=lambda place: len(_either(clauses[place])))
    words = clauses[longest]
    if len(query) <= syntax.longest or len(words) == 1:
        if len(query) <= syntax.longest:
            yield query
        return
    for half in (words[: len(words) // 2], words[len(words) // 2 :]):
        yield from _cut((*clauses[:longest], half, *clauses[longest + 1 :]), without, syntax)


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"({' OR '.join(words)})"


def _asked(words: Sequence[Spoken], syntax: Syntax) -> tuple[str, ...]:
    plain = (re.sub(r'[*"()@:\\]+', " ", each.word) for each in words)
    return tuple(dict.fromkeys(word_query for word in plain if (word_query := syntax.word(" ".join(word.split())))))


__all__ = ["SYNTAX", "Service", "queries"]
