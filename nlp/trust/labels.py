"""What the store holds of people's labels: everything about documents, and what counts of it."""

from __future__ import annotations

from datetime import datetime

from groundswell.configs.schema import Settings
from groundswell.configs.taxonomy import load_taxonomy
from groundswell.index.records import Label
from groundswell.index.sql import run_sql
from groundswell.index.store import Reader
from groundswell.nlp.trust.sampling import Member
from groundswell.nlp.trust.truth import by_document, judgements, truths

MOST = 1_000_000
"""Labels read at most."""
MOST_MEMBERS = 5_000_000
"""Documents that are drawn from at most."""


def all_judgements(reader: Reader, settings: Settings) -> list[Label]:
    """Return every judgement of a document, machines' among them."""
    return list(judgements(reader.recent(Label, limit=MOST), load_taxonomy(settings.taxonomy).risk_ids))


def known_documents(reader: Reader, settings: Settings, *, machines: bool = False) -> dict[str, dict[str, str]]:
    """Return document → field → what people (and with `machines` these, too) say it is; disputes are left out."""
    return by_document(truths(all_judgements(reader, settings), machines=machines))


def population(settings: Settings, *, since: datetime, until: datetime) -> list[Member]:
    """Return every document that the model has read and that was published in ``[since, until)``, copies once."""
    statement = f"""
        SELECT id, lang, market, sentiment, risks, made_by FROM documents
        WHERE sentiment IS NOT NULL AND duplicate = id AND date_confidence <> 'none'
          AND published_at >= '{since.isoformat()}' AND published_at < '{until.isoformat()}'
    """  # noqa: S608  times of our own
    found = run_sql(settings, statement, rows=MOST_MEMBERS)
    return [
        Member(document, lang, market, sentiment, tuple(risks), made_by)
        for document, lang, market, sentiment, risks, made_by in found.rows
    ]
