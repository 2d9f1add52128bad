"""`groundswell train`: reproduce the shipped weights."""

from __future__ import annotations

from pathlib import Path

import click

from groundswell.ui.console import progress_bar, settings_of


@click.command("train")
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@click.option("--seed", default=0, show_default=True, help="Seed of everything random.")
@click.pass_context
def command(ctx: click.Context, data: Path, target: Path, seed: int) -> int:
    """Train encoder branch and heads from the folder DATA into the bundle TARGET; a killed run goes on where it was."""
    settings = settings_of(ctx)
    from groundswell.nlp.train import train

    with progress_bar("train") as progress:
        click.echo(str(train(data, target, settings=settings, seed=seed, progress=progress)))
    return 0
