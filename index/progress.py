"""How far something is, told to whoever shows it."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int | None, str], object]
"""Told how much is done, of how much (``None`` where nobody knows), and what is being done."""
