"""`groundswell sources`: what is crawled, what one visit would yield, what a site offers, what is watched for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from groundswell.ui.console import now, printable, progress_bar, settings_of, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groundswell.configs.schema import Settings
    from groundswell.configs.source import Source
    from groundswell.crawlers.spiders.found import Found
    from groundswell.crawlers.trial import Trial

SHOWN = 10
ADDRESS = re.compile(r"^https?://", re.IGNORECASE)


@click.group("sources", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """List sources, try one, find what a site offers, see what is watched for."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@command.command("list")
@click.option("--market", default="", help="Only those of this market, e.g. SG.")
@click.pass_context
def list_(ctx: click.Context, market: str = "") -> int:
    """List the sources, those that ship and your own. Nothing is fetched."""
    from groundswell.configs.source import find_sources

    sources, problems = find_sources(settings_of(ctx).crawl)
    shown = [source for source in sources if not market or source.market == market.upper()]
    rows = [
        (s.name, "on" if s.enabled else "off", s.format, s.kind, s.market or "–", s.lang or "–", s.title, s.note)
        for s in sorted(shown, key=lambda each: (each.market, each.name))
    ]
    table(("source", "", "format", "kind", "market", "lang", "title", "note"), rows)
    click.echo(f"{len(shown)} sources, {sum(source.enabled for source in shown)} on")
    for message in problems.values():
        click.echo(printable(message), err=True)
    return int(bool(problems))


@command.command("check")
@click.argument("what", metavar="NAME|FILE|URL")
@click.option("--show", default=SHOWN, show_default=True, help="Items shown.")
@click.pass_context
def check(ctx: click.Context, what: str, show: int) -> int:
    """Visit a source once and show what it would yield, with warnings. Nothing is stored.

    WHAT is a source's name, a YAML file, or the address of a feed, sitemap, JSON Feed or forum. The exit code is 1
    where nothing came or something went wrong.
    """
    from groundswell.crawlers.trial import visit_once, warnings

    settings = settings_of(ctx)
    source = _source(what, settings)
    if source is None:
        return 1
    with progress_bar("check"):
        trial = visit_once(source, settings, now=now())
    _show(trial, source, show)
    warned = warnings(trial, source, speaks=_speaks)
    for warning in warned:
        click.echo(f"! {printable(warning)}")
    if not warned:
        click.echo("no warnings")
    return int(bool(trial.run.error) or not trial.run.found)


@command.command("find")
@click.argument("url")
@click.option(
    "--write", "name", default="", metavar="NAME", help="Write the best (or --pick) as a source of this name."
)
@click.option("--pick", default=1, show_default=True, help="Which of those found is written.")
@click.option(
    "--kind", type=click.Choice(["news", "post", "review", "comment", "regulator"]), help="What its texts are."
)
@click.option("--market", default="", help="Country code, where the address does not tell.")
@click.option("--lang", default="", help="Language, where the site does not state it.")
@click.option("--watch", multiple=True, help="Watch list it keeps to, e.g. ads.")
@click.pass_context
def find(ctx: click.Context, /, url: str, name: str, pick: int, **more: Any) -> int:
    """Find the feeds, sitemaps and interfaces of a site, best first, and write one as a source.

    Looks at what the page and robots.txt name, and where sites keep such things by custom; politely, and nothing is
    stored. It is written into the first folder of crawl.sources.
    """
    from groundswell.crawlers.trial import look

    settings = settings_of(ctx)
    with progress_bar("find"):
        found, error = look(_address(url), settings, now=now(), search=True)
    if error:
        click.echo(printable(error), err=True)
    if not found:
        click.echo(f"{url}: no feed, sitemap or interface was found", err=True)
        return 1
    rows = [
        (number, each.what, each.items or "–", each.newest[:16] or "–", each.url, each.title)
        for number, each in enumerate(found, 1)
    ]
    table(("", "what", "items", "newest", "address", "title"), rows, right=(0, 2))
    if name:
        return _write(found, pick, name, settings, more)
    click.echo(
        "groundswell sources find URL --write NAME --pick 1 writes one; groundswell sources check ADDRESS tries one"
    )
    return 0


@command.command("watch")
@click.argument("name", default="")
@click.argument("text", default="")
@click.option("--lang", default="", help="Language of the text, or of the words that services are asked for.")
@click.option("--service", default="", help="Show what this service is asked: bluesky, gdelt, google_news, lemmy …")
@click.pass_context
def watch(ctx: click.Context, name: str, text: str, lang: str, service: str) -> int:
    """List watch lists; with NAME its terms and rules; with TEXT which rules the text meets.

    A source opts in with watch: [NAME], or with one rule of it, watch: [NAME.RULE].
    """
    from groundswell.configs.watch import load_watch, pick

    lists = load_watch(settings_of(ctx))
    if not name:
        rows = [
            (each.name, len(each.conditions), sum(map(len, each.terms.values())), each.title) for each in lists.values()
        ]
        table(("list", "rules", "terms", "title"), rows, right=(1, 2))
        return 0
    conditions = pick(lists, [name])
    if service:
        return _asked(conditions, service, lang)
    if text:
        from groundswell.crawlers.watch import Watcher

        met = Watcher(conditions).meets(text, lang)
        click.echo("\n".join(met) if met else "off topic: it meets no rule")
        return int(not met)
    for group, terms in lists[name.partition(".")[0]].terms.items():
        for term in terms:
            click.echo(f"{group:9} {term.id:16} {printable(', '.join(each.word for each in term.spoken))}")
    for each in conditions:
        click.echo(f"rule      {each.id}")
    return 0


def _asked(conditions: Sequence[Any], service: str, lang: str) -> int:
    from groundswell.configs.searches import SYNTAX, queries
    from groundswell.configs.yaml_lines import nearest

    by_name = {str(each): each for each in SYNTAX}
    if service not in by_name:
        raise click.UsageError(f"there is no service {service!r}{nearest(service, sorted(by_name))}")
    for query in queries(conditions, by_name[service], lang=lang):
        click.echo(printable(query))
    return 0


def _source(what: str, settings: Settings) -> Source | None:
    """Return the source that is meant; where an address offers none, say what to do."""
    from groundswell.configs.source import choose, find_sources, read_source, with_watch
    from groundswell.configs.watch import load_watch

    if not ADDRESS.match(what):
        if Path(what).suffix in {".yaml", ".yml"}:
            return with_watch(read_source(Path(what)), load_watch(settings))
        sources, problems = find_sources(settings.crawl)
        broken = [message for path, message in problems.items() if path.stem == what]
        if broken:
            from groundswell.configs.yaml_lines import ConfigError

            raise ConfigError(broken[0])
        return choose(sources, [what])[0]
    from groundswell.crawlers.trial import look

    found, error = look(what, settings, now=now(), search=False)
    if not found:
        reason = error or f"{what}: neither feed nor sitemap, nor a page that names one"
        click.echo(f"{printable(reason)}; groundswell sources find {what} looks further", err=True)
        return None
    click.echo(f"{found[0].what} {found[0].url} {printable(found[0].title)}")
    return _described(found[0], "trial", {})


def _described(found: Found, name: str, more: dict[str, Any]) -> Source:
    from groundswell.configs.source import source_of
    from groundswell.crawlers.spiders.found import source_of_found

    given = {key: str(more.get(key) or "") for key in ("kind", "market", "lang")}
    described = source_of_found(found, **given) | {"name": name}
    if more.get("watch"):
        described["watch"] = list(more["watch"])
    described.pop("watch", None) if name == "trial" else None
    return source_of(described)


def _show(trial: Trial, source: Source, most: int) -> None:
    run = trial.run
    counts = f"{run.found} found: {run.stored} new, {run.duplicate} the same again, {run.refused} refused"
    click.echo(f"{source.name} ({source.format}, {source.kind}): {counts}, {run.off_topic} off topic")
    rows = [
        (
            f"{each.published_at:%Y-%m-%d %H:%M}Z" if each.published_at else "–",
            each.date_confidence,
            each.lang or "–",
            each.market or "–",
            len(each.text),
            each.title or each.text[:80],
            each.url,
        )
        for each in trial.mentions[:most]
    ]
    if rows:
        table(("published", "date is", "lang", "market", "letters", "title or text", "address"), rows, right=(4,))


def _speaks(texts: Sequence[str]) -> list[str]:
    from groundswell.nlp.text.language import detect

    return [each.code for each in detect(texts)]


def _address(url: str) -> str:
    return url if ADDRESS.match(url) else f"https://{url}"


def _write(found: Sequence[Found], pick: int, name: str, settings: Settings, more: dict[str, Any]) -> int:
    """Write what was found as a source file, unless there is one."""
    if not 1 <= pick <= len(found):
        raise click.UsageError(f"--pick {pick}: there are 1 to {len(found)}")
    source = _described(found[pick - 1], name, more)
    folders = [path for path in settings.crawl.sources if path.is_dir()]
    folder = folders[0] if folders else Path("sources")
    path = folder / f"{name}.yaml"
    if path.exists():
        click.echo(f"{path} is there already; choose another name, or delete it", err=True)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(_yaml(source, found[pick - 1]), encoding="utf-8")
    click.echo(f"wrote {path}; groundswell sources check {name} tries it, groundswell crawl {name} stores")
    if not folders:
        click.echo(f"say in groundswell.yaml that it is yours:\n\ncrawl:\n  sources: [{folder}]")
    return 0


def _yaml(source: Source, found: Found) -> str:
    """Return a source as YAML, with what is to be looked at."""
    from ruamel.yaml import YAML
    from ruamel.yaml.compat import StringIO

    fields = source.model_dump(mode="json", exclude_defaults=True)
    fields.pop("name", None)
    head = [
        f"# Found at {found.url} on {now():%Y-%m-%d}. kind, market and lang are guesses where nobody stated them.",
        "# Look at the site's terms, and write under which of them the texts may be read:",
    ]
    stream = StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style, yaml.allow_unicode, yaml.width = False, True, 1_000
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # its stub says None
    yaml.dump({"format": source.format, **fields, "licence": "to be looked at"}, stream)
    return "\n".join([*head, stream.getvalue()])
