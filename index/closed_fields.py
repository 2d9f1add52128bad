"""Fields whose values are known beforehand, so that a mistyped one can be told instead of finding nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from groundswell.configs.schema import Settings
from groundswell.configs.source import source_files
from groundswell.configs.taxonomy import load_taxonomy
from groundswell.index.query import Field, Query
from groundswell.index.store import Reader


@dataclass(frozen=True, slots=True)
class Values(Collection[str]):
    """The values that a store holds in a field, and some beside; nothing is asked before somebody needs to know."""

    reader: Reader
    field: Field
    beside: Collection[str] = ()

    def __contains__(self, value: object) -> bool:
        """Tell whether a document has the value, or one may come to have it."""
        if value in self.beside:
            return True
        return bool(self.reader.search(Query(where={self.field: (str(value),)}, limit=0)).total)

    def __iter__(self) -> Iterator[str]:
        """Yield the values."""
        counted = self.reader.search(Query(limit=0, facets=(self.field,))).facets[self.field]
        yield from dict.fromkeys([*(value for value, _ in counted), *self.beside])

    def __len__(self) -> int:
        """Return how many there are."""
        return sum(1 for _ in self)


@dataclass(frozen=True, slots=True)
class Languages(Values):
    """Codes of languages: any by itself; with a script or a region only where a document has it so."""

    def __contains__(self, value: object) -> bool:
        """Tell whether a document may have the value: documents that are read have the language alone."""
        return "-" not in str(value) or Values.__contains__(self, value)


def closed_values(settings: Settings, reader: Reader | None = None) -> Mapping[Field, Collection[str]]:
    """Return field → every value that it can have; countries and languages are checked by `codes`.

    Without a reader only of those fields whose values no store decides.

    Raises:
        ConfigError: the taxonomy cannot be read.
    """
    fixed: dict[Field, Collection[str]] = {"risk": load_taxonomy(settings.taxonomy).risk_ids}
    if reader is None:
        return fixed
    names = frozenset(path.stem for path in source_files(settings.crawl))
    return fixed | {
        "source": Values(reader, "source", names),
        "lang": Languages(reader, "lang"),
    }
