"""`groundswell backtest`: what would have fired."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from groundswell.ui.console import progress_bar, settings_of

if TYPE_CHECKING:
    from groundswell.configs.events import Event
    from groundswell.configs.schema import Settings
    from groundswell.nlp.signals.alerts.feedback import Taught


@click.command("backtest")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--events", "known", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML of what is known to have happened: what each budget would have found, missed and cost.",
)  # fmt: skip
@click.option(
    "--judged", is_flag=True,
    help="Count the alerts that analysts confirmed as known, too: SOURCE is then this project's own documents.",
)  # fmt: skip
@click.option(
    "--whole", is_flag=True,
    help="Read every text whole, as live, so that falls in mood are found too: some 40 texts a second.",
)  # fmt: skip
@click.pass_context
def command(ctx: click.Context, /, *, source: Path, folder: Path, known: Path | None, judged: bool, whole: bool) -> int:
    """Replay SOURCE (JSONL: id, text, published_at, …) as if live; write alerts.jsonl and themes.jsonl into FOLDER.

    Nothing from the future is seen anywhere; docs/contracts.md has the schema.
    """
    settings = settings_of(ctx)
    from groundswell.configs.events import load_events
    from groundswell.nlp.replay.backtest import backtest

    events = [*(load_events(known) if known else ()), *(_confirmed(settings) if judged else ())]
    with progress_bar("backtest") as progress:
        summary = backtest(
            source, folder, settings, progress=progress, events=events, taught=_taught(settings), whole=whole
        )
    click.echo(str(summary))
    return 0


def _confirmed(settings: Settings) -> list[Event]:
    from groundswell.index.open import open_reader
    from groundswell.nlp.replay.budgets import confirmed

    with open_reader(settings) as reader:
        return confirmed(reader)


def _taught(settings: Settings) -> Taught | None:
    """Return the correction that takes effect live, where judgements were accepted."""
    from groundswell.index.open import open_reader
    from groundswell.index.store import StoreError
    from groundswell.nlp.signals.alerts.feedback import current

    try:
        with open_reader(settings) as reader:
            return current(reader)
    except StoreError:  # a replay needs no store of its own
        return None
