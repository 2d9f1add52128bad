"""How do you know? Beneath every page: each of its figures with the question in SQL that gives it again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import streamlit as st

from groundswell.index.permitted import AccessError
from groundswell.index.query_language import QueryError, timeless
from groundswell.index.store import StoreError
from groundswell.ui.board import queries
from groundswell.ui.board.elements import esc, joined, link, tag
from groundswell.ui.report.asked import asked
from groundswell.ui.report.compare import asked_periods
from groundswell.ui.report.figures import figures_of
from groundswell.ui.report.today import period_begin
from groundswell.ui.report.tongue import tr


def known(page: str) -> None:
    """Offer the questions behind a page's figures, folded away, to whoever may ask in SQL."""
    figures = figures_of(page)
    if not figures:
        return
    try:
        queries.person().need(queries.settings().access.sql, tr("Asking in SQL"))
        values = shown_values(page, st.query_params.to_dict())
    except (AccessError, StoreError):
        return
    rows = [tag("li", link(one.address(values), esc(tr(one.shows)))) for one in figures if one.can_be_asked(values)]
    if rows:
        note = tr("Each leads to the question in SQL that gives the same figures again.")
        body = [tag("summary", esc(tr("How do you know?"))), tag("p", esc(note), cls="note"), tag("ul", rows)]
        st.html(tag("details", joined(body), cls="known"))


def shown_values(page: str, address: Mapping[str, str]) -> dict[str, str]:
    """Return what the questions' parameters stand for on a page as it is shown."""
    now, settings = queries.now(), queries.settings()
    begun = period_begin(now, settings.board.timezone, settings.digest.hour)
    values = {"now": _instant(now), "since": _instant(begun), "theme": address.get("theme", "")}
    if page in {"search", "explain", "compare"}:
        this = asked(address)
        values |= {"search": this.text, "words": timeless(this.text), "of": this.of}
        try:
            values |= _times(page, address)
        except QueryError:
            return {}
    return values


def _times(page: str, address: Mapping[str, str]) -> dict[str, str]:
    """Return the times of a search that is explained, or of the two periods that are compared."""
    query = queries.asked(asked(address))
    if page == "explain":
        given = {"since": query.since, "until": query.until}
        return {name: _instant(at) if at else "" for name, at in given.items()}
    if page == "compare":
        earlier, later = asked_periods(query, address, now=queries.now())
        return {
            f"{name}_{end}": _instant(at)
            for name, period in (("earlier", earlier), ("later", later))
            for end, at in (("since", period.since), ("until", period.until))
        }
    return {}


def _instant(at: datetime) -> str:
    return at.isoformat()
