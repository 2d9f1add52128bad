"""Fetching from the web, in a process of its own: start it, watch it, take over as each source is done."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import IO, Any

from groundswell.crawlers.handover import Tally
from groundswell.crawlers.salt import author_salt
from groundswell.crawlers.visit import Visit, Work

GRACE = 60.0
"""Seconds that the crawling process may take beyond its sources' own limits before it is ended."""
LOOK_SECONDS = 1.0
"""How often one looks how far the crawling process is."""
NAMED = 3
"""Sources that are named while one waits for them."""


def fetch(visits: Sequence[Visit], work: Work) -> Iterator[Visit]:
    """Fetch all in one process and yield each visit when it is done; where the process crashes, the rest one by one."""
    pending = {visit.source.name: visit for visit in visits}
    output = yield from _child(pending, work)
    for name, visit in list(pending.items()):
        alone = {name: visit}
        again = (yield from _child(alone, work)) if output else ""
        if alone:
            visit.troubles.append(again or output or "the crawling process left it out; run it again")
            yield visit


def _child(pending: dict[str, Visit], work: Work) -> Generator[Visit, None, str]:
    """Run the crawling process; take out and yield the visits that ended; return what went wrong, or empty."""
    visits = list(pending.values())
    order = {
        "crawl": work.settings.crawl.model_dump(mode="json"),
        "sources": [visit.source.model_dump(mode="json") for visit in visits],
        "marks": {visit.source.name: visit.marks for visit in visits},
        "spool": {visit.source.name: str(work.spool(visit.source)) for visit in visits},
        "salt": author_salt(work.settings),
        "now": work.now.isoformat(),
        "turns": work.turns,
        "span": [at.isoformat() if at else None for at in (work.span.since, work.span.until)] if work.span else None,
    }
    limit = sum(_longest(visit, work) for visit in visits) + GRACE
    with tempfile.TemporaryFile() as noise:
        command = [sys.executable, "-m", "groundswell.crawlers.child"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=noise, stderr=noise)  # noqa: S603  our own module
        try:
            with suppress(BrokenPipeError):  # it died before it read its order; its exit code tells
                _order(process, order)
            code = yield from _watch(process, limit, pending, work)
        except subprocess.TimeoutExpired:
            return f"the crawling process was ended after {limit:.0f} s"
        finally:
            process.kill()
            process.wait()
        return f"the crawling process ended with code {code}: {_last_words(noise)}" if code else ""


def _longest(visit: Visit, work: Work) -> float:
    polite = visit.source.politeness
    return polite.run_seconds + 2 * (polite.timeout_seconds or work.settings.crawl.timeout_seconds)


def _order(process: subprocess.Popen[bytes], order: Mapping[str, Any]) -> None:
    """Write the order, and leave the pipe open: its end tells the child that its parent is gone."""
    if process.stdin:
        process.stdin.write(json.dumps(order).encode() + b"\n")
        process.stdin.flush()


def _watch(
    process: subprocess.Popen[bytes], limit: float, pending: dict[str, Visit], work: Work
) -> Generator[Visit, None, int]:
    """Take out and yield visits as they end, and tell meanwhile for whom one waits; return the process's exit code.

    Raises:
        TimeoutExpired: it takes longer than `limit` seconds.
    """
    names, until, code = {work.spool(visit.source): name for name, visit in pending.items()}, monotonic() + limit, None
    tally = Tally(list(names))
    while code is None:
        try:
            code = process.wait(min(LOOK_SECONDS, max(0.0, until - monotonic())))
        except subprocess.TimeoutExpired:
            if monotonic() >= until:
                raise
        tally.update()
        if code is None:
            waiting = _for([names[path] for path in tally.waiting])
            work.tell(tally.items, None, f"found, {len(tally.ended)} of {len(names)} sources visited{waiting}")
        for name in [names[path] for path in tally.ended if names[path] in pending]:
            yield pending.pop(name)
    return code


def _for(names: Sequence[str]) -> str:
    """Return whom one waits for."""
    if not names:
        return ""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"; waiting for {', '.join(names[:NAMED])}{more}"


def _last_words(noise: IO[bytes]) -> str:
    noise.seek(max(0, noise.seek(0, 2) - 2000))
    lines = noise.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:300] if lines else "it said nothing"
