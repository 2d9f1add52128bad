"""Quality: how right the model is by audits, abnormal days, what labels taught, who labels how well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

import streamlit as st

from groundswell.index.permitted import AccessError
from groundswell.index.store import StoreError
from groundswell.nlp.model.bundle import ModelError
from groundswell.nlp.model.learned import Learned
from groundswell.nlp.trust.drift import Day, Move, day_moves, days
from groundswell.nlp.trust.estimate import Estimate
from groundswell.nlp.trust.labels import all_judgements
from groundswell.nlp.trust.people import Performance, performance
from groundswell.nlp.trust.quality import Figure
from groundswell.ui import learning
from groundswell.ui.board import queries
from groundswell.ui.board.elements import NOTHING, Html, esc, joined, link, panel, table, tag
from groundswell.ui.report import links, wording
from groundswell.ui.report.quality import Quality, as_html, look
from groundswell.ui.report.tongue import tr

BY = ("class", "language", "market", "model")
DAYS = 90
MOST_ROWS = 200
WEEKS = 6


def show() -> None:
    """Draw the page."""
    at = queries.now()
    quality = queries.kept("quality", at, ask=lambda store: look(store, queries.settings(), days=DAYS, now=at))
    note = f"{wording.plural(quality.audits, 'audit')}, {wording.plural(quality.labelled, 'document')} labelled"
    st.html(tag("div", [tag("h1", esc(tr("Quality"))), tag("span", esc(note))], cls="top"))
    _figures(quality)
    _days(at)
    _learning()
    st.html(joined([_moved(tr("What has moved"), quality.moves), _agreement(quality), _moderation(quality)]))
    _people()


def _figures(quality: Quality) -> None:
    with st.container(horizontal=True, key="act-quality", vertical_alignment="center"):
        by = queries.addressed_choice("by", BY, "class")
        if quality.labelled and queries.may_export():
            st.download_button(
                tr("Report"), queries.later(lambda: _taken(quality)), f"quality-{quality.now:%Y%m%d}.html", "text/html",
                on_click="ignore", key="report-quality",
            )  # fmt: skip
    found = quality.figures[by]
    if not found:
        text = "No audit has been labelled yet: groundswell label draw audit draws one, the page Labelling labels it."
        st.html(tag("p", esc(text), cls="empty"))
        return
    head = ["class", *([by] if by != "class" else []), "labelled", "precision", "recall", "missed", "false positives"]
    rows = (_figure(one, by) for one in found[:MOST_ROWS])
    note = "random audits of 90 days, 95 % intervals that respect the draw"
    st.html(panel(tr("How right the model is"), note, table(head, rows, cls="right stack")))


def _taken(quality: Quality) -> bytes:
    queries.took(queries.me(), "export quality", "html", {"labelled": str(quality.labelled)})
    return as_html(quality).encode()


def _figure(one: Figure, by: str) -> list[Html]:
    missed = one.recall if one.recall.value is None else one.recall.turned()
    numbers: list[Estimate] = [one.precision, one.recall, missed, one.false_positives]
    cells = [esc(one.name), *([esc(one.of or "?")] if by != "class" else []), esc(f"{one.labelled:,}")]
    return [*cells, *(esc(number) for number in numbers)]


# --- abnormal days


def _days(at: datetime) -> None:
    """List the days unlike the four weeks before them; one that is chosen is taken apart."""
    found = queries.kept("days", at, ask=lambda store: days(store, now=at))
    odd = [one for one in found if one.is_abnormal]
    if odd:
        head = ("day", "documents", "usual", "negative", "usual share", "")
        body = table(head, (_day(one) for one in odd), cls="right stack")
    else:
        body = tag("p", esc("No day of the last four weeks was unlike the four before it."), cls="empty")
    st.html(panel(tr("Abnormal days"), "documents or feelings four standard deviations from the usual", body))
    asked = st.query_params.get("day", "")
    try:
        day = date.fromisoformat(asked) if asked else None
    except ValueError:
        day = None
    if day is not None:
        moved = queries.kept("day", day, ask=lambda store: day_moves(store, day))
        st.html(_moved(f"{day:%d %B %Y}", moved, "beside the four weeks before it"))


def _day(one: Day) -> list[Html]:
    start = datetime(one.day.year, one.day.month, one.day.day, tzinfo=UTC)
    return [
        link(links.search_day(start), esc(f"{one.day:%Y-%m-%d}")),
        esc(f"{one.documents:,}"),
        esc(f"{one.usual:,.0f}"),
        esc(_share(one.negative)),
        esc(_share(one.usual_negative)),
        link(f"quality?day={one.day}", esc(tr("What moved"))),
    ]


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _moved(title: str, moves: Sequence[Move], note: str = "the last 7 days beside the 28 before") -> Html:
    rows = ([esc(one.what), esc(f"{one.bits:.3f}"), esc(", ".join(one.most))] for one in moves)
    return panel(
        title, f"{note}; divergence in bits, from .1 worth a look", table(("what", "bits", "most"), rows, cls="stack")
    )


# --- what labels taught


def _learning() -> None:
    """Show champion and challenger; an admin may accept, or go back. It is about all markets, and shows documents."""
    if queries.person().markets:
        return
    try:
        waiting, effect = learning.proposed(queries.settings()), learning.in_effect(queries.settings())
    except ModelError as error:
        st.html(panel(tr("Learnt from labels"), "", tag("p", esc(error), cls="said trouble")))
        return
    standing = f"in effect: {effect.name}" if effect else "the model reads as it ships"
    if waiting is None:
        text = (
            "Nothing is proposed. groundswell train learns from people's labels, and shows here what it would change."
        )
        body = tag("p", esc(text), cls="empty")
    else:
        body = _challenger(waiting)
    st.html(panel(tr("Learnt from labels"), standing, body))
    with st.container(horizontal=True, key="act-learnt"):
        if waiting is not None and queries.person().may("admin"):
            st.button(tr("Put into effect"), key="accept-heads", type="primary", on_click=_accept)
        if effect is not None and queries.person().may("admin"):
            st.button(tr("Go back to the one before"), key="back-heads", on_click=_back)


def _challenger(waiting: Learned) -> Html:
    report = waiting.report
    rows = (
        [esc(one["name"]), esc(one["positives"]), esc(f"{one['before']:.2f}"), esc(f"{one['after']:.2f}")]
        for one in report["classes"]
    )
    changed = f"{report['changed']:,} of the newest {report['looked_at']:,} documents would be read otherwise:"
    examples = (
        [link(f"document?id={one['document']}", esc(one["document"][:12])), esc(one["before"]), esc(one["after"])]
        for one in report["examples"]
    )
    return joined(
        [
            tag("p", esc(f"{waiting.name}: {'; '.join(report['reasons'])}")),
            table(("class", "held out", "kappa before", "after"), rows, cls="right stack"),
            tag("p", esc(changed)),
            table(("document", "before", "after"), examples, cls="stack"),
        ]
    )


def _accept() -> None:
    _decided(lambda: f"{learning.accept(queries.settings(), by=queries.me()).name} is in effect from the next run on.")


def _back() -> None:
    def back() -> str:
        name = learning.roll_back(queries.settings(), by=queries.me())
        return f"{name or 'The model as it ships'} is in effect again, from the next run on."

    _decided(back)


def _decided(step: object) -> None:
    assert callable(step)  # noqa: S101  ours
    person = queries.person()
    try:
        person.need("admin", "changing how every text is read")
        if person.markets:
            raise AccessError(f"{person.name} is limited to {', '.join(person.markets)}, and this changes all markets")
        queries.say(step())
    except (ModelError, StoreError) as error:
        queries.say(str(error), trouble=True)


# --- people


def _agreement(quality: Quality) -> Html:
    rows = (
        [
            esc(one.field),
            esc(f"{one.units:,}"),
            *(esc(_number(n)) for n in (one.observed, one.kappa, one.alpha, one.ordinal)),
        ]
        for one in quality.agreement
        if one.alpha is not None or one.kappa is not None  # else no disagreement was possible
    )
    head = ("field", "documents", "alike", "kappa", "alpha", "ordinal alpha")
    if not quality.agreement:
        return NOTHING
    return panel(
        tr("Agreement of those who label"), "documents that several labelled", table(head, rows, cls="right stack")
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _moderation(quality: Quality) -> Html:
    rows = (
        [
            esc(one.month),
            *(esc(f"{n:,}") for n in (one.decisions, one.rejected, one.appealed)),
            esc(one.wrong),
            esc(f"{one.complaints:,}"),
        ]
        for one in quality.months
    )
    head = ("month", "decisions", "rejected", "appeals decided", "rejected wrongly", "complaints of users")
    if not quality.months:
        return NOTHING
    note = "wrong is the share of decided appeals that were overturned, not of all rejections"
    return panel(tr("Moderation"), note, table(head, rows, cls="right stack"))


def _people() -> None:
    """Show how well people and machines label, class by week, and what is to be learnt."""
    found = queries.kept("people", ask=_performance)
    if not found:
        return
    gaps = [one for one in found if one.is_gap and not one.week]
    if gaps:
        head, note = ("who", "class", "labels", "right", "learn from"), "fewer than eight of ten right"
        st.html(panel(tr("Knowledge gaps"), note, table(head, map(_gap, gaps), cls="stack")))
    weeks = sorted({one.week for one in found if one.week})[-WEEKS:]
    rates = {(one.who, one.field, one.week): one for one in found if one.week in weeks}
    who = sorted({(name, field) for name, field, _ in rates})
    rows = ([esc(n), esc(field), *(esc(_week(rates.get((n, field, week)))) for week in weeks)] for n, field in who)
    with st.expander(tr("Who labels how well"), key="people"):
        note = "right of labelled, by week: by gold tasks, rulings and what others agree on"
        st.html(joined([tag("p", esc(note), cls="note"), table(("who", "class", *weeks), rows, cls="right stack")]))


def _week(one: Performance | None) -> str:
    return "–" if one is None else f"{one.right} of {one.labels}"


def _performance(store: object) -> list[Performance]:
    given = all_judgements(store, queries.settings())  # type: ignore[arg-type]
    return [*performance(given), *performance(given, weeks=True)]


def _gap(one: Performance) -> list[Html]:
    papers: Iterable[Html] = (link(f"document?id={each}", esc(f"{n}")) for n, each in enumerate(one.wrong, 1))
    return [
        esc(one.who),
        esc(one.field),
        esc(one.labels),
        esc(one.share),
        joined(tag("span", [each, esc(" ")]) for each in papers),
    ]
