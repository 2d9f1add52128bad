"""`groundswell board`: serve the trend board."""

from __future__ import annotations

import click

from groundswell.ui.console import settings_of


@click.command("board")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on [default: as configured, 8501].")
@click.option("--host", help="Address to listen on [default: as configured, 127.0.0.1].")
@click.option("--open-to-everybody", is_flag=True, help="Listen beyond this machine though nobody has to sign in.")
@click.option("--open", "open_browser", is_flag=True, help="Open it in a browser.")
@click.pass_context
def command(ctx: click.Context, port: int | None, host: str | None, open_to_everybody: bool, open_browser: bool) -> int:
    """Serve the trend board until interrupted."""
    settings = settings_of(ctx)
    from groundswell.ui.board.launch import launch

    return launch(settings, port=port, host=host, headless=not open_browser, open_to_everybody=open_to_everybody)
