"""Which items of the last hours have gone from their list since: those are asked for by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

RECENT = 500
"""Items that are remembered of a list."""
MOST = 25
"""Items that one visit asks for by themselves at most."""


@dataclass(slots=True)
class Recent:
    """Items by id, with their address and position; `since` is the position from which a list is read again."""

    since: int
    before: dict[str, tuple[str, int]] = field(default_factory=dict)
    met: dict[str, tuple[str, int]] = field(default_factory=dict)

    @classmethod
    def read(cls, mark: Any, since: int) -> Recent:
        """Return what a mark remembers."""
        kept = mark.get("recent", []) if isinstance(mark, dict) else []
        return cls(since, {name: (url, at) for name, url, at in kept})

    def note(self, name: str, url: str, at: int | None) -> None:
        """Note that an item stands in its list."""
        if at is not None and at >= self.since:
            self.met[name] = (url, at)

    def missing(self) -> Iterator[tuple[str, str]]:
        """Yield id and address of items that stood where the list has been read again, and do not now; once."""
        gone = [name for name, (_, at) in self.before.items() if name not in self.met and at >= self.since]
        for name in gone[:MOST]:
            yield name, self.before.pop(name)[0]

    def write(self) -> list[list[Any]]:
        """Return what the mark of the next visit remembers."""
        kept: Iterable[tuple[str, tuple[str, int]]] = ({**self.before, **self.met}).items()
        fresh = [(at, name, url) for name, (url, at) in kept if at >= self.since]
        return [[name, url, at] for at, name, url in sorted(fresh)[-RECENT:]]
