"""Analysts' SQL: DuckDB in memory, read-only, over the Parquet files that each run exports.

Nothing but those files can be read and nothing written; a statement has bounded time, memory and rows.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from groundswell.configs.schema import Settings
from groundswell.index.export import export_days
from groundswell.index.open import open_reader
from groundswell.index.store import StoreError
from groundswell.index.tables import DOCUMENT, TABLES

if TYPE_CHECKING:
    import duckdb

SECONDS = 30.0
"""How long a statement may take."""
MEMORY = "1GB"
ROWS = 10_000
"""How many rows are given back at most."""
FOLDER = "parquet"
"""Where in the data folder the files are."""
_TYPES = {
    "string": "VARCHAR",
    "strings": "VARCHAR[]",
    "time": "TIMESTAMPTZ",
    "number": "DOUBLE",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
}


@dataclass(frozen=True, slots=True)
class Table:
    """An answer; `cut` tells whether there were more rows than are given."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    cut: bool = False


def run_sql(settings: Settings, statement: str, *, seconds: float = SECONDS, rows: int = ROWS) -> Table:
    """Bring the files up to date with the store, and answer one statement that only reads.

    Raises:
        StoreError: there is no store, or the statement cannot be answered; the message says why.
    """
    folder = settings.data_dir / FOLDER
    with open_reader(settings) as reader:
        export_days(reader, folder)
    return ask(folder, statement, seconds=seconds, rows=rows)


def ask(folder: Path, statement: str, *, seconds: float = SECONDS, rows: int = ROWS) -> Table:
    """Answer one statement over the files in a folder as they are.

    Raises:
        StoreError: the statement does more than read, is wrong, or takes too long; the message says which.
    """
    import duckdb

    with duckdb.connect(":memory:") as db:
        _offer(db, folder.resolve())
        _lock(db, folder.resolve())
        try:
            _check(db, statement)
            with _bounded(db, seconds):
                cursor = db.execute(statement)
                columns = tuple(column[0] for column in cursor.description or ())
                found = cursor.fetchmany(rows + 1)
        except duckdb.InterruptException:
            raise StoreError(f"this takes longer than {seconds:g} seconds: narrow it, by day or market") from None
        except duckdb.OutOfMemoryException:
            raise StoreError(f"this needs more than {MEMORY} of memory: narrow it, or count instead of list") from None
        except duckdb.Error as error:
            raise StoreError(_for_people(str(error))) from None
    return Table(columns, tuple(found[:rows]), cut=len(found) > rows)


def _offer(db: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Make the tables."""
    tables = {"documents": (folder / "documents" / "*.parquet", DOCUMENT)}
    tables |= {name: (folder / f"{name}.parquet", columns) for name, (_, columns) in TABLES.items()}
    for name, (path, columns) in tables.items():
        if any(path.parent.glob(path.name)):
            source = f"read_parquet({_quoted(str(path))})"
        else:
            nothing = ", ".join(f'NULL::{_TYPES[holds]} AS "{column}"' for column, holds in columns.items())
            source = f"(SELECT {nothing} WHERE false)"
        db.execute(f"CREATE VIEW {name} AS SELECT * FROM {source}")  # noqa: S608  our own words


def _quoted(text: str) -> str:
    """Return a text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def _lock(db: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Take away everything but reading the files; none of it can be taken back."""
    for setting in (
        "TimeZone = 'UTC'",
        "temp_directory = ''",
        f"memory_limit = '{MEMORY}'",
        "threads = 2",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        f"allowed_directories = [{_quoted(str(folder))}]",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        db.execute(f"SET {setting}")


def _check(db: duckdb.DuckDBPyConnection, statement: str) -> None:
    """Refuse everything but one statement that reads.

    DuckDB's own parser says what a statement is. COPY could write into the folder of the files, so this matters; and
    EXPLAIN may carry anything inside, so it is refused too.
    """
    statements = db.extract_statements(statement)
    if len(statements) != 1:
        raise StoreError(f"write one statement; this has {len(statements)}")
    if (kind := statements[0].type.name) != "SELECT":
        raise StoreError(f"only reading is possible here (SELECT, WITH, FROM, DESCRIBE, SUMMARIZE), not {kind}")


@contextmanager
def _bounded(db: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Interrupt what takes too long."""
    timer = threading.Timer(seconds, db.interrupt)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _for_people(error: str) -> str:
    """Return DuckDB's message without its class, and what tables there are where one was not found."""
    message = error.split("\n\nLINE", 1)[0].strip()
    if "does not exist" in message and "Table" in message:
        message += f" (there are documents, {', '.join(TABLES)})"
    return message
