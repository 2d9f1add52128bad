"""`groundswell forget`: take a person, an address or a text out of everything that is kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from groundswell.ui.console import now, progress_bar, settings_of, took

if TYPE_CHECKING:
    from groundswell.configs.schema import Settings
    from groundswell.index.forget import Reached, Wanted
    from groundswell.index.store import Store


@click.command("forget")
@click.option("--author", "authors", multiple=True, metavar="NAME", help="An author's name or account, or its key.")
@click.option("--url", "urls", multiple=True, metavar="URL", help="The address of a document.")
@click.option("--text", "texts", multiple=True, metavar="TEXT", help="All that contains this text (12 letters).")
@click.option("--expired", is_flag=True, help="What is older than `retention` says, and nothing else.")
@click.option(
    "--in", "folders", multiple=True, type=click.Path(exists=True, path_type=Path), metavar="FOLDER",
    help="Exports elsewhere that are cleaned, too.",
)  # fmt: skip
@click.pass_context
def command(
    ctx: click.Context, *, authors: tuple[str, ...], urls: tuple[str, ...], texts: tuple[str, ...], expired: bool,
    folders: tuple[Path, ...],
) -> int:  # fmt: skip
    """Take a person, an address or a text out of everything that is kept, and keep it out.

    Documents, words, vectors, earlier versions, evidence in cases (a tombstone stays), judgements, day files, exports
    and digests in the data folder, dead letters, spools, free pages of the embedded store. No crawl and no import of a
    document brings it back. docs/privacy.md says what is kept where.
    """  # fmt: skip
    settings = settings_of(ctx)
    from groundswell.index.forget import forget
    from groundswell.index.open import open_store
    from groundswell.ui.pipeline import only_one

    if expired == bool(authors or urls or texts):
        raise click.UsageError("say --author, --url or --text, or --expired alone")
    _long_enough(texts)
    with only_one(settings), open_store(settings) as store, progress_bar("forget") as progress:
        took(settings, "forget", authors=len(authors), urls=len(urls), texts=len(texts), expired=expired)
        if expired:
            reached = expire_now(store, settings)
        else:
            wanted = _wanted(store, settings, authors, urls, texts)
            reached = forget(store, settings.data_dir, wanted, now=now(), more=folders, progress=progress)
    took(settings, "forgot", reached=reached)
    after(settings, reached)
    click.echo(str(reached))
    return 0


def _long_enough(texts: tuple[str, ...]) -> None:
    from groundswell.index.forgotten import SHORTEST_TEXT, plain

    for text in texts:
        if len(plain(text)) < SHORTEST_TEXT:
            raise click.BadParameter(
                f"{text!r} has fewer than {SHORTEST_TEXT} letters and digits: it would take too much along",
                param_hint="--text",
            )


def _wanted(
    store: Store, settings: Settings, authors: tuple[str, ...], urls: tuple[str, ...], texts: tuple[str, ...]
) -> Wanted:
    """Return what is meant: an author has a key in each source, an address an id of its own."""
    from groundswell.configs.source import find_sources
    from groundswell.crawlers.addresses import canonical
    from groundswell.crawlers.salt import author_salt
    from groundswell.index.forget import Wanted
    from groundswell.index.ids import author_key, mention_id
    from groundswell.index.personal_data import masked
    from groundswell.index.query import By, Query

    sources = {bucket.values[0] for bucket in store.count(Query(), By(fields=("source",)))}
    sources |= {source.name for source in find_sources(settings.crawl)[0]}
    salt = author_salt(settings)
    names = {
        form for name in authors for form in (name.strip(), name.strip().lstrip("@"), f"@{name.strip().lstrip('@')}")
    }
    keys = {author_key(name, source=source, salt=salt) for name in names for source in sources}
    pages = {page for url in urls if (page := canonical(url))}
    return Wanted(
        authors=frozenset({*keys, *authors}),
        ids=frozenset(mention_id(canonical_url=page) for page in pages),
        urls=frozenset({*urls, *pages}),
        texts=tuple(dict.fromkeys([*texts, *map(masked, texts)])),  # as they stood, and as they are kept
    )


def expire_now(store: Store, settings: Settings) -> Reached:
    """Forget what is older than the settings say."""
    from groundswell.index.forget import expire

    days = {"": settings.retention.days, **settings.retention.markets}
    return expire(store, days, now=now())


def after(settings: Settings, reached: Reached) -> None:
    """Make anew what was made of documents that are gone, and leave nothing of them in the embedded store's file."""
    from groundswell.index.export import export_days
    from groundswell.index.forget import scrub
    from groundswell.index.open import database, open_reader

    if not reached.counts["documents"]:
        return
    for state in (settings.data_dir / "signals").glob("state*"):
        state.unlink()  # it holds words and vectors; the next look for signals makes it from the store
    if settings.store.backend == "sqlite":
        scrub(database(settings))
    with open_reader(settings) as reader:
        if (settings.data_dir / "parquet").exists():
            export_days(reader, settings.data_dir / "parquet")
