"""`groundswell reports`: questions in SQL and the quality report at set times."""

from __future__ import annotations

import click

from groundswell.ui.console import now, printable, settings_of, table, took

QUALITY = "quality"
"""What a report without a statement is about."""


@click.command("reports")
@click.option("--list", "listed", is_flag=True, help="Only list them, with the period that is due.")
@click.option("--again", "force", default="", metavar="NAME", help="Make and send this one now, whatever was before.")
@click.pass_context
def command(ctx: click.Context, listed: bool, force: str) -> int:
    """Write and send the reports of the setting `reports` that are due: SQL as CSV, quality as page and workbook.

    `groundswell watch` does so by itself. Files are in the folder reports of the data folder.
    """
    settings = settings_of(ctx)
    from groundswell.ui.report.scheduled import period, run_due

    if force and force not in {one.name for one in settings.reports}:
        raise click.UsageError(f"no report is called {force!r}: the setting `reports` names them")
    if listed or not settings.reports:
        rows = [
            (
                one.name,
                one.every,
                f"{one.hour}:00",
                period(one, settings, now()),
                ", ".join(one.to),
                one.sql or "quality",
            )
            for one in settings.reports
        ]
        table(("report", "every", "from", "period", "to", "what"), rows)
        return 0
    from groundswell.index.open import open_store

    took(settings, "make reports", force)
    with open_store(settings) as store:
        done, troubles = run_due(store, settings, now=now(), force=force)
    for line in done:
        click.echo(printable(line))
    for line in troubles:
        click.echo(printable(line), err=True)
    if not done and not troubles:
        click.echo("nothing is due")
    return 1 if troubles else 0
