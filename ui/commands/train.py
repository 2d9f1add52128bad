"""`groundswell train`: reproduce the shipped weights."""

from __future__ import annotations

from pathlib import Path

import click

from groundswell.ui.console import progress_bar, settings_of


@click.command("train")
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--version", "made_by", default="0.1.0", show_default=True, help="What every score will say it was made by."
)
@click.option("--steps", type=click.IntRange(1), help="Batches of the long first round [default: the recipe's].")
@click.option("--seed", type=int, help="Seed of everything random [default: the recipe's].")
@click.pass_context
def command(
    ctx: click.Context, /, *, data: Path, target: Path, made_by: str, steps: int | None, seed: int | None
) -> int:
    """Train encoder branch and heads from the folder DATA into the bundle TARGET; a killed run goes on where it was."""
    settings = settings_of(ctx)
    from dataclasses import replace

    from groundswell.configs.taxonomy import load_taxonomy
    from groundswell.nlp.train import train
    from groundswell.nlp.train.branch import Recipe

    asked = {name: value for name, value in (("steps", steps), ("seed", seed)) if value is not None}
    recipe = replace(Recipe(), **asked)
    taxonomy = load_taxonomy(settings.taxonomy)
    with progress_bar("train") as progress:
        bundle = train(data, target, version=made_by, taxonomy=taxonomy, recipe=recipe, progress=progress)
    click.echo(f"wrote {bundle}; compare it: groundswell --set model.name={bundle} evaluate {data}")
    return 0
