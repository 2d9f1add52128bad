"""The seeded world of the board's tests, for the commands and searches that the pages show."""

from __future__ import annotations

from tests.ui.conftest import seeded, world

__all__ = ["seeded", "world"]
