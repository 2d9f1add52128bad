"""Search: the query language, what it finds, counted and listed, and taken away as a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from groundswell.index.export import export_search
from groundswell.index.foreign_signs import remarks
from groundswell.index.query import By, Field, Page, Query, wanted_words
from groundswell.index.query_language import HELP, QueryError, timeless
from groundswell.index.records import Case, SavedSearch
from groundswell.ui.board import charts, queries, timeline
from groundswell.ui.board.elements import NOTHING, Html, bold, esc, joined, link, tag
from groundswell.ui.desk import MOST_EVIDENCE
from groundswell.ui.report import links, wording
from groundswell.ui.report.asked import Asked, asked
from groundswell.ui.report.explain import LONGEST_SPAN
from groundswell.ui.report.series import DAY, day_axis, volume_series
from groundswell.ui.report.tongue import tr
from groundswell.ui.report.why import why_here
from groundswell.ui.trail import conditions
from groundswell.ui.views.actions import actions
from groundswell.ui.views.documents import document_list
from groundswell.ui.views.inbox import standing_said

FILES = (("csv", "CSV", "text/csv"), ("jsonl", "JSONL", "application/jsonl"), ("parquet", "Parquet", None))
"""What everything that was found can be taken as."""
FACETS: tuple[Field, ...] = ("risk", "sentiment", "market", "lang", "source", "kind", "target", "theme")
PAGE = 20
SORTS: Mapping[str, str] = {"newest": "Newest", "relevance": "Best match", "oldest": "Oldest"}
EXAMPLES = (
    ('"guaranteed returns" OR 杀猪盘', "either, the first as a phrase"),
    ("deepfake market:SG since:7d", "a word, in one market, in the last week"),
    ("risk:gambling -lang:id", "a risk, not in Indonesian"),
    ("sentiment:negative kind:review", "what reviews complain about"),
)


def show() -> None:
    """Draw the page."""
    st.html(tag("div", tag("h1", esc(tr("Search"))), cls="top"))
    this = _ask()
    try:
        query = queries.asked(this)
    except QueryError as error:
        st.html(tag("p", esc(error), cls="said trouble", role="alert"))
        return
    for remark in remarks(this.text):
        st.html(tag("p", esc(remark), cls="note"))
    near = bool(wanted_words(query.match)) and st.query_params.get("meaning") == "1"
    if near:
        query = _near(query)
    cursors = _cursors(this)
    page = queries.search(replace(query, limit=PAGE, highlight=True, facets=FACETS, cursor=cursors[-1]))
    if not page.total:
        _nothing(this)
        return
    results, counts = st.columns([2.4, 1], gap="medium")
    with results:
        _results(page, query, this, cursors)
    with counts:
        _counts(page, query, this)


def _ask() -> Asked:
    given = asked(st.query_params.to_dict())
    if st.session_state.get("asked") != given.text:  # a link was followed: it decides what stands in the field
        st.session_state["asked"] = st.session_state["query"] = given.text
    with st.container(key="panel-ask"):
        st.text_input(
            tr("Search"),
            key="query",
            label_visibility="collapsed",
            placeholder=tr('words, "a phrase", OR, -not, risk:gambling, market:SG, since:7d'),
            on_change=_asked,
            max_chars=2000,
        )
        with st.container(horizontal=True, key="act-ask", vertical_alignment="center"):
            sort = queries.addressed_choice(
                "sort",
                ["", *SORTS],
                tr("Order of the words asked"),
                names={name: tr(words) for name, words in SORTS.items()},
                width=190,
            )
            hint = "List and count each copy of a text. Otherwise texts that say the same count once."
            copies = queries.addressed_switch("copies", tr("Copies too"), hint=hint)
            more = tr("Also what says the same in other words or languages; the best first.")
            queries.addressed_switch("meaning", tr("Meaning too"), hint=more)
            with st.popover(tr("How to ask")):
                _help()
            with st.popover(tr("Saved")):
                _saved(given.text)
            _to_case(given)
    if given.of:
        whole = link(links.search_text(given.text), esc(tr("search everything")), cls="out")
        st.html(tag("p", [esc(f"Within the documents of {_called(given.of)}; "), whole, esc(".")], cls="note"))
        if (entry := queries.inbox()[given.of.partition("-")[2]]) is not None:
            st.html(tag("p", esc(f"{entry.title}: {standing_said(entry)}"), cls="state"))
            actions(entry)
    return replace(given, sort=sort, copies=copies)


def _called(of: str) -> str:
    kind, _, own = of.partition("-")
    return f"one {'signal' if kind == 'signal' else 'alert with all that followed it'} ({own})"


def _asked() -> None:
    st.session_state["asked"] = st.session_state["query"]
    st.query_params["q"] = st.session_state["query"]


def _to_case(given: Asked) -> None:
    """Offer to put everything that was found into a case."""
    cases = [case for case in queries.records(Case) if case.status != "closed"]
    if not cases or not (given.text or given.of):
        return
    titles = {case.id: wording.shortened(case.title, 60) for case in cases}
    with st.popover(tr("Add to a case")):
        st.selectbox(tr("Case"), list(titles), format_func=titles.__getitem__, key="to-case")
        st.button(tr("Add all that is found"), key="add-found", on_click=_add_found, args=(given,))


def _add_found(given: Asked) -> None:
    case = st.session_state["to-case"]  # as it stands when it is clicked: what was drawn may be older
    with queries.told(), queries.desk() as desk:
        found = desk.store.scan(queries.asked(replace(given, copies=True)))
        ids = [document.id for document in islice(found, MOST_EVIDENCE)]
        because = f"search: {given.text or given.of}"
        desk.add_documents(case, ids, because=because, by=queries.me(), now=datetime.now(UTC))
        queries.say(f"{wording.plural(len(ids), 'document')} of this search are in the case now.")


def _help() -> None:
    rows = (
        tag("li", [link(links.search_text(text), tag("code", esc(text))), esc(f" {what}")]) for text, what in EXAMPLES
    )
    st.html(joined([tag("ul", rows), tag("pre", esc(HELP), cls="help")]))


def _saved(asked: str) -> None:
    saved = [one for one in queries.records(SavedSearch) if one.language == "search"]
    for item in saved[:30]:
        with st.container(horizontal=True, key=f"saved-{item.id}", vertical_alignment="center"):
            st.html(tag("p", [link(links.search_text(item.text), esc(item.name)), esc(f" · {item.owner}")]))
            st.button(tr("Forget"), key=f"forget-{item.id}", on_click=_forget, args=(item.id,))
        _tells(item)
    if not saved:
        st.html(tag("p", esc(tr("No search is saved yet.")), cls="empty"))
    with st.form("save", border=False, clear_on_submit=True):
        name = st.text_input(tr("Save this search as"), max_chars=100)
        if st.form_submit_button(tr("Save"), disabled=not _understood(asked)) and name:
            with queries.told(), queries.desk() as desk:
                desk.save_search(name, asked, by=queries.me(), now=datetime.now(UTC))
                queries.say(f"Saved: {name}")
            st.rerun()


def _understood(text: str) -> bool:
    """Tell whether there is a search to keep: what cannot be understood is explained on the page, and not kept."""
    try:
        return bool(text) and queries.asked(Asked(text)) is not None
    except QueryError:
        return False


def _tells(item: SavedSearch) -> None:
    """Offer whom to tell when a saved search changes: those that alerts go to."""
    receivers = [one.id for one in queries.settings().alerts.receivers]
    if not receivers:
        return
    st.multiselect(
        tr("Tell me when it changes"),
        receivers,
        [one for one in item.tell if one in receivers],
        key=f"tell-{item.id}",
        on_change=_tell,
        args=(item.id,),
        help=tr("When it is first spoken of, louder than usual, as usual again, and silent for seven days."),
    )


def _tell(id: str) -> None:
    with queries.told(), queries.desk() as desk:
        changed = desk.tell_when(id, st.session_state[f"tell-{id}"], by=queries.me())
        said = tr("Told when it changes: {names}").format(names=", ".join(changed.tell) or tr("nobody"))
        queries.say(f"{changed.name}. {said}")


def _forget(id: str) -> None:
    with queries.told(), queries.desk() as desk:
        desk.forget_search(id, by=queries.me())
        queries.say("Forgotten.")


def _cursors(this: Asked) -> list[str]:
    """Return the cursors of the pages up to this one; another question begins at its first page."""
    if st.session_state.get("paged") != this:
        st.session_state["paged"], st.session_state["cursors"] = this, [""]
    cursors: list[str] = st.session_state["cursors"]
    return cursors


def _near(query: Query) -> Query:
    """Return a search that also finds what is nearest in meaning (the two orders are fused by reciprocal rank)."""
    with st.spinner(tr("reading what is meant")):
        return replace(query, vector=queries.meaning(wanted_words(query.match)), sort="relevance")


def _results(page: Page, query: Query, this: Asked, cursors: list[str]) -> None:
    first = (len(cursors) - 1) * PAGE + 1
    themes = queries.theme_names(_themes_on(page))
    span = f"{wording.number(first)}–{wording.number(first + len(page.hits) - 1)}"
    with st.container(key="panel-found"):
        st.html(joined([tag("p", _found(span, page, query, this), cls="note found"), _timeline(query, page, this)]))
        reasons = {hit.document.id: why_here(query, hit, this) for hit in page.hits}
        st.html(tag("div", document_list(page.hits, queries.zone(), themes, reasons=reasons)))
        with st.container(horizontal=True, key="act-pages"):
            st.button(tr("Previous"), disabled=len(cursors) < 2, on_click=_turn, args=("",), key="previous")
            st.button(tr("Next"), disabled=not page.cursor, on_click=_turn, args=(page.cursor,), key="next")
            _exports(query)


def _found(span: str, page: Page, query: Query, this: Asked) -> list[Html]:
    """Return how many were found, folded and not: whatever number led here stands in this line."""
    if query.vector is not None:
        said = tr("{span} of {count}: those that hold the words, and the nearest in meaning")
        return [esc(said.format(span=span, count=wording.plural(page.total, "document" if this.copies else "text")))]
    if this.copies:
        return [
            esc(f"{span} of {wording.plural(page.total, 'document')}, copies counted each"),
            *_explained(query, this),
        ]
    whole = sum(bucket.copies for bucket in queries.count(replace(query, vector=None), By()))
    address = links.unfolded(links.search_text(this.text, of=this.of))
    each = link(address, esc(wording.plural(whole, "document")), cls="out")
    return [
        esc(f"{span} of {wording.plural(page.total, 'text')}; "),
        each,
        esc(tr(" with copies")),
        *_explained(query, this),
    ]


def _explained(query: Query, this: Asked) -> list[Html]:
    """Return the ways to what made it, where the time is bounded, and to this time beside another."""
    beside = link(links.compare(this.text, of=this.of), esc(tr("beside another time")), cls="out")
    if query.since is None or query.until is None or query.until - query.since > LONGEST_SPAN:
        return [esc(" · "), beside]
    made = link(links.explain(this.text, of=this.of), esc(tr("what made it")), cls="out")
    return [esc(" · "), made, esc(" · "), beside]


def _turn(cursor: str) -> None:
    """Turn to the page that begins at the cursor, or back to the one before."""
    cursors: list[str] = st.session_state["cursors"]
    st.session_state["cursors"] = [*cursors, cursor] if cursor else cursors[:-1]


def _themes_on(page: Page) -> tuple[str, ...]:
    memberships = (hit.document.membership for hit in page.hits)
    ids = {membership.theme for membership in memberships if membership and membership.theme}
    return tuple(sorted(ids | {value for value, _ in page.facets.get("theme", ())[:8]}))


def _timeline(query: Query, page: Page, this: Asked) -> Html:
    """Return when the documents found were published, over at most 60 days."""
    now = queries.now()
    end = min(query.until or now, now)
    since = max(query.since or end - 60 * DAY, end - 60 * DAY)
    last = end - timedelta(microseconds=1)
    days = day_axis(last, (last.date() - since.date()).days + 1)
    if page.total < 2 or len(days) < 4 or query.vector is not None:
        return NOTHING
    shown = replace(query, since=max(query.since or days[0], days[0]), until=end, trusted_dates=True)
    series = volume_series(days, queries.count(shown, By(period="day")))
    brush = links.narrowed(timeless(this.text), of=this.of, since="SINCE", until="UNTIL")

    def day(at: datetime) -> str:
        address = links.narrowed(this.text, of=this.of, on=links.day(at))
        return links.unfolded(address) if this.copies else address

    if not any(series.values):
        return NOTHING
    unit = "document" if this.copies else "text"
    brush = links.unfolded(brush) if this.copies else brush
    chart = timeline.columns(series, day, unit, brush=brush, now=now)
    hint = tag("p", esc(tr("Draw over days to narrow the time; a click on one leads to it.")), cls="note hint")
    return joined([chart, hint])


def _exports(query: Query) -> None:
    if not queries.may_export():
        return
    who = queries.me()
    stem = f"groundswell-{datetime.now(UTC):%Y%m%d-%H%M}"
    for kind, name, mime in FILES:
        st.download_button(
            tr(name), queries.later(partial(_export, query, kind, who)), f"{stem}.{kind}", mime, on_click="ignore",
            key=kind,
        )  # fmt: skip


def _export(query: Query, kind: str, who: str) -> bytes:
    """Return everything that was found, as a file's content."""
    queries.took(who, "export search", kind, conditions(query))
    with TemporaryDirectory(prefix="groundswell-") as folder, queries.reader() as reader:
        file = Path(folder) / f"found.{kind}"
        export_search(reader, query, file)
        return file.read_bytes()


def _counts(page: Page, query: Query, this: Asked) -> None:
    names = queries.theme_names(tuple(value for value, _ in page.facets.get("theme", ())[:8]))
    whole = page.total
    if not this.copies and query.vector is None:
        whole = sum(bucket.copies for bucket in queries.count(query, By()))
    parts = [_facet(field, counts, this, names, whole) for field in FACETS if (counts := page.facets.get(field, ()))]
    with st.container(key="panel-facets"):
        note = tag("p", esc(tr("documents, copies counted each")), cls="note counted") if parts else NOTHING
        st.html(joined([note, *parts]) or tag("p", esc(tr("Nothing to count.")), cls="empty"))


def _facet(
    field: Field, counts: tuple[tuple[str, int], ...], this: Asked, names: Mapping[str, str], whole: int
) -> Html:
    shown = [(value, count) for value, count in counts if value]
    shown = [(value, count) for value, count in shown if field != "theme" or value in names]
    if not shown:
        return NOTHING
    added = {value: links.unfolded(links.narrowed(this.text, of=this.of, **{field: value})) for value, _ in shown}
    return tag(
        "div",
        [
            tag("h2", bold(tr(_FACET_NAMES.get(field, field)))),
            charts.bars(shown, added.__getitem__, lambda value: _named(field, value, names), most=6, of=whole),
        ],
        cls="facet",
    )


def _named(field: Field, value: str, themes: Mapping[str, str]) -> str:
    return themes[value] if value in themes else wording.value(field, value)


_FACET_NAMES = {"lang": "language", "target": "about whom"}


def _nothing(this: Asked) -> None:
    if not (this.text or this.of):
        st.html(tag("p", esc(tr("Nothing has been crawled yet: groundswell run begins.")), cls="empty"))
        return
    tips = (
        "fewer words, or OR between them",
        "a longer time: since:30d",
        "without a field: risk: and market: must both be known of a post",
    )
    st.html(
        joined(
            [
                tag("p", esc(tr("No document says this. Try:")), cls="empty"),
                tag("ul", (tag("li", esc(f"· {tip}")) for tip in tips)),
            ]
        )
    )
