"""`groundswell signals`: which theme is growing into a risk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from groundswell.ui.console import now, printable, progress_bar, settings_of

if TYPE_CHECKING:
    from groundswell.index.records import Signal


@click.command("signals")
@click.option("--list", "only_list", is_flag=True, help="Only list the alerts there are.")
@click.option("--limit", default=20, show_default=True, help="How many alerts are listed, newest first.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_context
def command(ctx: click.Context, only_list: bool, limit: int, as_json: bool) -> int:
    """Find which theme is growing into a risk, then list the newest alerts."""
    settings = settings_of(ctx)
    from groundswell.index.codec import to_json
    from groundswell.index.open import open_store
    from groundswell.index.records import Signal

    with open_store(settings) as store:
        if not only_list:
            from groundswell.nlp.signals.stage import find_signals

            with progress_bar("signals") as progress:
                find_signals(store, settings, now=now(), progress=progress)
        alerts = [signal for signal in store.recent(Signal) if signal.fired][:limit]
    for alert in alerts:
        click.echo(json.dumps(to_json(alert), ensure_ascii=False) if as_json else sentence(alert))
    if not alerts and not as_json:
        click.echo("no alert: every theme is within its usual range")
    return 0


def sentence(alert: Signal) -> str:
    """Return an alert as two lines: when, how severe, what; then why."""
    title = printable(alert.title or alert.theme)
    return (
        f"{alert.at:%Y-%m-%d %H:%M}Z  {alert.severity.upper():8}  {alert.kind:6}  {title}\n    {printable(alert.why)}"
    )
