"""Label: one document at a time, with the keyboard, blind; what the classes mean stands beside it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Literal

import streamlit as st

from groundswell.configs.taxonomy import Risk, load_taxonomy
from groundswell.index.permitted import EVERYBODY
from groundswell.index.records import Document, Label, Task
from groundswell.nlp.trust.truth import NONE, RISKS, UNSURE
from groundswell.ui.board import queries
from groundswell.ui.board.elements import esc, joined, panel, tag
from groundswell.ui.labelling import SENTIMENTS, Labelling, guidelines, next_task, waiting
from groundswell.ui.report import wording
from groundswell.ui.report.tongue import tr

LETTERS = "qwetyuiopadfghjklzxvbnm"
"""Keys of the risks, in the taxonomy's order; digits are for feelings, S saves. Streamlit keeps C and R for itself."""
LONGEST_SHOWN = 6000
EXAMPLES = 3


def show() -> None:
    """Draw the page."""
    with queries.reader() as reader:
        left, task = len(waiting(reader)), next_task(reader, queries.me())
        document = reader.get(Document, task.subject) if task else None
        rulings = guidelines(reader)
    text = f"{wording.plural(left, 'document')} waiting"
    st.html(tag("div", [tag("h1", esc(tr("Labelling"))), tag("span", esc(text))], cls="top"))
    if queries.me() == EVERYBODY.name:
        st.html(tag("p", esc("Say who you are, at the left: a label has a name."), cls="empty"))
        return
    if task is None or document is None:
        st.html(tag("p", esc("Nothing waits for you. groundswell label draw audit puts documents here."), cls="empty"))
        return
    risks = load_taxonomy(queries.settings().taxonomy).risks
    item, beside = st.columns([3, 2])
    with item:
        _document(document, task)
        _answer(task, risks)
    with beside:
        _meanings(risks, rulings)


def _document(document: Document, task: Task) -> None:
    mention = document.mention
    where = " · ".join(part for part in (mention.kind, task.lang or mention.lang, mention.market) if part)
    text = mention.text[:LONGEST_SHOWN] + (" …" if len(mention.text) > LONGEST_SHOWN else "")
    body = [tag("h3", esc(mention.title))] if mention.title else []
    st.html(panel("What is it?", where, joined([*body, tag("p", esc(text), cls="text")])))


def _answer(task: Task, risks: Sequence[Risk]) -> None:
    """Take the answer: a key for each feeling and risk, S to save; what was chosen stands out."""
    answers = st.session_state.setdefault("labelling", {})
    if answers.get("task") != task.id:
        answers.clear()
        answers.update(task=task.id, sentiment="", risks=set(), begun=time.monotonic())
    with st.container(horizontal=True, key="act-sentiment"):
        for number, value in enumerate(SENTIMENTS, 1):
            chosen = _standing(answers["sentiment"] == value)
            st.button(value, key=f"feel-{value}", shortcut=str(number), type=chosen, on_click=_feel, args=(value,))
    with st.container(horizontal=True, key="act-risks"):
        for risk, letter in zip_longest(risks, LETTERS[: len(risks)]):
            chosen = _standing(risk.id in answers["risks"])
            st.button(risk.title, key=f"risk-{risk.id}", shortcut=letter, type=chosen, on_click=_risk, args=(risk.id,))
        chosen = _standing(UNSURE in answers["risks"])
        st.button("unsure which", key="risk-unsure", shortcut="0", type=chosen, on_click=_risk, args=(UNSURE,))
    st.text_input("Why, if it is not plain", key=f"note-{task.id}", max_chars=500)
    st.button("Save and next", key="save-label", shortcut="s", type="primary", on_click=_save, args=(task,))


def _standing(chosen: bool) -> Literal["primary", "secondary"]:
    return "primary" if chosen else "secondary"


def _feel(value: str) -> None:
    st.session_state["labelling"]["sentiment"] = value


def _risk(risk: str) -> None:
    st.session_state["labelling"]["risks"] ^= {risk}


def _save(task: Task) -> None:
    note = st.session_state[f"note-{task.id}"]  # as it stands when it is clicked: what was drawn may be older
    answers = st.session_state["labelling"]
    if not answers["sentiment"]:
        queries.say("Say the feeling first: 1 to 4.", trouble=True)
        return
    values = {"sentiment": answers["sentiment"], RISKS: " ".join(sorted(answers["risks"])) or NONE}
    seconds = round(time.monotonic() - answers["begun"], 1)
    with queries.told(), queries.desk() as desk:
        risk_ids = load_taxonomy(queries.settings().taxonomy).risk_ids
        Labelling(desk.store, risk_ids, desk.audit).answer(
            task.id, values, by=queries.me(), now=datetime.now(UTC), seconds=seconds, note=note
        )


def _meanings(risks: Sequence[Risk], rulings: Sequence[Label]) -> None:
    """Show what each class means, with examples and counter-examples, and what was ruled about it."""
    st.html(tag("h2", esc("What the classes mean")))
    for risk in risks:
        with st.expander(risk.title):
            parts = [tag("p", esc(risk.definition))]
            parts += [tag("p", esc(f"is: {one}")) for one in risk.examples[:EXAMPLES]]
            parts += [tag("p", esc(f"is not: {one}")) for one in risk.counterexamples[:EXAMPLES]]
            parts += [tag("p", esc(f"ruled {one.value}: {one.note}")) for one in rulings if one.field == risk.id]
            st.html(joined(parts))
