"""A copy of the embedded store while everything goes on, and the way back.

SQLite's own backup copies a consistent state page by page, whoever writes meanwhile; the copy is checked before it
counts.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from groundswell.index.files import PRIVATE_FILE, make_private_folder, write_whole, written_aside
from groundswell.index.sqlite.connect import explained, newest, version_of
from groundswell.index.store import StoreError

STORE = "groundswell.db"
BESIDE = ("author.salt", "unsubscribe.key", "learned/*.npz")
"""What stands beside the store and cannot be made again from it: keys of hashes and of addresses in mails, and what
labels taught the model."""
NOTE = "backup.at"
"""File of the data folder that says when the last whole backup was made."""
PAGES = 4096
"""Pages that are copied before writers get their turn."""


def back_up(database: Path, folder: Path, target: Path) -> int:
    """Copy the store, and what stands beside it (`BESIDE`), into a folder; return the bytes of the copy.

    Killed in between, it leaves no half copy under the store's name.

    Raises:
        StoreError: there is no store, or it cannot be copied.
    """
    if not database.exists():
        raise StoreError(f"there is no store at {database} to copy")
    make_private_folder(target)
    with written_aside(target / STORE) as part, explained(database):
        source = sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True, timeout=60)
        with closing(source), closing(sqlite3.connect(part)) as copy:
            source.backup(copy, pages=PAGES)
            copy.execute("PRAGMA journal_mode = DELETE")
        check(part)
    _copy_beside(folder, target)
    return (target / STORE).stat().st_size


def restore(source: Path, database: Path, folder: Path, *, force: bool = False) -> None:
    """Put a copy in the place of the store; what was there is kept beside it, ending in ``.before``.

    Raises:
        StoreError: the copy is not whole, is newer, or there is a store already and `force` is not set.
    """
    copy = source / STORE
    if not copy.exists():
        raise StoreError(f"{source} holds no {STORE}: name a folder that groundswell backup wrote")
    check(copy)
    if database.exists() and not force:
        raise StoreError(f"there is a store at {database} already; --force replaces it and keeps it beside")
    make_private_folder(database.parent)
    with written_aside(database.with_name(f"{database.name}.new")) as part:
        shutil.copyfile(copy, part)
    if database.exists():
        with explained(database), closing(sqlite3.connect(database, timeout=60)) as old:
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.replace(database.with_name(f"{database.name}.before"))
    for end in ("-wal", "-shm"):
        database.with_name(f"{database.name}{end}").unlink(missing_ok=True)
    database.with_name(f"{database.name}.new").replace(database)
    _copy_beside(source, folder)


def check(path: Path) -> None:
    """Do nothing if a database is whole and of a version that is known.

    Raises:
        StoreError: it is not.
    """
    with explained(path), closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
        verdict = db.execute("PRAGMA quick_check").fetchone()[0]
        version = version_of(db)
    if verdict != "ok":
        raise StoreError(f"{path} is not whole: {verdict}; take another copy")
    if version > newest():
        raise StoreError(
            f"{path} is of a newer Groundswell (schema {version}, this one knows {newest()}): upgrade first"
        )


def _copy_beside(source: Path, target: Path) -> None:
    for file in (file for pattern in BESIDE for file in sorted(source.glob(pattern))):
        place = target / file.relative_to(source)
        make_private_folder(place.parent)
        with written_aside(place) as part:
            shutil.copyfile(file, part)
            part.chmod(PRIVATE_FILE)


def note_backup(folder: Path, *, now: datetime) -> None:
    """Note in the data folder that a whole backup was made; one that cannot be noted is made all the same."""
    with suppress(OSError):
        write_whole(folder / NOTE, now.isoformat().encode())


def last_backup(folder: Path) -> datetime | None:
    """Return when the last whole backup was made, or ``None`` where none is known of."""
    try:
        return datetime.fromisoformat((folder / NOTE).read_text("ascii").strip())
    except (OSError, ValueError):
        return None
