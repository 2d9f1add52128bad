"""What of a person's writes goes into the audit log: closed values before and after, fingerprints of free words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from groundswell.index.audit import Audit, Entry, fingerprint
from groundswell.index.query import Query
from groundswell.index.records import Case, Decision, Label, Record, Sample, SavedSearch, Snooze, Theme
from groundswell.index.store import Reader

OPEN_FIELDS = ("market", "lang", "source", "kind", "risk", "sentiment", "severity", "theme")
"""Fields of a search whose values are nobody's words."""


@contextmanager
def recorded(
    audit: Audit | None, reader: Reader, records: Sequence[Record], *, who: str, what: str = ""
) -> Iterator[None]:
    """Note what a person is about to write, each record with what is there now; without a log, do nothing.

    Raises:
        StoreError: the log cannot be written; nothing is to be written then.
    """
    if audit is None:
        yield
        return
    with audit.around(*_entries(reader, records, who=who, what=what)):
        yield


@contextmanager
def removed(
    audit: Audit | None, reader: Reader, kind: type[Label | SavedSearch], ids: Sequence[str], *, who: str
) -> Iterator[None]:
    """Note what a person is about to delete."""
    there = reader.many(kind, ids) if audit else []
    entries = [Entry(who=who, what=f"delete {_kind(one)}", subject=_subject(one), before=_short(one)) for one in there]
    if audit is None:
        yield
        return
    with audit.around(*entries):
        yield


def conditions(query: Query) -> Mapping[str, str]:
    """Return what a search asks for: values of closed fields, times, and a fingerprint of its words."""
    fields: dict[str, str] = {
        str(name): " ".join(map(str, values)) for name, values in query.where.items() if name in OPEN_FIELDS
    }
    span = {
        "since": _time(query.since),
        "until": _time(query.until),
        "words": fingerprint(repr(query.match) if query.match else ""),
    }
    return {**fields, **{name: value for name, value in span.items() if value}}


def _entries(reader: Reader, records: Sequence[Record], *, who: str, what: str) -> list[Entry]:
    found = []
    for record in records:
        after = _short(record)
        if not after:
            continue  # what follows from another of these records: a theme's members, a task that is answered
        old = reader.get(type(record), record.id)
        before = _short(old) if old is not None else {}
        changed = {name for name in {*before, *after} if before.get(name, "") != after.get(name, "")}
        found.append(
            Entry(
                who=who, what=what or f"write {_kind(record)}", subject=_subject(record),
                before={name: value for name, value in sorted(before.items()) if name in changed},
                after={name: value for name, value in sorted(after.items()) if name in changed},
            )
        )  # fmt: skip
    return found


def _kind(record: object) -> str:
    return "saved search" if isinstance(record, SavedSearch) else type(record).__name__.lower()


def _subject(record: Record) -> str:
    """Return what a record is about: the document or alert of a label, the alert of a decision, else itself."""
    if isinstance(record, Label):
        return record.subject
    return record.alert if isinstance(record, Decision) else record.id


def _short(record: object) -> dict[str, str]:  # noqa: PLR0911  one line a kind
    """Return the closed values of what a person writes, and fingerprints of their words; nothing of other records."""
    if isinstance(record, Case):
        return _case(record)
    if isinstance(record, Label):
        return {record.field: record.value, "annotator": record.annotator, "note": fingerprint(record.note)}
    if isinstance(record, Decision):
        known = {"decision": record.what, "to": record.to, "until": _time(record.until)}
        return {**known, "reason": fingerprint(record.reason)}
    if isinstance(record, Snooze):
        return {"until": _time(record.until), "reason": fingerprint(record.reason)}
    if isinstance(record, SavedSearch):
        return {
            "owner": record.owner,
            "name": fingerprint(record.name),
            "text": fingerprint(record.text),
            "tell": " ".join(record.tell),
        }
    if isinstance(record, Theme):
        ends = {"size": str(record.size), "state": record.state, "title": fingerprint(record.label)}
        return {**ends, "parents": " ".join(record.parents), "children": " ".join(record.children)}
    return {"drawn": str(sum(record.drawn.values()))} if isinstance(record, Sample) else {}


def _case(case: Case) -> dict[str, str]:
    return {
        "status": case.status, "severity": case.severity, "owner": case.owner, "due": _time(case.due),
        "alerts": str(len(case.signals)), "documents": str(len(case.evidence)), "notes": str(len(case.history)),
        "cause": fingerprint(case.cause), "decision": fingerprint(case.decision),
    }  # fmt: skip


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%dT%H:%MZ}" if at else ""
