"""Themes: everything people return to, what is loud in it now, and how it feels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import streamlit as st

from groundswell.index.query import Bucket, By, Query
from groundswell.index.records import Theme
from groundswell.index.store import Reader
from groundswell.ui.board import charts, queries
from groundswell.ui.board.elements import Html, esc, joined, link, panel, table, tag
from groundswell.ui.report import links, wording
from groundswell.ui.report.inbox import Entry
from groundswell.ui.report.series import Series, day_axis, mean_mood, theme_series, volume_series
from groundswell.ui.report.tongue import tr
from groundswell.ui.report.trends import HISTORY_DAYS, change, concern

MOST = 60
ORDERS = {
    "concern": "Growth, risk, mood",
    "change": "Biggest change",
    "alerts": "Newest alert",
    "size": "Most documents",
    "newest": "Newest",
}
WINDOW = timedelta(hours=48)


def show() -> None:
    """Draw the page."""
    themes = queries.records(Theme, 5000)
    st.html(tag("div", [tag("h1", esc(tr("Themes"))), tag("span", esc(_said(themes)))], cls="top"))
    if not themes:
        st.html(
            tag(
                "p",
                esc(tr("No themes yet: groundswell run (or groundswell themes) makes them from what was crawled.")),
                cls="empty",
            )
        )
        return
    words, order, risk, faded = _filters(themes)
    shown = [theme for theme in themes if _wanted(theme, words, risk, faded)]
    if not shown:
        st.html(tag("p", esc(tr("No theme is like that.")), cls="empty"))
        return
    talk, alerts = _talk(), _alerts()
    ranked = sorted(shown, key=lambda theme: _rank(theme, order, talk.get(theme.id, Talk()), alerts))
    st.html(panel(wording.plural(len(shown), "theme"), _note(len(shown)), _table(ranked[:MOST], talk, alerts)))
    queries.download("themes", HEAD, (_cells(theme, talk.get(theme.id, Talk())) for theme in ranked))


def _said(themes: Sequence[Theme]) -> str:
    states = Counter(theme.state for theme in themes)
    return " · ".join(
        f"{wording.number(states[state])} {tr(state)}" for state in ("living", "faded", "merged") if states[state]
    )


def _note(count: int) -> str:
    if count > MOST:
        return tr("the first {count}; narrow the filters for more").format(count=MOST)
    return tr("48 h and four weeks count texts, copies folded; documents count each copy")


def _filters(themes: Sequence[Theme]) -> tuple[str, str, str, bool]:
    """Draw the filters, which stand in the address; return words, order, risk, and whether the faded are wanted."""
    risks = sorted({theme.risk for theme in themes if theme.risk})
    with st.container(horizontal=True, key="act-themes", vertical_alignment="bottom"):
        words = queries.addressed_text("words", tr("words in label or keywords"))
        order = queries.addressed_choice(
            "sort", list(ORDERS), "", names={name: tr(label) for name, label in ORDERS.items()}, width=180
        )
        named = {risk: wording.risk(risk) for risk in risks}
        risk = queries.addressed_choice("risk", ["", *risks], tr("any risk"), names=named, width=190)
        faded = queries.addressed_switch("faded", tr("Faded too"))
    return words.casefold().strip(), order, risk, faded


def _wanted(theme: Theme, words: str, risk: str, faded: bool) -> bool:
    text = " ".join((theme.label, *theme.keywords, *theme.titles.values())).casefold()
    return (
        (faded or theme.state == "living")
        and (not risk or theme.risk == risk)
        and all(word in text for word in words.split())
    )


@dataclass(frozen=True, slots=True)
class Talk:
    """How much a theme is talked of: in the 48 hours before, in the last 48, in all; how it feels now and in all."""

    was: int = 0
    now: int = 0
    size: int = 0
    mood: float | None = None
    lasting: float | None = None


HEAD = (
    "id",
    "title",
    "risk",
    "feeling",
    "state",
    "texts_48h_before",
    "texts_48h",
    "mood_48h",
    "documents",
    "last_seen",
)


HEADS = ("theme", "risk", "four weeks", "48 h: was → is", "mood", "documents", "last seen")


def _cells(theme: Theme, talk: Talk) -> tuple[object, ...]:
    """Return a theme as a row of the file."""
    title, seen = wording.theme(theme), theme.last_seen.isoformat()
    mood = "" if talk.mood is None else round(talk.mood, 3)
    return theme.id, title, theme.risk, theme.feeling, theme.state, talk.was, talk.now, mood, talk.size, seen


def _table(ranked: Sequence[Theme], talk: Mapping[str, Talk], alerts: Mapping[str, Entry]) -> Html:
    series = _series(tuple(theme.id for theme in ranked))
    head = tuple(map(tr, HEADS))
    now = queries.now()
    rows = (_row(theme, talk.get(theme.id, Talk()), series[theme.id], alerts.get(theme.id), now) for theme in ranked)
    return table(head, rows, cls="right stack")


def _talk() -> dict[str, Talk]:
    at = queries.now()
    by = By(fields=("theme",))
    sizes = _by_theme(Query(), by)
    latest = _by_theme(Query(since=at - WINDOW, until=at, trusted_dates=True, collapse=True), by)
    before = _by_theme(Query(since=at - 2 * WINDOW, until=at - WINDOW, trusted_dates=True, collapse=True), by)
    return {
        theme: Talk(
            was=sum(bucket.count for bucket in before.get(theme, ())),
            now=sum(bucket.count for bucket in latest.get(theme, ())),
            size=sum(bucket.copies for bucket in whole),
            mood=mean_mood(latest.get(theme, ())),
            lasting=mean_mood(whole),
        )
        for theme, whole in sizes.items()
    }


def _by_theme(query: Query, by: By) -> dict[str, list[Bucket]]:
    found: dict[str, list[Bucket]] = {}
    for bucket in queries.count(query, by):
        found.setdefault(bucket.values[0], []).append(bucket)
    return found


def _alerts() -> dict[str, Entry]:
    """Return the newest alert of each theme, with what it has become."""
    newest: dict[str, Entry] = {}
    for entry in sorted(queries.inbox().entries, key=lambda entry: entry.episode.newest.at):
        newest[entry.episode.theme] = entry
    return newest


def _rank(theme: Theme, order: str, talk: Talk, alerts: Mapping[str, Entry]) -> tuple[bool, float, int, str]:
    """Return what to sort by; in the order for a risk team, mere praise comes last."""
    mood = talk.lasting if talk.mood is None else talk.mood
    keys = {
        "concern": -concern(talk.was, talk.now, mood, risky=bool(theme.risk)),
        "change": -abs(change(talk.was, talk.now)),
        "alerts": -alerts[theme.id].episode.newest.at.timestamp() if theme.id in alerts else 0.0,
        "size": -talk.size,
        "newest": -theme.first_seen.timestamp(),
    }
    return order == "concern" and theme.feeling == "praise", keys[order], -talk.size, theme.label


def _series(ids: tuple[str, ...]) -> dict[str, Series]:
    now = queries.now()
    days = day_axis(now, 2 * HISTORY_DAYS)

    def lines(store: Reader) -> dict[str, Series]:
        counts = theme_series(store, ids, days, now=now)
        return {one: volume_series(days, counts.get(one, [])).last(HISTORY_DAYS) for one in ids}

    return queries.kept("lines", now, ids, ask=lines)


def _row(theme: Theme, talk: Talk, series: Series, alert: Entry | None, moment: datetime) -> list[Html]:
    colour = alert.episode.severity if alert and alert.phase != "over" else "ink"
    before, latest = (links.window(moment - k * WINDOW, moment - (k - 1) * WINDOW) for k in (2, 1))
    was = link(links.search(theme=theme.id, **before), esc(wording.number(talk.was)), cls="num")
    moved = link(links.search(theme=theme.id, **latest), esc(wording.number(talk.now)), cls="num")
    return [
        joined([link(links.theme(theme.id), esc(wording.shortened(wording.theme(theme), 90))), _mark(theme, alert)]),
        link(links.search(risk=theme.risk), esc(wording.risk(theme.risk))) if theme.risk else esc("–"),
        charts.sparkline(series, colour, f"{tr('Texts a day over four weeks')}: {wording.theme(theme)}"),
        joined([was, esc(" → "), moved]),
        tag("span", esc(wording.mood(talk.mood)), cls="num"),
        link(links.unfolded(links.search(theme=theme.id)), esc(wording.number(talk.size)), cls="num"),
        tag("span", esc(wording.date(theme.last_seen, queries.settings().board.timezone)), cls="nowrap"),
    ]


def _mark(theme: Theme, alert: Entry | None) -> Html:
    marks: list[str] = [tr(theme.state)] if theme.state != "living" else []
    if alert and alert.phase != "over":
        marks.append(f"{tr('alert')} · {tr(alert.episode.severity)} · {tr(alert.phase)}")
    return joined(tag("span", esc(f" · {word}"), cls="state") for word in marks)
