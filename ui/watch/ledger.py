"""What ran when, and how it ended: a bounded file of JSON lines beside the store, and how things stand right now."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from groundswell.index.files import make_private_folder, write_whole

RUNS, STATUS = "runs.jsonl", "watch.json"
MOST_BYTES = 4_000_000
"""Beyond this the file is put aside as ``runs.1.jsonl``, and the one that was there goes."""


@dataclass(frozen=True, slots=True)
class StageRun:
    """One run of a stage that had something to do, or failed. `said` holds counts, `error` is empty if it went well."""

    stage: str
    started_at: str
    seconds: float
    said: str
    error: str = ""


class Ledger:
    """The runs of one data folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = make_private_folder(folder)

    def note(self, run: StageRun) -> None:
        """Write a run down; one line, in one write, so that a killed process leaves no half of it but the last."""
        path = self._folder / RUNS
        if path.exists() and path.stat().st_size > MOST_BYTES:
            path.replace(path.with_name("runs.1.jsonl"))
        line = json.dumps(asdict(run), ensure_ascii=False) + "\n"
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, line.encode("utf-8", "replace"))
        finally:
            os.close(file)

    def last(self, count: int) -> list[StageRun]:
        """Return the newest runs, newest first; a torn line is left out."""
        found: list[StageRun] = []
        for name in ("runs.1.jsonl", RUNS):
            path = self._folder / name
            for line in path.read_text("utf-8", "replace").splitlines() if path.exists() else ():
                try:
                    found.append(StageRun(**json.loads(line)))
                except (ValueError, TypeError):
                    continue
        return found[: -count - 1 : -1]

    def stand(self, status: Mapping[str, Any]) -> None:
        """Write how things stand, whole or not at all."""
        write_whole(self._folder / STATUS, json.dumps(status, ensure_ascii=False).encode())

    def standing(self) -> dict[str, Any] | None:
        """Return how things stood when they were written last, or ``None``."""
        try:
            value = json.loads((self._folder / STATUS).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return value if isinstance(value, dict) else None


def run_at(stage: str, started: datetime, seconds: float, outcome: str, error: str = "") -> StageRun:
    """Return a run as it is written down."""
    return StageRun(stage, started.isoformat(timespec="seconds"), round(seconds, 2), outcome, error)
