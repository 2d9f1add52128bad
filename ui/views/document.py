"""One document: all of its text, where it is from, its labels and what speaks for them. ``?id=`` leads here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from groundswell.index.query import Query
from groundswell.index.records import Case, Document, Label, Target, Theme
from groundswell.nlp.enrich.occlusion import Piece, speaking
from groundswell.nlp.text.clean import clean_one
from groundswell.nlp.text.clean import joined as said_together
from groundswell.nlp.text.translation import TranslationError
from groundswell.ui.board import queries
from groundswell.ui.board.elements import NOTHING, Html, esc, facts, joined, link, panel, table, tag, web_link
from groundswell.ui.desk import CORRECTIONS
from groundswell.ui.report import links, wording
from groundswell.ui.report.disturbing import claimed
from groundswell.ui.report.tongue import tr
from groundswell.ui.views.documents import document_list, folded, gloss

SHOWN_RISK = 0.05
"""Risks less likely than this are not listed; the risks beside them are those that there are."""
FEELINGS = ("negative", "neutral", "positive")


def show() -> None:
    """Draw the page."""
    wanted = st.query_params.get("id", "")
    document = queries.record(Document, wanted) if wanted else None
    if document is None:
        text = f"There is no document {wanted}; it may have been forgotten." if wanted else "No document was chosen."
        out = link("search", esc(tr("Search")), cls="out")
        st.html(
            joined(
                [tag("div", tag("h1", esc(tr("Document"))), cls="top"), tag("p", [esc(f"{text} "), out], cls="empty")]
            )
        )
        return
    st.html(_head(document))
    left, right = st.columns([1.75, 1], gap="medium")
    with left:
        st.html(_text(document))
        _by_machine(document)
        _evidence(document)
        if copies := _copies(document):
            st.html(copies)
    with right:
        st.html(joined([_labels(document), _origin(document)]))
        _correct(document)
        _to_case(document)


def _head(document: Document) -> Html:
    mention, zone = document.mention, queries.zone()
    when = wording.stamp(mention.published_at, zone) if mention.published_at else "no date"
    title = mention.title or wording.shortened(mention.text, 90)
    if queries.disturbing(claimed(document)):
        title = tr("Document")  # its words wait for a click
    by = [
        link(links.search(source=mention.source), esc(mention.source)),
        tag("span", esc(" · ".join(filter(None, (when, mention.kind, mention.market))))),
        web_link(mention.url),
    ]
    top = tag("div", [tag("h1", esc(wording.shortened(title, 160))), tag("span", Html(" ".join(by)))], cls="top")
    return joined([tag("p", link("search", esc(tr("Search"))), cls="crumb"), top])


def _text(document: Document) -> Html:
    """Return the text as it was found, and as it is read where that differs."""
    mention, read = document.mention, _read(document)
    lang = document.enriched.lang if document.enriched else mention.lang
    found = [tag("p", esc(mention.text), cls="whole", lang=lang)]
    if " ".join(said_together(mention.title, mention.text).split()) != " ".join(read.split()):
        found += [
            tag("h2", esc(tr("As it is read")), style="margin-top:14px"),
            tag("p", esc(read), cls="whole", lang=lang),
        ]
    found.append(gloss(document))
    return panel(
        tr("Text"),
        f"{wording.plural(len(mention.text), 'character')}, as it was found",
        folded(joined(found), claimed(document)),
    )


def _by_machine(document: Document) -> None:
    """Draw what a translation model of one's own makes of the text, where one is set for its language."""
    lang = document.enriched.lang if document.enriched else document.mention.lang
    try:
        with st.spinner(tr("a machine translates")):
            translator = queries.translator(lang)
            if translator is None:
                return
            text = said_together(document.mention.title, document.mention.text)
            said, name = _translated(text, lang, translator.name), translator.name
    except TranslationError as error:
        st.html(tag("p", esc(error), cls="said trouble", role="alert"))
        return
    note = tr("{name}; it may be wrong, and only the text above is evidence").format(name=name)
    st.html(panel(tr("By a machine, in English"), note, tag("p", esc(said), cls="whole", lang="en")))


@st.cache_data(show_spinner=False, max_entries=256)
def _translated(text: str, lang: str, name: str) -> str:  # noqa: ARG001  another model is another answer
    translator = queries.translator(lang)
    return translator.translate([clean_one(text)])[0] if translator else ""


def _read(document: Document) -> str:
    return clean_one(said_together(document.mention.title, document.mention.text))


# --- labels and what speaks for them ---------------------------------------------------------------------------------


def _unread(characters: int) -> str:
    """Return what the labels do not speak of: of a text too long not all is read."""
    return f"; {wording.plural(characters, 'character')} of the text not read" if characters else ""


def _labels(document: Document) -> Html:
    enriched = document.enriched
    if enriched is None:
        return panel(
            tr("Labels"), "", tag("p", esc(tr("It has not been read yet: groundswell enrich does.")), cls="empty")
        )
    feeling = enriched.sentiment
    rows = [_chance(name, getattr(feeling, name), name == feeling.label) for name in FEELINGS]
    likely = sorted(enriched.risks.items(), key=lambda pair: -pair[1])
    rows += [_chance(wording.risk(risk), p, p >= 0.5) for risk, p in likely if p >= SHOWN_RISK]
    unlikely = sum(p < SHOWN_RISK for p in enriched.risks.values())
    lines = [
        ("feeling", esc(feeling.label)),
        ("language", esc(f"{enriched.lang} ({enriched.lang_confidence:.2f})")),
        ("about", esc(", ".join(map(_about, enriched.targets)) or "nobody named")),
        (
            "spoken of",
            esc(", ".join(f"{wording.risk(risk)}: {how}" for risk, how in enriched.stances.items()) or "no risk"),
        ),
        ("rules", _rules(enriched.rules)),
        ("read by", esc(enriched.made_by + _unread(enriched.unread))),
    ]
    note = f"{wording.plural(unlikely, 'risk')} under {SHOWN_RISK:.2f} not listed" if unlikely else ""
    chart = tag("div", rows, cls="bars")
    return panel(
        tr("Labels"),
        tr("with their probabilities"),
        joined([chart, facts(lines, cls="one"), tag("p", esc(note), cls="note")]),
    )


def _about(target: Target) -> str:
    """Return whom a feeling is about: by name where it has one, and whether it is only the victim."""
    who = f"{target.name} ({target.who})" if target.name else target.who
    return f"{who}, victim" if target.role == "victim" else f"{who}: {target.label}"


def _chance(name: str, probability: float, claimed: bool) -> Html:
    parts = [
        tag("i"),
        tag("span", esc(name)),
        tag("b", esc(f"{probability:.2f}")),
        tag("em", esc(tr("said") if claimed else "")),
    ]
    return tag("span", parts, cls="bar", style=f"--w:{100 * probability:.1f}%")


def _rules(rules: Sequence[str]) -> Html:
    parts = [link(links.search(rule=rule), esc(rule)) for rule in rules]
    return Html(", ".join(parts)) if parts else esc(tr("none"))


def _evidence(document: Document) -> None:
    """Draw what in the text speaks for a label, once somebody asks: the model reads the text piece by piece."""
    if document.enriched is None:
        return
    named = [document.enriched.sentiment.label] if document.enriched.sentiment.label in FEELINGS else []
    risks = [risk for risk, p in sorted(document.enriched.risks.items(), key=lambda pair: -pair[1]) if p >= SHOWN_RISK]
    labels = [*named, *risks[:8]]
    if not labels:
        return
    with st.container(key="panel-speaks"):
        st.html(
            tag(
                "h2",
                [esc(tr("What speaks for it")), tag("em", esc(tr(" · probability without each piece of the text")))],
            )
        )
        with st.container(horizontal=True, key="act-speaks", vertical_alignment="center"):
            label = st.selectbox(tr("Label"), labels, format_func=wording.risk, label_visibility="collapsed", width=200)
            asked = st.button(tr("Show"), key="speaks")
        if asked and label:
            with st.spinner(tr("reading the text piece by piece")):
                st.html(_marked(_read(document), _speaking(_read(document), label)))


@st.cache_data(show_spinner=False, max_entries=64)
def _speaking(text: str, label: str) -> list[Piece]:
    return speaking(text, label, queries.model())


def _marked(text: str, found: Sequence[Piece]) -> Html:
    """Return the text with the pieces that speak for a label marked, and their numbers below."""
    if not found:
        return tag("p", esc(tr("No single piece does: without any one of them the probability stays.")), cls="empty")
    parts, at = [], 0
    for piece in sorted(found[:12], key=lambda piece: piece.begin):
        parts += [
            esc(text[at : piece.begin]),
            tag("mark", esc(text[piece.begin : piece.end]), title=f"−{piece.fall:.2f}"),
        ]
        at = piece.end
    rows = ([esc(text[p.begin : p.end]), tag("span", esc(f"−{p.fall:.2f}"), cls="num")] for p in found[:12])
    return joined(
        [tag("p", [*parts, esc(text[at:])], cls="whole"), table((tr("without"), tr("probability")), rows, cls="right")]
    )


# --- where from, copies ----------------------------------------------------------------------------------------------


def _origin(document: Document) -> Html:
    mention, zone, membership = document.mention, queries.zone(), document.membership
    theme = queries.record(Theme, membership.theme) if membership and membership.theme else None
    doubt = {"exact": "", "day": "to the day", "inferred": "guessed from the page", "none": "not to be trusted"}
    where = [
        ("published", esc(wording.stamp(mention.published_at, zone) if mention.published_at else tr("unknown"))),
        ("date", esc(doubt[mention.date_confidence])),
        ("fetched", esc(wording.stamp(mention.fetched_at, zone))),
        (
            "theme",
            link(links.theme(theme.id), esc(wording.shortened(wording.theme(theme), 60))) if theme else esc(tr("none")),
        ),
        (
            "author",
            link(links.search(author=mention.author_key), esc(tr("all by the same")))
            if mention.author_key
            else NOTHING,
        ),
        (
            "thread",
            link(links.search(thread=mention.thread), esc(tr("the whole thread"))) if mention.thread else NOTHING,
        ),
        ("reach", esc(wording.number(mention.reach)) if mention.reach is not None else NOTHING),
        ("rating", esc(f"{mention.rating:g}") if mention.rating is not None else NOTHING),
        ("id", tag("code", esc(mention.id))),
    ]
    more = [(str(name)[:40], esc(wording.shortened(str(value), 160))) for name, value in sorted(mention.extra.items())]
    body = facts([*where, *more[:12]], cls="one")
    return tag("div", panel(tr("Where from"), "", body), style="margin-top:16px")


def _copies(document: Document) -> Html:
    enriched = document.enriched
    if enriched is None:
        return NOTHING
    query = Query(where={"duplicate": (enriched.duplicate_of or document.id,)}, limit=20, sort="oldest")
    page = queries.search(query)
    others = [hit for hit in page.hits if hit.document.id != document.id]
    if not others:
        return NOTHING
    count = wording.plural(page.total - 1, "copy", "copies")
    address = links.unfolded(links.search(duplicate=enriched.duplicate_of or document.id))
    every = tag("p", link(address, esc(f"all {wording.number(page.total)} together"), cls="out"), cls="note")
    return panel(
        count, tr("the same text elsewhere, oldest first"), joined([document_list(others, queries.zone()), every])
    )


# --- what a person may do --------------------------------------------------------------------------------------------


def _correct(document: Document) -> None:
    labels = [label for label in queries.records(Label, 20_000) if label.subject == document.id]
    with st.container(key="panel-correct"):
        st.html(tag("h2", [esc(tr("Correct a label")), tag("em", esc(tr(" · kept beside what the model said")))]))
        for label in labels:
            st.html(tag("p", esc(f"{label.field}: {label.value}, {label.annotator}"), cls="note"))
        with st.container(horizontal=True, key="act-correct", vertical_alignment="bottom"):
            names = [*CORRECTIONS, *(document.enriched.risks if document.enriched else ())]
            field = st.selectbox(tr("Label"), names, format_func=wording.risk, key="field", width=170)
            st.selectbox(tr("It is"), CORRECTIONS.get(field, ("yes", "no")), key=f"value-{field}", width=110)
            st.button(tr("Save"), key="correct", on_click=_save, args=(document.id, field))


def _save(document: str, field: str) -> None:
    value = st.session_state[f"value-{field}"]  # as it stands when it is clicked: what was drawn may be older
    with queries.told(), queries.desk() as desk:
        desk.correct(document, field, value, by=queries.me(), now=datetime.now(UTC))
        queries.say(f"Kept: {wording.risk(field)} is {value}.")


def _to_case(document: Document) -> None:
    cases = {case.id: case for case in queries.records(Case, 5000) if case.status != "closed"}
    holding = [case for case in cases.values() if any(item.get("id") == document.id for item in case.evidence)]
    with st.container(key="panel-case"):
        st.html(tag("h2", esc(tr("Cases"))))
        for case in holding:
            st.html(tag("p", link(links.case(case.id), esc(wording.shortened(case.title, 80)))))
        free = [case for case in cases if case not in {one.id for one in holding}]
        if not free:
            st.html(tag("p", esc(tr("No other case is open.") if holding else tr("No case is open.")), cls="empty"))
            return
        with st.container(horizontal=True, key="act-case", vertical_alignment="bottom"):
            st.selectbox(
                tr("Case"), free, key="case-for-it", format_func=lambda one: wording.shortened(cases[one].title, 60),
                label_visibility="collapsed", width=220,
            )  # fmt: skip
            st.button(tr("Add to it"), key="to-case", on_click=_add, args=(document.id,))


def _add(document: str) -> None:
    case = st.session_state["case-for-it"]
    with queries.told(), queries.desk() as desk:
        desk.add_documents(case, [document], because="this document", by=queries.me(), now=datetime.now(UTC))
        queries.say("The document is in the case, as it stands now.")
