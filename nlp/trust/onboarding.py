"""Whether somebody new may label what counts: they answer gold tasks first, whose right answers are known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from groundswell.index.records import Label
from groundswell.nlp.trust.truth import NONE, RISKS


@dataclass(frozen=True, slots=True)
class Onboarding:
    """How far somebody is with the test.

    Attributes:
        wanted: gold tasks that are to be answered; 0 where there is no test.
        answered: how many they have answered, at most the newest `wanted`; `right` of them in every field.
        mark: share that must be right.
    """

    wanted: int
    answered: int
    right: int
    mark: float

    @property
    def passed(self) -> bool:
        """Return whether they may label what counts."""
        return self.answered >= self.wanted and self.right >= self.mark * self.wanted


def onboarding(labels: Iterable[Label], annotator: str, *, wanted: int, mark: float) -> Onboarding:
    """Return how far somebody is: the newest gold tasks count, so that who learns gets through."""
    by_document: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        if label.queue == "gold" and label.annotator == annotator:
            by_document[label.subject].append(label)
    newest = sorted(by_document.values(), key=lambda own: max(label.at for label in own))[-wanted:] if wanted else []
    right = sum(all(map(is_right, own)) for own in newest)
    return Onboarding(wanted, len(newest), right, mark)


def is_right(label: Label) -> bool:
    """Return whether a label of a gold task says what is known, as far as it is known.

    >>> from datetime import UTC, datetime
    >>> at = datetime(2026, 12, 1, tzinfo=UTC)
    >>> is_right(Label(id="1", subject="a", field="risks", value="b a", annotator="mei", at=at, expected="a b"))
    True
    """
    if not label.expected:
        return True
    if label.field == RISKS:
        return set(label.value.split()) - {NONE} == set(label.expected.split()) - {NONE}
    return label.value == label.expected
