"""`groundswell evaluate`: measure a model."""

from __future__ import annotations

from pathlib import Path

import click

from groundswell.ui.console import progress_bar, settings_of


@click.command("evaluate")
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--against",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Another bundle, for paired differences.",
)
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
@click.pass_context
def command(ctx: click.Context, data: Path, against: Path | None, as_json: bool) -> int:
    """Print precision, recall, F1 and calibration per class and language, with intervals."""
    settings = settings_of(ctx)
    from groundswell.nlp.evaluate import evaluate

    with progress_bar("evaluate") as progress:
        report = evaluate(data, settings=settings, against=against, progress=progress)
    click.echo(report.to_json() if as_json else str(report))
    return 0
