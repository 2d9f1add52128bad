"""Questions in SQL over everything: the store's own tables, and those that are made when somebody names them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time
from functools import partial
from typing import TYPE_CHECKING, Any

from groundswell.index.permitted import EVERYBODY, AccessError, Person, seen_by
from groundswell.index.sql import Table, run_sql
from groundswell.index.sql_parameters import searches
from groundswell.index.store import StoreError
from groundswell.index.tables import DERIVED

if TYPE_CHECKING:
    from groundswell.configs.schema import Settings
    from groundswell.index.sql_child import Rows
    from groundswell.ui.report.inbox import Entry


def answer(settings: Settings, statement: str, *, now: datetime, person: Person = EVERYBODY) -> Table:
    """Answer one statement that only reads, over what the store holds now, as far as a person sees it.

    Raises:
        AccessError: it asks for what is not theirs.
        StoreError: there is no store, or the statement cannot be answered; the message says why.
        ConfigError: the statement asks for rules or sources, and they cannot be read.
    """
    statement, asked = searches(statement)
    found = [found_by(settings, one, now=now, person=person) for one in asked]
    return run_sql(settings, statement, derived=partial(_rows, settings, now, person), person=person, found=found)


def found_by(settings: Settings, asked: tuple[str, str, str], *, now: datetime, person: Person) -> list[str]:
    """Return the ids of the documents that a search finds, copies among them; "-" stands for nothing.

    Args:
        settings: which store.
        asked: a text of the query language, what it stays within (`groundswell.ui.report.asked.Asked`), and a further
            condition.
        now: the present moment.
        person: who asks.

    Raises:
        StoreError: the search cannot be understood.
    """
    from groundswell.index.closed_fields import closed_values
    from groundswell.index.open import open_reader
    from groundswell.index.query import By
    from groundswell.index.query_language import QueryError
    from groundswell.ui.report.asked import Asked

    text, of, more = ("" if one == "-" else one for one in asked)
    text = f"({text}) {more}" if text and more else text or more
    with seen_by(person, open_reader(settings)) as reader:
        try:
            query = Asked(text, copies=True, of=of).query(reader, now=now, values=closed_values(settings))
        except QueryError as error:
            raise StoreError(f"found('{text}'): {error}") from None
        return [bucket.values[0] for bucket in reader.count(query, By(fields=("id",)))]


def _rows(settings: Settings, now: datetime, person: Person, name: str) -> Rows:
    """Return the rows of a derived table; what makes them is imported for those alone that are asked for."""
    return MADE[name](settings, now, person)


def _rules(settings: Settings, now: datetime, _person: Person) -> Rows:
    from groundswell.nlp.enrich.stage import all_rules

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


def _sources(settings: Settings, _now: datetime, person: Person) -> Rows:
    from groundswell.configs.source import find_sources

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
        if not person.markets or source.market in person.markets
    ]


def _audit(settings: Settings, _now: datetime, person: Person) -> Rows:
    """Return the audit log, which tells of everybody and all markets."""
    from groundswell.index.audit import Audit

    person.need("admin", "the audit log")
    if person.markets:
        raise AccessError(f"the audit log tells of all markets; {person.name} sees {', '.join(person.markets)}")
    return [
        {
            "n": row.n,
            "at": datetime.fromisoformat(row.at),
            "who": row.who,
            "what": row.what,
            "subject": row.subject,
            "before": json.dumps(row.before, ensure_ascii=False, sort_keys=True),
            "after": json.dumps(row.after, ensure_ascii=False, sort_keys=True),
            "outcome": row.outcome,
        }
        for row in Audit(settings.data_dir).rows()
    ]


def _episodes(settings: Settings, now: datetime, person: Person) -> Rows:
    from groundswell.index.open import open_reader
    from groundswell.ui.report.inbox import find_inbox

    with seen_by(person, open_reader(settings)) as reader:
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
        "start": episode.alert.start if episode.theme else None,
        "evidence": list(episode.evidence),
        "usual_a_day": entry.pace.usual,
        "kind": episode.gravest.kind,
    }


def _trust(settings: Settings, now: datetime, person: Person, *, name: str) -> Rows:
    """Return the rows of a table about labels, rules, policies or coverage."""
    from groundswell.index.open import open_reader
    from groundswell.ui.report.trust_tables import ROWS

    with seen_by(person, open_reader(settings)) as reader:
        return ROWS[name](reader, settings, now)


_OWN: Mapping[str, Callable[[Settings, datetime, Person], Rows]] = {
    "episodes": _episodes, "rules": _rules, "sources": _sources, "audit": _audit,
}  # fmt: skip
MADE = {name: _OWN.get(name) or partial(_trust, name=name) for name in DERIVED}
"""What makes each of `groundswell.index.tables.DERIVED`."""
