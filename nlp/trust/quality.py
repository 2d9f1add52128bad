"""How often the model is right, of all it read: figures from random audits, by class and by what one asks for.

Only labels of the queue ``audit`` are used: what was chosen because it is hard says nothing about the rest. Within a
stratum of a draw those that the model calls a class and those that it does not are two random samples of known sizes
(post-stratification; Cochran 1977, 5A.9). A slice (a language, a market) is estimated as a domain: its size within a
cell is the share of the cell's sample that belongs to it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from groundswell.index.records import SENTIMENTS, Label, Sample
from groundswell.nlp.trust.estimate import UNKNOWN, Estimate, Stratum, share_of, summed, total
from groundswell.nlp.trust.truth import ARBITRATION, RISKS, UNSURE, is_machine, judgements, truths

FEWEST = 3
"""Labels of a cell below which it is put together with others of its kind."""


@dataclass(frozen=True, slots=True)
class Audited:
    """A document of an audit with what counts of it: the classes that it has, and those that the model gave it."""

    sample: str
    stratum: str
    lang: str
    market: str
    made_by: str
    predicted: frozenset[str]
    true: frozenset[str]
    judged: frozenset[str]


@dataclass(frozen=True, slots=True)
class Figure:
    """How right the model is about a class in a slice.

    Attributes:
        name: a risk's id, or ``sentiment:negative`` …
        of: the slice.
        labelled: documents that were looked at.
        population: documents that the figures are about.
        called: of them those that the model calls so (estimated in a slice).
        precision: of what it calls so, the share that is.
        recall: of what is so, the share that it calls so; one minus it is the false-negative rate.
        false_positives: of what is not so, the share that it calls so.
        prevalence: the share that is so.
    """

    name: str
    of: str
    labelled: int
    population: float
    called: float
    precision: Estimate
    recall: Estimate
    false_positives: Estimate
    prevalence: Estimate


def audited(labels: Iterable[Label], risk_ids: Sequence[str]) -> list[Audited]:
    """Return the documents of random audits with what counts of them; what people dispute is not judged."""
    given: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        if (label.queue == "audit" and label.sample) or label.round >= ARBITRATION:
            given[label.subject].append(label)
    found = []
    for subject, own in sorted(given.items()):
        values = _values(subject, own, risk_ids)
        drawn: dict[str, dict[str, Label]] = defaultdict(dict)
        for label in own:
            if label.sample:
                drawn[label.sample][label.field] = label
        found += [_audited(sample, fields, values, risk_ids) for sample, fields in drawn.items()]
    return found


def _values(subject: str, labels: Sequence[Label], risk_ids: Sequence[str]) -> dict[str, str]:
    """Return field → what counts of a document; of what one person said alone no more need be asked."""
    if len({(label.annotator, label.round) for label in labels}) > 1 or is_machine(labels[0].annotator):
        counts = truths(judgements(labels, risk_ids))
        return {name: counts[subject, name].value for _, name in counts}
    newest = {label.field: label for label in sorted(labels, key=lambda label: label.at)}
    values = {name: label.value for name, label in newest.items() if name != RISKS}
    if RISKS in newest:
        named = set(newest[RISKS].value.split())
        rest = UNSURE if UNSURE in named else "no"
        values = {risk: "yes" if risk in named else rest for risk in risk_ids} | values
    return values


def _audited(
    sample: str, fields: Mapping[str, Label], values: Mapping[str, str], risk_ids: Sequence[str]
) -> Audited:  # fmt: skip
    one = next(iter(fields.values()))
    certain = {name: value for name, value in values.items() if value not in {"", UNSURE}}
    true = {name for name, value in certain.items() if value == "yes"}
    judged = certain.keys() & set(risk_ids)
    predicted = set(fields[RISKS].predicted.split()) if RISKS in fields else set()
    if "sentiment" in certain:
        true.add(f"sentiment:{certain['sentiment']}")
        judged = judged | {f"sentiment:{value}" for value in SENTIMENTS}
    if "sentiment" in fields:
        predicted.add(f"sentiment:{fields['sentiment'].predicted}")
    return Audited(
        sample, one.stratum, one.lang, one.market, one.made_by,
        frozenset(predicted), frozenset(true), frozenset(judged),
    )  # fmt: skip


def figures(
    found: Sequence[Audited], samples: Iterable[Sample], names: Sequence[str], *,
    by: Callable[[Audited], str] | None = None,
) -> list[Figure]:  # fmt: skip
    """Return the figures of each class, of everything or of each slice."""
    drawn = {sample.id: sample for sample in samples}
    sampled = [one for one in found if one.sample in drawn]
    slices = sorted({by(one) for one in sampled}) if by else [""]
    used = {one.sample for one in sampled}
    return [
        figure
        for name in names
        for part in slices
        if (figure := _figure(name, part, sampled, [drawn[one] for one in sorted(used)], by)).labelled
    ]


def _figure(
    name: str, part: str, found: Sequence[Audited], samples: Sequence[Sample], by: Callable[[Audited], str] | None
) -> Figure:
    judged = [one for one in found if name in one.judged]
    mine = {id(one) for one in judged if by is None or by(one) == part}
    called, rest = (_cells(name, judged, samples, mine, called=status) for status in (True, False))
    n_called, n_rest = (sum(cell.population for cell in cells) for cells in (called, rest))
    hits, missed = total(_pooled(called)), total(_pooled(rest))
    wrong, right = _rest(n_called, hits), _rest(n_rest, missed)
    everything = summed([hits, missed])  # what is called so and what is not are never pooled: they are drawn unlike
    whole = n_called + n_rest
    return Figure(
        name=name,
        of=part,
        labelled=sum(cell.sample for cell in (*called, *rest)),
        population=whole,
        called=n_called,
        precision=hits.times(1 / n_called) if n_called and hits.value is not None else UNKNOWN,
        recall=share_of(hits, missed),
        false_positives=share_of(wrong, right),
        prevalence=everything.times(1 / whole) if whole and everything.value is not None else UNKNOWN,
    )


def _rest(population: float, hits: Estimate) -> Estimate:
    """Return how many do not hit."""
    if hits.value is None:
        return hits
    return Estimate(
        max(0.0, population - hits.value), max(0.0, population - hits.high), max(0.0, population - hits.low)
    )


def _cells(
    name: str, judged: Sequence[Audited], samples: Sequence[Sample], mine: Collection[int], *, called: bool
) -> list[Stratum]:  # fmt: skip
    """Return the cells of a class, those that the model calls so or the others, as far as they belong to the slice."""
    looked: Counter[tuple[str, str]] = Counter()
    own: Counter[tuple[str, str]] = Counter()
    hits: Counter[tuple[str, str]] = Counter()
    for one in judged:
        if (name in one.predicted) == called:
            key = (one.sample, one.stratum)
            looked[key] += 1
            if id(one) in mine:
                own[key] += 1
                hits[key] += name in one.true
    cells = []
    whole = len(mine) == len(judged)
    for sample in samples:
        for stratum, counts in sample.population.items():
            size, key = counts.get(name, 0) if called else counts[""] - counts.get(name, 0), (sample.id, stratum)
            share = own[key] / looked[key] if looked[key] else float(whole)
            if size and (population := max(size * share, own[key])):
                cells.append(Stratum(population=population, sample=own[key], hits=hits[key]))
    return cells


def _pooled(cells: Sequence[Stratum]) -> list[Stratum]:
    """Return the cells, those with too few labels put together; where even these are none, with the largest other."""
    small = [cell for cell in cells if cell.sample < min(FEWEST, cell.population)]
    large = sorted((cell for cell in cells if cell not in small), key=lambda cell: cell.population)
    if not small:
        return large
    if sum(cell.sample for cell in small) < FEWEST and large:
        small.append(large.pop())
    return [*large, _together(small)]


def _together(cells: Sequence[Stratum]) -> Stratum:
    return Stratum(
        population=sum(cell.population for cell in cells),
        sample=sum(cell.sample for cell in cells),
        hits=sum(cell.hits for cell in cells),
    )


def unsure_share(samples: Iterable[Sample]) -> Estimate:
    """Return the share of documents whose feeling the model would not say: counted, not estimated."""
    unsure = everything = 0
    for sample in samples:
        unsure += sum(counts.get(f"sentiment:{UNSURE}", 0) for counts in sample.population.values())
        everything += sum(counts.get("", 0) for counts in sample.population.values())
    return Stratum(population=everything, sample=everything, hits=unsure).share
