"""Questions in SQL over everything: the store's own tables, and those that are made when somebody names them."""

from __future__ import annotations

from datetime import UTC, datetime, time
from functools import partial
from typing import Any

from groundswell.configs.schema import Settings
from groundswell.configs.source import find_sources
from groundswell.index.open import open_reader
from groundswell.index.sql import Table, run_sql
from groundswell.index.sql_child import Rows
from groundswell.nlp.enrich.stage import all_rules
from groundswell.ui.report.inbox import Entry, find_inbox


def answer(settings: Settings, statement: str, *, now: datetime) -> Table:
    """Answer one statement that only reads, over what the store holds now.

    Raises:
        StoreError: there is no store, or the statement cannot be answered; the message says why.
        ConfigError: the statement asks for rules or sources, and they cannot be read.
    """
    return run_sql(settings, statement, derived=partial(_rows, settings, now))


def _rows(settings: Settings, now: datetime, name: str) -> Rows:
    """Return the rows of a derived table."""
    if name == "rules":
        return _rules(settings, now)
    return _sources(settings) if name == "sources" else _episodes(settings, now)


def _rules(settings: Settings, now: datetime) -> Rows:
    rules = all_rules(settings)
    working = {each.rule.id for each in rules.proven(now)[0].compiled}
    return [
        {
            "id": rule.id,
            "about": rule.about,
            "languages": list(rule.languages),
            "version": rule.version,
            "owner": rule.owner,
            "expires": datetime.combine(rule.expires, time(), UTC) if rule.expires else None,
            "shadow": rule.shadow,
            "works": rule.id in working,
            "place": each.where,
            "note": rule.note,
        }
        for each in rules.compiled
        for rule in [each.rule]
    ]


def _sources(settings: Settings) -> Rows:
    return [
        {
            "name": source.name,
            "title": source.title,
            "kind": source.kind,
            "format": source.format,
            "market": source.market,
            "lang": source.lang,
            "enabled": source.enabled,
            "licence": source.licence,
            "floor_per_run": source.floor.per_run,
            "floor_per_day": source.floor.per_day,
        }
        for source in find_sources(settings.crawl)[0]
    ]


def _episodes(settings: Settings, now: datetime) -> Rows:
    with open_reader(settings) as reader:
        return [_episode(entry) for entry in find_inbox(reader, now=now).entries]


def _episode(entry: Entry) -> dict[str, Any]:
    episode, standing = entry.episode, entry.standing
    return {
        "id": episode.id,
        "title": entry.title,
        "theme": episode.theme,
        "risk": episode.risk,
        "market": episode.alert.market,
        "severity": episode.severity,
        "began_at": episode.alert.at,
        "newest_at": episode.newest.at,
        "signals": [signal.id for signal in episode.signals],
        "documents": len(episode.evidence),
        "phase": entry.phase,
        "status": standing.status,
        "owner": standing.assignee,
    }
