"""Who works on what: a lease in the store, which one holder has at a time and which runs out by itself.

A holder is a machine and a data folder, in which one crawl works at a time (a lock sees to that). So a crawl that was
killed and is run again takes its own leases back at once; anybody else waits until they have run out. Clocks of
different machines need to agree within a tenth of a lease.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from groundswell.index.records import Lease
from groundswell.index.store import Store, StoreError

RENEWALS = 3
"""How often a lease is renewed while it lasts: two of them may fail."""
FORGOTTEN = timedelta(days=1)
"""How long after its end a lease that nobody gave back is swept away."""
MOST = 10_000
LONGEST = timedelta(hours=1, minutes=6)
"""No lease lasts longer (`scale.lease_seconds`, and a tenth for clocks that differ): one that would was taken while a
clock was ahead."""
FARTHEST = timedelta(days=1)
"""No host is left alone for longer; what says so was written while a clock was ahead."""


def holder_of(data_dir: Path) -> str:
    """Return how whoever works in a data folder is called in leases, logs and metrics."""
    return f"{socket.gethostname()}:{data_dir.resolve()}"


def wall_clock() -> datetime:
    """Return the present moment: leases are of the real world, whatever hour a replay pretends."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Leases:
    """Takes leases for one holder, each for `seconds`."""

    store: Store
    holder: str
    seconds: float
    clock: Callable[[], datetime] = wall_clock

    def take(self, id: str, *, free_at: datetime | None = None) -> Lease | None:
        """Return the lease, ours for so long from now on, or ``None`` while another holds it. Taking again renews.

        `free_at` says when a host may be asked next; what another holder said before is never made earlier.

        Raises:
            StoreError: the store cannot answer.
        """
        found, at = self.store.get(Lease, id), self.clock()
        if found is not None and found.holder != self.holder and at < found.until <= at + LONGEST:
            return None
        theirs = found.free_at if found is not None and (free_at is None or found.holder != self.holder) else None
        earlier = [each for each in (free_at, theirs) if each is not None and each <= at + FARTHEST]
        until = at + timedelta(seconds=self.seconds)
        lease = Lease(id=id, holder=self.holder, at=at, until=until, free_at=max(earlier, default=None))
        return lease if self.store.swap(found, lease) else None

    def give_back(self, id: str, *, free_at: datetime | None = None) -> None:
        """Let others have it; when a host may be asked next is what is said now, or what was known.

        Raises:
            StoreError: the store cannot answer.
        """
        found, at = self.store.get(Lease, id), self.clock()
        if found is None or found.holder != self.holder:
            return
        known = free_at or found.free_at or at
        self.store.swap(found, replace(found, until=at, free_at=known) if known > at else None)

    def who(self, id: str) -> str:
        """Return who holds a lease now, or ""."""
        found = self.store.get(Lease, id)
        at = self.clock()
        return found.holder if found is not None and at < found.until <= at + LONGEST else ""

    def sweep(self) -> None:
        """Forget the leases that ended long ago and that nobody gave back."""
        before = self.clock() - FORGOTTEN
        for lease in self.store.recent(Lease, limit=MOST):
            if max(lease.until, lease.free_at or lease.until) < before:
                self.store.swap(lease, None)


@dataclass(slots=True)
class Held:
    """Leases that a thread renews until they are given back."""

    leases: Leases
    ids: set[str] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)

    def take(self, id: str) -> bool:
        """Return whether the lease is ours, from now on until it is given back."""
        taken = self.leases.take(id) is not None
        if taken:
            self.ids.add(id)
        return taken

    def give_back(self, id: str) -> None:
        """Let others have it."""
        if id in self.ids:
            self.ids.discard(id)
            self.leases.give_back(id)

    def keep(self) -> None:
        """Renew all that is held, again and again, until told to stop; one that another took meanwhile is let go."""
        while not self._stop.wait(self.leases.seconds / RENEWALS):
            for each in list(self.ids):
                try:
                    if self.leases.take(each) is None:
                        self.ids.discard(each)
                except StoreError:
                    break  # the store is away: it may be back before the lease runs out

    def stop(self) -> None:
        """Renew nothing any more."""
        self._stop.set()


@contextmanager
def held(leases: Leases) -> Iterator[Held]:
    """Give leases that are renewed as long as this lasts, and given back at its end."""
    these = Held(leases)
    keeper = threading.Thread(target=these.keep, name="leases", daemon=True)
    keeper.start()
    try:
        yield these
    finally:
        these.stop()
        keeper.join()
        for each in list(these.ids):
            these.give_back(each)


__all__ = ["Held", "Leases", "held", "holder_of"]
