"""`groundswell doctor`: what could keep it from working here."""

from __future__ import annotations

import click

from groundswell.ui.console import printable, settings_of

MARKS = {"ok": "ok  ", "warning": "warn", "bad": "BAD "}


@click.command("doctor")
@click.pass_context
def command(ctx: click.Context) -> int:
    """Check models, store, mail, sources and disk, and say what to do; the exit code is 1 if anything is bad."""
    settings = settings_of(ctx)
    from groundswell.ui.doctor import diagnose

    bad = False
    for finding in diagnose(settings):
        bad |= finding.state == "bad"
        advice = f"\n       → {printable(finding.do)}" if finding.do else ""
        click.echo(f"{MARKS[finding.state]}  {finding.what}: {printable(finding.said)}{advice}")
    return int(bad)
