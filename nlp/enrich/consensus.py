"""What several texts are about together, where each alone is too short for a model to be sure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from groundswell.index.records import Enriched

RULE_WEIGHT = 0.75
"""What a hit of an analyst's rule is worth as a probability: more than a claim at .5, less than a sure reading."""
CLAIMED = ("claims", "warns")
"""Stances by which what a rule hits counts: a text that denies a scam says "scam" all the same."""
CLAIM = 0.5
"""Weight from which a text carries a risk."""
LEAST_MEAN = 0.25
"""Mean weight from which a risk is said of the whole: every fourth text sure of it, or half of them half sure."""


def common_risk(read: Sequence[Enriched], risks: Collection[str] = ()) -> tuple[str, float]:
    """Return the risk that texts carry together and its mean weight, from 0 to 1; ("", 0.0) where none stands out.

    A text's weight for a risk is its calibrated probability, or `RULE_WEIGHT` where a rule about it hits
    (a rule's id begins with what it is about, a dot between). `known` are the risks that count; all by default.
    """
    weights: Counter[str] = Counter()
    for enriched in read:
        weights.update(weights_of(enriched, risks))
    risk, weight = max(weights.items(), key=lambda pair: (pair[1], pair[0]), default=("", 0.0))
    mean = weight / len(read) if read else 0.0
    return (risk, mean) if mean >= LEAST_MEAN else ("", 0.0)


def weights_of(enriched: Enriched, risks: Collection[str] = ()) -> dict[str, float]:
    """Return a text's weight for each risk: its probability, or `RULE_WEIGHT` where a rule about it hits."""
    own = {risk: float(probability) for risk, probability in enriched.risks.items()}
    for about in sorted({rule.partition(".")[0] for rule in enriched.rules}):
        if (about in own or about in risks) and enriched.stances.get(about, "claims") in CLAIMED:
            own[about] = max(own.get(about, 0.0), RULE_WEIGHT)
    return own


def share_with(read: Sequence[Enriched], risk: str) -> float:
    """Return the share of texts that carry a risk: its weight is at least that of a claim."""
    return sum(weights_of(each).get(risk, 0.0) >= CLAIM for each in read) / len(read) if read else 0.0
