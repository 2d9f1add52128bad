"""`groundswell rules`: check, try and measure rules, and find terms they lack."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from groundswell.ui.console import now, printable, settings_of, table
from groundswell.ui.workbench import all_rules, rules_of_files, texts_of, tried

if TYPE_CHECKING:
    from groundswell.configs.schema import Settings
    from groundswell.nlp.trust.rules import Known, Text

MOST = click.option("--documents", default=5000, show_default=True, help="How many of the newest documents are read.")
FILES = click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True))


@click.group("rules")
def command() -> None:
    """Check, try and measure the rules that say what a text is about; find terms and spellings they lack."""


@command.command("check")
@FILES
@click.pass_context
def check(ctx: click.Context, files: Sequence[Path]) -> int:
    """Hold rules to their own examples: those of FILES, or all that the settings name.

    A rule that does not treat its examples as it says, has no counter-example, or has expired is left out of every run.
    """
    settings = settings_of(ctx)
    rules = rules_of_files(settings, files) if files else all_rules(settings)
    proven, broken = rules.proven(now())
    for complaint in broken:
        click.echo(printable(complaint))
    click.echo(f"{len(proven):,} of {len(rules):,} rules keep their promises")
    return 1 if broken else 0


@command.command("list")
@click.pass_context
def list_(ctx: click.Context) -> int:
    """List the rules: what each is about, its version, owner and expiry, and whether it works."""
    rules = all_rules(settings_of(ctx))
    working = {each.rule.id for each in rules.proven(now())[0].compiled}
    rows = [
        (rule.id, rule.about, rule.version, rule.owner, rule.expires or "", _state(rule.shadow, rule.id in working))
        for each in rules.compiled
        for rule in [each.rule]
    ]
    table(("rule", "about", "version", "owner", "expires", "state"), rows, right=(2,))
    return 0


@command.command("try")
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@MOST
@click.option("--examples", default=5, show_default=True, help="How many texts are shown for each rule.")
@click.pass_context
def try_(ctx: click.Context, file: Path, documents: int, examples: int) -> int:
    """Run the rules of FILE over stored documents and say what they would find; nothing is written.

    "alone" counts what neither the model nor a rule of yours finds today; "right" is by what people have labelled.
    """
    settings = settings_of(ctx)
    from groundswell.nlp.trust.rules import hits_of

    fresh, standing = rules_of_files(settings, [file]), all_rules(settings)
    texts, labels = _texts(settings, documents)
    found = tried(standing, fresh, texts, labels)
    rows = [(one.id, one.hits, one.alone, one.judged, one.right, one.precision) for one in found]
    click.echo(f"over {len(texts):,} documents:")
    table(("rule", "hits", "alone", "judged", "right", "precision"), rows, right=(1, 2, 3, 4))
    hits = hits_of(fresh, texts)
    for one in found:
        shown = [text.text for text, met in zip(texts, hits, strict=True) if one.id in met][:examples]
        click.echo("\n".join([f"\n{one.id}:", *(f"  {printable(text)[:160]}" for text in shown)]))
    return 0


@command.command("precision")
@MOST
@click.pass_context
def precision(ctx: click.Context, documents: int) -> int:
    """Measure each rule by what people labelled: precision, recall (95 % intervals), and which rules overlap."""
    settings = settings_of(ctx)
    from groundswell.nlp.trust.rules import measure, overlaps

    rules, (texts, labels) = all_rules(settings), _texts(settings, documents)
    found = [one for one in measure(rules, texts, labels) if one.hits]
    rows = [
        (
            f"{one.id} v{one.version}",
            _state(one.shadow, True),
            one.hits,
            one.alone,
            one.judged,
            one.precision,
            one.recall,
        )
        for one in sorted(found, key=lambda one: (one.about, one.id))
    ]
    click.echo(f"{len(texts):,} documents, {sum(one.id in labels for one in texts):,} of them labelled")
    table(("rule", "state", "hits", "alone", "judged", "precision", "recall"), rows, right=(2, 3, 4))
    for pair in overlaps(rules, texts)[:20]:
        click.echo(f"{pair.one} and {pair.other} hit the same {pair.both:,} documents (Jaccard {pair.similarity:.2f})")
    return 0


@command.command("suggest")
@click.argument("risk")
@MOST
@click.option("--most", default=20, show_default=True, help="How many terms are shown.")
@click.pass_context
def suggest(ctx: click.Context, risk: str, documents: int, most: int) -> int:
    """Find terms that would find more of RISK, with what each gains, and spellings that hide its words.

    Terms are taken from one half of the judged documents and measured on the other.
    """
    settings = settings_of(ctx)
    from groundswell.configs.taxonomy import load_taxonomy
    from groundswell.nlp.trust import rules as measuring

    taxonomy = load_taxonomy(settings.taxonomy)
    if risk not in taxonomy.risk_ids:
        raise click.UsageError(f"no risk is called {risk!r}; known: {', '.join(taxonomy.risk_ids)}")
    rules, (texts, labels) = all_rules(settings), _texts(settings, documents)
    if not measuring.truth_for(texts, labels, risk)[1]:
        click.echo(
            f"fewer than {measuring.FEWEST_LABELS} documents are labelled {risk}: what the model says stands in",
            err=True,
        )
    words = [word.rstrip("*") for word in taxonomy.risk(risk).words]
    rows = [
        (one.term, one.meant and f"for {one.meant}", one.found, one.wrong, one.everywhere, printable(one.example)[:60])
        for one in (
            *measuring.suggest_spellings(texts, labels, risk, words)[:most],
            *measuring.suggest(rules, texts, labels, risk, most=most),
        )
    ]
    if not rows:
        click.echo("no term and no spelling would find more")
        return 0
    table(("term", "spelling", "finds", "wrongly", "documents", "for example"), rows, right=(2, 3, 4))
    return 0


def _state(shadow: bool, works: bool) -> str:
    return "left out" if not works else "shadow" if shadow else "works"


def _texts(settings: Settings, most: int) -> tuple[list[Text], Known]:
    from groundswell.index.open import open_reader

    with open_reader(settings) as reader:
        return texts_of(reader, settings, most)
