"""Label: one document at a time, with the keyboard, blind; what the classes mean stands beside it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from math import ceil
from typing import Literal

import streamlit as st

from groundswell.configs.taxonomy import Risk, load_taxonomy
from groundswell.index.permitted import EVERYBODY
from groundswell.index.records import Document, Label, Task
from groundswell.nlp.trust.onboarding import Onboarding
from groundswell.nlp.trust.truth import NONE, RISKS, UNSURE
from groundswell.ui.board import queries
from groundswell.ui.board.elements import Html, esc, joined, link, panel, tag
from groundswell.ui.labelling import SENTIMENTS, Labelling, guidelines, next_task, onboarding_of, waiting
from groundswell.ui.report import wording
from groundswell.ui.report.tongue import tr
from groundswell.ui.views.label_desk import disputes, draw

LETTERS = "qwetyuiopadfghjklzxvbnm"
"""Keys of the risks, in the taxonomy's order; digits are for feelings, S saves. Streamlit keeps C and R for itself."""
LONGEST_SHOWN = 6000
EXAMPLES = 3


PARTS = {"": "Label", "disputes": "Disputes", "draw": "Draw documents"}


def show() -> None:
    """Draw the page."""
    rules = queries.settings().labelling
    with queries.reader() as reader:
        left, task = len(waiting(reader)), next_task(reader, queries.me(), rules=rules)
        document = reader.get(Document, task.subject) if task else None
        rulings, test = guidelines(reader), onboarding_of(reader, queries.me(), rules)
    text = tr("{count} waiting").format(count=wording.plural(left, "document"))
    st.html(tag("div", [tag("h1", esc(tr("Labelling"))), tag("span", esc(text))], cls="top"))
    if queries.me() == EVERYBODY.name:
        st.html(tag("p", esc(tr("Say who you are, at the left: a label has a name.")), cls="empty"))
        return
    part = _parts()
    if part == "disputes":
        disputes()
        return
    if part == "draw":
        draw()
        return
    if not test.passed:
        st.html(_test(test))
    if task is None or document is None:
        hint = tr("Nothing waits for you. Draw documents, or groundswell label draw audit, puts some here.")
        if not test.passed:
            hint = tr("No gold task is left for you: ask whoever rules to draw more of them.")
        st.html(tag("p", esc(hint), cls="empty"))
        return
    risks = load_taxonomy(queries.settings().taxonomy).risks
    item, beside = st.columns([3, 2])
    with item:
        _document(document, task)
        _answer(task, risks)
    with beside:
        _meanings(risks, rulings)


def _parts() -> str:
    """Draw the parts of the page; return the one that the address asks for."""
    asked = st.query_params.get("part", "")
    part = asked if asked in PARTS else ""
    tabs = (
        link(f"label?part={name}" if name else "label", esc(tr(title)), cls="tagged on" if name == part else "tagged")
        for name, title in PARTS.items()
    )
    st.html(tag("p", tabs, cls="words", role="navigation", aria_label=tr("Labelling")))
    return part


def _test(test: Onboarding) -> Html:
    """Return how far somebody is with the test that comes before all else."""
    said = tr("Test first: {answered} of {wanted} answered, {right} right in all that is known; {mark} open the queue.")
    numbers = {
        "answered": wording.number(test.answered), "wanted": wording.number(test.wanted),
        "right": wording.number(test.right), "mark": wording.number(ceil(test.mark * test.wanted)),
    }  # fmt: skip
    return tag("p", esc(said.format(**numbers)), cls="said", role="status")


def _document(document: Document, task: Task) -> None:
    mention = document.mention
    where = " · ".join(part for part in (mention.kind, task.lang or mention.lang, mention.market) if part)
    text = mention.text[:LONGEST_SHOWN] + (" …" if len(mention.text) > LONGEST_SHOWN else "")
    body = [tag("h3", esc(mention.title))] if mention.title else []
    st.html(panel(tr("What is it?"), where, joined([*body, tag("p", esc(text), cls="text")])))


def _answer(task: Task, risks: Sequence[Risk]) -> None:
    """Take the answer: a key for each feeling and risk, S to save; what was chosen stands out."""
    answers = st.session_state.setdefault("labelling", {})
    if answers.get("task") != task.id:
        answers.clear()
        answers.update(task=task.id, sentiment="", risks=set(), begun=time.monotonic())
    with st.container(horizontal=True, key="act-sentiment"):
        for number, value in enumerate(SENTIMENTS, 1):
            chosen = _standing(answers["sentiment"] == value)
            st.button(tr(value), key=f"feel-{value}", shortcut=str(number), type=chosen, on_click=_feel, args=(value,))
    with st.container(horizontal=True, key="act-risks"):
        for risk, letter in zip_longest(risks, LETTERS[: len(risks)]):
            chosen = _standing(risk.id in answers["risks"])
            st.button(risk.title, key=f"risk-{risk.id}", shortcut=letter, type=chosen, on_click=_risk, args=(risk.id,))
        chosen = _standing(UNSURE in answers["risks"])
        st.button(tr("unsure which"), key="risk-unsure", shortcut="0", type=chosen, on_click=_risk, args=(UNSURE,))
    st.text_input(tr("Why, if it is not plain"), key=f"note-{task.id}", max_chars=500)
    st.button(tr("Save and next"), key="save-label", shortcut="s", type="primary", on_click=_save, args=(task,))


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
        queries.say(tr("Say the feeling first: 1 to 4."), trouble=True)
        return
    values = {"sentiment": answers["sentiment"], RISKS: " ".join(sorted(answers["risks"])) or NONE}
    seconds = round(time.monotonic() - answers["begun"], 1)
    with queries.told(), queries.desk() as desk:
        risk_ids = load_taxonomy(queries.settings().taxonomy).risk_ids
        Labelling(desk.store, risk_ids, desk.audit, queries.settings().labelling).answer(
            task.id, values, by=queries.me(), now=datetime.now(UTC), seconds=seconds, note=note
        )


def _meanings(risks: Sequence[Risk], rulings: Sequence[Label]) -> None:
    """Show what each class means, with examples and counter-examples, and what was ruled about it."""
    st.html(tag("h2", esc(tr("What the classes mean"))))
    for risk in risks:
        with st.expander(risk.title):
            parts = [tag("p", esc(risk.definition))]
            parts += [tag("p", esc(tr("is: {text}").format(text=one))) for one in risk.examples[:EXAMPLES]]
            parts += [tag("p", esc(tr("is not: {text}").format(text=one))) for one in risk.counterexamples[:EXAMPLES]]
            parts += [
                tag("p", esc(tr("ruled {value}: {text}").format(value=one.value, text=one.note)))
                for one in rulings
                if one.field == risk.id
            ]
            st.html(joined(parts))
