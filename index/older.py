"""Records as older versions wrote them, made into those of this version when they are read.

Stores, exports and spools of any age go through `groundswell.index.codec`, so one place knows what has moved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from groundswell.index.records import Checkpoint, Signal, Snooze

SNOOZED = "snooze/"
"""Snoozes were checkpoints of this name before they were records of their own."""
MOVED = {
    "subject": "subject",
    "terms": "terms",
    "authors": "authors",
    "growth": "growth",
    "explained": "explained",
    "tell_at": "tell_at",
    "strength_before_learning": "untaught",
}
"""Keys of `Signal.details` of schema 4 and before, and the field that each has become."""


def signal(values: Any) -> Any:
    """Return a signal's values with what was in `details` as fields."""
    if not isinstance(values, dict) or "details" not in values:
        return values
    rest = {name: value for name, value in values.items() if name != "details"}
    details: Mapping[str, Any] = values["details"] if isinstance(values["details"], Mapping) else {}
    given = {new: details[old] for old, new in MOVED.items() if details.get(old) is not None}
    tests = details.get("tests") or {}
    found: dict[str, Any] = {"standing": "topic" in tests, "statistic": max(tests.values(), default=0.0)}
    nearest = details.get("nearest_case") or {}
    if nearest:
        found["nearest_case"] = nearest.get("id", "")
    return {**given, **found, **rest}


UPGRADES: dict[type[Any], Callable[[Any], Any]] = {Signal: signal}
"""What is done to the JSON of a kind before it is read."""


def snooze_of(mark: Checkpoint) -> Snooze | None:
    """Return the snooze that a checkpoint of an older version stands for, if it stands for one."""
    if not mark.id.startswith(SNOOZED) or not mark.value.get("until"):
        return None
    values = {"id": mark.id.removeprefix(SNOOZED), "at": mark.at, "until": mark.value["until"]}
    from groundswell.index.codec import from_json

    return from_json(Snooze, {**values, "by": str(mark.value.get("by", ""))})
