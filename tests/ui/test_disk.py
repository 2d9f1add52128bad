"""What a disk may do: refuse, be full, tear a file. Commands say what, where and what to do, and go on afterwards."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from groundswell.configs.schema import Settings
from groundswell.index.backup import last_backup, note_backup
from groundswell.index.open import database, open_store
from groundswell.index.records import Checkpoint
from groundswell.ui.cli import ADVICE, _sentence

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
START = [sys.executable, "-c", "from groundswell.ui.cli import main; main()"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A store with something in it."""
    (tmp_path / "groundswell.yaml").write_text("data_dir: data\ncrawl: {shipped: false}\n")
    made = Settings(data_dir=tmp_path / "data")
    with open_store(made) as store:
        store.put([Checkpoint(id=f"mark {n}", value={"n": "x" * 500}, at=NOW) for n in range(400)])
    return made


def _run(settings: Settings, *words: str, limit: int = 0) -> subprocess.CompletedProcess[str]:
    limits = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) if limit else None
    return subprocess.run(
        [*START, *words], cwd=settings.data_dir.parent, capture_output=True, text=True, check=False,
        preexec_fn=limits,
    )  # fmt: skip


@pytest.mark.parametrize("words", [("digest",), ("signals", "--list"), ("themes", "rename", "x", "y")])
def test_where_nothing_more_can_be_written_a_sentence_says_so(settings: Settings, words: tuple[str, ...]) -> None:
    """By a real limit on the size of files, with an exit code of the table and no traceback; what was there stays."""
    done = _run(settings, *words, limit=2000)
    assert done.returncode in {1, 2, 4}
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("groundswell: ")
    assert _run(settings, "signals", "--list").returncode == 0
    with open_store(settings) as store:
        assert len(store.recent(Checkpoint, limit=1000)) >= 400


@pytest.mark.parametrize(("left", "says"), [(50, "restore a backup"), (20_000, "restore a backup"), (0, "empty file")])
def test_a_torn_store_says_what_to_do(settings: Settings, left: int, says: str) -> None:
    """Cut off anywhere."""
    os.truncate(database(settings), left)
    for beside in settings.data_dir.glob("groundswell.db-*"):
        beside.unlink()
    done = _run(settings, "search", "refund")
    assert done.returncode == 4
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", sorted(ADVICE))
def test_what_a_disk_answers_is_told_with_place_and_advice(number: int) -> None:
    """Not as a number in brackets."""
    said = _sentence(OSError(number, os.strerror(number), "/data/run.lock"))
    assert said.startswith(f"/data/run.lock: {os.strerror(number)}: ")
    assert "run the same command again" in said
    assert _sentence(OSError("of our own words")) == "of our own words"
    assert errno.errorcode[number] not in said


def test_when_the_last_backup_was_made_is_known(tmp_path: Path) -> None:
    """For the metrics and the doctor."""
    assert last_backup(tmp_path) is None
    note_backup(tmp_path, now=NOW)
    assert last_backup(tmp_path) == NOW
