"""`groundswell notify`: tell people at once what is due, or send them a test."""

from __future__ import annotations

import click

from groundswell.ui.console import now, printable, settings_of


@click.group("notify", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> int:
    """Tell the receivers of alerts.receivers what is due: new and graver alerts, escalations, dying sources.

    `groundswell watch` and `run` do it after every look for signals. Nobody is told the same twice, however often this
    is called. Exit code 1 where a delivery failed.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    settings = settings_of(ctx)
    from groundswell.index.open import open_store
    from groundswell.ui.report.delivery.ledger import notify

    if not settings.alerts.receivers:
        click.echo("nobody to tell: name receivers under alerts.receivers (docs/alerts.md)")
        return 0
    with open_store(settings) as store:
        deliveries = notify(store, settings, now=now())
    click.echo(str(deliveries) or "nothing to tell")
    for trouble in deliveries.troubles:
        click.echo(printable(trouble), err=True)
    return int(bool(deliveries.troubles))


@command.command("test")
@click.argument("receivers", nargs=-1)
@click.pass_context
def test(ctx: click.Context, receivers: tuple[str, ...]) -> int:
    """Send each receiver, or those named, a message that says it is a test; quiet hours do not hold it."""
    settings = settings_of(ctx)
    from groundswell.configs.yaml_lines import nearest
    from groundswell.ui.report.delivery.ledger import send_test
    from groundswell.ui.report.delivery.send import NotDeliveredError
    from groundswell.ui.report.discretion import Cleaner, secrets_of

    by_id = {one.id: one for one in settings.alerts.receivers}
    for name in receivers:
        if name not in by_id:
            raise click.BadParameter(f"there is no receiver {name!r}{nearest(name, sorted(by_id))}")
    if not by_id:
        raise click.UsageError("name receivers under alerts.receivers first (docs/alerts.md)")
    clean, failed = Cleaner(list(secrets_of(settings))), False
    for name in receivers or by_id:
        try:
            click.echo(printable(f"{name}: {clean(send_test(settings, by_id[name], now=now()))}"))
        except NotDeliveredError as error:
            failed = True
            click.echo(printable(f"{name}: {clean(str(error))}"), err=True)
    return int(failed)
