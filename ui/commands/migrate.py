"""`groundswell migrate`: bring the store to this version's schema."""

from __future__ import annotations

import click

from groundswell.ui.console import settings_of


@click.command("migrate")
@click.pass_context
def command(ctx: click.Context) -> int:
    """Create the store, or bring it to this version's schema; nothing happens where it already is."""
    settings = settings_of(ctx)
    from groundswell.index.open import migrate

    click.echo(migrate(settings))
    return 0
