"""How well each annotator, person or machine, meets what counts, by class and week; and what to learn next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf

from groundswell.index.records import Label
from groundswell.nlp.trust.estimate import Estimate, Stratum
from groundswell.nlp.trust.truth import ARBITRATION, UNSURE, truths

GAP, GAP_LABELS = 0.8, 5
"""Share of right labels below which, and number of labels from which, a class is something to learn."""
EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class Performance:
    """How often somebody said what counts, of a field in a week ("" for all weeks); `wrong` names documents."""

    who: str
    field: str
    week: str
    labels: int
    right: int
    share: Estimate
    wrong: tuple[str, ...]

    @property
    def is_gap(self) -> bool:
        """Return whether this is something to learn."""
        return self.labels >= GAP_LABELS and (self.share.value or 0.0) < GAP


def performance(
    labels: Iterable[Label], *, by: Callable[[Label], str] = lambda label: label.annotator, weeks: bool = False
) -> list[Performance]:
    """Return how each annotator (or whatever `by` says) met the truth: a gold task's, a ruling, what others agree on.

    What only they themselves have said is no measure of them.
    """
    given = list(labels)
    counts = truths(given)
    slices: dict[tuple[str, str, str], list[tuple[Label, bool]]] = defaultdict(list)
    for label in given:
        truth = counts.get((label.subject, label.field))
        right = _expected(label) or (truth.value if truth and truth.state in {"agreed", "ruled"} else "")
        if right and label.round < ARBITRATION and label.value != UNSURE:
            week = f"{label.at:%G-W%V}" if weeks else ""
            slices[by(label), label.field, week].append((label, label.value == right))
    return [_performance(key, met) for key, met in sorted(slices.items())]


def _expected(label: Label) -> str:
    """Return what a gold task knows of a field; of all risks at once, of the one that the label is about."""
    if not label.expected or label.expected == UNSURE:
        return ""
    if label.value in {"yes", "no"} and label.expected not in {"yes", "no"}:
        return "yes" if label.field in label.expected.split() else "no"
    return label.expected


def _performance(key: tuple[str, str, str], met: Sequence[tuple[Label, bool]]) -> Performance:
    who, field, week = key
    right = sum(good for _, good in met)
    wrong = tuple(label.subject for label, good in met if not good)[:EXAMPLES]
    return Performance(who, field, week, len(met), right, Stratum(inf, len(met), right).share, wrong)
