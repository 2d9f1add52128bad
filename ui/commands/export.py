"""`groundswell export`: everything, or a search result, to files."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from groundswell.ui.console import now, progress_bar, settings_of


@click.command("export")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--query", help="Only what this search finds; TARGET is then a .csv, .jsonl or .parquet file.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "parquet"]),
    default="jsonl",
    show_default=True,
    help="For everything.",
)
@click.pass_context
def command(ctx: click.Context, target: Path, query: str | None, form: Literal["jsonl", "parquet"]) -> int:
    """Write everything into the folder TARGET (import reads it back), or a search result into one file."""
    settings = settings_of(ctx)
    from groundswell.index.closed_fields import closed_values
    from groundswell.index.export import export_all, export_search
    from groundswell.index.open import open_reader
    from groundswell.index.query_language import QueryError, parse

    with open_reader(settings) as reader, progress_bar("export") as progress:
        if query is None:
            click.echo(str(export_all(reader, target, form=form, progress=progress)))
            return 0
        try:
            asked = parse(query, now=now(), values=closed_values(settings))
        except QueryError as error:
            raise click.UsageError(str(error)) from None
        click.echo(f"{export_search(reader, asked, target):,} documents in {target}")
    return 0
