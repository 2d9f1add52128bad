"""Rules: what each is about and whether it works; measured by labels, tried before they are kept, terms they lack."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from groundswell.configs.taxonomy import load_taxonomy
from groundswell.configs.yaml_lines import ConfigError
from groundswell.nlp.trust import rules as measuring
from groundswell.ui.board import queries
from groundswell.ui.board.elements import Html, esc, joined, panel, table, tag
from groundswell.ui.report import wording
from groundswell.ui.report.tongue import tr
from groundswell.ui.views.documents import folded
from groundswell.ui.workbench import all_rules, rules_of_text, texts_of, tried

NEWEST = 2000
"""Documents that rules are measured on beside the labelled ones: enough for a click's patience."""
EXAMPLES = 3
LONGEST_RULES = 50_000
FIRST = """rules:
  - id: lucky_wheel
    about: gambling
    any: ["lucky wheel", "vòng quay may mắn"]
    match: ["Spin the lucky wheel and win"]
    reject: ["A wheel of my car is broken"]
"""


def show() -> None:
    """Draw the page."""
    rules = all_rules(queries.settings())
    working = {each.rule.id for each in rules.proven(datetime.now(UTC))[0].compiled}
    note = f"{wording.plural(len(rules.compiled), 'rule')}, {len(working):,} work"
    st.html(tag("div", [tag("h1", esc(tr("Rules"))), tag("span", esc(note))], cls="top"))
    _try()
    _suggest()
    _measure()
    rows = (
        [
            esc(rule.id),
            esc(rule.about),
            esc(rule.version),
            esc(rule.owner),
            esc(rule.expires or ""),
            esc(_state(rule.shadow, rule.id in working)),
        ]
        for each in rules.compiled
        for rule in [each.rule]
    )
    head = ("rule", "about", "version", "owner", "expires", "state")
    with st.expander(tr("All rules"), key="all-rules"):
        st.html(table(head, rows, cls="stack"))


def _state(shadow: bool, works: bool) -> str:
    return "left out" if not works else "shadow" if shadow else "works"


def _try() -> None:
    """Take rules as they are written down, prove them, and run them over stored documents; nothing is kept."""
    with st.container(key="panel-try"), st.form("try-rules", border=False):
        st.session_state.setdefault("rules-text", FIRST)
        text = st.text_area(tr("Rules to try"), key="rules-text", height=220, max_chars=LONGEST_RULES)
        asked = st.form_submit_button(tr("Try on stored documents"), type="primary")
    if not asked:
        return
    settings = queries.settings()
    try:
        fresh = rules_of_text(settings, text)
        broken = fresh.proven(datetime.now(UTC))[1]
    except ConfigError as error:
        st.html(tag("p", esc(error), cls="said trouble", role="alert"))
        return
    texts, labels = _texts()
    found = tried(all_rules(settings), fresh, texts, labels)
    hits = measuring.hits_of(fresh, texts)
    parts = [tag("p", esc(complaint), cls="said trouble") for complaint in broken]
    rows = ([esc(n) for n in (one.id, one.hits, one.alone, one.judged, one.right, one.precision)] for one in found)
    parts.append(table(("rule", "hits", "alone", "judged", "right", "precision"), rows, cls="right stack"))
    for one in found:
        shown = [each for each, met in zip(texts, hits, strict=True) if one.id in met][:EXAMPLES]
        parts += [folded(tag("p", esc(f"{one.id}: {each.text[:300]}"), cls="text"), each.risks) for each in shown]
    note = f"over {len(texts):,} documents; alone: what neither the model nor a rule of yours finds today"
    st.html(panel(tr("What they would find"), note, joined(parts)))


def _suggest() -> None:
    """Find terms and hidden spellings that rules of a risk lack."""
    taxonomy = load_taxonomy(queries.settings().taxonomy)
    with st.container(horizontal=True, key="act-suggest", vertical_alignment="bottom"):
        risk = st.selectbox(tr("Terms that would find more of"), taxonomy.risk_ids, key="suggest-risk", width=280)
        asked = st.button(tr("Suggest"), key="suggest")
    if not asked or risk is None:
        return
    texts, labels = _texts()
    rules, words = all_rules(queries.settings()), [word.rstrip("*") for word in taxonomy.risk(risk).words]
    found = [
        *measuring.suggest_spellings(texts, labels, risk, words)[:20],
        *measuring.suggest(rules, texts, labels, risk),
    ]
    by = "people" if measuring.truth_for(texts, labels, risk)[1] else "the model, for too few are labelled"
    head = ("term", "hides", "finds", "wrongly", "documents", "for example")
    rows = ([esc(n) for n in (o.term, o.meant, o.found, o.wrong, o.everywhere, o.example[:120])] for o in found)
    body = (
        table(head, rows, cls="stack")
        if found
        else tag("p", esc("No term and no spelling would find more."), cls="empty")
    )
    st.html(panel(tr("Suggested terms"), f"measured on texts they were not taken from; right is what {by} say", body))


def _measure() -> None:
    """Measure the rules by what people labelled, when asked."""
    if not st.button(tr("Measure all rules"), key="measure"):
        return
    texts, labels = _texts()
    rules = all_rules(queries.settings())
    found = sorted((one for one in measuring.measure(rules, texts, labels) if one.hits), key=lambda one: -one.hits)
    head = ("rule", "hits", "alone", "judged", "precision", "recall")
    parts: list[Html] = [
        table(
            head,
            ([esc(n) for n in (o.id, o.hits, o.alone, o.judged, o.precision, o.recall)] for o in found),
            cls="right stack",
        )
    ]
    parts += [
        tag("p", esc(f"{o.one} and {o.other} hit the same {o.both:,} documents (Jaccard {o.similarity:.2f})"))
        for o in measuring.overlaps(rules, texts)[:20]
    ]
    st.html(panel(tr("Measured by labels"), f"over {len(texts):,} documents, 95 % intervals", joined(parts)))


def _texts() -> tuple[list[measuring.Text], measuring.Known]:
    """Return the documents that whoever is here may see, and what people say of them."""
    with queries.reader() as reader:
        return texts_of(reader, queries.settings(), NEWEST)
