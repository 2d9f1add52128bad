"""`groundswell policies`: clauses by market, what they do not cover, and the causes of cases."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from groundswell.ui.console import now, printable, settings_of, table
from groundswell.ui.workbench import clauses_of, gaps_of

if TYPE_CHECKING:
    pass

MARKET = click.option("--market", default="", help="Only what holds in this market.")
DAY = click.DateTime(["%Y-%m-%d"])


@click.group("policies")
def command() -> None:
    """Set complaints beside the clauses of your advertising policies (setting `policies`; else a short example)."""


@command.command("list")
@MARKET
@click.option("--on", type=DAY, help="On this day, instead of today.")
@click.pass_context
def list_(ctx: click.Context, market: str, on: datetime | None) -> int:
    """List the clauses that hold."""
    day = (on or now()).date()
    rows = [
        (one.id, one.title, ", ".join(one.markets) or "all", ", ".join(one.covers), one.effective or "", one.ends or "")
        for one in clauses_of(settings_of(ctx))
        if one.holds(day, market)
    ]
    table(("clause", "title", "markets", "covers", "from", "until"), rows)
    return 0


@command.command("diff")
@click.argument("before", type=DAY)
@click.argument("after", type=DAY)
@MARKET
@click.pass_context
def diff(ctx: click.Context, before: datetime, after: datetime, market: str) -> int:
    """Say how what holds on day AFTER differs from what held on day BEFORE."""
    from groundswell.configs.policies import changes

    found = changes(clauses_of(settings_of(ctx)), before.date(), after.date(), market)
    table(("clause", "", "what"), [(one.clause, one.what, ", ".join(one.fields)) for one in found])
    return 0


@command.command("match")
@click.option("--uncovered", is_flag=True, help="Only themes that no clause covers.")
@click.pass_context
def match_(ctx: click.Context, uncovered: bool) -> int:
    """Match living themes to the clauses that cover them, by risk and by words."""
    settings = settings_of(ctx)
    from groundswell.index.open import open_reader
    from groundswell.index.records import Theme
    from groundswell.nlp.trust.policies import match

    with open_reader(settings) as reader:
        themes = [theme for theme in reader.recent(Theme, limit=10_000) if theme.state == "living"]
    found = match(themes, clauses_of(settings), now())
    rows = [
        (one.theme, one.label, one.risk, ", ".join(one.clauses)) for one in found if not (uncovered and one.clauses)
    ]
    table(("theme", "label", "risk", "clauses"), rows)
    return 0


@command.command("gaps")
@click.pass_context
def gaps_(ctx: click.Context) -> int:
    """List what a policy owner should look at: growing and not covered, growing although covered, covered elsewhere."""
    settings = settings_of(ctx)
    from groundswell.index.open import open_reader

    with open_reader(settings) as reader:
        found = gaps_of(settings, reader, now=now())
    rows = [
        (one.kind, one.market, one.risk, one.now, one.before, ", ".join(one.clauses), ", ".join(one.evidence[:2]))
        for one in found
    ]
    table(("what", "market", "risk", "28 days", "before", "clauses", "for example"), rows, right=(3, 4))
    return 0


@command.command("draft")
@click.argument("market")
@click.argument("risk")
@click.pass_context
def draft_(ctx: click.Context, market: str, risk: str) -> int:
    """Write the draft of a note that proposes a clause about RISK in MARKET, with its evidence, to standard output."""
    settings = settings_of(ctx)
    from groundswell.index.open import open_reader
    from groundswell.index.records import Document
    from groundswell.nlp.trust.policies import draft

    with open_reader(settings) as reader:
        gap = next(
            (one for one in gaps_of(settings, reader, now=now()) if (one.market, one.risk) == (market.upper(), risk)),
            None,
        )
        if gap is None:
            click.echo(
                f"no gap about {risk} in {market.upper()}: groundswell policies gaps lists those there are", err=True
            )
            return 1
        texts = [one.mention.text for one in reader.many(Document, gap.evidence)]
    click.echo("\n".join(printable(line) for line in draft(gap, clauses_of(settings), texts).split("\n")))
    return 0


@command.command("ask")
@click.argument("question")
@click.pass_context
def ask(ctx: click.Context, question: str) -> int:
    """Find the clauses that QUESTION may be about, with the cases that were decided under them."""
    settings = settings_of(ctx)
    from groundswell.index.open import open_reader
    from groundswell.index.records import Case
    from groundswell.nlp.trust.policies import answers

    with open_reader(settings) as reader:
        found = answers(question, clauses_of(settings), reader.recent(Case, limit=100_000), now=now())
    for one in found[:3]:
        click.echo(f"{one.clause.id} ({', '.join(one.clause.markets) or 'all markets'}): {printable(one.clause.text)}")
        for case in one.precedents:
            click.echo(f"  {case.opened_at:%Y-%m-%d} {printable(case.title)}: {printable(case.decision)}")
    if not found:
        click.echo("no clause shares a word with it: groundswell policies list names them all")
    return 0


@command.command("page")
@click.argument("clause")
@click.pass_context
def page_(ctx: click.Context, clause: str) -> int:
    """Write a page to work and to learn by, in Markdown: CLAUSE, what it forbids and allows, what was ruled."""
    settings = settings_of(ctx)
    from groundswell.index.open import open_reader
    from groundswell.nlp.trust.policies import page
    from groundswell.ui.labelling import guidelines

    clauses = [one for one in clauses_of(settings) if one.id == clause]
    chosen = next((one for one in clauses if one.holds(now().date())), clauses[-1] if clauses else None)
    if chosen is None:
        raise click.UsageError(f"there is no clause {clause!r}: groundswell policies list names them all")
    with open_reader(settings) as reader:
        click.echo("\n".join(printable(line) for line in page(chosen, guidelines(reader)).split("\n")))
    return 0


@command.command("causes")
@click.option("--depth", default=1, show_default=True, help="How far down a path of causes is told apart.")
@click.pass_context
def causes_(ctx: click.Context, depth: int) -> int:
    """Count the root causes of closed cases by month, commonest first; a cause is a path: policy > no clause > …."""
    from groundswell.index.open import open_reader
    from groundswell.index.records import Case
    from groundswell.nlp.trust.policies import causes

    with open_reader(settings_of(ctx)) as reader:
        found = causes(reader.recent(Case, limit=100_000), depth=depth)
    rows = [(one.month, one.cause, one.cases, f"{one.share:.0%}", f"{one.cumulative:.0%}") for one in found]
    table(("month", "cause", "cases", "share", "all so far"), rows, right=(2, 3, 4))
    return 0
