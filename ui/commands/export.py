"""`groundswell export`: everything, or a search result, to files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import click

from groundswell.ui.console import now, progress_bar, settings_of, took


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
@click.option("--facts", is_flag=True, help="Documents and mood by day, market, risk, source: an .xlsx or .parquet.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Facts from this day on (UTC).")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Facts before this day (UTC).")
@click.pass_context
def command(
    ctx: click.Context,
    target: Path,
    *,
    query: str | None,
    form: Literal["jsonl", "parquet"],
    facts: bool,
    since: datetime | None,
    until: datetime | None,
) -> int:
    """Write everything into the folder TARGET (import reads it back), a search result or the facts into one file."""
    if facts and query is not None:
        raise click.UsageError("--facts and --query are two exports: ask for one")
    if (since or until) and not facts:
        raise click.UsageError("--since and --until go with --facts; a --query says since: and until: itself")
    settings = settings_of(ctx)
    from groundswell.index.closed_fields import closed_values
    from groundswell.index.export import export_all, export_search
    from groundswell.index.open import open_reader
    from groundswell.index.query_language import QueryError, parse
    from groundswell.ui.trail import conditions

    with open_reader(settings) as reader, progress_bar("export") as progress:
        if facts:
            from groundswell.index.facts import export_facts

            took(settings, "export facts", since=since, until=until)
            rows = export_facts(reader, target, since=_day(since), until=_day(until))
            click.echo(f"{rows:,} rows of facts in {target}")
            return 0
        if query is None:
            took(settings, "export everything", form)
            click.echo(str(export_all(reader, target, form=form, progress=progress)))
            return 0
        try:
            asked = parse(query, now=now(), values=closed_values(settings, reader))
        except QueryError as error:
            raise click.UsageError(str(error)) from None
        took(settings, "export search", target.suffix.lstrip("."), **conditions(asked))
        click.echo(f"{export_search(reader, asked, target):,} documents in {target}")
    return 0


def _day(day: datetime | None) -> datetime | None:
    return day.replace(tzinfo=UTC) if day else None
