"""Which documents people should look at: a random audit that measures, and the queues that teach the most.

An audit is a stratified random draw: every risk that the model claims is a stratum (a document with several stands in
the rarest), the rest another. Half of the draw goes to the rest, where what was missed must be looked for, half to the
risks in equal parts. The order is that of a hash of id and draw, so a draw can be repeated exactly.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import log2

from groundswell.index.ids import stable_id
from groundswell.index.records import Document, Queue, Sample, Task
from groundswell.nlp.enrich.rules import SHADOW
from groundswell.nlp.trust.truth import NONE, RISKS

CLAIMED = 0.5
FEWEST = 5
"""Documents that each stratum gives at least, where it has so many."""


@dataclass(frozen=True, slots=True)
class Member:
    """A document of a population, by what the model says of it."""

    id: str
    lang: str
    market: str
    sentiment: str
    risks: tuple[str, ...]
    made_by: str


def draw_audit(
    members: Sequence[Member], *, size: int, second: float, since: datetime, until: datetime, by: str, now: datetime
) -> tuple[Sample, list[Task]]:
    """Return a random draw and its tasks.

    Args:
        members: the whole population, copies counted once.
        size: how many documents.
        second: share of them that a second person labels without a sight of the first.
        since: from when on the population was published, for the record.
        until: before when.
        by: who draws.
        now: the present moment.
    """
    sample_id = stable_id("sample", by, since.isoformat(), until.isoformat(), now.isoformat())
    strata: dict[str, list[Member]] = defaultdict(list)
    rarity = Counter(risk for member in members for risk in member.risks)
    for member in sorted(members, key=lambda one: _chance(sample_id, one.id)):
        strata[min(member.risks, key=lambda risk: (rarity[risk], risk), default=NONE)].append(member)
    sizes = _allotted({name: len(inside) for name, inside in strata.items()}, size)
    drawn = [(name, member) for name, count in sorted(sizes.items()) for member in strata[name][:count]]
    sample = Sample(
        id=sample_id,
        at=now,
        by=by,
        since=since,
        until=until,
        made_by=Counter(member.made_by for member in members).most_common(1)[0][0] if members else "",
        drawn=sizes,
        population={name: _counted(inside) for name, inside in strata.items()},
    )
    twice = round(second * len(drawn))
    order = sorted(drawn, key=lambda each: _chance(sample_id + "second", each[1].id))
    seconds = {member.id for _, member in order[:twice]}
    return sample, [_audited(sample, name, member, 1 + (member.id in seconds), now) for name, member in drawn]


def _chance(*parts: str) -> bytes:
    return hashlib.sha256("\x1f".join(parts).encode()).digest()


def _allotted(sizes: Mapping[str, int], size: int) -> dict[str, int]:
    """Return how many of each stratum: half of all from what claims no risk, the rest equally; what is over goes on."""
    wanted = dict.fromkeys(sizes, 0)
    risks = sorted((name for name in sizes if name != NONE), key=lambda name: (sizes[name], name))
    left = size - min(sizes.get(NONE, 0), size // 2 if risks else size)
    for place, name in enumerate(risks):
        fair = max(FEWEST, left // (len(risks) - place))
        wanted[name] = min(sizes[name], fair)
        left = max(0, left - wanted[name])
    if NONE in sizes:
        wanted[NONE] = min(sizes[NONE], max(FEWEST, size - sum(wanted.values())))
    return wanted


def _counted(members: Iterable[Member]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for member in members:
        counts.update(("", f"sentiment:{member.sentiment}", *member.risks))
    return dict(counts)


def _audited(sample: Sample, stratum: str, member: Member, wanted: int, now: datetime) -> Task:
    return Task(
        id=stable_id("task", sample.id, member.id),
        subject=member.id,
        queue="audit",
        at=now,
        wanted=wanted,
        priority=int.from_bytes(_chance(sample.id, member.id)[:4]) / 2**32,
        sample=sample.id,
        stratum=stratum,
        predicted={"sentiment": member.sentiment, RISKS: " ".join(sorted(member.risks)) or NONE},
        made_by=member.made_by,
        lang=member.lang,
        market=member.market,
        why=f"drawn at random ({stratum})",
    )


def draw_uncertain(documents: Sequence[Document], *, size: int, now: datetime) -> list[Task]:
    """Return tasks for the texts of which the model is least sure: a feeling, or a risk, that could be either."""
    return _first(documents, _doubt, "uncertain", size, now)


def _doubt(document: Document) -> tuple[float, str]:
    enriched = document.enriched
    if enriched is None:
        return 0.0, ""
    feeling = sorted((enriched.sentiment.negative, enriched.sentiment.neutral, enriched.sentiment.positive))
    risk, chance = min(enriched.risks.items(), key=lambda each: abs(each[1] - CLAIMED), default=("", 0.0))
    of_feeling, of_risk = 1 - (feeling[2] - feeling[1]), 1 - 2 * abs(chance - CLAIMED)
    return max((of_feeling, "its feeling could be either"), (of_risk, f"{risk} could be or not"))


def draw_disagreement(
    documents: Sequence[Document], labels: Mapping[str, Mapping[str, str]], about: Mapping[str, str], *, size: int,
    now: datetime,
) -> list[Task]:  # fmt: skip
    """Return tasks for texts of which model, rules and labels (people's and machines') say different things.

    Args:
        documents: where they are looked for.
        labels: document → field → what somebody said of it.
        about: rule → the risk that it claims.
        size: how many.
        now: the present moment.
    """

    def differ(document: Document) -> tuple[float, str]:
        enriched = document.enriched
        if enriched is None:
            return 0.0, ""
        claimed = {risk for risk, chance in enriched.risks.items() if chance >= CLAIMED}
        ruled = {about[rule] for each in enriched.rules if (rule := each.removeprefix(SHADOW)) in about}
        people = labels.get(document.id, {})
        wrong = [f for f, v in people.items() if v in {"yes", "no"} and (v == "yes") != (f in claimed)]
        wrong += ["sentiment"] if people.get("sentiment", enriched.sentiment.label) != enriched.sentiment.label else []
        missed = sorted(ruled - claimed)
        reasons = [f"labelled otherwise: {name}" for name in wrong] + [f"a rule says {risk}" for risk in missed]
        return len(wrong) + 0.5 * len(missed), "; ".join(reasons)

    return _first(documents, differ, "disagreement", size, now)


def draw_drift(documents: Sequence[Document], *, since: datetime, size: int, now: datetime) -> list[Task]:
    """Return tasks for new texts of the sources whose risks and feelings differ most from what they were before.

    The measure is the Jensen-Shannon divergence, in bits, of what the model says since a moment and before it.
    """
    before: dict[str, Counter[str]] = defaultdict(Counter)
    after: dict[str, Counter[str]] = defaultdict(Counter)
    for document in documents:
        if document.enriched is not None:
            new = (document.mention.published_at or document.mention.fetched_at) >= since
            (after if new else before)[document.mention.source].update(_said(document))
    moved = {source: divergence(before[source], after[source]) for source in after if before[source].total() >= FEWEST}
    recent = [one for one in documents if (one.mention.published_at or one.mention.fetched_at) >= since]
    return _first(
        recent,
        lambda one: (moved.get(one.mention.source, 0.0), f"{one.mention.source} speaks otherwise than before"),
        "drift",
        size,
        now,
    )


def _said(document: Document) -> list[str]:
    enriched = document.enriched
    assert enriched is not None  # noqa: S101  asked before
    return [enriched.sentiment.label, *(risk for risk, chance in enriched.risks.items() if chance >= CLAIMED)]


def divergence(before: Mapping[str, int], after: Mapping[str, int]) -> float:
    """Return the Jensen-Shannon divergence of two counts, in bits: 0 alike, 1 nothing in common (Lin 1991).

    >>> divergence({"a": 1}, {"b": 3})
    1.0
    """
    one, other = sum(before.values()) or 1, sum(after.values()) or 1
    value = 0.0
    for name in {*before, *after}:
        p, q = before.get(name, 0) / one, after.get(name, 0) / other
        value += sum(share * log2(2 * share / (p + q)) / 2 for share in (p, q) if share)
    return value


def _first(
    documents: Iterable[Document],
    score: Callable[[Document], tuple[float, str]],
    queue: Queue,
    size: int,
    now: datetime,
) -> list[Task]:
    """Return tasks for the documents with the highest scores, copies once; what scores nothing is left out."""
    scored = [(*score(document), document) for document in documents if document.enriched is not None]
    scored.sort(key=lambda each: (-each[0], each[2].id))
    once: dict[str, tuple[float, str, Document]] = {}
    for points, why, document in scored:
        if points > 0 and document.enriched is not None:
            once.setdefault(document.enriched.duplicate_of or document.id, (points, why, document))
    return [
        task_of(document, queue, now=now, priority=points, why=why) for points, why, document in [*once.values()][:size]
    ]


def task_of(
    document: Document, queue: Queue, *, now: datetime, priority: float = 0.0, why: str = "", wanted: int = 1,
    expected: Mapping[str, str] | None = None,
) -> Task:  # fmt: skip
    """Return the task to label a document."""
    enriched, mention = document.enriched, document.mention
    risks = sorted(risk for risk, chance in enriched.risks.items() if chance >= CLAIMED) if enriched else []
    return Task(
        id=stable_id("task", queue, document.id),
        subject=document.id,
        queue=queue,
        at=now,
        wanted=wanted,
        priority=priority,
        predicted={"sentiment": enriched.sentiment.label, RISKS: " ".join(risks) or NONE} if enriched else {},
        expected=dict(expected or {}),
        made_by=enriched.made_by if enriched else "",
        lang=enriched.lang if enriched else mention.lang,
        market=mention.market,
        why=why,
    )
