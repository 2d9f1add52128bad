"""`groundswell enrich`: read what was crawled."""

from __future__ import annotations

import click

from groundswell.ui.console import now, progress_bar, settings_of


@click.command("enrich")
@click.pass_context
def command(ctx: click.Context) -> int:
    """Read what was crawled: language, copies, sentiment, risks, targets, rules.

    Only documents that the present model has not read yet are read; after a change of model, all are.
    """
    settings = settings_of(ctx)
    from groundswell.index.open import open_store
    from groundswell.nlp.enrich.stage import enrich, proven_rules
    from groundswell.nlp.model.model import load_model
    from groundswell.ui.pipeline import only_one

    rules, broken = proven_rules(settings, now())
    for said in broken:
        click.echo(f"left out: {said}", err=True)
    with only_one(settings), open_store(settings, spool=True) as store, progress_bar("enrich") as progress:
        report = enrich(store, load_model(settings.model), settings, now=now(), rules=rules, progress=progress)
    click.echo(str(report))
    return 0
