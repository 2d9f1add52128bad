"""`groundswell search`: ask the index."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import click

from groundswell.ui.console import audit_of, json_line, now, printable, settings_of, table

if TYPE_CHECKING:
    from groundswell.configs.schema import Settings
    from groundswell.index.query import Field, Hit, Page, Query
    from groundswell.index.records import Vector
    from groundswell.index.store import Reader

NOBODY = "nobody"
EXCERPT = 200
"""Characters of a text shown for a hit."""


@click.command("search")
@click.argument("words", nargs=-1)
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many documents.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: total, facets, cursor, hits.")
@click.option("--facet", "facets", multiple=True, help="Count by this field too (repeatable), e.g. --facet market.")
@click.option("--cursor", default="", help="Where the next page begins, as the last one said.")
@click.option("--meaning", is_flag=True, help="Also find documents that say the same in other words or languages.")
@click.option("--save", metavar="NAME", help="Keep this search under a name, then ask it.")
@click.option("--saved", metavar="[NAME]", is_flag=False, flag_value="", help="Ask a saved search; alone, list them.")
@click.option(
    "--tell",
    metavar="RECEIVER",
    multiple=True,
    help='With --save or --saved: let this receiver of alerts hear when it changes (repeatable; "nobody" ends it).',
)
@click.option("--disturbing", is_flag=True, help="Show texts that may disturb, too (disturbing in the taxonomy).")
@click.option("--grammar", is_flag=True, help="Explain the query language.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    words: tuple[str, ...],
    limit: int,
    as_json: bool,
    facets: tuple[str, ...],
    cursor: str,
    meaning: bool,
    disturbing: bool,
    grammar: bool,
    save: str | None,
    saved: str | None,
    tell: tuple[str, ...],
) -> int:
    """Ask the index: words, "phrases", OR, -not, field:value, since:7d.

    For example: groundswell search 'deepfake OR "AI video" market:SG since:7d -lang:zh'
    """
    from groundswell.index.foreign_signs import remarks
    from groundswell.index.query import wanted_words
    from groundswell.index.query_language import HELP

    if grammar:
        click.echo(HELP)
        return 0
    settings, text = settings_of(ctx), " ".join(words)
    _known(settings, tell, kept=bool(save or saved))
    if saved == "":
        return _list(settings)
    if saved and tell:
        _tell(settings, saved, tell)
    if saved:
        text = f"({_saved(settings, saved)}) {text}" if text else _saved(settings, saved)
    from groundswell.index.open import open_reader, open_store

    _query(text, settings)  # what cannot be understood is told where there is no store, too
    with open_store(settings) if save else open_reader(settings) as reader:
        query = replace(_query(text, settings, reader), limit=limit, cursor=cursor, facets=_fields(facets))
        if meaning and (meant := wanted_words(query.match)):
            query = replace(query, vector=_vector(meant, settings))
        answer = reader.search(query)
    if save:
        _save(settings, save, text, tell)
    for remark in remarks(text):
        click.echo(remark, err=True)
    if as_json:
        click.echo(json_line(_json(answer)))
    else:
        _print(answer, settings, whole=disturbing)
    return 0


def _known(settings: Settings, tell: tuple[str, ...], *, kept: bool) -> None:
    """Refuse receivers that there are not, and telling of a search that is not kept."""
    from groundswell.configs.yaml_lines import nearest

    ids = [one.id for one in settings.alerts.receivers]
    if tell and not kept:
        raise click.UsageError(
            "--tell goes with --save NAME or --saved NAME: only a kept search can be looked at again"
        )
    for name in tell:
        if name not in ids and name != NOBODY:
            raise click.BadParameter(
                f"there is no receiver {name!r} in alerts.receivers{nearest(name, ids)}", param_hint="--tell"
            )


def _tell(settings: Settings, name: str, tell: tuple[str, ...]) -> None:
    """Let receivers hear when a saved search changes."""
    from groundswell.index.open import open_store
    from groundswell.index.records import SavedSearch
    from groundswell.ui.desk import Desk

    _saved(settings, name)
    with open_store(settings) as store:
        found = next(each for each in store.recent(SavedSearch) if each.name == name and each.language == "search")
        Desk(store, audit_of(settings)).tell_when(found.id, [one for one in tell if one != NOBODY], by=found.owner)


def _save(settings: Settings, name: str, text: str, tell: tuple[str, ...]) -> None:
    """Keep a search under a name, as the board does."""
    from groundswell.index.open import open_store
    from groundswell.ui.desk import Desk

    with open_store(settings) as store:
        Desk(store, audit_of(settings)).save_search(
            name, text, by="terminal", now=now(), tell=[one for one in tell if one != NOBODY]
        )


def _saved(settings: Settings, name: str) -> str:
    """Return the text of the newest search of that name, whoever saved it."""
    from groundswell.index.open import open_reader
    from groundswell.index.records import SavedSearch

    with open_reader(settings) as reader:
        there = {each.name: each.text for each in reversed(reader.recent(SavedSearch)) if each.language == "search"}
    if name not in there:
        raise click.BadParameter(
            f"no search is saved as {name!r}; there are {', '.join(map(printable, sorted(there))) or 'none yet'}",
            param_hint="--saved",
        )
    return there[name]


def _list(settings: Settings) -> int:
    """Print what is saved."""
    from groundswell.index.open import open_reader
    from groundswell.index.records import SavedSearch

    with open_reader(settings) as reader:
        saved = [each for each in reader.recent(SavedSearch) if each.language == "search"]
    rows = [(each.name, each.owner, each.at.date(), ", ".join(each.tell), each.text) for each in saved]
    table(("name", "owner", "saved", "tells", "search"), rows)
    return 0


def _query(text: str, settings: Settings, reader: Reader | None = None) -> Query:
    from groundswell.index.closed_fields import closed_values
    from groundswell.index.query_language import QueryError, parse

    try:
        query = parse(text, now=now(), values=closed_values(settings, reader))
    except QueryError as error:
        raise click.UsageError(str(error)) from None
    return replace(query, highlight=True, collapse=True, sort="relevance" if query.match else "newest")


def _fields(names: tuple[str, ...]) -> tuple[Field, ...]:
    from groundswell.index.query import Field

    all_fields: tuple[Field, ...] = get_args(Field)
    if unknown := set(names).difference(all_fields):
        raise click.BadParameter(f"no field {unknown.pop()!r}; there are {', '.join(all_fields)}", param_hint="--facet")
    return tuple(field for field in all_fields if field in names)


def _vector(text: str, settings: Settings) -> Vector:
    from groundswell.nlp.model.model import load_model

    vector: Vector = load_model(settings.model).vectors([text])[0]
    return vector


def _json(page: Page) -> dict[str, object]:
    from groundswell.index.codec import to_json

    hits = [
        {"score": hit.score, "copies": hit.copies, "highlights": hit.highlights, **to_json(hit.document)}
        for hit in page.hits
    ]
    return {"total": page.total, "facets": page.facets, "cursor": page.cursor, "hits": hits}


def _print(page: Page, settings: Settings, *, whole: bool) -> None:
    from groundswell.ui.report.disturbing import claimed
    from groundswell.ui.report.disturbing import disturbing as may_disturb

    for hit in page.hits:
        click.echo(_lines(hit, "" if whole else may_disturb(settings, claimed(hit.document))))
    for field, counts in page.facets.items():
        click.echo(f"{field}: " + " · ".join(f"{printable(value)} {count:,}" for value, count in counts))
    click.echo(
        f"{len(page.hits):,} of {page.total:,}" + (f"; next page: --cursor {page.cursor}" if page.cursor else "")
    )


def _lines(hit: Hit, risk: str) -> str:
    """Return a hit as lines; a text of a risk that may disturb is not among them."""
    mention, enriched = hit.document.mention, hit.document.enriched
    when = f"{mention.published_at:%Y-%m-%d %H:%M}Z" if mention.published_at else "undated          "
    mood = enriched.sentiment.label if enriched else "unread"
    copies = f" · {hit.copies} copies" if hit.copies > 1 else ""
    text = hit.highlights[0] if hit.highlights else f"{mention.title} {mention.text}"
    text = f"[may disturb ({risk}): --disturbing shows it]" if risk else text
    lang = enriched.lang if enriched else mention.lang
    facts = f"{when}  {mention.source} · {mention.market or '–'} · {lang} · {mood}{copies}"
    return f"{facts}\n    {printable(text.strip())[:EXCERPT]}\n    {printable(mention.url)}"
