"""One visit to every source: the web by Scrapy in a process of its own, files here; all of it through one intake."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import IO, Any

from groundswell.configs.schema import Settings
from groundswell.configs.source import FileSource, Source, choose, find_sources
from groundswell.crawlers.files import FileError, files_of, fingerprint, read_file
from groundswell.crawlers.intake import Counts, Found, Intake
from groundswell.crawlers.mention import Builder
from groundswell.crawlers.salt import author_salt
from groundswell.crawlers.spool import End, Tally, Trouble, read_spool, spool_path, spooled
from groundswell.crawlers.watch import watcher_of
from groundswell.index.ids import stable_id
from groundswell.index.progress import Progress
from groundswell.index.records import Checkpoint, CrawlRun
from groundswell.index.store import Reader, Store

DAY = timedelta(days=1)
GRACE = 30.0
"""Seconds that the crawling process may take beyond its sources' own limits before it is ended."""
LOOK_SECONDS = 1.0
"""How often one looks how far the crawling process is."""
ERROR_CHARS = 2000
NOT_BEFORE = "not_before"


class CrawlError(Exception):
    """A crawl that cannot begin; the message says why and what to do."""


@dataclass(slots=True)
class Visit:
    """What one visit to one source has come to so far."""

    source: Source
    marks: dict[str, Any]
    counts: Counts = field(default_factory=Counts)
    troubles: list[str] = field(default_factory=list)
    unchanged: bool = False
    complaint: str = ""
    begun: float = field(default_factory=monotonic)


@dataclass(frozen=True, slots=True)
class Work:
    """What every step of one crawl shares."""

    store: Store
    settings: Settings
    folder: Path
    now: datetime
    progress: Progress | None = None

    def tell(self, done: int, total: int | None, what: str) -> None:
        """Say how far it is, if anybody listens."""
        if self.progress:
            self.progress(done, total, what)

    def spool(self, source: Source) -> Path:
        """Return where a source's findings of this run lie."""
        return spool_path(self.folder, source.name, self.now.strftime("%Y%m%dT%H%M%S%f"))


def crawl(
    store: Store, settings: Settings, *, now: datetime, only: Sequence[str] = (), progress: Progress | None = None
) -> list[CrawlRun]:
    """Visit the sources that are enabled, or those named in `only`, and store what is new.

    Killed at any instant and called again, it stores the same as if it had never been killed: a source's checkpoint
    is written only after everything it stands for.

    Args:
        store: where mentions, refusals, checkpoints and runs go.
        settings: which sources, and how to behave.
        now: the moment of this visit; dates are judged by it.
        only: names of sources.
        progress: called with (items so far, ``None`` for nobody knows how many there are, what is done with them).

    Returns:
        A run for each source, and one with an error for each source file that cannot be used.

    Raises:
        ConfigError: `only` names a source that does not exist.
        CrawlError: another crawl works in the same data folder.
    """
    sources, problems = find_sources(settings.crawl)
    chosen = choose(sources, only)
    runs = [] if only else [_broken(path, message, now) for path, message in problems.items()]
    store.put(runs)
    with _alone(settings.data_dir / "spool") as folder:
        visits = [Visit(source, _marks(store, source)) for source in chosen]
        work = Work(store, settings, folder, now, progress)
        for visit in _fetched(visits, work):
            _take(visit, work)
            runs.append(_finish(visit, work))
            taken = sum(run.found for run in runs)
            work.tell(taken, None, f"taken in, {len(runs)} of {len(chosen) + len(problems)} sources")
    return runs


def checkpoint_id(source: str) -> str:
    """Return the id of a source's checkpoint."""
    return f"crawl:{source}"


def _marks(store: Reader, source: Source) -> dict[str, Any]:
    checkpoint = store.get(Checkpoint, checkpoint_id(source.name))
    return dict(checkpoint.value.get("marks", {})) if checkpoint else {}


def _fetched(visits: Sequence[Visit], work: Work) -> Iterator[Visit]:
    """Yield visits as they are ready to be taken in: files at once, the web after the crawling process has ended."""
    yield from (visit for visit in visits if isinstance(visit.source, FileSource))
    web = [visit for visit in visits if not isinstance(visit.source, FileSource)]
    waiting = [visit for visit in web if _told_to_wait(visit, work.now)]
    asked = [visit for visit in web if visit not in waiting]
    if asked:
        _fetch(asked, work)
    yield from web


def _told_to_wait(visit: Visit, now: datetime) -> bool:
    until = visit.marks.get(NOT_BEFORE)
    if not until or datetime.fromisoformat(until) <= now:
        visit.marks.pop(NOT_BEFORE, None)
        return False
    visit.unchanged = True
    visit.troubles.append(f"the server asked to be left alone until {until}; not visited")
    return True


def _fetch(visits: Sequence[Visit], work: Work) -> None:
    """Fetch all in one process; where that crashes, each that was not finished in a process of its own."""
    said = _child(visits, work)
    unfinished = [visit for visit in visits if said and not _ended(work.spool(visit.source))]
    for visit in unfinished:
        if again := _child([visit], work):
            visit.troubles.append(again)


def _child(visits: Sequence[Visit], work: Work) -> str:
    """Run the crawling process; return what went wrong, or empty."""
    order = {
        "crawl": work.settings.crawl.model_dump(mode="json"),
        "sources": [visit.source.model_dump(mode="json") for visit in visits],
        "marks": {visit.source.name: visit.marks for visit in visits},
        "spool": {visit.source.name: str(work.spool(visit.source)) for visit in visits},
        "salt": author_salt(work.settings),
        "now": work.now.isoformat(),
    }
    limit = sum(visit.source.politeness.run_seconds for visit in visits) + GRACE
    with tempfile.TemporaryFile() as noise:
        command = [sys.executable, "-m", "groundswell.crawlers.child"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=noise, stderr=noise)  # noqa: S603  our own module
        try:
            with suppress(BrokenPipeError):  # it died before it read its order; its exit code tells
                _order(process, order)
            code = _wait(process, limit, visits, work)
        except subprocess.TimeoutExpired:
            return f"the crawling process was ended after {limit:.0f} s"
        finally:
            process.kill()
            process.wait()
        return f"the crawling process ended with code {code}: {_last_words(noise)}" if code else ""


def _order(process: subprocess.Popen[bytes], order: Mapping[str, Any]) -> None:
    """Write the order, and leave the pipe open: its end tells the child that its parent is gone."""
    if process.stdin:
        process.stdin.write(json.dumps(order).encode() + b"\n")
        process.stdin.flush()


def _wait(process: subprocess.Popen[bytes], limit: float, visits: Sequence[Visit], work: Work) -> int:
    """Wait for the crawling process and tell meanwhile what lies in its spools; return its exit code.

    Raises:
        TimeoutExpired: it takes longer than `limit` seconds.
    """
    tally, until = Tally([work.spool(visit.source) for visit in visits]), monotonic() + limit
    while True:
        try:
            return process.wait(min(LOOK_SECONDS, max(0.0, until - monotonic())))
        except subprocess.TimeoutExpired:
            if monotonic() >= until:
                raise
            tally.update()
            work.tell(tally.items, None, f"found, {tally.ended} of {len(visits)} sources visited")


def _last_words(noise: IO[bytes]) -> str:
    noise.seek(max(0, noise.seek(0, 2) - 2000))
    lines = noise.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:300] if lines else "it said nothing"


def _ended(path: Path) -> bool:
    return path.exists() and any(isinstance(line, End) for line in read_spool(path))


def _take(visit: Visit, work: Work) -> None:
    """Store what a visit found."""
    intake = Intake(work.store, strict=isinstance(visit.source, FileSource))
    visit.counts = intake.counts
    try:
        if isinstance(visit.source, FileSource):
            intake.take(
                _rows(visit, visit.source, work),
                beat=lambda found: work.tell(found, None, f"rows of {visit.source.name}"),
            )
        else:
            for path in spooled(work.folder, visit.source.name):
                intake.take(_lines(visit, path))
    finally:
        intake.close()


def _lines(visit: Visit, path: Path) -> Iterator[Found]:
    """Yield what lies in a spool; troubles and marks of a visit that came to its end are noted on the way."""
    for line in read_spool(path):
        if isinstance(line, Trouble):
            visit.troubles.append(line.message)
        elif isinstance(line, End):
            visit.marks |= line.marks
            visit.unchanged = line.unchanged
        else:
            yield "", line


def _rows(visit: Visit, source: FileSource, work: Work) -> Iterator[Found]:
    """Yield the rows of the files that changed since the last visit."""
    watcher = watcher_of(source, work.settings.crawl)
    builder = Builder(source, work.settings.crawl, salt=author_salt(work.settings), now=work.now, watcher=watcher)
    read = 0
    try:
        paths = files_of(source)
        visit.unchanged = True
        for path in paths:
            print_of = fingerprint(path)
            if visit.marks.get(path.name) == print_of:
                continue
            visit.unchanged = False
            for row in read_file(path, source, builder):
                yield row
                read += 1
                if read >= source.max_items:
                    visit.troubles.append(f"{path}: only the first {read:,} rows were read (max_items)")
                    return
            visit.marks[path.name] = print_of
    except (FileError, OSError) as error:
        visit.unchanged = False
        visit.troubles.append(str(error))


def _finish(visit: Visit, work: Work) -> CrawlRun:
    """Write the run and the checkpoint after everything they stand for, then clear the spool."""
    run = replace(
        _run(visit.source.name, work.now),
        finished_at=work.now + timedelta(seconds=round(monotonic() - visit.begun, 3)),
        found=visit.counts.found,
        stored=visit.counts.stored,
        duplicate=visit.counts.duplicate,
        refused=visit.counts.refused,
        undated=visit.counts.undated,
        off_topic=visit.counts.off_topic,
        error="; ".join(visit.troubles)[:ERROR_CHARS],
    )
    run = replace(run, complaint=_complaint(visit, run, work))
    work.store.put([Checkpoint(id=checkpoint_id(visit.source.name), value={"marks": visit.marks}, at=work.now), run])
    for path in spooled(work.folder, visit.source.name):
        path.unlink()
    return run


def _complaint(visit: Visit, run: CrawlRun, work: Work) -> str:
    """Return what the source's floors miss, or empty."""
    floor = visit.source.floor
    if run.found < floor.per_run and not visit.unchanged:
        return f"{run.found} found, floor {floor.per_run} a run"
    if not floor.per_day:
        return ""
    past = [each for each in work.store.recent(CrawlRun, limit=10_000) if each.source == run.source]
    if all(each.started_at > work.now - DAY for each in past):
        return ""  # not yet known for a day
    stored = run.stored + sum(each.stored for each in past if each.started_at > work.now - DAY and each.id != run.id)
    return f"{stored} new in 24 hours, floor {floor.per_day}" if stored < floor.per_day else ""


def _run(source: str, now: datetime) -> CrawlRun:
    return CrawlRun(id=stable_id("crawl", source, now.isoformat()), source=source, started_at=now, finished_at=now)


def _broken(path: Path, message: str, now: datetime) -> CrawlRun:
    return replace(_run(path.stem, now), error=message[:ERROR_CHARS])


@contextmanager
def _alone(folder: Path) -> Iterator[Path]:
    """Hold the data folder's crawl lock; it goes with the process, however that ends."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CrawlError(f"another crawl is at work in {folder.parent}; wait for it, or end it") from None
        yield folder


__all__ = ["CrawlError", "Progress", "checkpoint_id", "crawl"]
