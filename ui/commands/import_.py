"""`groundswell import`: read back what export wrote."""

from __future__ import annotations

from pathlib import Path

import click

from groundswell.ui.console import progress_bar, settings_of


@click.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.pass_context
def command(ctx: click.Context, folder: Path) -> int:
    """Read back what export wrote into FOLDER; what is there already is not doubled."""
    settings = settings_of(ctx)
    from groundswell.index.export import import_all
    from groundswell.index.open import open_store

    with open_store(settings) as store, progress_bar("import") as progress:
        report = import_all(store, folder, progress=progress)
    click.echo(
        f"{report.new:,} new, {report.updated:,} updated, {report.same:,} the same, {len(report.refused):,} refused"
    )
    for refused in report.refused[:20]:
        click.echo(f"refused {refused.id}: {refused.reason}", err=True)
    return int(bool(report.refused))
