"""The text of a document: what the model encodes, the detector counts, themes are named by and people replay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from groundswell.nlp.text.clean import clean, joined


class Titled(Protocol):
    """What has a title and a text: a mention, or a line to annotate."""

    @property
    def title(self) -> str:
        """Return the title, empty where there is none."""

    @property
    def text(self) -> str:
        """Return the text below it."""


def document_text(document: Titled) -> str:
    """Return title and text as one, cleaned: the title only once where the text begins with it."""
    return document_texts([document])[0]


def document_texts(documents: Sequence[Titled]) -> list[str]:
    """Return the text of each document."""
    return clean([joined(document.title, document.text) for document in documents])
