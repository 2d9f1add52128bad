"""Who may use the board: people and groups with their roles and markets, in YAML.

.. code-block:: yaml

    people:
      mei@example.org: {role: owner}
      arif@example.org: {role: analyst, markets: [MY, SG]}
    groups:
      trust-and-safety: {role: analyst}
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from groundswell.configs.schema import Role, Section
from groundswell.configs.yaml_lines import read_as

Market = Annotated[str, Field(pattern=r"^([A-Z]{2})?$")]


class Grant(Section):
    """What one person or group may."""

    role: Role
    """viewer, analyst, owner or admin."""
    markets: tuple[Market, ...] = ()
    """Only these markets (ISO 3166; "" for documents without one); left out: all."""


class People(Section):
    """The file."""

    people: dict[str, Grant] = Field(default_factory=dict)
    """By name, as the claim says it (access.name_claim)."""
    groups: dict[str, Grant] = Field(default_factory=dict)
    """By what stands in the claim access.roles_claim."""

    def person(self, name: str) -> Grant | None:
        """Return what somebody may; names of mail addresses know no case."""
        return next((grant for key, grant in self.people.items() if key.casefold() == name.casefold()), None)

    def of_groups(self, names: Collection[str]) -> list[Grant]:
        """Return what these groups may."""
        return [grant for key, grant in self.groups.items() if key in names]


def load_people(path: Path | None) -> People:
    """Read the file, where there is one; again only when it has changed.

    Raises:
        ConfigError: it cannot be used; with file and line.
    """
    if path is None:
        return People()
    try:
        state = path.stat()
    except OSError:
        return read_as(path, People)  # says what is wrong with it
    return _read(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=8)
def _read(path: Path, changed: int, size: int) -> People:  # noqa: ARG001  another state is another file
    return read_as(path, People)
