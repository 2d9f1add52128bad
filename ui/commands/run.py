"""`groundswell run`: one turn, or one every so often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from groundswell.ui.console import CLUSTER, now, on_cluster, settings_of

if TYPE_CHECKING:
    from groundswell.configs.schema import Settings


@click.command("run")
@click.option(
    "--every",
    type=click.IntRange(1, 1440),
    metavar="MINUTES",
    help="Go on as `groundswell watch`, with so many minutes between two visits to a source.",
)
@click.option(
    "--skip",
    multiple=True,
    type=click.Choice(["crawl", "enrich", "themes", "signals", "notify", "export", "digest", "reports", "calibration"]),
    help="Leave a stage out.",
)
@CLUSTER
@click.pass_context
def command(ctx: click.Context, every: int | None, skip: tuple[str, ...], cluster: str) -> int:
    """Crawl, enrich, find themes and signals, export, write digest and reports, draw the weekly calibration.

    Kill it at any moment; the same command goes on where it was, with nothing lost and nothing twice.
    """
    settings = on_cluster(settings_of(ctx), cluster)
    if every is None:
        return int(turn(settings, skip))
    from groundswell.ui.commands.watch import watch_on

    watch = settings.watch.model_copy(update={"every_minutes": float(every)})
    return watch_on(settings.model_copy(update={"watch": watch}), skip)


def turn(settings: Settings, skip: tuple[str, ...] = ()) -> bool:
    """Run one turn, print what each stage did, and return whether one failed."""
    from groundswell.index.clock import check_clock
    from groundswell.index.open import open_store
    from groundswell.ui.pipeline import STAGES, only_one, run_once

    failed = False
    stages = [stage for stage in STAGES if stage not in skip]
    with only_one(settings), open_store(settings, spool=True) as store:
        check_clock(store, now=now())
        for stage in run_once(store, settings, clock=now, stages=stages):
            failed |= stage.failed
            click.echo(f"{stage.name:8} {stage.seconds:7.1f} s  {stage.peak_mb:6,} MB  {stage.said}")
    return failed
