"""Analysts' SQL: DuckDB in memory, read-only, over the store's tables or the Parquet files that each run exports.

Nothing but those can be read and nothing written; a statement has bounded time, memory and rows. DuckDB looks at
its own limits only between pieces of work, and one call of a function on long texts is a single piece: so each
statement is answered by a process of its own (`sql_child`), which the system stops.
"""

from __future__ import annotations

import math
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from groundswell.configs.schema import Settings, SqliteSettings
from groundswell.index.limited import ALL
from groundswell.index.open import database, open_reader
from groundswell.index.permitted import EVERYBODY, Person, seen_by
from groundswell.index.sql_child import NEEDS_FILES, Rows, too_long
from groundswell.index.store import StoreError
from groundswell.index.tables import DERIVED, NEEDS, TABLES, record_row

SECONDS = 30.0
"""How long a statement may take."""
MEMORY_MB = 1024
"""What DuckDB may use; the process as a whole gets `OVERHEAD_MB` more before the system refuses it memory."""
OVERHEAD_MB = 1024
START_SECONDS = 10.0
"""What the process may take to start and to read what the statement needs, beside that."""
ROWS = 10_000
"""How many rows are given back at most."""
FOLDER = "parquet"
"""Where in the data folder the files are."""
Derive = Callable[[str], Rows]
"""Makes the rows of a table that is derived when it is asked for."""


@dataclass(frozen=True, slots=True)
class Table:
    """An answer; `cut` tells whether there were more rows than are given."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    cut: bool = False


def run_sql(
    settings: Settings, statement: str, *, seconds: float = SECONDS, rows: int = ROWS, derived: Derive | None = None,
    person: Person = EVERYBODY, found: Sequence[Sequence[str]] = (),
) -> Table:  # fmt: skip
    """Answer one statement that only reads, over what the store holds now, as far as a person sees it.

    An embedded store is read straight, only the tables and columns that the statement needs; of a cluster, and where
    the texts of very many documents are asked for, the Parquet files of the days are brought up to date first.

    Args:
        settings: which store.
        statement: SELECT, WITH, FROM, PIVOT, DESCRIBE or SUMMARIZE, of DuckDB's dialect.
        seconds: how long it may take.
        rows: how many rows are given back at most.
        derived: makes the rows of a table of `groundswell.index.tables.DERIVED`; asked for those that are named.
        person: who asks; one who is limited to markets meets no row of another.
        found: ids of documents that searches found; they are asked for as ``found_1``, ``found_2`` …

    Raises:
        StoreError: there is no store, or the statement cannot be answered; the message says why.
    """
    folder = settings.data_dir / FOLDER
    made = {**_derived(statement, derived), **_limited(settings, statement, person)}
    if isinstance(settings.store, SqliteSettings):
        try:  # the child says what to do where there is no store, or one of another version
            return _ask(
                folder, statement, seconds, rows, derived=made, database=database(settings).resolve(),
                markets=person.markets, found=found,
            )  # fmt: skip
        except StoreError as error:
            if str(error) != NEEDS_FILES:
                raise
    from groundswell.index.export import export_days  # what writes files is needed by few questions

    with open_reader(settings) as reader:
        export_days(reader, folder)
    return _ask(folder, statement, seconds, rows, derived=made, markets=person.markets, found=found)


def ask(folder: Path, statement: str, *, seconds: float = SECONDS, rows: int = ROWS) -> Table:
    """Answer one statement over the files in a folder as they are.

    Raises:
        StoreError: the statement does more than read, is wrong, or takes too long; the message says which.
    """
    return _ask(folder, statement, seconds, rows, derived={})


def _derived(statement: str, derived: Derive | None) -> dict[str, Rows]:
    """Return the rows of the tables that have to be made for a statement: that it, or a view in it, names."""
    named = set(_named(statement, DERIVED)).union(*(NEEDS[view] for view in _named(statement, NEEDS)))
    return {name: derived(name) for name in DERIVED if name in named} if derived else {}


def _named(statement: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if re.search(rf"\b{name}\b", statement, re.IGNORECASE)]


def _limited(settings: Settings, statement: str, person: Person) -> dict[str, Rows]:
    """Return the rows that somebody limited to markets sees of each table of records that a statement names."""
    if not person.markets:
        return {}
    with seen_by(person, open_reader(settings)) as reader:
        return {
            name: [record_row(one, columns) for one in reader.recent(kind, limit=ALL)]
            for name in _named(statement, TABLES)
            for kind, columns in [TABLES[name]]
        }


def _ask(
    folder: Path, statement: str, seconds: float, rows: int, *, derived: dict[str, Rows], database: Path | None = None,
    markets: tuple[str, ...] = (), found: Sequence[Sequence[str]] = (),
) -> Table:  # fmt: skip
    """Let a process of its own answer."""
    asked = pickle.dumps(
        {
            "folder": folder.resolve(),
            "statement": statement,
            "seconds": seconds,
            "rows": rows,
            "memory": MEMORY_MB,
            "beside": OVERHEAD_MB,
            "database": database,
            "derived": derived,
            "markets": markets,
            "found": [list(ids) for ids in found],
        }
    )
    child = [sys.executable, "-P", "-m", "groundswell.index.sql_child"]
    env = {
        **os.environ,
        "OPENBLAS_NUM_THREADS": "1",
    }  # it multiplies nothing; to wake threads costs a tenth of the start
    try:
        done = subprocess.run(  # noqa: S603  our own words
            child, input=asked, capture_output=True, timeout=seconds + START_SECONDS, check=False, env=env
        )
    except subprocess.TimeoutExpired:
        raise StoreError(too_long(seconds)) from None
    if done.returncode or not done.stdout:
        raise StoreError(f"this needs more than {MEMORY_MB:,} MB of memory: narrow it, or count instead of list")
    columns, given, trouble = pickle.loads(done.stdout)  # noqa: S301  written by our own child
    if trouble:
        raise StoreError(trouble)
    return Table(told_apart(columns), tuple(given[:rows]), cut=len(given) > rows)


def told_apart(columns: Sequence[str]) -> tuple[str, ...]:
    """Return the names of columns, each once: ``market, market`` become ``market, market_2``."""
    given: list[str] = []
    for name in columns:
        number, unlike = 1, name
        while unlike in given or (number > 1 and unlike in columns):
            number += 1
            unlike = f"{name}_{number}"
        given.append(unlike)
    return tuple(given)


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: no number is ``nan`` or infinite, times are ISO 8601 (RFC 8259, 3339)."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value if value is None or isinstance(value, (str, int)) else _number_or_text(value)


def _number_or_text(value: Any) -> float | str:
    """Return a decimal as a number, and anything else as text."""
    return float(value) if isinstance(value, Decimal) and value.is_finite() else str(value)
