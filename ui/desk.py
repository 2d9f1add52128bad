"""The only place that writes for people: cases, judgements, snoozes, saved searches.

Views read through a `Reader`; whoever wants to change something asks the `Desk`. A case is edited under optimistic
concurrency: the second of two people who edit the same version is told, and nothing of the first is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from groundswell.index.ids import stable_id
from groundswell.index.records import (
    Case,
    CaseStatus,
    Document,
    Label,
    Note,
    SavedSearch,
    Severity,
    Signal,
    Snooze,
    Theme,
)
from groundswell.index.store import Conflict, Store, StoreError
from groundswell.ui.report.cards import title_of

Disposition = Literal["confirmed", "false", "duplicate"]
DUE: Mapping[Severity, timedelta] = {
    "critical": timedelta(hours=4),
    "high": timedelta(hours=24),
    "medium": timedelta(days=3),
    "low": timedelta(days=7),
}
"""How soon somebody should have looked into an alert of this severity."""
MOST_EVIDENCE = 50
"""Documents kept word for word with a case; the alert's list of ids stays whole."""
LONGEST_TEXT = 2000
LONGEST_LINE = 5000


class DeskError(StoreError):
    """Something a person asked for cannot be done; the message says why and what to do instead."""


class Desk:
    """What a person may do to the store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    # --- cases

    def open_case(self, signal: str, *, by: str, owner: str = "", now: datetime) -> Case:
        """Open a case from an alert, with its evidence as it stands now; the same alert twice is one case.

        Raises:
            DeskError: there is no such alert.
        """
        found = self.store.get(Signal, signal)
        if found is None:
            raise DeskError(f"there is no alert {signal!r}; groundswell signals lists them")
        case_id = stable_id("case", signal)
        known = self.store.get(Case, case_id)
        if known is not None:
            return known
        theme = self.store.get(Theme, found.theme) if found.theme else None
        case = Case(
            id=case_id,
            title=title_of(found, theme) if found.title or theme else found.why,
            opened_at=now,
            severity=found.severity,
            signals=(signal,),
            owner=_line(owner),
            due=now + DUE[found.severity],
            policy_area=found.risk,
            evidence=self._evidence(found),
            history=(Note(at=now, by=_name(by), text=f"opened from an alert: {found.why}"),),
        )
        self._put(case)
        return case

    def edit_case(
        self,
        case: str,
        *,
        by: str,
        now: datetime,
        expected_version: int | None = None,
        note: str | None = None,
        owner: str | None = None,
        status: str | None = None,
        cause: str | None = None,
        decision: str | None = None,
        due: datetime | None = None,
    ) -> Case:
        """Change a case and write into its history what changed; an argument left out changes nothing.

        `expected_version` is the version that the person saw; by default the newest.

        Raises:
            Conflict: somebody else changed the case since that version; the message says who and what.
            DeskError: no such case, no such status, or closed without cause and decision.
        """
        seen = self._case(case)
        version = seen.version if expected_version is None else expected_version
        if seen.version != version:
            raise Conflict(_meanwhile(seen))
        given = {"owner": owner, "status": status, "cause": cause, "decision": decision, "due": due}
        changes: dict[str, Any] = {name: _clean(name, value) for name, value in given.items() if _given(name, value)}
        changes = {name: value for name, value in changes.items() if getattr(seen, name) != value}
        _closable(seen, changes)
        notes = [Note(at=now, by=_name(by), text=text) for text in (_told(seen, changes), _line(note or "")) if text]
        if not notes:
            return seen
        edited = replace(seen, **changes, history=(*seen.history, *notes))
        try:
            return self.store.edit(edited, expected_version=version)
        except Conflict as error:
            raise Conflict(_meanwhile(self._case(case))) from error

    def add_signal(self, case: str, signal: str, *, by: str, now: datetime) -> Case:
        """Put another alert into a case."""
        seen = self._case(case)
        if signal in seen.signals:
            return seen
        history = (*seen.history, Note(at=now, by=_name(by), text="added another alert"))
        return self.store.edit(
            replace(seen, signals=(*seen.signals, signal), history=history), expected_version=seen.version
        )

    def _case(self, id: str) -> Case:
        found = self.store.get(Case, id)
        if found is None:
            raise DeskError(f"there is no case {id!r}; groundswell case list --all lists them")
        return found

    def _evidence(self, signal: Signal) -> tuple[Mapping[str, Any], ...]:
        documents = self.store.many(Document, signal.evidence[:MOST_EVIDENCE])
        return tuple(snapshot(document) for document in documents)

    # --- judgements, silence, searches

    def judge(self, signal: str, value: Disposition, *, by: str, now: datetime) -> Label:
        """Say whether an alert was right; the same person judging again changes the judgement.

        Raises:
            DeskError: no such alert, or no such judgement.
        """
        if value not in get_args(Disposition):
            raise DeskError(f"an alert is {', '.join(get_args(Disposition))}, not {value!r}")
        if self.store.get(Signal, signal) is None:
            raise DeskError(f"there is no alert {signal!r}; groundswell signals lists them")
        name = _name(by)
        label = Label(
            id=stable_id("disposition", signal, name),
            subject=signal,
            field="disposition",
            value=value,
            annotator=name,
            at=now,
        )
        self._put(label)
        return label

    def snooze(self, theme: str, *, days: float, by: str, now: datetime) -> datetime:
        """Silence a theme for some days; return until when."""
        until = now + timedelta(days=days)
        self._put(Snooze(id=theme, at=now, until=until, by=_name(by)))
        return until

    def wake(self, theme: str, *, by: str, now: datetime) -> None:
        """End a theme's silence."""
        self._put(Snooze(id=theme, at=now, until=now, by=_name(by)))

    def save_search(self, name: str, text: str, *, by: str, now: datetime) -> SavedSearch:
        """Keep a query under a name; the same person saving the same name again replaces it.

        Raises:
            DeskError: the name is empty.
        """
        if not _line(name):
            raise DeskError("a saved search needs a name")
        saved = SavedSearch(
            id=stable_id("search", _name(by), _line(name)),
            name=_line(name),
            text=text[:LONGEST_LINE],
            owner=_name(by),
            at=now,
        )
        self._put(saved)
        return saved

    def forget_search(self, id: str) -> bool:
        """Forget a saved search; say whether there was one."""
        return bool(self.store.delete(SavedSearch, [id]))

    def _put(self, record: Case | Label | Snooze | SavedSearch) -> None:
        report = self.store.put([record])
        if report.refused:
            raise DeskError(f"the store would not take it: {report.refused[0].reason}")


def snapshot(document: Document) -> Mapping[str, Any]:
    """Return what a case keeps of a document, so that it can still be read when the post is gone."""
    mention, enriched = document.mention, document.enriched
    return {
        "id": mention.id,
        "source": mention.source,
        "url": mention.url,
        "title": mention.title,
        "text": mention.text[:LONGEST_TEXT],
        "published_at": mention.published_at.isoformat() if mention.published_at else "",
        "fetched_at": mention.fetched_at.isoformat(),
        "market": mention.market,
        "lang": enriched.lang if enriched else mention.lang,
        "sentiment": enriched.sentiment.label if enriched else "",
        "made_by": enriched.made_by if enriched else "",
    }


def _closable(case: Case, changes: Mapping[str, Any]) -> None:
    if changes.get("status") != "closed":
        return
    missing = [name for name in ("cause", "decision") if not changes.get(name, getattr(case, name))]
    if missing:
        raise DeskError(f"a case is closed with a cause and a decision; {' and '.join(missing)} still missing")


def _given(name: str, value: object) -> bool:
    """Return whether something was said; an owner may be taken away."""
    return value is not None and (value != "" or name == "owner")


def _clean(name: str, value: object) -> object:
    if name == "status" and value not in get_args(CaseStatus):
        raise DeskError(f"a case is {', '.join(get_args(CaseStatus))}, not {value!r}")
    return _line(value) if isinstance(value, str) else value


def _told(case: Case, changes: Mapping[str, Any]) -> str:
    """Return what changed, in words."""
    said = []
    for name, value in changes.items():
        shown = f"{value:%Y-%m-%d %H:%M}Z" if isinstance(value, datetime) else value
        said.append(
            f"{name}: {shown or 'nobody'}"
            if name in {"cause", "decision"} or not getattr(case, name)
            else f"{name}: {_old(case, name)} → {shown or 'nobody'}"
        )
    return "; ".join(said)


def _old(case: Case, name: str) -> str:
    value = getattr(case, name)
    return f"{value:%Y-%m-%d %H:%M}Z" if isinstance(value, datetime) else str(value)


def _meanwhile(case: Case) -> str:
    last = case.history[-1] if case.history else None
    what = f" ({last.by}: {last.text})" if last else ""
    return f"somebody changed this case while you were writing{what}; look at it again, then repeat what you wanted"


def _line(text: str) -> str:
    """Return a person's words, bounded, without control characters."""
    kept = (
        char if char.isprintable() or char == "\n" else " " if char.isspace() else "" for char in text[:LONGEST_LINE]
    )
    return "".join(kept).strip()


def _name(by: str) -> str:
    return _line(by)[:80] or "somebody"
