"""What labels say: one judgement a field and document, who gave it, and what counts where people differ.

A label of the field ``risks`` names all risks of a text at once ("scam_jobs gambling", or "none"); here it becomes yes
or no for each. Labels of one risk ("yes", "no") stand beside them. A machine's labels (``llm:…``, ``model:…``) are an
annotator's like any other where agreement is measured, and never the truth.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from groundswell.index.records import Label

RISKS, NONE, UNSURE = "risks", "none", "unsure"
"""The field that names all risks of a text, what it says where there is none, and where somebody cannot tell."""
ARBITRATION = 3
"""The round in which somebody rules; rounds 1 and 2 are given without a sight of each other."""
MACHINES = ("llm:", "model:")
NO_DOCUMENT = ("disposition", "relevant")
"""Fields of labels that say nothing about what a text is."""
State = Literal["single", "agreed", "ruled", "disputed"]


@dataclass(frozen=True, slots=True)
class Truth:
    """What counts for a field of a document; ``disputed`` has no value."""

    value: str
    state: State


def is_machine(annotator: str) -> bool:
    """Return whether an annotator is no person."""
    return annotator.startswith(MACHINES)


def judgements(labels: Iterable[Label], risk_ids: Sequence[str]) -> Iterator[Label]:
    """Yield each judgement of a document, with labels of all risks taken apart; the newest of a person and round."""
    newest: dict[tuple[str, str, str, int], Label] = {}
    for label in labels:
        if label.field in NO_DOCUMENT:
            continue
        for one in _apart(label, risk_ids):
            key = (one.subject, one.field, one.annotator, one.round)
            if key not in newest or newest[key].at <= one.at:
                newest[key] = one
    yield from newest.values()


def _apart(label: Label, risk_ids: Sequence[str]) -> Iterator[Label]:
    if label.field != RISKS:
        yield label
        return
    named = set(label.value.split()) - {NONE}
    for risk in risk_ids:
        value = UNSURE if UNSURE in named else "yes" if risk in named else "no"
        yield replace(label, field=risk, value=value)


def truths(given: Iterable[Label], *, machines: bool = False) -> dict[tuple[str, str], Truth]:
    """Return what counts for each (document, field): the ruling, else what people agree on.

    Of three who differ without a ruling the majority counts; of two, nobody: the item is disputed. With `machines`
    their labels count as a person's.
    """
    by_item: dict[tuple[str, str], list[Label]] = defaultdict(list)
    for label in given:
        if machines or not is_machine(label.annotator):
            by_item[label.subject, label.field].append(label)
    return {item: _counts(labels) for item, labels in by_item.items()}


def _counts(labels: Sequence[Label]) -> Truth:
    ruled = [label for label in labels if label.round >= ARBITRATION]
    if ruled:
        return Truth(max(ruled, key=lambda label: (label.round, label.at)).value, "ruled")
    votes = Counter(label.value for label in labels)
    value, count = votes.most_common(1)[0]
    if len(votes) == 1:
        return Truth(value, "agreed" if count > 1 else "single")
    return Truth(value, "agreed") if 2 * count > len(labels) else Truth("", "disputed")


def disputed(given: Iterable[Label]) -> list[list[Label]]:
    """Return the labels of each field on which people disagree and nobody has ruled, in the order of documents."""
    by_item: dict[tuple[str, str], list[Label]] = defaultdict(list)
    for label in given:
        if not is_machine(label.annotator):
            by_item[label.subject, label.field].append(label)
    return [labels for _, labels in sorted(by_item.items()) if _counts(labels).state == "disputed"]


def by_document(found: Mapping[tuple[str, str], Truth]) -> dict[str, dict[str, str]]:
    """Return document → field → value, what is disputed left out."""
    labels: dict[str, dict[str, str]] = defaultdict(dict)
    for (document, name), truth in found.items():
        if truth.state != "disputed":
            labels[document][name] = truth.value
    return dict(labels)
