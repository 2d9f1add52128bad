"""`groundswell deliveries`: who was told what, when, and what became of it."""

from __future__ import annotations

import click

from groundswell.ui.console import json_line, now, settings_of, table, took

STATUSES = ("due", "held", "sending", "sent", "failed", "dead")
"""`groundswell.index.records.DeliveryStatus`, spelt out so that help does not wait; a test compares."""


@click.command("deliveries")
@click.option("--status", type=click.Choice(STATUSES), help="Only those that are so.")
@click.option("--receiver", default="", help="Only this receiver's.")
@click.option("--limit", default=50, show_default=True, help="How many, newest first.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--retry", metavar="ID|all", default="", help="Let one that was given up, or all, be tried again.")
@click.pass_context
def command(ctx: click.Context, *, status: str | None, receiver: str, limit: int, as_json: bool, retry: str) -> int:
    """List the deliveries of alerts and digests, newest first. One that is "sending" was begun: perhaps it arrived."""
    settings = settings_of(ctx)
    from groundswell.index.codec import to_json
    from groundswell.index.open import open_reader, open_store
    from groundswell.index.records import Delivery
    from groundswell.ui.report.delivery.ledger import try_again

    if retry:
        with open_store(settings) as store:
            took(settings, "try deliveries again", retry)
            count = try_again(store, () if retry == "all" else (retry,), now=now())
        click.echo(f"{count} to be tried again: groundswell notify")
        return 0 if count or retry == "all" else 1
    with open_reader(settings) as reader:
        rows = [
            row for row in reader.recent(Delivery, limit=20_000)
            if (not status or row.status == status) and (not receiver or row.receiver == receiver)
        ][:limit]  # fmt: skip
    if as_json:
        for row in rows:
            click.echo(json_line(to_json(row)))
        return 0
    lines = [
        (f"{row.at:%Y-%m-%d %H:%M}Z", row.receiver, row.status, row.attempts, row.state, row.title, row.said, row.id)
        for row in rows
    ]
    table(("found", "receiver", "status", "tries", "what", "title", "answer", "id"), lines, right=(3,))
    return 0
