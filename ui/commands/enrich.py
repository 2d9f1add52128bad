"""`groundswell enrich`: read what was crawled."""

from __future__ import annotations

import click

from groundswell.ui.console import CLUSTER, now, on_cluster, progress_bar, settings_of


@click.command("enrich")
@CLUSTER
@click.pass_context
def command(ctx: click.Context, cluster: str) -> int:
    """Read what was crawled: language, copies, sentiment, risks, targets, rules.

    Only documents that the present model has not read yet are read; after a change of model, all are.
    """
    settings = on_cluster(settings_of(ctx), cluster)
    from groundswell.index.open import open_store
    from groundswell.nlp.enrich.opened import opened_model
    from groundswell.nlp.enrich.stage import enrich, proven_rules
    from groundswell.ui.pipeline import only_one

    rules, broken = proven_rules(settings, now())
    for complaint in broken:
        click.echo(f"left out: {complaint}", err=True)
    with (
        only_one(settings), open_store(settings, spool=True) as store, opened_model(settings) as its,
        progress_bar("enrich") as progress,
    ):  # fmt: skip
        report = enrich(store, its.model, settings, now=now(), rules=rules, progress=progress, ahead=its.ahead)
    click.echo(str(report))
    return 0
