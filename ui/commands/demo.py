"""`groundswell demo`: the whole product on a small web of its own."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("demo")
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True, help="Port of the board.")
@click.option(
    "--once", is_flag=True, help="Do not stay up: check that the board answers, then stop; exit 1 if anything failed."
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where .groundswell is made [default: here].",
)
@click.option("--seed", default=7, show_default=True, help="Another seed tells another story.")
def command(port: int, once: bool, folder: Path, seed: int) -> int:
    """Serve a replica web on loopback, crawl it with the real spiders, run every stage and open the board.

    The texts are made up; the formats, the crawl, the model and the statistics are real. What it leaves in
    .groundswell stays usable: search, sql, case and board work in the same folder.
    """
    from groundswell.ui.demo import run_demo

    return run_demo(folder, port=port, once=once, seed=seed, say=click.echo)
