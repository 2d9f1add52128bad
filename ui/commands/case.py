"""`groundswell case`: what people do about alerts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from groundswell.ui.console import audit_of, now, printable, settings_of, table, took

if TYPE_CHECKING:
    from groundswell.configs.schema import Settings
    from groundswell.index.records import Case
    from groundswell.index.store import Store


STATUSES = ("open", "investigating", "escalated", "closed")
"""`groundswell.index.records.CaseStatus`, spelt out so that help does not wait for numpy; a test compares them."""


@click.group("case", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Open, list, edit and close cases."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Closed ones too.")
@click.pass_context
def list_(ctx: click.Context, everything: bool = False) -> None:
    """List cases, newest first."""
    from groundswell.index.records import Case

    with _store(ctx) as store:
        cases = [case for case in store.recent(Case) if everything or case.status != "closed"]
    rows = [(c.id, c.status, c.severity, c.owner or "–", f"{c.due:%Y-%m-%d}" if c.due else "–", c.title) for c in cases]
    table(("case", "status", "severity", "owner", "due", "title"), rows)


@command.command("open")
@click.argument("signal")
@click.option("--owner", default="", help="Who works on it.")
@click.option("--by", default="terminal", show_default=True, help="Who opens it.")
@click.pass_context
def open_(ctx: click.Context, signal: str, owner: str, by: str) -> None:
    """Open a case from the alert SIGNAL, with its evidence as it stands now."""
    from groundswell.ui.desk import Desk

    with _store(ctx) as store:
        case = Desk(store, audit_of(settings_of(ctx))).open_case(signal, by=by, owner=owner, now=now())
    click.echo(f"case {case.id} opened, due {case.due:%Y-%m-%d}" if case.due else f"case {case.id} opened")


@command.command("show")
@click.argument("case")
@click.pass_context
def show(ctx: click.Context, case: str) -> None:
    """Show one case with its history."""
    from groundswell.index.records import Case

    with _store(ctx) as store:
        found = store.get(Case, case)
    if found is None:
        raise click.UsageError(f"there is no case {case!r}; `groundswell case list --all` lists them")
    click.echo(
        f"{printable(found.title)}\n"
        f"{found.status} · {found.severity} · owner {printable(found.owner) or '–'} · version {found.version}"
    )
    for note in found.history:
        click.echo(f"{note.at:%Y-%m-%d %H:%M}Z  {printable(note.by)}: {printable(note.text)}")


@command.command("edit")
@click.argument("case")
@click.option("--note", default="", help="A line for its history.")
@click.option("--owner", help="Who works on it from now on.")
@click.option("--status", type=click.Choice(STATUSES), help="Its new status; closing needs cause and decision.")
@click.option("--cause", default="", help="What it was.")
@click.option("--decision", default="", help="What was decided.")
@click.option("--due", type=click.DateTime(["%Y-%m-%d"]), help="Its new due day (UTC).")
@click.option("--by", default="terminal", show_default=True, help="Who edits it.")
@click.pass_context
def edit(ctx: click.Context, /, case: str, by: str, due: datetime | None, **changes: str | None) -> None:
    """Change a case; if somebody else did so meanwhile you are told and nothing is overwritten."""
    from groundswell.ui.desk import Desk

    with _store(ctx) as store:
        edited = Desk(store, audit_of(settings_of(ctx))).edit_case(
            case,
            by=by,
            now=now(),
            due=due.replace(tzinfo=UTC) if due else None,
            note=changes["note"],
            owner=changes["owner"],
            status=changes["status"],
            cause=changes["cause"],
            decision=changes["decision"],
        )
    click.echo(f"case {edited.id} is {edited.status}, version {edited.version}")


@command.command("brief")
@click.argument("case")
@click.option(
    "--format", "kind", type=click.Choice(("html", "md", "pdf")), default="md", show_default=True, help="Which kind."
)
@click.option("--output", type=click.Path(path_type=Path), help="A file; a PDF needs one, and has its text beside it.")
@click.pass_context
def brief(ctx: click.Context, case: str, kind: Literal["html", "md", "pdf"], output: Path | None) -> None:
    """Write a case as a brief: what, why, what was done, all evidence; numbers lead to their searches."""
    from groundswell.index.records import Case
    from groundswell.ui.report.brief import make_brief

    with _store(ctx) as store:
        found = store.get(Case, case)
        if found is None:
            raise click.UsageError(f"there is no case {case!r}; `groundswell case list --all` lists them")
        took(settings_of(ctx), "brief", case, format=kind)
        if kind == "pdf":
            _write_pdf(store, found, settings_of(ctx), output)
            return
        text = make_brief(store, found, settings_of(ctx), kind=kind, now=now())
    if output is None:
        click.echo(text)
    else:
        output.write_text(text, "utf-8")


def _write_pdf(store: Store, case: Case, settings: Settings, output: Path | None) -> None:
    """Write a brief as a PDF and as text beside it."""
    from groundswell.ui.report.brief import make_brief
    from groundswell.ui.report.pdf import make_pdf

    if output is None:
        raise click.UsageError("a PDF needs a file: --output case.pdf")
    output.write_bytes(make_pdf(store, case, settings, now=now()))
    beside = output.with_suffix(".md")
    beside.write_text(make_brief(store, case, settings, kind="md", now=now()), "utf-8")
    click.echo(f"{output}, and as text {beside}")


def _store(ctx: click.Context) -> Store:
    from groundswell.index.open import open_store

    return open_store(settings_of(ctx))
