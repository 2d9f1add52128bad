"""Common complaints: what is wrong, in plain words of several languages, for the titles of themes. Users add theirs."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from groundswell.configs.schema import Section, refuse_twice
from groundswell.configs.topics import Topic, refuse_unknown_words
from groundswell.configs.yaml_lines import read_as, shipped


class Complaint(Topic):
    """Something that is wrong; `title` and `titles` stand behind the dot of a theme's title."""

    about: str = ""
    """A standing topic, by id, that leads the title where no name does."""
    beside: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """By language: of these one must stand in a text, too, for it to be this complaint; spelt as `words`."""

    @field_validator("beside")
    @classmethod
    def _known_beside(cls, words: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return refuse_unknown_words(words)

    def also_spoken(self, language: str) -> tuple[str, ...]:
        """Return what must stand beside its words in texts of a language; nothing where the words are enough."""
        return Topic.model_construct(words=self.beside).spoken(language)


class ComplaintFile(Section):
    """A list of complaints."""

    complaints: tuple[Complaint, ...] = ()
    """The complaints."""

    @field_validator("complaints")
    @classmethod
    def _ids_once(cls, complaints: tuple[Complaint, ...]) -> tuple[Complaint, ...]:
        refuse_twice([one.id for one in complaints])
        return complaints


def load_complaints(path: Path | None = None) -> tuple[Complaint, ...]:
    """Read the complaints that come with Groundswell, and the user's own; one with a known id takes its place.

    Raises:
        ConfigError: A file is missing, is not YAML, or does not follow the schema; named with its line.
    """
    files = (shipped("complaints.yaml"), *([path] if path else []))
    found = {one.id: one for file in files for one in read_as(file, ComplaintFile).complaints}
    return tuple(found.values())
