"""Tables of SQL about coverage, quality, labels, rules and policies: made by what makes the pages, when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from groundswell.configs.schema import Settings
from groundswell.index.store import Reader
from groundswell.nlp.trust.estimate import Estimate

Row = dict[str, Any]
DAYS = 90
"""Audits of so many days count in the table `quality`, as on the page."""
MOST_CASES = 100_000
"""Cases, and items that were refused, read at most."""
NEWEST = 2000
"""Documents that rules are measured on beside the labelled ones."""


def _coverage(reader: Reader, _settings: Settings, now: datetime) -> list[Row]:
    from groundswell.ui.report.coverage import coverage
    from groundswell.ui.report.today import SHOWN_DAYS
    from groundswell.ui.report.trends import HISTORY_DAYS

    found = coverage(reader, now=now, days=SHOWN_DAYS + HISTORY_DAYS)
    return [
        {
            "source": row.source, "day": cell.day.date(), "state": cell.state, "posts": cell.posts,
            "usual": cell.usual, "why": cell.why,
        }
        for row in found.rows
        for cell in row.cells
    ]  # fmt: skip


def _quality(reader: Reader, settings: Settings, now: datetime) -> list[Row]:
    from groundswell.index.tables import SHARES
    from groundswell.ui.report.quality import look

    found = look(reader, settings, days=DAYS, now=now)
    return [
        {
            "part": part, "slice": one.of, "class": one.name, "labelled": one.labelled, "population": one.population,
            "called": one.called,
        }
        | {key: value for name in SHARES for key, value in _estimate(name, getattr(one, name))}
        for part, figures in found.figures.items()
        for one in figures
    ]  # fmt: skip


def _estimate(name: str, one: Estimate) -> Iterator[tuple[str, float | None]]:
    known = one.value is not None
    yield name, one.value
    yield f"{name}_low", one.low if known else None
    yield f"{name}_high", one.high if known else None


def _agreement(reader: Reader, settings: Settings, now: datetime) -> list[Row]:
    from groundswell.index.tables import AGREEMENT
    from groundswell.ui.report.quality import look

    return [_row(one, AGREEMENT) for one in look(reader, settings, days=DAYS, now=now).agreement]


def _row(one: object, names: Iterable[str]) -> Row:
    values = {name: getattr(one, name) for name in names}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _drift(reader: Reader, _settings: Settings, now: datetime) -> list[Row]:
    from groundswell.index.tables import DRIFT
    from groundswell.nlp.trust.drift import moves

    return [_row(one, DRIFT) for one in moves(reader, now=now)]


def _abnormal_days(reader: Reader, _settings: Settings, now: datetime) -> list[Row]:
    from groundswell.nlp.trust.drift import days

    names = ("day", "documents", "usual", "odd", "negative", "usual_negative")
    return [_row(one, names) | {"abnormal": one.is_abnormal} for one in days(reader, now=now)]


def _performance(reader: Reader, settings: Settings, _now: datetime) -> list[Row]:
    from groundswell.nlp.trust.labels import all_judgements
    from groundswell.nlp.trust.people import performance

    given = all_judgements(reader, settings)
    return [
        {
            "by": name, "who": one.who, "field": one.field, "week": one.week, "labels": one.labels,
            "correct": one.right, "share": one.share.value, "low": one.share.low, "high": one.share.high,
            "gap": one.is_gap, "wrong": list(one.wrong),
        }
        for name, by in (("annotator", lambda label: label.annotator), ("team", lambda label: label.team))
        for weeks in (False, True)
        for one in performance(given, by=by, weeks=weeks)
        if one.who
    ]  # fmt: skip


def _clauses(_reader: Reader, settings: Settings, now: datetime) -> list[Row]:
    from groundswell.index.tables import CLAUSE
    from groundswell.ui.workbench import clauses_of

    names = [name for name in CLAUSE if name != "holds"]
    return [_row(one, names) | {"holds": one.holds(now.date())} for one in clauses_of(settings)]


def _policy_gaps(reader: Reader, settings: Settings, now: datetime) -> list[Row]:
    from groundswell.ui.workbench import gaps_of

    names = ("kind", "market", "risk", "clauses", "before", "chance", "evidence")
    return [_row(one, names) | {"documents": one.now} for one in gaps_of(settings, reader, now=now)]


def _rule_measures(reader: Reader, settings: Settings, _now: datetime) -> list[Row]:
    from groundswell.nlp.trust.rules import measure
    from groundswell.ui.workbench import all_rules, texts_of

    names = ("about", "version", "shadow", "hits", "alone", "judged")
    return [
        _row(one, names)
        | {"rule": one.id, "correct": one.right, "precision": one.precision.value, "recall": one.recall.value}
        for one in measure(all_rules(settings), *texts_of(reader, settings, NEWEST))
    ]


def _samples(reader: Reader, settings: Settings, _now: datetime) -> list[Row]:
    from collections import Counter

    from groundswell.configs.taxonomy import load_taxonomy
    from groundswell.index.records import Label, Sample
    from groundswell.nlp.trust.labels import MOST
    from groundswell.nlp.trust.quality import audited

    found = audited(reader.recent(Label, limit=MOST), load_taxonomy(settings.taxonomy).risk_ids)
    labelled = Counter(one.sample for one in found)
    return [
        _row(one, ("id", "at", "by", "since", "until", "made_by"))
        | {
            "drawn": sum(one.drawn.values()),
            "documents": sum(counts.get("", 0) for counts in one.population.values()),
            "unsure": sum(counts.get("sentiment:unsure", 0) for counts in one.population.values()),
            "labelled": labelled[one.id],
        }
        for one in reader.recent(Sample, limit=MOST)
    ]


def _causes(reader: Reader, _settings: Settings, _now: datetime) -> list[Row]:
    from groundswell.index.records import Case
    from groundswell.nlp.trust.policies import DEEPEST, causes

    cases = reader.recent(Case, limit=MOST_CASES)
    names = ("month", "cause", "cases", "share", "cumulative")
    return [
        _row(one, names) | {"depth": depth} for depth in range(1, DEEPEST + 1) for one in causes(cases, depth=depth)
    ]


def _case_documents(reader: Reader, _settings: Settings, _now: datetime) -> list[Row]:
    from groundswell.index.records import Case

    return [
        {
            "case": case.id, "document": str(item.get("id", "")), "added_by": str(item.get("added_by", "")),
            "added_at": datetime.fromisoformat(str(item["added_at"])) if item.get("added_at") else case.opened_at,
        }
        for case in reader.recent(Case, limit=MOST_CASES)
        for item in case.evidence
    ]  # fmt: skip


def _refusals(reader: Reader, _settings: Settings, _now: datetime) -> list[Row]:
    from groundswell.index.records import Refusal

    found = reader.recent(Refusal, limit=MOST_CASES)
    return [_row(one, ("id", "source", "at", "reason", "sample")) | {"place": one.where} for one in found]


def _moderation_months(reader: Reader, _settings: Settings, _now: datetime) -> list[Row]:
    from groundswell.index.records import Moderation
    from groundswell.nlp.trust.labels import MOST
    from groundswell.nlp.trust.moderation import months

    names = ("month", "decisions", "rejected", "appealed", "overturned", "seconds", "complaints")
    return [
        _row(one, names) | dict(zip(("wrong", "low", "high"), (n for _, n in _estimate("", one.wrong)), strict=True))
        for one in months(reader, reader.recent(Moderation, limit=MOST))
    ]


ROWS: Mapping[str, Callable[[Reader, Settings, datetime], list[Row]]] = {
    "coverage": _coverage,
    "quality": _quality,
    "agreement": _agreement,
    "drift": _drift,
    "abnormal_days": _abnormal_days,
    "performance": _performance,
    "clauses": _clauses,
    "policy_gaps": _policy_gaps,
    "rule_measures": _rule_measures,
    "samples": _samples,
    "causes": _causes,
    "case_documents": _case_documents,
    "refusals": _refusals,
    "moderation_months": _moderation_months,
}
"""What makes each table."""
