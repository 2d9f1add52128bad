"""Ask in SQL: read-only, over everything there is."""

from __future__ import annotations

import streamlit as st

from groundswell.index.audit import fingerprint
from groundswell.index.sql import Table, plain, told_apart
from groundswell.index.store import StoreError
from groundswell.index.tables import columns_of, table_names
from groundswell.ui.board import queries
from groundswell.ui.board.elements import Html, esc, panel, table, tag
from groundswell.ui.board.grid import grid, not_finite
from groundswell.ui.report import wording
from groundswell.ui.report.sql_tables import answer
from groundswell.ui.report.tongue import tr

FIRST = "select market, count(*) as posts\nfrom documents\ngroup by 1 order by 2 desc"


def show() -> None:
    """Draw the page."""
    limits = "read-only; times are UTC"
    st.html(tag("div", [tag("h1", esc(tr("Ask in SQL"))), tag("span", esc(limits))], cls="top"))
    st.session_state.setdefault("sql", st.query_params.get("sql", FIRST))
    with st.container(key="panel-sql"), st.form("ask-sql", border=False):
        statement = st.text_area(tr("Statement"), key="sql", height=160, label_visibility="collapsed")
        asked = st.form_submit_button(tr("Ask"), type="primary")
    if asked:
        _ask(statement)
    if "answer" in st.session_state:
        _answer(st.session_state["answer"])
    st.html(panel(tr("Tables"), tr("what there is to ask about"), _tables()))


def _ask(statement: str) -> None:
    """Keep the answer, so that it stays while the page is drawn again."""
    st.session_state.pop("answer", None)
    try:
        with st.spinner(tr("asking")):
            queries.took(queries.me(), "ask in SQL", "", {"statement": fingerprint(statement)})
            st.session_state["answer"] = answer(queries.settings(), statement, now=queries.now())
    except StoreError as error:
        st.html(tag("p", esc(error), cls="said trouble", role="alert"))


def _answer(found: Table) -> None:
    more = "; there are more, say limit and offset" if found.cut else ""
    no_number = "; what is no finite number (NaN, infinite) is empty" if not_finite(found.rows) else ""
    st.html(tag("p", esc(wording.plural(len(found.rows), "row") + more + no_number), cls="note"))
    st.dataframe(grid(found.columns, found.rows), hide_index=True, width="stretch")
    queries.download("answer", told_apart(found.columns), (tuple(map(plain, row)) for row in found.rows))


def _tables() -> Html:
    rows = ([tag("code", esc(name)), esc(", ".join(columns_of(name)))] for name in table_names())
    return table((tr("table"), tr("columns")), rows, cls="stack")
