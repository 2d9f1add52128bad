"""Events that are known to have happened, in YAML: what a replay is measured against."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, Field, field_validator, model_validator

from groundswell.configs.schema import Section, refuse_twice
from groundswell.configs.yaml_lines import read_as

TOLD_WITHIN = timedelta(days=7)
"""An alert later than this after an event began is none about it, unless the event says until when."""


def _aware(value: object) -> object:
    """Read a date as its first instant and a time without a zone as UTC, as the rest of Groundswell does."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC) if isinstance(value, date) else value


Moment = Annotated[AwareDatetime, BeforeValidator(_aware)]


class Event(Section):
    """Something that happened, and which documents told of it."""

    name: str = Field(min_length=2, max_length=120)
    """What people call it."""
    start: Moment
    """When it began."""
    until: Moment | None = None
    """When an alert comes too late; a week after the start unless given."""
    words: tuple[str, ...] = ()
    """Documents with any of these tell of it: a word, ``refund*`` for how words begin, ``*tipu*``, or two words."""
    ids: frozenset[str] = frozenset()
    """Or these documents."""

    @property
    def last(self) -> datetime:
        """Return until when an alert is about it."""
        return self.until or self.start + TOLD_WITHIN

    @model_validator(mode="after")
    def _can_be_found(self) -> Event:
        if not self.words and not self.ids:
            msg = "give words or ids, so that its documents can be told from others"
            raise ValueError(msg)
        if self.last <= self.start:
            msg = "until must come after start"
            raise ValueError(msg)
        return self


class EventFile(Section):
    """A list of events."""

    events: tuple[Event, ...] = ()
    """The events."""

    @field_validator("events")
    @classmethod
    def _names_once(cls, events: tuple[Event, ...]) -> tuple[Event, ...]:
        refuse_twice([one.name for one in events])
        return events


def load_events(path: Path) -> Sequence[Event]:
    """Read a file of known events.

    Raises:
        ConfigError: the file is missing, is not YAML, or does not follow the schema; named with its line.
    """
    return read_as(path, EventFile).events
