"""Today: what changed, how the line looks, where it is felt, and what could not be seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import streamlit as st

from groundswell.ui.board import charts, queries, timeline
from groundswell.ui.board.elements import NOTHING, Html, bold, esc, facts, joined, link, panel, table, tag
from groundswell.ui.report import links, wording
from groundswell.ui.report.cards import Card
from groundswell.ui.report.inbox import how_it_goes, shown_title
from groundswell.ui.report.reasons import reason_said
from groundswell.ui.report.rising import heading, note, rising_rows
from groundswell.ui.report.today import Today, held, lead
from groundswell.ui.report.tongue import tr
from groundswell.ui.views.actions import actions

MOST_CARDS = 6


def show() -> None:
    """Draw the page."""
    today = queries.today()
    zone = queries.settings().board.timezone
    st.html(opening(today, zone))
    if not today.total:
        _nothing_yet()
        return
    if today.cards:
        with st.container(key="cards"):
            for card in today.cards[:MOST_CARDS]:
                _card(card, today)
    st.html(joined([_beside(today), _rising(today), _lines(today), _tables(today)]))


def opening(today: Today, zone: str) -> Html:
    """Return what the page says first: its title, what came since yesterday, and what waits."""
    return joined([_top(today, zone), _lead(today)])


def _top(today: Today, zone: str) -> Html:
    window = links.window(today.since, today.now)
    old = datetime.now(UTC) - today.now > timedelta(days=1)
    moment = wording.stamp(today.now, zone) if old else wording.moment(today.now, zone)
    parts = [
        esc(f"{moment} · {wording.since(today.since, today.now, zone)} · "),
        link(links.unfolded(links.search(**window)), esc(f"{wording.plural(today.posts, 'new post')}")),
        esc(tr(" from {count} of ").format(count=wording.number(today.sources))),
        link("sources", esc(wording.plural(len(today.coverage.rows), "source"))),
    ]
    if old:
        parts.append(esc(tr(" · nothing newer has been crawled")))
    return tag("div", [tag("h1", esc(tr("Today"))), tag("span", parts)], cls="top")


def _lead(today: Today) -> Html:
    first, rest = lead(today)
    weaker = held(today)
    more = [esc(" "), link(links.inbox(show="held"), esc(weaker), cls="out"), esc(".")] if weaker else []
    return tag("p", [bold(first), esc(f" {rest}"), *more], cls="lead")


def _beside(today: Today) -> Html:
    """Return what waits beyond the cards, and what has become over since yesterday."""
    shown = sum(card.entry.standing.status == "waiting" for card in today.cards[:MOST_CARDS])
    left = len(today.inbox.having("waiting")) - shown
    more = (
        [link(links.inbox(), esc(f"{wording.plural(left, 'more alert')} " + tr("waiting")), cls="out")] if left else []
    )
    ended = [link(links.alert(entry.id), esc(wording.shortened(shown_title(entry), 80))) for entry in today.ended]
    since = tr("Over {since}: ").format(since=wording.since(today.since, today.now, today.zone))
    over = [
        joined(
            [
                esc(since),
                _between(ended, esc("; ")),
            ]
        )
    ]
    parts = [*more, *(over if ended else [])]
    return tag("p", _between(parts, esc(" · ")), cls="note") if parts else NOTHING


def _rising(today: Today) -> Html:
    """Return what may become an alert within three days, likeliest first."""
    if not today.inbox.rising:
        return NOTHING
    rows = (
        [
            tag("span", esc(row.title), title=reason_said(row.why)),
            link(row.address, esc(row.documents)),
            tag("span", esc(row.chance), cls="num"),
        ]
        for row in rising_rows(today.inbox.rising)
    )
    return panel(heading(), note(), table((tr("what"), tr("evidence"), tr("chance")), rows, cls="right stack"))


def _nothing_yet() -> None:
    steps = (
        ("groundswell run", "crawls the sources, reads the texts, finds themes and alerts"),
        ("groundswell demo", "does the same with a small web of its own, without a network"),
        ("groundswell doctor", "says what is missing"),
    )
    rows = ([tag("code", esc(command)), esc(what)] for command, what in steps)
    st.html(panel(tr("How to begin"), tr("this page fills itself once the first posts are in"), table(("", ""), rows)))


# --- alerts --------------------------------------------------------------------------------------------------------


def _card(card: Card, today: Today) -> None:
    with st.container(key=f"card-{card.severity}-{card.entry.id}"):
        st.html(joined([_head(card, today), _why(card, today), _spark(card), _facts(card, today), _state(card)]))
        actions(card.entry)


def _head(card: Card, today: Today) -> Html:
    begun = card.episode.alert.at
    old = tag(
        "span",
        esc(tr("{time} old").format(time=wording.span(today.now - begun))),
        title=wording.stamp(begun, today.zone),
    )
    what = tr("documents of its theme since it began") if card.episode.theme else tr("its documents")
    grown = link(links.grown(card.episode, today.now), esc(wording.plural(card.grown, "document")), title=what)
    age = tag("span", _between([grown, old], esc(" · ")))
    title = tag("h3", link(links.alert(card.entry.id), esc(wording.shortened(card.title, 110))), cls="clamp")
    return joined([tag("div", [tag("span", esc(tr(card.severity)), cls="sev"), age], cls="meta"), title])


def _why(card: Card, today: Today) -> Html:
    goes = tag("b", esc(wording.capital(how_it_goes(card.entry, today.zone))))
    return tag(
        "p",
        tag("span", [goes, esc(f". {reason_said(card.why)}")], cls="clamp", title=reason_said(card.signal.why)),
        cls="why",
    )


def _spark(card: Card) -> Html:
    mood = card.signal.kind == "sour"
    name = (
        tr("Mood a day over eight weeks with what is usual")
        if mood
        else tr("Texts a day over eight weeks with what is usual")
    )
    name = f"{name}: {card.title}"
    return link(links.evidence(card.signal), charts.sparkline(card.series, card.severity, name))


def _facts(card: Card, today: Today) -> Html:
    episode = card.episode
    risk = (
        link(links.search(risk=episode.risk), esc(wording.risk(episode.risk)))
        if episode.risk
        else esc(tr("none named"))
    )
    places = [
        link(links.grown(episode, today.now, market=code), esc(f"{code} {wording.number(count)}"))
        for code, count in card.markets[:2]
    ]
    tongues = [
        link(links.grown(episode, today.now, lang=code), esc(f"{code} {wording.number(count)}"))
        for code, count in card.languages[:2]
    ]
    return facts(
        [
            (tr("risk"), risk),
            (tr("market"), _between([*places, *_more(card.markets)], esc(" · ")) or esc(tr("not named"))),
            (tr("language"), _between([*tongues, *_more(card.languages)], esc(" · ")) or esc("–")),
            (tr("mood"), esc(wording.mood(card.mood))),
        ]
    )


def _more(counts: Sequence[tuple[str, int]]) -> list[Html]:
    """Return that there are more than two, so that none is left out unsaid."""
    return [esc(tr("{count} more").format(count=len(counts) - 2))] if len(counts) > 2 else []


def _between(parts: list[Html], between: Html) -> Html:
    return Html(between.join(parts)) if parts else NOTHING


def _state(card: Card) -> Html:
    """Return who has it, and whether it may be the same event as another one."""
    standing, states = card.entry.standing, []
    if card.case:
        owner = f", {card.case.owner}" if card.case.owner else ""
        states.append(link(links.case(card.case.id), esc(f"Case {card.case.status}{owner}")))
    if card.confirmed_by:
        states.append(esc(f"confirmed by {card.confirmed_by}"))
    if standing.note:
        states.append(esc(wording.capital(standing.note)))
    if standing.assignee and not card.case:
        states.append(esc(f"{standing.assignee}'s"))
    if card.entry.twins:
        twins = wording.plural(len(card.entry.twins), "other alert")
        states.append(link(links.alert(card.entry.id), esc(tr("may be one event with {count}").format(count=twins))))
    return tag("p", _between(states, esc(" · ")), cls="state") if states else NOTHING


# --- lines, maps, tables -------------------------------------------------------------------------------------------


def _lines(today: Today) -> Html:
    chart = timeline.volume_and_mood(
        today.volume, today.mood, today.alerts, today.unseen, today.titles, now=datetime.now(UTC)
    )
    volume = panel(
        tr("Volume and mood"),
        tr("documents a day (UTC) over 60 days, grey = usual, dots = alerts, hatching = we were not looking"),
        joined([chart, timeline.explained(today.volume)]),
    )
    heat = panel(
        tr("Risk × market"),
        tr("against the last four weeks, in standard deviations"),
        charts.heat_map(today.heat, today.now),
    )
    return tag("div", [volume, heat], cls="row")


def _tables(today: Today) -> Html:
    undated = wording.percent(today.undated, today.total)
    found = today.coverage
    note = tr("{count} × 30 days, {undated} of posts undated")
    note = note.format(count=wording.plural(len(found.rows), "source"), undated=undated)
    return tag(
        "div",
        [
            panel(tr("Movers"), tr("texts in 48 h, copies folded; only what moved beyond chance"), _movers(today)),
            panel(tr("Coverage"), note, charts.coverage_map(found)),
        ],
        cls="row",
    )


def _movers(today: Today) -> Html:
    if not today.movers:
        return tag("p", esc(tr("No theme moved by more than chance in the last 48 hours.")), cls="empty")
    before, latest = (
        links.window(today.now - timedelta(days=days), today.now - timedelta(days=days - 2)) for days in (4, 2)
    )
    rows = (
        [
            link(links.theme(mover.theme.id), esc(wording.shortened(wording.theme(mover.theme), 90))),
            link(links.search(risk=mover.theme.risk), esc(wording.risk(mover.theme.risk)))
            if mover.theme.risk
            else esc("–"),
            _between(
                [
                    link(links.search(theme=mover.theme.id, **before), esc(wording.number(mover.was)), cls="num"),
                    link(links.search(theme=mover.theme.id, **latest), esc(wording.number(mover.now)), cls="num"),
                ],
                esc(" → "),
            ),
            tag("span", esc(wording.mood(mover.mood)), cls="num"),
        ]
        for mover in today.movers
    )
    return table((tr("theme"), tr("risk"), tr("was → is"), tr("mood")), rows, cls="right stack")
