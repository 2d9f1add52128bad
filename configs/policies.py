"""Advertising policies: clauses by market, from when on each holds, in YAML that a team writes for itself.

A clause has an id, a title, its words, the risks that it covers, the markets in which it holds (none named: in all) and
the days from and until which it does. A changed clause is a second one of the same id that begins when the first ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from groundswell.configs.schema import Section
from groundswell.configs.yaml_lines import ConfigError, nearest, read_as, read_yaml, shipped


class Clause(Section):
    """A clause of a policy, as it holds in some markets for some time."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$", max_length=80)
    """Short name; the same for every version of the clause."""
    title: str = Field(min_length=3, max_length=200)
    """What people call it."""
    text: str = Field(min_length=10, max_length=20_000)
    """Its words."""
    covers: tuple[str, ...] = Field(min_length=1)
    """Risks or tags of the taxonomy."""
    markets: tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...] = ()
    """Where it holds (ISO 3166); empty means everywhere."""
    words: tuple[str, ...] = ()
    """Words by which a theme is matched to it beside its risk."""
    effective: date | None = None
    """From this day on; empty means always."""
    ends: date | None = None
    """Until the day before; empty means for good."""
    examples: tuple[str, ...] = ()
    """What it forbids."""
    counterexamples: tuple[str, ...] = ()
    """What it allows, though it looks alike."""

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Clause:
        if self.effective and self.ends and self.ends <= self.effective:
            raise ValueError(f"it ends on {self.ends}, before it begins on {self.effective}")
        return self

    def holds(self, day: date, market: str = "") -> bool:
        """Return whether it holds on a day, in a market (in none in particular: in some)."""
        begun = self.effective is None or self.effective <= day
        return begun and (self.ends is None or day < self.ends) and (not market or self.is_for(market))

    def is_for(self, market: str) -> bool:
        """Return whether it is meant for a market."""
        return not self.markets or market in self.markets


class PolicyFile(Section):
    """A policy."""

    policy: str = Field(min_length=3, max_length=200)
    """What people call it."""
    clauses: tuple[Clause, ...] = Field(min_length=1)
    """Its clauses."""


@dataclass(frozen=True, slots=True)
class Change:
    """How a clause differs between two days: it came, went, or says something else (`fields` names what)."""

    clause: str
    what: Literal["new", "gone", "changed"]
    fields: tuple[str, ...] = ()


def load_policies(paths: Sequence[Path] = (), *, risks: Sequence[str] | None = None) -> tuple[Clause, ...]:
    """Read policy files, or folders of them; where none is named, the short example that comes with Groundswell.

    Raises:
        ConfigError: a file does not follow the schema, names a risk that is none, or two versions of a clause hold in
            one market on one day; each with its file and line.
    """
    clauses: list[Clause] = []
    problems: list[str] = []
    for path in paths or [shipped("policies")]:
        for file in sorted(path.glob("*.y*ml")) if path.is_dir() else [path]:
            for place, clause in enumerate(read_as(file, PolicyFile).clauses):
                where = read_yaml(file).where(("clauses", place))
                problems += [f"{where}: {complaint}" for complaint in _problems(clause, clauses, risks)]
                clauses.append(clause)
    if problems:
        raise ConfigError("\n".join(problems))
    return tuple(clauses)


def _problems(clause: Clause, before: Sequence[Clause], risks: Sequence[str] | None) -> list[str]:
    names = list(risks or ())
    faults = [f"nothing is called {one!r}{nearest(one, names)}" for one in clause.covers if names and one not in names]
    twice = any(other.id == clause.id and _meet(clause, other) for other in before)
    return faults + ([f"two versions of {clause.id} hold in one market on one day: end the first"] if twice else [])


def _meet(one: Clause, other: Clause) -> bool:
    same_market = not one.markets or not other.markets or bool(set(one.markets) & set(other.markets))
    begin = max(one.effective or date.min, other.effective or date.min)
    return same_market and begin < min(one.ends or date.max, other.ends or date.max)


def changes(clauses: Sequence[Clause], before: date, after: date, market: str = "") -> list[Change]:
    """Return how what holds on one day differs from what held on another."""
    old, new = ({one.id: one for one in clauses if one.holds(day, market)} for day in (before, after))
    found = [Change(name, "gone") for name in old if name not in new]
    found += [Change(name, "new") for name in new if name not in old]
    for name in old.keys() & new.keys():
        fields = tuple(
            field
            for field in ("title", "text", "covers", "markets", "words", "examples", "counterexamples")
            if getattr(old[name], field) != getattr(new[name], field)
        )
        found += [Change(name, "changed", fields)] if fields else []
    return sorted(found, key=lambda change: change.clause)
