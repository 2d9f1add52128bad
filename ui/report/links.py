"""Where each number leads: addresses inside the board, relative, so that they hold under any host and base path."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from groundswell.index.records import Signal
from groundswell.nlp.signals.alerts.episodes import Episode


def search(*, of: str = "", **terms: str) -> str:
    """Return the address of a search; `terms` are fields of the query language, empty ones are left out.

    `of` is an alert or a signal that the search stays within (see `groundswell.ui.report.asked`).
    """
    return search_text(query_text(**terms), of=of)


def search_text(text: str, *, of: str = "") -> str:
    """Return the address of a search for a text of the query language."""
    return f"search?q={quote(text)}" + (f"&{urlencode({'of': of})}" if of else "")


def unfolded(address: str) -> str:
    """Return a search's address so that copies are listed and counted each, as a number of documents counts them."""
    return f"{address}&copies=1"


def query_text(**terms: str) -> str:
    """Return a text of the query language: ``risk:gambling market:SG since:2026-11-20``."""
    return " ".join(f"{field}:{_quoted(value)}" for field, value in terms.items() if value)


def narrowed(text: str, *, of: str = "", **terms: str) -> str:
    """Return the address of a search narrowed further; what stands beside an OR is bracketed first."""
    more = query_text(**terms)
    if more in text.split():
        return search_text(text, of=of)
    whole = f"({text})" if " OR " in text else text
    return search_text(f"{whole} {more}".strip(), of=of)


def _quoted(value: str) -> str:
    plain = value.replace('"', "")
    return f'"{plain}"' if any(char.isspace() or char in "()" for char in plain) else plain


def day(at: datetime) -> str:
    """Return a UTC day as the query language writes it."""
    return f"{at.astimezone(UTC):%Y-%m-%d}"


def instant(at: datetime) -> str:
    """Return an instant as the query language writes it: UTC, exactly, so that the search finds what was counted."""
    moment = at.astimezone(UTC)
    text = f"{moment:%Y-%m-%dT%H:%M}"
    if moment.second or moment.microsecond:
        text = f"{moment:%Y-%m-%dT%H:%M:%S}" + (f".{moment.microsecond:06d}" if moment.microsecond else "")
    return f"{text}Z"


def search_day(at: datetime, **terms: str) -> str:
    """Return the address of a search over one UTC day."""
    return search(**terms, on=day(at))


def evidence(signal: Signal) -> str:
    """Return the address of the very documents that made a signal."""
    return evidence_of(signal.id)


def evidence_of(signal: str) -> str:
    """Return the address of the documents that made the signal of an id."""
    return unfolded(search(of=f"signal-{signal}"))


def about(episode: Episode, **terms: str) -> str:
    """Return the address of a search within what an alert is about: its theme, or its own documents."""
    if episode.theme:
        return unfolded(search(theme=episode.theme, **terms))
    return unfolded(search(of=f"alert-{episode.id}", **terms))


def grown(episode: Episode, now: datetime, **terms: str) -> str:
    """Return the address of all documents that an alert has had since it began."""
    return about(episode, **terms, **window(episode.alert.start if episode.theme else None, now))


def window(since: datetime | None, until: datetime) -> dict[str, str]:
    """Return a span of time as terms of a search."""
    return {"since": instant(since) if since else "", "until": instant(until)}


def inbox(**terms: str) -> str:
    """Return the address of the inbox, filtered."""
    given = urlencode({name: value for name, value in terms.items() if value})
    return f"inbox?{given}" if given else "inbox"


def alert(id: str) -> str:
    """Return the address of an alert in the inbox, opened."""
    return inbox(alert=id)


def explain(text: str, *, of: str = "") -> str:
    """Return the address of what made the documents of a search."""
    return search_text(text, of=of).replace("search?", "explain?", 1)


def compare(text: str, *, of: str = "", **given: str) -> str:
    """Return the address of two periods of a search side by side; `given` may write them (``later="…..…"``)."""
    more = urlencode({name: value for name, value in given.items() if value}, safe=":.")
    return search_text(text, of=of).replace("search?", "compare?", 1) + (f"&{more}" if more else "")


def document(id: str) -> str:
    """Return the address of a document's page."""
    return f"document?{urlencode({'id': id})}"


def question(statement: str) -> str:
    """Return the address of a question in SQL."""
    return f"sql?{urlencode({'sql': statement})}"


def theme(theme_id: str) -> str:
    """Return the address of a theme's page."""
    return f"theme?{urlencode({'theme': theme_id})}"


def case(case_id: str) -> str:
    """Return the address of a case's page."""
    return f"cases?{urlencode({'case': case_id})}"


def source(name: str) -> str:
    """Return the address of a source's part of the sources page."""
    return f"sources?{urlencode({'source': name})}"


def told(about: str) -> str:
    """Return the address of what a delivery is about: a source, a saved search, an edition, else an alert."""
    kind, _, own = about.partition(":")
    if kind == "source":
        return source(own) if own != "*" else "sources"
    if kind in {"search", "digest"}:
        return "search" if kind == "search" else "today"
    return alert(about)
