"""`groundswell sql`: ask in SQL, read-only."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import click

from groundswell.ui.console import audit_of, json_line, now, printable, settings_of, table, took

if TYPE_CHECKING:
    from groundswell.configs.schema import Settings
    from groundswell.index.records import SavedSearch
    from groundswell.index.sql import Table


@click.command("sql")
@click.argument("statement", default="")
@click.option(
    "--save", metavar="NAME", default="", help="Keep the question under a name, on the board too, and ask it."
)
@click.option("--saved", metavar="NAME", default="", help="Ask the question that was kept under this name.")
@click.option("--list", "listed", is_flag=True, help="The questions that were kept.")
@click.option("--with", "given", metavar="NAME=VALUE", multiple=True, help="A value for $NAME of the question.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a row.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV that is safe to open in a spreadsheet.")
@click.pass_context
def command(  # noqa: PLR0917  the options of the command
    ctx: click.Context,
    statement: str,
    save: str,
    saved: str,
    listed: bool,
    given: tuple[str, ...],
    as_json: bool,
    as_csv: bool,
) -> int:
    """Ask in SQL (DuckDB, read-only); docs/sql.md lists tables and columns, with twenty worked questions.

    Tables: documents, facts, themes, theme_days, lineage, signals, episodes, cases, labels, rules, sources, runs …

    For example: groundswell sql "select market, count(*) from documents group by 1 order by 2 desc"
    """
    settings = settings_of(ctx)
    from groundswell.index.audit import fingerprint
    from groundswell.index.sql_parameters import filled
    from groundswell.ui.report.sql_tables import answer

    if listed:
        return _list(settings)
    statement = _question(settings, statement, saved)
    values = _values(given)
    took(settings, "ask in SQL", statement=fingerprint(statement))
    found = answer(settings, filled(statement, values), now=now())
    if save:
        _save(settings, save, statement)
    if as_json:
        _json(found)
    elif as_csv:
        click.echo(_csv(found), nl=False)
    else:
        table(found.columns, [[_shown(cell) for cell in row] for row in found.rows])
    if found.cut:
        click.echo(f"only the first {len(found.rows):,} rows: say limit and offset, or count", err=True)
    return 0


def _question(settings: Settings, statement: str, saved: str) -> str:
    """Return what is asked: the statement, or the newest question that was kept under a name."""
    if bool(statement) == bool(saved):
        raise click.UsageError("say a statement, or --saved NAME; --list names those that were kept")
    if statement:
        return statement
    there = {each.name: each.text for each in reversed(_kept(settings))}
    if saved not in there:
        names = ", ".join(map(printable, sorted(there))) or "none yet"
        raise click.BadParameter(f"no question is saved as {saved!r}; there are {names}", param_hint="--saved")
    return there[saved]


def _values(given: tuple[str, ...]) -> dict[str, str]:
    """Return the values of parameters."""
    pairs = [one.partition("=") for one in given]
    if wrong := next((name for name, sign, _ in pairs if not sign), None):
        raise click.BadParameter(f"{wrong!r} has no value: write NAME=VALUE", param_hint="--with")
    return {name.strip().lstrip("$"): value for name, _, value in pairs}


def _save(settings: Settings, name: str, statement: str) -> None:
    from groundswell.index.open import open_store
    from groundswell.ui.desk import Desk

    with open_store(settings) as store:
        desk = Desk(store, audit_of(settings))
        desk.save_search(name, statement, by="terminal", now=now(), language="sql")


def _kept(settings: Settings) -> list[SavedSearch]:
    from groundswell.index.open import open_reader
    from groundswell.index.records import SavedSearch

    with open_reader(settings) as reader:
        return [each for each in reader.recent(SavedSearch) if each.language == "sql"]


def _list(settings: Settings) -> int:
    rows = [(each.name, each.owner, each.at.date(), " ".join(each.text.split())) for each in _kept(settings)]
    table(("name", "owner", "saved", "question"), rows)
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
