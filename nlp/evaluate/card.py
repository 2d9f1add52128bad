"""The model card, written from the figures: nobody types a number into it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from groundswell.nlp.evaluate.evaluate import FEELINGS, FEWEST, Evaluation
from groundswell.nlp.evaluate.metrics import Interval
from groundswell.nlp.evaluate.promote import Verdict


def write_card(report: Evaluation, manifest: Mapping[str, Any], command: str, verdict: Verdict | None = None) -> str:
    """Return the model card as Markdown: `command` is what produced the figures, `verdict` is on the version before."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    # Markdown for a file of ours, made of figures and names of our own: nothing to escape.
    pages = Environment(loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined)  # noqa: S701
    pages.filters["difference"] = _difference
    page = pages.get_template("card.md.jinja")
    return page.render(
        report=report,
        manifest={
            "encoder_of": "",
            "remark": "",
            "sources_out": "",
            **manifest,
            "recipe": {"soup": 1, **manifest["recipe"]},
        },
        shape=manifest["shape"],
        feelings=FEELINGS,
        fewest=FEWEST,
        command=command,
        goals=goals(report),
        verdict=verdict,
    )


def goals(report: Evaluation) -> list[tuple[str, str, str, str]]:
    """Return what is to be reached, the goal, the floor and ours, row by row."""
    by_name = {one.name: one for one in report.feelings}
    tweets, runtimes = by_name.get("en_tweeteval_val"), report.runtimes
    together = {one.name: one for one in report.calibration}.get("all texts")
    rows = [
        ("English posts, macro-recall (TweetEval validation)", "≥ 72", "69.5", str(tweets.recall) if tweets else ""),
        ("UMSAB, mean macro-F1 over the languages below", "≥ 69.4", "64.0", _points(report.many_languages)),
        ("risk, macro-F1", "≥ 75", "62", str(report.risk_f1 or "")),
        ("the same, each half's cuts fitted on the other half", "≥ 75", "62", _points(report.risk_f1_halves)),
        (
            "main target among those named",
            "≥ 75 %",
            "–",
            _points(report.main_named) and f"{_points(report.main_named)} %",
        ),
    ]
    if together:
        fair = f"{together.halves:.3f} with corrections from the other half, {together.chance:.3f} by chance"
        error = f"{together.error:.3f} ({fair})"
        rows.append(("calibration error of sentiment, all texts", "≤ .05", "–", error))
    if runtimes:
        error = f"{100 * runtimes.same:.1f} %; {runtimes.cosine:.4f}; {runtimes.least_cosine:.3f}"
        wanted = "≥ 98 %; ≥ .99; ≥ .95"
        rows.append(("fast runtime and float32: same label, mean and least cosine", wanted, "–", error))
    return [row for row in rows if row[3]]


def _points(value: float) -> str:
    return "" if value != value else f"{100 * value:.1f}"  # noqa: PLR0124  nan


def _difference(interval: Interval | None) -> str:
    if interval is None:
        return "–"
    return f"{100 * interval.value:+.1f} [{100 * interval.low:+.1f}, {100 * interval.high:+.1f}]"
