"""Documents as files that other programs open: CSV that no spreadsheet can take for formulas, and JSON lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence

from groundswell.index.codec import to_json
from groundswell.index.records import Document

COLUMNS = (
    "id", "published_at", "date_confidence", "source", "kind", "market", "lang", "sentiment", "mood", "risks", "theme",
    "rating", "title", "text", "url",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def as_csv(documents: Iterable[Document]) -> bytes:
    """Return documents as CSV, with a byte order mark so that spreadsheets read it as UTF-8."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    writer.writerows([harmless(cell) for cell in _row(document)] for document in documents)
    return buffer.getvalue().encode("utf-8-sig", "replace")


def harmless(cell: object) -> str:
    """Return a cell that a spreadsheet shows and never computes (OWASP, CSV injection)."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(FORMULA) and not isinstance(cell, int | float) else text


def _row(document: Document) -> Sequence[object]:
    mention, enriched, membership = document.mention, document.enriched, document.membership
    risks = sorted(risk for risk, chance in (enriched.risks if enriched else {}).items() if chance >= 0.5)
    return (
        mention.id,
        mention.published_at.isoformat() if mention.published_at else "",
        mention.date_confidence,
        mention.source,
        mention.kind,
        mention.market,
        enriched.lang if enriched else mention.lang,
        enriched.sentiment.label if enriched else "",
        round(enriched.sentiment.mood, 3) if enriched else "",
        " ".join(risks),
        membership.theme if membership else "",
        mention.rating,
        mention.title,
        mention.text,
        mention.url,
    )


def as_jsonl(documents: Iterable[Document]) -> bytes:
    """Return documents one JSON object a line."""
    return "".join(json.dumps(to_json(document), ensure_ascii=False) + "\n" for document in documents).encode("utf-8", "replace")
