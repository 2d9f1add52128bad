"""The store that the settings ask for, opened late: Elasticsearch's client is only imported where it is used."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from groundswell.configs.schema import ElasticSettings, Settings, SqliteSettings
from groundswell.index.query import Query
from groundswell.index.records import Document
from groundswell.index.store import Reader, Store, StoreError


class OpenReader(Reader, Protocol):
    """A `Reader` that holds something open, and can go through everything."""

    def scan(self, query: Query) -> Iterator[Document]:
        """Yield every matching document, oldest first."""

    def close(self) -> None:
        """Give back what is held."""

    def __enter__(self) -> Self:
        """Return itself."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""


def database(settings: Settings) -> Path:
    """Return where the embedded store's file is."""
    given = settings.store.path if isinstance(settings.store, SqliteSettings) else None
    return given or settings.data_dir / "groundswell.db"


def open_store(settings: Settings, *, spool: bool = False, letters: bool = True) -> Store:
    """Open the store for reading and writing; create it where there is none.

    With `spool`, for stages that can go on with what they themselves put, an unreachable cluster is no error: see
    `groundswell.index.spool`. Without `letters`, what a cluster refuses is only reported (`groundswell.index.letters`).

    Raises:
        StoreError: it cannot be opened; the message says why and what to do.
    """
    if isinstance(settings.store, ElasticSettings):
        connect = partial(_elastic().ElasticStore, settings.store, settings.data_dir if letters else None)
        if spool:
            from groundswell.index.spool import SpoolingStore

            return SpoolingStore(connect, settings.data_dir)
        store: Store = connect()
        return store
    from groundswell.index.sqlite.write import SqliteStore

    return SqliteStore(database(settings))


def open_reader(settings: Settings) -> OpenReader:
    """Open the store so that nothing can be written through it.

    Raises:
        StoreError: there is none yet, or it cannot be opened; the message says what to do.
    """
    if isinstance(settings.store, ElasticSettings):
        reader: OpenReader = _elastic().ElasticReader(settings.store)
        return reader
    from groundswell.index.sqlite.read import SqliteReader

    return SqliteReader(database(settings))


def migrate(settings: Settings, *, back: bool = False) -> str:
    """Create the store, or bring it to this version's schema; return what was done, for people.

    With `back`, return an Elasticsearch store to the schema before, with all that was written since.

    Raises:
        StoreError: it is newer than this Groundswell, or cannot be opened.
    """
    if isinstance(settings.store, ElasticSettings):
        moving = import_module("groundswell.index.elastic.migrate")
        return str(moving.back(settings.store) if back else moving.migrate(settings.store))
    if back:
        raise StoreError("an embedded store has no way back: copy its file before you migrate, or import an export")
    from groundswell.index.sqlite.connect import migrate_file

    return migrate_file(database(settings))


def _elastic() -> Any:
    """Return the module of the Elasticsearch store."""
    return import_module("groundswell.index.elastic.store")
