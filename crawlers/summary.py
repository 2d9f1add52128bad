"""What all visits of one crawl come to, in a few lines for people."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from groundswell.index.records import CrawlRun

GIVEN_UP = re.compile(r"(\S+) is given up for this run: ([^;]+)")
NAMED = 5
MANY = 3
"""Hosts that fail for the same reason beyond which they share one line."""


def notes(runs: Sequence[CrawlRun]) -> list[str]:
    """Return one line for each host that was given up, one for many alike, and one where nobody at all answered."""
    hosts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for run in runs:
        for host, why in dict.fromkeys(GIVEN_UP.findall(run.error)):
            hosts[host, why.strip()].append(run.source)
    alike: dict[str, list[str]] = defaultdict(list)
    for host, why in hosts:
        alike[why].append(host)
    lines = [
        f"{host} does not answer: {why} ({_named(names)}); given up"
        for (host, why), names in hosts.items()
        if len(alike[why]) <= MANY
    ]
    for why, many in alike.items():
        if len(many) > MANY:
            lines.append(f"{len(many)} hosts do not answer: {why} ({_named(many)}); given up")
    dead = [run for run in runs if run.error and GIVEN_UP.search(run.error) and not run.found]
    if len(hosts) > 1 and len(dead) == len(runs):
        lines.append("no host answered: is there a network?")
    return lines


def troubles(runs: Sequence[CrawlRun]) -> list[str]:
    """Return a line for each source that failed or is not what it was, and one for each host that was given up."""
    rest = [run for run in runs if (run.error and not GIVEN_UP.fullmatch(run.error)) or run.complaint]
    return [f"{run.source}: {'; '.join(filter(None, (run.error, run.complaint)))}" for run in rest] + notes(runs)


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
