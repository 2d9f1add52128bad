"""Days full of faults, in minutes: the short form of `bench/soak.py` (docs/measurements/soak.md has the long one)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[2] / "bench" / "soak.py"


@pytest.mark.slow
def test_killed_and_out_of_room_nothing_is_lost_or_doubled() -> None:
    """Two days of turns and watching, with SIGKILLs and a full disk, recounted from outside."""
    command = [sys.executable, str(SOAK), "--days", "2", "--seed", "2", "--daily", "16", "--faults", "kill,full"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "Nothing lost, nothing doubled." in done.stdout
