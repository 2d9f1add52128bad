"""`groundswell sql`: ask in SQL, read-only."""

from __future__ import annotations

import click

from groundswell.ui.console import json_line, settings_of, table


@click.command("sql")
@click.argument("statement")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a row.")
@click.pass_context
def command(ctx: click.Context, statement: str, as_json: bool) -> int:
    """Ask in SQL (DuckDB, read-only) over documents, themes, signals, cases, labels, decisions, runs.

    For example: groundswell sql "select market, count(*) from documents group by 1 order by 2 desc"
    """
    settings = settings_of(ctx)
    from groundswell.index.sql import plain, run_sql

    answer = run_sql(settings, statement)
    if as_json:
        for row in answer.rows:
            cells = dict(zip(answer.columns, map(plain, row), strict=True))
            click.echo(json_line(cells))
    else:
        table(answer.columns, answer.rows)
    return 0
