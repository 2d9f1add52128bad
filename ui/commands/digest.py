"""`groundswell digest`: the daily mail."""

from __future__ import annotations

from pathlib import Path

import click

from groundswell.ui.console import now, settings_of


@click.command("digest")
@click.option("--send", is_flag=True, help="Send it to the configured recipients (once a day, even if asked twice).")
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), help="Where files go [default: data folder/digests]."
)
@click.pass_context
def command(ctx: click.Context, send: bool, folder: Path | None) -> int:
    """Write the daily mail as HTML and text, or send it."""
    settings = settings_of(ctx)
    from groundswell.index.open import open_store
    from groundswell.ui.report.digest import make_digest, send_digest, write_digest

    with open_store(settings) as store:
        digest = make_digest(store, settings, now=now())
        for path in write_digest(digest, folder or settings.data_dir / "digests"):
            click.echo(path)
        if send:
            click.echo(send_digest(digest, settings, store, now=now()))
    return 0
