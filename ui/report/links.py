"""Where each number leads: addresses inside the board, relative, so that they hold under any host and base path."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from groundswell.index.query import Field
from groundswell.index.records import Signal

MOST_IDS = 80
"""So many ids still make an address that every browser takes."""


def search(**terms: str) -> str:
    """Return the address of a search; `terms` are fields of the query language, empty ones are left out."""
    return search_text(query_text(**terms))


def search_text(text: str) -> str:
    """Return the address of a search for a text of the query language."""
    return f"search?q={quote(text)}"


def query_text(**terms: str) -> str:
    """Return a text of the query language: ``risk:gambling market:SG since:2026-11-20``."""
    return " ".join(f"{field}:{_quoted(value)}" for field, value in terms.items() if value)


def narrowed(text: str, **terms: str) -> str:
    """Return the address of a search narrowed further; what stands beside an OR is bracketed first."""
    more = query_text(**terms)
    if more in text.split():
        return search_text(text)
    whole = f"({text})" if " OR " in text else text
    return search_text(f"{whole} {more}".strip())


def _quoted(value: str) -> str:
    plain = value.replace('"', "")
    return f'"{plain}"' if any(char.isspace() or char in "()" for char in plain) else plain


def day(at: datetime) -> str:
    """Return a UTC day as the query language writes it."""
    return f"{at.astimezone(UTC):%Y-%m-%d}"


def instant(at: datetime) -> str:
    """Return an instant as the query language writes it: UTC, to the minute."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def search_day(at: datetime, **terms: str) -> str:
    """Return the address of a search over one UTC day."""
    return search(**terms, on=day(at))


def evidence(signal: Signal) -> str:
    """Return the address of the very documents that made a signal; where they are too many, of theme and window.

    Without a theme, the newest of too many stand for all.
    """
    if signal.theme and not 0 < len(signal.evidence) <= MOST_IDS:
        return search(theme=signal.theme, since=instant(signal.start), until=instant(signal.end))
    return search(id=",".join(signal.evidence[-MOST_IDS:]))


def about(signal: Signal, **terms: str) -> str:
    """Return the address of a search within what a signal is about: its theme, or its own documents."""
    own = {str(name): ",".join(values) for name, values in within(signal).items()}
    return search(**own, **terms)


def grown(signal: Signal) -> str:
    """Return the address of all that a signal's theme has had since it began."""
    return about(signal, since=instant(signal.start))


def within(signal: Signal) -> Mapping[Field, tuple[str, ...]]:
    """Return what a signal is about, as the conditions of a query: its theme, or its own documents."""
    return {"theme": (signal.theme,)} if signal.theme else {"id": signal.evidence[-MOST_IDS:]}


def alert(signal: Signal) -> str:
    """Return the address of what an alert is about: its theme's page, or its documents where it has no theme."""
    return theme(signal.theme) if signal.theme else evidence(signal)


def theme(theme_id: str) -> str:
    """Return the address of a theme's page."""
    return f"theme?{urlencode({'theme': theme_id})}"


def case(case_id: str) -> str:
    """Return the address of a case's page."""
    return f"cases?{urlencode({'case': case_id})}"


def source(name: str) -> str:
    """Return the address of a source's part of the sources page."""
    return f"sources?{urlencode({'source': name})}"
