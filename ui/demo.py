"""The demo: a replica web is crawled, read, clustered and watched by the same code that watches the real one."""

from __future__ import annotations

import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from groundswell.ui.console import now

if TYPE_CHECKING:
    from groundswell.configs.schema import Settings
    from groundswell.crawlers.replica import Truth
    from groundswell.index.query import Field
    from groundswell.index.records import Signal
    from groundswell.index.store import Reader

COUNTED: Mapping[Field, str] = {
    "lang": "languages", "source": "sources", "sentiment": "how it sounds", "risk": "risks",
}  # fmt: skip
"""What the summary counts, and what a newcomer calls it."""
ANSWER_SECONDS = 90
"""How long a board may take to answer for the first time on a slow machine."""
CONFIG = """\
# Written by `groundswell demo`. A groundswell.yaml in the folder above takes precedence over this file.
# The sources below were a replica web that stops with the demo: search, sql, case, digest and board go on working
# on what was crawled; for the live world run `groundswell init`, then `groundswell run`.
data_dir: demo
crawl:
  sources: [demo/sources]
  shipped: false
  contact: demo@example.org
  delay_seconds: 0
  concurrent_per_host: 8
  allow_private_addresses: true
"""


@dataclass(frozen=True, slots=True)
class Found:
    """Whether an alert was about a planted risk, and how many hours after its onset."""

    name: str
    onset: datetime
    alert: Signal | None

    @property
    def hours(self) -> float | None:
        """Return the delay in hours, or ``None`` where nothing was found."""
        return (self.alert.at - self.onset).total_seconds() / 3600 if self.alert else None


def run_demo(folder: Path, *, port: int, once: bool, seed: int, say: Callable[[str], None]) -> int:
    """Run it all in `folder` and return an exit code: 0, or 1 where a stage or the board failed.

    Raises:
        ConfigError: the folder's demo configuration cannot be used.
        OSError: the folder cannot be written, or the port is taken.
    """
    from groundswell.crawlers.replica import serve, write_sources
    from groundswell.index.open import open_store
    from groundswell.ui.pipeline import only_one, run_once

    failed = False
    settings = prepare(folder)
    begun = time.monotonic()
    with serve(now=now(), seed=seed) as web:
        say(f"replica web: {len(web.documents):,} items at {web.url}")
        write_sources(settings.data_dir / "sources", web.url)
        with only_one(settings), open_store(settings) as store:
            for stage in run_once(store, settings, clock=now):
                failed |= stage.failed
                say(f"{stage.name:8} {stage.seconds:6.1f} s  {stage.peak_mb:6,} MB  {stage.said}")
            summary(store, web.truth, say)
    say(f"all stages: {time.monotonic() - begun:.0f} s")
    return int(_board(settings, port, once, say) or failed)


def prepare(folder: Path) -> Settings:
    """Make an empty demo folder with its configuration, and return the settings it means."""
    from groundswell.configs.load import load_settings

    home = folder / ".groundswell"
    shutil.rmtree(home / "demo", ignore_errors=True)
    (home / "demo" / "sources").mkdir(parents=True)
    (home / "config.yaml").write_text(CONFIG, "utf-8")
    return load_settings(home / "config.yaml")


def summary(store: Reader, truth: Truth, say: Callable[[str], None]) -> None:
    """Say what was found: languages, sources, themes, alerts, and the planted risks as an outsider would check them.

    The truth is opened here for the first time: no stage has seen it. A risk counts as found when an alert fired of
    whose evidence at least half is of it.
    """
    from groundswell.index.query import By, Query
    from groundswell.index.records import Signal, Theme
    from groundswell.ui.report import wording

    for field, called in COUNTED.items():
        buckets = sorted(store.count(Query(), By(fields=(field,))), key=lambda bucket: -bucket.copies)
        shown = " · ".join(f"{_named(field, bucket.values[0])} {bucket.copies:,}" for bucket in buckets[:12])
        say(f"{called:14} {shown}{' …' if len(buckets) > 12 else ''}")
    every = store.recent(Theme, limit=5000)
    themes = sorted((theme for theme in every if theme.state == "living"), key=lambda theme: -theme.size)
    largest = "; ".join(f"{wording.theme(theme)} ({theme.size})" for theme in themes[:6])
    say(f"{len(themes)} themes that people speak of; those with most documents: {largest}")
    alerts = sorted(store.select(Signal, states=("alert",)), key=lambda signal: signal.at)
    say(f"{wording.plural(len(alerts), 'alert')}, what each is about and why it was raised:")
    for alert in alerts:
        say(f"  {alert.at:%d %b %H:%M} UTC  {alert.severity:8}  {alert.why}")
    for found in score(store, alerts, truth):
        verdict = f"found {found.hours:.0f} h after onset" if found.alert else "not found"
        say(f"planted: {found.name}, onset {found.onset:%d %b %H:%M}Z: {verdict}")


def _named(field: Field, value: str) -> str:
    """Return a value as somebody reads it who never saw its code."""
    from babel import Locale

    from groundswell.ui.report import wording

    if field == "risk":
        return wording.risk(value) if value else "none"
    return Locale("en").languages.get(value, value or "unknown") if field == "lang" else value or "unknown"


def score(store: Reader, alerts: Sequence[Signal], truth: Truth) -> list[Found]:
    """Return for each planted risk the first alert of whose evidence at least half is of it."""
    from groundswell.index.records import Mention

    first: dict[str, Signal] = {}
    for alert in alerts:
        evidence = [(each.url, each.text) for each in store.many(Mention, alert.evidence)]
        if (name := truth.found(evidence)) in truth.onsets:
            first.setdefault(name, alert)
    return [Found(name, onset, first.get(name)) for name, onset in truth.onsets.items()]


def _board(settings: Settings, port: int, once: bool, say: Callable[[str], None]) -> int:
    """Serve the board until interrupted, or only until it has answered once."""
    from groundswell.ui.board.launch import start

    url = f"http://{settings.board.host}:{port}"
    board = start(settings, port=port)
    try:
        if not answers(f"{url}/_stcore/health", seconds=ANSWER_SECONDS):
            say(f"the board did not answer at {url} within {ANSWER_SECONDS} s")
            return 1
        say(f"board: {url}" + ("" if once else "   (Ctrl-C stops it; `groundswell board` brings it back)"))
        if not once:
            board.wait()
    except KeyboardInterrupt:
        say("stopped; `groundswell board` brings it back")
    finally:
        board.terminate()
        board.wait()
    return 0


def answers(url: str, *, seconds: float) -> bool:
    """Return whether an address answers 200 within so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  our own board on loopback
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    return False
