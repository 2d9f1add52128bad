"""The embedded store: the suite that every store passes, and what only a database file can get wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundswell.index.sqlite.write import SqliteStore
from tests.index.contract import StoreContract


class SqliteShelf:
    """A database file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self) -> SqliteStore:
        """Open it."""
        return SqliteStore(self.path)

    def refresh(self) -> None:
        """Do nothing: what is committed is there."""


class TestSqlite(StoreContract):
    """The contract, kept by SQLite."""

    @pytest.fixture
    def shelf(self, tmp_path: Path) -> SqliteShelf:
        """Give a file that is not there yet."""
        return SqliteShelf(tmp_path / "groundswell.db")
