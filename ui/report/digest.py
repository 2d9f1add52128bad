"""What a digest is: a subject, a page and a text that say the same, and a picture; and what such pages are made of.

Mail clients block scripts, style sheets and SVG, so lines are drawn as table cells and styles stand inline.
`groundswell.ui.report.editions` makes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from groundswell.configs.schema import Settings
from groundswell.ui.report import wording
from groundswell.ui.report.series import Series
from groundswell.ui.report.trends import Band

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
TALLEST = 34
"""Pixels of the tallest bar of a small chart."""
BLOCKS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Digest:
    """One mail; `day` names its edition, `picture` is a PNG that the page shows as ``cid:mood``."""

    subject: str
    html: str
    text: str
    day: str
    at: datetime
    picture: bytes = b""
    since: datetime | None = None


@cache
def templates(*, html: bool) -> Environment:
    """Return the templates of mails and briefs; those of HTML escape everything."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=html,  # noqa: S701  the text alternative is no HTML; the HTML one escapes everything
        undefined=StrictUndefined,
        finalize=_harmless if html else None,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=wording.number, mood=wording.mood, risk=wording.risk, short=wording.shortened)
    return environment


def _harmless(value: Any) -> Any:
    """Return what is put into a page without what would reorder it; HTML of our own stays as it is."""
    return wording.visible(value) if type(value) is str else value


def inlined(html: str) -> str:
    """Return the mail with its styles inside its elements; the rules for dark screens stay a sheet."""
    import css_inline

    inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False, keep_at_rules=True)
    return str(inliner.inline(html))


def board_address(settings: Settings) -> str:
    """Return where the board is reached, without a slash at the end."""
    given = settings.digest.board_url or f"http://{settings.board.host}:{settings.board.port}"
    return given.rstrip("/")


def bars(series: Series, begin: datetime) -> list[dict[str, Any]]:
    """Return a small chart as heights in pixels; `high` says that a day lies outside what was usual.

    Where nothing is usual yet, the days of the alert, from `begin` on, stand out.
    """
    heights = _heights(series)
    return [
        {
            "height": max(1, round(height * TALLEST)),
            "high": _stands_out(day, value, band, begin),
            "said": f"{day.day} {day:%b}: {wording.number(round(value, 2)) if value is not None else 'none'}",
        }
        for day, value, band, height in zip(series.days, series.values, series.bands, heights, strict=True)
    ]


def _stands_out(day: datetime, value: float | None, band: Band | None, begin: datetime) -> bool:
    if value is None or band is None:
        return bool(value) and day > begin - timedelta(days=1)
    return value > band.high or value < band.low


def blocks(series: Series) -> str:
    """Return a small chart as text: ▁▁▂▁▁▃█."""
    return "".join(BLOCKS[max(1, round(height * 8))] for height in _heights(series))


def _heights(series: Series) -> list[float]:
    """Return the values between 0 and 1; counts stand on nought, moods on their own lowest."""
    values = [value for value in series.values if value is not None]
    low = min([*values, 0.0])
    reach = (max([*values, 0.0]) - low) or 1.0
    return [0.0 if value is None else (value - low) / reach for value in series.values]


def plain(text: str) -> str:
    """Return the text alternative without characters that play with a terminal, and without runs of empty lines."""
    lines = [
        "".join(char for char in line if char.isprintable() or char in "\t\N{NO-BREAK SPACE}").rstrip()
        for line in text.split("\n")
    ]
    lines_left = [line for i, line in enumerate(lines) if line or (i and lines[i - 1])]
    return "\n".join(lines_left).strip() + "\n"
