"""Opening the database: for writing (created, brought up to date) or for reading only."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.resources import files
from pathlib import Path

from groundswell.index.sqlite.columns import repack
from groundswell.index.sqlite.others import group, modernise
from groundswell.index.sqlite.words import index_words
from groundswell.index.store import StoreError

BUSY_SECONDS = 60.0
"""How long a writer waits for another process's write to end; readers never wait (WAL)."""
THEN: dict[int, Callable[[sqlite3.Connection], None]] = {4: repack, 5: modernise, 6: index_words, 7: group}
"""What a migration does beyond its statements, in the same transaction."""
_NAME = re.compile(r"(\d{4})_\w+\.sql")


def migrations() -> dict[int, str]:
    """Return the SQL of every schema version, oldest first."""
    found = {
        int(name[1]): file.read_text("utf-8")
        for file in files("groundswell.index.sqlite").iterdir()
        if (name := _NAME.fullmatch(file.name))
    }
    return dict(sorted(found.items()))


def newest() -> int:
    """Return the schema version this Groundswell writes."""
    return max(migrations())


def version_of(db: sqlite3.Connection) -> int:
    """Return the schema version of a database, 0 for an empty one."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an error of SQLite into one for people."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise StoreError(f"the store {path} cannot answer: {error}{_advice(str(error))}") from error


def _advice(error: str) -> str:
    """Return what to do next about an error of SQLite."""
    advice = {
        "not a database": ": this file was not made by Groundswell; set store.path to another file",
        "malformed": ": restore a backup, or move the file away, run again and import an export",
        "unable to open": ": check that the folder exists and may be written",
        "disk I/O": ": the disk is full (see df) or failing; make room and run again; nothing acknowledged is lost",
        "full": ": free some disk space and run again; nothing acknowledged is lost",
        "locked": ": another process has been writing for over a minute; let it end, then run again",
        "readonly": ": the file or its folder may not be written",
    }
    return next((then for part, then in advice.items() if part in error), "")


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open or create the database and bring its schema up to date.

    Raises:
        StoreError: it was written by a newer Groundswell, is no database, or cannot be opened.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        db = _connect(str(path))
        db.execute("PRAGMA journal_mode = WAL")
        migrate(db, path)
    return db


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open an existing database so that nothing can be written through it.

    Raises:
        StoreError: there is none, or it has another schema version.
    """
    if not path.exists():
        raise StoreError(f"there is no store at {path} yet: run `groundswell run` (or `crawl`) first")
    with explained(path):
        db = _connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        if (version := version_of(db)) != newest():
            db.close()
            raise StoreError(_wrong_version(path, version))
    return db


def _connect(address: str, *, uri: bool = False) -> sqlite3.Connection:
    """Open with what every connection needs. Transactions are begun by us alone."""
    db = sqlite3.connect(address, uri=uri, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    # In WAL, NORMAL keeps every commit through a killed process; only a power cut may take the last ones.
    db.executescript("PRAGMA synchronous = NORMAL; PRAGMA mmap_size = 4294967296; PRAGMA cache_size = -65536;")
    db.executescript("PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;")
    return db


def _wrong_version(path: Path, version: int) -> str:
    """Return why a database of another version cannot be read."""
    if version > newest():
        return (
            f"the store {path} has schema {version}, this Groundswell knows only {newest()}: "
            "upgrade Groundswell, or set store.path to another file"
        )
    if not version and not path.stat().st_size:
        return f"the store {path} is an empty file: restore a backup (`groundswell backup`), or remove it to begin anew"
    return f"the store {path} has schema {version}, {newest()} is needed: run `groundswell migrate`"


def migrate(db: sqlite3.Connection, path: Path, *, to: int | None = None) -> list[int]:
    """Run the migrations that are missing, each in one transaction; return their versions.

    Raises:
        StoreError: the database is newer than this Groundswell.
    """
    if version_of(db) > newest():
        raise StoreError(_wrong_version(path, version_of(db)))
    done = []
    for version, script in migrations().items():
        if version <= (to or newest()) and _apply(db, version, script):
            done.append(version)
    return done


def migrate_file(path: Path) -> str:
    """Create a database or bring it up to date; return what was done, for people.

    Raises:
        StoreError: it is newer than this Groundswell, or cannot be opened.
    """
    before = 0
    if path.exists():
        with explained(path), closing(_connect(str(path))) as db:
            before = version_of(db)
    open_for_writing(path).close()
    if before == newest():
        return f"{path} has schema {before}: nothing to do"
    return f"{path} brought from schema {before} to {newest()}" if before else f"{path} made, schema {newest()}"


def _apply(db: sqlite3.Connection, version: int, script: str) -> bool:
    """Run one migration unless it is there already (another process may have been quicker)."""
    db.execute("BEGIN IMMEDIATE")
    try:
        if version_of(db) >= version:
            return False
        for statement in _statements(script):
            db.execute(statement)
        if version in THEN:
            THEN[version](db)
        db.execute(f"PRAGMA user_version = {version}")
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
    return True


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script one by one: `executescript` would commit before it began."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
