"""What no store takes, and why: the same reasons whatever the store."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np

from groundswell.index.records import (
    Case,
    Checkpoint,
    CrawlRun,
    Decision,
    Delivery,
    Enriched,
    Label,
    Lease,
    Lineage,
    Mention,
    Moderation,
    Record,
    Refusal,
    Revision,
    Sample,
    SavedSearch,
    Signal,
    Snooze,
    Task,
    Theme,
)

LONGEST_ID = 512
"""Bytes of an id; Elasticsearch's limit."""
OWN_TIME: dict[type[Any], str] = {
    Mention: "published_at",
    Theme: "last_seen",
    Lineage: "at",
    Signal: "at",
    Case: "opened_at",
    Label: "at",
    Task: "at",
    Sample: "at",
    Moderation: "at",
    Snooze: "at",
    Decision: "at",
    CrawlRun: "started_at",
    Refusal: "at",
    Checkpoint: "at",
    Revision: "at",
    SavedSearch: "at",
    Lease: "at",
    Delivery: "at",
}
"""The time by which `Reader.recent` orders each kind; enriched and membership go by their mention's."""
_TIMES = (
    "published_at",
    "fetched_at",
    "at",
    "first_seen",
    "last_seen",
    "start",
    "end",
    "opened_at",
    "due",
    "until",
    "tell_at",
)
_MORE_TIMES = ("started_at", "finished_at", "until", "tell_at", "next_at", "sent_at", "free_at")
CHANGED_CASE = "this case is there already and differs: change it with edit, so that nobody's work is overwritten"
NO_MENTION = "there is no mention with this id: put the mention first"


def objection(record: Record) -> str:
    """Return why no store can keep a record; "" where it can."""
    if not record.id or len(record.id.encode("utf-8", "surrogatepass")) > LONGEST_ID:
        return f"its id must have 1 to {LONGEST_ID} bytes"
    for name in (*_TIMES, *_MORE_TIMES):
        value = getattr(record, name, None)
        if isinstance(value, datetime) and value.utcoffset() is None:
            return f"{name} has no time zone: times are aware UTC"
    if isinstance(record, Enriched) and record.vector is not None:
        return _vector_objection(record.vector)
    return ""


def _vector_objection(vector: Any) -> str:
    """Return what is wrong with a vector."""
    if not isinstance(vector, np.ndarray) or vector.ndim != 1 or not len(vector):
        return "its vector must be one row of numbers"
    return "" if np.isfinite(vector).all() else "its vector has numbers that are not finite"


def wrong_dimensions(has: int, expected: int) -> str:
    """Return why a vector of another length is refused."""
    return (
        f"its vector has {has} numbers, this store holds vectors of {expected}: "
        "for another model, export and import into a new store without vectors"
    )


def apart_from_fetch(old: Mention, new: Mention) -> bool:
    """Tell whether two mentions differ in more than when they were fetched: seen again is not changed."""
    return any(getattr(old, name) != getattr(new, name) for name in Mention.__slots__ if name != "fetched_at")


def the_one(before: Lease | Checkpoint | None, after: Lease | Checkpoint | None) -> Lease | Checkpoint:
    """Return either of two records that are to be swapped.

    Raises:
        ValueError: they are no records of one kind and id, or the new one cannot be kept.
    """
    if after is not None and (reason := objection(after)):
        raise ValueError(reason)
    one = after if before is None else before
    if one is None or (after is not None and (type(after), after.id) != (type(one), one.id)):
        raise ValueError("only records of one kind and id are swapped")
    return one
