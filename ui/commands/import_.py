"""`groundswell import`: read back what export wrote, or send again what the store refused."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from groundswell.ui.console import progress_bar, settings_of

if TYPE_CHECKING:
    from groundswell.configs.schema import Settings
    from groundswell.index.store import Refused


@click.command("import")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--dead-letters", is_flag=True, help="Instead of FOLDER: send again what Elasticsearch has refused.")
@click.pass_context
def command(ctx: click.Context, folder: Path | None, dead_letters: bool) -> int:
    """Read back what export wrote into FOLDER; what is there already is not doubled."""
    settings = settings_of(ctx)
    if (folder is None) != dead_letters:
        raise click.UsageError("name a FOLDER that export wrote, or give --dead-letters")
    return _letters(settings) if folder is None else _export(settings, folder)


def _export(settings: Settings, folder: Path) -> int:
    """Read back an export."""
    from groundswell.index.export import import_all
    from groundswell.index.open import open_store
    from groundswell.ui.pipeline import only_one

    with only_one(settings), open_store(settings) as store, progress_bar("import") as progress:
        report = import_all(store, folder, progress=progress, mask=settings.crawl.mask_personal_data)
    click.echo(
        f"{report.new:,} new, {report.updated:,} updated, {report.same:,} the same, {len(report.refused):,} refused"
    )
    return _tell(report.refused)


def _letters(settings: Settings) -> int:
    """Send the dead letters again."""
    from groundswell.index.dead_letters import path_of, send
    from groundswell.index.open import open_store
    from groundswell.ui.pipeline import only_one

    if not path_of(settings.data_dir).exists():
        click.echo(f"no dead letters in {settings.data_dir}")
        return 0
    with only_one(settings), open_store(settings, letters=False) as store:
        sent = send(store, settings.data_dir)
    click.echo(f"{sent.taken:,} taken now, {sent.overtaken:,} overtaken by newer ones, {len(sent.refused):,} refused")
    return _tell(sent.refused)


def _tell(refused: Iterable[Refused]) -> int:
    """Say what was refused; return the exit code."""
    several = list(refused)
    for each in several[:20]:
        click.echo(f"refused {each.id}: {each.reason}", err=True)
    return int(bool(several))
