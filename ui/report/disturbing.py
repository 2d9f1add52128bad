"""Texts that may disturb (`disturbing` in the taxonomy): folded wherever people read, until they choose to see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from groundswell.configs.schema import Settings
from groundswell.index.fields import CLAIMED
from groundswell.index.records import Document
from groundswell.ui.report import wording


def claimed(document: Document) -> list[str]:
    """Return the risks that count for a document."""
    return counting(document.enriched.risks if document.enriched else {})


def counting(risks: Mapping[str, float]) -> list[str]:
    """Return those of a document's risks that count."""
    return [risk for risk, probability in risks.items() if probability >= CLAIMED]


def disturbing(settings: Settings, risks: Iterable[str]) -> str:
    """Return the name of the first of these risks whose texts may disturb, or nothing.

    Raises:
        ConfigError: the taxonomy cannot be read.
    """
    wanted = set(risks)
    if not wanted:
        return ""
    from groundswell.configs.taxonomy import load_taxonomy

    known = load_taxonomy(settings.taxonomy).risks
    found = next((risk for risk in known if risk.disturbing and risk.id in wanted), None)
    return wording.risk(found.id) if found else ""
