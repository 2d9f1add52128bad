"""Documents and other records as flat rows, for spreadsheets and SQL."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from math import isfinite
from typing import Any

from groundswell.index.records import (
    Case,
    CrawlRun,
    Decision,
    Delivery,
    Document,
    Label,
    Lineage,
    Moderation,
    Revision,
    Signal,
    Task,
    Theme,
)

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
CLAIMED = 0.5
"""A risk counts from this probability on."""
DOCUMENT = {
    "id": "string", "source": "string", "kind": "string", "published_at": "time", "date_confidence": "string",
    "fetched_at": "time", "lang": "string", "market": "string", "title": "string", "text": "string", "url": "string",
    "author": "string", "thread": "string", "reach": "integer", "rating": "number", "sentiment": "string",
    "negative": "number", "neutral": "number", "positive": "number", "mood": "number", "risks": "strings",
    "targets": "strings", "rules": "strings", "duplicate": "string", "theme": "string", "theme_confidence": "number",
    "made_by": "string",
}  # fmt: skip
"""Columns of the table of documents, and what they hold. Times are UTC."""
THEME = {
    "id": "string", "label": "string", "first_seen": "time", "last_seen": "time", "keywords": "strings",
    "exemplars": "strings", "parents": "strings", "children": "strings", "state": "string", "size": "integer",
    "risk": "string", "feeling": "string",
}  # fmt: skip
LINEAGE = {
    "id": "string", "theme": "string", "what": "string", "at": "time", "others": "strings", "why": "string",
}  # fmt: skip
SIGNAL = {
    "id": "string", "theme": "string", "kind": "string", "at": "time", "start": "time", "end": "time",
    "observed": "number", "expected": "number", "strength": "number", "severity": "string", "evidence": "strings",
    "why": "string", "title": "string", "market": "string", "source_kind": "string", "risk": "string",
    "fired": "boolean", "held_by": "string", "follows": "string", "subject": "string", "standing": "boolean",
    "statistic": "number", "terms": "strings", "authors": "integer", "growth": "number", "explained": "string",
    "nearest_case": "string", "untaught": "number", "tell_at": "time", "alert_chance": "number",
}  # fmt: skip
CASE = {
    "id": "string", "title": "string", "opened_at": "time", "status": "string", "severity": "string",
    "signals": "strings", "owner": "string", "due": "time", "policy_area": "string", "cause": "string",
    "decision": "string", "version": "integer",
}  # fmt: skip
LABEL = {
    "id": "string", "subject": "string", "field": "string", "value": "string", "annotator": "string", "at": "time",
    "round": "integer", "team": "string", "queue": "string", "sample": "string", "stratum": "string",
    "predicted": "string", "made_by": "string", "expected": "string", "lang": "string", "market": "string",
    "seconds": "number", "note": "string",
}  # fmt: skip
MODERATION = {
    "id": "string", "item": "string", "decision": "string", "at": "time", "reviewer": "string", "seconds": "number",
    "appeal": "string", "market": "string",
}  # fmt: skip
DECISION = {
    "id": "string", "alert": "string", "what": "string", "by": "string", "at": "time", "reason": "string",
    "until": "time", "to": "string",
}  # fmt: skip
RUN = {
    "id": "string", "source": "string", "started_at": "time", "finished_at": "time", "found": "integer",
    "stored": "integer", "duplicate": "integer", "refused": "integer", "undated": "integer", "off_topic": "integer",
    "error": "string", "complaint": "string", "remark": "string", "left": "integer", "cut": "boolean",
    "deleted": "integer",
}  # fmt: skip
REVISION = {
    "id": "string", "mention": "string", "source": "string", "what": "string", "at": "time", "title": "string",
    "text": "string", "published_at": "time",
}  # fmt: skip
DELIVERY = {
    "id": "string", "receiver": "string", "about": "string", "state": "string", "at": "time", "status": "string",
    "severity": "string", "title": "string", "attempts": "integer", "sent_at": "time", "said": "string",
}  # fmt: skip
TASK = {
    "id": "string", "subject": "string", "queue": "string", "at": "time", "wanted": "integer", "given": "strings",
    "priority": "number", "sample": "string", "stratum": "string", "lang": "string", "market": "string",
    "why": "string",
}  # fmt: skip
"""Columns of what waits for labels; what the model says of it and what is known to be right are left out: blind."""
TABLES: dict[str, tuple[type[Any], dict[str, str]]] = {
    "themes": (Theme, THEME),
    "lineage": (Lineage, LINEAGE),
    "signals": (Signal, SIGNAL),
    "cases": (Case, CASE),
    "labels": (Label, LABEL),
    "moderation": (Moderation, MODERATION),
    "decisions": (Decision, DECISION),
    "runs": (CrawlRun, RUN),
    "revisions": (Revision, REVISION),
    "deliveries": (Delivery, DELIVERY),
    "tasks": (Task, TASK),
}
"""Tables beside the documents: their kind and columns."""
EPISODE = {
    "id": "string", "title": "string", "theme": "string", "risk": "string", "market": "string", "severity": "string",
    "began_at": "time", "newest_at": "time", "signals": "strings", "documents": "integer", "phase": "string",
    "status": "string", "owner": "string", "start": "time", "evidence": "strings", "usual_a_day": "number",
    "kind": "string",
}  # fmt: skip
RULE = {
    "id": "string", "about": "string", "languages": "strings", "version": "integer", "owner": "string",
    "expires": "time", "shadow": "boolean", "works": "boolean", "place": "string", "note": "string",
}  # fmt: skip
SOURCE = {
    "name": "string", "title": "string", "kind": "string", "format": "string", "market": "string", "lang": "string",
    "enabled": "boolean", "licence": "string", "floor_per_run": "integer", "floor_per_day": "integer",
}  # fmt: skip
AUDIT = {
    "n": "integer", "at": "time", "who": "string", "what": "string", "subject": "string", "before": "string",
    "after": "string", "outcome": "string",
}  # fmt: skip
"""Columns of the audit log; `before` and `after` are JSON, of closed values and fingerprints."""
COVERAGE = {
    "source": "string", "day": "date", "state": "string", "posts": "integer", "usual": "number", "why": "string",
}  # fmt: skip
SHARES = ("precision", "recall", "false_positives", "prevalence")
QUALITY = {
    "part": "string", "slice": "string", "class": "string", "labelled": "integer", "population": "number",
    "called": "number",
} | {f"{name}{end}": "number" for name in SHARES for end in ("", "_low", "_high")}  # fmt: skip
AGREEMENT = {
    "field": "string", "units": "integer", "pairs": "integer", "observed": "number", "kappa": "number",
    "alpha": "number", "ordinal": "number",
}  # fmt: skip
DRIFT = {"what": "string", "bits": "number", "most": "strings"}
ABNORMAL_DAY = {
    "day": "date", "documents": "integer", "usual": "number", "odd": "number", "negative": "number",
    "usual_negative": "number", "abnormal": "boolean",
}  # fmt: skip
PERFORMANCE = {
    "by": "string", "who": "string", "field": "string", "week": "string", "labels": "integer", "correct": "integer",
    "share": "number", "low": "number", "high": "number", "gap": "boolean", "wrong": "strings",
}  # fmt: skip
CLAUSE = {
    "id": "string", "title": "string", "text": "string", "covers": "strings", "markets": "strings", "effective": "date",
    "ends": "date", "holds": "boolean",
}  # fmt: skip
POLICY_GAP = {
    "kind": "string", "market": "string", "risk": "string", "clauses": "strings", "documents": "integer",
    "before": "integer", "chance": "number", "evidence": "strings",
}  # fmt: skip
RULE_MEASURE = {
    "rule": "string", "about": "string", "version": "integer", "shadow": "boolean", "hits": "integer",
    "alone": "integer", "judged": "integer", "correct": "integer", "precision": "number", "recall": "number",
}  # fmt: skip
SAMPLE = {
    "id": "string", "at": "time", "by": "string", "since": "time", "until": "time", "made_by": "string",
    "drawn": "integer", "documents": "integer", "unsure": "integer", "labelled": "integer",
}  # fmt: skip
CAUSE = {
    "depth": "integer", "month": "string", "cause": "string", "cases": "integer", "share": "number",
    "cumulative": "number",
}  # fmt: skip
MODERATION_MONTH = {
    "month": "string", "decisions": "integer", "rejected": "integer", "appealed": "integer", "overturned": "integer",
    "wrong": "number", "low": "number", "high": "number", "seconds": "number", "complaints": "integer",
}  # fmt: skip
REFUSAL = {
    "id": "string", "source": "string", "at": "time", "place": "string", "reason": "string", "sample": "string",
}  # fmt: skip
CASE_DOCUMENT = {"case": "string", "document": "string", "added_at": "time", "added_by": "string"}
DERIVED: dict[str, dict[str, str]] = {
    "episodes": EPISODE, "rules": RULE, "sources": SOURCE, "audit": AUDIT, "coverage": COVERAGE, "quality": QUALITY,
    "agreement": AGREEMENT, "drift": DRIFT, "abnormal_days": ABNORMAL_DAY, "performance": PERFORMANCE,
    "clauses": CLAUSE, "policy_gaps": POLICY_GAP, "rule_measures": RULE_MEASURE,
    "samples": SAMPLE, "causes": CAUSE, "case_documents": CASE_DOCUMENT, "refusals": REFUSAL,
    "moderation_months": MODERATION_MONTH,
}  # fmt: skip
"""Tables that are made from the records or the configuration when somebody asks for them."""
FACT = {
    "day": "date", "market": "string", "risk": "string", "source": "string", "sentiment": "string",
    "documents": "integer", "mood": "number",
}  # fmt: skip
"""Columns of the facts: for each day and what else stands in a row, how many documents, and their mean mood."""
THEME_DAY = {
    "theme": "string", "day": "date", "market": "string", "documents": "integer", "stories": "integer",
    "negative": "integer", "neutral": "integer", "positive": "integer", "unsure": "integer", "mood": "number",
}  # fmt: skip
ALERT_DOCUMENT = {"alert": "string", "document": "string"}
NEEDS: dict[str, tuple[str, ...]] = {
    "theme_days": ("documents",), "facts": ("documents",), "alert_documents": ("documents", "episodes"),
}  # fmt: skip
"""What each of the views is made of."""
VIEWS: dict[str, tuple[str, dict[str, str]]] = {
    "alert_documents": (
        "SELECT e.id AS alert, d.id AS document FROM episodes e JOIN documents d ON d.theme = e.theme"
        " WHERE e.theme <> '' AND d.date_confidence <> 'none' AND d.published_at >= e.start"
        " UNION ALL SELECT e.alert, d.id AS document FROM (SELECT id AS alert, unnest(evidence) AS document"
        " FROM episodes WHERE theme = '') e JOIN documents d ON d.id = e.document WHERE d.date_confidence <> 'none'",
        ALERT_DOCUMENT,
    ),
    "theme_days": (
        "SELECT theme, published_at::DATE AS day, market, count(*) AS documents, count(DISTINCT duplicate) AS stories,"
        " count(*) FILTER (sentiment = 'negative') AS negative, count(*) FILTER (sentiment = 'neutral') AS neutral,"
        " count(*) FILTER (sentiment = 'positive') AS positive, count(*) FILTER (sentiment = 'unsure') AS unsure,"
        " avg(mood) AS mood FROM documents"
        " WHERE theme <> '' AND published_at IS NOT NULL AND date_confidence <> 'none' GROUP BY ALL",
        THEME_DAY,
    ),
    "facts": (
        "SELECT day, market, risk, source, sentiment, count(*) AS documents, avg(mood) AS mood FROM (SELECT"
        " published_at::DATE AS day, market, unnest(if(len(risks) = 0, [''], risks)) AS risk, source,"
        " coalesce(sentiment, '') AS sentiment, mood FROM documents"
        " WHERE published_at IS NOT NULL AND date_confidence <> 'none') GROUP BY ALL",
        FACT,
    ),
}
"""Views over the documents: what they say, and their columns."""


def table_names() -> tuple[str, ...]:
    """Return the names of everything that can be asked in SQL."""
    return ("documents", *VIEWS, *TABLES, *DERIVED)


def columns_of(name: str) -> dict[str, str]:
    """Return the columns of a table or view, and what they hold."""
    if name in TABLES:
        return TABLES[name][1]
    return VIEWS[name][1] if name in VIEWS else {"documents": DOCUMENT, **DERIVED}[name]


def document_row(document: Document) -> dict[str, Any]:
    """Return a document as one row of `DOCUMENT`."""
    mention, enriched, membership = document.mention, document.enriched, document.membership
    row: dict[str, Any] = {name: getattr(mention, name) for name in DOCUMENT if name in type(mention).__slots__}
    row["author"] = mention.author_key
    row["duplicate"] = mention.id
    if membership is not None:
        row |= {"theme": membership.theme, "theme_confidence": membership.confidence}
    if enriched is not None:
        feeling = enriched.sentiment
        row |= {name: getattr(feeling, name) for name in ("negative", "neutral", "positive", "mood")}
        row |= {
            "lang": enriched.lang,
            "sentiment": feeling.label,
            "risks": sorted(risk for risk, probability in enriched.risks.items() if probability >= CLAIMED),
            "targets": sorted(f"{target.who}:{target.label}" for target in enriched.targets),
            "rules": sorted(enriched.rules),
            "duplicate": enriched.duplicate_of or mention.id,
            "made_by": enriched.made_by,
        }
    return {name: row.get(name, [] if holds == "strings" else None) for name, holds in DOCUMENT.items()}


def record_row(record: Any, columns: Iterable[str]) -> dict[str, Any]:
    """Return a record as one row of these columns."""
    values = {name: getattr(record, name) for name in columns}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def parquet_table(rows: Sequence[dict[str, Any]], columns: dict[str, str]) -> Any:
    """Return rows as an Arrow table with these columns, in this order."""
    import pyarrow as pa

    types: dict[str, Callable[[], Any]] = {
        "string": pa.string,
        "strings": lambda: pa.list_(pa.string()),
        "time": lambda: pa.timestamp("us", tz="UTC"),
        "number": pa.float64,
        "integer": pa.int64,
        "boolean": pa.bool_,
        "date": pa.date32,
    }
    schema = pa.schema([(name, types[holds]()) for name, holds in columns.items()])
    return pa.Table.from_pylist(list(rows), schema=schema)


def harmless(cell: object) -> str:
    """Return a cell that a spreadsheet shows and never computes (OWASP, CSV injection); what is no number is empty."""
    if cell is None or (isinstance(cell, float) and not isfinite(cell)):
        return ""
    if isinstance(cell, dict):
        cell = json.dumps(cell, ensure_ascii=False, default=str)
    text = " ".join(map(str, cell)) if isinstance(cell, list | tuple) else str(cell)
    begins = unicodedata.normalize("NFKC", text[:1])  # full-width ＝＋－＠ are signs to some spreadsheets, too
    return f"'{text}" if begins.startswith(FORMULA) and not isinstance(cell, int | float) else text
