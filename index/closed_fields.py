"""Fields whose values are known beforehand, so that a mistyped one can be told instead of finding nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from groundswell.configs.schema import Settings
from groundswell.configs.taxonomy import load_taxonomy
from groundswell.index.query import Field


def closed_values(settings: Settings) -> Mapping[Field, Collection[str]]:
    """Return field → every value that it can have; countries and languages are checked by `codes`.

    Raises:
        ConfigError: the taxonomy cannot be read.
    """
    return {"risk": load_taxonomy(settings.taxonomy).risk_ids}
