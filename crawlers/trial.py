"""One visit to a source that stores nothing of yours: the real crawl, into a store that is thrown away."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from groundswell.configs.schema import Settings, SqliteSettings
from groundswell.configs.source import SiteSource, Source
from groundswell.crawlers.run import CrawlError, checkpoint_id, crawl
from groundswell.crawlers.spiders.found import Found, best_first
from groundswell.index.open import open_store
from groundswell.index.query import Query
from groundswell.index.records import Checkpoint, CrawlRun, Mention, Refusal

SHORT = 80
"""Letters below which most texts are headlines only."""
MANY = 0.5
FOLLOWED = frozenset({"sitemap"})
# A source speaks one language when this share of its texts does.
ONE_LANGUAGE = 0.8


@dataclass(frozen=True, slots=True)
class Trial:
    """What one visit brought: the run, what would be stored (newest first), what was refused, and the marks."""

    run: CrawlRun
    mentions: tuple[Mention, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    marks: dict[str, Any] = field(default_factory=dict)


def visit_once(source: Source, settings: Settings, *, now: datetime) -> Trial:
    """Visit a source once, as a crawl would, and return what it would store.

    Raises:
        CrawlError: the source cannot be visited; says why.
    """
    with tempfile.TemporaryDirectory(prefix="groundswell-") as name:
        folder = Path(name)
        (folder / "sources").mkdir()
        # a dump is JSON, which is YAML: the file that is read says what the source says
        text = json.dumps(source.model_dump(mode="json"), ensure_ascii=False)
        (folder / "sources" / f"{source.name}.yaml").write_text(text, encoding="utf-8")
        polite = settings.crawl.model_copy(update={"sources": (folder / "sources",), "shipped": False, "skip": ()})
        aside = {"data_dir": folder, "store": SqliteSettings(), "crawl": polite}
        apart = settings.model_copy(update=aside)
        with open_store(apart) as store:
            run = next(iter(crawl(store, apart, now=now, only=[source.name])), None)
            if run is None:
                raise CrawlError(f"{source.name} was not visited")
            mentions = [document.mention for document in store.scan(Query())]
            refusals = store.recent(Refusal, limit=1_000)
            checkpoint = store.get(Checkpoint, checkpoint_id(source.name))
    marks = checkpoint.value.get("marks", {}) if checkpoint else {}
    return Trial(run, tuple(reversed(mentions)), tuple(refusals), dict(marks))


def look(url: str, settings: Settings, *, now: datetime, search: bool) -> tuple[list[Found], str]:
    """Return what an address offers (or its whole site, where `search`), best first, and what went wrong."""
    source = SiteSource.model_validate({"name": "site", "format": "site", "kind": "news", "url": url, "search": search})
    trial = visit_once(source, settings, now=now)
    return best_first([Found(**each) for each in trial.marks.get("found", [])]), trial.run.error


def warnings(
    trial: Trial, source: Source, *, speaks: Callable[[Sequence[str]], Sequence[str]] | None = None
) -> list[str]:
    """Return what somebody should know before the source is crawled every day.

    Args:
        trial: one visit.
        source: what was visited.
        speaks: tells the languages of texts; left out, they are not compared.
    """
    found = [*_about_the_visit(trial), *_about_dates(trial, source), *_about_items(trial, source)]
    return [*found, *(_about_languages(trial, source, speaks) if speaks else ())]


def _about_the_visit(trial: Trial) -> Iterator[str]:
    run = trial.run
    if run.error:
        yield f"something went wrong: {run.error}"
    if run.complaint:
        yield f"below its floor: {run.complaint}"
    if not run.found:
        yield "nothing was found"
    if run.off_topic:
        yield f"{run.off_topic} of {run.found} are off topic for its watch lists and would not be stored"
    blocked = sum("robots" in refusal.reason.lower() for refusal in trial.refusals)
    if blocked:
        yield f"robots.txt forbids {blocked} of the pages that are followed; only what the list says of them is kept"
    others = Counter(
        refusal.reason.split(":")[0] for refusal in trial.refusals if "robots" not in refusal.reason.lower()
    )
    for reason, count in others.most_common(3):
        yield f"{count} refused: {reason}"


def _about_dates(trial: Trial, source: Source) -> Iterator[str]:
    count = Counter(mention.date_confidence for mention in trial.mentions)
    total = len(trial.mentions)
    if count["none"]:
        yield f"no dates: {count['none']} of {total} have none that can be read; they are kept out of trends"
    if count["inferred"] > MANY * total:
        yield f"guessed dates: {count['inferred']} of {total} are not stated but inferred, upper bounds at best"
    if count["day"]:
        why = Counter(
            str(mention.extra.get("date_note") or "") for mention in trial.mentions if mention.date_confidence == "day"
        )
        reason = why.most_common(1)[0][0]
        zone = "" if getattr(source, "timezone", "") or source.market else "; state timezone: or market:"
        because = f" ({reason})" if reason else ""
        yield f"no time or no zone: {count['day']} of {total} are known to the day only{because}{zone}"


def _about_items(trial: Trial, source: Source) -> Iterator[str]:
    links = Counter(mention.canonical_url for mention in trial.mentions if mention.canonical_url)
    shared = sum(count for count in links.values() if count > 1)
    if shared:
        yield f"shared links: {shared} of {len(trial.mentions)} lead to an address that others lead to as well"
    if trial.run.duplicate:
        yield f"the same again: {trial.run.duplicate} of {trial.run.found} repeat another item of this visit"
    lengths = [len(mention.text) for mention in trial.mentions]
    if lengths and median(lengths) < SHORT and source.kind in {"news", "regulator"}:
        can = "; follow: true fetches the articles, where their terms allow it" if hasattr(source, "follow") else ""
        yield f"short: half of the texts have fewer than {SHORT} letters, headlines only{can}"


def _about_languages(trial: Trial, source: Source, speaks: Callable[[Sequence[str]], Sequence[str]]) -> Iterator[str]:
    texts = [mention.text for mention in trial.mentions[:50] if len(mention.text) >= SHORT // 2]
    heard = Counter(code for code in speaks(texts) if code and code != "und")
    if not heard or not texts:
        return
    code, count = heard.most_common(1)[0]
    if not source.lang and count > ONE_LANGUAGE * len(texts):
        yield f"lang is not stated; {count} of {len(texts)} texts are in {code!r}"
    elif source.lang and not _same(code, source.lang) and count > MANY * len(texts):
        yield f"language: lang is {source.lang!r}, but {count} of {len(texts)} texts are in {code!r}"


def _same(code: str, lang: str) -> bool:
    from groundswell.configs.watch import family

    return family(code) == family(lang)


__all__ = ["Trial", "look", "visit_once", "warnings"]
