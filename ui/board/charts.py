"""Lines, bands and maps, drawn as SVG pictures and plain HTML that follow the light or dark theme by themselves.

Streamlit's ``st.html`` removes inline SVG, so a drawing travels as a picture (``data:`` address). The style sheet
inside it asks for the colour scheme, which a browser answers with that of the element around the picture. No text of
other people ever stands inside a drawing; what can be pointed at lies over it as links.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import datetime

from groundswell.ui.board.elements import Html, esc, joined, link, tag
from groundswell.ui.report import links, wording
from groundswell.ui.report.coverage import Coverage, Row
from groundswell.ui.report.series import Series
from groundswell.ui.report.today import Heat, risk_address
from groundswell.ui.report.tongue import tr
from groundswell.ui.report.trends import Band

LIGHT = {
    "ink": "#1d1f24", "mute": "#6b6f78", "line": "#e3e1db", "band": "#eceae4", "hatch": "#e3e1db",
    "critical": "#b3261e", "high": "#b04e0a", "medium": "#8a6d00", "low": "#2f6f8f", "cool": "#2f6f8f",
}  # fmt: skip
DARK = {
    "ink": "#eceae4", "mute": "#9aa0aa", "line": "#2c3038", "band": "#262a32", "hatch": "#2c3038",
    "critical": "#ff7a70", "high": "#f59e4b", "medium": "#d9b84a", "low": "#6fb3d2", "cool": "#6fb3d2",
}  # fmt: skip
SPARKLINE = (300.0, 54.0)
# From here on a departure has no room for its decimal.
WHOLE_FROM = 9.95
Points = Sequence[tuple[float, float]]
Scale = Callable[[float], float]


def _colours(palette: dict[str, str]) -> str:
    return "".join(f".f-{name}{{fill:{value}}}.s-{name}{{stroke:{value}}}" for name, value in palette.items())


STYLE = (
    f"<style>{_colours(LIGHT)}@media(prefers-color-scheme:dark){{{_colours(DARK)}}}"
    ".n{fill:none}.l{stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}"
    "polyline,line{vector-effect:non-scaling-stroke}</style>"
)


def picture(body: str, width: float, height: float, alt: str, cls: str = "") -> Html:
    """Return a drawing as a picture; where the style sheet gives it another shape, it stretches and lines stay even."""
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" preserveAspectRatio="none">{STYLE}{body}</svg>'
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


def area(bands: Sequence[Band | None], x: Scale, y: Scale) -> str:
    """Return the grey band, one shape for each stretch of days that have one."""
    return "".join(
        f'<polygon class="f-band" points="{_path(_outline(bands, stretch, x, y))}"/>' for stretch in stretches(bands)
    )


def _outline(bands: Sequence[Band | None], stretch: Sequence[int], x: Scale, y: Scale) -> Points:
    points = [(i, band) for i in stretch if (band := bands[i]) is not None]
    return [(x(i), y(band.high)) for i, band in points] + [(x(i), y(band.low)) for i, band in reversed(points)]


def stretches(values: Sequence[object | None]) -> list[list[int]]:
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


def lines(values: Sequence[float | None], colour: str, x: Scale, y: Scale, *, bridge: bool) -> str:
    """Return a line through the values; days without one are bridged or left open."""
    points = [i for i, value in enumerate(values) if value is not None]
    runs = [points] if bridge and points else stretches(values)
    return "".join(_line([(x(i), y(values[i] or 0.0)) for i in run], colour) for run in runs)


def reach(series: Series) -> tuple[float, float]:
    """Return the lowest and highest of values and bands."""
    values = [value for value in series.values if value is not None]
    values += [edge for band in series.bands if band for edge in (band.low, band.high)]
    low, high = min(values, default=0.0), max(values, default=1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def sparkline(series: Series, colour: str, alt: str) -> Html:
    """Return a small line of the last weeks with its usual band and a dot on the last day."""
    width, height = SPARKLINE
    low, high = reach(series)
    if all(value is None or value >= 0 for value in series.values) and not any(b and b.low < 0 for b in series.bands):
        low = 0.0
    x = scale(0, max(1, len(series.days) - 1), 2, width - 5)
    y = scale(low, high, height - 3, 5)
    body = area(series.bands, x, y) + lines(series.values, colour, x, y, bridge=True)
    last = next((i for i in range(len(series.values) - 1, -1, -1) if series.values[i] is not None), None)
    if last is not None:
        body += f'<circle class="f-{colour}" cx="{x(last):.1f}" cy="{y(series.values[last] or 0.0):.1f}" r="3"/>'
    return picture(body, width, height, alt, "spark")


def scale(low: float, high: float, begin: float, end: float) -> Scale:
    """Return what turns a value into a place on the drawing."""
    return lambda value: begin + (value - low) / ((high - low) or 1.0) * (end - begin)


# --- maps ---------------------------------------------------------------------------------------------------------

SAID_FROM = 0.9
"""Departures smaller than this are coloured only."""
PER_SD = 24
"""Per cent of full colour for each standard deviation: 4.2 is full."""


def heat_map(heat: Heat, now: datetime) -> Html:
    """Return risk by market, coloured by departure; each cell leads to its documents."""
    if not heat.risks or not heat.markets:
        return tag("p", esc(tr("No text of the last four weeks carries a risk.")), cls="empty")
    cells = []
    for risk in heat.risks:
        cells.append(link(links.search(risk=risk), esc(wording.risk(risk)), cls="rl"))
        cells += [_heat_cell(heat, risk, market, now) for market in heat.markets]
    cells.append(tag("span"))
    cells += [
        tag(
            "span", esc(market or tr("none")), cls="ml", title=wording.market(market) or tr("posts that name no market")
        )
        for market in heat.markets
    ]
    return tag("div", cells, cls="heat", style=f"--n:{len(heat.markets)}")


def _heat_cell(heat: Heat, risk: str, market: str, now: datetime) -> Html:
    value, count = heat.departures.get((risk, market), 0.0), heat.counts.get((risk, market), 0)
    share = min(100, round(abs(value) * PER_SD))
    digits = 1 if abs(value) < WHOLE_FROM else 0
    text = wording.signed(value, digits) if abs(value) >= SAID_FROM else ""
    title = tr("{risk}, {market}: {texts} in 24 h, {value} standard deviations").format(
        risk=wording.risk(risk), market=market or tr("not named"), texts=wording.plural(count, "text"),
        value=wording.signed(value, 1),
    )  # fmt: skip
    cls = f"hc {'up' if value >= 0 else 'down'}{' full' if share > 55 else ''}"
    return link(risk_address(risk, market, now), esc(text), cls=cls, title=title, style=f"--s:{share}%")


def coverage_map(found: Coverage) -> Html:
    """Return sources by days, and in words the sources that were not seen."""
    if not found.rows:
        return tag("p", esc(tr("No source has been visited yet.")), cls="empty")
    rows = sorted(found.rows, key=lambda row: row.source)
    shown = (
        rows
        if len(rows) <= 24
        else sorted(sorted(rows, key=lambda row: -row.bad_days)[:24], key=lambda row: row.source)
    )
    return joined([tag("div", [_days(row) for row in shown], cls="cov"), coverage_words(found)])


def _days(row: Row) -> Html:
    """Return the days of one source, a cell each, that lead to it together."""
    words = [f"{row.source}, {wording.day(cell.day)}: {cell.why}" for cell in row.cells]
    states = ["" if cell.state == "ok" else cell.state for cell in row.cells]
    cells = (tag("i", cls=state, title=title) for state, title in zip(states, words, strict=True))
    return tag("a", cells, href=links.source(row.source), aria_label=row.source)


def coverage_words(found: Coverage) -> Html:
    """Return which sources had blind days, worst first."""
    bad = sorted((row for row in found.rows if row.bad_days), key=lambda row: -row.bad_days)
    if not bad:
        return tag("p", esc(tr("Every source was seen on every day it was watched.")), cls="note")
    text = (
        tag(
            "li",
            [
                link(links.source(row.source), esc(row.source)),
                esc(tr(" unseen on {count}").format(count=wording.plural(row.bad_days, "day"))),
            ],
        )
        for row in bad[:4]
    )
    more = [tag("li", esc(tr("and {count} more").format(count=len(bad) - 4)))] if len(bad) > 4 else []
    return tag("ul", [*text, *more], cls="note")


def bars(
    counts: Sequence[tuple[str, int]],
    address: Callable[[str], str],
    name: Callable[[str], str] = str,
    most: int = 8,
    *,
    of: int,
) -> Html:
    """Return named counts as bars with their share `of` all documents; each leads to its documents."""
    longest = max((count for _, count in counts), default=1)
    rows = [
        link(
            address(value),
            joined(
                [
                    tag("i"),
                    tag("span", esc(name(value) or tr("none"))),
                    tag("b", esc(wording.number(count))),
                    tag("em", esc(wording.percent(count, of))),
                ]
            ),
            cls="bar",
            style=f"--w:{100 * count / longest:.1f}%",
        )
        for value, count in counts[:most]
    ]
    return tag("div", rows, cls="bars") if rows else tag("p", esc(tr("Nothing yet.")), cls="empty")
