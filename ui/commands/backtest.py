"""`groundswell backtest`: what would have fired."""

from __future__ import annotations

from pathlib import Path

import click

from groundswell.ui.console import progress_bar, settings_of


@click.command("backtest")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.pass_context
def command(ctx: click.Context, source: Path, folder: Path) -> int:
    """Replay SOURCE (JSONL: id, text, published_at, …) as if live; write alerts.jsonl and themes.jsonl into FOLDER.

    Nothing from the future is seen anywhere; docs/contracts.md has the schema.
    """
    settings = settings_of(ctx)
    from groundswell.nlp.backtest import backtest

    with progress_bar("backtest") as progress:
        summary = backtest(source, folder, settings, progress=progress)
    click.echo(str(summary))
    return 0
