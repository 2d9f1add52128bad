"""`groundswell evaluate`: measure a model."""

from __future__ import annotations

import json
from pathlib import Path

import click

from groundswell.ui.console import progress_bar, settings_of


@click.command("evaluate")
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--against", help="Another model (a name or a bundle's folder), for paired differences.")
@click.option("--exact", is_flag=True, help="Compare with the same weights in float32, too (needs torch; minutes).")
@click.option("--most", default=2000, show_default=True, help="At most so many texts of one set.")
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
@click.option(
    "--promote", "place", type=click.Path(file_okay=False, path_type=Path),
    help="Where it wins against --against: put its files into this folder, in the place of the ones there.",
)  # fmt: skip
@click.pass_context
def command(
    ctx: click.Context, /, *, data: Path, against: str | None, exact: bool, most: int, as_json: bool, place: Path | None
) -> int:  # fmt: skip
    """Print the model card: precision, recall, F1 and calibration per class and language, with intervals."""
    if place and not against:
        raise click.UsageError("--promote needs --against: a model takes another one's place only where it wins")
    settings = settings_of(ctx)
    from dataclasses import asdict
    from functools import partial

    from groundswell.configs.taxonomy import load_taxonomy
    from groundswell.nlp.evaluate import evaluate
    from groundswell.nlp.evaluate.card import write_card
    from groundswell.nlp.evaluate.promote import judge, promote
    from groundswell.nlp.model.bundle import find_bundle, read_bundle
    from groundswell.nlp.model.model import load_model

    folder = find_bundle(settings.model.name)
    if folder is None:
        raise click.ClickException(f"model.name {settings.model.name!r} is no bundle of ours: only those are evaluated")
    other = load_model(settings.model.model_copy(update={"name": against})) if against else None
    slow = load_model(settings.model.model_copy(update={"runtime": "torch"})) if exact else None
    with progress_bar("evaluate") as progress:
        figures = partial(
            evaluate,
            data,
            taxonomy=load_taxonomy(settings.taxonomy),
            unsure_below=settings.model.unsure_below,
            most=most,
            progress=progress,
        )
        previous = figures(model=other, baseline=False) if other else None
        report = figures(model=load_model(settings.model), previous=previous, exact=slow)
    beside = f" beside {other.made_by}" if other else ""
    options = f"data folder{beside}{' --exact' * exact}, at most {most:,} texts a set"
    click.echo(
        json.dumps(asdict(report), ensure_ascii=False, default=lambda array: array.tolist())
        if as_json
        else write_card(report, read_bundle(folder).manifest, options, judge(report, previous) if previous else None)
    )
    if place and previous:
        if not judge(report, previous).wins:
            raise click.ClickException(f"{place} stays as it is: the model does not win against {against}")
        click.echo(f"promoted to {promote(folder, place)}", err=True)
    return 0
