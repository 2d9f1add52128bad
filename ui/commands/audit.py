"""`groundswell audit`: who changed or took away what, and whether the log of it is whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

import click

from groundswell.ui.console import audit_of, json_line, printable, settings_of, table


@click.group("audit", invoke_without_command=True)
@click.option("--person", default="", help="Only what this person did.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Only what was done on this day (UTC).")
@click.option("--subject", default="", help="Only what was done to this case, alert, document, theme …")
@click.option("--limit", default=50, show_default=True, help="How many rows, newest first.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_context
def command(
    ctx: click.Context, *, person: str, day: datetime | None, subject: str, limit: int, as_json: bool
) -> int:  # fmt: skip
    """List who changed or took away what, newest first.

    Each write of a person, export, brief and question in SQL has a row before it is done. Rows hold ids, closed values
    and fingerprints of words, never texts; "failed" stands where it was not done after all.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    found = [
        row for row in audit_of(settings_of(ctx)).rows()
        if (not person or row.who.casefold() == person.casefold()) and (not subject or row.subject == subject)
        and (day is None or row.at.startswith(f"{day:%Y-%m-%d}"))
    ]  # fmt: skip
    shown = found[::-1][:limit] if limit > 0 else []
    if as_json:
        for row in shown:
            click.echo(json_line(asdict(row)))
        return 0
    rows = [
        (row.n, f"{row.at[:19]}Z", row.who, row.what, row.subject, _change(row.before, row.after), row.outcome)
        for row in shown
    ]
    table(("row", "at", "who", "what", "subject", "before → after", ""), rows, right=(0,))
    return 0


@command.command("verify")
@click.option("--head", default="", metavar="HASH", help="The last row's hash as somebody noted it elsewhere before.")
@click.pass_context
def verify(ctx: click.Context, head: str) -> int:
    """Say whether all rows are there as they were written, in order; else name the first that is not (exit 1).

    Whoever may write the folder can write the whole log anew: note the hash that is shown here elsewhere, and give it
    as --head later.
    """
    verdict = audit_of(settings_of(ctx)).verify(head.strip())
    if verdict.wrong:
        click.echo(f"the log is not whole: {printable(verdict.wrong)}", err=True)
        return 1
    click.echo(f"{verdict.rows:,} rows, whole; the last one's hash is {verdict.head}")
    return 0


def _change(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Return what changed, in a line."""
    names = dict.fromkeys((*before, *after))
    return "; ".join(
        f"{name}: {before[name]} → {after.get(name) or '–'}"
        if before.get(name)
        else f"{name}: {after.get(name) or '–'}"
        for name in names
        if before.get(name) or after.get(name)
    )
