"""`groundswell train`: learn from the store's labels, accept it, go back; or reproduce the shipped weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from groundswell.ui.console import at_terminal, now, printable, progress_bar, settings_of, table

if TYPE_CHECKING:
    from groundswell.configs.schema import Settings
    from groundswell.ui.learning import Proposal

SHOWN = 10
NEXT = (
    "whatever reads texts from now on reads so; a running watch after it is started again, stored documents at its turn"
)


@click.command("train")
@click.argument("data", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("target", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--accept", is_flag=True, help="Put what was learnt from the labels into effect.")
@click.option("--roll-back", is_flag=True, help="Go back to what was in effect before.")
@click.option("--version", "made_by", help="What every score will say it was made by [default: the shipped model's].")
@click.option("--steps", type=click.IntRange(1), help="Batches of the long first round [default: the recipe's].")
@click.option("--seed", type=int, help="Seed of everything random [default: the recipe's].")
@click.option("--bfloat16", is_flag=True, help="Multiply in bfloat16: a third less time where the processor can.")
@click.option("--keep", help="A model (name or folder) whose encoder is kept: only heads and corrections are learned.")
@click.option(
    "--only-risks", is_flag=True, help="With --keep: only the heads of risk and stance are learned, in minutes."
)
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    data: Path | None,
    target: Path | None,
    accept: bool,
    roll_back: bool,
    made_by: str | None,
    steps: int | None,
    seed: int | None,
    bfloat16: bool,
    keep: str | None,
    only_risks: bool,
) -> int:
    """Learn from people's labels in the store, and show what would change; or train a model from DATA into TARGET.

    Without arguments, heads are corrected by the labels (`groundswell label`), in minutes and without a GPU, and judged
    by labels held out: what is not better is refused. Nothing changes before `train --accept`; `train --roll-back` goes
    back. With DATA and TARGET the shipped weights are reproduced; a killed run goes on where it was.
    """
    settings = settings_of(ctx)
    if accept or roll_back or data is None:
        if (accept and roll_back) or data is not None:
            raise click.UsageError("--accept and --roll-back stand alone")
        return _decide(settings, accept=accept) if accept or roll_back else _learn(settings)
    if target is None:
        raise click.UsageError("say where the bundle is to be written: groundswell train DATA TARGET")
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
    if only_risks:
        if earlier is None:
            raise click.UsageError("--only-risks says what is learned anew; say with --keep what is kept")
        from groundswell.nlp.train.risk_heads import refit_risks
        from groundswell.nlp.train.risks import all_risk_texts

        bundle = refit_risks(all_risk_texts(data, taxonomy), target, version=version, keep=earlier, taxonomy=taxonomy)
        click.echo(f"wrote {bundle}; compare it: groundswell --set model.name={bundle} evaluate {data}")
        return 0
    with progress_bar("train") as progress:
        bundle = train(data, target, version=version, taxonomy=taxonomy, recipe=recipe, keep=earlier, progress=progress)
    click.echo(f"wrote {bundle}; compare it: groundswell --set model.name={bundle} evaluate {data}")
    return 0


def _learn(settings: Settings) -> int:
    """Learn from the store's labels and show what would change."""
    from groundswell.index.open import open_reader
    from groundswell.nlp.model.model import load_model
    from groundswell.ui.learning import propose

    with open_reader(settings) as reader:
        found = propose(reader, settings, load_model(settings.model), now=now())
    _show(found)
    return 0 if found.trial.wins else 1


def _show(found: Proposal) -> None:
    trial = found.trial
    click.echo(f"learnt from {trial.taught:,} labelled documents, judged by {trial.held_out:,} others")
    rows = [
        (one.name, one.positives, f"{one.before:.2f}", f"{one.after:.2f}", "learnt" if one.learned else "as before")
        for one in trial.classes
    ]
    if rows:
        table(("class", "held out", "kappa before", "after", ""), rows, right=(1, 2, 3))
    click.echo("\n".join(trial.reasons))
    if not trial.wins:
        click.echo("refused: nothing is proposed, everything stays as it is")
        return
    click.echo(f"of the newest {found.looked_at:,} documents {len(found.changes):,} would be read otherwise:")
    for one in found.changes[:SHOWN]:
        click.echo(f"  {one.document}: {printable(one.before)} → {printable(one.after)}")
    click.echo(f"{found.name} is proposed; groundswell train --accept puts it into effect")


def _decide(settings: Settings, *, accept: bool) -> int:
    from groundswell.ui import learning

    if accept:
        learned = learning.accept(settings, by=at_terminal())
        click.echo(f"{learned.name} is in effect: {NEXT}")
    else:
        name = learning.roll_back(settings, by=at_terminal())
        click.echo(f"{name or 'the model as it ships'} is in effect again: {NEXT}")
    return 0
