"""What people do who label: take the next document, say what it is, rule where others differ. Writes like the desk.

Nobody who labels sees what the model or anybody else said of a document: labels are given blind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from groundswell.configs.schema import LabellingSettings, Settings
from groundswell.index.audit import Audit, Entry
from groundswell.index.ids import stable_id
from groundswell.index.records import Checkpoint, Document, Label, Queue, Record, Sample, Task
from groundswell.index.store import Reader, Report, Store
from groundswell.nlp.trust.onboarding import Onboarding, onboarding
from groundswell.nlp.trust.truth import ARBITRATION, NO_DOCUMENT, NONE, RISKS, UNSURE
from groundswell.ui.desk import DeskError
from groundswell.ui.trail import recorded

SENTIMENTS = ("negative", "neutral", "positive", UNSURE)
MOST = 100_000
"""Tasks that may wait."""
NEWEST = 5000
"""Documents among which the queues that teach look."""
CALIBRATION = "calibration"
"""Checkpoint: the week whose calibration was made."""
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST_NOTE = 2000
ORDER: tuple[Queue, ...] = ("gold", "calibration", "audit", "drift", "disagreement", "uncertain")
"""Queues in the order they are served where no queue is asked for."""


def waiting(reader: Reader) -> list[Task]:
    """Return the tasks that still want labels, in the order they are served."""
    tasks = [task for task in reader.recent(Task, limit=MOST) if len(task.given) < task.wanted]
    return sorted(tasks, key=lambda task: (ORDER.index(task.queue), -task.priority, task.id))


def next_task(
    reader: Reader, annotator: str, queue: str | None = None, *, rules: LabellingSettings | None = None
) -> Task | None:
    """Return the next task of somebody: none that they have answered before; gold alone until they pass the test."""
    open_to = None if onboarding_of(reader, annotator, rules).passed else "gold"
    mine = (task for task in waiting(reader) if annotator not in task.given and open_to in {None, task.queue})
    return next((task for task in mine if queue in {None, task.queue}), None)


def onboarding_of(reader: Reader, annotator: str, rules: LabellingSettings | None) -> Onboarding:
    """Return how far somebody is with the test of gold tasks; where there is none, all have passed."""
    wanted = rules.onboarding if rules else 0
    labels = reader.recent(Label, limit=MOST) if wanted else []
    return onboarding(labels, annotator, wanted=wanted, mark=rules.pass_mark if rules else 0.0)


def drawn(
    store: Store, settings: Settings, queue: Queue, *, size: int, days: float, people: int = 2, now: datetime
) -> list[Task]:
    """Return tasks of a queue other than the audit's."""
    from groundswell.nlp.enrich.stage import all_rules
    from groundswell.nlp.trust import sampling
    from groundswell.nlp.trust.labels import all_judgements, known_documents
    from groundswell.nlp.trust.pack import calibration, gold

    if queue in {"calibration", "gold"}:
        given = all_judgements(store, settings)
        if queue == "gold":
            return gold(store, given, size=size, now=now)
        return calibration(store, given, size=size, people=people, now=now)
    documents = store.recent(Document, limit=NEWEST)
    if queue == "uncertain":
        return sampling.draw_uncertain(documents, size=size, now=now)
    if queue == "drift":
        return sampling.draw_drift(documents, since=now - timedelta(days=days), size=size, now=now)
    about = {each.rule.id: each.rule.about for each in all_rules(settings).compiled}
    labelled = known_documents(store, settings, machines=True)
    return sampling.draw_disagreement(documents, labelled, about, size=size, now=now)


def weekly_calibration(store: Store, settings: Settings, *, now: datetime, audit: Audit | None = None) -> str:
    """Put the documents that people disagree on most before them again, once a week from its day on; say what came."""
    rules, local = settings.labelling, now.astimezone(ZoneInfo(settings.digest.timezone))
    week = f"{local:%G-W%V}"
    mark = store.get(Checkpoint, CALIBRATION)
    if (
        not rules.calibration
        or local.weekday() < DAYS.index(rules.calibration)
        or (mark and mark.value["week"] == week)
    ):
        return ""
    tasks = drawn(
        store, settings, "calibration", size=rules.calibration_size, days=7.0, people=rules.calibration_people, now=now
    )
    count = Labelling(store, (), audit).add(tasks, by="groundswell") if tasks else 0
    store.put([Checkpoint(id=CALIBRATION, value={"week": week}, at=now)])
    return f"{count:,} documents that people disagree on wait to be voted on again ({week})" if count else ""


def guidelines(reader: Reader) -> list[Label]:
    """Return the rulings that have a note, newest first: what whoever labels can look up."""
    return [one for one in reader.recent(Label, limit=MOST) if one.round >= ARBITRATION and one.note]


class Labelling:
    """The tasks and labels of a store."""

    def __init__(
        self, store: Store, risk_ids: Sequence[str], audit: Audit | None = None, rules: LabellingSettings | None = None
    ) -> None:
        self.store, self.audit, self.rules = store, audit, rules
        self.risk_ids = tuple(risk_ids)

    def add(self, tasks: Iterable[Task], sample: Sample | None = None, *, by: str = "") -> int:
        """Let documents wait for labels, each once in a queue; return how many came."""
        records: list[Record] = [*tasks]
        present = {task.id for task in waiting(self.store)}
        fresh: list[Record] = [task for task in records if task.id not in present]
        if self.audit:
            queues = " ".join(sorted({one.queue for one in records if isinstance(one, Task)}))
            self.audit.note(Entry(who=by, what="draw documents", subject=queues, after={"tasks": str(len(fresh))}))
        report = self.store.put([*([sample] if sample else []), *fresh])
        if report.refused:
            raise DeskError(f"the store would not take it: {report.refused[0].reason}")
        return len(fresh)

    def take(self, labels: Sequence[Label], *, by: str) -> Report:
        """Keep labels that were given elsewhere."""
        entry = Entry(who=by, what="import labels", after={"labels": str(len(labels))})
        with self.audit.around(entry) if self.audit else nullcontext():
            return self.store.put(labels)

    def answer(
        self, task: str, values: Mapping[str, str], *, by: str, now: datetime, team: str = "",
        seconds: float | None = None, note: str = "",
    ) -> list[Label]:  # fmt: skip
        """Keep what somebody says of a task's document; the task is gone once enough people have.

        Raises:
            DeskError: there is no such task, they have answered it before, or a value is none.
        """
        found = self.store.get(Task, task)
        if found is None:
            raise DeskError(f"there is no task {task!r}: it has all its labels, or was taken back")
        if not (name := by.strip()[:80]):
            raise DeskError("say who you are: a label has a name")
        if name in found.given:
            raise DeskError(f"{name} has labelled this already; a second label is somebody else's")
        if found.queue != "gold" and not (test := onboarding_of(self.store, name, self.rules)).passed:
            raise DeskError(
                f"{name} labels gold tasks first: {test.right} of the last {test.answered} are right, of {test.wanted} "
                f"at least {test.mark:.0%} have to be (labelling.onboarding, labelling.pass_mark)"
            )
        checked = {field: self.checked(field, value) for field, value in values.items()}
        if not checked:
            raise DeskError("say at least the sentiment or the risks")
        labels = [
            Label(
                id=stable_id("label", found.subject, field, name, found.id), subject=found.subject, field=field,
                value=value, annotator=name, at=now, round=1 + bool(found.given), team=team.strip()[:80],
                queue=found.queue, sample=found.sample, stratum=found.stratum,
                predicted=found.predicted.get(field, ""), made_by=found.made_by,
                expected=found.expected.get(field, ""), lang=found.lang, market=found.market, seconds=seconds,
                note=note.strip()[:LONGEST_NOTE],
            )
            for field, value in checked.items()
        ]  # fmt: skip
        answered = replace(found, given=(*found.given, name))
        with recorded(self.audit, self.store, labels, who=name):
            self.store.put([*labels, answered])
        if len(answered.given) >= answered.wanted:
            self.store.delete(Task, [task])
        return labels

    def rule(self, document: str, field: str, value: str, *, by: str, now: datetime, note: str = "") -> Label:
        """Say what counts where people differ; the note is what others shall learn from it.

        Raises:
            DeskError: there is no such document, or no such value.
        """
        found = self.store.get(Document, document)
        if found is None:
            raise DeskError(f"there is no document {document!r}")
        label = Label(
            id=stable_id("ruling", document, field), subject=document, field=field, value=self.checked(field, value),
            annotator=by.strip()[:80] or "somebody", at=now, round=ARBITRATION, note=note.strip()[:LONGEST_NOTE],
            lang=found.enriched.lang if found.enriched else found.mention.lang, market=found.mention.market,
        )  # fmt: skip
        with recorded(self.audit, self.store, [label], who=label.annotator, what="rule"):
            self.store.put([label])
        return label

    def checked(self, field: str, value: str) -> str:
        """Return a value as it is kept.

        Raises:
            DeskError: the field has no such value; with those that it has.
        """
        value = value.strip()
        if field == RISKS:
            named = sorted(set(value.replace(",", " ").split()) - {NONE})
            if wrong := [one for one in named if one not in {*self.risk_ids, UNSURE}]:
                raise DeskError(f"no risk is called {wrong[0]!r}; known: {', '.join(self.risk_ids)}, {NONE}, {UNSURE}")
            return UNSURE if UNSURE in named else " ".join(named) or NONE
        allowed = SENTIMENTS if field == "sentiment" else ("yes", "no", UNSURE) if field in self.risk_ids else ()
        if not allowed or field in NO_DOCUMENT:
            raise DeskError(
                f"there is no field {field!r}: sentiment, {RISKS}, or one risk ({', '.join(self.risk_ids)})"
            )
        if value not in allowed:
            raise DeskError(f"{field} is {', '.join(allowed)}, not {value!r}")
        return value
