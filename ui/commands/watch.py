"""`groundswell watch`: everything, for months, by itself."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import click

from groundswell.ui.console import now, printable, settings_of

if TYPE_CHECKING:
    from types import FrameType

    from groundswell.configs.schema import Settings

SKIPPABLE = ("crawl", "enrich", "themes", "signals", "notify", "export", "digest", "reports", "calibration")


@click.command("watch")
@click.option("--skip", multiple=True, type=click.Choice(SKIPPABLE), help="Leave a stage out.")
@click.option(
    "--metrics-port", type=click.IntRange(0, 65535), help="Serve /metrics and /health [default: watch.metrics_port]."
)
@click.option("--log", type=click.Choice(["text", "json"]), help="Form of the log lines [default: watch.log].")
@click.option(
    "--status", is_flag=True, help="Only say how the watcher of this data folder does; exit 0 if all is well."
)
@click.option("--runs", type=click.IntRange(1, 1000), metavar="N", help="Only list the last N runs of stages.")
@click.pass_context
def command(
    ctx: click.Context,
    *,
    skip: tuple[str, ...],
    metrics_port: int | None,
    log: str | None,
    status: bool,
    runs: int | None,
) -> int:
    """Visit each source at its own cadence; read, place and test what comes; tell people. Until it is stopped.

    One watcher works in a data folder at a time; any other stage beside it says so and ends. SIGTERM and Ctrl-C stop it
    at the next step; killed, it goes on where it was. What fails is logged and tried again.
    """
    settings = settings_of(ctx)
    if status:
        return _status(settings)
    if runs:
        return _runs(settings, runs)
    given = {"metrics_port": metrics_port, "log": log}
    watch = settings.watch.model_copy(update={key: value for key, value in given.items() if value is not None})
    return watch_on(settings.model_copy(update={"watch": watch}), skip)


def watch_on(settings: Settings, skip: tuple[str, ...] = ()) -> int:
    """Watch until stopped by a signal; return the exit code."""
    from groundswell.ui.pipeline import only_one
    from groundswell.ui.watch.health import served
    from groundswell.ui.watch.logs import log_to
    from groundswell.ui.watch.watcher import Watcher

    with ExitStack() as stack:
        stack.enter_context(only_one(settings))
        watcher = Watcher(settings, now, skip)
        if settings.watch.metrics_port:
            place = settings.watch.metrics_host, settings.watch.metrics_port
            stack.enter_context(served(watcher.health, watcher.metrics, *place))
        log_to(settings)
        stack.enter_context(stopped_by_signals(watcher.stop))
        watcher.run()
    return 0


@contextmanager
def stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """Set an event on the first SIGTERM or SIGINT; the second ends the process as usual."""

    def asked(number: int, _frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, before[signal.Signals(number)])

    before = {each: signal.signal(each, asked) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _status(settings: Settings) -> int:
    from groundswell.ui.watch.ledger import Ledger
    from groundswell.ui.watch.watcher import status_lines

    lines, well = status_lines(Ledger(settings.data_dir).standing(), now=now())
    for line in lines:
        click.echo(printable(line))
    return 0 if well else 1


def _runs(settings: Settings, count: int) -> int:
    from groundswell.ui.watch.ledger import Ledger

    for run in Ledger(settings.data_dir).last(count):
        result = "; ".join(filter(None, (run.said, run.error)))
        click.echo(
            printable(f"{run.started_at}  {run.stage:8} {run.seconds:7.1f} s  {'FAILED ' if run.error else ''}{result}")
        )
    return 0
