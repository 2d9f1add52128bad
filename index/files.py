"""Files that appear whole or not at all, for their owner alone, and locks that go with the process that holds them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
"""What people write in public may still be personal: nobody else on the machine reads it."""
ASIDE = ".part"
STILL_WRITING = timedelta(hours=1)
"""How long a writer may take; what lies there longer was left by one that was killed."""


@contextmanager
def written_aside(target: Path) -> Iterator[Path]:
    """Give a path beside the target, which becomes the target when all went well; two writers do not meet.

    The target's folder is made where it is missing. What a killed process leaves is swept by `sweep_aside`.
    """
    make_private_folder(target.parent)
    part = target.with_name(f".{target.name}.{uuid4().hex}{ASIDE}")
    try:
        part.touch(PRIVATE_FILE)
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def write_whole(target: Path, content: bytes) -> Path:
    """Write a file so that whoever reads meanwhile sees the old one or the new one; return it."""
    with written_aside(target) as part:
        part.write_bytes(content)
    return target


def sweep_aside(folder: Path, *, now: datetime) -> int:
    """Remove what killed writers left in a folder, older than an hour; return how many there were."""
    before = (now - STILL_WRITING).timestamp()
    left = [path for path in folder.rglob(f".*{ASIDE}") if path.is_file() and path.stat().st_mtime < before]
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


def make_private_folder(folder: Path) -> Path:
    """Make a folder for its owner alone, where it is missing; one that is there stays as it is."""
    folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    return folder


@contextmanager
def held_alone(lock: Path, *, seconds: float = 0.0) -> Iterator[None]:
    """Hold a lock file for one process at a time; it is free again when the process ends, however it ends.

    Raises:
        BlockingIOError: another process holds it still after so many seconds.
    """
    make_private_folder(lock.parent)
    try:
        with FileLock(lock, timeout=seconds):
            yield
    except Timeout:
        raise BlockingIOError(f"another process holds {lock}") from None
