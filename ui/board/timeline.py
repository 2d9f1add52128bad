"""Documents and moods over days, in one frame: every day a link, every alert a dot, every blind day hatched.

Lines stretch with the page; dots, hatching and words are elements over and under them, so that they keep their shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import floor, log10

from groundswell.index.records import Signal
from groundswell.ui.board.charts import Scale, area, lines, picture, reach, scale, stretches
from groundswell.ui.board.elements import NOTHING, Html, esc, joined, link, tag
from groundswell.ui.report import links, wording
from groundswell.ui.report.series import Series
from groundswell.ui.report.tongue import tr

WIDE, TALL, LOW = 760.0, 190.0, 90.0
"""The drawing's own units; the style sheet decides how large it is."""
Address = Callable[[datetime], str]


def volume_and_mood(
    volume: Series,
    mood: Series,
    alerts: Sequence[Signal],
    unseen: Sequence[Sequence[str]],
    titles: Mapping[str, str],
    *,
    now: datetime,
    address: Address = lambda day: links.unfolded(links.search_day(day)),
    unit: str = "document",
) -> Html:
    """Return two lines over the same days: documents with alerts and blind days, and mood below."""
    runs = stretches([names or None for names in unseen])
    partial = (
        [_partial(len(volume.days))] if volume.days and volume.days[-1].date() == now.astimezone(UTC).date() else []
    )
    above = [
        *partial,
        *(_hatch(run, len(volume.days)) for run in runs),
        _volume(volume),
        *(_tick(wording.number(value), _height(volume)(value) / TALL) for value in ticks(reach(volume)[1])),
        *_blind_words(runs, unseen, len(volume.days)),
        _days(volume, unseen, address, unit),
        *_alerts(volume, alerts, titles),
    ]
    scaled = scale(-1, 1, LOW - 4, 12)
    marks = (_tick(wording.signed(value, 0), scaled(value) / LOW) for value in (-1.0, 0.0, 1.0))
    below = [*partial, _mood(mood), *marks, _word(tr("mood"), "mood"), _mood_days(mood, address)]
    return joined([tag("div", above, cls="chart"), tag("div", below, cls="chart low"), _dates(volume.days, now)])


def columns(series: Series, address: Address, unit: str = "document", *, brush: str = "", now: datetime) -> Html:
    """Return small columns over the days, for a search result.

    `brush` is the address of several of its days; the days that are drawn over stand in it for SINCE and UNTIL.
    """
    tall = 44.0
    highest = max((value or 0 for value in series.values), default=0) or 1
    step = WIDE / max(1, len(series.days))
    body = "".join(
        f'<rect class="f-low" x="{i * step + 0.5:.1f}" y="{tall - 1 - 42 * (value or 0) / highest:.1f}" '
        f'width="{max(0.6, step - 1):.1f}" height="{42 * (value or 0) / highest:.1f}"/>'
        for i, value in enumerate(series.values)
    )
    given = {"data_brush": brush, "data_first": links.day(series.days[0])} if brush else {}
    chart = tag(
        "div",
        [
            picture(body, WIDE, tall, "Documents found a day"),
            _tick(wording.number(highest), 2 / tall),
            _days(series, (), address, unit),
        ],
        cls="chart tiny",
        **given,
    )
    return joined([chart, _dates(series.days, now)])


def explained(series: Series, **terms: str) -> Html:
    """Return the ways to what made the day that stood out, the last whole day and the last week of a chart.

    `terms` are those of the search that the chart counts.
    """
    above = [
        ((value or 0) - (band.middle if band else 0), day)
        for value, day, band in zip(series.values, series.days, series.bands, strict=True)
        if value
    ]
    if not above:
        return NOTHING
    peak, last = max(above)[1], series.days[-1]
    days = dict.fromkeys([peak, series.days[-2] if len(series.days) > 1 else last, last])
    ways = [
        link(links.explain(links.query_text(**terms, on=links.day(day))), esc(_date(day)), cls="out") for day in days
    ]
    week = {"since": links.day(last - timedelta(days=6)), "until": links.day(last + timedelta(days=1))}
    ways.append(link(links.explain(links.query_text(**terms, **week)), esc(tr("the last 7 days")), cls="out"))
    parts = [esc(tr("What made it: ")), *(joined([esc(" · "), way]) if i else way for i, way in enumerate(ways))]
    return tag("p", parts, cls="note made")


def _volume(series: Series) -> Html:
    x, y = _x(series), _height(series)
    rules = "".join(
        f'<line class="s-line" x1="0" x2="{WIDE:g}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke-dasharray="2 4"/>'
        for value in ticks(reach(series)[1])
    )
    body = rules + area(series.bands, x, y) + lines(series.values, "ink", x, y, bridge=False)
    return picture(body, WIDE, TALL, "Documents a day with what is usual")


def _height(series: Series) -> Scale:
    """Return where a number of documents stands."""
    return scale(0, reach(series)[1], TALL - 4, 22)


def ticks(highest: float) -> list[float]:
    """Return two to four round numbers from nought to the highest: 1, 2 or 5 times a power of ten apart."""
    if highest <= 0:
        return [0.0]
    rough = highest / 3
    power = 10 ** floor(log10(rough))
    step = max(1.0, next(m * power for m in (1, 2, 5, 10) if m * power >= rough))
    return [step * k for k in range(int(highest // step) + 1)]


def _tick(text: str, share: float) -> Html:
    """Return the number beside a line of the grid, so far down the chart."""
    return tag("span", esc(text), cls="axis tick", style=f"top:{100 * share:.1f}%")


def _partial(days: int) -> Html:
    """Return what marks the last day, which is not over."""
    return tag(
        "i",
        cls="partial",
        style=f"left:{100 * (days - 1) / days:.2f}%;width:{100 / days:.2f}%",
        title=tr("not over yet"),
    )


def _mood(series: Series) -> Html:
    x, y = _x(series), scale(-1, 1, LOW - 4, 12)
    rules = "".join(
        f'<line class="s-line" x1="0" x2="{WIDE:g}" y1="{at:.1f}" y2="{at:.1f}"{dashes}/>'
        for at, dashes in ((1.0, ""), (y(0), ' stroke-dasharray="2 4"'))
    )
    body = area(series.bands, x, y) + rules + lines(series.values, "medium", x, y, bridge=True)
    return picture(body, WIDE, LOW, "Mean mood a day, from minus one to one")


def _x(series: Series) -> Scale:
    """Return where a day stands: in the middle of its cell, so that what lies over it agrees."""
    step = WIDE / max(1, len(series.days))
    return lambda day: (day + 0.5) * step


def _word(text: str, cls: str) -> Html:
    return tag("span", esc(text), cls=f"axis {cls}")


# --- over and under the lines --------------------------------------------------------------------------------------


def _hatch(run: Sequence[int], days: int) -> Html:
    return tag("i", cls="hatch", style=f"left:{100 * run[0] / days:.2f}%;width:{100 * len(run) / days:.2f}%")


def _blind_words(runs: Sequence[Sequence[int]], unseen: Sequence[Sequence[str]], days: int) -> Iterable[Html]:
    """Yield the words beside the longest hatched stretch: what was not seen."""
    if not runs:
        return
    run = max(runs, key=len)
    names = sorted({name for i in run for name in unseen[i]})
    left = run[0] < days / 2  # on the side with room for them
    side = f"left:{100 * run[0] / days:.1f}%" if left else f"right:{100 * (days - run[-1] - 1) / days:.1f}%"
    text = tr("{count} down: not calm, unseen").format(count=wording.plural(len(names), "source"))
    yield tag("span", esc(text), cls="axis blind", style=side, title=", ".join(names))


def _days(series: Series, unseen: Sequence[Sequence[str]], address: Address, unit: str) -> Html:
    cells = (link(address(day), NOTHING, title=_told(series, unseen, i, unit)) for i, day in enumerate(series.days))
    return tag("div", cells, cls="days")


def _told(series: Series, unseen: Sequence[Sequence[str]], i: int, unit: str) -> str:
    usual = series.bands[i]
    text = f"{_date(series.days[i])}: {wording.plural(int(series.values[i] or 0), unit)}"
    if usual:
        band = tr(", usually {low} to {high}")
        text += band.format(low=wording.number(round(usual.low)), high=wording.number(round(usual.high)))
    blind = unseen[i] if i < len(unseen) else ()
    return text + (tr("; not seen: {sources}").format(sources=", ".join(blind)) if blind else "")


def _mood_days(series: Series, address: Address) -> Html:
    cells = (
        link(address(day), NOTHING, title=f"{_date(day)}: {tr('mood')} {wording.mood(series.values[i])}")
        for i, day in enumerate(series.days)
    )
    return tag("div", cells, cls="days")


def _alerts(series: Series, alerts: Sequence[Signal], titles: Mapping[str, str]) -> Iterable[Html]:
    """Yield a dot with a line down for each alert; it leads to its theme."""
    for alert in alerts:
        day = _day_of(alert, series.days)
        if day is not None:
            title = f"{tr(alert.severity)}, {_date(alert.at)}: {titles.get(alert.id) or alert.why}"
            style = f"left:{100 * (day + 0.5) / len(series.days):.2f}%"
            yield link(links.alert(alert.id), NOTHING, cls=f"dot k-{alert.severity}", title=title, style=style)


def _day_of(alert: Signal, days: Sequence[datetime]) -> int | None:
    at = alert.at - timedelta(seconds=1)  # an alert that closes a day's last bucket belongs to that day
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return (day - days[0]).days if days and days[0] <= day <= days[-1] else None


def _date(day: datetime) -> str:
    return wording.chart_day(day)


def _dates(days: Sequence[datetime], now: datetime) -> Html:
    """Return five dates below a chart."""
    if len(days) < 5:
        return NOTHING
    marks = [days[round(i * (len(days) - 1) / 4)] for i in range(5)]
    words = [wording.day(day) for day in marks]
    if days[-1].date() == now.astimezone(UTC).date():
        words[-1] = tr("today so far")
    return tag("div", (tag("span", esc(word)) for word in words), cls="dates")
