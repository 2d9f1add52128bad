"""Today: what changed, how the line looks, where it is felt, and what could not be seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import streamlit as st

from groundswell.index.records import Signal
from groundswell.ui.board import charts, queries, timeline
from groundswell.ui.board.elements import NOTHING, Html, bold, esc, facts, joined, link, panel, table, tag
from groundswell.ui.desk import Disposition
from groundswell.ui.report import links, wording
from groundswell.ui.report.cards import Card
from groundswell.ui.report.today import Today, lead

MOST_CARDS = 6


def show() -> None:
    """Draw the page."""
    today = queries.today()
    zone = queries.settings().board.timezone
    st.html(joined([_top(today, zone), _lead(today)]))
    if not today.total:
        _nothing_yet()
        return
    if today.cards:
        with st.container(key="cards"):
            for card in today.cards[:MOST_CARDS]:
                _card(card, today)
    if len(today.cards) > MOST_CARDS:
        st.html(
            tag(
                "p",
                link("themes?sort=alerts", esc(wording.plural(len(today.cards) - MOST_CARDS, "more alert"))),
                cls="note",
            )
        )
    st.html(joined([_lines(today), _tables(today)]))


def _top(today: Today, zone: str) -> Html:
    window = {"since": links.instant(today.since), "until": links.instant(today.now)}
    old = datetime.now(UTC) - today.now > timedelta(days=1)
    moment = wording.stamp(today.now, zone) if old else wording.moment(today.now, zone)
    said = [
        esc(f"{moment} · {wording.since(today.since, today.now, zone)} · "),
        link(links.search(**window), esc(f"{wording.plural(today.posts, 'new post')}")),
        esc(", "),
        link("sources", esc(wording.plural(today.sources, "source"))),
    ]
    if old:
        said.append(esc(" · nothing newer has been crawled"))
    return tag("div", [tag("h1", esc("Today")), tag("span", said)], cls="top")


def _lead(today: Today) -> Html:
    first, rest = lead(today)
    return tag("p", [bold(first), esc(f" {rest}")], cls="lead")


def _nothing_yet() -> None:
    steps = (
        ("groundswell run", "crawls the sources, reads the texts, finds themes and alerts"),
        ("groundswell demo", "does the same with a small web of its own, without a network"),
        ("groundswell doctor", "says what is missing"),
    )
    rows = ([tag("code", esc(command)), esc(what)] for command, what in steps)
    st.html(panel("How to begin", "this page fills itself once the first posts are in", table(("", ""), rows)))


# --- alerts --------------------------------------------------------------------------------------------------------


def _card(card: Card, today: Today) -> None:
    alert = card.signal
    with st.container(key=f"card-{alert.severity}-{alert.id}"):
        st.html(joined([_head(card, today), _why(card), _spark(card), _facts(card)]))
        if card.case or card.confirmed_by:
            st.html(_state(card))
        with st.container(key=f"act-{alert.id}", horizontal=True):
            _buttons(card)


def _head(card: Card, today: Today) -> Html:
    old = tag(
        "span", esc(f"{wording.span(today.now - card.signal.at)} old"), title=f"{card.signal.at:%Y-%m-%d %H:%M} UTC"
    )
    age = tag("span", _between([*_grown(card), old], esc(" · ")))
    title = tag("h3", link(links.alert(card.signal), esc(wording.shortened(card.title, 110))), cls="clamp")
    return joined([tag("div", [tag("span", esc(card.signal.severity), cls="sev"), age], cls="meta"), title])


def _grown(card: Card) -> list[Html]:
    return [link(links.grown(card.signal), esc(f"{card.by_now} by now"))] if card.by_now else []


def _why(card: Card) -> Html:
    return tag("p", tag("span", esc(card.why), cls="clamp", title=card.signal.why), cls="why")


def _spark(card: Card) -> Html:
    what = "Mood" if card.signal.kind == "sour" else "Documents"
    picture = charts.sparkline(card.series, card.signal.severity, f"{what} a day over eight weeks with what is usual")
    return link(links.evidence(card.signal), picture)


def _facts(card: Card) -> Html:
    risk = (
        link(links.search(risk=card.signal.risk), esc(wording.risk(card.signal.risk)))
        if card.signal.risk
        else esc("none")
    )
    places = [link(links.about(card.signal, market=code), esc(code)) for code, _ in card.markets[:3]]
    whole = sum(count for _, count in card.languages)
    tongues = [
        link(links.about(card.signal, lang=code), esc(f"{code} {wording.percent(count, whole)}"))
        for code, count in card.languages[:2]
    ]
    dot = esc(" · ")
    return facts(
        [
            ("risk", risk),
            ("market", _between(places, dot) or esc("not named")),
            ("language", _between(tongues, dot) or esc("–")),
            ("mood", link(links.about(card.signal, sentiment="negative"), esc(wording.mood(card.mood)))),
        ]
    )


def _between(parts: list[Html], between: Html) -> Html:
    return Html(between.join(parts)) if parts else NOTHING


def _state(card: Card) -> Html:
    said = []
    if card.case:
        owner = f", {card.case.owner}" if card.case.owner else ""
        said.append(link(links.case(card.case.id), esc(f"Case {card.case.status}{owner}")))
    if card.confirmed_by:
        said.append(esc(f"confirmed by {card.confirmed_by}"))
    return tag("p", _between(said, esc(" · ")), cls="state")


def _buttons(card: Card) -> None:
    alert = card.signal
    if not card.case:
        st.button("Open case", key=f"open-{alert.id}", type="primary", on_click=_open, args=(alert.id,))
    elif not card.in_case:
        st.button("Add to case", key=f"add-{alert.id}", type="primary", on_click=_add, args=(card.case.id, alert.id))
    if not card.confirmed_by:
        st.button("Confirm", key=f"confirm-{alert.id}", on_click=_judge, args=(alert.id, "confirmed"))
    st.button("False alarm", key=f"false-{alert.id}", on_click=_judge, args=(alert.id, "false"))
    if alert.theme:  # what is snoozed is a theme
        st.button("Snooze", key=f"snooze-{alert.id}", on_click=_snooze, args=(alert,))


def _open(signal: str) -> None:
    with queries.told(), queries.desk() as desk:
        case = desk.open_case(signal, by=queries.me(), now=datetime.now(UTC))
        due = f", due in {wording.span(case.due - case.opened_at)}" if case.due else ""
        queries.say(f"Case opened{due}: {case.title}")


def _add(case: str, signal: str) -> None:
    with queries.told(), queries.desk() as desk:
        desk.add_signal(case, signal, by=queries.me(), now=datetime.now(UTC))
        queries.say("Added to the case.")


def _judge(signal: str, value: Disposition) -> None:
    with queries.told(), queries.desk() as desk:
        desk.judge(signal, value, by=queries.me(), now=datetime.now(UTC))
        said = {
            "confirmed": "Confirmed.",
            "false": "Marked as a false alarm; Labels takes it back.",
            "duplicate": "Marked as a duplicate.",
        }
        queries.say(said[value])


def _snooze(alert: Signal) -> None:
    settings = queries.settings()
    with queries.told(), queries.desk() as desk:
        until = desk.snooze(alert.theme, days=settings.signals.snooze_days, by=queries.me(), now=datetime.now(UTC))
        queries.say(f"Silent until {wording.stamp(until, settings.board.timezone)}; the theme's page wakes it.")


# --- lines, maps, tables -------------------------------------------------------------------------------------------


def _lines(today: Today) -> Html:
    chart = timeline.volume_and_mood(
        today.volume, today.mood, today.alerts, today.unseen, today.titles, now=datetime.now(UTC)
    )
    volume = panel(
        "Volume and mood", "60 days, grey band = expected, dots = alerts, hatching = we were not looking", chart
    )
    heat = panel(
        "Risk × market", "against the last four weeks, in standard deviations", charts.heat_map(today.heat, today.now)
    )
    return tag("div", [volume, heat], cls="row")


def _tables(today: Today) -> Html:
    undated = wording.percent(today.undated, today.total)
    found = today.coverage
    note = f"{wording.plural(len(found.rows), 'source')} × 30 days, {undated} of posts undated"
    return tag(
        "div",
        [
            panel("Movers", "48 h; growth, risk and bad mood first", _movers(today)),
            panel("Coverage", note, charts.coverage_map(found)),
        ],
        cls="row",
    )


def _movers(today: Today) -> Html:
    if not today.movers:
        return tag("p", esc("No theme has had a post in the last four days."), cls="empty")
    window = {"since": links.instant(today.now - timedelta(days=4)), "until": links.instant(today.now)}
    rows = (
        [
            link(links.theme(mover.theme.id), esc(wording.shortened(wording.theme(mover.theme), 90))),
            link(links.search(risk=mover.theme.risk), esc(wording.risk(mover.theme.risk)))
            if mover.theme.risk
            else esc("–"),
            link(
                links.search(theme=mover.theme.id, **window),
                esc(f"{wording.number(mover.was)} → {wording.number(mover.now)}"),
                cls="num",
            ),
            tag("span", esc(wording.mood(mover.mood)), cls="num"),
        ]
        for mover in today.movers
    )
    return table(("theme", "risk", "was → is", "mood"), rows, cls="right stack")
