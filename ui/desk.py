"""The only place that writes for people: cases, judgements, snoozes, saved searches.

Views read through a `Reader`; whoever wants to change something asks the `Desk`. A case is edited under optimistic
concurrency: the second of two people who edit the same version is told, and nothing of the first is lost.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from groundswell.configs.schema import Settings
from groundswell.index.audit import Audit, Entry
from groundswell.index.groups import EPISODE
from groundswell.index.ids import stable_id
from groundswell.index.query import Query
from groundswell.index.records import (
    Case,
    CaseStatus,
    Decision,
    Deed,
    Document,
    Label,
    Note,
    SavedSearch,
    SearchLanguage,
    Severity,
    Signal,
    Snooze,
    Theme,
)
from groundswell.index.store import Conflict, Reader, Store, StoreError
from groundswell.nlp.signals.alerts.episodes import Episode, episodes
from groundswell.nlp.signals.alerts.feedback import Proposal, accept, forget, propose
from groundswell.nlp.signals.alerts.policy import threshold
from groundswell.ui.report.inbox import MOST, find_inbox, title_of
from groundswell.ui.trail import recorded, removed

Disposition = Literal["confirmed", "false", "duplicate"]
DUE: Mapping[Severity, timedelta] = {
    "critical": timedelta(hours=4),
    "high": timedelta(hours=24),
    "medium": timedelta(days=3),
    "low": timedelta(days=7),
}
"""How soon somebody should have looked into an alert of this severity."""
DISMISSALS: Mapping[str, Disposition | None] = {
    "false alarm": "false",
    "not relevant to us": "false",
    "duplicate": "duplicate",
    "known and handled elsewhere": None,
    "over, nothing to do": None,
}
"""Why an alert may be dismissed, and what that teaches about alerts like it; words of one's own teach nothing."""
CORRECTIONS: Mapping[str, tuple[str, ...]] = {
    "sentiment": ("negative", "neutral", "positive"),
    "relevant": ("yes", "no"),
}
"""What of a document can be corrected beside its risks (which are "yes" or "no"), and to what."""
MOST_EVIDENCE = 2000
"""Documents kept word for word with a case; of more, the oldest, and its history says so."""
LONGEST_TEXT = 100_000
"""Characters of one document that a case keeps; a longer one says that it was cut."""
LONGEST_LINE = 5000
LONGEST_STATEMENT = 20_000
LONGEST_SNOOZE = 90
"""Days: what is silent for longer is better dismissed."""


class DeskError(StoreError):
    """Something a person asked for cannot be done; the message says why and what to do instead."""


class Desk:
    """What a person may do to the store; each change is in the audit log before it is made."""

    def __init__(self, store: Store, audit: Audit | None = None) -> None:
        self.store, self.audit = store, audit

    # --- cases

    def open_case(self, signal: str, *, by: str, owner: str = "", now: datetime) -> Case:
        """Open a case from an alert, with all its evidence as it stands now; the same alert twice is one case.

        Raises:
            DeskError: there is no such alert.
        """
        found = self._alert(signal)
        episode = self._episode(found, now)
        case_id = stable_id("case", signal)
        existing = self.store.get(Case, case_id)
        if existing is not None:
            return existing
        theme = self.store.get(Theme, found.theme) if found.theme else None
        case = Case(
            id=case_id,
            title=title_of(found, theme) if found.title or theme else found.why,
            opened_at=now,
            severity=episode.severity,
            signals=tuple(s.id for s in episode.signals if s.fired or s.id == signal),
            owner=_line(owner),
            due=now + DUE[episode.severity],
            policy_area=episode.risk,
            evidence=self._evidence(episode, now),
        )
        held = _kept(len(case.evidence))
        case = replace(case, history=(Note(at=now, by=_name(by), text=f"opened from an alert, {held}: {found.why}"),))
        self._put(case, who=by)
        self._decide([signal], "case", by=by, now=now, to=case.id)
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
            return self._edit(edited, version, who=by)
        except Conflict as error:
            raise Conflict(_meanwhile(self._case(case))) from error

    def add_signal(self, case: str, signal: str, *, by: str, now: datetime) -> Case:
        """Put another alert into a case, with its documents.

        Raises:
            DeskError: no such case or alert.
        """
        seen, found = self._case(case), self._alert(signal)
        if signal in seen.signals:
            return seen
        documents = self._evidence(self._episode(found, now), now)
        added = self._added(seen, documents, because=f"another alert: {found.why}", by=by, now=now)
        edited = self._edit(replace(added, signals=(*seen.signals, signal)), seen.version, who=by)
        self._decide([signal], "case", by=by, now=now, to=case)
        return edited

    def add_documents(self, case: str, ids: Sequence[str], *, because: str, by: str, now: datetime) -> Case:
        """Put documents into a case as they stand now, marked as added later; those it holds already stay as they were.

        Raises:
            DeskError: there is no such case, or nothing of this is there.
        """
        seen = self._case(case)
        documents = [snapshot(document) for document in self.store.many(Document, ids[:MOST_EVIDENCE])]
        if not documents:
            raise DeskError("none of these documents is there any more; nothing was added")
        added = self._added(seen, documents, because=because, by=by, now=now)
        return seen if added == seen else self._edit(added, seen.version, who=by)

    def catch_up(self, case: str, *, by: str, now: datetime) -> Case:
        """Add to a case what its alerts have gathered since, marked as added later."""
        seen = self._case(case)
        fresh = [
            document
            for signal in self.store.many(Signal, seen.signals)
            for document in self._evidence(self._episode(signal, now), now)
        ]
        added = self._added(seen, fresh, because="what its alerts gathered since", by=by, now=now)
        return seen if added == seen else self._edit(added, seen.version, who=by)

    def _added(
        self, case: Case, documents: Iterable[Mapping[str, Any]], *, because: str, by: str, now: datetime
    ) -> Case:  # fmt: skip
        """Return a case with documents that it does not hold yet, each marked with when, by whom and why it came."""
        present = {str(item["id"]) for item in case.evidence}
        mark = {"added_at": now.isoformat(), "added_by": _name(by), "added_because": _line(because)[:500]}
        fresh = {str(item["id"]): {**item, **mark} for item in documents if str(item["id"]) not in present}
        if not fresh and because.startswith("what its"):
            return case
        room = list(fresh.values())[: max(0, MOST_EVIDENCE - len(present))]
        left = f"; {len(fresh) - len(room)} more had no room" if len(room) < len(fresh) else ""
        note = Note(at=now, by=_name(by), text=f"added {_plural(len(room), 'document')} ({_line(because)[:500]}){left}")
        return replace(case, evidence=(*case.evidence, *room), history=(*case.history, note))

    def _case(self, id: str) -> Case:
        found = self.store.get(Case, id)
        if found is None:
            raise DeskError(f"there is no case {id!r}; groundswell case list --all lists them")
        return found

    def _alert(self, id: str) -> Signal:
        found = self.store.get(Signal, id)
        if found is None:
            raise DeskError(f"there is no alert {id!r}; groundswell signals --list names them")
        return found

    def _episode(self, alert: Signal, now: datetime) -> Episode:
        """Return the episode that an alert belongs to, or the alert alone."""
        found = episodes(self.store.select(Signal, states=EPISODE), until=max(now, alert.at))
        return next((e for e in found if any(signal.id == alert.id for signal in e.signals)), Episode((alert,)))

    def _evidence(self, episode: Episode, now: datetime) -> tuple[Mapping[str, Any], ...]:
        """Return all that an episode is made of: its signals' documents, and those of its theme since it began."""
        ids = dict.fromkeys(episode.evidence)
        if episode.theme:
            since = Query(since=episode.alert.start, until=now, trusted_dates=True, where={"theme": (episode.theme,)})
            ids.update((document.id, None) for document in self.store.scan(since))
        return tuple(snapshot(document) for document in self.store.many(Document, list(ids)[:MOST_EVIDENCE]))

    # --- decisions about alerts

    def confirm(self, alerts: Sequence[str], *, by: str, now: datetime, reason: str = "") -> list[Decision]:
        """Say that alerts are right."""
        for alert in alerts:
            self.judge(alert, "confirmed", by=by, now=now)
        return self._decide(alerts, "confirmed", by=by, now=now, reason=reason)

    def dismiss(self, alerts: Sequence[str], *, reason: str, by: str, now: datetime) -> list[Decision]:
        """Let alerts go for a reason: one of `DISMISSALS`, or words of one's own.

        Raises:
            DeskError: no such alert, or no reason.
        """
        if not _line(reason):
            raise DeskError(f"a dismissal needs a reason, such as: {', '.join(DISMISSALS)}")
        value = DISMISSALS.get(_line(reason))
        for alert in alerts if value else ():
            self.judge(alert, value or "false", by=by, now=now)
        return self._decide(alerts, "dismissed", by=by, now=now, reason=reason)

    def put_off(
        self, alerts: Sequence[str], *, days: float, reason: str, by: str, now: datetime
    ) -> list[Decision]:  # fmt: skip
        """Silence alerts, and their themes, for some days and a reason.

        Raises:
            DeskError: no such alert, no reason, or no time.
        """
        if not _line(reason):
            raise DeskError("a snooze needs a reason: whoever meets it later must know why it is quiet")
        if not 0 < days <= LONGEST_SNOOZE:
            raise DeskError(f"a snooze lasts up to {LONGEST_SNOOZE} days, not {days:g}")
        for theme in {found.theme for found in map(self._alert, alerts) if found.theme}:
            self.snooze(theme, days=days, by=by, now=now, reason=reason)
        until = now + timedelta(days=days)
        return self._decide(alerts, "snoozed", by=by, now=now, reason=reason, until=until)

    def assign(self, alerts: Sequence[str], *, to: str, by: str, now: datetime) -> list[Decision]:
        """Say whose alerts are; nobody's, where `to` is empty."""
        return self._decide(alerts, "assigned", by=by, now=now, to=_line(to)[:80])

    def reopen(self, alerts: Sequence[str], *, by: str, now: datetime, reason: str = "") -> list[Decision]:
        """Take back what was decided about alerts: what it taught is forgotten, what was silenced wakes.

        The decisions stay on record, followed by this one.
        """
        for alert in alerts:
            found = self._alert(alert)
            labels = [label.id for label in self.store.recent(Label, limit=MOST) if label.subject == alert]
            with removed(self.audit, self.store, Label, labels, who=_name(by)):
                self.store.delete(Label, labels)
            if found.theme and self._silenced(alert):
                self.wake(found.theme, by=by, now=now)
        return self._decide(alerts, "reopened", by=by, now=now, reason=reason)

    def lift_snoozes(self, *, now: datetime) -> list[str]:
        """Wake the themes whose snoozed alert is over: what comes next is news again. Return their alerts."""
        lifted = [
            entry
            for entry in find_inbox(self.store, now=now).entries
            if entry.phase == "over" and entry.episode.theme and self._snoozed(entry.episode.theme, now)
        ]
        for entry in lifted:
            self.wake(entry.episode.theme, by="the end of the alert", now=now)
        return [entry.id for entry in lifted]

    def _snoozed(self, theme: str, now: datetime) -> bool:
        snooze = self.store.get(Snooze, theme)
        return snooze is not None and snooze.holds(now)

    def merge(self, alert: str, into: str, *, by: str, now: datetime, reason: str = "") -> Decision:
        """Put an alert to another one's episode: one event, one card.

        Raises:
            DeskError: no such alert, or twice the same.
        """
        if self._alert(alert).id == self._alert(into).id:
            raise DeskError("an alert is merged with another one, not with itself")
        return self._decide([alert], "merged", by=by, now=now, to=into, reason=reason)[0]

    def part(self, alert: str, other: str, *, by: str, now: datetime, reason: str = "") -> Decision:
        """Take a merge back, or say that two alerts offered as twins are none."""
        self._alert(other)
        return self._decide([alert], "parted", by=by, now=now, to=other, reason=reason)[0]

    def _silenced(self, alert: str) -> bool:
        newest = next(
            (d for d in self.store.recent(Decision, limit=MOST) if d.alert == alert and d.what != "assigned"), None
        )
        return newest is not None and newest.what == "snoozed"

    def _decide(
        self, alerts: Sequence[str], what: Deed, *, by: str, now: datetime, reason: str = "",
        until: datetime | None = None, to: str = "",
    ) -> list[Decision]:  # fmt: skip
        """Write down one decision for each alert, all or none."""
        made = [
            Decision(
                id=stable_id("decision", alert.id, what, _name(by), now.isoformat()), alert=alert.id, what=what,
                by=_name(by), at=now, reason=_line(reason)[:500], until=until, to=to,
            )
            for alert in map(self._alert, alerts)
        ]  # fmt: skip
        self._put(*made, who=by)
        return made

    def correct(self, document: str, field: str, value: str, *, by: str, now: datetime) -> Label:
        """Keep what somebody says a document is, beside what the model said; the same person's newest counts.

        Raises:
            DeskError: no such document, or no such value.
        """
        if self.store.get(Document, document) is None:
            raise DeskError(f"there is no document {document!r}")
        if value not in (allowed := CORRECTIONS.get(field, ("yes", "no"))):
            raise DeskError(f"{field} is {', '.join(allowed)}, not {value!r}")
        name = _name(by)
        own = stable_id("label", document, field, name)
        label = Label(id=own, subject=document, field=field, value=value, annotator=name, at=now)
        self._put(label, who=by)
        return label

    # --- what judgements teach

    @staticmethod
    def proposal(reader: Reader, settings: Settings) -> Proposal | None:
        """Return what judgements would teach and change; ``None`` while there are too few. Nothing is written."""
        return propose(reader, threshold=threshold(settings.signals))

    def learn(self, proposal: Proposal, *, by: str, now: datetime) -> None:
        """Let a proposal take effect on signals found from now on."""
        with self._noted(
            "accept learning", by, {"judged": str(proposal.judged), "changes": str(len(proposal.changes))}
        ):
            accept(self.store, proposal.taught, by=_name(by), now=now)

    def unlearn(self, *, by: str) -> None:
        """Go back to the ranking as it came."""
        with self._noted("forget learning", by, {}):
            forget(self.store)

    @contextmanager
    def _noted(self, what: str, by: str, after: Mapping[str, str]) -> Iterator[None]:
        entry = Entry(who=_name(by), what=what, subject="ranking", after=after)
        with self.audit.around(entry) if self.audit else nullcontext():
            yield

    # --- judgements, silence, searches

    def judge(self, signal: str, value: Disposition, *, by: str, now: datetime) -> Label:
        """Say whether an alert was right; the same person judging again changes the judgement.

        Raises:
            DeskError: no such alert, or no such judgement.
        """
        if value not in get_args(Disposition):
            raise DeskError(f"an alert is {', '.join(get_args(Disposition))}, not {value!r}")
        self._alert(signal)
        name = _name(by)
        label = Label(
            id=stable_id("disposition", signal, name),
            subject=signal,
            field="disposition",
            value=value,
            annotator=name,
            at=now,
        )
        self._put(label, who=by)
        return label

    def snooze(self, theme: str, *, days: float, by: str, now: datetime, reason: str = "") -> datetime:
        """Silence a theme for some days; return until when."""
        until = now + timedelta(days=days)
        self._put(Snooze(id=theme, at=now, until=until, by=_name(by), reason=_line(reason)[:500]), who=by)
        return until

    def wake(self, theme: str, *, by: str, now: datetime) -> None:
        """End a theme's silence."""
        self._put(Snooze(id=theme, at=now, until=now, by=_name(by)), who=by)

    def save_search(
        self,
        name: str,
        text: str,
        *,
        by: str,
        now: datetime,
        language: SearchLanguage = "search",
        tell: Sequence[str] = (),
    ) -> SavedSearch:
        """Keep a query, or a question in SQL, under a name; the same person saving the same name again replaces it.

        `tell` are the receivers of alerts that are to hear when it changes.

        Raises:
            DeskError: the name is empty, or the text is longer than can be kept.
        """
        longest = LONGEST_LINE if language == "search" else LONGEST_STATEMENT
        if not _line(name):
            raise DeskError("what is saved needs a name")
        if len(text) > longest:
            raise DeskError(f"at most {longest:,} characters can be saved; this has {len(text):,}")
        saved = SavedSearch(
            id=stable_id(language, _name(by), _line(name)), name=_line(name), text=text, owner=_name(by), at=now,
            language=language, tell=tuple(dict.fromkeys(tell)),
        )  # fmt: skip
        self._put(saved, who=by)
        return saved

    def tell_when(self, id: str, receivers: Sequence[str], *, by: str) -> SavedSearch:
        """Let receivers of alerts hear when a saved search changes; none: nobody does any more.

        Raises:
            DeskError: there is no such search.
        """
        saved = self.store.get(SavedSearch, id)
        if saved is None:
            raise DeskError("somebody has forgotten this search meanwhile")
        changed = replace(saved, tell=tuple(dict.fromkeys(receivers)))
        self._put(changed, who=by)
        return changed

    def forget_search(self, id: str, *, by: str) -> bool:
        """Forget a saved search; say whether there was one."""
        with removed(self.audit, self.store, SavedSearch, [id], who=_name(by)):
            return bool(self.store.delete(SavedSearch, [id]))

    def _put(self, *records: Case | Label | Snooze | SavedSearch | Decision, who: str) -> None:
        with recorded(self.audit, self.store, records, who=_name(who)):
            report = self.store.put(records)
            if report.refused:
                raise DeskError(f"the store would not take it: {report.refused[0].reason}")

    def _edit(self, case: Case, version: int, *, who: str) -> Case:
        with recorded(self.audit, self.store, [case], who=_name(who)):
            return self.store.edit(case, expected_version=version)


def snapshot(document: Document) -> Mapping[str, Any]:
    """Return what a case keeps of a document: readable, and provably unchanged, when the post is gone.

    ``sha256`` is of the other values as JSON with sorted keys, no spaces and no escapes (`fingerprint`).
    """
    mention, enriched = document.mention, document.enriched
    fields = {
        "id": mention.id,
        "source": mention.source,
        "url": mention.url,
        "title": mention.title,
        "text": mention.text[:LONGEST_TEXT],
        "cut": len(mention.text) > LONGEST_TEXT,
        "published_at": mention.published_at.isoformat() if mention.published_at else "",
        "fetched_at": mention.fetched_at.isoformat(),
        "market": mention.market,
        "lang": enriched.lang if enriched else mention.lang,
        "sentiment": enriched.sentiment.label if enriched else "",
        "risks": {risk: round(p, 4) for risk, p in sorted(enriched.risks.items())} if enriched else {},
        "made_by": enriched.made_by if enriched else "",
    }
    return {**fields, "sha256": fingerprint(fields)}


def fingerprint(fields: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what a case keeps of a document, whatever was noted about its coming."""
    values = {k: v for k, v in fields.items() if k != "sha256" and not k.startswith("added_")}
    text = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _kept(count: int) -> str:
    most = " (as many as a case holds)" if count == MOST_EVIDENCE else ""
    return f"{_plural(count, 'document')} kept{most}"


def _plural(count: int, one: str) -> str:
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"


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
    parts = []
    for name, value in changes.items():
        shown = f"{value:%Y-%m-%d %H:%M}Z" if isinstance(value, datetime) else value
        parts.append(
            f"{name}: {shown or 'nobody'}"
            if name in {"cause", "decision"} or not getattr(case, name)
            else f"{name}: {_old(case, name)} → {shown or 'nobody'}"
        )
    return "; ".join(parts)


def _old(case: Case, name: str) -> str:
    value = getattr(case, name)
    return f"{value:%Y-%m-%d %H:%M}Z" if isinstance(value, datetime) else str(value)


def _meanwhile(case: Case) -> str:
    last = case.history[-1] if case.history else None
    what = f" ({last.by}: {last.text})" if last else ""
    return f"somebody changed this case while you were writing{what}; look at it again, then repeat what you wanted"


def _line(text: str) -> str:
    """Return a person's words, bounded, without control characters."""
    evidence = (
        char if char.isprintable() or char == "\n" else " " if char.isspace() else "" for char in text[:LONGEST_LINE]
    )
    return "".join(evidence).strip()


def _name(by: str) -> str:
    return _line(by)[:80] or "somebody"
