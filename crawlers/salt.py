"""The secret that makes authors' hashes useless to anybody else."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from groundswell.configs.schema import Settings

FILE = "author.salt"


def author_salt(settings: Settings) -> str:
    """Return the salt from the environment, else the one in the data folder, made there on first use (mode 0600)."""
    if given := os.environ.get(settings.crawl.author_salt_env):
        return given
    path = settings.data_dir / FILE
    if not path.exists():
        _make(path)
    return path.read_text("ascii").strip()


def _make(path: Path) -> None:
    """Write it aside and link it into place, so that two processes agree on one salt and nobody reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{FILE}.{os.getpid()}")
    with suppress(FileNotFoundError):
        aside.unlink()
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(aside, path)
    aside.unlink()
