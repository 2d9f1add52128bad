"""Work done by the workers of a Dask cluster: reached, seen to be alike, given steps, and waited for.

Steps are pure or idempotent, so that one that was lost with its worker is done again by another.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from importlib.metadata import version
from time import monotonic
from typing import Any
from uuid import uuid4

from groundswell.configs.schema import Settings
from groundswell.index.progress import Progress
from groundswell.index.records import Checkpoint
from groundswell.index.store import Reader, Store, StoreError

Client = Any
Future = Any
"""Dask's own types know none of their methods' types."""
POLL_SECONDS = 1.0
"""How often one looks whether any worker is left."""
REPEATS = 10
"""How often a task may lose its worker before it is given up."""
MEETING = "cluster:meeting"
log = logging.getLogger(__name__)


class ClusterError(StoreError):
    """A cluster that cannot work; the message says which, why, and what to do next."""


@dataclass(frozen=True, slots=True)
class Workers:
    """The workers of a scheduler; made by `connected`."""

    client: Client
    patience: float
    """Seconds without any worker after which waiting ends."""
    slow: float
    """Seconds without any step done after which what is not done is begun a second time, by another."""
    steps: Counter[str] = field(default_factory=Counter)
    """How many steps each worker has done, by its name."""

    @property
    def address(self) -> str:
        """Return the scheduler's address."""
        return str(self.client.scheduler.address)

    @property
    def threads(self) -> int:
        """Return how many steps may run at once, at least one."""
        return max(1, int(sum(self.client.nthreads().values())))

    def each(self, ask: Callable[..., Any], *given: Any) -> dict[str, Any]:
        """Return what every worker answers, or the error that it answered with, by its address.

        One that is lost meanwhile is left out; whoever comes later is looked at where its work begins.

        Raises:
            ClusterError: all were lost.
        """
        from distributed.comm.core import CommClosedError

        answers: dict[str, Any] = self.client.run(ask, *given, on_error="return")
        there = {worker: answer for worker, answer in answers.items() if not isinstance(answer, CommClosedError)}
        if not there:
            raise ClusterError(f"every worker of {self.address} was lost while it was asked; run again")
        return there

    def start(self, step: Callable[..., Any], items: Sequence[Any], **more: Any) -> list[Future]:
        """Give each item to a worker; one that is lost is given to another."""
        signed = partial(_signed, step)
        futures: list[Future] = self.client.map(signed, list(items), pure=False, retries=REPEATS, **more)
        return futures

    def done(
        self, step: Callable[..., Any], items: Sequence[Any], tell: Callable[[int], None] | None = None, **more: Any
    ) -> list[Any]:
        """Return what a pure step makes of each item; what a slow worker keeps is begun again by another meanwhile.

        Raises:
            ClusterError: no worker is left, the scheduler is gone, or a step lost too many workers.
            Exception: a step's own.
        """
        futures = self.start(step, items, **more)
        won = self.wait(futures, tell, again=lambda k: self.start(step, [items[k]], **more)[0])
        return [made for _, made in self.gathered(won)]

    def wait(
        self,
        futures: Sequence[Future],
        tell: Callable[[int], None] | None = None,
        *,
        again: Callable[[int], Future] | None = None,
    ) -> list[Future]:
        """Wait for all, as long as anybody works on them; `tell` is told how many are done.

        With `again`, which begins a step a second time, return for each step the future that was done first: a worker
        that hangs keeps nobody waiting.

        Raises:
            ClusterError: no worker is left, or the scheduler is gone.
        """
        first, second = list(futures), dict[int, Future]()
        seen = moved = monotonic()
        while left := [k for k, future in enumerate(first) if not future.done()]:
            if self._step(first, second, left):
                seen = moved = monotonic()
            elif self._anybody():
                seen = monotonic()
            elif monotonic() - seen > self.patience:
                raise self._deserted([*first, *second.values()])
            if again and monotonic() - moved > self.slow:
                second |= {k: again(k) for k in left if k not in second}
            if tell:
                tell(sum(future.done() for future in first))
        return first

    def _step(self, first: list[Future], second: dict[int, Future], left: Sequence[int]) -> bool:
        """Wait a little for any of those that are left; return whether one came, by whomever it was done."""
        import distributed

        wait: Any = distributed.wait
        running = [first[k] for k in left] + [second[k] for k in left if k in second]
        try:
            with self.client.as_current():
                wait(running, timeout=POLL_SECONDS, return_when="FIRST_COMPLETED")
        except TimeoutError:
            return False
        except CancelledError:
            raise self.gone() from None
        for k in [k for k in left if k in second and second[k].done() and not first[k].done()]:
            self.client.cancel([first[k]])
            first[k] = second.pop(k)
        return True

    def _deserted(self, futures: Sequence[Future]) -> ClusterError:
        self.client.cancel(list(futures))
        return ClusterError(
            f"no worker of {self.address} is left; start some (`dask worker {self.address}`) "
            "and run again: what was done before is stored"
        )

    def _anybody(self) -> bool:
        if self.client.status != "running":
            raise self.gone()
        return bool(self.client.scheduler_info(n_workers=-1)["workers"])

    def gathered(self, futures: Sequence[Future]) -> list[tuple[str, Any]]:
        """Return by whom each was done and what came of it, and count it as that worker's.

        Raises:
            ClusterError: a step lost too many workers, or the scheduler is gone.
            Exception: a step's own.
        """
        from distributed import KilledWorker

        try:
            done: list[tuple[str, Any]] = list(self.client.gather(list(futures)))
        except KilledWorker as error:
            msg = f"{REPEATS} workers in a row were lost over the same task ({error}); see their logs"
            raise ClusterError(msg) from error
        except (CancelledError, OSError) as error:
            raise self.gone() from error
        self.steps.update(worker for worker, _ in done)
        return done

    def gone(self) -> ClusterError:
        """Return the error of a scheduler that is not there any more."""
        return ClusterError(
            f"the scheduler at {self.address} went away; run again when it is back: what was done before is stored"
        )


def _signed(step: Callable[..., Any], *given: Any, **more: Any) -> tuple[str, Any]:
    """Return the name of the worker that does a step, and what comes of it; done by a worker."""
    from distributed import get_worker

    worker: Any = get_worker()
    return str(worker.name), step(*given, **more)


@contextmanager
def connected(settings: Settings) -> Iterator[Workers]:
    """Connect to the configured scheduler and see that it has workers of this very version.

    Raises:
        ClusterError: Dask is not installed, nobody answers, there is no worker, or one has another version.
    """
    try:
        import distributed
    except ImportError:
        raise ClusterError("scale.scheduler needs Dask: install groundswell[scale]") from None
    address = settings.scale.scheduler
    connect: Any = distributed.Client
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # a lost worker is our own sentence, not a traceback
    try:
        client = connect(address, timeout=settings.scale.patience_seconds, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise ClusterError(
            f"no Dask scheduler answers at {address!r} ({error}); start one (`dask scheduler`), "
            "or leave scale.scheduler out"
        ) from error
    with client:
        workers = Workers(client, settings.scale.patience_seconds, settings.scale.slow_seconds)
        _some(workers)
        _alike(workers)
        yield workers
        _tell_who(workers)


def _tell_who(workers: Workers) -> None:
    if workers.steps:
        each = ", ".join(f"{name} {count:,}" for name, count in sorted(workers.steps.items()))
        log.info("steps done by workers: %s", each, extra={"facts": {"workers": dict(workers.steps)}})


def _some(workers: Workers) -> None:
    try:
        workers.client.wait_for_workers(1, timeout=workers.patience)
    except TimeoutError:
        address = workers.address
        raise ClusterError(f"{address} has no worker; start some with `dask worker {address}`") from None


def installed() -> str:
    """Return which Groundswell and which Python this process runs."""
    return f"groundswell {version('groundswell')}, Python {sys.version_info.major}.{sys.version_info.minor}"


def _alike(workers: Workers) -> None:
    """See that every worker runs what we run: steps and what they give back travel as they are.

    Raises:
        ClusterError: one does not; it is named.
    """
    ours = installed()
    for worker, theirs in workers.each(installed).items():
        if theirs != ours:
            said = theirs if isinstance(theirs, str) else f"no Groundswell ({theirs})"
            raise ClusterError(f"worker {worker} has {said}, here is {ours}: install the same version on all")


def meet(workers: Workers, store: Store, settings: Settings, now: Any) -> str:
    """See that every worker reaches this very store; return the settings with which it does.

    Raises:
        ClusterError: one does not: it has another file of the same name, or no way to the server.
    """
    token = uuid4().hex
    shared = shared_settings(settings).model_dump_json()
    known = {"workers": names(workers), "dashboard": dashboard(workers), "scheduler": workers.address}
    store.put([Checkpoint(id=MEETING, value={"token": token, **known}, at=now)])
    for worker, answer in workers.each(partial(sees, shared, token)).items():
        if answer is not True:
            why = answer if isinstance(answer, Exception) else "it found another one at the same address"
            raise ClusterError(
                f"worker {worker} does not reach this store: {why}. Workers of several machines need "
                "store.backend: elastic, and its key in their environment"
            )
    return shared


def shared_settings(settings: Settings) -> Settings:
    """Return settings that mean the same store on a worker; it is no coordinator itself."""
    from groundswell.index.open import database

    store = settings.store
    if store.backend == "sqlite":
        store = store.model_copy(update={"path": database(settings).resolve()})
    scale = settings.scale.model_copy(update={"scheduler": ""})
    return settings.model_copy(update={"store": store, "scale": scale})


def sees(settings: str, token: str) -> bool:
    """Return whether this process reaches the store that holds a token."""
    from groundswell.index.open import open_reader

    with open_reader(Settings.model_validate_json(settings)) as reader:
        found = reader.get(Checkpoint, MEETING)
    return found is not None and found.value.get("token") == token


def roll(workers: Workers) -> list[str]:
    """Return a line for people about each worker: name, address, threads, what it does now, and memory."""
    info: dict[str, Any] = workers.client.scheduler_info(n_workers=-1)["workers"]
    lines = []
    for address, worker in sorted(info.items()):
        now = worker["metrics"]
        doing, held = now.get("task_counts", {}).get("executing", 0), now.get("memory", 0) / 1e6
        lines.append(
            f"worker {worker['name']} at {address}: {worker['nthreads']} threads, {doing} tasks, {held:,.0f} MB"
        )
    return lines


def names(workers: Workers) -> list[str]:
    """Return what the workers are called."""
    info: dict[str, Any] = workers.client.scheduler_info(n_workers=-1)["workers"]
    return sorted(str(worker["name"]) for worker in info.values())


@dataclass(frozen=True, slots=True)
class Meeting:
    """The workers that last came together for this store: when (UTC), what they are called, and who led them."""

    at: datetime
    workers: tuple[str, ...]
    scheduler: str
    dashboard: str
    """Address of Dask's own dashboard; empty where it is none of the web's."""


def last_meeting(reader: Reader) -> Meeting | None:
    """Return which workers were last at work for a store, or ``None`` where none ever was."""
    found = reader.get(Checkpoint, MEETING)
    if found is None or not found.value.get("workers"):
        return None
    page = str(found.value.get("dashboard", ""))
    safe = page if page.startswith(("http://", "https://")) else ""
    return Meeting(found.at, tuple(found.value["workers"]), str(found.value.get("scheduler", "")), safe)


def dashboard(workers: Workers) -> str:
    """Return where Dask's own dashboard shows what every worker does, as it happens."""
    return str(workers.client.dashboard_link)


def days_on_cluster(settings: Settings, store: Store, *, now: Any, progress: Progress) -> Callable[..., Any]:
    """Return how the day files of an export are made by the workers: see `groundswell.index.export.export_days`."""

    def made(days: Sequence[str]) -> Iterator[tuple[str, bytes, int]]:
        with connected(settings) as workers:
            shared = meet(workers, store, settings, now)
            at_once = 2 * workers.threads
            for begin in range(0, len(days), at_once):
                some = list(days[begin : begin + at_once])
                files = workers.done(day_file, some, settings=shared)
                progress(begin + len(some), len(days), f"days, by {workers.threads} workers")
                yield from ((day, *made) for day, made in zip(some, files, strict=True))

    return made


def day_file(day: str, settings: str) -> tuple[bytes, int]:
    """Return a day's documents as the bytes of a Parquet file, and how many they are; done by a worker."""
    import tempfile
    from pathlib import Path

    from groundswell.index.export import write_day
    from groundswell.index.open import open_reader

    with open_reader(Settings.model_validate_json(settings)) as reader, tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "day.parquet"
        count = write_day(reader, day, target)
        return target.read_bytes(), count


__all__ = [
    "ClusterError", "Meeting", "Workers", "connected", "dashboard", "days_on_cluster", "last_meeting", "meet", "roll",
]  # fmt: skip
