"""What `groundswell doctor` says about the sources: can they be read, are they on, did the last visit go well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from groundswell.configs.schema import CrawlSettings
from groundswell.configs.source import FileSource, Source, find_sources
from groundswell.crawlers.files import FileError, files_of
from groundswell.index.records import CrawlRun
from groundswell.index.store import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing about one source, and what to do about it."""

    source: str
    level: Literal["ok", "note", "problem"]
    message: str


def check_sources(
    settings: CrawlSettings, reader: Reader | None = None, *, now: datetime | None = None
) -> list[Finding]:
    """Return a finding for each source; with a reader, the last visit up to `now` counts too. Nothing is fetched."""
    sources, problems = find_sources(settings)
    last = last_runs(reader, now) if reader else {}
    findings = [Finding(source=path.stem, level="problem", message=text) for path, text in problems.items()]
    findings += [_finding(source, last.get(source.name)) for source in sources]
    if not any(source.enabled for source in sources):
        findings.append(Finding(source="", level="problem", message="no source is enabled; look at crawl.sources"))
    return findings


def last_runs(reader: Reader, now: datetime | None) -> Mapping[str, CrawlRun]:
    """Return the newest run of each source; one of the future was noted by a clock that was wrong."""
    until = None if now is None else now + timedelta(seconds=1)
    return {run.source: run for run in reader.latest(CrawlRun, until=until)}


def _finding(source: Source, run: CrawlRun | None) -> Finding:
    level, message = _state(source, run)
    return Finding(source=source.name, level=level, message=message)


def _state(source: Source, run: CrawlRun | None) -> tuple[Literal["ok", "note", "problem"], str]:
    if not source.enabled:
        return "note", "switched off (enabled: false)"
    if reason := _missing(source):
        return "problem", reason
    if run is None:
        return "note", "not visited yet; groundswell crawl does"
    when = f"last visit {run.started_at:%Y-%m-%d %H:%M} UTC"
    if run.error or run.complaint:
        return "problem", f"{when}: {run.error or run.complaint}"
    if run.cut:
        return "note", f"{when}: not whole: {run.remark}"
    return "ok", f"{when}: {run.found} found, {run.stored} new, {run.refused} refused" + (
        f"; {run.remark}" if run.remark else ""
    )


def _missing(source: Source) -> str:
    if not isinstance(source, FileSource):
        return ""
    try:
        files_of(source)
    except FileError as error:
        return str(error)
    return ""
