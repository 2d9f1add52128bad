"""Writing everything that is no document: themes, signals, cases, labels, runs …, each as JSON under kind and id."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from groundswell.index.batches import sliced
from groundswell.index.codec import KINDS, decode, encode, name_of
from groundswell.index.fields import moment
from groundswell.index.groups import state_of, subject_of
from groundswell.index.older import SNOOZED, snooze_of
from groundswell.index.records import Case, Checkpoint, Lease, Record, Signal, Snooze
from groundswell.index.refusals import CHANGED_CASE, OWN_TIME, the_one
from groundswell.index.sqlite.load import ROWS_AT_ONCE
from groundswell.index.store import Conflict, Refused, Report


def put(db: sqlite3.Connection, records: Sequence[Record]) -> Report:
    """Write records within a transaction."""
    report = Report()
    for record in records:
        report += _put(db, record)
    return report


def _put(db: sqlite3.Connection, record: Record) -> Report:
    """Write one record."""
    kind, text = type(record), encode(record)
    old = _text(db, name_of(kind), record.id)
    if old is None:
        _write(db, record, text)
        return Report(new=1)
    if old == text or decode(kind, old) == record:
        return Report(same=1)
    if isinstance(record, Case):
        return Report(refused=(Refused(id=record.id, reason=CHANGED_CASE),))
    _write(db, record, text)
    return Report(updated=1)


def _text(db: sqlite3.Connection, kind: str, id: str) -> str | None:
    """Return the JSON of a record."""
    row = db.execute("SELECT json FROM record WHERE kind = ? AND id = ?", (kind, id)).fetchone()
    return row[0] if row else None


def _write(db: sqlite3.Connection, record: Record, text: str) -> None:
    """Write one record's row."""
    at = moment(getattr(record, OWN_TIME[type(record)]))
    values = name_of(type(record)), record.id, at, text, state_of(record), subject_of(record)
    db.execute("REPLACE INTO record (kind, id, at, json, state, subject) VALUES (?, ?, ?, ?, ?, ?)", values)


def edit(db: sqlite3.Connection, case: Case, expected_version: int) -> Case:
    """Write a case within a transaction if it still has the expected version.

    Raises:
        Conflict: it has not.
    """
    text = _text(db, "case", case.id)
    if text is None:
        raise Conflict(f"case {case.id} is not there any more: somebody deleted it, or it was never put")
    version = decode(Case, text).version
    if version != expected_version:
        raise Conflict(
            f"somebody else changed case {case.id} meanwhile (version {version}, yours was made from "
            f"{expected_version}): read it again and repeat your change"
        )
    edited = replace(case, version=expected_version + 1)
    _write(db, edited, encode(edited))
    return edited


def swap(db: sqlite3.Connection, before: Lease | Checkpoint | None, after: Lease | Checkpoint | None) -> bool:
    """Write a record within a transaction if what rests there is still the one before; return whether it was."""
    one = the_one(before, after)
    kind = type(one)
    text = _text(db, name_of(kind), one.id)
    if (None if text is None else decode(kind, text)) != before:
        return False
    if after is None:
        delete(db, name_of(kind), [one.id])
    else:
        _write(db, after, encode(after))
    return True


def delete(db: sqlite3.Connection, kind: str, ids: Sequence[str]) -> int:
    """Forget records; return how many there were."""
    count = 0
    for some in sliced(list(dict.fromkeys(ids)), ROWS_AT_ONCE):
        marks = ", ".join("?" * len(some))
        sql = f"DELETE FROM record WHERE kind = ? AND id IN ({marks})"
        count += db.execute(sql, (kind, *some)).rowcount
    return count


def modernise(db: sqlite3.Connection) -> None:
    """Write signals and snoozes of schema 4 and before as this version has them, within a transaction."""
    for (text,) in db.execute("SELECT json FROM record WHERE kind = 'signal'").fetchall():
        _write_ungrouped(db, decode(Signal, text))
    old = "SELECT json FROM record WHERE kind = 'checkpoint' AND id >= ? AND id < ?"
    for (text,) in db.execute(old, (SNOOZED, SNOOZED[:-1] + "0")).fetchall():
        mark = decode(Checkpoint, text)
        if (snooze := snooze_of(mark)) is not None:
            _write_ungrouped(db, snooze)
            delete(db, "checkpoint", [mark.id])


def _write_ungrouped(db: sqlite3.Connection, record: Signal | Snooze) -> None:
    """Write a record as schema 5 has it, without the columns that came later."""
    values = name_of(type(record)), record.id, moment(record.at), encode(record)
    db.execute("REPLACE INTO record (kind, id, at, json) VALUES (?, ?, ?, ?)", values)


def group(db: sqlite3.Connection) -> None:
    """Fill in by what records of schema 6 and before are told apart, within a transaction."""
    sql = "UPDATE record SET state = ?, subject = ? WHERE kind = ? AND id = ?"
    for kind, one, text in db.execute("SELECT kind, id, json FROM record WHERE kind != 'checkpoint'").fetchall():
        with suppress(ValueError, KeyError):  # of no kind that is known: nobody asks for it
            record = decode(KINDS[kind], text)
            db.execute(sql, (state_of(record), subject_of(record), kind, one))
