"""`groundswell migrate`: bring the store to this version's schema."""

from __future__ import annotations

import click

from groundswell.ui.console import settings_of


@click.command("migrate")
@click.option("--back", is_flag=True, help="Elasticsearch: return to the schema before, with all written since.")
@click.pass_context
def command(ctx: click.Context, back: bool) -> int:
    """Create the store, or bring it to this version's schema; nothing happens where it already is."""
    settings = settings_of(ctx)
    from groundswell.index.open import migrate

    click.echo(migrate(settings, back=back))
    return 0
