"""The quality report: how right the model is, what has moved, what moderators did; as a page and as a workbook."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from groundswell.configs.schema import Settings
from groundswell.configs.taxonomy import load_taxonomy
from groundswell.index.facts import fill, workbook
from groundswell.index.files import write_whole, written_aside
from groundswell.index.records import SENTIMENTS, Label, Moderation, Sample
from groundswell.index.store import Reader
from groundswell.nlp.trust.agreement import Agreement, agreement
from groundswell.nlp.trust.drift import Move, moves
from groundswell.nlp.trust.estimate import Estimate
from groundswell.nlp.trust.labels import MOST
from groundswell.nlp.trust.moderation import Month, months
from groundswell.nlp.trust.quality import Figure, audited, figures, unsure_share
from groundswell.nlp.trust.truth import judgements
from groundswell.ui.report.digest import templates


@dataclass(frozen=True, slots=True)
class Quality:
    """All that the report says; `figures` by what they are of: class, language, market, model."""

    now: datetime
    since: datetime
    audits: int
    labelled: int
    unsure: Estimate
    figures: dict[str, list[Figure]]
    agreement: list[Agreement]
    moves: list[Move]
    months: list[Month]


def look(reader: Reader, settings: Settings, *, days: float, now: datetime) -> Quality:
    """Return what audits drawn in the last days say, and the rest as it stands now."""
    since, risk_ids = now - timedelta(days=days), load_taxonomy(settings.taxonomy).risk_ids
    samples = [sample for sample in reader.recent(Sample, limit=MOST) if sample.at >= since]
    labels = reader.recent(Label, limit=MOST)
    found = audited(labels, risk_ids)
    names = [*(f"sentiment:{value}" for value in SENTIMENTS), *risk_ids]
    parts = {"language": lambda one: one.lang, "market": lambda one: one.market, "model": lambda one: one.made_by}
    return Quality(
        now=now,
        since=since,
        audits=len(samples),
        labelled=len([one for one in found if one.sample in {sample.id for sample in samples}]),
        unsure=unsure_share(samples),
        figures={"class": figures(found, samples, names)}
        | {part: figures(found, samples, names, by=by) for part, by in parts.items()},
        agreement=[one for one in agreement(judgements(_said_twice(labels), risk_ids)) if one.units],
        moves=moves(reader, now=now),
        months=months(reader, reader.recent(Moderation, limit=MOST)),
    )


def _said_twice(labels: Sequence[Label]) -> list[Label]:
    """Return the labels of documents that more than one labelled: the others say nothing of agreement."""
    who: dict[str, set[str]] = defaultdict(set)
    for label in labels:
        who[label.subject].add(label.annotator)
    return [label for label in labels if len(who[label.subject]) > 1]


def as_html(quality: Quality) -> str:
    """Return the report as one page; every text of the store is escaped."""
    return templates(html=True).get_template("quality.html.jinja").render(quality=quality, slices=_slices(quality))


def _slices(quality: Quality) -> list[tuple[str, list[Figure]]]:
    return [(name, found) for name, found in quality.figures.items() if found]


def write(quality: Quality, target: Path) -> None:
    """Write the report into an .html or .xlsx file.

    Raises:
        OSError: the name ends otherwise, or the file cannot be written.
    """
    if target.suffix.lower() == ".html":
        write_whole(target, as_html(quality).encode())
    elif target.suffix.lower() == ".xlsx":
        with written_aside(target) as part:
            _sheets(quality, part)
    else:
        raise OSError(f"{target} should end in .html or .xlsx")


HEAD = ["class", "of", "labelled", "documents", "called so"] + [
    f"{name}{end}"
    for name in ("precision", "recall", "false positives", "prevalence")
    for end in ("", " from", " to")
]  # fmt: skip


def _sheets(quality: Quality, part: Path) -> None:
    with workbook(part) as book:
        for name, found in _slices(quality):
            fill(book.add_worksheet(f"by {name}"), HEAD, [_row(figure) for figure in found])
        fill(
            book.add_worksheet("agreement"),
            ["field", "documents", "alike", "kappa", "alpha", "ordinal alpha"],
            [[one.field, one.units, one.observed, one.kappa, one.alpha, one.ordinal] for one in quality.agreement],
        )
        fill(
            book.add_worksheet("drift"),
            ["what", "bits", "most"],
            [[m.what, m.bits, "; ".join(m.most)] for m in quality.moves],
        )
        fill(
            book.add_worksheet("moderation"),
            [
                "month",
                "decisions",
                "rejected",
                "appeals decided",
                "overturned",
                "wrong",
                "from",
                "to",
                "seconds",
                "complaints",
            ],
            [
                [
                    m.month,
                    m.decisions,
                    m.rejected,
                    m.appealed,
                    m.overturned,
                    *_numbers(m.wrong),
                    m.seconds,
                    m.complaints,
                ]
                for m in quality.months
            ],
        )


def _row(figure: Figure) -> list[object]:
    estimates = (figure.precision, figure.recall, figure.false_positives, figure.prevalence)
    numbers = [number for estimate in estimates for number in _numbers(estimate)]
    return [figure.name, figure.of, figure.labelled, round(figure.population), round(figure.called), *numbers]


def _numbers(estimate: Estimate) -> list[float | None]:
    return [None] * 3 if estimate.value is None else [estimate.value, estimate.low, estimate.high]
