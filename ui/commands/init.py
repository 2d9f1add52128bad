"""`groundswell init`: a commented configuration to begin with."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("init")
@click.argument("path", type=click.Path(path_type=Path), default=Path("groundswell.yaml"))
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def command(path: Path, force: bool) -> int:
    """Write a configuration with every setting, its meaning and its default, to PATH [groundswell.yaml]."""
    from groundswell.configs.template import commented

    if path.exists() and not force:
        raise click.ClickException(f"{path} is there already; --force overwrites it")
    path.write_text(commented(), "utf-8")
    click.echo(f"wrote {path}; every line in it is optional. Next: groundswell doctor")
    return 0
