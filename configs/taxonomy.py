"""The risk taxonomy: what each class means and how people say it. Users extend it in YAML, without code."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from groundswell.configs.schema import Section, refuse_twice
from groundswell.configs.yaml_lines import read_as, shipped

FEWEST_EXAMPLES = 3
"""Below this a class cannot be told from its neighbours; a dozen is better."""


class Risk(Section):
    """A class of risk: several may hold for one text."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")
    """Short name, kept in every stored score."""
    definition: str = Field(min_length=10, max_length=1000)
    """What belongs to it, in a sentence."""
    name: str = ""
    """What people read; by default the id."""
    names: dict[str, str] = Field(default_factory=dict)
    """The name in other languages, by ISO 639-1 code, as it stands in the titles of themes."""
    examples: tuple[str, ...] = Field(min_length=FEWEST_EXAMPLES, max_length=2000)
    """Texts that belong to it, in any language; a dozen will do."""
    counterexamples: tuple[str, ...] = ()
    """Texts that sound like it and do not belong."""
    words: tuple[str, ...] = ()
    """Words and phrases that point to it, as plain text; ``*`` at the end stands for any ending."""
    unless: tuple[str, ...] = ()
    """Words and phrases that take such a pointer back ("no ads")."""
    weight: float = Field(default=0.6, gt=0, le=1)
    """How bad it is where it is true: 1, somebody is robbed or hurt; .3, an annoyance. Severity is a multiple of it."""
    disturbing: bool = False
    """Whether its texts may disturb who reads them: the board folds them until somebody clicks."""

    @property
    def title(self) -> str:
        """Return what people read."""
        return self.name or self.id.replace("_", " ").capitalize()

    def titled(self, language: str) -> str:
        """Return what people read in a language, "" where nobody has given it a name there."""
        return self.title if language == "en" else self.names.get(language, "")


class Term(Section):
    """A tag or a target."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")
    """Short name."""
    definition: str = Field(min_length=10, max_length=1000)
    """What it means."""


class Taxonomy(Section):
    """All classes of risk, the tags that cut across them, and whom a feeling may be about."""

    version: int = Field(default=1, ge=1)
    """Raised by whoever changes the file."""
    risks: tuple[Risk, ...] = Field(min_length=1)
    """The classes, in the order reports show them."""
    tags: tuple[Term, ...] = ()
    """What cuts across the classes."""
    targets: tuple[Term, ...] = ()
    """Whom a feeling may be about."""

    @property
    def risk_ids(self) -> tuple[str, ...]:
        """Return the ids of the classes, in order."""
        return tuple(risk.id for risk in self.risks)

    def risk(self, name: str) -> Risk:
        """Return the class of that id.

        Raises:
            KeyError: There is no such class.
        """
        for risk in self.risks:
            if risk.id == name:
                return risk
        msg = f"no risk is called {name!r}; known: {', '.join(self.risk_ids)}"
        raise KeyError(msg)

    @field_validator("risks", "tags", "targets")
    @classmethod
    def _ids_once(cls, terms: tuple[Risk | Term, ...]) -> tuple[Risk | Term, ...]:
        refuse_twice([one.id for one in terms])
        return terms


def load_taxonomy(path: Path | None = None) -> Taxonomy:
    """Read a taxonomy file, or the one that comes with Groundswell.

    Raises:
        ConfigError: The file is missing, is not YAML, or does not follow the schema; named with its line.
    """
    return read_as(path or shipped("taxonomy.yaml"), Taxonomy)
