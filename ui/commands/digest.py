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
    """Preview the daily mail as of now in files, or send the edition that is due.

    An edition ends at digest.hour and begins where the one before ended; each reader gets it once.
    """
    settings = settings_of(ctx)
    from groundswell.index.open import open_store
    from groundswell.ui.report.digest import edition_of, make_digest, note_edition
    from groundswell.ui.report.mail import send_digest, write_digest

    with open_store(settings) as store:
        if not send:
            digest, name = make_digest(store, settings, now=now()), "preview"
        else:
            edition = edition_of(store, settings.digest, now=now())
            digest, name = make_digest(store, settings, now=now(), edition=edition), edition.day
        for path in write_digest(digest, folder or settings.data_dir / "digests", name=name):
            click.echo(path)
        if send:
            note_edition(store, edition, now=now())
            click.echo(send_digest(digest, settings, store, now=now()))
    return 0
