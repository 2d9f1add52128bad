"""What a person may do about alerts, the same wherever an alert shows: one or many at once, each taken back again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import streamlit as st

from groundswell.ui.board import queries
from groundswell.ui.desk import DISMISSALS, LONGEST_SNOOZE, Desk
from groundswell.ui.report import wording
from groundswell.ui.report.inbox import Entry
from groundswell.ui.report.tongue import tr


def actions(entry: Entry) -> None:
    """Draw the buttons of one alert."""
    waits = entry.standing.status == "waiting"
    with st.container(key=f"act-{entry.id}", horizontal=True):
        _case_button(entry)
        if waits:
            st.button(tr("Confirm"), key=f"confirm-{entry.id}", on_click=confirm, args=([entry.id],))
            dismissal([entry.id], entry.id)
            snoozing([entry.id], entry.id)
        elif entry.standing.status in {"confirmed", "dismissed", "snoozed"}:
            st.button(tr("Take back"), key=f"reopen-{entry.id}", on_click=queries.reopen, args=([entry.id],))


def _case_button(entry: Entry) -> None:
    if entry.standing.status in {"case", "closed"}:
        return
    if entry.related:
        case = entry.related.id
        st.button(tr("Add to case"), key=f"add-{entry.id}", type="primary", on_click=_add, args=(case, entry.id))
    else:
        st.button(tr("Open case"), key=f"open-{entry.id}", type="primary", on_click=_open, args=(entry.id,))


def dismissal(alerts: Sequence[str], key: str) -> None:
    """Draw the way to dismiss: a reason, of the list or in one's own words."""
    _folded(tr("Dismiss"), f"dismissing-{key}", lambda: _reasons(alerts, key))


def snoozing(alerts: Sequence[str], key: str) -> None:
    """Draw the way to snooze: for how long, and why."""
    _folded(tr("Snooze"), f"putting-off-{key}", lambda: _for_how_long(alerts, key))


@st.fragment
def _folded(name: str, key: str, draw: Callable[[], None]) -> None:
    """Draw what opens by a click. Only what is open is sent: six alerts' forms are most of what a page would send."""
    queries.drawing_part()
    with st.popover(name, key=key, on_change="rerun") as folded:
        if folded.open:
            draw()


def _reasons(alerts: Sequence[str], key: str) -> None:
    with st.form(f"dismissal-{key}", border=False):
        st.radio(tr("Why"), list(DISMISSALS), format_func=tr, key=f"why-{key}")
        st.text_input(tr("Or in your words"), key=f"own-{key}", max_chars=300)
        st.form_submit_button(tr("Dismiss"), key=f"dismiss-{key}", on_click=_dismiss, args=(list(alerts), key))


def _for_how_long(alerts: Sequence[str], key: str) -> None:
    with st.form(f"snoozing-{key}", border=False):
        usual = queries.settings().signals.snooze_days
        st.number_input(tr("Days"), 1, LONGEST_SNOOZE, int(usual), key=f"days-{key}")
        st.text_input(tr("Why"), key=f"quiet-{key}", max_chars=300, placeholder=tr("known, a fix is on its way …"))
        st.form_submit_button(tr("Snooze"), key=f"snooze-{key}", on_click=_snooze, args=(list(alerts), key))


def _dismiss(alerts: Sequence[str], key: str) -> None:
    state = st.session_state
    queries.draw_all()
    dismiss(alerts, str(state[f"own-{key}"]).strip() or str(state[f"why-{key}"]))


def _snooze(alerts: Sequence[str], key: str) -> None:
    state = st.session_state
    queries.draw_all()
    snooze(alerts, float(state[f"days-{key}"]), str(state[f"quiet-{key}"]))


def confirm(alerts: Sequence[str]) -> None:
    """Confirm alerts."""
    _decide(alerts, "confirmed", lambda desk, by, now: desk.confirm(alerts, by=by, now=now))


def dismiss(alerts: Sequence[str], reason: str) -> None:
    """Dismiss alerts."""
    _decide(alerts, f"dismissed ({reason})", lambda desk, by, now: desk.dismiss(alerts, reason=reason, by=by, now=now))


def snooze(alerts: Sequence[str], days: float, reason: str) -> None:
    """Snooze alerts."""
    _decide(
        alerts,
        f"silent for {wording.plural(int(days), 'day')}",
        lambda desk, by, now: desk.put_off(alerts, days=days, reason=reason, by=by, now=now),
    )


def assign(alerts: Sequence[str], to: str) -> None:
    """Say whose alerts are."""
    _decide(
        alerts,
        f"given to {to}" if to else "given to nobody",
        lambda desk, by, now: desk.assign(alerts, to=to, by=by, now=now),
        undo=False,
    )


def _decide(
    alerts: Sequence[str], verdict: str, act: Callable[[Desk, str, datetime], object], *, undo: bool = True
) -> None:  # fmt: skip
    with queries.told(), queries.desk() as desk:
        act(desk, queries.me(), datetime.now(UTC))
        queries.say(f"{wording.plural(len(alerts), 'alert')} {verdict}.", undo=alerts if undo else ())


def _open(alert: str) -> None:
    with queries.told(), queries.desk() as desk:
        case = desk.open_case(alert, by=queries.me(), now=datetime.now(UTC))
        due = f", due in {wording.span(case.due - case.opened_at)}" if case.due else ""
        held = wording.plural(len(case.evidence), "document")
        queries.say(f"Case opened with {held}{due}: {case.title}")


def _add(case: str, alert: str) -> None:
    with queries.told(), queries.desk() as desk:
        desk.add_signal(case, alert, by=queries.me(), now=datetime.now(UTC))
        queries.say("Added to the case, with its documents.")
