"""`groundswell themes`: give each document its theme."""

from __future__ import annotations

import click

from groundswell.ui.console import now, progress_bar, settings_of, table


@click.command("themes")
@click.option("--list", "only_list", is_flag=True, help="Only list the themes there are.")
@click.option("--limit", default=20, show_default=True, help="How many themes are listed.")
@click.pass_context
def command(ctx: click.Context, only_list: bool, limit: int) -> int:
    """Give each document its theme, then list the largest."""
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
