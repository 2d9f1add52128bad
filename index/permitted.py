"""Who may write what: a store that takes from a person what their role allows and their markets cover."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from groundswell.configs.schema import Role
from groundswell.index.limited import LimitedReader
from groundswell.index.open import OpenReader
from groundswell.index.records import (
    Case,
    Checkpoint,
    Decision,
    Label,
    Lease,
    Lineage,
    Membership,
    Record,
    Sample,
    SavedSearch,
    Snooze,
    Task,
    Theme,
)
from groundswell.index.store import Report, Store, StoreError

R = TypeVar("R")
ROLES: tuple[Role, ...] = get_args(Role)
"""From the least to the most."""
WRITES: Mapping[type[Any], Role] = {
    Decision: "analyst",
    Label: "analyst",
    Task: "analyst",
    Snooze: "analyst",
    SavedSearch: "analyst",
    Case: "analyst",
    Theme: "owner",
    Lineage: "owner",
    Membership: "owner",
    Sample: "owner",
}
"""The least role that may write a kind; everything else is an admin's."""
OF_OWNERS = ("status", "owner", "due", "cause", "decision", "severity")
"""What of a case only an owner changes: analysts add evidence and notes."""


class AccessError(StoreError):
    """Somebody asked for what is not theirs; the message says who may."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signed in; no markets means all of them."""

    name: str
    role: Role = "viewer"
    markets: tuple[str, ...] = ()

    def may(self, least: Role) -> bool:
        """Return whether their role is at least this one."""
        return ROLES.index(self.role) >= ROLES.index(least)

    def need(self, least: Role, what: str) -> None:
        """Do nothing if they may.

        Raises:
            AccessError: they may not.
        """
        if not self.may(least):
            an = "an" if least[0] in "ao" else "a"
            raise AccessError(f"{what} is for {an} {least} or more; {self.name} is here as {self.role}")


EVERYBODY = Person("somebody", "admin")
"""Whoever sits at a board without a sign-in: it listens to this machine alone, whose files they can read anyway."""


def seen_by(person: Person, reader: OpenReader) -> OpenReader:
    """Return what a person sees of a store: all of it, or their markets."""
    return LimitedReader(reader, person.markets, person=person.name) if person.markets else reader


class PermittedStore(LimitedReader):
    """A store as one person may use it: nothing is written that they do not see, and see whole."""

    def __init__(self, store: Store, person: Person) -> None:
        super().__init__(store, person.markets, person=person.name)
        self._store, self._who = store, person

    def _shown(self, kind: type[R], records: Sequence[R]) -> list[R]:
        return super()._shown(kind, records) if self._who.markets else list(records)

    def narrowed(self, query: Any) -> Any:
        """Return a question about what this person sees."""
        return super().narrowed(query) if self._who.markets else query

    def put(self, records: Iterable[Record]) -> Report:
        """As `Store.put`.

        Raises:
            AccessError: a record of these is not theirs to write.
        """
        given = list(records)
        for kind in {type(one) for one in given}:
            self._may_write(kind, [one.id for one in given if type(one) is kind])
        return self._store.put(given)

    def edit(self, case: Case, *, expected_version: int) -> Case:
        """As `Store.edit`.

        Raises:
            AccessError: it is not theirs to change, or not in this.
        """
        self._may_write(Case, [case.id])
        old = self._store.get(Case, case.id)
        if old is not None and any(getattr(old, name) != getattr(case, name) for name in OF_OWNERS):
            self._who.need("owner", "changing a case's status, owner, deadline, cause or decision")
        return self._store.edit(case, expected_version=expected_version)

    def swap(self, before: Lease | Checkpoint | None, after: Lease | Checkpoint | None) -> bool:
        """As `Store.swap`.

        Raises:
            AccessError: it is not theirs to write.
        """
        for one in (before, after):
            if one is not None:
                self._may_write(type(one), [one.id])
        return self._store.swap(before, after)

    def delete(self, kind: type[R], ids: Sequence[str]) -> int:
        """As `Store.delete`.

        Raises:
            AccessError: these are not theirs to delete.
        """
        self._may_write(kind, ids)
        owned = self._store.many(SavedSearch, ids) if kind is SavedSearch else []
        if any(search.owner != self._who.name for search in owned):
            self._who.need("admin", "forgetting somebody else's search")
        return self._store.delete(kind, ids)

    def _may_write(self, kind: type[Any], ids: Sequence[str]) -> None:
        self._who.need(WRITES.get(kind, "admin"), f"writing a {kind.__name__.lower()}")
        if not self._who.markets:
            return
        if kind not in WRITES:
            raise AccessError(f"{self._who.name} is limited to {self._where()}, and this changes all markets")
        there = {one.id: one for one in self._store.many(kind, ids)}
        shown = {one.id: one for one in self.many(kind, list(there))}
        if any(shown.get(key) != one for key, one in there.items()):
            raise AccessError(
                f"this also concerns markets that {self._who.name} does not see ({self._where()} only); "
                "somebody who sees all of them can do it"
            )

    def _where(self) -> str:
        return ", ".join(market or "no market" for market in self._who.markets)
