"""How far people agree beyond chance: Cohen's kappa for two, Krippendorff's alpha for any number with gaps.

Cohen (1960), "A coefficient of agreement for nominal scales"; Krippendorff (2011), "Computing Krippendorff's
alpha-reliability". Packages differ on the ordinal alpha: this is Krippendorff's own, by the values' frequencies.

>>> units = [{"mei": "yes", "tan": "yes"}, {"mei": "no", "tan": "no"}, {"mei": "yes", "tan": "no"}]
>>> round(krippendorff_alpha(units), 3)
0.444
>>> round(cohen_kappa(units, "mei", "tan"), 3)
0.4
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from groundswell.index.records import Label
from groundswell.nlp.trust.truth import ARBITRATION, UNSURE

ORDERED: Mapping[str, tuple[str, ...]] = {"sentiment": ("negative", "neutral", "positive")}
"""Fields whose values have an order, from low to high."""
Unit = Mapping[str, str]
"""What each annotator says of one document."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far annotators agree on a field.

    Attributes:
        units: documents that at least two judged; `pairs` of judgements that can be compared.
        observed: share of pairs that are alike.
        alpha: Krippendorff's, nominal; nothing where all say the same, for then no disagreement was possible.
        ordinal: the same with distances between ordered values; nothing where the field has no order.
        kappa: mean of Cohen's over pairs of annotators, weighted by the documents that both judged.
    """

    field: str
    of: str
    units: int
    pairs: int
    observed: float | None
    alpha: float | None
    ordinal: float | None
    kappa: float | None


def agreement(labels: Iterable[Label], *, by: Callable[[Label], str] = lambda _: "all") -> list[Agreement]:
    """Return agreement for each field and slice; a ruling is no vote, "unsure" is none either.

    Args:
        labels: judgements (`groundswell.nlp.trust.truth.judgements`).
        by: the slice a label belongs to: a language, a team …; labels of one document in two slices do not meet.
    """
    units: dict[tuple[str, str], dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for label in labels:
        if label.round < ARBITRATION and label.value != UNSURE:
            units[label.field, by(label)][label.subject][label.annotator] = label.value
    return [_measured(field, part, list(found.values())) for (field, part), found in sorted(units.items())]


def by_annotator(labels: Iterable[Label]) -> list[Agreement]:
    """Return for each field and annotator how far they agree with everybody else who judged the same."""
    given = [label for label in labels if label.round < ARBITRATION and label.value != UNSURE]
    units: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for label in given:
        units[label.field][label.subject][label.annotator] = label.value
    return [
        _measured(field, who, [unit for unit in by_subject.values() if who in unit])
        for field, by_subject in sorted(units.items())
        for who in sorted({name for unit in by_subject.values() for name in unit})
    ]


def _measured(field: str, part: str, units: Sequence[Unit]) -> Agreement:
    shared = [unit for unit in units if len(unit) > 1]
    alike = [one == other for unit in shared for one, other in combinations(unit.values(), 2)]
    order = ORDERED.get(field)
    return Agreement(
        field=field,
        of=part,
        units=len(shared),
        pairs=len(alike),
        observed=sum(alike) / len(alike) if alike else None,
        alpha=krippendorff_alpha(shared),
        ordinal=krippendorff_alpha(shared, order=order) if order else None,
        kappa=_mean_kappa(shared),
    )


def krippendorff_alpha(units: Sequence[Unit], *, order: Sequence[str] = ()) -> float | None:
    """Return Krippendorff's alpha, nominal, or ordinal where the values' order is given; nothing if undefined."""
    weights: dict[tuple[str, str], float] = defaultdict(float)
    for unit in units:
        values = Counter(unit.values())
        for one, count in values.items():
            for other, more in values.items():
                weights[one, other] += count * (more - (one == other)) / max(1, values.total() - 1)
    totals: dict[str, float] = defaultdict(float)
    for (one, _), weight in weights.items():
        totals[one] += weight
    return _alpha(weights, totals, order)


def _alpha(weights: Mapping[tuple[str, str], float], totals: Mapping[str, float], order: Sequence[str]) -> float | None:
    distance = _ordinal(totals, order) if order else lambda one, other: float(one != other)
    n = sum(totals.values())
    observed = sum(weight * distance(one, other) for (one, other), weight in weights.items())
    expected = sum(totals[one] * totals[other] * distance(one, other) for one in totals for other in totals)
    return 1 - (n - 1) * observed / expected if expected else None


def _ordinal(totals: Mapping[str, float], order: Sequence[str]) -> Callable[[str, str], float]:
    """Return Krippendorff's ordinal distance: judgements between two values, half of their own left out, squared."""
    place = {value: n for n, value in enumerate(order)}

    def distance(one: str, other: str) -> float:
        low, high = sorted((place[one], place[other]))
        between = sum(totals.get(order[n], 0.0) for n in range(low, high + 1))
        return (between - (totals.get(order[low], 0.0) + totals.get(order[high], 0.0)) / 2) ** 2

    return distance


def cohen_kappa(units: Sequence[Unit], one: str, other: str) -> float | None:
    """Return Cohen's kappa of two annotators over what both judged; nothing where no disagreement was possible."""
    pairs = [(unit[one], unit[other]) for unit in units if one in unit and other in unit]
    if not pairs:
        return None
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    observed = sum(a == b for a, b in pairs) / len(pairs)
    chance = sum(first[value] * second[value] for value in first) / len(pairs) ** 2
    return (observed - chance) / (1 - chance) if chance < 1 else None


def _mean_kappa(units: Sequence[Unit]) -> float | None:
    people = sorted({who for unit in units for who in unit})
    found = [
        (kappa, sum(one in unit and other in unit for unit in units))
        for one, other in combinations(people, 2)
        if (kappa := cohen_kappa(units, one, other)) is not None
    ]
    return sum(kappa * count for kappa, count in found) / sum(count for _, count in found) if found else None
