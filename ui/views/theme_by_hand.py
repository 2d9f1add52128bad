"""Naming, merging and splitting a theme by hand, on its page; each is taken back there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from groundswell.index.closed_fields import closed_values
from groundswell.index.query_language import QueryError
from groundswell.index.records import Theme
from groundswell.nlp.themes.by_hand import decided
from groundswell.ui.board import queries
from groundswell.ui.pipeline import BusyError, only_one
from groundswell.ui.report import wording
from groundswell.ui.report.asked import Asked
from groundswell.ui.report.tongue import tr
from groundswell.ui.theme_desk import LONGEST_TITLE, ThemeDesk, follows

MOST_OFFERED = 300
"""Themes offered for merging, those spoken of last."""


def by_hand(theme: Theme) -> None:
    """Draw what a person may do to a theme."""
    hand = queries.kept("by hand", ask=decided)
    with st.container(horizontal=True, key=f"act-hand-{theme.id}", vertical_alignment="center"):
        with st.popover(tr("Rename")), st.form(f"name-{theme.id}", border=False):
            st.text_input(
                tr("Name"),
                key=f"title-{theme.id}",
                max_chars=LONGEST_TITLE,
                placeholder=tr("who or what · what is wrong"),
            )
            st.form_submit_button(tr("Rename"), key=f"rename-{theme.id}", on_click=_rename, args=(theme.id,))
        if theme.id in hand.titles:
            st.button(tr("Take its name back"), key=f"unname-{theme.id}", on_click=_unname, args=(theme.id,))
        if theme.id in hand.merged or theme.id in hand.parents:
            label = tr("Take the merge back") if theme.id in hand.merged else tr("Take the split back")
            st.button(label, key=f"unhand-{theme.id}", on_click=_undo, args=(theme.id,))
        if theme.id not in hand.merged:
            _merging(theme)
            _splitting(theme)


def _merging(theme: Theme) -> None:
    others = [one for one in queries.records(Theme, 5000) if one.id != theme.id and one.state != "merged"]
    names = {one.id: wording.shortened(wording.theme(one), 80) for one in others[:MOST_OFFERED]}
    with st.popover(tr("Merge")), st.form(f"merging-{theme.id}", border=False):
        st.selectbox(tr("One with"), list(names), format_func=names.__getitem__, index=None, key=f"into-{theme.id}")
        st.form_submit_button(tr("Merge"), key=f"merge-{theme.id}", on_click=_merge, args=(theme.id,))


def _splitting(theme: Theme) -> None:
    with st.popover(tr("Split")), st.form(f"splitting-{theme.id}", border=False):
        st.text_input(
            tr("Its documents that say"), key=f"words-{theme.id}", placeholder=tr("words of a search"), max_chars=500
        )
        st.text_input(tr("are a theme called"), key=f"called-{theme.id}", max_chars=LONGEST_TITLE)
        st.form_submit_button(tr("Split off"), key=f"split-{theme.id}", on_click=_split, args=(theme.id,))


def _act(act: Callable[[ThemeDesk, datetime], str]) -> None:
    """Do something while no run places documents, and say what came of it."""
    try:
        with queries.told(), only_one(queries.settings()), queries.desk() as desk:
            queries.say(act(ThemeDesk(desk.store, desk.audit), datetime.now(UTC)))
    except (BusyError, QueryError) as error:
        queries.say(str(error), trouble=True)


def _rename(theme: str) -> None:
    title = str(st.session_state[f"title-{theme}"])
    if title.strip():
        _act(lambda desk, at: f"It is called: {desk.rename(theme, title, by=queries.me(), now=at).label}")


def _unname(theme: str) -> None:
    _act(lambda desk, at: f"It is called as before: {desk.rename(theme, '', by=queries.me(), now=at).label}")


def _undo(theme: str) -> None:
    _act(
        lambda desk, at: (
            f"Taken back: {wording.plural(desk.undo(theme, by=queries.me(), now=at), 'document')} returned."
        )
    )


def _merge(theme: str) -> None:
    into = st.session_state.get(f"into-{theme}")
    if into:
        _act(
            lambda desk, at: (
                f"Merged: {wording.plural(desk.merge(theme, into, by=queries.me(), now=at), 'document')} moved."
            )
        )


def _split(theme: str) -> None:
    words, called = str(st.session_state[f"words-{theme}"]), str(st.session_state[f"called-{theme}"])

    def act(desk: ThemeDesk, at: datetime) -> str:
        values = closed_values(queries.settings(), desk.store)
        query = Asked(words, copies=True).query(desk.store, now=at, values=values)
        found = [document.id for document in desk.store.scan(query)]
        new = desk.split(theme, found, called, by=queries.me(), now=at)
        later = (
            tr("later ones follow the nearer")
            if follows(desk.store, new.id)
            else tr("its texts are too alike to part later ones")
        )
        return f"{wording.plural(new.size, 'document')} split off: {new.label}; {later}"

    if words.strip():
        _act(act)
