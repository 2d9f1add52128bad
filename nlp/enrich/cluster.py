"""Texts read by the workers of a Dask cluster: the same model there, the same answer, one writer here.

Reading a text is a pure step, so it may be done anywhere and, when a worker is lost, again. Whatever needs the whole
stream (near-copies, themes, signals, the store) stays with the process that asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import cast

from groundswell.configs.schema import ModelSettings, Settings
from groundswell.index.cluster import ClusterError, Workers, connected
from groundswell.nlp.model.bundle import ModelError
from groundswell.nlp.model.model import Model as LocalModel
from groundswell.nlp.model.model import Reading, load_model

TASKS_A_THREAD = 2
"""Batches that wait for each thread of a worker: while one is read, the next is on its way there."""


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

    def __init__(self, workers: Workers, settings: Settings, found: Identity) -> None:
        self._workers = workers
        self._settings = settings.model.model_dump_json()
        self.made_by, self.risk_ids, self.embedding_version = found.made_by, found.risk_ids, found.embedding_version

    @property
    def ahead(self) -> int:
        """Return how many batches keep all workers busy while one is stored here."""
        return TASKS_A_THREAD * self._workers.threads

    def read(self, texts: Sequence[str]) -> Reading:
        """Return all that is known of the texts, in their order: one task, so that they are read as one process would.

        Raises:
            ClusterError: no worker is left, or the scheduler is gone.
        """
        (reading,) = self._workers.done(read_part, [list(texts)], settings=self._settings, made_by=self.made_by)
        return cast("Reading", reading)


@contextmanager
def cluster_model(settings: Settings) -> Iterator[ClusterModel]:
    """Connect to the configured scheduler and see that every worker reads with the same model as all others.

    Raises:
        ClusterError: Dask is not installed, nobody answers, there is no worker, or the workers differ.
    """
    with connected(settings) as workers:
        yield ClusterModel(workers, settings, _agreed(workers, settings))


def _agreed(workers: Workers, settings: Settings) -> Identity:
    """Return what all workers read with.

    Raises:
        ClusterError: one of them cannot read, or two read differently.
    """
    found: dict[str, Identity | str] = workers.each(identity, settings.model.model_dump_json())
    for worker, one in found.items():
        if not isinstance(one, Identity):
            raise ClusterError(f"worker {worker} cannot read: {one}")
    kinds = {one: worker for worker, one in found.items() if isinstance(one, Identity)}
    if len(kinds) > 1:
        each = "; ".join(f"{worker}: groundswell {one.package}, {one.made_by}" for one, worker in kinds.items())
        raise ClusterError(f"the workers differ, so their answers would ({each}); install the same version on all")
    return next(iter(kinds))


__all__ = ["ClusterError", "ClusterModel", "cluster_model"]
