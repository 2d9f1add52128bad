"""Reading records that are no documents by what they are told apart by: state, subject, time."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from groundswell.index.fields import DAY, moment, time_of
from groundswell.index.query import Tally
from groundswell.index.store import EVERY

SUBJECTS = """
WITH RECURSIVE known(subject) AS (
    SELECT min(subject) FROM record WHERE kind = :kind
    UNION ALL
    SELECT (SELECT min(subject) FROM record WHERE kind = :kind AND subject > known.subject)
    FROM known WHERE known.subject IS NOT NULL
) SELECT subject FROM known WHERE subject IS NOT NULL"""
"""One step through the index for each subject, however many records each has."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records of a kind are asked for; see `groundswell.index.store.Reader.select`."""

    kind: str
    states: Collection[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    limit: int = EVERY


def chosen(db: sqlite3.Connection, wanted: Wanted) -> list[tuple[str, str]]:
    """Return id and JSON of records by state and time, newest first."""
    kind, (when, bounds) = wanted.kind, _within(wanted.since, wanted.until)
    if not wanted.states:
        sql = f"SELECT id, json FROM record WHERE kind = ?{when} ORDER BY at DESC, id LIMIT ?"
        return db.execute(sql, (kind, *bounds, wanted.limit)).fetchall()
    marks = ", ".join("?" * len(wanted.states))
    # The planner would rather go through all by time and look at each one's state, which lies behind its JSON.
    places = f"SELECT id, at FROM record INDEXED BY record_state WHERE kind = ? AND state IN ({marks}){when}"
    sql = f"""SELECT record.id, record.json FROM ({places} ORDER BY at DESC, id LIMIT ?) AS place
        CROSS JOIN record ON record.kind = ? AND record.id = place.id ORDER BY place.at DESC, place.id"""
    return db.execute(sql, (kind, *wanted.states, *bounds, wanted.limit, kind)).fetchall()


def latest(db: sqlite3.Connection, kind: str, states: Collection[str], until: datetime | None) -> list[tuple[str, str]]:
    """Return id and JSON of the newest record about each subject."""
    when, bounds = _within(None, until)
    if states:
        when += f" AND state IN ({', '.join('?' * len(states))})"
    place = f"""SELECT id FROM record INDEXED BY record_subject
        WHERE kind = ? AND subject = ?{when} ORDER BY at DESC, id LIMIT 1"""
    sql = f"SELECT id, json FROM record WHERE kind = ? AND id = ({place})"
    subjects = [subject for (subject,) in db.execute(SUBJECTS, {"kind": kind})]
    return [row for one in subjects for row in db.execute(sql, (kind, kind, one, *bounds, *states))]


def tally(db: sqlite3.Connection, kind: str, since: datetime | None, until: datetime | None) -> list[Tally]:
    """Return how many records there are by subject, state and day, from the index alone."""
    when, bounds = _within(since, until)
    day = f"at - (at % {DAY} + {DAY}) % {DAY}"
    sql = f"""SELECT subject, state, {day} AS day, count(*) FROM record INDEXED BY record_subject
        WHERE kind = ?{when} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
    return [Tally(a, b, time_of(at), count) for a, b, at, count in db.execute(sql, (kind, *bounds))]


def _within(since: datetime | None, until: datetime | None) -> tuple[str, list[int]]:
    """Return a condition on time with its values."""
    conditions = [(" AND at >= ?", since), (" AND at < ?", until)]
    given = [(text, moment(at)) for text, at in conditions if at is not None]
    return "".join(text for text, _ in given), [at for _, at in given]
