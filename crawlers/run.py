"""One visit to every source: the web by Scrapy in a process of its own, files here; all of it through one intake."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from groundswell.configs.schema import Settings
from groundswell.configs.source import FileSource, Source, choose, find_sources
from groundswell.crawlers.fetch import fetch
from groundswell.crawlers.files import FileError, files_of, fingerprint, read_file
from groundswell.crawlers.handover import End, Remark, Trouble, read_spool, spooled
from groundswell.crawlers.health import Shape, below_floor, changed_shape, silence
from groundswell.crawlers.hosts import DAY_SECONDS
from groundswell.crawlers.intake import Found, Intake
from groundswell.crawlers.mention import Builder
from groundswell.crawlers.salt import author_salt
from groundswell.crawlers.visit import Span, Visit, Work
from groundswell.crawlers.watch import watcher_of
from groundswell.index.ids import stable_id
from groundswell.index.leases import Held, Leases, held, holder_of
from groundswell.index.progress import Progress
from groundswell.index.records import Checkpoint, CrawlRun
from groundswell.index.spool import everything
from groundswell.index.store import Store, UnavailableError

ERROR_CHARS = 2000
RUNS = 10_000
"""Earlier runs that are looked at to tell whether a source is what it was."""
NOT_BEFORE = "not_before"
SLOW_UNTIL = "slow_until"
OVERTAKEN = "another crawl has visited it meanwhile; its marks stay"
LOOK_SECONDS = 1.0
"""How often one looks whether another crawl has left a source."""
READ = "rows read of "
"""Begins the mark of a file that was longer than one visit may take."""


class CrawlError(Exception):
    """A crawl that cannot begin; the message says why and what to do."""


def crawl(
    store: Store,
    settings: Settings,
    *,
    now: datetime,
    only: Sequence[str] = (),
    progress: Progress | None = None,
    again: bool = False,
    span: Span | None = None,
    patience: float = 0.0,
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
        again: ask even where a server asked to be left alone until later; take a changed shape as the new one.
        span: fill in this stretch of the past, beside what the visits have read so far.
        patience: seconds to wait for a source that another crawl on the same store visits, before it is left to that.

    Returns:
        A run for each source, and one with an error for each source file that cannot be used. A run of a source that
        is left to another crawl says so and is not stored.

    Raises:
        ConfigError: `only` names a source that does not exist.
        CrawlError: another crawl works in the same data folder.
    """
    chosen, runs = chosen_sources(store, settings, only, now=now)
    return runs + visit_all(
        store, settings, chosen, now=now, progress=progress, again=again, span=span, patience=patience
    )


def chosen_sources(
    store: Store, settings: Settings, only: Sequence[str], *, now: datetime
) -> tuple[list[Source], list[CrawlRun]]:
    """Return the sources to visit, and a run for each source file that cannot be used, which is stored.

    Raises:
        ConfigError: `only` names a source that does not exist.
    """
    sources, problems = find_sources(settings.crawl)
    chosen = choose(sources, only)
    broken = [] if only else [_broken(path, message, now) for path, message in problems.items()]
    store.put(broken)
    return list(chosen), broken


def visit_all(
    store: Store,
    settings: Settings,
    chosen: Sequence[Source],
    *,
    now: datetime,
    progress: Progress | None = None,
    again: bool = False,
    span: Span | None = None,
    patience: float = 0.0,
) -> list[CrawlRun]:
    """Visit these sources and store what is new; see `crawl`."""
    runs: list[CrawlRun] = []
    with _alone(settings.data_dir / "spool") as folder, _leases(store, settings) as these:
        work = Work(store, settings, folder, now, progress, span, these)
        ours, others = _taken(chosen, work, patience)
        runs += [replace(_run(name, now), remark=f"being visited by {who}; left to it") for name, who in others.items()]
        past = [run for run in store.recent(CrawlRun, limit=RUNS) if run.started_at <= now]  # else a clock was wrong
        visits = [_visit(source, work, again=again) for source in ours]
        for visit in _fetched(visits, work):
            seen = _take(visit, work)
            runs.append(_finish(visit, seen, past, work))
            taken = sum(run.found for run in runs)
            work.tell(taken, None, f"taken in, {len(runs)} of {len(chosen)} sources")
    return runs


def checkpoint_id(source: str) -> str:
    """Return the id of a source's checkpoint."""
    return f"crawl:{source}"


@contextmanager
def _leases(store: Store, settings: Settings) -> Iterator[Held | None]:
    """Give what source leases are taken with; nothing while the store is away, because nobody can be asked then."""
    try:
        everything(store)
    except UnavailableError:
        yield None
        return
    leases = Leases(store, holder_of(settings.data_dir), settings.scale.lease_seconds)
    leases.sweep()
    with held(leases) as these:
        yield these


def _taken(sources: Sequence[Source], work: Work, patience: float) -> tuple[list[Source], dict[str, str]]:
    """Take the sources' leases; return those that are ours, and who visits each of the others."""
    if work.held is None:
        return list(sources), {}
    until, waiting = monotonic() + patience, {source.name: source for source in sources}
    while True:
        for name in [name for name in waiting if work.held.take(lease_id(name))]:
            del waiting[name]
        if not waiting or monotonic() >= until:
            break
        sleep(LOOK_SECONDS)
        work.tell(0, None, f"waiting for {len(waiting)} sources that others visit")
    others = {name: work.held.leases.who(lease_id(name)) or "another crawl" for name in waiting}
    return [source for source in sources if source.name not in waiting], others


def lease_id(source: str) -> str:
    """Return the id of a source's lease."""
    return f"source:{source}"


def _visit(source: Source, work: Work, *, again: bool) -> Visit:
    """Return a visit that begins where the last one ended."""
    before = work.store.get(Checkpoint, checkpoint_id(source.name))
    value = dict(before.value) if before else {}
    shape = Shape() if again else Shape.read(value.get("shape", {}))
    return Visit(source, _marks(value, work.span, again=again), before, shape)


def _marks(marks_before: dict[str, Any], span: Span | None, *, again: bool) -> dict[str, Any]:
    """Return where a visit begins: a stretch of the past has marks of its own."""
    marks = dict(marks_before.get("spans", {}).get(str(span), {}) if span else marks_before.get("marks", {}))
    if again:
        marks = {key: mark for key, mark in marks.items() if key not in (NOT_BEFORE, SLOW_UNTIL)}
    return marks


def _fetched(visits: Sequence[Visit], work: Work) -> Iterator[Visit]:
    """Yield visits as they are ready to be taken in: files at once, then the web as each source is done."""
    yield from (visit for visit in visits if isinstance(visit.source, FileSource))
    web = [visit for visit in visits if not isinstance(visit.source, FileSource)]
    waiting = [visit for visit in web if _told_to_wait(visit, work.now)]
    yield from waiting
    if asked := [visit for visit in web if visit not in waiting]:
        yield from fetch(asked, work)


def _told_to_wait(visit: Visit, now: datetime) -> bool:
    """Return whether it is too early for a visit; no server keeps us away for longer than a day."""
    for name, say in ((NOT_BEFORE, visit.troubles), (SLOW_UNTIL, visit.remarks)):
        until = visit.marks.pop(name, None)
        if until and now < datetime.fromisoformat(until) <= now + timedelta(seconds=DAY_SECONDS):
            visit.marks[name] = until
            visit.unchanged = True
            asks = "the server asked to be left alone" if name == NOT_BEFORE else "robots.txt asks to wait"
            say.append(
                f"{asks} until {until}; not visited (groundswell crawl --again {visit.source.name} asks at once)"
            )
            return True
    return False


def _take(visit: Visit, work: Work) -> Shape:
    """Store what a visit found; return its shape."""
    intake = Intake(work.store, strict=isinstance(visit.source, FileSource), source=visit.source.name)
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
    return intake.shape


def _lines(visit: Visit, path: Path) -> Iterator[Found]:
    """Yield what lies in a spool; troubles and marks of a visit that came to its end are noted on the way."""
    for line in read_spool(path):
        if isinstance(line, Trouble):
            visit.troubles.append(line.message)
        elif isinstance(line, Remark):
            visit.remarks.append(line.message)
        elif isinstance(line, End):
            visit.marks |= line.marks
            visit.unchanged, visit.left, visit.cut = line.unchanged, line.left, line.cut
        else:
            yield "", line


def _rows(visit: Visit, source: FileSource, work: Work) -> Iterator[Found]:
    """Yield the rows of the files that changed since the last visit, up to `max_items`."""
    watcher = watcher_of(source, work.settings.crawl)
    builder = Builder(source, work.settings.crawl, salt=author_salt(work.settings), now=work.now, watcher=watcher)
    taken = 0
    try:
        paths = files_of(source)
        visit.unchanged = True
        for path in paths:
            print_of = fingerprint(path)
            if visit.marks.get(path.name) == print_of:
                continue
            visit.unchanged = False
            before = _read_before(visit, path, print_of)
            for number, row in enumerate(read_file(path, source, builder), 1):
                if number <= before:
                    continue
                if taken >= source.max_items:
                    visit.marks[READ + path.name] = [print_of, number - 1]
                    visit.remarks.append(f"{path}: read up to row {number - 1:,} (max_items); the rest comes next time")
                    visit.left += 1
                    return
                yield row
                taken += 1
            visit.marks[path.name] = print_of
            visit.marks.pop(READ + path.name, None)
    except (FileError, OSError) as error:
        visit.unchanged = False
        visit.troubles.append(str(error))


def _read_before(visit: Visit, path: Path, print_of: object) -> int:
    """Return how many rows of this very file earlier visits have read."""
    mark, count = visit.marks.get(READ + path.name, ("", 0))
    return int(count) if mark == print_of else 0


def _finish(visit: Visit, seen: Shape, past: Sequence[CrawlRun], work: Work) -> CrawlRun:
    """Write the run and the checkpoint after everything they stand for, then clear the spool and give the source back.

    Where another crawl has moved the checkpoint meanwhile (we were held up for longer than our lease lasts), its marks
    stay: what both found is there once.
    """
    run = replace(
        _run(visit.source.name, work.now),
        finished_at=work.now + timedelta(seconds=round(monotonic() - visit.begun, 3)),
        found=visit.counts.found,
        stored=visit.counts.stored,
        duplicate=visit.counts.duplicate,
        refused=visit.counts.refused,
        undated=visit.counts.undated,
        off_topic=visit.counts.off_topic,
        deleted=visit.counts.deleted,
        left=visit.left,
        cut=visit.cut,
        error="; ".join(dict.fromkeys(visit.troubles))[:ERROR_CHARS],
        remark="; ".join(_remarks(visit))[:ERROR_CHARS],
    )
    if not work.span:
        run = replace(run, complaint=_complaint(visit, seen, run, past, work.now))
    marks = dict(visit.before.value) if visit.before else {}
    value = _kept(visit, marks, work.span, is_done=not (run.error or run.left or run.cut))
    work.store.put([run])
    if not _moved(visit.before, Checkpoint(id=checkpoint_id(visit.source.name), value=value, at=work.now), work):
        run = replace(run, remark=f"{run.remark}; {OVERTAKEN}".lstrip("; "))
        work.store.put([run])
    if work.held is not None:
        work.held.give_back(lease_id(visit.source.name))
    for path in spooled(work.folder, visit.source.name):
        path.unlink()
    return run


def _moved(before: Checkpoint | None, after: Checkpoint, work: Work) -> bool:
    """Write a checkpoint unless another crawl has written it meanwhile; return whether it is ours."""
    if work.held is not None:
        with suppress(UnavailableError):
            return work.store.swap(before, after)
    work.store.put([after])
    return True


def _remarks(visit: Visit) -> list[str]:
    left = [f"{visit.left:,} known to be left for the next visit"] if visit.left else []
    return [*left, *dict.fromkeys(visit.remarks)]


def _kept(visit: Visit, marks: dict[str, Any], span: Span | None, *, is_done: bool) -> dict[str, Any]:
    """Return the value of the checkpoint; the marks of a stretch that is filled in are forgotten."""
    spans = dict(marks.get("spans", {}))
    if span is None:
        return (
            {"marks": visit.marks}
            | ({"shape": visit.shape.write()} if visit.shape.count else {})
            | ({"spans": spans} if spans else {})
        )
    spans.pop(str(span), None)
    return marks | {"spans": spans if is_done else {**spans, str(span): visit.marks}}


def _complaint(visit: Visit, seen: Shape, run: CrawlRun, past: Sequence[CrawlRun], now: datetime) -> str:
    """Return in what a source is not what it should be, or was, or empty."""
    own = [each for each in past if each.source == run.source]
    complaint = (
        below_floor(visit.source.floor, run, own, unchanged=visit.unchanged, now=now),
        "" if run.error or isinstance(visit.source, FileSource) else silence(run, own, now=now),
        changed_shape(visit.shape, seen, now=now),
    )
    return "; ".join(each for each in complaint if each)


def _run(source: str, now: datetime) -> CrawlRun:
    return CrawlRun(id=stable_id("crawl", source, now.isoformat()), source=source, started_at=now, finished_at=now)


def failed_run(source: str, message: str, now: datetime) -> CrawlRun:
    """Return the run of a source that could not be visited."""
    return replace(_run(source, now), error=message[:ERROR_CHARS])


def _broken(path: Path, message: str, now: datetime) -> CrawlRun:
    return failed_run(path.stem, message, now)


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
