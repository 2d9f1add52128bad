"""What the store holds of people's labels: everything about documents, and what counts of it."""

from __future__ import annotations

from groundswell.configs.schema import Settings
from groundswell.configs.taxonomy import load_taxonomy
from groundswell.index.records import Label
from groundswell.index.store import Reader
from groundswell.nlp.trust.truth import by_document, judgements, truths

MOST = 1_000_000
"""Labels read at most."""


def all_judgements(reader: Reader, settings: Settings) -> list[Label]:
    """Return every judgement of a document, machines' among them."""
    return list(judgements(reader.recent(Label, limit=MOST), load_taxonomy(settings.taxonomy).risk_ids))


def known_documents(reader: Reader, settings: Settings) -> dict[str, dict[str, str]]:
    """Return document → field → what people say it is; what they dispute is left out."""
    return by_document(truths(all_judgements(reader, settings)))
