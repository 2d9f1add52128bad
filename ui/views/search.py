"""Search: the query language, what it finds, counted and listed, and taken away as a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from groundswell.index.closed_fields import closed_values
from groundswell.index.export import export_search
from groundswell.index.query import By, Field, Page, Query, Sort
from groundswell.index.query_language import HELP, QueryError, parse
from groundswell.index.records import SavedSearch
from groundswell.ui.board import charts, queries, timeline
from groundswell.ui.board.elements import NOTHING, Html, bold, esc, joined, link, tag
from groundswell.ui.report import links, wording
from groundswell.ui.report.series import DAY, day_axis, volume_series
from groundswell.ui.views.documents import document_list

FACETS: tuple[Field, ...] = ("risk", "sentiment", "market", "lang", "source", "kind", "target", "theme")
PAGE = 20
SORTS: Mapping[str, Sort] = {"Newest": "newest", "Best match": "relevance", "Oldest": "oldest"}
EXAMPLES = (
    ('"guaranteed returns" OR 杀猪盘', "either, the first as a phrase"),
    ("deepfake market:SG since:7d", "a word, in one market, in the last week"),
    ("risk:gambling -lang:id", "a risk, not in Indonesian"),
    ("sentiment:negative kind:review", "what reviews complain about"),
)


def show() -> None:
    """Draw the page."""
    st.html(tag("div", tag("h1", esc("Search")), cls="top"))
    text, sort, fold = _ask()
    try:
        query = replace(parse(text, now=queries.now(), values=closed_values(queries.settings())), collapse=fold)
    except QueryError as error:
        st.html(tag("p", esc(error), cls="said trouble", role="alert"))
        return
    if sort:
        query = replace(query, sort=SORTS[sort])
    cursors = _cursors(text, sort, fold)
    page = queries.search(replace(query, limit=PAGE, highlight=True, facets=FACETS, cursor=cursors[-1]))
    if not page.total:
        _nothing(text)
        return
    results, counts = st.columns([2.4, 1], gap="medium")
    with results:
        _results(page, query, text, cursors)
    with counts:
        _counts(page, text, "copies counted too" if fold else "")


def _ask() -> tuple[str, str, bool]:
    asked = st.query_params.get("q", "")
    if st.session_state.get("asked") != asked:  # a link was followed: it decides what stands in the field
        st.session_state["asked"] = st.session_state["query"] = asked
    with st.container(key="panel-ask"):
        st.text_input(
            "Search",
            key="query",
            label_visibility="collapsed",
            placeholder='words, "a phrase", OR, -not, risk:gambling, market:SG, since:7d',
            on_change=_asked,
            max_chars=2000,
        )
        with st.container(horizontal=True, key="act-ask", vertical_alignment="center"):
            sort = st.segmented_control("Order", list(SORTS), key="sort", label_visibility="collapsed")
            fold = st.toggle("Fold copies", value=True, key="fold", help="Texts that say the same count once.")
            with st.popover("How to ask"):
                _help()
            with st.popover("Saved"):
                _saved(asked)
    return asked, sort or "", fold


def _asked() -> None:
    st.session_state["asked"] = st.session_state["query"]
    st.query_params.from_dict({"q": st.session_state["query"]})


def _help() -> None:
    rows = (
        tag("li", [link(links.search_text(text), tag("code", esc(text))), esc(f" {what}")]) for text, what in EXAMPLES
    )
    st.html(joined([tag("ul", rows), tag("pre", esc(HELP), cls="help")]))


def _saved(asked: str) -> None:
    saved = queries.records(SavedSearch)
    for item in saved[:30]:
        st.html(tag("p", [link(links.search_text(item.text), esc(item.name)), esc(f" · {item.owner}")]))
    if not saved:
        st.html(tag("p", esc("No search is saved yet."), cls="empty"))
    with st.form("save", border=False, clear_on_submit=True):
        name = st.text_input("Save this search as", max_chars=100)
        if st.form_submit_button("Save", disabled=not asked) and name:
            with queries.told(), queries.desk() as desk:
                desk.save_search(name, asked, by=queries.me(), now=datetime.now(UTC))
                queries.say(f"Saved: {name}")
            st.rerun()


def _cursors(text: str, sort: str, fold: bool) -> list[str]:
    """Return the cursors of the pages up to this one; another question begins at its first page."""
    asked = (text, sort, fold)
    if st.session_state.get("paged") != asked:
        st.session_state["paged"], st.session_state["cursors"] = asked, [""]
    cursors: list[str] = st.session_state["cursors"]
    return cursors


def _results(page: Page, query: Query, text: str, cursors: list[str]) -> None:
    settings = queries.settings()
    first = (len(cursors) - 1) * PAGE + 1
    themes = queries.theme_names(_themes_on(page))
    span = f"{wording.number(first)}–{wording.number(first + len(page.hits) - 1)}"
    found = f"{span} of {wording.plural(page.total, 'document')}"
    with st.container(key="panel-found"):
        st.html(joined([tag("p", esc(found), cls="note found"), _timeline(query, page, text)]))
        st.html(tag("div", document_list(page.hits, settings.board.timezone, themes)))
        with st.container(horizontal=True, key="act-pages"):
            st.button("Previous", disabled=len(cursors) < 2, on_click=_turn, args=("",), key="previous")
            st.button("Next", disabled=not page.cursor, on_click=_turn, args=(page.cursor,), key="next")
            _exports(query)


def _turn(cursor: str) -> None:
    """Turn to the page that begins at the cursor, or back to the one before."""
    cursors: list[str] = st.session_state["cursors"]
    st.session_state["cursors"] = [*cursors, cursor] if cursor else cursors[:-1]


def _themes_on(page: Page) -> tuple[str, ...]:
    memberships = (hit.document.membership for hit in page.hits)
    ids = {membership.theme for membership in memberships if membership and membership.theme}
    return tuple(sorted(ids | {value for value, _ in page.facets.get("theme", ())[:8]}))


def _timeline(query: Query, page: Page, text: str) -> Html:
    """Return when the documents found were published, over at most 60 days."""
    now = queries.now()
    since = max(query.since or now - 60 * DAY, now - 60 * DAY)
    days = day_axis(now, (now - since).days + 1)
    if page.total < 2 or len(days) < 4:
        return NOTHING
    shown = replace(query, since=days[0], until=min(query.until or now, now), trusted_dates=True)
    series = volume_series(days, queries.count(shown, By(period="day")))
    return (
        timeline.columns(series, lambda day: links.narrowed(text, on=links.day(day))) if any(series.values) else NOTHING
    )


def _exports(query: Query) -> None:
    stem = f"groundswell-{datetime.now(UTC):%Y%m%d-%H%M}"
    st.download_button("CSV", lambda: _export(query, "csv"), f"{stem}.csv", "text/csv", on_click="ignore", key="csv")
    st.download_button(
        "JSONL", lambda: _export(query, "jsonl"), f"{stem}.jsonl", "application/jsonl", on_click="ignore", key="jsonl"
    )
    st.download_button(
        "Parquet", lambda: _export(query, "parquet"), f"{stem}.parquet", on_click="ignore", key="parquet"
    )


def _export(query: Query, kind: str) -> bytes:
    """Return everything that was found, as a file's content."""
    with TemporaryDirectory(prefix="groundswell-") as folder, queries.reader() as reader:
        file = Path(folder) / f"found.{kind}"
        export_search(reader, query, file)
        return file.read_bytes()


def _counts(page: Page, text: str, note: str) -> None:
    names = queries.theme_names(tuple(value for value, _ in page.facets.get("theme", ())[:8]))
    parts = [_facet(field, counts, text, names) for field in FACETS if (counts := page.facets.get(field, ()))]
    with st.container(key="panel-facets"):
        said = tag("p", esc(note), cls="note counted") if note and parts else NOTHING
        st.html(joined([said, *parts]) or tag("p", esc("Nothing to count."), cls="empty"))


def _facet(field: Field, counts: tuple[tuple[str, int], ...], text: str, names: Mapping[str, str]) -> Html:
    shown = [(value, count) for value, count in counts if value]
    shown = [(value, count) for value, count in shown if field != "theme" or value in names]
    if not shown:
        return NOTHING
    added = {value: links.narrowed(text, **{field: value}) for value, _ in shown}
    return tag(
        "div",
        [
            tag("h2", bold(_FACET_NAMES.get(field, field))),
            charts.bars(shown, added.__getitem__, lambda value: _named(field, value, names), most=6),
        ],
        cls="facet",
    )


def _named(field: Field, value: str, themes: Mapping[str, str]) -> str:
    return wording.risk(value) if field in {"risk", "target"} else themes.get(value, value)


_FACET_NAMES = {"lang": "language", "target": "about whom"}


def _nothing(text: str) -> None:
    if not text:
        st.html(tag("p", esc("Nothing has been crawled yet: groundswell run begins."), cls="empty"))
        return
    tips = (
        "fewer words, or OR between them",
        "a longer time: since:30d",
        "without a field: risk: and market: must both be known of a post",
    )
    st.html(
        joined(
            [
                tag("p", esc("No document says this. Try:"), cls="empty"),
                tag("ul", (tag("li", esc(f"· {tip}")) for tip in tips)),
            ]
        )
    )
