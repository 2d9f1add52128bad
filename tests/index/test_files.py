"""Files appear whole, for their owner alone; locks go with their holder; batches read nothing ahead."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from groundswell.index.batches import batched, sliced
from groundswell.index.files import held_alone, sweep_aside, write_whole, written_aside


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    """What fails half-way leaves the old file and nothing beside it."""
    target = write_whole(tmp_path / "new folder" / "digest.html", b"old")
    with pytest.raises(ValueError, match="half-way"), written_aside(target) as part:  # noqa: PT012  it must fail inside
        part.write_bytes(b"ne")
        raise ValueError("half-way")
    assert target.read_bytes() == b"old"
    assert list(target.parent.iterdir()) == [target]


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    """Each writes beside the other; the last to end wins whole."""
    target = tmp_path / "out.jsonl"
    with written_aside(target) as first, written_aside(target) as second:
        first.write_text("first")
        second.write_text("second")
    assert target.read_text() == "first"


def test_files_and_folders_are_their_owners_alone(tmp_path: Path) -> None:
    """What people write in public may still be personal."""
    target = write_whole(tmp_path / "data" / "store.parquet", b"x")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert stat.S_IMODE(target.parent.stat().st_mode) == 0o700


def test_what_a_killed_writer_left_is_swept(tmp_path: Path) -> None:
    """Half an export holds texts."""
    killed = "import os, sys; from pathlib import Path; from groundswell.index.files import written_aside\n"
    killed += "with written_aside(Path(sys.argv[1])) as part:\n    part.write_text('half'); os._exit(9)"
    subprocess.run([sys.executable, "-c", killed, str(tmp_path / "day.parquet")], check=False)
    assert len(list(tmp_path.iterdir())) == 1
    now = datetime.now(UTC)
    assert sweep_aside(tmp_path, now=now) == 0  # it might still be written
    assert sweep_aside(tmp_path, now=now + timedelta(hours=2)) == 1
    assert not list(tmp_path.iterdir())


def test_a_lock_is_held_by_one_process_and_goes_with_it(tmp_path: Path) -> None:
    """A second one is told at once; after the first nobody waits."""
    lock = tmp_path / "run.lock"
    with held_alone(lock):
        second = "import sys; from pathlib import Path; from groundswell.index.files import held_alone\n"
        second += "with held_alone(Path(sys.argv[1])): pass"
        refused = subprocess.run([sys.executable, "-c", second, str(lock)], capture_output=True, text=True, check=False)
        assert "another process holds" in refused.stderr
    with held_alone(lock):
        pass


def test_batches_read_nothing_ahead() -> None:
    """A stream is read as far as it is asked for."""
    read = []

    def stream() -> Iterator[int]:
        for number in range(10):
            read.append(number)
            yield number

    batches = batched(stream(), 3)
    assert next(batches) == [0, 1, 2]
    assert read == [0, 1, 2]
    assert list(batches) == [[3, 4, 5], [6, 7, 8], [9]]
    assert [list(part) for part in sliced(range(5), 2)] == [[0, 1], [2, 3], [4]]
