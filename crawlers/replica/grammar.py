"""Words for the replica web: reads ``configs/demo/*.yaml`` and turns its lines into sentences.

A line may hold choices ``[a|b|]`` (nested as one likes) and slots ``{shop}``; lists are written one line each, so that
a person who speaks the language can add to them without knowing YAML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import groundswell.configs

CHOICE = re.compile(r"\[([^\[\]]*)\]")
SLOT = re.compile(r"\{(\w+)\}")
Lines = tuple[str, ...]


def demo_folder() -> Path:
    """Return the folder with the demo's grammar."""
    return Path(groundswell.configs.__path__[0]) / "demo"


def lines(text: str | None) -> Lines:
    """Return the non-empty lines of a block."""
    return tuple(line.strip() for line in (text or "").splitlines() if line.strip())


@dataclass(frozen=True, slots=True)
class Talk:
    """What is said of one subject in one language.

    `head` are titles, `say` what happened, `tell` details, `feel` reactions; `headline` and `report` are a newspaper's.
    """

    head: Lines = ()
    say: Lines = ()
    tell: Lines = ()
    feel: Lines = ()
    headline: Lines = ()
    report: Lines = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """When a planted subject or a burst happens: it doubles every `double` hours until `peak`, halves every `fade`."""

    onset: float
    total: int
    double: float
    peak: float
    fade: float
    until: float
    news_after: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One subject: how much of it, where, in which languages, and how people talk of it."""

    name: str
    talk: Mapping[str, Talk]
    rate: float = 0
    weekend: float = 1
    langs: Mapping[str, float] = field(default_factory=dict)
    forms: Mapping[str, float] = field(default_factory=dict)
    markets: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    stars: tuple[int, ...] = (1, 2)
    curve: Curve | None = None
    planted: bool = False
    mood: str = "cross"


@dataclass(frozen=True, slots=True)
class Site:
    """One place of the replica web; becomes one source."""

    name: str
    format: str
    form: str
    title: str
    market: str = ""
    langs: tuple[str, ...] = ("en",)
    app: str = ""
    tag: str = ""
    kind: str = "news"
    link_only: bool = False


@dataclass(frozen=True, slots=True)
class Grammar:
    """All of it."""

    subjects: tuple[Subject, ...]
    sites: tuple[Site, ...]
    words: Mapping[str, Mapping[str, Lines]]
    apps: Mapping[str, Mapping[str, Any]]
    web: Mapping[str, Any]


def _read(path: Path) -> Any:
    # Imported late: only the demo pays for it.
    from ruamel.yaml import YAML

    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def _subject(name: str, spec: Mapping[str, Any]) -> Subject:
    talk = {lang: Talk(**{part: lines(block) for part, block in parts.items()}) for lang, parts in spec["talk"].items()}
    curve = Curve(**spec["curve"]) if "curve" in spec else None
    plain = {key: value for key, value in spec.items() if key not in {"talk", "curve"}}
    lists = {key: tuple(value) for key, value in plain.items() if isinstance(value, list)}
    return Subject(name=name, talk=talk, curve=curve, **{**plain, **lists})


def _site(spec: Mapping[str, Any]) -> Site:
    return Site(**{**spec, "langs": tuple(spec.get("langs", ("en",)))})


def _app_sites(apps: Mapping[str, Mapping[str, Any]]) -> list[Site]:
    return [
        Site(f"{app}-{cc.lower()}", "appstore", "review", spec["title"], cc, tuple(langs), app=app, kind="review")
        for app, spec in apps.items()
        for cc, langs in spec["countries"].items()
    ]


def load_grammar(folder: Path | None = None) -> Grammar:
    """Read the grammar; every YAML file of the folder whose name begins with ``subjects`` adds subjects."""
    return _load((folder or demo_folder()).resolve())


@lru_cache(maxsize=2)
def _load(folder: Path) -> Grammar:
    web, words = _read(folder / "web.yaml"), _read(folder / "words.yaml")
    files = sorted(folder.glob("subjects*.yaml"))
    subjects = [_subject(name, spec) for file in files for name, spec in _read(file).items()]
    sites = [_site(spec) for spec in web["sites"]] + _app_sites(web["apps"])
    slots = {lang: {name: lines(block) for name, block in lists.items()} for lang, lists in words.items()}
    return Grammar(tuple(subjects), tuple(sites), slots, web["apps"], web)


class Speaker:
    """Draws lines without repeating one before all were used, and fills them in."""

    def __init__(self, grammar: Grammar, rng: Random) -> None:
        self.words = grammar.words
        self.rng = rng
        self._decks: dict[tuple[str, ...], list[str]] = {}

    def draw(self, choices: Sequence[str], *deck: str) -> str:
        """Return the next line of a shuffled deck."""
        rest = self._decks.setdefault(deck, [])
        if not rest:
            rest.extend(self.rng.sample(choices, len(choices)))
        return rest.pop()

    def word(self, lang: str, name: str) -> str:
        """Return a filling for a slot, in this language or in any."""
        found = self.words.get(lang, {}).get(name) or self.words["any"].get(name)
        if not found:
            raise KeyError(f"configs/demo/words.yaml has no slot {name!r} for {lang!r}; add it there")
        return self.rng.choice(found)

    def fill(self, line: str, lang: str) -> str:
        """Return the line with every choice made and every slot filled."""
        while match := CHOICE.search(line):
            line = line[: match.start()] + self.rng.choice(match[1].split("|")) + line[match.end() :]
        while match := SLOT.search(line):
            line = line[: match.start()] + self.word(lang, match[1]) + line[match.end() :]
            line = CHOICE.sub(lambda found: self.rng.choice(found[1].split("|")), line)
        return re.sub(r" {2,}", " ", line).strip()
