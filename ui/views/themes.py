"""Themes: everything people return to, what is loud in it now, and how it feels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

import streamlit as st

from groundswell.index.query import Bucket, By, Query
from groundswell.index.records import Signal, Theme
from groundswell.ui import charts, links, reading, wording
from groundswell.ui.markup import Html, esc, joined, link, panel, table, tag
from groundswell.ui.today import Series, day_axis, mean_mood, volume_series
from groundswell.ui.trends import HISTORY_DAYS, change

MOST = 60
ORDERS = {"change": "Biggest change", "alerts": "Newest alert", "size": "Most documents", "newest": "Newest"}
WINDOW = timedelta(hours=48)


def show() -> None:
    """Draw the page."""
    themes = reading.records(Theme, 5000)
    st.html(tag("div", [tag("h1", esc("Themes")), tag("span", esc(_said(themes)))], cls="top"))
    if not themes:
        st.html(tag("p", esc("No themes yet: groundswell run (or groundswell themes) makes them from what was crawled."), cls="empty"))
        return
    words, order, risk, faded = _filters(themes)
    shown = [theme for theme in themes if _wanted(theme, words, risk, faded)]
    if not shown:
        st.html(tag("p", esc("No theme is like that."), cls="empty"))
        return
    st.html(panel(wording.plural(len(shown), "theme"), _note(len(shown)), _table(shown, order)))


def _said(themes: Sequence[Theme]) -> str:
    states = Counter(theme.state for theme in themes)
    return " · ".join(f"{wording.number(states[state])} {state}" for state in ("living", "faded", "merged") if states[state])


def _note(count: int) -> str:
    return f"the first {MOST}; narrow the filters for more" if count > MOST else "documents, copies counted once"


def _filters(themes: Sequence[Theme]) -> tuple[str, str, str, bool]:
    asked = st.query_params.get("sort", "change")
    risks = sorted({theme.risk for theme in themes if theme.risk})
    with st.container(horizontal=True, key="act-themes", vertical_alignment="bottom"):
        words = st.text_input("Words", key="theme-words", placeholder="words in label or keywords", label_visibility="collapsed", width=260)
        order = st.selectbox("Order", list(ORDERS), index=list(ORDERS).index(asked) if asked in ORDERS else 0, format_func=ORDERS.__getitem__, label_visibility="collapsed", width=180)
        risk = st.selectbox("Risk", ["", *risks], format_func=lambda value: wording.risk(value) or "any risk", label_visibility="collapsed", width=190)
        faded = st.toggle("Faded too", key="theme-faded")
    return words.casefold().strip(), order, risk, faded


def _wanted(theme: Theme, words: str, risk: str, faded: bool) -> bool:
    text = " ".join((theme.label, *theme.keywords, *theme.titles.values())).casefold()
    return (faded or theme.state == "living") and (not risk or theme.risk == risk) and all(word in text for word in words.split())


def _table(themes: Sequence[Theme], order: str) -> Html:
    now = reading.now()
    by = By(fields=("theme",))
    latest = _by_theme(Query(since=now - WINDOW, until=now, trusted_dates=True, collapse=True), by)
    before = _by_theme(Query(since=now - 2 * WINDOW, until=now - WINDOW, trusted_dates=True, collapse=True), by)
    alerts = _alerts()
    ranked = sorted(themes, key=lambda theme: _rank(theme, order, latest, before, alerts))[:MOST]
    series = _series(tuple(theme.id for theme in ranked))
    rows = (_row(theme, latest.get(theme.id, []), before.get(theme.id, []), series[theme.id], alerts.get(theme.id)) for theme in ranked)
    return table(("theme", "risk", "four weeks", "48 h before → now", "mood", "documents", "last seen"), rows, cls="right stack")


def _by_theme(query: Query, by: By) -> dict[str, list[Bucket]]:
    found: dict[str, list[Bucket]] = {}
    for bucket in reading.count(query, by):
        found.setdefault(bucket.values[0], []).append(bucket)
    return found


def _alerts() -> dict[str, Signal]:
    newest: dict[str, Signal] = {}
    for signal in sorted(reading.records(Signal, 5000), key=lambda signal: signal.at):
        if signal.fired:
            newest[signal.theme] = signal
    return newest


def _rank(
    theme: Theme, order: str, latest: Mapping[str, Sequence[Bucket]], before: Mapping[str, Sequence[Bucket]], alerts: Mapping[str, Signal]
) -> tuple[float, str]:
    was, now = (sum(bucket.count for bucket in counts.get(theme.id, ())) for counts in (before, latest))
    keys = {
        "change": -abs(change(was, now)),
        "alerts": -alerts[theme.id].at.timestamp() if theme.id in alerts else 0.0,
        "size": -theme.size,
        "newest": -theme.first_seen.timestamp(),
    }
    return keys[order], theme.label


def _series(ids: tuple[str, ...]) -> dict[str, Series]:
    now = reading.now()
    days = day_axis(now, 2 * HISTORY_DAYS)
    query = Query(since=days[0], until=now, trusted_dates=True, collapse=True, where={"theme": ids})
    counts = _by_theme(query, By(period="day", fields=("theme",)))
    return {id: volume_series(days, counts.get(id, [])).last(HISTORY_DAYS) for id in ids}


def _row(theme: Theme, latest: Sequence[Bucket], before: Sequence[Bucket], series: Series, alert: Signal | None) -> list[Html]:
    was, now = (sum(bucket.count for bucket in counts) for counts in (before, latest))
    colour = alert.severity if alert else "ink"
    moment = reading.now()
    window = {"since": links.instant(moment - 2 * WINDOW), "until": links.instant(moment)}
    return [
        joined([link(links.theme(theme.id), esc(wording.shortened(theme.label, 90))), _mark(theme, alert)]),
        link(links.search(risk=theme.risk), esc(wording.risk(theme.risk))) if theme.risk else esc("–"),
        charts.sparkline(series, colour, "Documents a day over four weeks"),
        link(links.search(theme=theme.id, **window), esc(f"{wording.number(was)} → {wording.number(now)}"), cls="num"),
        tag("span", esc(wording.mood(mean_mood(latest))), cls="num"),
        link(links.search(theme=theme.id), esc(wording.number(theme.size)), cls="num"),
        tag("span", esc(wording.date(theme.last_seen, reading.settings().board.timezone)), cls="nowrap"),
    ]


def _mark(theme: Theme, alert: Signal | None) -> Html:
    said = [theme.state] if theme.state != "living" else []
    if alert and reading.now() - alert.at < timedelta(days=7):
        said.append(f"{alert.severity} alert")
    return joined(tag("span", esc(f" · {word}"), cls="state") for word in said)
