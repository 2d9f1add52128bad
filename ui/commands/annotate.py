"""`groundswell annotate`: the contract for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from groundswell.ui.console import progress_bar, settings_of


@click.command("annotate")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_context
def command(ctx: click.Context, source: Path, target: Path) -> int:
    """Label each line of SOURCE (JSONL: id, text, …) into TARGET; docs/contracts.md has the schema.

    Order is kept; a line that cannot be read becomes {"id", "error"} and the rest goes on.
    """
    settings = settings_of(ctx)
    from groundswell.nlp.enrich.annotate import annotate
    from groundswell.nlp.model.model import load_model

    with progress_bar("annotate") as progress:
        counts = annotate(source, target, load_model(settings.model), settings, progress=progress)
    click.echo(str(counts), err=True)
    return 0
