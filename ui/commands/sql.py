"""`groundswell sql`: ask in SQL, read-only."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import click

from groundswell.ui.console import json_line, now, settings_of, table, took

if TYPE_CHECKING:
    from groundswell.index.sql import Table


@click.command("sql")
@click.argument("statement")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a row.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV that is safe to open in a spreadsheet.")
@click.pass_context
def command(ctx: click.Context, statement: str, as_json: bool, as_csv: bool) -> int:
    """Ask in SQL (DuckDB, read-only); docs/sql.md lists tables and columns, with twenty worked questions.

    Tables: documents, facts, themes, theme_days, lineage, signals, episodes, cases, labels, rules, sources, runs …

    For example: groundswell sql "select market, count(*) from documents group by 1 order by 2 desc"
    """
    settings = settings_of(ctx)
    from groundswell.index.audit import fingerprint
    from groundswell.ui.report.sql_tables import answer

    took(settings, "ask in SQL", statement=fingerprint(statement))
    found = answer(settings, statement, now=now())
    if as_json:
        _json(found)
    elif as_csv:
        click.echo(_csv(found), nl=False)
    else:
        table(found.columns, [[_shown(cell) for cell in row] for row in found.rows])
    if found.cut:
        click.echo(f"only the first {len(found.rows):,} rows: say limit and offset, or count", err=True)
    return 0


def _json(found: Table) -> None:
    from groundswell.index.sql import plain

    for row in found.rows:
        click.echo(json_line(dict(zip(found.columns, map(plain, row), strict=True))))


def _csv(found: Table) -> str:
    from groundswell.index.tables import harmless

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([harmless(name) for name in found.columns])
    writer.writerows([harmless(_shown(cell)) for cell in row] for row in found.rows)
    return out.getvalue()


def _shown(cell: Any) -> Any:
    """Return a cell as people read it: nothing for what is not known or no number, lists with commas."""
    from groundswell.index.sql import plain

    value = plain(cell)
    return "" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else value
