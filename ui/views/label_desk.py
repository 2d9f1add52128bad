"""Parts of the page Labelling: disputes, on which somebody rules, and the drawing of documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, cast, get_args

import streamlit as st

from groundswell.configs.taxonomy import load_taxonomy
from groundswell.index.records import Document, Label, Queue, Task
from groundswell.nlp.trust import sampling
from groundswell.nlp.trust.labels import all_judgements, population
from groundswell.nlp.trust.truth import UNSURE, disputed
from groundswell.ui.board import queries
from groundswell.ui.board.elements import Html, esc, joined, link, panel, table, tag
from groundswell.ui.desk import DeskError
from groundswell.ui.labelling import SENTIMENTS, Labelling, drawn, waiting
from groundswell.ui.report import links, wording
from groundswell.ui.report.tongue import tr

MOST_DISPUTES = 50
LONGEST_SHOWN = 3000
WHY: dict[str, str] = {
    "audit": "a random audit: the only one that figures about all documents come from",
    "uncertain": "of what the model is least sure of",
    "disagreement": "on which model, rules and labels differ",
    "drift": "from sources that speak otherwise than before",
    "calibration": "on which people disagree most: everybody votes again, blind, then one rules",
    "gold": "about which somebody has ruled: whoever is new is tested by them",
}
Which = Literal["audit", "uncertain", "disagreement", "drift", "calibration", "gold"]


def disputes() -> None:
    """Show the documents on which people differ, the most disputed first, and let somebody rule on each field."""
    with queries.reader() as reader:
        found = disputed(all_judgements(reader, queries.settings()))
        open_votes = {task.subject for task in waiting(reader) if task.queue == "calibration"}
        by_document: dict[str, list[Sequence[Label]]] = defaultdict(list)
        for labels in found:
            if labels[0].subject not in open_votes:  # a ruling now would spoil the vote
                by_document[labels[0].subject].append(labels)
        worst = sorted(by_document, key=lambda one: (-len(by_document[one]), one))[:MOST_DISPUTES]
        documents = {one.id: one for one in reader.many(Document, worst)}
    if not documents:
        st.html(tag("p", esc(tr("People agree on everything that more than one of them labelled.")), cls="empty"))
        return
    chosen = next((one for one in worst if one in documents), "")
    note = tr("{count} to rule on").format(count=wording.plural(len(by_document), "document"))
    st.html(tag("p", esc(note), cls="note"))
    document = documents[chosen]
    mention = document.mention
    text = mention.text[:LONGEST_SHOWN] + (" …" if len(mention.text) > LONGEST_SHOWN else "")
    where = " · ".join(part for part in (mention.kind, mention.lang, mention.market) if part)
    head = [tag("h3", esc(mention.title))] if mention.title else []
    more = link(links.document(document.id), esc(tr("open")), cls="out")
    st.html(panel(tr("What is it?"), where, joined([*head, tag("p", esc(text), cls="text"), more])))
    rows = [
        [esc(labels[0].field), esc("; ".join(f"{one.annotator}: {one.value}{_note(one)}" for one in labels))]
        for labels in by_document[chosen]
    ]
    st.html(panel(tr("What people said"), "", table((tr("field"), tr("who said what")), rows, cls="stack")))
    _rule(chosen, [labels[0].field for labels in by_document[chosen]])


def _note(label: Label) -> str:
    return f" ({label.note})" if label.note else ""


def _rule(document: str, fields: Sequence[str]) -> None:
    """Take a ruling on each disputed field; Tab, arrows and Enter do it."""
    with st.form(f"rule-{document}", border=False):
        for field in fields:
            values = SENTIMENTS if field == "sentiment" else ("yes", "no", UNSURE)
            st.radio(
                field, values, index=None, horizontal=True, key=f"ruled-{document}-{field}",
                format_func=tr,
            )  # fmt: skip
        st.text_input(
            tr("What others shall learn from it"), key=f"learn-{document}", max_chars=500,
            help=tr("It becomes a guideline, shown beside the class while people label."),
        )  # fmt: skip
        st.form_submit_button(
            tr("Rule"), type="primary", key=f"rule-on-{document}", on_click=_ruled, args=(document, tuple(fields))
        )


def _ruled(document: str, fields: Sequence[str]) -> None:
    given = {field: st.session_state[f"ruled-{document}-{field}"] for field in fields}
    note = str(st.session_state[f"learn-{document}"])
    if not any(given.values()):
        queries.say(tr("Choose what counts for at least one field."), trouble=True)
        return
    with queries.told(), queries.desk() as desk:
        queries.person().need("owner", tr("Ruling on what others labelled"))
        risk_ids = load_taxonomy(queries.settings().taxonomy).risk_ids
        labelling = Labelling(desk.store, risk_ids, desk.audit)
        for field, value in given.items():
            if value:
                labelling.rule(document, field, value, by=queries.me(), now=datetime.now(UTC), note=note)
        queries.say(tr("Ruled."))


def draw() -> None:
    """Put documents into a queue, as `groundswell label draw` does; say what waits."""
    with queries.reader() as reader:
        tasks = waiting(reader)
    st.html(panel(tr("What waits"), "", _queues(tasks)))
    with st.form("draw", border=False), st.container(horizontal=True, key="act-draw", vertical_alignment="bottom"):
        st.selectbox(
            tr("Queue"), get_args(Which), key="draw-queue", width=420,
            format_func=lambda queue: f"{tr(queue)}: {tr(WHY[queue])}",
        )  # fmt: skip
        st.number_input(tr("Documents"), 1, 5000, 200, key="draw-size", width=130)
        st.number_input(tr("Days back"), 1, 365, 7, key="draw-days", width=130)
        st.number_input(
            tr("Second label, %"), 0, 100, 20, key="draw-second", width=150,
            help=tr("Share of an audit that a second person labels without a sight of the first."),
        )  # fmt: skip
        st.form_submit_button(tr("Draw"), type="primary", key="draw-now", on_click=_draw)


def _queues(tasks: Sequence[Task]) -> Html:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for task in tasks:
        counts[task.queue][0] += 1
        counts[task.queue][1] += task.wanted - len(task.given)
    rows = (
        [esc(tr(queue)), esc(wording.number(count)), esc(wording.number(wanted) if queue != "gold" else "–")]
        for queue, (count, wanted) in sorted(counts.items())
    )
    head = (tr("queue"), tr("documents"), tr("labels wanted"))
    return table(head, rows, cls="right stack") if counts else tag("p", esc(tr("Nothing waits.")), cls="empty")


def _draw() -> None:
    state, settings, at = st.session_state, queries.settings(), datetime.now(UTC)
    queue, size, days = cast("Queue", state["draw-queue"]), int(state["draw-size"]), float(state["draw-days"])
    with queries.told(), queries.desk() as desk:
        queries.person().need("owner", tr("Drawing documents"))
        if queries.person().markets:
            raise DeskError(tr("A draw is from all markets: whoever is limited to some cannot make it."))
        labelling = Labelling(desk.store, load_taxonomy(settings.taxonomy).risk_ids, desk.audit)
        if queue == "audit":
            since, second = at - timedelta(days=days), state["draw-second"] / 100
            sample, tasks = sampling.draw_audit(
                population(settings, since=since, until=at), size=size, second=second, since=since, until=at,
                by=queries.me(), now=at,
            )  # fmt: skip
            came = labelling.add(tasks, sample if tasks else None, by=queries.me())
        else:
            tasks = drawn(desk.store, settings, queue, size=size, days=days, now=at)
            came = labelling.add(tasks, by=queries.me())
        queries.say(tr("{count} drawn.").format(count=wording.plural(came, "document")))
