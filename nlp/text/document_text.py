"""The text of a document: what the model encodes, the detector counts, themes are named by and people replay."""

from __future__ import annotations

from collections.abc import Sequence

from groundswell.index.records import Mention
from groundswell.nlp.text.clean import clean, joined


def document_text(mention: Mention) -> str:
    """Return title and text as one, cleaned: the title only once where the text begins with it."""
    return document_texts([mention])[0]


def document_texts(mentions: Sequence[Mention]) -> list[str]:
    """Return the text of each document."""
    return clean([joined(mention.title, mention.text) for mention in mentions])
