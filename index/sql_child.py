"""One statement of SQL, answered by a process of its own that the system may stop.

Reads the fields of `Asked` from standard input and writes (columns, rows, trouble) to standard output, both pickled;
called by `groundswell.index.sql` alone. Of an embedded store only the tables and columns that the statement needs are
read: which they are is asked of DuckDB itself, that plans the statement over empty tables first.
"""

from __future__ import annotations

import contextlib
import json
import pickle
import re
import sys
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from groundswell.index.tables import (
    DERIVED,
    DOCUMENT,
    NEEDS,
    TABLES,
    VIEWS,
    columns_of,
    parquet_table,
    table_names,
)

if TYPE_CHECKING:
    import duckdb

Answer = tuple[tuple[str, ...], list[tuple[Any, ...]], str]
Rows = Sequence[dict[str, Any]]
TYPES = {
    "string": "VARCHAR",
    "strings": "VARCHAR[]",
    "time": "TIMESTAMPTZ",
    "date": "DATE",
    "number": "DOUBLE",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
}
OUT_OF_MEMORY = 3
READING = "SELECT, WITH, FROM, PIVOT, DESCRIBE, SUMMARIZE"
TEXTS_AT_MOST = 500_000
"""Documents whose texts are read straight from the store; of more, they come from the Parquet files of each day."""
NEEDS_FILES = "needs the files of the days"
"""The trouble that is none: the parent brings the files up to date and asks again."""
WHAT_THERE_IS = re.compile(r"duckdb_|information_schema|sqlite_|pg_|\bshow\b|\bdescribe\b|\bsummarize\b", re.I)
"""A statement that asks for the tables themselves."""
OFFERS = re.compile(r"\b(INSTALL|LOAD|ATTACH|SET|PRAGMA|RESET|COPY|CALL)\b|\btry_cast|\bpip install\b|https?://", re.I)
"""What DuckDB advises and nobody can follow here: nothing can be installed, loaded or set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A statement with its bounds.

    Attributes:
        folder: where the Parquet files are.
        database: the embedded store, whose documents are read straight; left out, the files are read.
        derived: rows of the tables that are made for the statement.
        markets: the only ones whose documents there are; then `derived` holds all records that may be seen.
        found: ids of documents that searches found; the tables ``found_1``, ``found_2`` … hold them.
        memory: megabytes for DuckDB; `beside`: for everything else.
    """

    folder: Path
    statement: str
    seconds: float
    rows: int
    memory: int
    beside: int
    database: Path | None = None
    derived: Mapping[str, Rows] = field(default_factory=dict)
    markets: tuple[str, ...] = ()
    found: Sequence[Sequence[str]] = ()

    @property
    def allowed(self) -> str:
        """Return what DuckDB may read by itself: files of all markets, so for whoever is limited nothing."""
        return "" if self.markets else _quoted(str(self.folder))


class _WithoutPandas:
    """Keeps pyarrow from importing pandas, which half a second of the answer would go into and nothing here needs."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:  # noqa: ARG004  importlib's signature
        """Refuse pandas, know nothing of any other module."""
        if name == "pandas":
            raise ModuleNotFoundError(name)


def main() -> int:
    """Answer what stands on standard input."""
    sys.meta_path.insert(0, cast("Any", _WithoutPandas()))
    asked = Asked(**pickle.load(sys.stdin.buffer))  # noqa: S301  written by our own parent
    _limit(asked.memory + asked.beside)
    try:
        sys.stdout.buffer.write(pickle.dumps(_answer(asked)))
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


def _answer(asked: Asked) -> Answer:
    import duckdb

    try:
        needed = frozenset(DOCUMENT) if asked.database is None else _needed(asked)
        columns, rows, trouble, more = _executed(asked, needed)
        if more:  # planned over what is really there it needs more than over nothing: so all is offered
            columns, rows, trouble, _ = _executed(asked, frozenset(DOCUMENT))
        return columns, rows, trouble
    except duckdb.OutOfMemoryException:
        raise MemoryError from None
    except (duckdb.Error, RefusedError) as error:
        return (), [], _for_people(str(error), asked.statement)


def _executed(asked: Asked, needed: frozenset[str]) -> tuple[tuple[str, ...], list[tuple[Any, ...]], str, bool]:
    """Return columns, rows and trouble, and whether columns of documents are missing that are needed after all."""
    import duckdb

    from groundswell.index.store import StoreError

    with duckdb.connect(":memory:") as db:
        try:
            _offer(db, asked, needed)
        except StoreError as error:
            return (), [], str(error), False
        _lock(db, asked.allowed, asked.memory)
        timer = threading.Timer(asked.seconds, db.interrupt)
        timer.daemon = True
        timer.start()
        try:
            statement = _checked(db, asked.statement)
            if not _used(db, statement) <= needed:
                return (), [], "", True
            cursor = db.execute(statement)
            columns = tuple(column[0] for column in cursor.description or ())
            return columns, cursor.fetchmany(asked.rows + 1), "", False
        except duckdb.InterruptException:
            return (), [], too_long(asked.seconds), False
        finally:
            timer.cancel()


def too_long(seconds: float) -> str:
    """Return what a statement is told that takes too long."""
    return f"this takes longer than {seconds:g} seconds: narrow it, by day or market"


class RefusedError(ValueError):
    """The statement does more than read."""


# --- which columns a statement needs


def _needed(asked: Asked) -> frozenset[str]:
    """Return the columns of documents that a statement needs, planned over empty tables."""
    import duckdb

    with duckdb.connect(":memory:") as db:
        named = _named(asked.statement)
        for name in ("documents", *TABLES, *DERIVED):
            if name in named:
                _register(db, name, parquet_table([], columns_of(name)))
        _found(db, [[] for _ in asked.found])
        _view(db, named)
        _lock(db, asked.allowed, asked.memory)
        statement = _checked(db, asked.statement)
        words = {word.lower() for word in re.findall(r"\w+", statement)}
        return frozenset((_used(db, statement) | words) & set(DOCUMENT))


def _used(db: duckdb.DuckDBPyConnection, statement: str) -> set[str]:
    """Return the columns of documents that the plan of a statement reads (names of other tables' columns among them).

    DuckDB names what a scan projects; a filter that it pushed into the scan is among them. A statement that has no
    plan of its own, such as DESCRIBE, reads none.
    """
    import duckdb

    try:
        plan = json.loads(db.execute(f"EXPLAIN (FORMAT json) {statement}").fetchall()[0][1])
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException):
        raise
    except (duckdb.Error, ValueError, IndexError, TypeError):
        return set(DOCUMENT)
    return set(DOCUMENT) & set(_projected(plan))


def _projected(plan: Any) -> list[str]:
    """Return every column that a scan anywhere in a plan names."""
    if isinstance(plan, list):
        return [name for node in plan for name in _projected(node)]
    extra = plan.get("extra_info") or {}
    if _counts_alone(plan):
        return []
    own = extra.get("Projections", []) if isinstance(extra, dict) else []
    filters = re.findall(r"\w+", str(extra.get("Filters", ""))) if isinstance(extra, dict) else []
    return [*([own] if isinstance(own, str) else own), *filters, *_projected(plan.get("children", []))]


def _counts_alone(plan: Mapping[str, Any]) -> bool:
    """Return whether a part of a plan takes nothing of its rows but that they are there.

    DuckDB's scans have to project something: of ``count(*)`` it is the first column, `id`, under a projection of its
    constant 42.
    """
    below = plan.get("children", [])
    if plan.get("name") != "PROJECTION" or (plan.get("extra_info") or {}).get("Projections") != "42" or len(below) != 1:
        return False
    child = below[0]
    extra = child.get("extra_info") or {}
    return not child.get("children") and extra.get("Projections") == "id" and not extra.get("Filters")


# --- what is there to ask about


def _offer(db: duckdb.DuckDBPyConnection, asked: Asked, needed: frozenset[str]) -> None:
    """Make the tables that the statement names."""
    named = _named(asked.statement)
    if asked.database is not None:
        _offer_store(db, asked, asked.database, named, needed)
    else:
        _offer_files(db, asked, named)
    for name in DERIVED:
        if name in named:
            _register(db, name, parquet_table(asked.derived.get(name, ()), DERIVED[name]))
    _found(db, asked.found)
    _view(db, named)


def _named(statement: str) -> set[str]:
    """Return the tables and views that a statement names, with those they are made of; all where it asks what there is.

    To offer one costs milliseconds, of which a first answer has few.
    """
    if WHAT_THERE_IS.search(statement):
        return set(table_names())
    named = {name for name in table_names() if re.search(rf"\b{name}\b", statement, re.IGNORECASE)}
    return named.union(*(NEEDS[view] for view in named & set(VIEWS)))


def _found(db: duckdb.DuckDBPyConnection, found: Sequence[Sequence[str]]) -> None:
    """Make a table of the documents that each search found."""
    import pyarrow as pa

    for number, ids in enumerate(found, 1):
        _register(db, f"found_{number}", pa.table({"id": pa.array(ids, pa.string())}))


def _offer_store(
    db: duckdb.DuckDBPyConnection, asked: Asked, database: Path, named: Collection[str], needed: frozenset[str]
) -> None:
    """Make documents and records from the embedded store."""
    from groundswell.index.sqlite import frames
    from groundswell.index.sqlite.connect import explained, open_for_reading
    from groundswell.index.store import StoreError

    with contextlib.closing(open_for_reading(database)) as store, explained(database):
        if "documents" in named and needed & set(frames.BODY) and frames.count(store) > TEXTS_AT_MOST:
            raise StoreError(NEEDS_FILES)
        columns = [name for name in DOCUMENT if name in needed or (name == "market" and asked.markets)]
        if "documents" in named:
            db.register("documents_rows", _of_markets(frames.documents(store, columns), asked.markets))
            db.execute(f"CREATE VIEW documents AS {frames.cut(columns, of='documents_rows')}")
        for name, (kind, holds) in TABLES.items():
            if name not in named:
                continue
            if asked.markets:
                _register(db, name, parquet_table(asked.derived.get(name, ()), holds))
            else:
                db.register(f"{name}_json", frames.records(store, kind))
                db.execute(f"CREATE VIEW {name} AS {frames.unpacked(holds, of=f'{name}_json')}")


def _of_markets(table: Any, markets: tuple[str, ...]) -> Any:
    """Return the rows of a table that are of these markets, before anybody can ask about it; all if none is named."""
    if not markets:
        return table
    import pyarrow as pa
    from pyarrow import compute

    return table.filter(compute.is_in(table["market"].cast(pa.string()), pa.array(markets, pa.string())))


def _offer_files(db: duckdb.DuckDBPyConnection, asked: Asked, named: Collection[str]) -> None:
    """Make documents and records from the Parquet files."""
    folder = asked.folder
    if asked.markets:
        _offer_part(db, asked, named)
        return
    tables = {"documents": (folder / "documents" / "*.parquet", DOCUMENT)}
    tables |= {name: (folder / f"{name}.parquet", columns) for name, (_, columns) in TABLES.items()}
    for name, (path, columns) in tables.items():
        if name not in named:
            continue
        if any(path.parent.glob(path.name)):
            source = f"read_parquet({_quoted(str(path))}, union_by_name = true)"
            db.execute(f"CREATE VIEW {name} AS SELECT * FROM {source}")  # noqa: S608  our own words
        else:
            _register(db, name, parquet_table([], columns))


def _offer_part(db: duckdb.DuckDBPyConnection, asked: Asked, named: Collection[str]) -> None:
    """Make documents of some markets from the files, read here and not by DuckDB, and records as they were given."""
    from pyarrow import dataset

    files = sorted((asked.folder / "documents").glob("*.parquet")) if "documents" in named else []
    rows = parquet_table([], DOCUMENT)
    if files:
        schema = rows.schema
        rows = dataset.dataset(files, schema=schema).to_table(filter=dataset.field("market").isin(list(asked.markets)))
    _register(db, "documents", rows)
    for name, (_, columns) in TABLES.items():
        _register(db, name, parquet_table(asked.derived.get(name, ()), columns))


def _register(db: duckdb.DuckDBPyConnection, name: str, table: Any) -> None:
    """Make a table of what is in memory."""
    db.register(f"{name}_rows", table)
    db.execute(f"CREATE VIEW {name} AS SELECT * FROM {name}_rows")  # noqa: S608  our own words


def _view(db: duckdb.DuckDBPyConnection, named: Collection[str]) -> None:
    """Make the views that are asked for."""
    for name, (statement, _) in VIEWS.items():
        if name in named:
            db.execute(f"CREATE VIEW {name} AS {statement}")


def _quoted(text: str) -> str:
    """Return a text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def _lock(db: duckdb.DuckDBPyConnection, allowed: str, memory: int) -> None:
    """Take away everything but reading the files; none of it can be taken back."""
    for setting in (
        "TimeZone = 'UTC'",
        "temp_directory = ''",
        f"memory_limit = '{memory}MB'",
        "threads = 2",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        "python_enable_replacements = false",
        f"allowed_directories = [{allowed}]",
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
        raise RefusedError(f"only reading is possible here ({READING}), not {kind}")
    return statement


def _kind(db: duckdb.DuckDBPyConnection, statement: str) -> str:
    """Return what kind of statement it is; several are refused."""
    statements = db.extract_statements(statement)
    if len(statements) != 1:
        raise RefusedError(f"write one statement; this has {len(statements)}")
    return str(statements[0].type.name)


def _for_people(error: str, statement: str) -> str:
    """Return DuckDB's message without its class and without advice that nobody can follow here.

    Where a table was not found it says which there are, where a word of SQL stands as a column, how that is written.
    """
    lines = error.split("\n\nLINE", 1)[0].strip().splitlines()
    message = "\n".join(line for place, line in enumerate(lines) if not place or not OFFERS.search(line)).strip()
    if "does not exist" in message and "Table" in message:
        message += f" (there are {', '.join(table_names())})"
    near = re.search(r'syntax error at or near "(.*)"', message, re.DOTALL)
    if near and (word := _word_of_sql(statement, near.group(1))):
        message += f' ({word} is a word of SQL: as a column it is written in double quotes, "{word}")'
    return message


def _word_of_sql(statement: str, near: str) -> str:
    """Return the column whose name is a word of SQL and at which, or right after which, a statement breaks; or ""."""
    names = "|".join(sorted({name for table in table_names() for name in columns_of(table)}))
    if re.fullmatch(names, near, re.IGNORECASE):
        return near.lower()
    before = re.search(rf'(?<!["\w])({names})\s*{re.escape(near)}', statement, re.IGNORECASE)
    return before.group(1).lower() if before else ""


if __name__ == "__main__":
    sys.exit(main())
