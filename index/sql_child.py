"""One statement of SQL, answered by a process of its own that the system may stop.

Reads (folder, statement, seconds, rows, megabytes for DuckDB, megabytes beside) from standard input and writes
(columns, rows, trouble) to standard output, both pickled; called by `groundswell.index.sql` alone.
"""

from __future__ import annotations

import contextlib
import pickle
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from groundswell.index.tables import DOCUMENT, TABLES

if TYPE_CHECKING:
    import duckdb

Answer = tuple[tuple[str, ...], list[tuple[Any, ...]], str]
TYPES = {
    "string": "VARCHAR",
    "strings": "VARCHAR[]",
    "time": "TIMESTAMPTZ",
    "number": "DOUBLE",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
}
OUT_OF_MEMORY = 3
READING = "SELECT, WITH, FROM, PIVOT, DESCRIBE, SUMMARIZE"


def main() -> int:
    """Answer what stands on standard input."""
    folder, statement, seconds, rows, memory, beside = pickle.load(sys.stdin.buffer)  # noqa: S301  written by our own parent
    _limit(memory + beside)
    try:
        answer = _answer(Path(folder), statement, seconds, rows, memory)
        sys.stdout.buffer.write(pickle.dumps(answer))
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


def _limit(megabytes: int) -> None:
    """Let the system refuse more memory than that, where it can (POSIX)."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        import duckdb  # noqa: F401  loaded before the limit: its code is not what is bounded

        resource.setrlimit(resource.RLIMIT_DATA, (megabytes * 2**20, megabytes * 2**20))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(folder: Path, statement: str, seconds: float, rows: int, memory: int) -> Answer:
    import duckdb

    with duckdb.connect(":memory:") as db:
        _offer(db, folder)
        _lock(db, folder, memory)
        timer = threading.Timer(seconds, db.interrupt)
        timer.daemon = True
        timer.start()
        try:
            cursor = db.execute(_checked(db, statement))
            columns = tuple(column[0] for column in cursor.description or ())
            return columns, cursor.fetchmany(rows + 1), ""
        except duckdb.InterruptException:
            return (), [], too_long(seconds)
        except duckdb.OutOfMemoryException:
            raise MemoryError from None
        except (duckdb.Error, RefusedError) as error:
            return (), [], _for_people(str(error))


def too_long(seconds: float) -> str:
    """Return what a statement is told that takes too long."""
    return f"this takes longer than {seconds:g} seconds: narrow it, by day or market"


class RefusedError(ValueError):
    """The statement does more than read."""


def _offer(db: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Make the tables."""
    tables = {"documents": (folder / "documents" / "*.parquet", DOCUMENT)}
    tables |= {name: (folder / f"{name}.parquet", columns) for name, (_, columns) in TABLES.items()}
    for name, (path, columns) in tables.items():
        if any(path.parent.glob(path.name)):
            source = f"read_parquet({_quoted(str(path))})"
        else:
            nothing = ", ".join(f'NULL::{TYPES[holds]} AS "{column}"' for column, holds in columns.items())
            source = f"(SELECT {nothing} WHERE false)"
        db.execute(f"CREATE VIEW {name} AS SELECT * FROM {source}")  # noqa: S608  our own words


def _quoted(text: str) -> str:
    """Return a text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def _lock(db: duckdb.DuckDBPyConnection, folder: Path, memory: int) -> None:
    """Take away everything but reading the files; none of it can be taken back."""
    for setting in (
        "TimeZone = 'UTC'",
        "temp_directory = ''",
        f"memory_limit = '{memory}MB'",
        "threads = 2",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        f"allowed_directories = [{_quoted(str(folder))}]",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        db.execute(f"SET {setting}")


def _checked(db: duckdb.DuckDBPyConnection, statement: str) -> str:
    """Return the one statement that reads, or refuse.

    DuckDB's own parser says what a statement is. COPY could write into the folder of the files, so this matters; and
    EXPLAIN may carry anything inside, so it is refused too. A PIVOT counts as several statements: it is let through
    where it can stand as a part of a SELECT, which nothing that writes can.
    """
    kind = _kind(db, statement)
    if kind == "MULTI":
        statement = f"SELECT * FROM (\n{statement.strip().rstrip(';')}\n)"  # noqa: S608  checked again
        kind = "SELECT" if _kind(db, statement) == "MULTI" else kind
    if kind != "SELECT":
        raise RefusedError(
            f"only reading is possible here (SELECT, WITH, FROM, PIVOT, DESCRIBE, SUMMARIZE), not {kind}"
        )
    return statement


def _kind(db: duckdb.DuckDBPyConnection, statement: str) -> str:
    """Return what kind of statement it is; several are refused."""
    statements = db.extract_statements(statement)
    if len(statements) != 1:
        raise RefusedError(f"write one statement; this has {len(statements)}")
    return str(statements[0].type.name)


def _for_people(error: str) -> str:
    """Return DuckDB's message without its class, and what tables there are where one was not found."""
    message = error.split("\n\nLINE", 1)[0].strip()
    if "does not exist" in message and "Table" in message:
        message += f" (there are documents, {', '.join(TABLES)})"
    names = {name for _, columns in TABLES.values() for name in columns}
    if "syntax error at or near" in message and (word := message.rsplit('"', 2)[-2].lower()) in names:
        message += f' ({word} is a word of SQL: as a column it is written in double quotes, "{word}")'
    return message


if __name__ == "__main__":
    sys.exit(main())
