"""`groundswell quality`: how right the model is, by random audits; what has moved; what moderators decided."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from groundswell.ui.console import now, printable, settings_of, table, took

if TYPE_CHECKING:
    from groundswell.ui.report.quality import Quality


@click.group("quality", invoke_without_command=True)
@click.option("--days", default=90.0, show_default=True, help="Audits drawn in so many days count.")
@click.option(
    "--by", type=click.Choice(["class", "language", "market", "model"]), default="class", show_default=True,
    help="By what the figures shown are split.",
)  # fmt: skip
@click.option(
    "--write", "targets", multiple=True, type=click.Path(path_type=Path), help="An .html or .xlsx file; repeat."
)
@click.pass_context
def command(ctx: click.Context, days: float, by: str, targets: tuple[Path, ...]) -> int:
    """Measure the model by random audits (precision, recall, false positives; 95 % intervals), and what has moved.

    Audits are drawn by `groundswell label draw audit` and labelled by people.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    settings = settings_of(ctx)
    from groundswell.index.open import open_reader
    from groundswell.ui.report.quality import look, write

    with open_reader(settings) as reader:
        quality = look(reader, settings, days=days, now=now())
    if targets:
        took(settings, "export quality", files=len(targets))
    for target in targets:
        write(quality, target)
        click.echo(f"written to {target}")
    _show(quality, by)
    return 0


def _show(quality: Quality, by: str) -> None:
    rows = [
        (one.name, one.of, one.labelled, one.precision, one.recall, one.false_positives) for one in quality.figures[by]
    ]
    click.echo(
        f"{quality.audits:,} audits, {quality.labelled:,} documents labelled; unsure of its feeling: {quality.unsure}"
    )
    if rows:
        table(
            ("class", "" if by == "class" else by, "labelled", "precision", "recall", "false positives"),
            rows,
            right=(2,),
        )
    else:
        click.echo("no audit has been labelled yet: groundswell label draw audit")
    for one in quality.moves:
        if one.is_notable:
            click.echo(f"moved: {one.what} by {one.bits:.2f} bits ({printable(', '.join(one.most))})")


@command.command("import")
@click.argument("source", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.pass_context
def import_(ctx: click.Context, source: Path) -> int:
    """Read moderators' decisions from SOURCE (CSV: id, decision, reviewer, seconds, appeal; at, market if known)."""
    settings = settings_of(ctx)
    from groundswell.index.open import open_store
    from groundswell.nlp.trust.moderation import read_csv

    found, refused = read_csv(source.read_text("utf-8-sig", errors="replace"), now=now(), name=source.name)
    with open_store(settings) as store:
        took(settings, "import decisions", decisions=len(found))
        report = store.put(found)
    for complaint in refused[:20]:
        click.echo(printable(complaint), err=True)
    came = f"{report.new:,} new decisions, {report.updated:,} changed, {report.same:,} there already"
    click.echo(f"{came}, {len(refused):,} refused")
    return 1 if refused else 0
