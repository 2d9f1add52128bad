"""`groundswell crawl`: fetch what is new."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from groundswell.ui.console import CLUSTER, now, on_cluster, progress_bar, settings_of, table

if TYPE_CHECKING:
    from groundswell.crawlers.visit import Span


DAY_OR_TIME = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"])


@click.command("crawl")
@click.argument("sources", nargs=-1)
@click.option("--since", type=DAY_OR_TIME, help="Fill in the past from this day or time (UTC) on.")
@click.option("--until", type=DAY_OR_TIME, help="Fill in the past up to, and without, this day or time (UTC).")
@click.option(
    "--again",
    is_flag=True,
    help="Ask even where a server wants to be left alone until later, and take a changed shape as the new one.",
)
@CLUSTER
@click.pass_context
def command(
    ctx: click.Context,
    *,
    sources: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    again: bool,
    cluster: str,
) -> int:
    """Fetch what is new from all sources, or from those named.

    A source that fails does not stop the others; the exit code is 1 if any failed, fell silent or missed its floor.
    With --since or --until a stretch of the past is filled in, where a source lets it be asked for: the remark says
    where it does not. Said again, it goes on where a limit stopped it.
    """
    settings, moment = on_cluster(settings_of(ctx), cluster), now()
    span = _span(since, until, moment)
    from groundswell.crawlers.spread import crawl_wherever
    from groundswell.crawlers.summary import notes
    from groundswell.index.clock import check_clock
    from groundswell.index.open import open_store
    from groundswell.ui.pipeline import only_one

    with only_one(settings), open_store(settings, spool=True) as store, progress_bar("crawl") as progress:
        check_clock(store, now=moment)
        runs = crawl_wherever(store, settings, now=moment, only=sources, progress=progress, again=again, span=span)
    table(
        ("source", "found", "stored", "duplicate", "refused", "off topic", "undated", "left", "remark"),
        [
            (
                run.source, run.found, run.stored, run.duplicate, run.refused, run.off_topic, run.undated, run.left,
                run.error or run.complaint or run.remark,
            )
            for run in runs
        ],
        right=(1, 2, 3, 4, 5, 6, 7),
    )  # fmt: skip
    for note in notes(runs):
        click.echo(note)
    return int(any(run.error or run.complaint for run in runs))


def _span(since: datetime | None, until: datetime | None, moment: datetime) -> Span | None:
    """Return the stretch of the past that is asked for.

    Raises:
        BadParameter: it is empty, or not past.
    """
    from groundswell.crawlers.visit import Span

    if since is None and until is None:
        return None
    first, last = (at and (at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)) for at in (since, until))
    if first and first >= (last or moment):
        raise click.BadParameter("the stretch of time is empty: --since is before --until, and both are past")
    return Span(first, last)
