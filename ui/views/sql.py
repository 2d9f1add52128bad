"""Ask in SQL: read-only, over everything there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from groundswell.index.audit import fingerprint
from groundswell.index.permitted import AccessError
from groundswell.index.records import SavedSearch
from groundswell.index.sql import Table, plain, told_apart
from groundswell.index.sql_parameters import LONGEST_VALUE, filled, parameters
from groundswell.index.store import StoreError
from groundswell.index.tables import columns_of, table_names
from groundswell.ui.board import queries
from groundswell.ui.board.elements import Html, esc, joined, link, panel, tag
from groundswell.ui.board.grid import grid, not_finite
from groundswell.ui.report import links, wording
from groundswell.ui.report.chart_of import Axes, axes_of, points
from groundswell.ui.report.sql_tables import answer
from groundswell.ui.report.tongue import tr

FIRST = "select market, count(*) as posts\nfrom documents\ngroup by 1 order by 2 desc"
SHOWN = {"table": "Table", "lines": "Lines", "bars": "Bars"}
PARAMETER = "p_"
"""What stands before a parameter's name in the address."""
LONGEST_ADDRESS, MOST_PARAMETERS = 4000, 12
"""Characters of a statement that an address may hold, and parameters that are asked for."""


def show() -> None:
    """Draw the page."""
    limits = tr("read-only; times are UTC")
    st.html(tag("div", [tag("h1", esc(tr("Ask in SQL"))), tag("span", esc(limits))], cls="top"))
    try:
        queries.person().need(queries.settings().access.sql, tr("Asking in SQL"))
    except AccessError as error:
        st.html(tag("p", esc(error), cls="said trouble", role="alert"))
        return
    _follow()
    left, right = st.columns([2.4, 1], gap="medium")
    with right:
        st.html(panel(tr("Tables"), tr("what there is to ask about"), _tables()))
    with left:
        _asking()


def _asking() -> None:
    """Draw the question, its parameters, and what it answers."""
    with st.container(key="panel-sql"):
        statement = st.text_area(tr("Statement"), key="sql", height=160, label_visibility="collapsed")
        given = _values(statement)
        with st.container(horizontal=True, key="act-sql", vertical_alignment="center"):
            asked = st.button(tr("Ask"), type="primary", key="ask-sql")
            with st.popover(tr("Saved")):
                _saved(statement)
    if asked:
        _ask(statement, given)
    if "answer" in st.session_state:
        _answer(st.session_state["answer"])


def _follow() -> None:
    """Let the question of an address that was followed stand in the field."""
    linked = st.query_params.get("sql", "")
    if linked and st.session_state.get("sql-linked") != linked:
        st.session_state["sql-linked"] = st.session_state["sql"] = linked
        st.session_state.pop("answer", None)
    st.session_state.setdefault("sql", FIRST)


def _values(statement: str) -> dict[str, str]:
    """Draw a field for each parameter of the statement; return what stands in them."""
    named = parameters(statement)
    if not named:
        return {}
    with st.container(horizontal=True, key="act-parameters", vertical_alignment="bottom"):
        return {
            name: st.text_input(
                f"${name}",
                value=st.query_params.get(PARAMETER + name, usual),
                key=f"parameter {name} {usual}",
                max_chars=LONGEST_VALUE,
                width=180,
            )
            for name, usual in list(named.items())[:MOST_PARAMETERS]
        }


def _ask(statement: str, given: Mapping[str, str]) -> None:
    """Keep the answer, so that it stays while the page is drawn again; the question stands in the address."""
    st.session_state.pop("answer", None)
    try:
        with st.spinner(tr("asking")):
            queries.took(queries.me(), "ask in SQL", "", {"statement": fingerprint(statement)})
            st.session_state["answer"] = answer(
                queries.settings(), filled(statement, given), now=queries.now(), person=queries.person()
            )
    except StoreError as error:
        st.html(tag("p", esc(error), cls="said trouble", role="alert"))
        return
    if len(statement) <= LONGEST_ADDRESS:
        st.session_state["sql-linked"] = st.query_params["sql"] = statement
        for name, value in given.items():
            st.query_params[PARAMETER + name] = value


def _answer(found: Table) -> None:
    more = "; there are more, say limit and offset" if found.cut else ""
    no_number = "; what is no finite number (NaN, infinite) is empty" if not_finite(found.rows) else ""
    st.html(tag("p", esc(wording.plural(len(found.rows), "row") + more + no_number), cls="note"))
    axes = axes_of(found)
    if axes is not None:
        names = {name: tr(label) for name, label in SHOWN.items()}
        chosen = queries.addressed_choice("chart", list(SHOWN), names["table"], names=names, width=140)
        if chosen in ("lines", "bars"):
            _chart(found, replace(axes, kind="lines" if chosen == "lines" else "bars"))
    st.dataframe(grid(found.columns, found.rows), hide_index=True, width="stretch")
    queries.download("answer", told_apart(found.columns), (tuple(map(plain, row)) for row in found.rows))


def _chart(found: Table, axes: Axes) -> None:
    """Draw an answer; its columns are called by their places, so that no name can mean anything to the drawing."""
    import pandas as pd

    rows, left = points(found, axes)
    names = told_apart(found.columns)
    frame = pd.DataFrame(rows)
    by = names[axes.by] if axes.by is not None else None
    counted = [names[i] for i in axes.counted]
    draw = st.line_chart if axes.kind == "lines" else st.bar_chart
    draw(frame, x=names[axes.along], y=counted if by is None else counted[0], color=by, height=320)
    if left:
        st.html(tag("p", esc(tr("Drawn: {what}.").format(what=left)), cls="note"))


# --- questions that are kept -----------------------------------------------------------------------------------------


def _saved(statement: str) -> None:
    saved = [one for one in queries.records(SavedSearch) if one.language == "sql"]
    for item in saved[:30]:
        with st.container(horizontal=True, key=f"saved-{item.id}", vertical_alignment="center"):
            st.html(tag("p", [link(links.question(item.text), esc(item.name)), esc(f" · {item.owner}")]))
            st.button(tr("Forget"), key=f"forget-{item.id}", on_click=_forget, args=(item.id,))
    if not saved:
        st.html(tag("p", esc(tr("No question is saved yet.")), cls="empty"))
    hint = tr(
        "A word such as $market in the statement is asked for each time; -- $market = SG above it says what is usual."
    )
    st.html(tag("p", esc(hint), cls="note"))
    with st.form("save-sql", border=False, clear_on_submit=True):
        name = st.text_input(tr("Save this question as"), max_chars=100)
        if st.form_submit_button(tr("Save")) and name.strip():
            with queries.told(), queries.desk() as desk:
                desk.save_search(name, statement, by=queries.me(), now=datetime.now(UTC), language="sql")
                queries.say(f"Saved: {name}")
            st.rerun()


def _forget(id: str) -> None:
    with queries.told(), queries.desk() as desk:
        desk.forget_search(id, by=queries.me())
        queries.say("Forgotten.")


def _tables() -> Html:
    """Return every table with its columns, folded away until it is wanted."""
    return joined(
        tag("details", [tag("summary", tag("code", esc(name))), tag("p", esc(", ".join(columns_of(name))), cls="note")])
        for name in table_names()
    )
