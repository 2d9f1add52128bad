"""Ask in SQL: read-only, over the tables that each run exports."""

from __future__ import annotations

import streamlit as st

from groundswell.index.sql import Table, run_sql
from groundswell.index.store import StoreError
from groundswell.index.tables import DOCUMENT, TABLES, harmless
from groundswell.ui.board import queries
from groundswell.ui.board.elements import Html, esc, panel, table, tag
from groundswell.ui.report import wording

FIRST = "select market, count(*) as posts\nfrom documents\ngroup by 1 order by 2 desc"


def show() -> None:
    """Draw the page."""
    said = "read-only; times are UTC"
    st.html(tag("div", [tag("h1", esc("Ask in SQL")), tag("span", esc(said))], cls="top"))
    st.session_state.setdefault("sql", st.query_params.get("sql", FIRST))
    with st.container(key="panel-sql"), st.form("ask-sql", border=False):
        statement = st.text_area("Statement", key="sql", height=160, label_visibility="collapsed")
        asked = st.form_submit_button("Ask", type="primary")
    if asked:
        _ask(statement)
    if "answer" in st.session_state:
        _answer(st.session_state["answer"])
    st.html(panel("Tables", "what there is to ask about", _tables()))


def _ask(statement: str) -> None:
    """Keep the answer, so that it stays while the page is drawn again."""
    st.session_state.pop("answer", None)
    try:
        with st.spinner("asking"):
            st.session_state["answer"] = run_sql(queries.settings(), statement)
    except StoreError as error:
        st.html(tag("p", esc(error), cls="said trouble", role="alert"))


def _answer(answer: Table) -> None:
    import pandas as pd

    frame = pd.DataFrame([list(row) for row in answer.rows], columns=list(answer.columns))
    more = "; there are more, say limit and offset" if answer.cut else ""
    st.html(tag("p", esc(wording.plural(len(frame), "row") + more), cls="note"))
    st.dataframe(frame, hide_index=True, width="stretch")
    st.download_button("CSV", lambda: _csv(frame), "groundswell.csv", "text/csv", on_click="ignore", key="sql-csv")


def _csv(frame: object) -> bytes:
    import pandas as pd

    assert isinstance(frame, pd.DataFrame)  # noqa: S101  for the type checker: pandas is imported late
    return frame.map(harmless).to_csv(index=False).encode("utf-8-sig", "replace")


def _tables() -> Html:
    columns = {"documents": DOCUMENT} | {name: fields for name, (_, fields) in TABLES.items()}
    rows = ([tag("code", esc(name)), esc(", ".join(fields))] for name, fields in columns.items())
    return table(("table", "columns"), rows, cls="stack")
