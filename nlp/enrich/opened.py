"""Who reads the texts: this process, or the workers of a cluster where one is configured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from groundswell.configs.schema import Settings
from groundswell.nlp.enrich.stage import Model


@dataclass(frozen=True, slots=True)
class OpenModel:
    """A model, and how many batches to have read ahead so that it is kept busy."""

    model: Model
    ahead: int = 0


@contextmanager
def opened_model(settings: Settings) -> Iterator[OpenModel]:
    """Open the configured model, here or on the cluster that the settings name.

    Raises:
        ModelError: there is no such model, it is damaged, or the cluster cannot read with it.
    """
    if not settings.scale.scheduler:
        from groundswell.nlp.model.model import load_model

        yield OpenModel(load_model(settings.model))
        return
    from groundswell.nlp.enrich.cluster import cluster_model

    with cluster_model(settings) as model:
        yield OpenModel(model, model.ahead)


__all__ = ["OpenModel", "opened_model"]
