"""What indices and aliases are called, and which month a document rests in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from groundswell.index.codec import name_of
from groundswell.index.fields import UNDATED, time_of
from groundswell.index.records import RECORDS, Enriched, Membership, Mention

VERSION = 3
"""Counts changes of the mappings and of what fills them; `_meta.mapping_version` in each file says the same."""
OLDEST_MONTH, NEWEST_MONTH = "1990.01", "2100.01"
"""Documents beyond share one index, so that no page from the year 9999 makes an index of its own."""
KINDS = tuple(name_of(kind) for kind in RECORDS if kind not in (Mention, Enriched, Membership))


@dataclass(frozen=True, slots=True)
class Names:
    """All names, under one prefix."""

    prefix: str
    version: int = VERSION

    @property
    def documents(self) -> str:
        """Return the alias over all months, for reading."""
        return f"{self.prefix}-documents"

    @property
    def places(self) -> str:
        """Return the alias of the index that says in which month each document rests."""
        return f"{self.prefix}-places"

    def month(self, at: int) -> str:
        """Return the write alias of the month of a time (microseconds since 1970, or `UNDATED`)."""
        return f"{self.documents}-write-{month_of(at)}"

    def kind(self, name: str) -> str:
        """Return the alias of a kind of record."""
        return f"{self.prefix}-{name}"

    def index(self, alias: str) -> str:
        """Return the concrete index behind an alias, in this version of the mappings."""
        return alias.replace("-write-", f"-v{self.version}-") if "-write-" in alias else f"{alias}-v{self.version}"


def month_of(at: int) -> str:
    """Return "2026.11", or "undated", or "other" for times that no calendar of ours has."""
    if at == UNDATED:
        return "undated"
    month = f"{time_of(at):%Y.%m}"
    return month if OLDEST_MONTH <= month < NEWEST_MONTH else "other"


def mapping(name: str) -> dict[str, Any]:
    """Return settings and mappings of documents, records or places."""
    text = files("groundswell.index.elastic").joinpath("mappings", f"{name}.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found
