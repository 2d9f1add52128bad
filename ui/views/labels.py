"""Labels: how people judged the alerts, and what that says about each kind of alert."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import sqrt
from typing import get_args

import streamlit as st

from groundswell.index.records import Label, Signal
from groundswell.nlp.signals.alerts.feedback import Proposal
from groundswell.ui.board import queries
from groundswell.ui.board.elements import NOTHING, Html, esc, joined, link, panel, table, tag
from groundswell.ui.desk import Disposition
from groundswell.ui.report import links, wording
from groundswell.ui.report.tongue import tr

Z95 = 1.96


def show() -> None:
    """Draw the page."""
    labels = [label for label in queries.records(Label, 20_000) if label.field == "disposition"]
    st.html(
        tag(
            "div",
            [tag("h1", esc(tr("Labels"))), tag("span", esc(wording.plural(len(labels), "judged alert")))],
            cls="top",
        )
    )
    if not labels:
        st.html(
            tag(
                "p",
                esc(tr("Nobody has judged an alert yet. Confirm and Dismiss do; then precision stands here.")),
                cls="empty",
            )
        )
        return
    signals = {signal.id: signal for signal in queries.many(Signal, tuple(sorted({label.subject for label in labels})))}
    st.html(
        panel(
            tr("Precision of alerts"),
            tr("confirmed among confirmed and false, with 95 % interval (Wilson)"),
            _precision(labels, signals),
        )
    )
    with st.container(key="panel-labels"):
        st.html(
            table(
                (tr("alert"), tr("kind"), tr("judged"), tr("by"), tr("when")),
                (_row(label, signals.get(label.subject)) for label in labels[:200]),
                cls="right stack",
            )
        )
    _teaching()
    with st.container(key="panel-judge"):
        _change(labels, signals)


def _precision(labels: Sequence[Label], signals: Mapping[str, Signal]) -> Html:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for label in labels:
        kind = signals[label.subject].kind if label.subject in signals else "forgotten"
        counts[kind][get_args(Disposition).index(label.value) if label.value in get_args(Disposition) else 2] += 1
    rows = (
        [
            esc(kind),
            *(tag("span", esc(wording.number(count)), cls="num") for count in (right, wrong, double)),
            tag("span", esc(interval(right, right + wrong)), cls="num"),
        ]
        for kind, (right, wrong, double) in sorted(counts.items())
    )
    return table((tr("kind"), tr("confirmed"), tr("false"), tr("duplicate"), tr("precision")), rows, cls="right")


def interval(hits: int, tries: int) -> str:
    """Return a share with its Wilson score interval (Wilson 1927), or a dash where nothing was tried."""
    if not tries:
        return "–"
    share = hits / tries
    middle = (share + Z95**2 / (2 * tries)) / (1 + Z95**2 / tries)
    half = Z95 / (1 + Z95**2 / tries) * sqrt(share * (1 - share) / tries + Z95**2 / (4 * tries**2))
    return f"{share:.2f} ({max(0, middle - half):.2f} to {min(1, middle + half):.2f})"


def _row(label: Label, signal: Signal | None) -> list[Html]:
    zone = queries.settings().board.timezone
    title = wording.shortened(signal.title or signal.why, 90) if signal else "forgotten alert"
    return [
        link(links.alert(signal.id), esc(title)) if signal else esc(title),
        esc(signal.kind if signal else "–"),
        esc(label.value),
        esc(label.annotator),
        tag("span", esc(wording.stamp(label.at, zone)), cls="nowrap"),
    ]


def _teaching() -> None:
    """Show what judgements would teach before it is accepted, and take it back."""
    proposal, taught = queries.proposal()
    with st.container(key="panel-teaching"):
        st.html(
            tag(
                "h2", [esc(tr("What judgements teach")), tag("em", esc(tr(" · nothing changes before it is accepted")))]
            )
        )
        if proposal is None:
            st.html(
                tag("p", esc(tr("At least 8 judgements are needed, some of them confirmed, some false.")), cls="empty")
            )
        else:
            st.html(_preview(proposal))
        with st.container(horizontal=True, key="act-teaching"):
            if proposal is not None:
                st.button(tr("Accept"), key="learn", type="primary", on_click=_learn, args=(proposal,))
            if taught:
                st.button(tr("Back to the ranking as it came"), key="unlearn", on_click=_unlearn)


def _preview(proposal: Proposal) -> Html:
    more = sum(change.would_fire for change in proposal.changes)
    less = len(proposal.changes) - more
    text = (
        f"{wording.plural(proposal.judged, 'judged alert')}, {wording.number(proposal.right)} confirmed; of "
        f"{wording.number(proposal.kept)} that would still fire {wording.number(proposal.right_then)} are confirmed. "
        f"Of all signals so far {wording.number(more)} more would fire, {wording.number(less)} would not."
    )
    rows = (
        [
            link(links.evidence_of(change.signal), esc(wording.shortened(change.title or change.signal, 80))),
            esc(wording.date(change.at, queries.zone())),
            esc(f"{change.strength:.2f} → {change.would_be:.2f}"),
            esc(tr("would fire") if change.would_fire else tr("would be held")),
            esc(change.judged or "not judged"),
        ]
        for change in proposal.changes[:40]
    )
    head = ("signal", "day", "strength", "then", "judged")
    body = table(head, rows, cls="right stack") if proposal.changes else NOTHING
    return joined([tag("p", esc(text)), body])


def _learn(proposal: Proposal) -> None:
    with queries.told(), queries.desk() as desk:
        desk.learn(proposal, by=queries.me(), now=datetime.now(UTC))
        queries.say("Accepted: it takes effect on signals found from now on.")


def _unlearn() -> None:
    with queries.told(), queries.desk() as desk:
        desk.unlearn(by=queries.me())
        queries.say("The ranking is as it came.")


def _change(labels: Sequence[Label], signals: Mapping[str, Signal]) -> None:
    """Let a person judge again."""
    latest = {label.subject: label for label in reversed(labels) if label.subject in signals}
    st.html(tag("h2", esc(tr("Judge again"))))
    with st.container(horizontal=True, key="act-judge", vertical_alignment="bottom"):
        subject = st.selectbox(
            tr("Alert"),
            list(latest),
            format_func=lambda one: wording.shortened(signals[one].title or signals[one].why, 80),
            label_visibility="collapsed",
        )
        value = st.selectbox(tr("Judgement"), get_args(Disposition), label_visibility="collapsed", width=140)
        if st.button(tr("Save"), key="judge-again") and subject and value:
            with queries.told(), queries.desk() as desk:
                who, now = queries.me(), datetime.now(UTC)
                if value == "confirmed":
                    desk.confirm([subject], by=who, now=now)
                else:
                    desk.dismiss(
                        [subject], reason="duplicate" if value == "duplicate" else "false alarm", by=who, now=now
                    )
                queries.say("Judged again.")
            st.rerun()
