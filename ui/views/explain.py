"""Explain: what made a day or a rise. ``?q=`` is the search whose documents are explained, with its times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from groundswell.index.query_language import QueryError
from groundswell.ui.board import queries
from groundswell.ui.board.elements import NOTHING, Html, esc, joined, link, panel, table, tag
from groundswell.ui.report import links, wording
from groundswell.ui.report.asked import Asked, asked
from groundswell.ui.report.explain import COPIES, Explanation, Part
from groundswell.ui.report.tongue import tr
from groundswell.ui.views.documents import document_list

MOST = 14
NAMES = {"lang": "language", "target": "about whom"}
LEAST = 0.5
"""Parts that make less than half a document are listed together."""


def show() -> None:
    """Draw the page."""
    this = replace(asked(st.query_params.to_dict()), copies=True)
    crumb = tag("p", link(links.search_text(this.text, of=this.of), esc(tr("The search"))), cls="crumb")
    st.html(joined([crumb, tag("div", tag("h1", esc(tr("What made it"))), cls="top")]))
    try:
        found = queries.explanation(this)
    except QueryError as error:
        st.html(tag("p", esc(error), cls="said trouble", role="alert"))
        return
    if found is None:
        text = tr("A search of at most 14 days can be explained: add since: and until:, or on: a day.")
        st.html(tag("p", esc(text), cls="empty"))
        return
    st.html(joined([tag("p", _sentence(found, this), cls="lead"), _body(found, this)]))


def _sentence(found: Explanation, this: Asked) -> list[Html]:
    whole = link(_address(this), esc(wording.plural(found.observed, "document")))
    usual, more = f"{found.expected:,.1f}", f"{abs(found.excess):,.1f}"
    times = wording.plural(found.windows, "earlier window")
    beside = (
        tr(", where {usual} are usual (mean of {times} of the same length and hour): {number} more.")
        if found.excess >= 0
        else tr(", where {usual} are usual (mean of {times} of the same length and hour): {number} fewer.")
    )
    return [whole, esc(beside.format(usual=usual, times=times, number=more))]


def _address(this: Asked, **terms: str) -> str:
    return links.unfolded(
        links.narrowed(this.text, of=this.of, **terms) if terms else links.search_text(this.text, of=this.of)
    )


def _body(found: Explanation, this: Asked) -> Html:
    shown = [part for part in found.parts if abs(part.excess) >= LEAST][:MOST]
    rest = found.excess - sum(part.excess for part in shown)
    names = queries.theme_names(tuple(part.value for part in shown if part.field == "theme"))
    rows = [_row(part, _named(part, names), this) for part in shown]
    rows.append([esc(tr("everything else")), esc(""), _number(rest), NOTHING, NOTHING])
    note = tr("documents of the difference that each accounts for; they add up (Shapley values)")
    parts = panel(
        tr("Made by"),
        note,
        table((tr("what"), "", tr("more than usual"), tr("documents"), tr("usual")), rows, cls="right stack"),
    )
    risks = [_row(part, wording.risk(part.value), this) for part in found.risks[:8] if abs(part.excess) >= LEAST]
    beside = tag("p", esc(tr("No risk departs from its usual number.")), cls="empty")
    head = (tr("risk"), "", tr("more than usual"), tr("documents"), tr("usual"))
    risk = panel(
        tr("Risks"), tr("they overlap and do not add up"), table(head, risks, cls="right stack") if risks else beside
    )
    return joined([tag("div", [parts, risk], cls="row"), _documents(found)])


def _row(part: Part, name: str, this: Asked) -> list[Html]:
    kind = tr("texts that repeat others") if part.field == COPIES else tr(NAMES.get(part.field, part.field))
    count = esc(wording.number(part.observed))
    linked = count if part.field == COPIES else link(_address(this, **{part.field: part.value}), count, cls="num")
    return [esc(name), tag("span", esc(kind), cls="state"), _number(part.excess), linked, _usual(part.expected)]


def _named(part: Part, names: dict[str, str]) -> str:
    return tr("copies") if part.field == COPIES else names.get(part.value, part.value)


def _number(value: float) -> Html:
    return tag("span", esc(wording.signed(value, 1)), cls="num")


def _usual(value: float) -> Html:
    return tag("span", esc(wording.number(round(value, 1))), cls="num")


def _documents(found: Explanation) -> Html:
    if not found.documents:
        return NOTHING
    listed: Sequence[object] = found.documents
    title = wording.plural(len(listed), "document")
    return panel(title, tr("of what made most of it, copies folded"), document_list(found.documents, queries.zone()))
