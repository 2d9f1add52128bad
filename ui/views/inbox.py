"""Inbox: every alert until somebody has decided, and who decided what. ``?show=`` filters, ``?alert=`` opens one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import streamlit as st

from groundswell.index.records import Decision, Signal
from groundswell.ui.board import queries
from groundswell.ui.board.elements import NOTHING, Html, esc, facts, joined, link, panel, tag
from groundswell.ui.report import links, wording
from groundswell.ui.report.inbox import DAY, Entry, Inbox, Status, how_it_goes, shown_title, subject_said
from groundswell.ui.report.reasons import reason_said
from groundswell.ui.report.tongue import tr
from groundswell.ui.views import actions

SHOWN: Mapping[str, tuple[Status, ...]] = {
    "waiting": ("waiting",),
    "confirmed": ("confirmed",),
    "case": ("case",),
    "snoozed": ("snoozed",),
    "dismissed": ("dismissed",),
    "closed": ("closed",),
    "all": ("waiting", "confirmed", "case", "snoozed", "dismissed", "closed"),
}
NAMES = {"case": "in a case", "closed": "case closed", "held": "held back"}
GRAVE = ("critical", "high", "medium", "low")
WHOSE = ("mine", "nobody's")
PAGE = 30


def show() -> None:
    """Draw the page."""
    inbox = queries.inbox()
    wanted = st.query_params.get("alert", "")
    st.html(tag("div", [tag("h1", esc(tr("Inbox"))), tag("span", esc(_looked(inbox)))], cls="top"))
    if wanted:
        _one(inbox, wanted)
        return
    which = _filters(inbox)
    if which == "held":
        st.html(_held(inbox))
        return
    entries = _chosen(inbox.having(*SHOWN[which]))
    if not entries:
        st.html(tag("p", esc(_nothing(which, inbox)), cls="empty"))
        return
    _list(entries, which)


def _looked(inbox: Inbox) -> str:
    if inbox.upto is None:
        return tr("signals have not been looked for yet: groundswell signals does")
    return tr("signals were looked for up to {time}").format(time=wording.moment(inbox.upto, queries.zone()))


def _nothing(which: str, inbox: Inbox) -> str:
    if which == "waiting" and inbox.upto is not None:
        return tr("No alert waits for a decision.")
    return tr("No alert is like that.")


# --- filters: all of them stand in the address -----------------------------------------------------------------------


def _filters(inbox: Inbox) -> str:
    counts = {name: len(inbox.having(*statuses)) for name, statuses in SHOWN.items()} | {"held": len(inbox.held)}
    asked = st.query_params.get("show", "waiting")
    which = asked if asked in counts else "waiting"
    tabs = (
        link(
            links.inbox(show=name, severity=st.query_params.get("severity", "")),
            esc(f"{tr(NAMES.get(name, name))} {wording.number(count)}"),
            cls="tagged on" if name == which else "tagged",
        )
        for name, count in counts.items()
    )
    st.html(tag("p", tabs, cls="words", role="navigation", aria_label="Which alerts"))
    return which


def _chosen(entries: Sequence[Entry]) -> list[Entry]:
    with st.container(horizontal=True, key="act-inbox", vertical_alignment="bottom"):
        words = queries.addressed_text("words", tr("words in the title"), width=260)
        severity = queries.addressed_choice(
            "severity", ["", *GRAVE], tr("any severity"), names={one: tr(one) for one in GRAVE}
        )
        whose = queries.addressed_choice("whose", ["", *WHOSE], tr("anybody's"), names={one: tr(one) for one in WHOSE})
    return [
        entry
        for entry in entries
        if all(word in entry.title.casefold() for word in words.casefold().split())
        and severity in {"", entry.episode.severity}
        and {"": True, "mine": entry.standing.assignee == queries.me(), "nobody's": not entry.standing.assignee}[whose]
    ]


# --- the list --------------------------------------------------------------------------------------------------------


def _list(entries: Sequence[Entry], which: str) -> None:
    shown = entries[:PAGE]
    more = f"the first {PAGE} of {wording.number(len(entries))}; narrow the filters for more"
    with st.container(key="panel-inbox"):
        st.html(tag("p", esc(more if len(entries) > PAGE else wording.plural(len(entries), "alert")), cls="note found"))
        chosen = [entry.id for entry in shown if _row(entry)]
        _bulk(chosen, which)
    queries.download("alerts", HEAD, map(_cells, entries))


HEAD = ("id", "first_told", "severity", "title", "risk", "documents", "goes", "status", "assignee", "by", "reason")


def _cells(entry: Entry) -> tuple[object, ...]:
    """Return an alert as a row of the file."""
    episode, standing, made = entry.episode, entry.standing, entry.standing.decision
    return (
        entry.id, episode.alert.at.isoformat(), episode.severity, entry.title, episode.risk, entry.documents,
        entry.phase, standing.status, standing.assignee, made.by if made else "", made.reason if made else "",
    )  # fmt: skip


def _row(entry: Entry) -> bool:
    """Draw one alert with a box to choose it; return whether it is chosen."""
    with st.container(horizontal=True, key=f"row-{entry.id}", vertical_alignment="top"):
        chosen = st.checkbox(f"Choose {entry.id}", key=f"choose-{entry.id}", label_visibility="collapsed", width=24)
        st.html(_line(entry))
    return bool(chosen)


def _line(entry: Entry) -> Html:
    episode, now = entry.episode, queries.now()
    by = [
        tag("span", esc(tr(episode.severity)), cls=f"sev {episode.severity}"),
        esc(tr("since {time}").format(time=wording.stamp(episode.alert.at, queries.zone()))),
        link(links.grown(episode, now), esc(wording.plural(entry.documents, "document"))),
        esc(wording.risk(episode.risk) or tr("no risk named")),
    ]
    goes = how_it_goes(entry, queries.zone())
    return tag(
        "article",
        [
            tag("div", (tag("span", part) for part in by), cls="by"),
            tag("h4", link(links.alert(entry.id), esc(wording.shortened(shown_title(entry), 120)))),
            tag("p", esc(f"{goes}. {standing_said(entry)}"), cls="note"),
        ],
    )


def standing_said(entry: Entry) -> str:
    """Return where an alert stands with people, as "Confirmed by Noor, 30 Nov 2026, 09:12" does."""
    standing, zone = entry.standing, queries.zone()
    whose = f" {standing.assignee}'s." if standing.assignee else ""
    if standing.note:
        return f"Waits again: {standing.note}.{whose}"
    if standing.case:
        owner = f", {standing.case.owner}" if standing.case.owner else ""
        return f"Case {standing.case.status}{owner}."
    if standing.decision is None:
        return f"{tr('Nobody has decided.')}{whose}"
    return f"{wording.capital(decision_said(standing.decision, zone))}.{whose}"


def decision_said(decision: Decision, zone: str) -> str:
    """Return a decision in words: who, what, when, why."""
    what = {
        "case": "put into a case",
        "merged": "merged",
        "parted": "parted",
        "assigned": f"given to {decision.to or 'nobody'}",
    }
    until = f" until {wording.stamp(decision.until, zone)}" if decision.until else ""
    why = f": {decision.reason}" if decision.reason else ""
    verb = what.get(decision.what, decision.what)
    return f"{verb}{until} by {decision.by}, {wording.stamp(decision.at, zone)}{why}"


def _bulk(chosen: Sequence[str], which: str) -> None:
    """Draw what can be done with all that are chosen."""
    with st.container(horizontal=True, key="act-bulk", vertical_alignment="center"):
        st.html(tag("p", esc(tr("{count} chosen").format(count=wording.number(len(chosen)))), cls="note"))
        if not chosen:
            return
        if which in {"waiting", "all"}:
            st.button(tr("Confirm"), key="bulk-confirm", on_click=actions.confirm, args=(chosen,))
            actions.dismissal(chosen, "bulk")
            actions.snoozing(chosen, "bulk")
        if which != "waiting":
            st.button(tr("Take back"), key="bulk-reopen", on_click=queries.reopen, args=(chosen,))
        st.text_input(
            tr("Give to"), key="bulk-to", placeholder=tr("give to …"), label_visibility="collapsed", width=140
        )
        st.button(tr("Give"), key="bulk-give", on_click=_give, args=(chosen,))


def _give(chosen: Sequence[str]) -> None:
    """Give alerts to whoever stands in the field when it is clicked: what was drawn may be older."""
    actions.assign(chosen, st.session_state["bulk-to"])


# --- one alert -------------------------------------------------------------------------------------------------------


def _one(inbox: Inbox, wanted: str) -> None:
    entry = inbox[wanted]
    st.html(tag("p", link(links.inbox(), esc(tr("All alerts"))), cls="crumb"))
    if entry is None:
        st.html(tag("p", esc(f"There is no alert {wanted}."), cls="empty"))
        return
    with st.container(key=f"card-{entry.episode.severity}-{entry.id}"):
        st.html(_detail(entry))
        actions.actions(entry)
    if entry.twins:
        _twins(inbox, entry)
    if merged := _merged(entry):
        _mergers(merged)
    st.html(tag("div", [panel(tr("Decisions"), tr("newest first"), _history(entry)), _signals(entry)], cls="row half"))


def _detail(entry: Entry) -> Html:
    episode, zone, now = entry.episode, queries.zone(), queries.now()
    numbers = facts(
        [
            (tr("documents"), link(links.grown(episode, now), esc(wording.number(entry.documents)))),
            (tr("first told"), esc(wording.stamp(episode.alert.at, zone))),
            (tr("risk"), esc(wording.risk(episode.risk) or tr("none named"))),
            (
                tr("theme"),
                link(links.theme(episode.theme), esc(tr("over time")), cls="out") if episode.theme else NOTHING,
            ),
            (tr("why now"), link(_rise(entry), esc(tr("what made it")), cls="out")),
        ]
    )
    return joined(
        [
            tag("div", [tag("span", esc(tr(episode.severity)), cls="sev"), tag("span", esc(entry.id))], cls="meta"),
            tag("h3", esc(wording.shortened(shown_title(entry), 160))),
            tag("p", esc(f"{wording.capital(how_it_goes(entry, zone))}. {standing_said(entry)}")),
            tag("p", esc(reason_said(episode.gravest.why, subject_said(entry))), cls="why"),
            numbers,
        ]
    )


def _rise(entry: Entry) -> str:
    """Return the address of what made the rise: everything of the alert's first days."""
    signal = entry.episode.gravest
    window = links.window(max(signal.start, signal.end - 7 * DAY), signal.end)
    about = {"theme": signal.theme} if signal.theme else {}
    return links.explain(links.query_text(**about, **window), of="" if about else f"signal-{signal.id}")


def _twins(inbox: Inbox, entry: Entry) -> None:
    with st.container(key="panel-twins"):
        st.html(tag("h2", esc(tr("May be the same event"))))
        for twin in filter(None, map(inbox.__getitem__, entry.twins)):
            with st.container(horizontal=True, key=f"act-twin-{twin.id}", vertical_alignment="center"):
                st.html(tag("p", link(links.alert(twin.id), esc(wording.shortened(shown_title(twin), 90)))))
                st.button(tr("Merge"), key=f"merge-{twin.id}", on_click=_merge, args=(entry.id, twin.id))
                st.button(tr("They are two"), key=f"part-{twin.id}", on_click=_part, args=(entry.id, twin.id))


def _merged(entry: Entry) -> list[Decision]:
    """Return the merges that made an episode what it is, newest first."""
    own = {signal.id for signal in entry.episode.signals if signal.id != entry.id}
    newest: dict[str, Decision] = {}
    for decision in queries.records(Decision, 5000):
        if decision.alert in own and decision.what in {"merged", "parted"}:
            newest.setdefault(decision.alert, decision)
    return [decision for decision in newest.values() if decision.what == "merged"]


def _mergers(merged: Sequence[Decision]) -> None:
    with st.container(key="panel-merged"):
        st.html(tag("h2", esc(tr("Merged by hand"))))
        for decision in merged:
            with st.container(horizontal=True, key=f"act-merged-{decision.alert}", vertical_alignment="center"):
                st.html(tag("p", esc(f"{decision.alert}: {decision_said(decision, queries.zone())}")))
                st.button(
                    tr("Take the merge back"), key=f"unmerge-{decision.alert}", on_click=_part,
                    args=(decision.alert, decision.to),
                )  # fmt: skip


def _merge(alert: str, into: str) -> None:
    with queries.told(), queries.desk() as desk:
        desk.merge(alert, into, by=queries.me(), now=datetime.now(UTC))
        st.query_params["alert"] = into
        queries.say("Merged: one event, one card. Its page takes it back.")


def _part(alert: str, other: str) -> None:
    with queries.told(), queries.desk() as desk:
        desk.part(alert, other, by=queries.me(), now=datetime.now(UTC))
        queries.say("They stay two.")


def _history(entry: Entry) -> Html:
    zone, own = queries.zone(), {signal.id for signal in entry.episode.signals}
    made = [decision for decision in queries.records(Decision, 5000) if decision.alert in own or decision.to in own]
    if not made:
        return tag("p", esc(tr("Nobody has decided anything yet.")), cls="empty")
    return tag("ul", (tag("li", tag("p", esc(decision_said(decision, zone)))) for decision in made), cls="history")


def _signals(entry: Entry) -> Html:
    zone, signals = queries.zone(), list(reversed(entry.episode.signals))
    rows = (_signal(signal, zone) for signal in signals[:PAGE])
    note = f"the newest {PAGE} of {len(signals)}" if len(signals) > PAGE else "newest first"
    return panel(tr("What it is made of"), note, tag("ul", rows, cls="history"))


def _signal(signal: Signal, zone: str) -> Html:
    by = [
        tag("span", esc(signal.severity), cls=f"sev {signal.severity}"),
        esc(f" · {wording.KINDS[signal.kind]} · {wording.stamp(signal.at, zone)} · "),
        link(links.evidence(signal), esc(wording.plural(len(signal.evidence), "document"))),
    ]
    return tag("li", [tag("div", by, cls="by"), tag("p", esc(reason_said(signal.why)))])


def _held(inbox: Inbox) -> Html:
    """Return what was held back in the last week, strongest first, and by which rule."""
    if not inbox.held:
        return tag("p", esc(tr("No signal was held back in the last 7 days.")), cls="empty")
    zone = queries.zone()
    rows = (
        tag(
            "li",
            [tag("div", esc(f"held: {_RULES.get(signal.held_by, signal.held_by)}"), cls="by"), _signal(signal, zone)],
        )
        for signal in inbox.held[: 3 * PAGE]
    )
    count = len(inbox.held)
    note = f"the strongest {3 * PAGE} of {wording.number(count)}" if count > 3 * PAGE else "strongest first"
    return panel(wording.plural(count, "weaker signal"), f"of the last 7 days; {note}", tag("ul", rows, cls="history"))


_RULES = {
    "budget": "weaker than the budget of false alerts allows",
    "documents": "too few documents",
    "authors": "too few authors",
    "warm-up": "too little history yet",
    "explained": "something else accounts for it",
    "snoozed": "its theme is snoozed",
}
