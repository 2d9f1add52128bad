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


def disturbing_risks(settings: Settings) -> tuple[str, ...]:
    """Return the ids of the risks whose texts may disturb, as the taxonomy has them.

    Raises:
        ConfigError: the taxonomy cannot be read.
    """
    from groundswell.configs.taxonomy import load_taxonomy

    return tuple(risk.id for risk in load_taxonomy(settings.taxonomy).risks if risk.disturbing)


def disturbing(settings: Settings, risks: Iterable[str]) -> str:
    """Return the name of the first of these risks whose texts may disturb, or nothing.

    Raises:
        ConfigError: the taxonomy cannot be read.
    """
    wanted = set(risks)
    return first_of(disturbing_risks(settings), wanted) if wanted else ""


def first_of(known: Iterable[str], risks: Iterable[str]) -> str:
    """Return the name of the first risk that is among others, or nothing."""
    wanted = set(risks)
    return next((wording.risk(risk) for risk in known if risk in wanted), "")
