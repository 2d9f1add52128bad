"""The learning loop as people turn it: learn and look, accept, go back; each step but the look is in the audit log."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from groundswell.configs.load import LEARNED
from groundswell.index.audit import Audit, Entry

if TYPE_CHECKING:
    from pathlib import Path

    from groundswell.configs.schema import Settings
    from groundswell.index.store import Reader
    from groundswell.nlp.model.learned import Learned
    from groundswell.nlp.model.model import Model
    from groundswell.nlp.trust.learn import Change, Trial

LATEST = 1000
"""Documents, the newest, of which it is told what would be read otherwise."""
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was learnt: how it did on unseen labels, and what it would change of so many documents."""

    name: str
    trial: Trial
    looked_at: int
    changes: tuple[Change, ...]


def folder_of(settings: Settings) -> Path:
    """Return where what was learnt lies."""
    return (settings.data_dir / LEARNED).parent


def propose(reader: Reader, settings: Settings, model: Model, *, now: datetime) -> Proposal:
    """Learn from people's labels in the store; write what won as the proposal, and take away an older one."""
    from groundswell.index.records import Document
    from groundswell.nlp.model.learned import PROPOSED, write_learned
    from groundswell.nlp.trust import learn
    from groundswell.nlp.trust.labels import known_documents

    known = known_documents(reader, settings)
    documents = reader.many(Document, sorted(known))
    learned, trial = learn.learn(model, learn.lessons(documents, known, model.risk_ids))
    place = folder_of(settings) / PROPOSED
    newest = reader.recent(Document, limit=LATEST) if learned and trial.wins else []
    changes = tuple(learn.changes(model, learned, newest)) if learned else ()
    if learned is None or not trial.wins:
        place.unlink(missing_ok=True)
        return Proposal("", trial, 0, ())
    told = [dataclasses.asdict(one) for one in changes[:SHOWN]]
    report = trial.report() | {
        "at": now.isoformat(), "looked_at": len(newest), "changed": len(changes), "examples": told,
    }  # fmt: skip
    write_learned(place, dataclasses.replace(learned, report=report))
    return Proposal(learned.name, trial, len(newest), changes)


def proposed(settings: Settings) -> Learned | None:
    """Return what waits to be accepted."""
    from groundswell.nlp.model.learned import PROPOSED, read_learned

    place = folder_of(settings) / PROPOSED
    return read_learned(place) if place.is_file() else None


def in_effect(settings: Settings) -> Learned | None:
    """Return what was learnt and is in effect."""
    from groundswell.nlp.model.learned import read_learned

    place = settings.data_dir / LEARNED
    return read_learned(place) if place.is_file() else None


def accept(settings: Settings, *, by: str) -> Learned:
    """Put the proposal into effect.

    Raises:
        ModelError: there is none, it did not win, or another one is in effect by now; nothing is changed.
        StoreError: the audit log cannot be written; nothing is changed.
    """
    from groundswell.nlp.model.learned import put_in_effect

    waiting = proposed(settings)
    scores = {k: f"{waiting.report.get(k, 0):.4f}" for k in ("before", "after")} if waiting else {}
    old, new = waiting.before if waiting else "", waiting.name if waiting else ""
    entry = Entry(who=by, what="accept heads", subject=new, before={"heads": old}, after={"heads": new, **scores})
    with Audit(settings.data_dir).around(entry):
        return put_in_effect(folder_of(settings))


def roll_back(settings: Settings, *, by: str) -> str:
    """Go back to what was in effect before; return its name, "" for the model as it ships.

    Raises:
        ModelError: nothing that was learnt is in effect.
        StoreError: the audit log cannot be written; nothing is changed.
    """
    from groundswell.nlp.model.bundle import ModelError
    from groundswell.nlp.model.learned import roll_back

    try:
        there = in_effect(settings)
        old, new = (there.name, there.before) if there else ("", "")
    except ModelError:
        old, new = "damaged", ""
    entry = Entry(who=by, what="roll back heads", subject=old, before={"heads": old}, after={"heads": new})
    with Audit(settings.data_dir).around(entry):
        return roll_back(folder_of(settings))
