"""Packs made of what was labelled before: the most disagreed documents to be voted on again, and gold tasks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from groundswell.index.records import Document, Label, Task
from groundswell.index.store import Reader
from groundswell.nlp.trust.sampling import task_of
from groundswell.nlp.trust.truth import ARBITRATION, NONE, RISKS, disputed


def calibration(reader: Reader, given: Iterable[Label], *, size: int, people: int, now: datetime) -> list[Task]:
    """Return tasks for the documents on which people disagree in most fields; everybody votes blind, then one rules."""
    fields: dict[str, list[str]] = defaultdict(list)
    for labels in disputed(given):
        fields[labels[0].subject].append(labels[0].field)
    worst = sorted(fields, key=lambda document: (-len(fields[document]), document))[:size]
    return [
        task_of(
            document, "calibration", now=now, priority=len(fields[document.id]), wanted=people,
            why=f"disagreed on: {', '.join(sorted(fields[document.id]))}",
        )
        for document in reader.many(Document, worst)
    ]  # fmt: skip


def gold(reader: Reader, given: Iterable[Label], *, size: int, now: datetime) -> list[Task]:
    """Return tasks whose right answers are known, because somebody ruled: whoever is new is measured by them."""
    ruled: dict[str, dict[str, str]] = defaultdict(dict)
    for label in sorted(given, key=lambda one: one.at):
        if label.round >= ARBITRATION:
            ruled[label.subject][label.field] = label.value
    newest = list(ruled)[-size:]
    return [
        task_of(document, "gold", now=now, wanted=1000, expected=_expected(ruled[document.id]), why="known to be right")
        for document in reader.many(Document, newest)
    ]


def _expected(values: dict[str, str]) -> dict[str, str]:
    """Return what is known, of the risks as a task asks for them; only where all of them were ruled about at once."""
    risks = {field: value for field, value in values.items() if value in {"yes", "no"}}
    expected = {"sentiment": values["sentiment"]} if "sentiment" in values else {}
    if len(risks) > 1:
        expected[RISKS] = " ".join(sorted(field for field, value in risks.items() if value == "yes")) or NONE
    return expected
