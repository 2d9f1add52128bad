"""`groundswell signals`: which theme is growing into a risk, and what somebody decided about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import click

from groundswell.ui.console import audit_of, json_line, now, printable, progress_bar, settings_of

if TYPE_CHECKING:
    from groundswell.nlp.signals.alerts.feedback import Proposal
    from groundswell.ui.desk import Desk
    from groundswell.ui.report.inbox import Entry, Inbox

BY = click.option("--by", default="terminal", show_default=True, help="Who decides.")
ALERTS = click.argument("alerts", metavar="ID...", nargs=-1, required=True)
SHOWN = ("waiting", "confirmed", "case", "snoozed", "dismissed", "closed", "all")
"""`groundswell.ui.report.inbox.Status` and all of them, spelt out so that help does not wait; a test compares them."""


@click.group("signals", invoke_without_command=True)
@click.option("--list", "only_list", is_flag=True, help="Only list the alerts there are.")
@click.option("--show", type=click.Choice(SHOWN), default="waiting", show_default=True, help="Which alerts are listed.")
@click.option("--limit", default=20, show_default=True, help="How many alerts are listed, gravest first.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line: every alert that fired, newest first.")
@click.pass_context
def command(ctx: click.Context, only_list: bool, show: str, limit: int, as_json: bool) -> int:
    """Find which theme is growing into a risk, then list the alerts with their ids; or decide about some of them."""
    if ctx.invoked_subcommand is not None:
        return 0
    settings = settings_of(ctx)
    from groundswell.index.open import open_store
    from groundswell.ui.desk import Desk
    from groundswell.ui.report.inbox import find_inbox

    with open_store(settings) as store:
        if not only_list:
            from groundswell.nlp.signals.stage import find_signals
            from groundswell.ui.pipeline import only_one

            with only_one(settings), progress_bar("signals") as progress:
                Desk(store).lift_snoozes(now=now())
                find_signals(store, settings, now=now(), progress=progress)
        inbox = find_inbox(store, now=now())
    if as_json:
        _json(inbox, limit)
    else:
        _list(inbox, show, limit)
    return 0


def _json(inbox: Inbox, limit: int) -> None:
    from groundswell.index.codec import to_json

    alerts = [signal for entry in inbox.entries for signal in entry.episode.signals if signal.fired]
    for alert in sorted(alerts, key=lambda alert: (alert.at, alert.id), reverse=True)[:limit]:
        click.echo(json_line(to_json(alert)))


def _list(inbox: Inbox, show: str, limit: int) -> None:
    entries = [entry for entry in inbox.entries if show in {"all", entry.standing.status}]
    for entry in entries[:limit]:
        click.echo(lines(entry))
    if len(entries) > limit:
        click.echo(f"{len(entries) - limit:,} more: --limit {len(entries)}")
    for line in early(inbox):
        click.echo(line)
    click.echo(looked(inbox, len(entries), show))


def early(inbox: Inbox) -> Iterator[str]:
    """Yield what may become an alert within three days, a line each, under a heading; nothing where nothing may."""
    from groundswell.ui.report.rising import heading, note, rising_rows

    if inbox.rising:
        yield f"{heading()} ({note()}):"
    for signal, row in zip(inbox.rising, rising_rows(inbox.rising), strict=True):
        yield f"    {row.chance:>5}  {signal.at:%Y-%m-%d %H:%M}Z  {printable(row.title)}; {row.documents}"


def looked(inbox: Inbox, count: int, show: str) -> str:
    """Return how many alerts there are, up to when signals were looked for, and how many weaker ones were held back."""
    what = "" if show == "all" else {"case": " in a case", "closed": " of closed cases"}.get(show, f" {show}")
    if inbox.upto is None:
        return "signals have not been looked for yet: groundswell signals"
    text = (
        f"{count:,} alert{'' if count == 1 else 's'}{what}; signals were looked for up to {inbox.upto:%Y-%m-%d %H:%M}Z"
    )
    return f"{text}, {len(inbox.held):,} weaker ones of the last 7 days were held back"


def lines(entry: Entry) -> str:
    """Return an alert as three lines: when, how severe, what and its id; how it goes and stands; why."""
    from groundswell.ui.report.inbox import how_it_goes

    episode, standing = entry.episode, entry.standing
    goes = how_it_goes(entry, "UTC").replace("\N{NO-BREAK SPACE}", " ")
    stands = standing.note or standing.status
    whose = f", {standing.assignee}'s" if standing.assignee else ""
    return (
        f"{entry.id}  {episode.alert.at:%Y-%m-%d %H:%M}Z  {episode.severity.upper():8}  {printable(entry.title)}\n"
        f"    {entry.documents:,} document{'' if entry.documents == 1 else 's'}; {goes}; {printable(stands + whose)}\n"
        f"    {printable(episode.gravest.why)}"
    )


# --- deciding --------------------------------------------------------------------------------------------------------


@command.command("confirm")
@ALERTS
@click.option("--reason", default="", help="Why, for whoever reads it later.")
@BY
@click.pass_context
def confirm(ctx: click.Context, alerts: Sequence[str], reason: str, by: str) -> None:
    """Say that alerts are right."""
    _decide(ctx, alerts, "confirmed", lambda desk, at: desk.confirm(alerts, by=by, now=at, reason=reason))


@command.command("dismiss")
@ALERTS
@click.option("--reason", required=True, help='"false alarm", "not relevant to us", "duplicate" teach; or your words.')
@BY
@click.pass_context
def dismiss(ctx: click.Context, alerts: Sequence[str], reason: str, by: str) -> None:
    """Let alerts go, for a reason."""
    _decide(ctx, alerts, "dismissed", lambda desk, at: desk.dismiss(alerts, reason=reason, by=by, now=at))


@command.command("snooze")
@ALERTS
@click.option("--days", type=float, help="For how long [default: signals.snooze_days].")
@click.option("--reason", required=True, help="Why it may be quiet.")
@BY
@click.pass_context
def snooze(ctx: click.Context, alerts: Sequence[str], days: float | None, reason: str, by: str) -> None:
    """Silence alerts and their themes for some days; a snooze also ends when it is over or when it gets graver."""
    length = settings_of(ctx).signals.snooze_days if days is None else days
    _decide(
        ctx, alerts, f"silent for {length:g} days",
        lambda desk, at: desk.put_off(alerts, days=length, reason=reason, by=by, now=at),
    )  # fmt: skip


@command.command("assign")
@ALERTS
@click.option("--to", required=True, help='Whose they are; "" for nobody\'s.')
@BY
@click.pass_context
def assign(ctx: click.Context, alerts: Sequence[str], to: str, by: str) -> None:
    """Say whose alerts are."""
    _decide(ctx, alerts, f"given to {to or 'nobody'}", lambda desk, at: desk.assign(alerts, to=to, by=by, now=at))


@command.command("reopen")
@ALERTS
@click.option("--reason", default="", help="Why, for whoever reads it later.")
@BY
@click.pass_context
def reopen(ctx: click.Context, alerts: Sequence[str], reason: str, by: str) -> None:
    """Take back what was decided about alerts: they wait again."""
    _decide(ctx, alerts, "waiting again", lambda desk, at: desk.reopen(alerts, by=by, now=at, reason=reason))


@command.command("merge")
@click.argument("alert")
@click.argument("into")
@BY
@click.pass_context
def merge(ctx: click.Context, alert: str, into: str, by: str) -> None:
    """Put ALERT to the episode of INTO: one event, one card. `part` takes it back."""
    _decide(ctx, [alert], f"merged with {into}", lambda desk, at: desk.merge(alert, into, by=by, now=at))


@command.command("part")
@click.argument("alert")
@click.argument("other")
@BY
@click.pass_context
def part(ctx: click.Context, alert: str, other: str, by: str) -> None:
    """Take a merge of ALERT with OTHER back, or say that they are two."""
    _decide(ctx, [alert], f"parted from {other}", lambda desk, at: desk.part(alert, other, by=by, now=at))


@command.command("learn")
@click.option("--accept", "take", is_flag=True, help="Let it take effect on signals found from now on.")
@click.option("--forget", "drop", is_flag=True, help="Go back to the ranking as it came.")
@BY
@click.pass_context
def learn(ctx: click.Context, take: bool, drop: bool, by: str) -> int:
    """Show what judgements would teach and which past alerts that would change; nothing changes before --accept."""
    from groundswell.ui.desk import Desk

    settings = settings_of(ctx)
    with _desk(ctx) as desk:
        if drop:
            desk.unlearn(by=by)
            click.echo("the ranking is as it came")
            return 0
        proposal = Desk.proposal(desk.store, settings)
        if proposal is None:
            click.echo("too few judgements: at least 8 are needed, some of them confirmed, some false")
            return int(take)
        click.echo(told(proposal))
        if take:
            desk.learn(proposal, by=by, now=now())
            click.echo("accepted: it takes effect on signals found from now on; --forget takes it back")
    return 0


def told(proposal: Proposal) -> str:
    """Return a proposal in words, each number counted over past alerts."""
    would = [change for change in proposal.changes if change.would_fire]
    parts = (
        "none would fire" if proposal.kept == 0 else f"{proposal.right_then} of {proposal.kept} that would still fire"
    )
    head = (
        f"{proposal.judged} judged alerts, {proposal.right} confirmed; with what they teach, confirmed are {parts}.\n"
        f"Of all signals so far {len(would)} more would fire and {len(proposal.changes) - len(would)} would not:"
    )
    rows = (
        f"  {'+' if change.would_fire else '-'} {change.signal}  {change.at:%Y-%m-%d}  {change.strength:.2f} → "
        f"{change.would_be:.2f}  {printable(change.title)}{f' ({change.judged})' if change.judged else ''}"
        for change in proposal.changes
    )
    return "\n".join([head, *rows])


def _decide(ctx: click.Context, alerts: Sequence[str], verdict: str, act: Callable[[Desk, datetime], object]) -> None:
    with _desk(ctx) as desk:
        act(desk, now())
    click.echo(f"{len(alerts)} alert{'' if len(alerts) == 1 else 's'} {verdict}")


@contextmanager
def _desk(ctx: click.Context) -> Iterator[Desk]:
    """Give the desk; what a person asked for wrongly is their mistake, not the store's."""
    from groundswell.index.open import open_store
    from groundswell.ui.desk import Desk

    with open_store(settings_of(ctx)) as store:
        yield Desk(store, audit_of(settings_of(ctx)))
