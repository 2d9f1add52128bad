"""A folder of this user's own for what is made again at any time, and YAML kept there as it was read.

Reading two hundred lines of YAML with their comments costs a tenth of a second, which a turn that brings ten
documents should not pay each time. What is kept is named by a hash of the file's content: it is never out of date.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

SHORTEST = 2000
"""Bytes of a file that is worth keeping as it was read."""
READ_AS = 1
"""Version of how YAML is read."""


@cache
def private_folder() -> Path:
    """Return a folder of this user's own: what is read back from it must not come from where anyone may write."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "groundswell"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:  # a read-only home
        return base
    return folder


def once(content: bytes, read: Callable[[], Any], folder: Path | None = None) -> Any:
    """Return what a content says, by reading it or as it was read before.

    Args:
        content: of the file.
        read: reads it.
        folder: where it is kept; by default this user's own.
    """
    if len(content) < SHORTEST:
        return read()
    digest = hashlib.blake2b(content, digest_size=16, salt=READ_AS.to_bytes(2)).hexdigest()
    file = (folder or private_folder()) / f"yaml-{digest}.json"
    with suppress(OSError, ValueError):
        return json.loads(file.read_bytes())
    data = read()
    with suppress(OSError, TypeError, ValueError):
        text = json.dumps(data, allow_nan=False)
        if json.loads(text) == data:  # dates and numbers as keys are no JSON
            part = file.with_name(f"{file.name}.{uuid4().hex}")
            part.write_text(text, "utf-8")
            part.replace(file)
    return data


__all__ = ["once", "private_folder"]
