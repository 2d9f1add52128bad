"""Texts read by the workers of a Dask cluster: the same model there, the same answer, one writer here.

Reading a text is a pure step, so it may be done anywhere and, when a worker is lost, again. Whatever needs the whole
stream (near-copies, themes, signals, the store) stays with the process that asked.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import lru_cache
from importlib.metadata import version
from time import monotonic
from typing import Any

import numpy as np

from groundswell.configs.schema import ModelSettings, Settings
from groundswell.nlp.model.bundle import ModelError
from groundswell.nlp.model.model import Model as LocalModel
from groundswell.nlp.model.model import Reading, load_model

Client = Any
Future = Any
"""Dask's own types know none of their methods' types."""
CHUNK = 64
"""Texts of one task: a second or so of work, so that nobody waits long for the slowest and little is lost with one."""
TASKS_A_WORKER = 8
"""Tasks that a worker's share of one batch makes."""
POLL_SECONDS = 1.0
"""How often one looks whether any worker is left."""
REPEATS = 10
"""How often a task may lose its worker before it is given up."""


class ClusterError(ModelError):
    """A cluster that cannot read; the message says which, why, and what to do next."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a worker would read with."""

    package: str
    made_by: str
    risk_ids: tuple[str, ...]
    embedding_version: str


@lru_cache(maxsize=1)
def _model(settings: str) -> LocalModel:
    return load_model(ModelSettings.model_validate_json(settings))


def identity(settings: str) -> Identity | str:
    """Return what this process reads with, or why it cannot."""
    try:
        model = _model(settings)
    except ModelError as error:
        return str(error)
    return Identity(version("groundswell"), model.made_by, model.risk_ids, model.embedding_version)


def read_part(texts: Sequence[str], settings: str, made_by: str) -> Reading:
    """Read some texts on a worker.

    Raises:
        ClusterError: the worker has another model than the one that was asked for; it may have come later.
    """
    model = _model(settings)
    if model.made_by != made_by:
        raise ClusterError(f"a worker came with {model.made_by}, not {made_by}: install the same version on all")
    return model.read(texts)


class ClusterModel:
    """A model whose readings are made by the workers; made by `cluster_model`."""

    def __init__(self, client: Client, settings: Settings, found: Identity) -> None:
        self._client = client
        self._settings = settings.model.model_dump_json()
        self._patience = settings.scale.patience_seconds
        self.made_by, self.risk_ids, self.embedding_version = found.made_by, found.risk_ids, found.embedding_version

    @property
    def at_once(self) -> int:
        """Return how many texts keep all workers busy."""
        threads = int(sum(self._client.nthreads().values()))
        return CHUNK * TASKS_A_WORKER * max(1, threads)

    def read(self, texts: Sequence[str]) -> Reading:
        """Return all that is known of the texts, in their order.

        Raises:
            ClusterError: no worker is left, or the scheduler is gone.
        """
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        parts = [order[begin : begin + CHUNK] for begin in range(0, len(order), CHUNK)]
        futures = self._client.map(
            read_part,
            [[texts[row] for row in part] for part in parts],
            settings=self._settings, made_by=self.made_by, pure=False, retries=REPEATS,
        )  # fmt: skip
        self._wait(futures)
        return _in_order(self._gathered(futures), np.argsort(np.concatenate([np.array(part, int) for part in parts])))

    def _wait(self, futures: Sequence[Future]) -> None:
        """Wait for all, as long as anybody works on them."""
        import distributed

        wait: Any = distributed.wait
        seen = monotonic()
        while True:
            try:
                with self._client.as_current():
                    wait(futures, timeout=POLL_SECONDS)
            except TimeoutError:
                seen = monotonic() if self._anybody() else seen
                if monotonic() - seen > self._patience:
                    self._client.cancel(list(futures))
                    raise ClusterError(
                        f"no worker of {self._address} is left; start some (`dask worker {self._address}`) "
                        "and run again: what was read before is stored"
                    ) from None
            except CancelledError:
                raise self._gone() from None
            else:
                return

    def _anybody(self) -> bool:
        if self._client.status != "running":
            raise self._gone()
        return bool(self._client.scheduler_info(n_workers=-1)["workers"])

    def _gathered(self, futures: Sequence[Future]) -> list[Reading]:
        from distributed import KilledWorker

        try:
            return list(self._client.gather(list(futures)))
        except KilledWorker as error:
            msg = f"{REPEATS} workers in a row were lost over the same texts ({error}); see their logs"
            raise ClusterError(msg) from error
        except (CancelledError, OSError) as error:
            raise self._gone() from error

    def _gone(self) -> ClusterError:
        return ClusterError(
            f"the scheduler at {self._address} went away; run again when it is back: what was read before is stored"
        )

    @property
    def _address(self) -> str:
        return str(self._client.scheduler.address)


def _in_order(readings: Sequence[Reading], places: np.ndarray[Any, Any]) -> Reading:
    """Return several readings as one, each text at its place."""
    joined: dict[str, Any] = {}
    for name in (each.name for each in fields(Reading)):
        parts = [getattr(reading, name) for reading in readings]
        if isinstance(parts[0], np.ndarray):
            joined[name] = np.concatenate(parts)[places]
        else:
            flat = [one for part in parts for one in part]
            joined[name] = tuple(flat[place] for place in places)
    return Reading(**joined)


@contextmanager
def cluster_model(settings: Settings) -> Iterator[ClusterModel]:
    """Connect to the configured scheduler and see that every worker reads with the same model as all others.

    Raises:
        ClusterError: Dask is not installed, nobody answers, there is no worker, or the workers differ.
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
        yield ClusterModel(client, settings, _agreed(client, settings))


def _agreed(client: Client, settings: Settings) -> Identity:
    """Return what all workers read with.

    Raises:
        ClusterError: there is none, one of them cannot read, or two read differently.
    """
    try:
        client.wait_for_workers(1, timeout=settings.scale.patience_seconds)
    except TimeoutError:
        raise ClusterError(
            f"{settings.scale.scheduler} has no worker; start some with `dask worker {settings.scale.scheduler}`"
        ) from None
    found: dict[str, Identity | str] = client.run(identity, settings.model.model_dump_json(), on_error="return")
    for worker, one in found.items():
        if not isinstance(one, Identity):
            raise ClusterError(f"worker {worker} cannot read: {one}")
    kinds = {one: worker for worker, one in found.items() if isinstance(one, Identity)}
    if len(kinds) > 1:
        each = "; ".join(f"{worker}: groundswell {one.package}, {one.made_by}" for one, worker in kinds.items())
        raise ClusterError(f"the workers differ, so their answers would ({each}); install the same version on all")
    return next(iter(kinds))


__all__ = ["ClusterError", "ClusterModel", "cluster_model"]
