"""Lines, bands and maps, drawn as SVG pictures and plain HTML that follow the light or dark theme by themselves.

Streamlit's ``st.html`` removes inline SVG, so a drawing travels as a picture (``data:`` address). The style sheet inside
it asks for the colour scheme, which a browser answers with that of the element around the picture. No text of other
people ever stands inside a drawing; what can be pointed at lies over it as links.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from groundswell.index.records import Signal
from groundswell.ui import links, wording
from groundswell.ui.coverage import Coverage
from groundswell.ui.markup import NOTHING, Html, esc, joined, link, tag
from groundswell.ui.today import Heat, Series, risk_address
from groundswell.ui.trends import Band

LIGHT = {
    "ink": "#1d1f24", "mute": "#6b6f78", "line": "#e3e1db", "band": "#eceae4", "hatch": "#e3e1db",
    "critical": "#b3261e", "high": "#c2570c", "medium": "#8a6d00", "low": "#2f6f8f", "cool": "#2f6f8f",
}  # fmt: skip
DARK = {
    "ink": "#eceae4", "mute": "#9aa0aa", "line": "#2c3038", "band": "#262a32", "hatch": "#2c3038",
    "critical": "#ff7a70", "high": "#f59e4b", "medium": "#d9b84a", "low": "#6fb3d2", "cool": "#6fb3d2",
}  # fmt: skip
Points = Sequence[tuple[float, float]]
Scale = Callable[[float], float]


def _colours(palette: dict[str, str]) -> str:
    return "".join(f".f-{name}{{fill:{value}}}.s-{name}{{stroke:{value}}}" for name, value in palette.items())


STYLE = (
    f"<style>{_colours(LIGHT)}@media(prefers-color-scheme:dark){{{_colours(DARK)}}}"
    ".n{fill:none}.l{stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}</style>"
)
HATCH = (
    '<defs><pattern id="h" width="6" height="6" patternTransform="rotate(45)" patternUnits="userSpaceOnUse">'
    '<line class="s-hatch" x1="0" y1="0" x2="0" y2="6" stroke-width="3"/></pattern></defs>'
)


def picture(body: str, width: float, height: float, alt: str, cls: str = "") -> Html:
    """Return a drawing as a picture that fills the width it is given."""
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}">{STYLE}{body}</svg>'
    )
    return tag(
        "img",
        cls=f"drawing {cls}".strip(),
        src=f"data:image/svg+xml;base64,{b64encode(drawing.encode()).decode()}",
        alt=alt,
    )


def _path(points: Points) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _line(points: Points, colour: str) -> str:
    if len(points) == 1:
        return f'<circle class="f-{colour}" cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="1.6"/>'
    return f'<polyline class="n l s-{colour}" points="{_path(points)}"/>' if points else ""


def _area(bands: Sequence[Band | None], x: Scale, y: Scale) -> str:
    """Return the grey band, one shape for each stretch of days that have one."""
    return "".join(
        f'<polygon class="f-band" points="{_path(_outline(bands, stretch, x, y))}"/>' for stretch in _stretches(bands)
    )


def _outline(bands: Sequence[Band | None], stretch: Sequence[int], x: Scale, y: Scale) -> Points:
    known = [(i, band) for i in stretch if (band := bands[i]) is not None]
    return [(x(i), y(band.high)) for i, band in known] + [(x(i), y(band.low)) for i, band in reversed(known)]


def _stretches(values: Sequence[object | None]) -> list[list[int]]:
    """Return runs of indices that have a value."""
    runs: list[list[int]] = []
    for i, value in enumerate(values):
        if value is None:
            continue
        if runs and runs[-1][-1] == i - 1:
            runs[-1].append(i)
        else:
            runs.append([i])
    return runs


def _lines(values: Sequence[float | None], colour: str, x: Scale, y: Scale, *, bridge: bool) -> str:
    """Return a line through the values; days without one are bridged or left open."""
    known = [i for i, value in enumerate(values) if value is not None]
    runs = [known] if bridge and known else _stretches(values)
    return "".join(_line([(x(i), y(values[i] or 0.0)) for i in run], colour) for run in runs)


def _range(series: Series) -> tuple[float, float]:
    values = [value for value in series.values if value is not None]
    values += [edge for band in series.bands if band for edge in (band.low, band.high)]
    low, high = min(values, default=0.0), max(values, default=1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def sparkline(series: Series, colour: str, alt: str) -> Html:
    """Return a small line of the last weeks with its usual band and a dot on the last day."""
    width, height = 300.0, 54.0
    low, high = _range(series)
    if all(value is None or value >= 0 for value in series.values) and not any(b and b.low < 0 for b in series.bands):
        low = 0.0
    x = _scale(0, max(1, len(series.days) - 1), 2, width - 5)
    y = _scale(low, high, height - 3, 5)
    body = _area(series.bands, x, y) + _lines(series.values, colour, x, y, bridge=True)
    last = next((i for i in range(len(series.values) - 1, -1, -1) if series.values[i] is not None), None)
    if last is not None:
        body += f'<circle class="f-{colour}" cx="{x(last):.1f}" cy="{y(series.values[last] or 0.0):.1f}" r="3"/>'
    return picture(body, width, height, alt, "spark")


def _scale(low: float, high: float, begin: float, end: float) -> Scale:
    return lambda value: begin + (value - low) / ((high - low) or 1.0) * (end - begin)


# --- volume and mood ----------------------------------------------------------------------------------------------

WIDE, TALL, LOW = 760.0, 190.0, 90.0


def volume_and_mood(
    volume: Series,
    mood: Series,
    alerts: Sequence[Signal],
    unseen: Sequence[Sequence[str]],
    titles: dict[str, str],
    *,
    now: datetime,
    address: Callable[[datetime], str] = links.search_day,
    trouble: str = "",
) -> Html:
    """Return two lines over the same days: documents with alerts and blind days, and mood below.

    Each day is a link to the search that lists its documents.
    """
    shown = [alert for alert in alerts if _day_of(alert, volume.days) is not None]
    notes = joined(_blind_notes(unseen, len(volume.days)))
    return joined(
        [
            tag(
                "div",
                [
                    _volume(volume, shown, unseen),
                    _most(volume),
                    notes,
                    _days(volume, unseen, address),
                    _dots(volume, shown, titles),
                ],
                cls="chart",
            ),
            tag(
                "div",
                [_mood(mood), tag("span", esc("mood, −1 … 1"), cls="axis mood"), _mood_days(mood, address)],
                cls="chart low",
            ),
            _dates(volume.days, now),
            tag("p", esc(trouble), cls="note") if trouble else NOTHING,
        ]
    )


def _volume(series: Series, alerts: Sequence[Signal], unseen: Sequence[Sequence[str]]) -> Html:
    x, y = _x(series), _scale(0, _range(series)[1], TALL - 6, 22)
    body = HATCH + "".join(_blind(run, x) for run in _stretches([names or None for names in unseen]))
    body += _area(series.bands, x, y) + _lines(series.values, "ink", x, y, bridge=False)
    for alert in alerts:
        at = x(_day_of(alert, series.days) or 0)
        body += f'<line class="s-{alert.severity}" x1="{at:.1f}" x2="{at:.1f}" y1="14" y2="{TALL - 6:g}" stroke-dasharray="2 3"/>'
        body += f'<circle class="f-{alert.severity}" cx="{at:.1f}" cy="10" r="4"/>'
    return picture(body, WIDE, TALL, "Documents a day with what is usual")


def _most(series: Series) -> Html:
    """Return the words that give the line its scale."""
    most = max((value for value in series.values if value), default=0)
    return tag("span", esc(f"documents a day, at most {wording.number(most)}"), cls="axis most")


def _mood(series: Series) -> Html:
    x, y = _x(series), _scale(-1, 1, LOW - 6, 12)
    zero = f'<line class="s-line" x1="6" x2="{WIDE - 6:g}" y1="{y(0):.1f}" y2="{y(0):.1f}" stroke-dasharray="2 4"/>'
    top = f'<line class="s-line" x1="6" x2="{WIDE - 6:g}" y1="2" y2="2"/>'
    body = top + _area(series.bands, x, y) + zero + _lines(series.values, "medium", x, y, bridge=True)
    return picture(body, WIDE, LOW, "Mean mood a day, from minus one to one")


def _x(series: Series) -> Scale:
    return _scale(0, max(1, len(series.days) - 1), 6, WIDE - 6)


def _blind(run: Sequence[int], x: Scale) -> str:
    begin, end = x(run[0] - 0.5), x(run[-1] + 0.5)
    return f'<rect x="{max(0, begin):.1f}" y="6" width="{min(WIDE, end) - max(0, begin):.1f}" height="{TALL - 12:g}" fill="url(#h)"/>'


def _blind_notes(unseen: Sequence[Sequence[str]], days: int) -> Iterable[Html]:
    """Yield the words beside the longest hatched stretch: what was not seen."""
    runs = _stretches([names or None for names in unseen])
    if not runs:
        return
    run = max(runs, key=len)
    names = sorted({name for i in run for name in unseen[i]})
    side = "left" if run[0] < days * 0.6 else "right"
    share = 100 * run[0] / days if side == "left" else 100 * (days - run[-1] - 1) / days
    yield tag(
        "span",
        esc(f"{wording.plural(len(names), 'source')} down: not calm, unseen"),
        cls="axis blind",
        style=f"{side}:{share:.1f}%",
        title=", ".join(names),
    )


def _days(series: Series, unseen: Sequence[Sequence[str]], address: Callable[[datetime], str]) -> Html:
    cells = []
    for i, day in enumerate(series.days):
        usual = series.bands[i]
        said = f"{day:%a} {day.day} {day:%b}: {wording.plural(int(series.values[i] or 0), 'document')}"
        said += f", usually {wording.number(round(usual.low))} to {wording.number(round(usual.high))}" if usual else ""
        said += f"; not seen: {', '.join(unseen[i][:5])}" if i < len(unseen) and unseen[i] else ""
        cells.append(link(address(day), NOTHING, title=said))
    return tag("div", cells, cls="days")


def _mood_days(series: Series, address: Callable[[datetime], str]) -> Html:
    cells = (
        link(
            address(day),
            NOTHING,
            title=f"{day:%a} {day.day} {day:%b}: mood {wording.mood(series.values[i])}",
        )
        for i, day in enumerate(series.days)
    )
    return tag("div", cells, cls="days")


def _dots(series: Series, alerts: Sequence[Signal], titles: dict[str, str]) -> Html:
    """Return links over the alert dots."""
    x = _x(series)
    return joined(
        link(
            links.theme(alert.theme),
            NOTHING,
            cls="dot",
            title=f"{alert.severity}: {titles.get(alert.id, alert.why)}",
            style=f"left:{100 * x(_day_of(alert, series.days) or 0) / WIDE:.2f}%",
        )
        for alert in alerts
    )


def _day_of(alert: Signal, days: Sequence[datetime]) -> int | None:
    at = alert.at - timedelta(seconds=1)  # an alert that closes a day's last bucket belongs to that day
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return (day - days[0]).days if days and days[0] <= day <= days[-1] else None


def _dates(days: Sequence[datetime], now: datetime) -> Html:
    """Return five dates below a chart."""
    if len(days) < 5:
        return NOTHING
    marks = [days[round(i * (len(days) - 1) / 4)] for i in range(5)]
    words = [f"{day.day} {day:%b}" for day in marks[:-1]] + [
        "today" if days[-1].date() == now.date() else f"{days[-1].day} {days[-1]:%b}"
    ]
    return tag("div", (tag("span", esc(word)) for word in words), cls="dates")


# --- maps ---------------------------------------------------------------------------------------------------------

SAID_FROM = 0.9
"""Departures smaller than this are coloured only."""
PER_SD = 24
"""Per cent of full colour for each standard deviation: 4.2 is full."""


def heat_map(heat: Heat, now: datetime) -> Html:
    """Return risk by market, coloured by departure; each cell leads to its documents."""
    if not heat.risks or not heat.markets:
        return tag("p", esc("No risk has been found in any text yet."), cls="empty")
    cells = []
    for risk in heat.risks:
        cells.append(link(links.search(risk=risk), esc(wording.risk(risk)), cls="rl"))
        cells += [_heat_cell(heat, risk, market, now) for market in heat.markets]
    cells.append(tag("span"))
    cells += [
        tag("span", esc(market or "none"), cls="ml", title=wording.market(market) or "posts that name no market")
        for market in heat.markets
    ]
    return tag("div", cells, cls="heat", style=f"--n:{len(heat.markets)}")


def _heat_cell(heat: Heat, risk: str, market: str, now: datetime) -> Html:
    value, count = heat.departures.get((risk, market), 0.0), heat.counts.get((risk, market), 0)
    share = min(100, round(abs(value) * PER_SD))
    said = wording.signed(value, 1) if abs(value) >= SAID_FROM else ""
    title = f"{wording.risk(risk)}, {market or 'no market'}: {wording.plural(count, 'document')} in 24 h, {wording.signed(value, 1)} standard deviations"
    cls = f"hc {'up' if value >= 0 else 'down'}{' full' if share > 55 else ''}"
    return link(risk_address(risk, market, now), esc(said), cls=cls, title=title, style=f"--s:{share}%")


def coverage_map(found: Coverage) -> Html:
    """Return sources by days, and in words the sources that were not seen."""
    if not found.rows:
        return tag("p", esc("No source has been visited yet."), cls="empty")
    rows = sorted(found.rows, key=lambda row: row.source)
    shown = (
        rows
        if len(rows) <= 24
        else sorted(sorted(rows, key=lambda row: -row.bad_days)[:24], key=lambda row: row.source)
    )
    cells = [
        link(
            links.source(row.source),
            NOTHING,
            cls=cell.state,
            title=f"{row.source}, {cell.day.day} {cell.day:%b}: {cell.why}",
        )
        for row in shown
        for cell in row.cells
    ]
    return joined([tag("div", cells, cls="cov"), coverage_words(found)])


def coverage_words(found: Coverage) -> Html:
    """Return which sources had blind days, worst first."""
    bad = sorted((row for row in found.rows if row.bad_days), key=lambda row: -row.bad_days)
    if not bad:
        return tag("p", esc("Every source was seen on every day it was watched."), cls="note")
    said = (
        tag(
            "li",
            [link(links.source(row.source), esc(row.source)), esc(f" unseen on {wording.plural(row.bad_days, 'day')}")],
        )
        for row in bad[:4]
    )
    more = [tag("li", esc(f"and {len(bad) - 4} more"))] if len(bad) > 4 else []
    return tag("ul", [*said, *more], cls="note")


def bars(
    counts: Sequence[tuple[str, int]], address: Callable[[str], str], name: Callable[[str], str] = str, most: int = 8
) -> Html:
    """Return named counts as bars; each leads to its documents."""
    whole = sum(count for _, count in counts)
    longest = max((count for _, count in counts), default=1)
    rows = [
        link(
            address(value),
            joined(
                [
                    tag("i"),
                    tag("span", esc(name(value) or "none")),
                    tag("b", esc(wording.number(count))),
                    tag("em", esc(wording.percent(count, whole))),
                ]
            ),
            cls="bar",
            style=f"--w:{100 * count / longest:.1f}%",
        )
        for value, count in counts[:most]
    ]
    return tag("div", rows, cls="bars") if rows else tag("p", esc("Nothing yet."), cls="empty")


def columns(series: Series, address: Callable[[datetime], str]) -> Html:
    """Return small columns over the days, for a search result."""
    width, height = 760.0, 44.0
    highest = max((value or 0 for value in series.values), default=0) or 1
    step = width / max(1, len(series.days))
    body = "".join(
        f'<rect class="f-low" x="{i * step + 0.5:.1f}" y="{height - 2 - 40 * (value or 0) / highest:.1f}" '
        f'width="{max(0.6, step - 1):.1f}" height="{40 * (value or 0) / highest:.1f}"/>'
        for i, value in enumerate(series.values)
    )
    return tag(
        "div", [picture(body, width, height, "Documents found a day"), _days(series, (), address)], cls="chart tiny"
    )
