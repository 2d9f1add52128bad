"""`groundswell crawl`: fetch what is new."""

from __future__ import annotations

import click

from groundswell.ui.console import now, progress_bar, settings_of, table


@click.command("crawl")
@click.argument("sources", nargs=-1)
@click.pass_context
def command(ctx: click.Context, sources: tuple[str, ...]) -> int:
    """Fetch what is new from all sources, or from those named.

    A source that fails does not stop the others; the exit code is 1 if any failed.
    """
    settings = settings_of(ctx)
    from groundswell.crawlers.run import crawl
    from groundswell.index.open import open_store

    with open_store(settings, spool=True) as store, progress_bar("crawl") as progress:
        runs = crawl(store, settings, now=now(), only=sources, progress=progress)
    table(
        ("source", "found", "stored", "duplicate", "refused", "off topic", "undated", "remark"),
        [
            (r.source, r.found, r.stored, r.duplicate, r.refused, r.off_topic, r.undated, r.error or r.complaint)
            for r in runs
        ],
        right=(1, 2, 3, 4, 5, 6),
    )
    return int(any(run.error for run in runs))
