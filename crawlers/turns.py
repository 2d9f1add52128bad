"""Whose turn it is to ask a host, among all crawls that share a store: politeness holds across machines.

Before a host is asked, its lease is taken (`groundswell.index.leases`); as long as requests to it are under way the
lease is renewed, and then it runs out, so that another crawl may go on there. It carries when the host may be asked
next: the pause between two requests holds across workers, too.
"""

from __future__ import annotations

import asyncio
import logging
import math
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any

from groundswell.index.leases import RENEWALS, Leases
from groundswell.index.store import StoreError

if TYPE_CHECKING:
    from groundswell.crawlers.hosts import Host, Hosts
    from groundswell.index.store import Store

LOOK_SECONDS = 1.0
"""How often one asks whether another crawl has left a host."""
log = logging.getLogger(__name__)


def lease_id(host: str) -> str:
    """Return the id of a host's lease."""
    return f"host:{host}"


@dataclass(slots=True)
class Turn:
    """What we know of our turn at one host.

    Attributes:
        ours_until: until when it is ours without asking the store, on the monotonic clock.
        under_way: requests that passed and have not ended.
        by: who else has it.
        not_before: when the host may be asked first, because another asked it last.
    """

    ours_until: float = -math.inf
    under_way: int = 0
    by: str = ""
    not_before: datetime | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class Turns:
    """Takes turns at hosts for one crawling process."""

    leases: Leases
    _turns: dict[str, Turn] = field(default_factory=dict)
    _keeper: asyncio.Future[None] | None = None

    def of(self, host: Host) -> Turn:
        """Return our turn at a host."""
        return self._turns.setdefault(host.name, Turn())

    async def wait(self, host: Host) -> float:
        """Return after how many seconds to look again, 0 where the host may be asked now."""
        turn = self.of(host)
        async with turn.lock:
            if not self._is_ours(turn, host) and not await asyncio.to_thread(self._take, host, turn):
                return LOOK_SECONDS
        if turn.not_before is None:
            return 0.0
        return max(0.0, (turn.not_before - self.leases.clock()).total_seconds())

    def _is_ours(self, turn: Turn, host: Host) -> bool:
        """Return whether it is ours for long enough; of a host with long pauses each request is written down."""
        part = self.leases.seconds / RENEWALS
        return turn.ours_until - monotonic() > part and host.pause <= part

    def _take(self, host: Host, turn: Turn) -> bool:
        """Take or renew; return whether it is ours. Our own pauses are kept by the host's queue."""
        begun, free_at = monotonic(), self._free_at(host, turn)
        try:
            lease = self.leases.take(lease_id(host.name), free_at=free_at)
            turn.by = "" if lease else self.leases.who(lease_id(host.name))
        except StoreError as error:
            # A crawl goes on while its store is away (`groundswell.index.spool`): nobody can be asked whose turn it is.
            log.warning("%s: nobody knows who else asks it: %s", host.name, error)
            turn.ours_until = begun + self.leases.seconds
            return True
        if lease is None:
            turn.ours_until = -math.inf
            return False
        turn.ours_until = begun + self.leases.seconds * (RENEWALS - 0.5) / RENEWALS
        if lease.free_at is not None and lease.free_at > free_at:
            turn.not_before = lease.free_at  # another asked it last
        return True

    def _free_at(self, host: Host, turn: Turn) -> datetime:
        """Return when the host may be asked next by whoever follows us: a request under way may go at any moment."""
        now = self.leases.clock()
        if turn.under_way:
            return now + timedelta(seconds=self.leases.seconds / RENEWALS + host.pause)
        free_at = now + timedelta(seconds=max(0.0, host.asked_at + host.pause - monotonic()))
        return max(free_at, turn.not_before or free_at)

    def begin(self, hosts: Hosts) -> None:
        """Renew, from now on and as long as the process lives, the turn at every host that is being asked."""
        self._keeper = asyncio.ensure_future(self._keep(hosts))

    async def _keep(self, hosts: Hosts) -> None:
        while True:
            await asyncio.sleep(self.leases.seconds / RENEWALS)
            for name, turn in list(self._turns.items()):
                if turn.under_way:
                    async with turn.lock:
                        await asyncio.to_thread(self._take, hosts.named(name), turn)

    def give_back(self, hosts: Hosts) -> None:
        """Let others ask the hosts that we had, after the pause."""
        for name, turn in self._turns.items():
            if turn.ours_until > -math.inf:
                turn.under_way = 0
                with suppress(StoreError):  # then it runs out by itself
                    self.leases.give_back(lease_id(name), free_at=self._free_at(hosts.named(name), turn))


def turns_of(order: dict[str, Any]) -> Turns | None:
    """Return how a crawling process takes turns; ``None`` where its order says that nobody can be asked."""
    if not (given := order.get("turns")):
        return None
    from groundswell.configs.schema import Settings
    from groundswell.index.open import open_store

    try:
        store: Store = open_store(Settings.model_validate(given["settings"]), letters=False)
    except StoreError as error:
        log.warning("nobody knows who else asks the same hosts: %s", error)
        return None
    return Turns(Leases(store, given["holder"], given["seconds"]))
