"""The trend board: the frame around the views. Served by ``groundswell board`` (see ``launch.py``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from groundswell.index.records import Case
from groundswell.index.store import StoreError
from groundswell.ui.board import queries
from groundswell.ui.board.elements import NOTHING, bold, esc, tag
from groundswell.ui.board.first_words import COOKIE
from groundswell.ui.board.identity import SignInError
from groundswell.ui.board.known import known
from groundswell.ui.board.launch import own_address
from groundswell.ui.report import wording
from groundswell.ui.report.tongue import TONGUES, preferred, speak, tongue_of, tr
from groundswell.ui.report.topics import know_topics

STYLES = Path(__file__).parent / "styles"
# Modules of ``views/`` with their titles; each is imported when it is first shown.
VIEWS = {
    "today": "Today",
    "inbox": "Inbox",
    "themes": "Themes",
    "theme": "Theme",
    "search": "Search",
    "document": "Document",
    "explain": "What made it",
    "compare": "Two periods",
    "cases": "Cases",
    "sources": "Sources",
    "labels": "Labels",
    "label": "Labelling",
    "quality": "Quality",
    "rules": "Rules",
    "policies": "Policies",
    "sql": "Ask in SQL",
}

SIDEBAR = (
    ("today", "inbox", "themes", "search", "cases"),
    ("sources", "labels", "label", "quality", "rules", "policies", "sql"),
)
# Pages on which somebody may be writing: they do not renew themselves.
STILL = {"inbox", "cases", "document", "sql", "search", "label", "compare", "quality", "rules", "policies"}


def main() -> None:
    """Draw the frame and the view that the address asks for."""
    queries.drawing_all()
    _speak()
    if (why := _kept_out()) is not None:
        _sign_in(why)
        return
    st.set_page_config(page_title="Groundswell", page_icon=str(STYLES / "icon.svg"), layout="wide")
    pages = {name: _page(name) for name in VIEWS}
    home = st.Page(_shown("today"), title="Groundswell", url_path="home", default=True)  # "/" itself; it has no name
    current = st.navigation([home, *pages.values()], position="hidden")
    st.html(STYLES / "board.css")
    st.html(f"<style>:root {{ color-scheme: {st.context.theme.type or 'light dark'} }}</style>")  # for what floats
    with st.container(key="script"):
        st.html(f"<script>{(STYLES / 'board.js').read_text(encoding='utf-8')}</script>", unsafe_allow_javascript=True)
    _follow_view(pages)
    _sidebar(pages, pages["today"] if current == home else current)
    queries.said()
    try:
        current.run()
        known("today" if current == home else current.url_path)
    except StoreError as error:
        _no_store(error)
    if current.url_path not in STILL:
        _renew()


def _kept_out() -> SignInError | None:
    """Return why whoever is here sees nothing, or ``None`` where they may."""
    try:
        queries.person()
    except SignInError as error:
        return error
    return None


def _sign_in(why: SignInError) -> None:
    """Draw the only page of whoever is not known, or not any more."""
    st.set_page_config(page_title="Groundswell", layout="centered")
    st.html(STYLES / "board.css")
    inside = st.user.is_logged_in
    said = tag("p", esc(why), cls="said trouble", role="alert") if inside else NOTHING
    st.html(tag("section", [tag("h1", esc("Groundswell")), said], cls="panel"))
    if not queries.at_own_address():
        address = own_address(queries.settings())
        st.html(tag("p", [esc(tr("You sign in at")), esc(" "), tag("a", esc(address), href=address)]))
        return
    st.button(tr("Sign in"), key="sign-in", type="primary", on_click=st.login)
    if inside:
        st.button(tr("Sign out"), key="sign-out", on_click=st.logout)


def _who() -> None:
    """Say who is here, or let them say so where nobody signs in."""
    person = queries.person()
    if not queries.settings().access.issuer:
        st.text_input(
            tr("You are"),
            key="me",
            placeholder=tr("your name"),
            max_chars=80,
            help=tr("Written beside what you do: cases, judgements, notes."),
        )
        return
    bounds = f" · {', '.join(market or '–' for market in person.markets)}" if person.markets else ""
    st.html(tag("p", [bold(person.name), esc(f" {tr(person.role)}{bounds}")], cls="note"))
    st.button(tr("Sign out"), key="sign-out", on_click=st.logout, type="tertiary")


def _page(name: str) -> Page:
    return st.Page(_shown(name), title=f"{tr(VIEWS[name])} · Groundswell", url_path=name)


def _shown(name: str) -> Callable[[], None]:
    def show() -> None:
        import_module(f"groundswell.ui.views.{name}").show()

    return show


def _follow_view(pages: Mapping[str, Page]) -> None:
    """Go where ``?view=`` says: one address for every page, whatever stands before it."""
    wanted = st.query_params.get("view", "")
    if wanted in pages:
        rest = {key: value for key, value in st.query_params.to_dict().items() if key != "view"}
        st.switch_page(pages[wanted], query_params=rest)


def _sidebar(pages: Mapping[str, Page], current: Page) -> None:
    with st.sidebar:
        st.html("<b>Groundswell</b>")
        for group in SIDEBAR:
            st.html("<hr>")
            for name in group:
                with st.container(key="here" if pages[name] == current else f"to-{name}"):
                    st.page_link(pages[name], label=tr(VIEWS[name]) + _waiting(name))
        with st.container(key="who"):
            _who()
        zone = queries.zone()
        _language()
        zone_note = tr("Times are {name} ({zone}); days of charts are UTC.")
        zone_note = zone_note.format(name=wording.zone_name(zone, datetime.now(UTC)), zone=zone)
        st.html(tag("p", esc(zone_note), cls="zone"))


def _language() -> None:
    """Draw the choice of a language; the browser keeps it, so that a person meets theirs again."""
    chosen = st.selectbox(tr("Language"), list(TONGUES), format_func=TONGUES.__getitem__, key="tongue", on_change=_keep)
    if st.session_state.pop("keep-tongue", False):
        st.html(f"<script>document.cookie = '{COOKIE}={chosen};path=/;max-age=31536000;samesite=strict'</script>",
                unsafe_allow_javascript=True)  # fmt: skip


def _keep() -> None:
    st.session_state["keep-tongue"] = True


def _speak() -> None:
    """Speak the language that the person chose, now or before; else that of their browser."""
    if st.session_state.get("tongue") not in TONGUES:
        cookie = st.context.cookies.get(COOKIE, "")
        asked = [cookie, *preferred(st.context.headers.get("Accept-Language") or st.context.locale or "")]
        st.session_state["tongue"] = tongue_of(asked)
    speak(st.session_state["tongue"])
    know_topics(queries.settings())


def _waiting(name: str) -> str:
    """Return how many alerts or cases wait, to stand beside the name of their page."""
    try:
        count = _counts[name]() if name in _counts else 0
    except StoreError:
        return ""
    return f" :small[{count}]" if count else ""


_counts: Mapping[str, Callable[[], int]] = {
    "inbox": lambda: len(queries.inbox().having("waiting")),
    "cases": lambda: sum(case.status != "closed" for case in queries.records(Case)),
}


def _no_store(error: StoreError) -> None:
    st.html(
        tag(
            "section",
            [
                tag("h2", esc(tr("The store cannot answer"))),
                tag("p", esc(error)),
                tag("p", esc(tr("groundswell doctor says what to do.")), cls="note"),
            ],
            cls="panel",
        )
    )


def _renew() -> None:
    """Draw the page anew once the store has changed."""
    drawn, behind = queries.stamp(), queries.behind()

    @st.fragment(run_every=queries.settings().board.refresh_seconds)
    def watch() -> None:
        if behind or queries.stamp() != drawn:
            st.rerun()

    watch()


main()
