"""Starts `groundswell` with a clock that can be set while it runs: the moment stands in the file that SOAK_CLOCK names.

    SOAK_CLOCK=FILE python bench/soak_child.py watch

Beside the clock only patience is other than a user's: how often `watch` looks whether something is due, and how long a
writer waits for another one, or `watch` doubts a clock that was set back.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path

import groundswell.ui.console
from groundswell.index.sqlite import connect
from groundswell.ui.watch import watcher

LOOK_SECONDS, BUSY_SECONDS, DOUBT_SECONDS = 0.4, 2.0, 6.0


def now() -> datetime:
    """Return the moment that stands in the file."""
    return datetime.fromisoformat(Path(os.environ["SOAK_CLOCK"]).read_text("ascii"))


if __name__ == "__main__":
    groundswell.ui.console.now = now
    connect.BUSY_SECONDS = BUSY_SECONDS
    watcher.LOOK_SECONDS = watcher.STAND_SECONDS = watcher.TOGETHER_SECONDS = LOOK_SECONDS
    watcher.DOUBT_SECONDS = DOUBT_SECONDS
    from groundswell.ui.cli import main

    main(sys.argv[1:])
