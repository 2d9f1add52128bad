"""The mood of four weeks as a small picture that mail programs show: PNG, twice as large as it is shown, no text.

Its ground is clear and its colours lie between black and white, so that it stands on a light page and on a dark one.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from groundswell.ui.report.series import Series

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

WIDTH, HEIGHT = 560, 120
"""Size in pixels of a page; it is drawn four times as large and kept twice as large."""
SCALE, SMOOTH = 2, 2
LINE, BAND, NOUGHT, DOT = (47, 143, 179, 255), (128, 134, 145, 56), (128, 134, 145, 150), (194, 87, 12, 255)
MARGIN = 8
LEAST_REACH = 0.1
"""A mood that hardly moves is not drawn as if it leapt."""
Point = tuple[float, float]


def mood_picture(series: Series) -> bytes:
    """Return a line of the mood a day as PNG; empty where fewer than two days have one.

    The shade is what was usual, the thin line nought, a dot a day outside of what was usual.
    """
    if sum(value is not None for value in series.values) < 2:
        return b""
    from PIL import Image, ImageDraw

    factor = SCALE * SMOOTH
    image = Image.new("RGBA", (WIDTH * factor, HEIGHT * factor), (255, 255, 255, 0))
    _draw(ImageDraw.Draw(image), series, _Frame(series, factor))
    image = image.reduce(SMOOTH)
    image = image.quantize(64, method=Image.Quantize.FASTOCTREE)
    made = BytesIO()
    image.save(made, "PNG", optimize=True)
    return made.getvalue()


def reach_of(series: Series) -> tuple[float, float]:
    """Return the lowest and the highest mood that the picture shows."""
    bands = [edge for band in series.bands if band for edge in (band.low, band.high)]
    shown = [*(value for value in series.values if value is not None), *bands]
    low, high = min(shown, default=0.0), max(shown, default=0.0)
    spare = max(0.0, (LEAST_REACH - (high - low)) / 2)
    return max(-1.0, low - spare), min(1.0, high + spare)


class _Frame:
    """Where a day and a mood lie in the picture."""

    def __init__(self, series: Series, factor: int) -> None:
        self.factor, self.days = factor, len(series.days)
        self.low, self.high = reach_of(series)

    def at(self, day: int, mood: float) -> Point:
        """Return the place of a mood on a day."""
        across = MARGIN + day / max(1, self.days - 1) * (WIDTH - 2 * MARGIN)
        down = MARGIN + (self.high - mood) / (self.high - self.low or 1.0) * (HEIGHT - 2 * MARGIN)
        return across * self.factor, down * self.factor


def _draw(pen: ImageDraw, series: Series, frame: _Frame) -> None:
    for run in _runs([band is not None for band in series.bands]):
        bands = [(day, band) for day in run if (band := series.bands[day])]
        edge = [frame.at(day, band.high) for day, band in bands] + [frame.at(day, b.low) for day, b in reversed(bands)]
        if len(bands) > 1:
            pen.polygon(edge, fill=BAND)
    if frame.low < 0 < frame.high:
        pen.line([frame.at(0, 0.0), frame.at(frame.days - 1, 0.0)], fill=NOUGHT, width=frame.factor)
    for run in _runs([value is not None for value in series.values]):
        line = [frame.at(day, value) for day in run if (value := series.values[day]) is not None]
        if len(line) > 1:
            pen.line(line, fill=LINE, width=2 * frame.factor, joint="curve")
        else:
            _dot(pen, line[0], 1.5 * frame.factor, LINE)
    for day, (value, band) in enumerate(zip(series.values, series.bands, strict=True)):
        if value is not None and band is not None and not band.low <= value <= band.high:
            _dot(pen, frame.at(day, value), 3.5 * frame.factor, DOT)


def _dot(pen: ImageDraw, place: Point, radius: float, colour: tuple[int, int, int, int]) -> None:
    across, down = place
    pen.ellipse((across - radius, down - radius, across + radius, down + radius), fill=colour)


def _runs(there: Sequence[bool]) -> list[list[int]]:
    """Return the days that follow one another without a gap."""
    runs: list[list[int]] = []
    for day, known in enumerate(there):
        if known and day and there[day - 1] and runs:
            runs[-1].append(day)
        elif known:
            runs.append([day])
    return runs
