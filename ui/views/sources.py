"""Sources: what was visited, what it brought, what it complained about, what was refused. ``?source=`` leads to one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from groundswell.index.cluster import Meeting
from groundswell.index.records import CrawlRun, Delivery, Refusal
from groundswell.ui.board import queries
from groundswell.ui.board.elements import Html, esc, joined, link, panel, table, tag
from groundswell.ui.report import links, wording
from groundswell.ui.report.coverage import Row
from groundswell.ui.report.today import SHOWN_DAYS
from groundswell.ui.report.tongue import tr
from groundswell.ui.report.trends import HISTORY_DAYS

MOST_RUNS = 15
MOST_REFUSALS = 60
MOST_DELIVERIES = 15


def show() -> None:
    """Draw the page."""
    rows = sorted(queries.seen(SHOWN_DAYS + HISTORY_DAYS).last(30).rows, key=lambda row: (-row.bad_days, row.source))
    wanted = st.query_params.get("source", "")
    bad = sum(row.cells[-1].state == "bad" for row in rows)
    count = wording.number(len(rows))
    missing = tr("{count} known · {missing} failed or improbably silent today")
    text = (
        missing.format(count=count, missing=wording.plural(bad, "source"))
        if bad
        else tr("{count} known · none failed or improbably silent today").format(count=count)
    )
    st.html(tag("div", [tag("h1", esc(wanted or tr("Sources"))), tag("span", esc("" if wanted else text))], cls="top"))
    if not rows:
        st.html(tag("p", esc(tr("No source has been visited yet: groundswell run begins.")), cls="empty"))
        return
    shown = [row for row in rows if row.source == wanted] if wanted else rows
    runs = [run for run in queries.records(CrawlRun, 20_000) if not wanted or run.source == wanted]
    refusals = [refusal for refusal in queries.records(Refusal, 5000) if not wanted or refusal.source == wanted]
    most = MOST_RUNS * (4 if wanted else 1)
    parts = [tag("p", link("sources", esc(tr("All sources"))), cls="crumb")] if wanted else []
    parts += [
        _panel("Coverage", "30 days (UTC): blue = posts, pale = silent as it may be, red = not seen", _coverage(shown))
    ]
    parts += [
        _panel(
            "Visits", f"the newest {most} of {wording.number(len(runs))}" if len(runs) > most else "", _runs(runs, most)
        )
    ]
    if not wanted and (meeting := queries.meeting()):
        parts += [
            _panel(tr("Workers"), tr("who last visited sources or made day files for this store"), _workers(meeting))
        ]
    if not wanted and (deliveries := queries.records(Delivery, 2000)):
        parts += [_panel("Deliveries", _delivered(deliveries), _deliveries(deliveries[:MOST_DELIVERIES]))]
    parts += [
        _panel(
            "Refused", f"{wording.plural(len(refusals), 'item')} that could not be stored, and why", _refusals(refusals)
        )
    ]
    st.html(joined(parts))


def _panel(title: str, note: str, body: Html) -> Html:
    return tag("div", panel(title, note, body), style="margin-bottom:16px")


def _workers(meeting: Meeting) -> Html:
    """Return who the workers were, when, and where Dask shows what they do now."""
    zone = queries.settings().board.timezone
    when = tr("{at}: {workers} of {scheduler}").format(
        at=wording.moment(meeting.at, zone), workers=wording.plural(len(meeting.workers), "worker"),
        scheduler=meeting.scheduler,
    )  # fmt: skip
    words = esc(tr("what they do now (Dask's dashboard)"))
    page = [tag("p", tag("a", words, href=meeting.dashboard))] if meeting.dashboard else []
    return joined([tag("p", esc(when)), tag("p", esc(", ".join(meeting.workers)), cls="muted"), *page])


def _delivered(deliveries: Sequence[Delivery]) -> str:
    """Return how the deliveries stand, in words."""
    count = Counter[str](row.status for row in deliveries)
    parts = {"sent": "sent", "held": "held in quiet hours", "failed": "to be tried again", "dead": "given up"}
    parts_told = [f"{wording.number(count[status])} {words}" for status, words in parts.items() if count[status]]
    begun = count["sending"] + count["due"]
    return " · ".join([*parts_told, *([f"{wording.number(begun)} under way"] if begun else [])])


def _deliveries(deliveries: Sequence[Delivery]) -> Html:
    zone = queries.settings().board.timezone
    return table(
        (tr("found"), tr("receiver"), tr("status"), tr("tries"), tr("what"), tr("title"), tr("answer")),
        (
            [
                tag("span", esc(wording.stamp(row.at, zone)), cls="nowrap"),
                esc(row.receiver),
                esc(row.status),
                tag("span", esc(wording.number(row.attempts)), cls="num"),
                esc(row.state),
                link(links.told(row.about), esc(row.title)),
                esc(row.said),
            ]
            for row in deliveries
        ),
        cls="stack",
    )


def _coverage(rows: Sequence[Row]) -> Html:
    head = ("source", "30 days", "posts", "last visit", "it said")
    return table(head, (_row(row) for row in rows), cls="stack")


def _row(row: Row) -> list[Html]:
    zone = queries.settings().board.timezone
    posts = sum(cell.posts for cell in row.cells)
    window = links.window(row.cells[0].day, queries.now())
    strip = tag(
        "div",
        (tag("i", cls=cell.state, title=f"{cell.day.day} {cell.day:%b}: {cell.why}") for cell in row.cells),
        cls="strip",
    )
    return [
        link(links.source(row.source), esc(row.source)),
        strip,
        link(links.unfolded(links.search(source=row.source, **window)), esc(wording.number(posts)), cls="num"),
        tag("span", esc(wording.stamp(row.last.started_at, zone) if row.last else tr("never")), cls="nowrap"),
        _complaint(row.last),
    ]


def _complaint(run: CrawlRun | None) -> Html:
    complaint = (run.error or run.complaint or (f"not whole: {run.remark}" if run.cut else "")) if run else ""
    return (
        tag(
            "span",
            esc(wording.shortened(complaint, 160)),
            cls="sev critical",
            style="text-transform:none;letter-spacing:0;font-weight:400",
        )
        if complaint
        else esc(wording.shortened(run.remark, 160) if run and run.remark else tr("all well"))
    )


def _runs(runs: Sequence[CrawlRun], most: int) -> Html:
    zone = queries.settings().board.timezone
    if not runs:
        return tag("p", esc(tr("It was never visited; its posts came from elsewhere.")), cls="empty")
    rows = (
        [
            tag("span", esc(wording.stamp(run.started_at, zone)), cls="nowrap"),
            link(links.source(run.source), esc(run.source)),
            *(
                tag("span", esc(wording.number(count)), cls="num")
                for count in (run.found, run.stored, run.duplicate, run.refused, run.off_topic, run.undated)
            ),
            tag(
                "span",
                esc(
                    wording.span(run.finished_at - run.started_at)
                    if (run.finished_at - run.started_at).total_seconds() >= 60
                    else f"{(run.finished_at - run.started_at).total_seconds():.0f}{wording.THIN}s"
                ),
                cls="nowrap",
            ),
            _complaint(run),
        ]
        for run in runs[:most]
    )
    return table(
        (
            tr("visit"),
            tr("source"),
            tr("found"),
            tr("new"),
            tr("known"),
            tr("refused"),
            tr("off topic"),
            tr("undated"),
            tr("took"),
            tr("it said"),
        ),
        rows,
        cls="stack",
    )


def _refusals(refusals: Sequence[Refusal]) -> Html:
    if not refusals:
        return tag("p", esc(tr("Nothing was refused.")), cls="empty")
    reasons = Counter(refusal.reason for refusal in refusals).most_common(6)
    tags = tag(
        "p",
        (
            tag("span", esc(f"{wording.shortened(reason, 60)}: {wording.number(count)}"), cls="tagged")
            for reason, count in reasons
        ),
    )
    rows = (
        [
            esc(refusal.source),
            esc(wording.shortened(refusal.reason, 140)),
            esc(wording.shortened(refusal.where, 120)),
            tag("code", esc(wording.shortened(refusal.sample, 120))) if refusal.sample else esc("–"),
        ]
        for refusal in refusals[:MOST_REFUSALS]
    )
    return joined([tags, table((tr("source"), tr("why"), tr("where"), tr("it began with")), rows, cls="stack")])
