"""What is watched for: brands, products, people and topics in several languages and scripts, and rules over them.

A file holds terms and rules; its name is the list's name, which a source opts into with ``watch: [name]``::

    brands:
      - id: tiktok
        title: TikTok
        words: {any: [tiktok, tik tok], th: [ติ๊กต็อก], zh: [抖音]}
    topics:
      - id: refund
        words: {en: [refund*, money back], ms: [bayar balik], zh: [退款]}
    rules:
      - id: money
        all: ['@brands', '@refund']         # each of these …
        any: [ads, '@topics']               # … and at least one of these …
        none: ['refund of tax']             # … and none of these

A word stands for itself; ``refund*`` is how words begin, ``*tipu*`` a part of words; two words are a phrase. ``any``
holds words of every language, the others count in texts of that language and in those whose language nobody states.
In a rule ``@brands`` is all words of a group, ``@tiktok`` those of one term. Case, width and the way accents are stored
make no difference; scripts without spaces need no boundary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from groundswell.configs.schema import Section, refuse_twice
from groundswell.configs.yaml_lines import ConfigError, LinedYaml, explain, nearest, read_yaml, shipped

if TYPE_CHECKING:
    from groundswell.configs.schema import Settings

ANY = "any"
"""Where words stand that count in every language."""
GROUPS = ("brands", "products", "people", "topics")
ONE_LANGUAGE = {"id": "ms", "zsm": "ms", "in": "ms", "tl": "fil", "cmn": "zh", "yue": "zh"}
"""Languages that are written so much alike, or called by so many codes, that they share their words."""
Word = Annotated[str, Field(min_length=1, max_length=100)]
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Target = Literal["platform", "ad_product", "advertiser", "creator", "regulator", "other"]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word, and the language it counts in (empty: every one)."""

    word: str
    lang: str = ""


class Term(Section):
    """Something that is watched for, by all its names."""

    id: Id
    """Short name, for rules."""
    title: str = Field(default="", max_length=80)
    """What people read; by default the id."""
    words: dict[str, tuple[Word, ...]] = Field(min_length=1)
    """By language (ISO 639-1, or any): its names and spellings."""
    about: Target = "platform"
    """What it is where a feeling is about it; counts for brands and products."""

    @field_validator("words")
    @classmethod
    def _says_something(cls, words: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for lang, several in words.items():
            if lang != ANY and not (lang.isascii() and lang.isalpha() and lang.islower() and len(lang) in {2, 3}):
                raise ValueError(f"{lang!r} is no language; say any, en, ms, zh, th, vi …")
            for word in several:
                if not any(letter.isalnum() for letter in word):
                    raise ValueError(f"{word!r} would meet every text; give at least a letter")
        return words

    @property
    def name(self) -> str:
        """Return what people read."""
        return self.title or self.id.replace("_", " ")

    @property
    def spoken(self) -> tuple[Spoken, ...]:
        """Return its words with their languages."""
        return tuple(
            Spoken(word, "" if lang == ANY else family(lang))
            for lang, several in self.words.items()
            for word in several
        )


class WatchRule(Section):
    """What a text must say to be on topic."""

    id: Id
    """Short name."""
    any: tuple[Word, ...] = ()
    """At least one of these words, terms (``@tiktok``) or groups (``@brands``)."""
    all: tuple[Word, ...] = ()
    """Each of these; of a term or group any word will do."""
    none: tuple[Word, ...] = ()
    """None of these."""

    @model_validator(mode="after")
    def _finds_something(self) -> Self:
        if not self.any and not self.all:
            raise ValueError("a rule needs words under 'any' or 'all'")
        return self


class WatchFile(Section):
    """A list of what is watched for. Without rules, any word of any term is on topic."""

    title: str = ""
    """Name for people."""
    note: str = ""
    """What it is for."""
    uses: tuple[str, ...] = ()
    """Other lists whose terms the rules may name as well."""
    brands: tuple[Term, ...] = ()
    """Companies, platforms and shops."""
    products: tuple[Term, ...] = ()
    """What they sell."""
    people: tuple[Term, ...] = ()
    """Public figures, such as those whose faces scam ads borrow."""
    topics: tuple[Term, ...] = ()
    """What is talked about."""
    rules: tuple[WatchRule, ...] = ()
    """What makes a text on topic; one of them is enough."""

    @model_validator(mode="after")
    def _ids_once(self) -> Self:
        refuse_twice([term.id for term in self.terms])
        refuse_twice([rule.id for rule in self.rules])
        if taken := sorted({term.id for term in self.terms} & {*GROUPS}):
            raise ValueError(f"{taken[0]!r} is the name of a group; call the term otherwise")
        return self

    @property
    def terms(self) -> tuple[Term, ...]:
        """Return all terms."""
        return (*self.brands, *self.products, *self.people, *self.topics)


@dataclass(frozen=True, slots=True)
class Condition:
    """A rule with its words put in: of each of `clauses` at least one word, of `none` no word."""

    id: str
    clauses: tuple[tuple[Spoken, ...], ...]
    none: tuple[Spoken, ...] = ()

    def within(self, lang: str) -> Condition | None:
        """Return what of it can be said in a language (empty: all), or ``None`` where a clause has no word in it."""
        clauses = tuple(tuple(speak(clause, lang)) for clause in self.clauses)
        return Condition(self.id, clauses, tuple(speak(self.none, lang))) if all(clauses) else None


@dataclass(frozen=True, slots=True)
class WatchList:
    """A list, ready: its conditions and its terms by group."""

    name: str
    title: str
    conditions: tuple[Condition, ...]
    terms: Mapping[str, tuple[Term, ...]]

    @property
    def brands(self) -> tuple[Term, ...]:
        """Return the brands: whom a feeling may be about, and what a search field may name."""
        return self.terms["brands"]


def family(lang: str) -> str:
    """Return the language whose words count in a text of the language `lang` (BCP 47), or empty for unknown."""
    first = lang.replace("_", "-").split("-")[0].lower()
    return "" if first in {"", "und", ANY} else ONE_LANGUAGE.get(first, first)


def speak(words: Sequence[Spoken], lang: str) -> Iterator[Spoken]:
    """Yield the words that count in a language; where none is stated, all."""
    own = family(lang)
    yield from (each for each in words if not own or each.lang in {"", own})


def load_watch(settings: Settings) -> dict[str, WatchList]:
    """Return the watch lists that ship and those of the user, by name; a list of the same name takes the place.

    Example: ``for list in load_watch(settings).values(): for brand in list.brands: brand.name, brand.spoken``.

    Raises:
        ConfigError: a file is missing, is not YAML, does not follow the schema or names what is not there.
    """
    return read_watch(settings.crawl.watch)


def read_watch(paths: Sequence[Path] = ()) -> dict[str, WatchList]:
    """Return the lists that ship and those of files and folders, by name; see `load_watch`."""
    files = {path.stem: path for path in _files([shipped("watch"), *paths])}
    read = {name: _read(path) for name, path in files.items()}
    return {name: _ready(name, source, content, read) for name, (source, content) in read.items()}


def pick(lists: Mapping[str, WatchList], names: Sequence[str]) -> list[Condition]:
    """Return the conditions that a source watches for: ``ads`` is all of a list, ``ads.scam`` one rule of it.

    Raises:
        ConfigError: there is no such list or rule; with the nearest.
    """
    found: list[Condition] = []
    for name in names:
        list_name, _, rule = name.partition(".")
        if list_name not in lists:
            raise ConfigError(f"watch: there is no list {list_name!r}{nearest(list_name, sorted(lists))}")
        conditions = lists[list_name].conditions
        some = [each for each in conditions if not rule or each.id == name]
        if not some:
            ids = [each.id.partition(".")[2] for each in conditions]
            raise ConfigError(f"watch: the list {list_name!r} has no rule {rule!r}{nearest(rule, ids)}")
        found += some
    return found


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.glob("*.y*ml")) if path.is_dir() else [path]


def _read(path: Path) -> tuple[LinedYaml, WatchFile]:
    try:
        state = path.stat()
    except OSError:  # reading tells why
        return _read_as(path, 0, 0)
    return _read_as(path, state.st_mtime_ns, state.st_size)


@lru_cache(32)
def _read_as(path: Path, changed: int, size: int) -> tuple[LinedYaml, WatchFile]:  # noqa: ARG001  they name the version
    """Return a file in one version: many sources share their lists, and reading one takes a tenth of a second."""
    source = read_yaml(path)
    try:
        return source, WatchFile.model_validate(source.data or {})
    except ValidationError as error:
        raise ConfigError(explain(error, WatchFile, source)) from None


def _ready(
    name: str, source: LinedYaml, content: WatchFile, read: Mapping[str, tuple[LinedYaml, WatchFile]]
) -> WatchList:
    for number, other in enumerate(content.uses):
        if other not in read:
            where = source.where(("uses", number))
            raise ConfigError(f"{where}: there is no watch list {other!r}{nearest(other, sorted(read))}")
    all_files = [content, *(read[other][1] for other in content.uses)]
    named = {term.id: term.spoken for each in reversed(all_files) for term in each.terms}
    for group in GROUPS:
        named[group] = tuple(word for each in all_files for term in getattr(each, group) for word in term.spoken)
    conditions = [_condition(name, number, rule, source, named) for number, rule in enumerate(content.rules)]
    if not content.rules and content.terms:
        words = tuple(word for term in content.terms for word in term.spoken)
        conditions = [Condition(f"{name}.terms", (words,))]
    terms = {group: getattr(content, group) for group in GROUPS}
    return WatchList(name, content.title or name, tuple(conditions), terms)


def _condition(
    name: str, number: int, rule: WatchRule, source: LinedYaml, named: Mapping[str, tuple[Spoken, ...]]
) -> Condition:
    def words(part: str) -> list[tuple[Spoken, ...]]:
        return [
            _words(each, source.where(("rules", number, part, place)), named)
            for place, each in enumerate(getattr(rule, part))
        ]

    some = tuple(word for several in words("any") for word in several)
    clauses = (*words("all"), *([some] if some else []))
    return Condition(f"{name}.{rule.id}", clauses, tuple(word for several in words("none") for word in several))


def _words(entry: str, where: str, named: Mapping[str, tuple[Spoken, ...]]) -> tuple[Spoken, ...]:
    if not entry.startswith("@"):
        if not any(letter.isalnum() for letter in entry):
            raise ConfigError(f"{where}: {entry!r} would meet every text; give at least a letter")
        return (Spoken(entry),)
    if not (found := named.get(entry[1:], ())):
        raise ConfigError(f"{where}: there is no term or group {entry!r}{nearest(entry[1:], sorted(named))}")
    return found


__all__ = [
    "Condition",
    "Spoken",
    "Term",
    "WatchFile",
    "WatchList",
    "WatchRule",
    "family",
    "load_watch",
    "pick",
    "read_watch",
    "speak",
]
