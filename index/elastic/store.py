"""Elasticsearch, for writing: every document is written whole, and only onto the version it was made from.

A first write asks where the document rests (its month is remembered, so that a replay hits the same index), the next
reads it, adds the new part, and writes it back with the sequence number it read. Whoever comes second reads again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from elasticsearch import ConflictError, helpers

from groundswell.configs.schema import ElasticSettings
from groundswell.index.codec import encode, from_json, name_of
from groundswell.index.dead_letters import keep
from groundswell.index.elastic.client import BACKOFF_SECONDS, FULL, OVERLOADED, RETRIES, explained
from groundswell.index.elastic.documents import record_source, to_source
from groundswell.index.elastic.migrate import ensure, ensure_month
from groundswell.index.elastic.names import KINDS
from groundswell.index.elastic.read import ElasticReader
from groundswell.index.fields import dated
from groundswell.index.parts import ORDER, PARTS, Part, applied, is_part, rest, sorted_out, without
from groundswell.index.records import Case, Checkpoint, Document, Enriched, Lease, Record
from groundswell.index.refusals import CHANGED_CASE, NO_MENTION, the_one, wrong_dimensions
from groundswell.index.store import Conflict, R, Refused, Report, StoreError, UnavailableError

CHUNK = 500
MAX_BYTES = 10 * 1024 * 1024
ROUNDS = 10
"""How often a document is read again because somebody else was quicker."""

ONE = {"new": Report(new=1), "updated": Report(updated=1), "same": Report(same=1)}


@dataclass(slots=True)
class Entry:
    """A document before and after a call, and onto which version it goes."""

    before: Document | None
    after: Document | None
    place: str = ""
    seq_no: int = -1
    term: int = -1
    outcomes: list[str] = field(default_factory=list)


class ElasticStore(ElasticReader):
    """A `Store` on a cluster; any number of processes may write."""

    def __init__(self, settings: ElasticSettings, folder: Path | None = None) -> None:
        super().__init__(settings)
        self.folder = folder
        self._unseen = False
        self._months: set[str] = set()
        self._dimensions = 0
        with explained(settings):
            ensure(self.client, self.names, settings)
        self._known = True

    def settle(self) -> None:
        """Make visible to searches what this object wrote."""
        if self._unseen:
            with explained(self.settings):
                self.client.indices.refresh(index=f"{self.names.prefix}-*")
            self._unseen = False

    def close(self) -> None:
        """Close the connections; the next stage, in another process, sees what this one wrote."""
        with suppress(StoreError):  # it becomes visible by itself a second later
            self.settle()
        super().close()

    def put(self, records: Iterable[Record]) -> Report:
        """Write records; the same id twice is once."""
        given = list(records)
        good, refused = sorted_out(given)
        report = Report(refused=refused)
        with explained(self.settings):
            parts: list[Part] = sorted(is_part(good), key=lambda part: ORDER[type(part)])
            ids = list(dict.fromkeys(part.id for part in parts))
            for start in range(0, len(ids), CHUNK):
                some = set(ids[start : start + CHUNK])
                report += self._put_parts([part for part in parts if part.id in some])
            others = rest(good)
            for start in range(0, len(others), CHUNK):
                report += self._put_others(others[start : start + CHUNK])
        if self.folder is not None:
            keep(self.folder, given, report.refused)
        return report

    def edit(self, case: Case, *, expected_version: int) -> Case:
        """Write a case if nobody changed it since `expected_version`; return it with its new version."""
        alias = self.names.kind("case")
        with explained(self.settings):
            found = self.client.mget(index=alias, ids=[case.id])["docs"][0]
            if not found.get("found"):
                raise Conflict(f"case {case.id} is not there any more: somebody deleted it, or it was never put")
            version = from_json(Case, found["_source"]["body"]).version
            edited = replace(case, version=expected_version + 1)
            if version != expected_version or not self._write_case(alias, edited, found):
                raise Conflict(
                    f"somebody else changed case {case.id} meanwhile (version {version}, yours was made from "
                    f"{expected_version}): read it again and repeat your change"
                )
        self._unseen = True
        return edited

    def _write_case(self, alias: str, case: Case, found: Mapping[str, Any]) -> bool:
        try:
            self.client.index(
                index=alias,
                id=case.id,
                document=record_source(case),
                if_seq_no=found["_seq_no"],
                if_primary_term=found["_primary_term"],
                require_alias=True,
            )
        except ConflictError:
            return False
        return True

    def swap(self, before: Lease | Checkpoint | None, after: Lease | Checkpoint | None) -> bool:
        """Put `after` in the place of `before` if that is still what rests there; return whether it was."""
        one = the_one(before, after)
        alias = self.names.kind(name_of(type(one)))
        with explained(self.settings):
            found = self.client.mget(index=alias, ids=[one.id])["docs"][0]
            there = from_json(type(one), found["_source"]["body"]) if found.get("found") else None
            if there != before:
                return False
            onto = {"if_seq_no": found["_seq_no"], "if_primary_term": found["_primary_term"]} if there else {}
            self._unseen = True
            return self._swapped(alias, one.id, after, onto)

    def _swapped(self, alias: str, id: str, after: Lease | Checkpoint | None, onto: Mapping[str, Any]) -> bool:
        """Write or delete a record on the version that was read, or where there was none; return whether it stood."""
        try:
            if after is None and onto:
                self.client.delete(index=alias, id=id, **onto)
            elif after is not None:
                how = onto or {"op_type": "create"}
                self.client.index(index=alias, id=id, document=record_source(after), require_alias=True, **how)
        except ConflictError:
            return False
        return True

    def delete(self, kind: type[R], ids: Sequence[str]) -> int:
        """Forget records by id; return how many there were."""
        wanted = list(dict.fromkeys(ids))
        with explained(self.settings):
            if kind in PARTS:
                return self._delete_documents(kind, wanted)
            alias = self.names.kind(name_of(kind))
            there = self.sources(alias, wanted)
            gone = [{"_op_type": "delete", "_index": alias, "_id": one} for one in there]
            self._bulk(gone)
        return len(there)

    def _delete_documents(self, kind: type[object], ids: Sequence[str]) -> int:
        entries = self._load(ids)
        changed = {}
        for one, entry in entries.items():
            if entry.before is not None:
                entry.after = without(entry.before, kind)
                if entry.after != entry.before:
                    changed[one] = entry
        self._write(changed)
        gone = [one for one, entry in changed.items() if entry.after is None]
        self._bulk([{"_op_type": "delete", "_index": self.names.places, "_id": one} for one in gone])
        return len(changed)

    def _put_parts(self, parts: Sequence[Part]) -> Report:
        """Write parts of documents; those that somebody else wrote meanwhile are read and written again."""
        report, left = Report(), list(parts)
        for _ in range(ROUNDS):
            entries = self._load(list(dict.fromkeys(part.id for part in left)))
            refused = _apply(entries, left, self._fits)
            failed = self._write({one: entry for one, entry in entries.items() if entry.after is not entry.before})
            again = {one for one, reason in failed.items() if reason is None}
            wrong = {one: reason for one, reason in failed.items() if reason is not None}
            report += _report(entries, [each for each in refused if each.id not in again], again, wrong)
            left = [part for part in left if part.id in again]
            if not left:
                return report
        raise UnavailableError(f"{len(left)} documents are written by others all the time; run the same again")

    def _load(self, ids: Sequence[str]) -> dict[str, Entry]:
        found = self.load(ids)
        places = self.places([one for one in ids if one not in found])
        entries = {}
        for one in ids:
            document, seq_no, term, place = found.get(one, (None, -1, -1, places.get(one, "")))
            entries[one] = Entry(document, document, place, seq_no, term)
        return entries

    def _fits(self, part: Part) -> str:
        """Return why a vector of another length cannot be kept beside those that are there."""
        if not isinstance(part, Enriched) or part.vector is None:
            return ""
        self._dimensions = self._dimensions or self._known_dimensions() or len(part.vector)
        has = len(part.vector)
        return "" if has == self._dimensions else wrong_dimensions(has, self._dimensions)

    def _known_dimensions(self) -> int:
        for index in self.client.indices.get_mapping(index=self.names.documents, ignore_unavailable=True).values():
            if dims := index["mappings"]["properties"]["vector"].get("dims"):
                return int(dims)
        return 0

    def _write(self, entries: Mapping[str, Entry]) -> dict[str, str | None]:
        """Write documents whole; return those that failed, with the reason, ``None`` where somebody was quicker."""
        self._settle_places(entries)
        return self._bulk([_action(one, entry, entry.place) for one, entry in entries.items()])

    def _settle_places(self, entries: Mapping[str, Entry]) -> None:
        """Give each new document its month, for good: whoever says so first is right."""
        fresh = {one: entry for one, entry in entries.items() if not entry.place and entry.after is not None}
        for entry in fresh.values():
            entry.place = self.names.month(dated(entry.after)) if entry.after else ""
            self._ensure_month(entry.place)
        actions = [
            {"_op_type": "create", "_index": self.names.places, "_id": one, "index": entry.place}
            for one, entry in fresh.items()
        ]
        quicker = self._bulk(actions)
        for one, place in self.places(list(quicker)).items():
            entries[one].place = place

    def _ensure_month(self, alias: str) -> None:
        if alias not in self._months:
            ensure_month(self.client, self.names, alias, self.settings)
            self._months.add(alias)

    def _put_others(self, records: Sequence[Record]) -> Report:
        """Write records that are no documents, each whole."""
        report = Report()
        for name in KINDS:
            some = [record for record in records if name_of(type(record)) == name]
            if some:
                report += self._put_kind(self.names.kind(name), some)
        return report

    def _put_kind(self, alias: str, records: Sequence[Record]) -> Report:
        there = self.sources(alias, list({record.id for record in records}))
        stored: dict[str, Record] = {one: from_json(type(records[0]), source["body"]) for one, source in there.items()}
        report, actions = Report(), {}
        for record in records:
            old = stored.get(record.id)
            if old is not None and (encode(old) == encode(record) or old == record):
                report += Report(same=1)
            elif old is not None and isinstance(record, Case):
                report += Report(refused=(Refused(id=record.id, reason=CHANGED_CASE),))
            else:
                report += Report(new=1) if old is None else Report(updated=1)
                stored[record.id] = record
                actions[record.id] = {"_op_type": "index", "_index": alias, "_id": record.id, **record_source(record)}
        failed = self._bulk(list(actions.values()))
        return report + Report(refused=tuple(Refused(id=one, reason=str(why)) for one, why in failed.items()))

    def _bulk(self, actions: Sequence[dict[str, Any]]) -> dict[str, str | None]:
        """Send actions, with patience for an overloaded server; return what failed, ``None`` for a version conflict."""
        failed: dict[str, str | None] = {}
        if not actions:
            return failed
        self._unseen = True
        for ok, item in helpers.streaming_bulk(
            self.client,
            actions,
            chunk_size=CHUNK,
            max_chunk_bytes=MAX_BYTES,
            max_retries=RETRIES,
            initial_backoff=BACKOFF_SECONDS,
            max_backoff=60,
            retry_on_status=OVERLOADED,
            raise_on_error=False,
            require_alias=True,
        ):
            result = next(iter(item.values()))
            if not ok and not (result["status"] == 404 and "delete" in item):
                failed[result["_id"]] = _failure(result)
        return failed


def _apply(entries: Mapping[str, Entry], parts: Sequence[Part], fits: Callable[[Part], str]) -> list[Refused]:
    """Add each part to its document; return those that cannot be."""
    refused = []
    for part in parts:
        entry = entries[part.id]
        if reason := fits(part) or ("" if entry.after or ORDER[type(part)] == 0 else NO_MENTION):
            refused.append(Refused(id=part.id, reason=reason))
            continue
        entry.after, outcome = applied(entry.after, part)
        entry.outcomes.append(outcome)
    return refused


def _report(
    entries: Mapping[str, Entry], refused: Sequence[Refused], again: set[str], wrong: Mapping[str, str]
) -> Report:
    report = Report(refused=(*refused, *(Refused(id=one, reason=why) for one, why in wrong.items())))
    for one, entry in entries.items():
        for outcome in entry.outcomes if one not in again and one not in wrong else ():
            report += ONE[outcome]
    return report


def _action(one: str, entry: Entry, place: str) -> dict[str, Any]:
    onto = {"if_seq_no": entry.seq_no, "if_primary_term": entry.term}
    if entry.after is None:
        return {"_op_type": "delete", "_index": place, "_id": one, **onto}
    if entry.before is None:
        return {"_op_type": "create", "_index": place, "_id": one, "_source": to_source(entry.after)}
    return {"_op_type": "index", "_index": place, "_id": one, **onto, "_source": to_source(entry.after)}


def _failure(result: Mapping[str, Any]) -> str | None:
    """Return why an action failed, ``None`` where somebody else was quicker.

    Raises:
        UnavailableError: the server was overloaded to the end, or its disk is full.
    """
    status, error = result["status"], result.get("error", {})
    reason = error.get("reason", "") if isinstance(error, dict) else str(error)
    if status == 409:
        return None
    if status in OVERLOADED or any(word in reason for word in FULL):
        raise UnavailableError(f"the server does not take writes ({status}): {reason[:300]}")
    return f"the server refused it ({status}): {reason[:300]}"


__all__ = ["ElasticReader", "ElasticStore"]
