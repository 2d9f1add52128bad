"""`groundswell backup`: a copy of the embedded store while everything goes on."""

from __future__ import annotations

from pathlib import Path

import click

from groundswell.ui.console import now, settings_of, took


@click.command("backup")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--restore", "back", is_flag=True, help="Put the copy in FOLDER in the place of the store.")
@click.option("--force", is_flag=True, help="With --restore: where there is a store, too; it is kept beside (.before).")
@click.pass_context
def command(ctx: click.Context, *, folder: Path, back: bool, force: bool) -> int:
    """Copy the embedded store into FOLDER, whoever writes meanwhile; the copy is checked.

    With it go the keys of author hashes and of addresses in mails, and what labels taught the model.

    To restore, nothing else may run. Day files and the detector's state are made again from the store.
    """
    settings = settings_of(ctx)
    from groundswell.index.backup import back_up, note_backup, restore
    from groundswell.index.open import database
    from groundswell.index.store import StoreError
    from groundswell.ui.pipeline import only_one

    if settings.store.backend != "sqlite":
        raise StoreError(
            "a cluster is backed up by its own snapshots (docs/elastic.md); groundswell export writes files"
        )
    if back:
        with only_one(settings):
            took(settings, "restore the store")
            restore(folder, database(settings), settings.data_dir, force=force)
        click.echo(f"{database(settings)} is what it was in {folder}")
        return 0
    took(settings, "copy the store")
    size = back_up(database(settings), settings.data_dir, folder)
    note_backup(settings.data_dir, now=now())
    click.echo(f"{size:,} bytes in {folder}, whole")
    return 0
