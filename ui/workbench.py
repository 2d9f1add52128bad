"""What the rules workbench and the policy desk work on, at the terminal and at the board."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from groundswell.configs.policies import Clause
    from groundswell.configs.schema import Settings
    from groundswell.index.store import Reader
    from groundswell.nlp.enrich.rules import Rules
    from groundswell.nlp.trust.policies import Gap
    from groundswell.nlp.trust.rules import Known, Measured, Text


def all_rules(settings: Settings) -> Rules:
    """Return every rule that the settings name, those that do not work among them."""
    from groundswell.nlp.enrich import stage

    return stage.all_rules(settings)


def rules_of_files(settings: Settings, files: Sequence[Path]) -> Rules:
    """Return the rules that these files hold, and no others.

    Raises:
        ConfigError: a file cannot be read as rules.
    """
    everything = all_rules(settings.model_copy(update={"rules": tuple(files)}))
    places = tuple(str(file) for file in files)
    return type(everything)([each for each in everything.compiled if each.where.startswith(places)])


def rules_of_text(settings: Settings, text: str) -> Rules:
    """Return the rules that somebody has written down, read as from a file.

    Raises:
        ConfigError: it cannot be read as rules.
    """
    with tempfile.TemporaryDirectory(prefix="groundswell-rules-") as folder:
        file = Path(folder) / "tried.yaml"
        file.write_text(text, "utf-8")
        return rules_of_files(settings, [file])


def texts_of(reader: Reader, settings: Settings, most: int) -> tuple[list[Text], Known]:
    """Return the labelled documents and the newest that a reader shows, and what people say of the labelled ones."""
    from groundswell.index.records import Document
    from groundswell.nlp.trust.labels import known_documents
    from groundswell.nlp.trust.rules import read

    labels = known_documents(reader, settings)
    return read([*reader.many(Document, sorted(labels)), *reader.recent(Document, limit=most)]), labels


def tried(standing: Rules, fresh: Rules, texts: Sequence[Text], labels: Known) -> list[Measured]:
    """Return what rules would find beside those that stand; one of the same id takes the other's place."""
    from groundswell.nlp.trust.rules import measure

    names = {each.rule.id for each in fresh.compiled}
    both = type(standing)([*(each for each in standing.compiled if each.rule.id not in names), *fresh.compiled])
    return [one for one in measure(both, texts, labels) if one.id in names]


def clauses_of(settings: Settings) -> tuple[Clause, ...]:
    """Return the clauses of the policies that the settings name.

    Raises:
        ConfigError: a file of them cannot be read.
    """
    from groundswell.configs.policies import load_policies
    from groundswell.configs.taxonomy import load_taxonomy

    taxonomy = load_taxonomy(settings.taxonomy)
    return load_policies(settings.policies, risks=[*taxonomy.risk_ids, *(tag.id for tag in taxonomy.tags)])


def gaps_of(settings: Settings, reader: Reader, *, now: datetime) -> list[Gap]:
    """Return what a policy owner should look at."""
    from groundswell.configs.taxonomy import load_taxonomy
    from groundswell.nlp.trust.policies import gaps

    risks = load_taxonomy(settings.taxonomy).risk_ids
    return gaps(reader, clauses_of(settings), risks=risks, markets=settings.signals.markets, now=now)
