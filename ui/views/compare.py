"""Compare: two periods of a search side by side. ``?q=`` is the search, ``later=`` and ``earlier=`` are the periods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Literal

import streamlit as st

from groundswell.index.query import Field, Query
from groundswell.index.query_language import QueryError, timeless
from groundswell.ui.board import queries
from groundswell.ui.board.elements import NOTHING, Html, esc, joined, link, panel, table, tag
from groundswell.ui.report import links, wording
from groundswell.ui.report.asked import Asked, asked
from groundswell.ui.report.compare import Comparison, Period, Row, asked_periods, compare
from groundswell.ui.report.series import DAY
from groundswell.ui.report.tongue import tr

MOST = 10
"""Rows of a field."""
Part = Field | Literal["word"]
NAMES: Mapping[Field, str] = {
    "theme": "Themes",
    "risk": "Risks",
    "source": "Sources",
    "market": "Markets",
    "lang": "Languages",
    "sentiment": "Feeling",
    "target": "About whom",
    "kind": "Kinds",
}
COVERED = 120
"""Days over which it is known what was not seen."""


def show() -> None:
    """Draw the page."""
    given = asked(st.query_params.to_dict())
    this = replace(given, text=timeless(given.text), copies=True)
    crumb = tag("p", link(links.search_text(given.text, of=given.of), esc(tr("The search"))), cls="crumb")
    title = tag("div", [tag("h1", esc(tr("Two periods"))), tag("span", esc(this.text))], cls="top")
    st.html(joined([crumb, title]))
    try:
        query = queries.asked(this)
        periods = asked_periods(queries.asked(given), st.query_params.to_dict(), now=queries.now())
    except QueryError as error:
        st.html(tag("p", esc(error), cls="said trouble", role="alert"))
        return
    _choose(*periods)
    with st.spinner(tr("counting both")):
        found = _found(query, *periods)
    st.html(joined([tag("p", _sentence(found, this), cls="lead"), _unseen(found), _body(found, this)]))


def _found(query: Query, earlier: Period, later: Period) -> Comparison:
    return queries.kept(
        "compare", repr(query), earlier, later, ask=lambda reader: compare(reader, query, earlier, later)
    )


def _choose(earlier: Period, later: Period) -> None:
    """Draw the two periods as dates that can be changed; what is chosen stands in the address."""
    written = f"{earlier.written()} {later.written()}"
    with (
        st.form(f"periods {written}", border=False),
        st.container(horizontal=True, key="act-periods", vertical_alignment="bottom"),
    ):
        st.date_input(tr("This period"), _dates(later), key=f"later {written}", width=230)
        st.date_input(tr("beside"), _dates(earlier), key=f"earlier {written}", width=230)
        st.form_submit_button(tr("Compare"), on_click=_chosen, args=(written,))


def _dates(period: Period) -> tuple[datetime, datetime]:
    return period.since, period.until - timedelta(microseconds=1)


def _chosen(written: str) -> None:
    for name in ("later", "earlier"):
        days = st.session_state[f"{name} {written}"]
        if len(days) == 2:  # else only its first day was chosen so far
            since, last = (datetime.combine(day, time(), UTC) for day in days)
            st.query_params[name] = Period(since, last + DAY).written()


# --- what is said ----------------------------------------------------------------------------------------------------


def _sentence(found: Comparison, this: Asked) -> list[Html]:
    then, now = found.rate(found.whole)
    judged = tr("more than chance") if found.whole.beyond else tr("no more apart than chance makes them")
    said = tr("{later} in {days} ({rate} a day), {earlier} in {before} ({usual} a day): {judged}.")
    numbers = {
        "later": _count(found, found.whole, this, later=True, unit=True),
        "earlier": _count(found, found.whole, this, later=False, unit=True),
    }
    words = {
        "days": _length(found.later), "before": _length(found.earlier), "rate": wording.number(round(now, 1)),
        "usual": wording.number(round(then, 1)), "judged": judged,
    }  # fmt: skip
    mood = [wording.mood(value) for value in found.whole.moods]
    felt = tr("Mood {now}, before {then}.").format(now=mood[1], then=mood[0])
    return [Html(esc(said).format(**numbers, **{name: esc(value) for name, value in words.items()})), esc(f" {felt}")]


def _length(period: Period) -> str:
    return wording.span(period.until - period.since)


def _span(period: Period) -> str:
    """Return from when to when, in the reader's zone."""
    zone = queries.zone()
    return f"{wording.stamp(period.since, zone)} – {wording.stamp(period.until, zone)}"


def _count(found: Comparison, row: Row, this: Asked, *, later: bool, unit: bool = False) -> Html:
    """Return a number of documents that leads to them."""
    count, period = (row.later, found.later) if later else (row.earlier, found.earlier)
    text = wording.plural(count, "document") if unit else wording.number(count)
    if row.field == "word":
        word = f'"{row.value}"' if " " in row.value else row.value
        narrower = f"({this.text}) {word}" if " OR " in this.text else f"{this.text} {word}"
        address = links.narrowed(narrower.strip(), of=this.of, **period.terms())
    else:
        field = {row.field: row.value} if row.field else {}
        address = links.narrowed(this.text, of=this.of, **field, **period.terms())
    return link(links.unfolded(address), esc(text), cls="num")


def _unseen(found: Comparison) -> Html:
    """Return which sources were not seen in one of the periods: what they did not say is not known."""
    seen = queries.seen(COVERED)
    blind = {
        name: {
            source
            for day, sources in zip(seen.days, seen.unseen(), strict=True)
            if period.since - DAY < day < period.until
            for source in sources
        }
        for name, period in (("later", found.later), ("earlier", found.earlier))
    }
    parts = [
        said.format(sources=wording.listed(sorted(names)[:5]), more=f" +{len(names) - 5}" if len(names) > 5 else "")
        for said, names in (
            (tr("not seen on some day of this period: {sources}{more}"), blind["later"]),
            (tr("not seen on some day beside it: {sources}{more}"), blind["earlier"]),
        )
        if names
    ]
    return tag("p", esc(wording.capital("; ".join(parts)) + "."), cls="note") if parts else NOTHING


def _body(found: Comparison, this: Asked) -> Html:
    names = queries.theme_names(tuple(row.value for row in found.rows.get("theme", ())[:MOST]))
    order: list[Part] = ["word", *(name for name in NAMES if name in found.rows)]
    panels = [_panel(found, name, names, this) for name in order]
    spans = tr("{later}, beside {earlier}").format(later=_span(found.later), earlier=_span(found.earlier))
    marks = tr("● differs more than chance would, all rows looked at together; the others may be chance.")
    return joined([tag("p", esc(f"{spans}. {marks}"), cls="note"), tag("div", panels, cls="row half")])


def _panel(found: Comparison, name: Part, names: Mapping[str, str], this: Asked) -> Html:
    rows = found.words if name == "word" else found.rows[name]
    head = (tr("what"), tr("this period"), tr("beside"), tr("more a day"), tr("mood"))
    cells = [_cells(found, row, _named(row, names), this) for row in rows[:MOST]]
    left = 0 if name == "word" else len(rows) - MOST
    more = tr("{count} more").format(count=wording.number(left)) if left > 0 else ""
    title = tr("Words") if name == "word" else tr(NAMES[name])
    body = table(head, cells, cls="right stack") if cells else tag("p", esc(tr("Nothing to compare.")), cls="empty")
    return panel(title, more, body)


def _named(row: Row, names: Mapping[str, str]) -> str:
    if row.field == "theme":
        return wording.shortened(names.get(row.value, row.value), 70)
    return wording.risk(row.value) if row.field in {"risk", "target"} else row.value


def _cells(found: Comparison, row: Row, name: str, this: Asked) -> list[Html]:
    then, now = found.rate(row)
    change = wording.signed(now - then, 1)
    moods = [wording.mood(value) for value in reversed(row.moods)]
    felt = " ← ".join(moods) if row.moods != (None, None) else "–"
    return [
        joined([esc("● " if row.beyond else ""), esc(name)]),
        _count(found, row, this, later=True),
        _count(found, row, this, later=False),
        tag("span", esc(change), cls="num"),
        tag("span", esc(felt), cls="num"),
    ]
