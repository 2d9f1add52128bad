"""Policies: clauses beside complaints, their gaps and changes, root causes of cases, questions with precedent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import streamlit as st

from groundswell.configs.policies import Clause, changes
from groundswell.index.records import Case, Document
from groundswell.nlp.trust.policies import DEEPEST, Gap, answers, causes, draft, page
from groundswell.ui.board import queries
from groundswell.ui.board.elements import Html, esc, joined, link, panel, table, tag
from groundswell.ui.labelling import guidelines
from groundswell.ui.report import links, wording
from groundswell.ui.report.tongue import tr
from groundswell.ui.workbench import clauses_of, gaps_of

MOST_CASES = 100_000


def show() -> None:
    """Draw the page."""
    at, clauses = queries.now(), clauses_of(queries.settings())
    held = [one for one in clauses if one.holds(at.date())]
    text = f"{wording.plural(len(held), 'clause')} hold today"
    st.html(tag("div", [tag("h1", esc(tr("Policies"))), tag("span", esc(text))], cls="top"))
    _ask(clauses, at)
    _gaps(clauses, at)
    _causes()
    _changes(clauses, at.date())
    _clauses(held)


def _ask(clauses: Sequence[Clause], at: datetime) -> None:
    """Answer a question by the clauses it may be about, with the cases that were decided under them."""
    question = queries.addressed_text("ask", "Which clause is it? Ask in words", width=520)
    if not question:
        return
    found = answers(question, clauses, queries.records(Case, MOST_CASES), now=at)[:3]
    parts = [joined([tag("h3", esc(one.clause.title)), *_answer(one.clause, one.precedents)]) for one in found]
    if not parts:
        parts = [tag("p", esc("No clause shares a word with it."), cls="empty")]
    st.html(panel(tr("Clauses it may be about"), "by words that both share, not by their meaning", joined(parts)))


def _answer(clause: Clause, precedents: Sequence[Case]) -> list[Html]:
    where = ", ".join(clause.markets) or "all markets"
    decided = [
        tag(
            "p", [link(f"cases?case={one.id}", esc(one.title)), esc(f": {one.decision or 'closed without a decision'}")]
        )
        for one in precedents
    ]
    return [tag("p", esc(f"{clause.id} ({where}): {clause.text}")), *decided]


def _gaps(clauses: Sequence[Clause], at: datetime) -> None:
    """List what nothing covers, what grows although covered, and where markets differ; offer the draft of a note."""
    found = queries.kept("gaps", at, ask=lambda store: gaps_of(queries.settings(), store, now=at))
    head = ("what", "market", "risk", "28 days", "before", "clauses")
    body = table(head, (_gap(one, at) for one in found), cls="right stack")
    if not found:
        body = tag("p", esc("Nothing grows that is not covered, and markets do not differ."), cls="empty")
    st.html(panel(tr("Policy gaps"), "numbers lead to the documents", body))
    if not found:
        return
    names = [f"{one.market} · {one.risk}" for one in found]
    with st.container(horizontal=True, key="act-draft", vertical_alignment="bottom"):
        chosen = st.selectbox(tr("Draft of a revision note about"), names, key="draft-gap", width=320)
        gap = found[names.index(chosen)] if chosen in names else found[0]
        name = f"revision-{gap.market}-{gap.risk}.md".lower()
        if not queries.may_export():
            return
        st.download_button(
            tr("Draft"),
            queries.later(lambda: _draft(gap, clauses)),
            name,
            "text/markdown",
            on_click="ignore",
            key="draft",
        )


def _gap(one: Gap, at: datetime) -> list[Html]:
    since = links.instant(at - timedelta(days=28))
    address = links.search(market=one.market, risk=one.risk, since=since)
    return [
        esc(one.kind), esc(one.market), esc(one.risk), link(address, esc(f"{one.now:,}")), esc(f"{one.before:,}"),
        esc(", ".join(one.clauses)),
    ]  # fmt: skip


def _draft(gap: Gap, clauses: Sequence[Clause]) -> bytes:
    queries.took(queries.me(), "export draft", gap.risk, {"market": gap.market})
    texts = [one.mention.text for one in queries.many(Document, gap.evidence)]
    return draft(gap, clauses, texts).encode()


def _causes() -> None:
    """Count the root causes of closed cases by month, commonest first, as far down their tree as one asks."""
    closed = queries.records(Case, MOST_CASES)
    if not any(one.status == "closed" and one.cause for one in closed):
        return
    depth = int(queries.addressed_choice("depth", tuple(map(str, range(1, DEEPEST + 1))), "1"))
    found = causes(closed, depth=depth)
    rows = ([esc(n) for n in (o.month, o.cause, o.cases, f"{o.share:.0%}", f"{o.cumulative:.0%}")] for o in found)
    note = f"{wording.plural(depth, 'level')} of the tree (policy > no clause > …)"
    st.html(
        panel(
            tr("Root causes of closed cases"),
            note,
            table(("month", "cause", "cases", "share", "all so far"), rows, cls="right stack"),
        )
    )


def _changes(clauses: Sequence[Clause], today: date) -> None:
    """Say how what holds differs between two days."""
    with st.container(horizontal=True, key="act-changes", vertical_alignment="bottom"):
        before = st.date_input(tr("What changed between"), today - timedelta(days=365), key="before", width=180)
        after = st.date_input(tr("and"), today + timedelta(days=90), key="after", width=180)
    if not isinstance(before, date) or not isinstance(after, date):
        return
    found = changes(clauses, before, after)
    rows = ([esc(one.clause), esc(one.what), esc(", ".join(one.fields))] for one in found)
    body = table(("clause", "how", "what"), rows, cls="stack") if found else tag("p", esc("Nothing."), cls="empty")
    st.html(panel(tr("Changes"), f"{before} to {after}", body))


def _clauses(held: Sequence[Clause]) -> None:
    """Show each clause as a page to work and learn by."""
    with queries.reader() as reader:
        rulings = guidelines(reader)
    st.html(tag("h2", esc(tr("Clauses"))))
    for clause in held:
        with st.expander(clause.title, key=f"clause-{clause.id}"):
            parts = [tag("p", esc(line)) for line in page(clause, rulings).splitlines()[2:] if line.strip()]
            st.html(joined(parts))
