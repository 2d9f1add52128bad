"""Ask in SQL: read-only, over the tables that each run exports."""

from __future__ import annotations

from contextlib import contextmanager
from collections.abc import Iterator

import streamlit as st

from groundswell.index.sql import run_sql
from groundswell.index.store import StoreError
from groundswell.ui import reading, wording
from groundswell.ui.export import harmless
from groundswell.ui.markup import esc, tag

FIRST = "select market, count(*) as posts\nfrom documents\ngroup by 1 order by 2 desc"


def show() -> None:
    """Draw the page."""
    said = "read-only; everything is kept in UTC"
    st.html(tag("div", [tag("h1", esc("Ask in SQL")), tag("span", esc(said))], cls="top"))
    st.session_state.setdefault("sql", st.query_params.get("sql", FIRST))
    with st.container(key="panel-sql"), st.form("ask-sql", border=False):
        statement = st.text_area("Statement", key="sql", height=160, label_visibility="collapsed")
        asked = st.form_submit_button("Ask", type="primary")
    if asked or "answer" in st.session_state:
        with _told():
            _answer(statement, fresh=asked)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        st.html(tag("p", esc(error), cls="said trouble", role="alert"))


def _answer(statement: str, *, fresh: bool) -> None:
    import pandas as pd

    if fresh:
        st.session_state.pop("answer", None)
        st.session_state["answer"] = run_sql(reading.settings(), statement)
    answer = st.session_state["answer"]
    frame = pd.DataFrame([list(row) for row in answer.rows], columns=list(answer.columns))
    st.html(tag("p", esc(wording.plural(len(frame), "row")), cls="note"))
    st.dataframe(frame, hide_index=True, width="stretch")
    st.download_button("CSV", lambda: frame.map(harmless).to_csv(index=False).encode("utf-8-sig"), "groundswell.csv", "text/csv", on_click="ignore")
