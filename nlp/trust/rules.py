"""How good rules are, by what people said of the texts they hit; which overlap; which terms would find more."""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import inf

from groundswell.configs.rules import Rule
from groundswell.index.records import Document
from groundswell.nlp.enrich.rules import SHADOW, Rules
from groundswell.nlp.text.document_text import document_texts
from groundswell.nlp.text.keywords import terms
from groundswell.nlp.trust.estimate import Estimate, Stratum
from groundswell.nlp.trust.spellings import hidden

CLAIMED = 0.5
FEWEST_LABELS = 20
"""Labelled texts that carry the risk, below which the model's word has to do for the measuring of terms."""
FEWEST_FOUND = 2
"""Texts that a term must find in the half from which it is taken."""
SURE = 0.7
"""Share of them that must be right there."""
OVERLAPPING = 0.5
"""Jaccard similarity from which two rules are told as finding the same."""
Known = Mapping[str, Mapping[str, str]]
"""Document → field → what people say (`groundswell.nlp.trust.truth.by_document`)."""


@dataclass(frozen=True, slots=True)
class Text:
    """A document as rules read it."""

    id: str
    text: str
    lang: str
    risks: frozenset[str]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a rule does.

    Attributes:
        hits: texts that it hits; `alone` of them neither another rule of its risk nor the model finds.
        judged: hits that people judged; `right` of them are what the rule says.
        precision: the share of those.
        recall: of the judged texts that are what the rule is about, the share that it hits.
    """

    id: str
    about: str
    version: int
    shadow: bool
    hits: int
    alone: int
    judged: int
    right: int
    precision: Estimate
    recall: Estimate


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two rules that hit the same texts: `both` of them, and their Jaccard similarity."""

    one: str
    other: str
    both: int
    similarity: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A term that would find more.

    Attributes:
        term: as texts have it.
        meant: the word that it hides, or "".
        found: texts of the measuring half that are right, and that no rule of the risk hits yet.
        wrong: texts of that half that it would hit wrongly.
        everywhere: texts that hold it, judged or not.
        example: one of them.
    """

    term: str
    meant: str
    found: int
    wrong: int
    everywhere: int
    example: str


def read(documents: Iterable[Document]) -> list[Text]:
    """Return documents as rules read them, each once."""
    once = {document.id: document for document in documents}
    cleaned = document_texts([one.mention for one in once.values()])
    return [_text(document, text) for document, text in zip(once.values(), cleaned, strict=True)]


def _text(document: Document, text: str) -> Text:
    seen = document.enriched
    risks = frozenset(risk for risk, chance in seen.risks.items() if chance >= CLAIMED) if seen else frozenset[str]()
    return Text(document.id, text, seen.lang if seen else document.mention.lang, risks)


def hits_of(rules: Rules, texts: Sequence[Text]) -> list[frozenset[str]]:
    """Return the rules that each text meets, those in the shadow among them."""
    found = rules.hits([one.text for one in texts], [one.lang for one in texts])
    return [frozenset(hit.removeprefix(SHADOW) for hit in hits) for hits in found]


def measure(rules: Rules, texts: Sequence[Text], labels: Known) -> list[Measured]:
    """Return what each rule does to texts, by what people say of them."""
    hits = hits_of(rules, texts)
    about = {each.rule.id: each.rule.about for each in rules.compiled}
    rows: dict[str, list[int]] = defaultdict(list)
    for row, found in enumerate(hits):
        for rule in found:
            rows[rule].append(row)
    alone = {
        rule: sum(
            about[rule] not in texts[row].risks and not _finds(hits[row] - {rule}, about, about[rule]) for row in own
        )
        for rule, own in rows.items()
    }
    return [
        _measured(each.rule, [texts[row] for row in rows[each.rule.id]], alone.get(each.rule.id, 0), texts, labels)
        for each in rules.compiled
    ]


def _finds(rules: Iterable[str], about: Mapping[str, str], risk: str) -> bool:
    return any(about[rule] == risk for rule in rules)


def _measured(rule: Rule, hit: Sequence[Text], alone: int, texts: Sequence[Text], labels: Known) -> Measured:
    verdicts = [labels.get(one.id, {}).get(rule.about, "") for one in hit]
    right, judged = verdicts.count("yes"), sum(value in {"yes", "no"} for value in verdicts)
    positive = sum(labels.get(one.id, {}).get(rule.about) == "yes" for one in texts)
    return Measured(
        id=rule.id,
        about=rule.about,
        version=rule.version,
        shadow=rule.shadow,
        hits=len(hit),
        alone=alone,
        judged=judged,
        right=right,
        precision=Stratum(inf, judged, right).share,
        recall=Stratum(inf, positive, right).share,
    )


def overlaps(rules: Rules, texts: Sequence[Text]) -> list[Overlap]:
    """Return the pairs of rules that hit much the same, most alike first."""
    single: Counter[str] = Counter()
    both: Counter[tuple[str, str]] = Counter()
    for found in hits_of(rules, texts):
        single.update(found)
        both.update(combinations(sorted(found), 2))
    alike = [
        Overlap(one, other, count, count / (single[one] + single[other] - count))
        for (one, other), count in both.items()
    ]
    return sorted((pair for pair in alike if pair.similarity >= OVERLAPPING), key=lambda pair: -pair.similarity)


def truth_for(texts: Sequence[Text], marks: Known, risk: str) -> tuple[dict[str, bool], bool]:
    """Return which texts carry a risk, and whether people said so; with too few labels the model's word stands in."""
    people = {one.id: marks[one.id][risk] == "yes" for one in texts if marks.get(one.id, {}).get(risk) in {"yes", "no"}}
    if sum(people.values()) >= FEWEST_LABELS:
        return people, True
    return {one.id: risk in one.risks for one in texts} | people, False


def suggest(rules: Rules, texts: Sequence[Text], labels: Known, risk: str, *, most: int = 20) -> list[Suggestion]:
    """Return terms that no rule of a risk has and that would find more of it, with what they would gain.

    Terms are taken from one half of the judged texts and measured on the other, so that the gain is none of chance.
    """
    truth, _ = truth_for(texts, labels, risk)
    about = {each.rule.id for each in rules.compiled if each.rule.about == risk}
    missed = {one.id for one, hits in zip(texts, hits_of(rules, texts), strict=True) if not hits & about}
    holds: dict[str, set[str]] = defaultdict(set)
    for one in texts:
        for term in set(terms(one.text, one.lang)):
            holds[term].add(one.id)
    judged = {half: {one for one in truth if _half(one) == half} for half in (0, 1)}
    taken = [
        term
        for term, ids in holds.items()
        if len(new := {each for each in ids & judged[0] & missed if truth[each]}) >= FEWEST_FOUND
        and len(new) >= SURE * len({each for each in ids & judged[0] if each in missed or not truth[each]})
    ]
    by_id = {one.id: one.text for one in texts}
    measured = [_suggestion(term, holds[term], judged[1], missed, truth=truth, texts=by_id) for term in taken]
    useful = [one for one in measured if one.found > one.wrong]
    return sorted(useful, key=lambda one: (one.wrong - one.found, one.term))[:most]


def suggest_spellings(texts: Sequence[Text], labels: Known, risk: str, words: Sequence[str]) -> list[Suggestion]:
    """Return spellings by which texts hide words of a risk, commonest first."""
    truth, _ = truth_for(texts, labels, risk)
    holds: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in texts:
        for each in hidden(one.text, words):
            holds[each.raw, each.word].add(one.id)
    everybody, by_id = set(truth), {one.id: one.text for one in texts}
    found = [
        _suggestion(raw, ids, everybody, everybody, truth=truth, texts=by_id, meant=word)
        for (raw, word), ids in holds.items()
    ]
    return sorted(found, key=lambda one: (-one.everywhere, one.term))


def _suggestion(
    term: str,
    holding: set[str],
    judged: set[str],
    missed: set[str],
    *,
    truth: Mapping[str, bool],
    texts: Mapping[str, str],
    meant: str = "",
) -> Suggestion:
    measured = holding & judged
    found = sum(truth[each] and each in missed for each in measured)
    wrong = sum(not truth[each] for each in measured)
    return Suggestion(term, meant, found, wrong, len(holding), texts[min(holding)])


def _half(document: str) -> int:
    return zlib.crc32(document.encode()) % 2
