"""`groundswell themes`: give each document its theme."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from typing import TYPE_CHECKING

import click

from groundswell.ui.console import audit_of, now, progress_bar, settings_of, table

if TYPE_CHECKING:
    from groundswell.ui.theme_desk import ThemeDesk


BY = click.option("--by", default="terminal", show_default=True, help="Who decides; it is written down.")


@click.group("themes", invoke_without_command=True)
@click.option("--list", "only_list", is_flag=True, help="Only list the themes there are.")
@click.option("--limit", default=20, show_default=True, help="How many themes are listed.")
@click.pass_context
def command(ctx: click.Context, only_list: bool, limit: int) -> int:
    """Give each document its theme, then list the largest; rename, merge and split say what people know better."""
    if ctx.invoked_subcommand is not None:
        return 0
    settings = settings_of(ctx)
    from groundswell.index.open import open_store
    from groundswell.index.records import Theme

    with open_store(settings) as store:
        if not only_list:
            from groundswell.nlp.themes.stage import update_themes
            from groundswell.ui.pipeline import only_one

            with only_one(settings), progress_bar("themes") as progress:
                click.echo(str(update_themes(store, settings, now=now(), progress=progress)))
        themes = sorted(store.recent(Theme), key=lambda theme: -theme.size)[:limit]
    rows = [(t.id, t.size, t.risk, t.state, t.first_seen.date(), t.last_seen.date(), t.label) for t in themes]
    table(("theme", "documents", "risk", "state", "first", "last", "title"), rows, right=(1,))
    return 0


@command.command("rename")
@click.argument("theme")
@click.argument("title")
@BY
@click.pass_context
def rename(ctx: click.Context, theme: str, title: str, by: str) -> None:
    """Call THEME by TITLE from now on; "" lets it be named by its texts again."""
    with _desk(ctx) as desk:
        click.echo(f"{theme} is called: {desk.rename(theme, title, by=by, now=now()).label}")


@command.command("merge")
@click.argument("theme")
@click.argument("into")
@BY
@click.pass_context
def merge(ctx: click.Context, theme: str, into: str, by: str) -> None:
    """Say that THEME is one with INTO: its documents are there from now on, later ones too. `undo` takes it back."""
    with _desk(ctx) as desk:
        click.echo(f"{desk.merge(theme, into, by=by, now=now()):,} documents are in {into} now")


@command.command("split")
@click.argument("theme")
@click.argument("words", nargs=-1, required=True)
@click.option("--title", required=True, help="What the new theme is called: who or what, and what is wrong.")
@BY
@click.pass_context
def split(ctx: click.Context, theme: str, words: Sequence[str], title: str, by: str) -> None:
    """Make the documents of THEME that a search for WORDS finds a theme of their own. `undo` takes it back."""
    from groundswell.index.closed_fields import closed_values
    from groundswell.index.query_language import QueryError, parse

    with _desk(ctx) as desk:
        values = closed_values(settings_of(ctx), desk.store)
        try:
            query = parse(" ".join(words), now=now().astimezone(UTC), values=values)
        except QueryError as error:
            raise click.UsageError(str(error)) from None
        found = [document.id for document in desk.store.scan(query)]
        new = desk.split(theme, found, title, by=by, now=now())
        click.echo(f"{new.size:,} documents are in {new.id} now: {new.label}")


@command.command("undo")
@click.argument("theme")
@BY
@click.pass_context
def undo(ctx: click.Context, theme: str, by: str) -> None:
    """Take back that THEME was merged or split off by hand; its documents go back to where they were."""
    with _desk(ctx) as desk:
        click.echo(f"{desk.undo(theme, by=by, now=now()):,} documents are back")


@contextmanager
def _desk(ctx: click.Context) -> Iterator[ThemeDesk]:
    """Give the desk while no run places documents."""
    from groundswell.index.open import open_store
    from groundswell.ui.pipeline import only_one
    from groundswell.ui.theme_desk import ThemeDesk

    settings = settings_of(ctx)
    with only_one(settings), open_store(settings) as store:
        yield ThemeDesk(store, audit_of(settings))
