"""`groundswell train`: reproduce the shipped weights."""

from __future__ import annotations

from pathlib import Path

import click

from groundswell.ui.console import progress_bar, settings_of


@click.command("train")
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@click.option("--version", "made_by", help="What every score will say it was made by [default: the shipped model's].")
@click.option("--steps", type=click.IntRange(1), help="Batches of the long first round [default: the recipe's].")
@click.option("--seed", type=int, help="Seed of everything random [default: the recipe's].")
@click.option("--bfloat16", is_flag=True, help="Multiply in bfloat16: a third less time where the processor can.")
@click.option("--keep", help="A model (name or folder) whose encoder is kept: only heads and corrections are learned.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    data: Path,
    target: Path,
    made_by: str | None,
    steps: int | None,
    seed: int | None,
    bfloat16: bool,
    keep: str | None,
) -> int:
    """Train encoder branch and heads from the folder DATA into the bundle TARGET; a killed run goes on where it was."""
    settings = settings_of(ctx)
    from dataclasses import replace

    from groundswell.configs.taxonomy import load_taxonomy
    from groundswell.nlp.model.bundle import find_bundle, read_bundle
    from groundswell.nlp.train import train
    from groundswell.nlp.train.branch import Recipe
    from groundswell.nlp.train.run import NAME

    usual = Recipe()
    steps, seed = steps or usual.steps, usual.seed if seed is None else seed
    recipe = replace(usual, steps=steps, seed=seed, bfloat16=bfloat16)
    taxonomy = load_taxonomy(settings.taxonomy)
    shipped, earlier = find_bundle(NAME), find_bundle(keep) if keep else None
    if keep and earlier is None:
        raise click.ClickException(f"--keep {keep}: no bundle of ours is called so, and no folder holds one")
    version = made_by or (read_bundle(shipped)["version"] if shipped else "0.1.0")
    with progress_bar("train") as progress:
        bundle = train(data, target, version=version, taxonomy=taxonomy, recipe=recipe, keep=earlier, progress=progress)
    click.echo(f"wrote {bundle}; compare it: groundswell --set model.name={bundle} evaluate {data}")
    return 0
