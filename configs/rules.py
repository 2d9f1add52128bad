r"""Analysts' rules: words and phrases that say what a text is about, in YAML, on a linear-time engine (RE2).

A file holds ``words`` (fragments to reuse as ``{name}``) and ``rules``::

    words:
      ad: '(?:ads?|adverts?|commercials?)'
    rules:
      - id: ad_experience.en.too_many
        about: ad_experience            # a risk or a tag of the taxonomy
        any: ['\btoo many {ad}\b']      # at least one of these …
        all: []                         # … and each of these …
        none: ['\bno longer too many']  # … and none of these
        match: ["Too many ads!"]        # texts it must hit; the suite and `groundswell doctor` hold it to them
        reject: ["No ads at all."]      # texts it must leave alone
        version: 2                      # raised by whoever changes what it finds
        owner: mei                      # who answers for it
        expires: 2027-03-31             # left out from this day on
        shadow: true                    # counted and measured, but claims nothing yet

Texts are compared in lower case, so patterns are written in lower case. ``\b`` and ``\w`` know every script: in
most engines ``\b`` never matches inside Chinese or Thai, which write no space between words, and breaks Vietnamese at
its accents; here a letter of such a script is a boundary by itself, so ``\btiktok\b`` is found in 在tiktok上 and a
``\b`` beside a Chinese word does no harm.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from groundswell.configs.schema import Section
from groundswell.configs.yaml_lines import ConfigError, LinedYaml, explain, nearest, read_yaml, shipped

LONGEST_PATTERN = 2_000
LETTERS = r"\p{L}\p{M}\p{N}_"
"""What ``\\w`` means, as RE2 classes."""
UNSPACED = r"\p{Han}\p{Thai}\p{Hiragana}\p{Katakana}\p{Lao}\p{Khmer}\p{Myanmar}"
"""Scripts that write no space between words, as RE2 classes."""
EDGE = rf"^|$|[^{LETTERS}]|[{UNSPACED}]"
"""What ``\\b`` becomes beside a letter beyond ASCII: RE2's own knows ASCII letters only and would never match beside
đ or 骗. RE2 cannot look around, so the boundary then takes the space or comma it stands for."""
_USE = re.compile(r"\{([a-z][a-z_0-9]*)\}")

Patterns = tuple[str, ...]


class Rule(Section):
    """Patterns that say what a text is about, with the texts that prove them."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$", max_length=80)
    """Name kept with every hit; by custom what.language.how."""
    about: str
    """Risk or tag of the taxonomy."""
    languages: tuple[str, ...] = ()
    """Only texts in these (ISO 639-1; id and ms are one). Empty means any: right, unless it means more elsewhere."""
    any: Patterns = ()
    """At least one of these patterns."""
    all: Patterns = ()
    """Each of these patterns."""
    none: Patterns = ()
    """None of these patterns."""
    match: tuple[str, ...] = Field(min_length=1)
    """Texts the rule must hit."""
    reject: tuple[str, ...] = ()
    """Texts the rule must leave alone."""
    shadow: bool = False
    """Counted, kept as shadow:id and shown to analysts, but claims nothing yet."""
    version: int = Field(default=1, ge=1)
    """Raised by whoever changes what the rule finds, so that figures of before and after are told apart."""
    owner: str = Field(default="", max_length=80)
    """Who answers for it."""
    expires: date | None = None
    """From this day (UTC) on it is left out, and `groundswell rules check` says so; nothing means never."""
    note: str = ""
    """Why it is as it is."""

    @model_validator(mode="after")
    def _finds_something(self) -> Rule:
        if not self.any and not self.all:
            raise ValueError("a rule needs patterns under 'any' or 'all'")
        return self


class RuleFile(Section):
    """Fragments and the rules that use them."""

    words: dict[str, str] = Field(default_factory=dict)
    """Fragments: a pattern writes {name}."""
    rules: tuple[Rule, ...] = ()
    """The rules."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule with its fragments put in and its boundaries made to know every script, and where it stands."""

    rule: Rule
    where: str
    any: Patterns
    all: Patterns
    none: Patterns


def load_rules(paths: Sequence[Path] = (), *, risks: Sequence[str] | None = None) -> tuple[Compiled, ...]:
    """Read the rules that come with Groundswell and those of the user.

    Args:
        paths: files, or folders whose ``*.yaml`` are read in order of name. A rule with the id of one read before
            takes its place.
        risks: ids a rule may be about; by default not checked.

    Raises:
        ConfigError: every problem of every file, each with file, line and what to do.
    """
    found: dict[str, Compiled] = {}
    problems: list[str] = []
    for path in _rule_files([shipped("rules"), *paths]):
        source = read_yaml(path)
        for compiled in _read(source, problems):
            if (about := compiled.rule.about) not in (risks or (about,)):
                problems.append(f"{compiled.where}: nothing is called {about!r}{nearest(about, list(risks or ()))}")
            found[compiled.rule.id] = compiled
    if problems:
        raise ConfigError("\n".join(problems))
    return tuple(found.values())


def _rule_files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.glob("*.yaml")) if path.is_dir() else [path]


def _read(source: LinedYaml, problems: list[str]) -> Iterator[Compiled]:
    try:
        content = RuleFile.model_validate(source.data or {})
    except ValidationError as error:
        problems.append(explain(error, RuleFile, source))
        return
    seen: set[str] = set()
    for place, rule in enumerate(content.rules):
        if rule.id in seen:
            problems.append(f"{source.where(('rules', place, 'id'))}: {rule.id} stands twice in this file")
        seen.add(rule.id)
        parts: dict[str, Any] = {}
        for part in ("any", "all", "none"):
            made = []
            for number, pattern in enumerate(getattr(rule, part)):
                where = source.where(("rules", place, part, number))
                try:
                    made.append(translated(pattern, content.words))
                except ValueError as error:
                    problems.append(f"{where}: rule {rule.id}: {error}")
            parts[part] = tuple(made)
        yield Compiled(rule, source.where(("rules", place)), **parts)


def translated(pattern: str, words: dict[str, str] | None = None) -> str:
    r"""Return a pattern as RE2 shall run it: fragments put in, ``\b`` and ``\w`` for every script, NFC.

    Raises:
        ValueError: it is written as a search is, has capitals, is too long, or uses a fragment that is not there; says
            so. Whether RE2 takes it is found out where all are compiled together (`groundswell.nlp.rules.Rules`).
    """
    if says := of_a_search(pattern):
        raise ValueError(f"{pattern!r}: {says}")
    whole = unicodedata.normalize("NFC", _filled(pattern, words or {}))
    if len(whole) > LONGEST_PATTERN:
        raise ValueError(f"{len(whole)} characters with its fragments; {LONGEST_PATTERN} at most")
    if re.sub(r"\\[pP]\{\^?\w+\}|\\.", "", whole) != re.sub(r"\\[pP]\{\^?\w+\}|\\.", "", whole).lower():
        raise ValueError(f"{pattern!r}: texts are compared in lower case; write the pattern in lower case")
    return _every_script(whole)


_OF_A_SEARCH: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"^[^\W_][\w\s]*[^\W_]\*$"),
        r"in a pattern * repeats the letter before it; every word that begins so is \b…\w*",
    ),
    (re.compile(r'^["“«].*["”»]$'), "a pattern stands without quotation marks: they would be looked for, too"),
    (re.compile(r"^[-–—−][^\W_]"), "what must not be there stands under 'none', without a dash"),
    (
        re.compile(r"\w (?:OR|AND|NOT|AND NOT) \w"),
        "either is a|b, both go under 'all', what must not be there under 'none'",
    ),
    (re.compile(r"\w \| \w"), "the spaces beside | would be looked for, too: write a|b"),
    (re.compile(r"(?i)\b(?:near|w|pre|adj)/\d+\b|\w~\d+$"), r"nearness is a\b.{0,40}\bb"),
)
"""A search of the query language where a pattern belongs, which would find something else, and what to write."""


def of_a_search(pattern: str) -> str:
    r"""Return what to write where somebody wrote a search instead of a pattern, or nothing.

    >>> of_a_search("-crypto")
    "what must not be there stands under 'none', without a dash"
    """
    return next((says for found, says in _OF_A_SEARCH if found.search(pattern)), "")


def _filled(pattern: str, words: dict[str, str]) -> str:
    def fill(use: re.Match[str]) -> str:
        if use.group(1) not in words:
            raise ValueError(f"there are no words {use.group()}{nearest(use.group(1), list(words))}")
        return words[use.group(1)]

    for _ in range(3):  # fragments may use fragments; a circle is cut off here and refused by RE2 or by its length
        pattern = _USE.sub(fill, pattern)
    return pattern


def _every_script(pattern: str) -> str:
    r"""Return the pattern with ``\b``, ``\w`` and ``\W`` meaning letters of any script, inside classes too."""
    pieces = re.findall(r"\\[pP]\{\^?\w+\}|\\.|.", pattern, re.DOTALL)
    made: list[str] = []
    in_class = False
    for place, piece in enumerate(pieces):
        if piece in {"[", "]"}:
            in_class = piece == "["
        if piece == r"\w":
            made.append(LETTERS if in_class else f"[{LETTERS}]")
        elif in_class or piece not in {r"\b", r"\W"}:
            made.append(piece)
        else:
            made.append(f"[^{LETTERS}]" if piece == r"\W" else _boundary(pieces, place))
    return "".join(made)


def _boundary(pieces: list[str], place: int) -> str:
    r"""Return what stands for the ``\b`` at a place, by the letters on its two sides."""
    beside = pieces[max(place - 1, 0) : place] + pieces[place + 1 : place + 2]
    if not all(piece.isascii() for piece in beside):
        return f"(?:{EDGE})"
    grouped = not "".join(pieces).isascii() and not {"(", ")"}.isdisjoint(beside)
    return rf"(?:\b|{EDGE})" if grouped else r"\b"


def refusal(pattern: str) -> str:
    """Return why RE2 will not run a pattern, or nothing."""
    import re2  # only who reads rules pays for it

    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        hint = "; RE2 has no look-around and no back-references, use all/none" if "(?" in reason else ""
        return f"{pattern!r} is not a pattern RE2 accepts: {reason}{hint}"
    return f"{pattern!r} matches an empty text, so it would hit everything" if compiled.search("") else ""


__all__ = ["Compiled", "Rule", "RuleFile", "load_rules", "refusal", "translated"]
