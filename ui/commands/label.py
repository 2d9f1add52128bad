"""`groundswell label`: draw documents, label them, settle disputes, measure agreement, exchange labels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from groundswell.ui.console import at_terminal, audit_of, now, printable, settings_of, table, took

if TYPE_CHECKING:
    from groundswell.configs.schema import Settings
    from groundswell.index.records import Label, Queue
    from groundswell.ui.labelling import Labelling

QUEUES = ("audit", "uncertain", "disagreement", "drift", "calibration", "gold")
BY = click.option("--by", default="terminal", show_default=True, help="Who labels.")
SHAPES = ("csv", "jsonl", "label-studio", "argilla")


@click.group("label")
def command() -> None:
    """Draw documents to be labelled, label them blind, settle disputes, measure agreement, exchange labels.

    The board's page Labelling does the labelling with the keyboard.
    """


@command.command("draw")
@click.argument("queue", type=click.Choice(QUEUES))
@click.option("--size", default=200, show_default=True, help="How many documents.")
@click.option("--days", default=7.0, show_default=True, help="From how many days back.")
@click.option("--second", default=0.2, show_default=True, help="Share of an audit that a second person labels blind.")
@click.option("--people", default=2, show_default=True, help="How many label each document of a calibration.")
@BY
@click.pass_context
def draw(ctx: click.Context, queue: Queue, *, size: int, days: float, second: float, people: int, by: str) -> int:
    """Put documents into QUEUE: a random audit, what the model is unsure of, what is disagreed on, what drifts.

    calibration takes the documents that people disagreed on most, gold those that somebody has ruled about.
    """
    settings = settings_of(ctx)
    from groundswell.nlp.trust import labels, sampling
    from groundswell.ui.labelling import drawn

    until = now()
    since = until - timedelta(days=days)
    if queue == "audit":
        members = labels.population(settings, since=since, until=until)
        sample, tasks = sampling.draw_audit(
            members, size=size, second=second, since=since, until=until, by=by, now=until
        )
        with _labelling(settings) as desk:
            count = desk.add(tasks, sample if tasks else None, by=by)
        click.echo(f"{count:,} of {len(members):,} documents drawn at random, in {len(sample.drawn)} strata")
        return 0
    with _labelling(settings) as desk:
        tasks = drawn(desk.store, settings, queue, size=size, days=days, people=people, now=until)
        click.echo(f"{desk.add(tasks, by=by):,} documents wait in {queue}")
    return 0


@command.command("list")
@click.pass_context
def list_(ctx: click.Context) -> int:
    """Count what waits, by queue."""
    from groundswell.ui.labelling import waiting

    with _labelling(settings_of(ctx)) as desk:
        found = waiting(desk.store)
    by_queue = {queue: [task for task in found if task.queue == queue] for queue in QUEUES}
    rows = [(q, len(tasks), sum(t.wanted - len(t.given) for t in tasks)) for q, tasks in by_queue.items() if tasks]
    table(("queue", "documents", "labels wanted"), rows, right=(1, 2))
    click.echo(f"{len(found):,} documents wait")
    return 0


@command.command("next")
@click.option("--queue", type=click.Choice(QUEUES), help="Only from this queue.")
@BY
@click.pass_context
def next_(ctx: click.Context, queue: str | None, by: str) -> int:
    """Show the next document of somebody, without what anybody or the model said of it."""
    from groundswell.index.records import Document
    from groundswell.ui.labelling import next_task, onboarding_of

    settings = settings_of(ctx)
    with _labelling(settings) as desk:
        task = next_task(desk.store, by, queue, rules=settings.labelling)
        document = desk.store.get(Document, task.subject) if task else None
        test = onboarding_of(desk.store, by, settings.labelling)
    if not test.passed:
        click.echo(
            f"gold tasks first: {test.right} of {test.answered} right so far, {test.wanted} are the test", err=True
        )
    if task is None or document is None:
        click.echo("nothing waits for you")
        return 0
    mention = document.mention
    click.echo(f"{task.id}  {task.queue}  {mention.kind} in {task.lang or mention.lang or '?'} {mention.market}")
    click.echo("\n".join(printable(line) for line in (mention.title, mention.text) if line))
    return 0


@command.command("answer")
@click.argument("task")
@click.option("--sentiment", help="negative, neutral, positive or unsure.")
@click.option("--risks", help="All risks, with spaces or commas between; none, or unsure.")
@click.option("--team", default="", help="Whom you work for.")
@click.option("--note", default="", help="Why.")
@BY
@click.pass_context
def answer(
    ctx: click.Context, task: str, *, sentiment: str | None, risks: str | None, team: str, note: str, by: str
) -> int:
    """Say what the document of TASK is."""
    values = {name: value for name, value in {"sentiment": sentiment, "risks": risks}.items() if value is not None}
    with _labelling(settings_of(ctx)) as desk:
        labels = desk.answer(task, values, by=by, team=team, note=note, now=now())
    click.echo(f"kept: {', '.join(f'{one.field} {one.value}' for one in labels)}")
    return 0


@command.command("disputes")
@click.pass_context
def disputes(ctx: click.Context) -> int:
    """List what people disagree on and nobody has ruled about yet."""
    settings = settings_of(ctx)
    from groundswell.nlp.trust.labels import all_judgements
    from groundswell.nlp.trust.truth import disputed

    with _labelling(settings) as desk:
        found = disputed(all_judgements(desk.store, settings))
    rows = [
        (one[0].subject, one[0].field, ", ".join(f"{label.annotator}: {label.value}" for label in one)) for one in found
    ]
    table(("document", "field", "said"), rows)
    return 0


@command.command("rule")
@click.argument("document")
@click.argument("field")
@click.argument("value")
@click.option("--note", default="", help="What others shall learn from it: it becomes a guideline.")
@BY
@click.pass_context
def rule(ctx: click.Context, document: str, field: str, *, value: str, note: str, by: str) -> int:
    """Rule that FIELD of DOCUMENT is VALUE, whatever others said."""
    with _labelling(settings_of(ctx)) as desk:
        ruling = desk.rule(document, field, value, by=by, note=note, now=now())
    click.echo(f"ruled: {ruling.field} of {ruling.subject} is {ruling.value}")
    return 0


@command.command("agreement")
@click.option(
    "--of", type=click.Choice(["field", "language", "team", "annotator"]), default="field", show_default=True,
    help="By what it is split.",
)  # fmt: skip
@click.pass_context
def agreement_(ctx: click.Context, of: str) -> int:
    """Measure how far labels agree beyond chance: Cohen's kappa, Krippendorff's alpha (nominal, and ordinal)."""
    settings = settings_of(ctx)
    from groundswell.nlp.trust.agreement import agreement, by_annotator
    from groundswell.nlp.trust.labels import all_judgements

    with _labelling(settings) as desk:
        given = all_judgements(desk.store, settings)
    parts = {"field": lambda _: "all", "language": lambda one: one.lang or "?", "team": lambda one: one.team or "?"}
    found = by_annotator(given) if of == "annotator" else agreement(given, by=parts[of])
    rows = [
        (
            one.field,
            one.of,
            one.units,
            _number(one.observed),
            _number(one.kappa),
            _number(one.alpha),
            _number(one.ordinal),
        )
        for one in found
        if one.units
    ]
    table(("field", of, "documents", "alike", "kappa", "alpha", "ordinal"), rows, right=(2, 3, 4, 5, 6))
    click.echo("– where no disagreement was possible, or the field has no order")
    return 0


@command.command("people")
@click.option("--weeks", is_flag=True, help="By week.")
@click.option("--teams", is_flag=True, help="By team instead of person.")
@click.option("--gaps", is_flag=True, help="Only what somebody has yet to learn, with documents to learn from.")
@click.pass_context
def people(ctx: click.Context, weeks: bool, teams: bool, gaps: bool) -> int:
    """Measure each annotator, machines too, by gold tasks, rulings and what others agree on, class by class."""
    settings = settings_of(ctx)
    from groundswell.nlp.trust.labels import all_judgements
    from groundswell.nlp.trust.people import performance

    with _labelling(settings) as desk:
        given = all_judgements(desk.store, settings)
    found = performance(given, by=lambda one: one.team or "?" if teams else one.annotator, weeks=weeks)
    rows = [
        (one.who, one.field, one.week, one.labels, one.share, ", ".join(one.wrong) if gaps else "")
        for one in found
        if one.is_gap or not gaps
    ]
    table(("who", "field", "week", "labels", "right", "wrong about"), rows, right=(3,))
    return 0


@command.command("guidelines")
@click.pass_context
def guidelines_(ctx: click.Context) -> int:
    """List the rulings that others shall learn from."""
    from groundswell.ui.labelling import guidelines

    with _labelling(settings_of(ctx)) as desk:
        for one in guidelines(desk.store):
            click.echo(f"{one.field} is {one.value} ({one.subject}): {printable(one.note)}")
    return 0


@command.command("export")
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--shape", type=click.Choice(SHAPES), default="csv", show_default=True, help="How the file is written.")
@click.pass_context
def export(ctx: click.Context, target: Path, shape: Literal["csv", "jsonl", "label-studio", "argilla"]) -> int:
    """Write all labels of documents, with the texts, into TARGET."""
    from groundswell.index.files import write_whole
    from groundswell.index.records import Document
    from groundswell.nlp.trust.exchange import written

    with _labelling(settings_of(ctx)) as desk:
        labels = _of_documents(desk)
        documents = {one.id: one for one in desk.store.many(Document, sorted({one.subject for one in labels}))}
    took(settings_of(ctx), "export labels", shape, labels=len(labels), documents=len(documents))
    write_whole(target, written(labels, documents, shape).encode("utf-8-sig" if shape == "csv" else "utf-8"))
    click.echo(f"{len(labels):,} labels of {len(documents):,} documents in {target}")
    return 0


@command.command("import")
@click.argument("source", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--annotator", default="", help="Who gave those that name nobody; llm:NAME for a language model.")
@click.pass_context
def import_(ctx: click.Context, source: Path, annotator: str) -> int:
    """Read labels from SOURCE: CSV, JSON lines, Label Studio's or Argilla's JSON. The same file twice is once."""
    from groundswell.index.records import Mention
    from groundswell.nlp.trust.exchange import read

    content = source.read_text("utf-8-sig", errors="replace")
    with _labelling(settings_of(ctx)) as desk:
        found = read(content, checked=desk.checked, now=now(), annotator=annotator, name=source.name)
        there = {one.id for one in desk.store.many(Mention, sorted({one.subject for one in found.labels}))}
        report = desk.take([one for one in found.labels if one.subject in there], by=at_terminal())
    unknown = [
        f"{source.name}: there is no document {one.subject!r}" for one in found.labels if one.subject not in there
    ]
    refused = [*found.refused, *dict.fromkeys(unknown), *(f"{one.id}: {one.reason}" for one in report.refused)]
    for complaint in refused[:20]:
        click.echo(printable(complaint), err=True)
    came = f"{report.new:,} new labels, {report.updated:,} changed, {report.same:,} there already"
    click.echo(f"{came}, {len(refused):,} refused")
    return 1 if refused else 0


def _of_documents(desk: Labelling) -> list[Label]:
    from groundswell.index.records import Label
    from groundswell.nlp.trust.labels import MOST
    from groundswell.nlp.trust.truth import NO_DOCUMENT

    found = [one for one in desk.store.recent(Label, limit=MOST) if one.field not in NO_DOCUMENT]
    return sorted(found, key=lambda one: (one.subject, one.field, one.annotator, one.round))


@contextmanager
def _labelling(settings: Settings) -> Iterator[Labelling]:
    from groundswell.configs.taxonomy import load_taxonomy
    from groundswell.index.open import open_store
    from groundswell.ui.labelling import Labelling

    with open_store(settings) as store:
        yield Labelling(store, load_taxonomy(settings.taxonomy).risk_ids, audit_of(settings), settings.labelling)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
