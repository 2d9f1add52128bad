"""The model card, written from the figures: nobody types a number into it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from groundswell.nlp.evaluate.evaluate import FEELINGS, FEWEST, Evaluation
from groundswell.nlp.evaluate.metrics import Interval


def write_card(report: Evaluation, manifest: Mapping[str, Any], command: str) -> str:
    """Return the model card as Markdown: `command` is what produced the figures."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    # Markdown for a file of ours, made of figures and names of our own: nothing to escape.
    pages = Environment(loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined)  # noqa: S701
    pages.filters["difference"] = _difference
    page = pages.get_template("card.md.jinja")
    parts = {"note": "", **manifest}
    return page.render(
        report=report, manifest=parts, shape=manifest["shape"], feelings=FEELINGS, fewest=FEWEST, command=command
    )


def _difference(interval: Interval | None) -> str:
    if interval is None:
        return "–"
    return f"{100 * interval.value:+.1f} [{100 * interval.low:+.1f}, {100 * interval.high:+.1f}]"
