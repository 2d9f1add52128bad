"""One theme: how it came, how it goes, who says it where, and in which words. ``?theme=`` leads here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import streamlit as st

from groundswell.index.query import Bucket, By, Field, Query
from groundswell.index.records import Case, Document, Lineage, Signal, Snooze, Theme
from groundswell.ui.board import charts, queries, timeline
from groundswell.ui.board.elements import NOTHING, Html, esc, facts, joined, link, panel, table, tag
from groundswell.ui.report import links, wording
from groundswell.ui.report.compare import Period
from groundswell.ui.report.inbox import how_it_goes
from groundswell.ui.report.reasons import reason_said
from groundswell.ui.report.related import related
from groundswell.ui.report.series import DAY, day_axis, mean_mood, mood_series, volume_series
from groundswell.ui.report.today import SHOWN_DAYS
from groundswell.ui.report.tongue import tr
from groundswell.ui.report.trends import HISTORY_DAYS
from groundswell.ui.views.actions import actions
from groundswell.ui.views.documents import article, document_list
from groundswell.ui.views.inbox import standing_said
from groundswell.ui.views.theme_by_hand import by_hand

BREAKDOWNS: tuple[tuple[str, Field], ...] = (
    ("Languages", "lang"),
    ("Markets", "market"),
    ("Sources", "source"),
    ("About whom", "target"),
    ("Risks", "risk"),
    ("Feeling", "sentiment"),
)
NEWEST = 12
LATELY = timedelta(days=7)
DIFFERENT = timedelta(hours=48)


def show() -> None:
    """Draw the page."""
    wanted = st.query_params.get("theme", "")
    theme = queries.record(Theme, wanted) if wanted else None
    if theme is None:
        _unknown(wanted)
        return
    signals = sorted(
        (signal for signal in queries.records(Signal, 5000) if signal.theme == theme.id),
        key=lambda signal: signal.at,
        reverse=True,
    )
    entries = [entry for entry in queries.inbox().entries if entry.episode.theme == theme.id]
    fired = [replace(entry.episode.gravest, at=entry.episode.alert.at) for entry in entries]
    st.html(_head(theme, fired))
    _silence(theme)
    by_hand(theme)
    st.html(joined([_lines(theme, fired), _breakdowns(theme), _beside(theme), _texts(theme), _past(theme, signals)]))


def _unknown(id: str) -> None:
    text = tr("There is no theme {id}; it may have been forgotten.").format(id=id) if id else tr("No theme was chosen.")
    st.html(
        joined(
            [
                tag("div", tag("h1", esc(tr("Theme"))), cls="top"),
                tag("p", [esc(text + " "), link("themes", esc(tr("All themes")), cls="out")], cls="empty"),
            ]
        )
    )


def _head(theme: Theme, fired: Sequence[Signal]) -> Html:
    zone = queries.settings().board.timezone
    titles = [title for title in dict.fromkeys(theme.titles.values()) if title and title != wording.theme(theme)]
    count = sum(bucket.copies for bucket in queries.count(Query(where={"theme": (theme.id,)}), By()))
    size = wording.plural(count, "document")
    span = tr("{first} to {last}").format(
        first=wording.date(theme.first_seen, zone), last=wording.date(theme.last_seen, zone)
    )
    span += f" · {tr(theme.state)}" if theme.state != "living" else ""
    words = (
        link(links.search_text(f'"{word}"' if " " in word else word), esc(word), cls="tagged")
        for word in theme.keywords[:14]
    )
    risk = (
        link(links.search(risk=theme.risk), esc(f"{tr('risk')}: {wording.risk(theme.risk)}"), cls="tagged")
        if theme.risk
        else NOTHING
    )
    return joined(
        [
            tag("p", link("themes", esc(tr("Themes"))), cls="crumb"),
            tag(
                "div",
                [
                    tag("h1", esc(wording.shortened(wording.theme(theme), 140))),
                    tag("span", [link(links.unfolded(links.search(theme=theme.id)), esc(size)), esc(f" · {span}")]),
                ],
                cls="top",
            ),
            tag("p", esc(" · ".join(wording.shortened(title, 80) for title in titles[:4])), cls="note")
            if titles
            else NOTHING,
            tag("p", esc(reason_said(fired[0].why, wording.theme(theme))), cls="lead") if fired else NOTHING,
            tag("p", [risk, *words], cls="words"),
        ]
    )


def _silence(theme: Theme) -> None:
    """Offer what can be done about the theme's newest alert; without one, to silence the theme, or to wake it."""
    entry = next((e for e in queries.inbox().entries if e.episode.theme == theme.id), None)
    if entry is not None:
        goes = wording.capital(how_it_goes(entry, queries.zone()))
        address = link(links.alert(entry.id), esc(tr("in the inbox")), cls="out")
        st.html(tag("p", [esc(f"{goes}. {standing_said(entry)} "), address], cls="state"))
        actions(entry)
        return
    snooze = queries.record(Snooze, theme.id)
    with st.container(horizontal=True, key=f"act-theme-{theme.id}", vertical_alignment="center"):
        if snooze and snooze.until > datetime.now(UTC):
            why = f": {snooze.reason}" if snooze.reason else ""
            st.html(tag("p", esc(f"Silent until {wording.stamp(snooze.until, queries.zone())}{why}."), cls="state"))
            st.button(tr("Wake"), key=f"wake-{theme.id}", on_click=_wake, args=(theme.id,))
        else:
            with st.popover(tr("Snooze")), st.form(f"quiet-{theme.id}", border=False):
                st.text_input(
                    tr("Why"), key=f"why-{theme.id}", max_chars=300, placeholder=tr("known, a fix is on its way …")
                )
                st.form_submit_button(tr("Snooze"), key=f"snooze-{theme.id}", on_click=_snooze, args=(theme.id,))


def _snooze(theme: str) -> None:
    settings, why = queries.settings(), str(st.session_state[f"why-{theme}"]).strip()
    if not why:
        queries.say("A snooze needs a reason: whoever meets it later must know why it is quiet.", trouble=True)
        return
    with queries.told(), queries.desk() as desk:
        days, now = settings.signals.snooze_days, datetime.now(UTC)
        until = desk.snooze(theme, days=days, by=queries.me(), now=now, reason=why)
        queries.say(f"Silent until {wording.stamp(until, settings.board.timezone)}.")


def _wake(theme: str) -> None:
    with queries.told(), queries.desk() as desk:
        desk.wake(theme, by=queries.me(), now=datetime.now(UTC))
        queries.say("Awake: it may alert again.")


def _lines(theme: Theme, fired: Sequence[Signal]) -> Html:
    now = queries.now()
    seen = queries.seen(SHOWN_DAYS + HISTORY_DAYS)
    days = day_axis(now, SHOWN_DAYS + HISTORY_DAYS)
    query = Query(since=days[0], until=now, trusted_dates=True, collapse=True, where={"theme": (theme.id,)})
    buckets = queries.count(query, By(period="day"))
    volume, mood = volume_series(days, buckets).last(SHOWN_DAYS), mood_series(days, buckets).last(SHOWN_DAYS)
    titles = {signal.id: reason_said(signal.why) for signal in fired}
    chart = timeline.volume_and_mood(
        volume,
        mood,
        fired,
        seen.unseen()[-SHOWN_DAYS:],
        titles,
        now=datetime.now(UTC),
        address=lambda day: links.search_day(day, theme=theme.id),
        unit="text",
    )
    week = Query(since=days[-7], until=now, trusted_dates=True, collapse=True, where={"theme": (theme.id,)})
    recent = queries.count(week, By())  # not the sum of its days: a text repeated on two days is one text
    copies = sum(bucket.copies for bucket in buckets)
    folded = sum(bucket.count for bucket in buckets)
    numbers = facts(
        [
            (
                tr("last 7 days"),
                link(
                    links.search(theme=theme.id, **links.window(days[-7], now)),
                    esc(wording.plural(sum(b.count for b in recent), "text")),
                ),
            ),
            (tr("mood, 7 days"), esc(wording.mood(mean_mood(recent)))),
            (tr("alerts"), esc(wording.number(len(fired)))),
            (tr("copies"), esc(_repeated(copies - folded, copies))),
        ],
        cls="four",
    )
    return panel(
        tr("Documents and mood"),
        tr("texts a day over 60 days, copies folded, grey band = expected, dots = alerts"),
        joined([chart, timeline.explained(volume, theme=theme.id), _different(theme), numbers]),
    )


def _repeated(count: int, whole: int) -> str:
    said = tr("{count} of {whole} repeat another text")
    return said.format(count=wording.number(count), whole=wording.number(whole))


def _different(theme: Theme) -> Html:
    """Return the way to what is different about the last 48 hours, beside the four weeks before them."""
    now = queries.now()
    later = Period(now - DIFFERENT, now)
    earlier = Period(later.since - HISTORY_DAYS * DAY, later.since)
    address = links.compare(links.query_text(theme=theme.id), later=later.written(), earlier=earlier.written())
    return tag("p", link(address, esc(tr("What is different about the last 48 h")), cls="out"), cls="note")


def _breakdowns(theme: Theme) -> Html:
    fields = tuple(field for _, field in BREAKDOWNS)
    page = queries.search(Query(where={"theme": (theme.id,)}, facets=fields, limit=1))
    panels = [
        panel(tr(title), "", _bars(theme, field, counts, page.total))
        for title, field in BREAKDOWNS
        if (counts := [pair for pair in page.facets.get(field, ()) if pair[0]])
    ]
    return tag("div", panels, cls="row even")


def _bars(theme: Theme, field: Field, counts: Sequence[tuple[str, int]], whole: int) -> Html:
    def address(value: str) -> str:
        return links.unfolded(links.search(**{"theme": theme.id, field: value}))

    return charts.bars(counts, address, partial(wording.value, field), most=6, of=whole)


def _beside(theme: Theme) -> Html:
    """Return how each party is felt about, now and before, and the themes nearest to this one."""
    now = queries.now()
    recent = (now - LATELY, now)
    before = (now - LATELY - HISTORY_DAYS * DAY, now - LATELY)
    moods = [_moods(theme, *span) for span in (before, recent)]
    rows = [
        [
            link(links.search(theme=theme.id, target=who), esc(wording.risk(who))),
            *(_felt(theme, who, found.get(who), span) for found, span in zip(moods, (before, recent), strict=True)),
        ]
        for who in sorted({*moods[0], *moods[1]} - {""})
    ]
    head = (tr("about whom"), tr("four weeks before"), tr("last 7 days"))
    body = table(head, rows, cls="right") if rows else tag("p", esc(tr("Nobody is named.")), cls="empty")
    felt = panel(tr("Mood by whom it is about"), tr("mean mood, and texts, copies folded"), body)
    return tag("div", [felt, panel(tr("Related themes"), tr("nearest in meaning"), _related(theme))], cls="row half")


def _moods(theme: Theme, since: datetime, until: datetime) -> dict[str, Bucket]:
    query = Query(since=since, until=until, collapse=True, where={"theme": (theme.id,)})
    return {bucket.values[0]: bucket for bucket in queries.count(query, By(fields=("target",)))}


def _felt(theme: Theme, who: str, bucket: Bucket | None, span: tuple[datetime, datetime]) -> Html:
    if bucket is None:
        return esc("–")
    count = esc(wording.plural(bucket.count, "text"))
    found = link(links.search(theme=theme.id, target=who, **links.window(*span)), count, cls="num")
    return joined([tag("span", esc(f"{wording.mood(bucket.mood)} · "), cls="num"), found])


def _related(theme: Theme) -> Html:
    near = queries.kept("related", theme.id, ask=lambda reader: related(reader, theme))
    rows = (
        tag(
            "li",
            [
                tag("p", link(links.theme(one.id), esc(wording.shortened(wording.theme(one), 90)))),
                tag("div", esc(tr("likeness {value}").format(value=f"{likeness:.2f}")), cls="by"),
            ],
        )
        for one, likeness in near
    )
    return tag("ul", rows, cls="history") if near else tag("p", esc(tr("No theme is near it.")), cls="empty")


def _texts(theme: Theme) -> Html:
    zone = queries.settings().board.timezone
    exemplars = queries.many(Document, tuple(theme.exemplars[:6]))
    newest = queries.search(Query(where={"theme": (theme.id,)}, collapse=True, limit=NEWEST)).hits
    right = document_list(newest, zone, hide=theme.risk) or tag("p", esc(tr("No documents.")), cls="empty")
    if not exemplars:
        return tag("div", panel(tr("Newest"), tr("copies folded"), right), cls="row one")
    left = joined(article(document, zone, hide=theme.risk) for document in exemplars)
    return tag(
        "div",
        [
            panel(tr("Newest"), tr("copies folded"), right),
            panel(tr("Most typical"), tr("what the theme is made of"), left),
        ],
        cls="row half",
    )


def _past(theme: Theme, signals: Sequence[Signal]) -> Html:
    return tag(
        "div",
        [
            panel(tr("Alerts and held signals"), _shown(len(signals)), _signals(signals)),
            panel(tr("What became of it"), "", _lineage(theme)),
        ],
        cls="row half",
    )


def _shown(count: int) -> str:
    return tr("alerts first; 12 of {count}").format(count=wording.number(count)) if count > 12 else ""


def _signals(signals: Sequence[Signal]) -> Html:
    if not signals:
        return tag("p", esc(_no_signal()), cls="empty")
    zone = queries.settings().board.timezone
    cases = {signal: case for case in queries.records(Case, 5000) for signal in case.signals}
    return tag(
        "ul",
        (
            _signal(signal, cases.get(signal.id), zone)
            for signal in sorted(signals, key=lambda signal: not signal.fired)[:12]
        ),
        cls="history",
    )


def _no_signal() -> str:
    """Return that there is no signal, and up to when there was looked for one."""
    upto = queries.inbox().upto
    if upto is None:
        return tr("Signals have not been looked for yet: groundswell signals does.")
    return tr("No signal about it; signals were looked for up to {time}.").format(
        time=wording.moment(upto, queries.zone())
    )


def _signal(signal: Signal, case: Case | None, zone: str) -> Html:
    evidence = links.evidence(signal)
    state = (
        tag("span", esc(tr(signal.severity)), cls=f"sev {signal.severity}")
        if signal.fired
        else esc(f"{tr('held')}: {tr(signal.held_by or 'below the threshold')}")
    )
    by = [
        state,
        esc(f" · {tr(wording.KINDS[signal.kind])} · {wording.stamp(signal.at, zone)} · "),
        link(evidence, esc(wording.plural(len(signal.evidence), "document"))),
    ]
    if case:
        by += [esc(" · "), link(links.case(case.id), esc(f"{tr('case')} {tr(case.status)}"))]
    return tag("li", [tag("div", by, cls="by"), tag("p", esc(reason_said(signal.why)))])


def _lineage(theme: Theme) -> Html:
    zone = queries.settings().board.timezone
    events = [event for event in queries.records(Lineage, 5000) if event.theme == theme.id]
    names = queries.theme_names(
        tuple(sorted({other for event in events for other in event.others} | set(theme.parents) | set(theme.children)))
    )
    rows = [_event(event.what, event.others, names, event.why, wording.stamp(event.at, zone)) for event in events[:12]]
    if not events:
        rows = [_event("came from", theme.parents, names, "", "")] * bool(theme.parents) + [
            _event("went to", theme.children, names, "", "")
        ] * bool(theme.children)
    born = tag(
        "li", [tag("div", esc(wording.stamp(theme.first_seen, zone)), cls="by"), tag("p", esc(tr("first document")))]
    )
    return tag("ul", [*rows, born], cls="history")


def _event(what: str, others: Sequence[str], names: dict[str, str], why: str, when: str) -> Html:
    linked = [
        link(links.theme(other), esc(wording.shortened(names.get(other, other), 60)), cls="out") for other in others
    ]
    whom = joined([esc(": "), Html(", ".join(linked))]) if linked else NOTHING
    return tag(
        "li", [tag("div", esc(when), cls="by"), tag("p", [esc(tr(what)), whom, esc(f" ({why})" if why else "")])]
    )
