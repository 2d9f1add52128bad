"""Cases: what people do about alerts, from opening to a decision. ``?case=`` leads to one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from functools import partial
from typing import Any, get_args
from zoneinfo import ZoneInfo

import streamlit as st

from groundswell.index.records import SEVERITIES, Case, CaseStatus, Signal
from groundswell.ui.board import queries
from groundswell.ui.board.elements import NOTHING, Html, esc, facts, joined, link, panel, table, tag, web_link
from groundswell.ui.desk import fingerprint
from groundswell.ui.report import links, wording
from groundswell.ui.report.brief import Format, make_brief
from groundswell.ui.report.pdf import make_pdf, pdf_possible
from groundswell.ui.report.tongue import tr
from groundswell.ui.views.documents import CLAIMED, folded

BRIEFS: tuple[tuple[Format, str], ...] = (("html", "Brief to print"), ("md", "Brief in Markdown"))
NOBODY = "-"
ORDERS = {"severity": "gravest first", "due": "soonest due first", "owner": "by owner"}
OPEN = 12
"""Documents of a case that are shown at once; the others are a click away."""


def show() -> None:
    """Draw the list, or one case."""
    wanted = st.query_params.get("case", "")
    if wanted:
        _one(wanted)
    else:
        _all()


# --- the list ------------------------------------------------------------------------------------------------------


def _all() -> None:
    cases = queries.records(Case, 5000)
    waiting = [case for case in cases if case.status != "closed"]
    late = [case for case in waiting if case.due and case.due < datetime.now(UTC)]
    counts = ((len(waiting), "open"), (len(late), "late"), (len(cases) - len(waiting), "closed"))
    counted = " · ".join(f"{wording.number(count)} {name}" for count, name in counts)
    st.html(tag("div", [tag("h1", esc(tr("Cases"))), tag("span", esc(counted))], cls="top"))
    if not cases:
        st.html(
            tag(
                "p",
                esc(tr("No case yet. “Open case” on an alert makes one, with its evidence as it stood.")),
                cls="empty",
            )
        )
        return
    owners = sorted({case.owner for case in cases if case.owner})
    with st.container(horizontal=True, key="act-cases", vertical_alignment="center"):
        which = st.segmented_control(
            tr("Which"), ["Open", "Mine", "Closed"], default="Open", key="which", label_visibility="collapsed"
        )
        owner = queries.addressed_choice(
            "owner", ["", NOBODY, *owners], tr("anybody's"), names={NOBODY: tr("nobody's")}
        )
        order = queries.addressed_choice(
            "sort", list(ORDERS), "", names={k: tr(v) for k, v in ORDERS.items()}, width=190
        )
    mine = [case for case in waiting if case.owner and case.owner == queries.me()]
    shown = {"Mine": mine, "Closed": [case for case in cases if case.status == "closed"]}.get(str(which), waiting)
    shown = [case for case in shown if owner in {"", case.owner or NOBODY}]
    if not shown:
        st.html(tag("p", esc(tr("None.")), cls="empty"))
        return
    shown = sorted(shown, key=lambda case: _rank(case, order))
    st.html(
        panel(
            wording.plural(len(shown), "case"),
            tr(ORDERS.get(order, "")),
            table(
                (tr("case"), tr("severity"), tr("status"), tr("owner"), tr("due"), tr("opened")),
                map(_row, shown),
                cls="right stack",
            ),
        )
    )


def _rank(case: Case, order: str) -> tuple[object, ...]:
    """Return what the queue is sorted by; what is equal comes by severity, then by deadline."""
    grave, due = -SEVERITIES.index(case.severity), case.due or datetime.max.replace(tzinfo=UTC)
    return {"due": (due, grave), "owner": (not case.owner, case.owner.casefold(), grave, due)}.get(order, (grave, due))


def _row(case: Case) -> list[Html]:
    zone = queries.settings().board.timezone
    return [
        link(links.case(case.id), esc(wording.shortened(case.title, 90))),
        tag("span", esc(case.severity), cls=f"sev {case.severity}", style="font-size:11px"),
        esc(case.status),
        esc(case.owner or "nobody"),
        _due(case),
        tag("span", esc(wording.stamp(case.opened_at, zone)), cls="nowrap"),
    ]


def _due(case: Case) -> Html:
    if not case.due:
        return esc("–")
    if case.status == "closed":
        return esc(tr("done"))
    left = case.due - datetime.now(UTC)
    late = left.total_seconds() < 0
    return tag(
        "span",
        esc(f"{wording.span(abs(left))} late" if late else f"in {wording.span(left)}"),
        cls="sev critical" if late else "nowrap",
        style="text-transform:none;letter-spacing:0" if late else None,
    )


# --- one case ------------------------------------------------------------------------------------------------------


def _one(id: str) -> None:
    case = queries.record(Case, id)
    crumb = tag("p", link("cases", esc(tr("Cases"))), cls="crumb")
    if case is None:
        st.html(joined([crumb, tag("p", esc(f"There is no case {id}."), cls="empty")]))
        return
    st.html(joined([crumb, _head(case)]))
    left, right = st.columns([1.75, 1], gap="medium")
    with left:
        st.html(
            joined(
                [
                    panel(tr("History"), "", _history(case)),
                    tag(
                        "div",
                        panel(
                            tr("Evidence"),
                            f"{wording.plural(len(case.evidence), 'document')} as they stood; later ones are marked",
                            _evidence(case),
                        ),
                        style="margin-top:16px",
                    ),
                ]
            )
        )
    with right, st.container(key="panel-edit"):
        _forms(case)


def _head(case: Case) -> Html:
    zone = queries.settings().board.timezone
    signals = queries.many(Signal, case.signals)
    theme = next((signal.theme for signal in signals if signal.theme), "")
    pairs = [
        ("status", esc(case.status)),
        ("owner", esc(case.owner or "nobody")),
        ("due", joined([esc(wording.stamp(case.due, zone) + " · "), _due(case)]) if case.due else NOTHING),
        ("opened", esc(wording.stamp(case.opened_at, zone))),
        (
            "risk",
            link(links.search(risk=case.policy_area), esc(wording.risk(case.policy_area)))
            if case.policy_area
            else NOTHING,
        ),
        ("theme", link(links.theme(theme), esc(tr("documents over time")), cls="out") if theme else NOTHING),
        ("cause", esc(case.cause)),
        ("decision", esc(case.decision)),
    ]
    severity = tag("span", esc(case.severity), cls=f"sev {case.severity}", style="font-size:12px")
    return joined([tag("div", [tag("h1", esc(wording.shortened(case.title, 160))), severity], cls="top"), facts(pairs)])


def _history(case: Case) -> Html:
    zone = queries.settings().board.timezone
    lines = (
        tag("li", [tag("div", esc(f"{note.by} · {wording.stamp(note.at, zone)}"), cls="by"), tag("p", esc(note.text))])
        for note in reversed(case.history)
    )
    return tag("ul", lines, cls="history")


def _evidence(case: Case) -> Html:
    """Return all that the case holds: the first whole, the others folded, each with its own proof."""
    if not case.evidence:
        return tag("p", esc(tr("No document was kept with this case.")), cls="empty")
    first = joined(_document(item) for item in case.evidence[:OPEN])
    rest = case.evidence[OPEN:]
    if not rest:
        return first
    more = tag("summary", esc(f"{wording.plural(len(rest), 'more document')}"))
    return joined([first, tag("details", [more, *(_document(item) for item in rest)])])


def _document(item: Mapping[str, Any]) -> Html:
    by = [
        tag("span", esc(item.get("source", ""))),
        tag("span", esc(_when(str(item.get("published_at", ""))))),
        tag("span", esc(" · ".join(filter(None, (str(item.get("market", "")), str(item.get("lang", ""))))))),
        tag("span", esc(item.get("sentiment", "")), cls=str(item.get("sentiment", ""))),
        link(links.document(str(item.get("id", ""))), esc(tr("open")), cls="out"),
        web_link(str(item.get("url", ""))),
    ]
    title = tag("h4", esc(wording.shortened(str(item.get("title", "")), 160))) if item.get("title") else NOTHING
    text = tag("p", esc(item.get("text", "")), cls="kept")
    risks = [risk for risk, probability in dict(item.get("risks") or {}).items() if probability >= CLAIMED]
    words = folded(joined([title, text]), risks)
    return tag("article", [tag("div", by, cls="by"), words, tag("p", esc(_proof(item)), cls="note")])


def _proof(item: Mapping[str, Any]) -> str:
    """Return how a document came into the case, and whether it is as it was kept."""
    came = (
        f"added {_when(str(item['added_at']))} by {item.get('added_by', '')} ({item.get('added_because', '')})"
        if item.get("added_at")
        else "kept when the case was opened"
    )
    if not item.get("sha256"):
        return f"{came}; kept before documents were hashed"
    whole = "unchanged since" if fingerprint(item) == item["sha256"] else "CHANGED since: its hash does not fit"
    cut = "; cut at 100,000 characters" if item.get("cut") else ""
    return f"{came}; {whole}, SHA-256 {str(item['sha256'])[:12]}…{cut}"


def _when(written: str) -> str:
    try:
        return wording.stamp(datetime.fromisoformat(written), queries.settings().board.timezone)
    except ValueError:
        return "no date"


# --- changing it ---------------------------------------------------------------------------------------------------
# The version that a person saw is remembered where the form is drawn, and handed to the desk with what they typed: if
# somebody else was quicker, the desk says so and nothing of theirs is overwritten.


def _forms(case: Case) -> None:
    st.html(tag("h2", esc(tr("What happens next"))))
    with st.form(f"edit-{case.id}", border=False):
        st.text_area(
            tr("Note"),
            key=f"note-{case.id}",
            height=90,
            max_chars=5000,
            placeholder=tr("what you found, whom you asked"),
        )
        st.text_input(tr("Owner"), value=case.owner, key=f"owner-{case.id}-{case.version}", max_chars=80)
        statuses: Sequence[str] = get_args(CaseStatus)
        st.selectbox(tr("Status"), statuses, index=statuses.index(case.status), key=f"status-{case.id}-{case.version}")
        st.date_input(tr("Due"), value=_local_day(case.due), key=f"due-{case.id}-{case.version}", format="YYYY-MM-DD")
        st.text_input(
            tr("Cause"),
            value=case.cause,
            key=f"cause-{case.id}-{case.version}",
            help=tr("Needed to close: what it was."),
            max_chars=1000,
        )
        st.text_input(
            tr("Decision"),
            value=case.decision,
            key=f"decision-{case.id}-{case.version}",
            help=tr("Needed to close: what was decided."),
            max_chars=1000,
        )
        st.form_submit_button(tr("Save"), type="primary", on_click=_save, args=(case,))
    st.button(tr("Add what its alerts gathered since"), key=f"catch-{case.id}", on_click=_catch_up, args=(case,))
    if queries.may_export():
        _briefs(case)
    if not case.owner and queries.me() != "somebody":
        st.button(tr("Take it"), key=f"take-{case.id}", on_click=_take, args=(case,))


def _briefs(case: Case) -> None:
    with st.container(horizontal=True, key=f"act-brief-{case.id}", vertical_alignment="center"):
        for kind, name in BRIEFS:
            st.download_button(
                tr(name),
                queries.later(partial(_brief, case, kind, queries.me())),
                f"case-{case.id}.{kind}",
                on_click="ignore",
                key=f"brief-{kind}",
            )
        if pdf_possible():
            st.download_button(
                tr("Brief as PDF"),
                queries.later(partial(_pdf, case, queries.me())),
                f"case-{case.id}.pdf",
                on_click="ignore",
                key="brief-pdf",
            )


def _local_day(due: datetime | None) -> Any:
    return due.astimezone(ZoneInfo(queries.settings().board.timezone)).date() if due else None


def _save(case: Case) -> None:
    state, version = st.session_state, case.version
    given = {name: str(state[f"{name}-{case.id}-{version}"] or "") for name in ("owner", "status", "cause", "decision")}
    changed = {name: value for name, value in given.items() if value != getattr(case, name)}
    with queries.told(), queries.desk() as desk:
        desk.edit_case(
            case.id, by=queries.me(), now=datetime.now(UTC), expected_version=version,
            note=state[f"note-{case.id}"], due=_new_due(case, state[f"due-{case.id}-{version}"]), **changed,
        )  # fmt: skip
        state[f"note-{case.id}"] = ""
        queries.say("Saved.")


def _new_due(case: Case, day: Any) -> datetime | None:
    """Return the end of the chosen day, or ``None`` where the day is still the same."""
    if day is None or day == _local_day(case.due):
        return None
    return datetime.combine(day, time(18), ZoneInfo(queries.settings().board.timezone)).astimezone(UTC)


def _brief(case: Case, kind: Format, who: str) -> bytes:
    queries.took(who, "brief", case.id, {"format": kind})
    with queries.reader() as store:
        return make_brief(store, case, queries.settings(), kind=kind, now=queries.now()).encode("utf-8", "replace")


def _pdf(case: Case, who: str) -> bytes:
    queries.took(who, "brief", case.id, {"format": "pdf"})
    with queries.reader() as store:
        return make_pdf(store, case, queries.settings(), now=queries.now())


def _catch_up(case: Case) -> None:
    with queries.told(), queries.desk() as desk:
        grown = desk.catch_up(case.id, by=queries.me(), now=datetime.now(UTC))
        fresh = len(grown.evidence) - len(case.evidence)
        queries.say(f"{wording.plural(fresh, 'document')} added." if fresh else "There is nothing new.")


def _take(case: Case) -> None:
    with queries.told(), queries.desk() as desk:
        desk.edit_case(
            case.id,
            by=queries.me(),
            now=datetime.now(UTC),
            expected_version=case.version,
            owner=queries.me(),
            status="investigating",
        )
        queries.say("It is yours.")
