"""All stages at once, each at its own pace: sources are visited while what they brought before is read and tested.

Two threads share the store: one visits the sources that are due, the other reads, places and tests what has come and
then tells people. They meet only in the store, so that each may fail, and be killed, for itself.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from groundswell.configs.schema import ElasticSettings, Settings
from groundswell.index.files import sweep_aside
from groundswell.index.store import Store, UnavailableError
from groundswell.ui.report.discretion import Cleaner, secrets_of
from groundswell.ui.watch.health import Health, Metrics
from groundswell.ui.watch.ledger import Ledger, run_at
from groundswell.ui.watch.timetable import Timetable

if TYPE_CHECKING:
    from groundswell.configs.source import Source
    from groundswell.index.records import CrawlRun, Signal
    from groundswell.nlp.enrich.opened import OpenModel
    from groundswell.nlp.enrich.stage import CopyWindow
    from groundswell.nlp.model.model import Model

LOOK_SECONDS = 5.0
"""How often one looks whether something has come or is due."""
TOGETHER_SECONDS = 20.0
"""Sources that are due within so long are visited together: a visit by itself costs a process."""
STAND_SECONDS = 10.0
"""How often it is written down how things stand."""
NOTIFY_SECONDS = 30.0
"""How often one looks for escalations, the end of quiet hours and what is to be tried again; alerts go at once."""
FRUITLESS_SECONDS = 600.0
"""How long one leaves alone what could not be read, unless something comes."""
RETENTION_SECONDS = 86400.0
WINDOW_SECONDS = 3600.0
"""How long the texts that new ones may repeat are held in memory."""
BEHIND = timedelta(minutes=10)
"""A digest waits for what the sources have if the last look at them is older: the machine slept, or just began."""
LONGEST_WAIT = 900.0
"""How long a digest waits for that, at most."""
MOST_DELIVERIES = 20_000
NOTE_SECONDS = 300.0
"""How often it is written down that the clock is worked by."""
DOUBT_SECONDS = 600.0
"""How long nothing is done once the clock was set back by more than an hour; then it is believed."""
LONGEST_PAUSE = 300.0
"""A stage that fails is tried again after 5, 10, 20 … seconds, at most so many."""
log = logging.getLogger("groundswell.watch")


class StopAsked(Exception):  # noqa: N818  no error: somebody asked to stop
    """The watcher is to stop: what is at work ends at its next step, and goes on there the next time."""


@dataclass
class Watcher:
    """Runs until `stop` is set.

    Attributes:
        settings: what to do, and where.
        clock: the wall clock, aware.
        skip: stages that are left out.
        steady: seconds that never jump.
    """

    settings: Settings
    clock: Callable[[], datetime]
    skip: Collection[str] = ()
    steady: Callable[[], float] = time.monotonic
    stop: threading.Event = field(default_factory=threading.Event)
    metrics: Metrics = field(default_factory=Metrics)
    health: Health = field(init=False)
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        """Prepare what both threads use."""
        self.health = Health(self.clock, self.steady)
        self.ledger = Ledger(self.settings.data_dir)
        self.clean = Cleaner(list(secrets_of(self.settings)))
        self.news = threading.Event()
        self.chores = Timetable(self.clock, self.steady)
        self.model: Model | None = None
        self.tested: datetime | None = None
        self.early, self.next_look = False, 0.0
        self.window: CopyWindow | None = None
        self.window_until = 0.0
        self.not_before: dict[str, float] = {}
        self.done, self.fruitless_until = 0, 0.0
        self.looked: datetime | None = None
        self.waiting_since: float | None = None
        self.doubted: float | None = None
        self.next_note = 0.0
        self.believed: datetime | None = None
        self.doubting = threading.Lock()

    def run(self) -> None:
        """Work until asked to stop; then wait for what is at work to come to its next step."""
        from groundswell.index.open import open_store

        with open_store(self.settings, spool=True) as store:  # what is wrong with it is told now, not in a log
            self._remember_clock(store)
        sweep_aside(self.settings.data_dir, now=self.clock())
        parts = [threading.Thread(target=self._keep, args=("reading", self._read_once), name="reading")]
        if "crawl" not in self.skip:
            visiting = _Visiting(self)
            parts.append(threading.Thread(target=self._keep, args=("visiting", visiting.once), name="visiting"))
        log.info("watching; %s", self.settings.data_dir, extra={"facts": {"event": "started"}})
        for part in parts:
            part.start()
        self._stand("running")
        while not self.stop.wait(STAND_SECONDS):
            self._stand("running")
        log.info("stopping: what is at work ends at its next step", extra={"facts": {"event": "stopping"}})
        self.news.set()
        for part in parts:
            part.join()
        self._stand("stopped")
        log.info("stopped", extra={"facts": {"event": "stopped"}})

    def progress(self, part: str) -> Callable[[int, int | None, str], None]:
        """Return what a stage tells its progress to: a sign of life, and the place where it may be stopped."""

        def told(_done: int, _total: int | None, what: str) -> None:
            self.health.beat(part)
            if what.startswith("taken in"):
                self.news.set()
            if self.stop.is_set():
                raise StopAsked

        return told

    def stage(self, name: str, step: Callable[[], tuple[str, str]]) -> None:
        """Run a stage, time it, and write down how it ended; a failure is told and tried again later, never raised.

        `step` returns a sentence of counts, empty where there was nothing to do, and what went wrong, or nothing.
        """
        if name in self.skip or self.steady() < self.not_before.get(name, 0.0):
            return
        begun, at = self.steady(), self.clock()
        try:
            outcome, error = step()
        except StopAsked:
            raise
        except Exception as fault:  # months unattended: whatever fails is told, and the rest goes on
            log.error("%s failed", name, exc_info=fault, extra={"facts": {"stage": name}})
            outcome, error = "", self.clean(f"{type(fault).__name__}: {fault}")
            self._wait_before(name)
        else:
            self.not_before.pop(name, None)
        self._ended(name, at, self.steady() - begun, self.clean(outcome), self.clean(error))

    def _wait_before(self, name: str) -> None:
        failed = self.health.stages.get(name)
        times = failed.in_a_row if failed else 0
        self.not_before[name] = self.steady() + min(LOOK_SECONDS * 2 ** min(times, 10), LONGEST_PAUSE)

    def _ended(self, name: str, at: datetime, seconds: float, outcome: str, error: str) -> None:
        self.health.went(name, error)
        self.metrics.ran(name, seconds, failed=bool(error), at=self.clock())
        if not (outcome or error):
            return
        level = logging.WARNING if error else logging.INFO
        log.log(level, "%s: %s", name, "; ".join(filter(None, (outcome, error))), extra={
            "facts": {"stage": name, "seconds": round(seconds, 2), "outcome": "failed" if error else "ok"}
        })  # fmt: skip
        try:
            self.ledger.note(run_at(name, at, seconds, outcome, error))
        except OSError as fault:
            log.warning("the ledger of runs cannot be written: %s", fault)

    def _stand(self, state: str) -> None:
        try:
            self.ledger.stand({**self.health.as_json(), "state": state, "pid": os.getpid()})
        except OSError as fault:
            log.warning("how things stand cannot be written: %s", fault)

    def _keep(self, part: str, once: Callable[[], None]) -> None:
        """Do a part's round again and again until asked to stop."""
        while not self.stop.is_set():
            self.health.beat(part)
            try:
                once()
            except StopAsked:
                return
            except Exception as fault:  # a part that dies in silence would be the worst
                log.error("%s failed", part, exc_info=fault)
                self.health.went(part, self.clean(f"{type(fault).__name__}: {fault}"))
                self.stop.wait(LOOK_SECONDS)

    # --- the clock

    def _remember_clock(self, store: Store) -> None:
        from groundswell.index.clock import latest

        with suppress(UnavailableError):
            self.believed = latest(store)

    def trusts_clock(self) -> bool:
        """Return whether the clock can be believed; set back by over an hour it is not, until some minutes after."""
        from groundswell.index.clock import SLACK, said_behind

        with self.doubting:
            now = self.clock()
            before = self.believed or now
            if now >= before - SLACK:
                if self.doubted is not None:
                    self.health.went("clock")
                self.believed, self.doubted = max(now, before), None
                return True
            if self.doubted is None:
                self.doubted = self.steady()
                log.warning("%s; nothing is done for %d minutes, then it is believed",
                            said_behind(now, before), DOUBT_SECONDS // 60)  # fmt: skip
            self.health.went("clock", said_behind(now, before))
            if self.steady() - self.doubted < DOUBT_SECONDS:
                return False
            self.believed, self.doubted = now, None
            self.health.went("clock")
            return True

    def _note_clock(self, store: Store) -> None:
        """Write down now and then that work is done, for whoever comes later."""
        from groundswell.index.clock import note_clock

        if self.steady() >= self.next_note:
            self.next_note = self.steady() + NOTE_SECONDS
            note_clock(store, now=self.clock())
            self._measure(store)

    def _measure(self, store: Store) -> None:
        """Tell the metrics how much room is left, what became of deliveries, and when the last backup was made."""
        from groundswell.index.backup import last_backup
        from groundswell.index.records import Delivery

        self.metrics.free.set(shutil.disk_usage(self.settings.data_dir).free)
        counts = Counter(row.status for row in store.recent(Delivery, limit=MOST_DELIVERIES))
        for status in ("sent", "held", "failed", "dead"):
            self.metrics.deliveries.labels(status).set(counts[status])
        made = last_backup(self.settings.data_dir)
        self.metrics.backup.set(made.timestamp() if made else 0)

    # --- reading

    def _read_once(self) -> None:
        """Read, place and test what has come; then whatever else is due."""
        from groundswell.index.open import open_store

        with open_store(self.settings) as store:
            while not self.stop.is_set():
                self.health.beat("reading")
                if not self.trusts_clock():
                    self.stop.wait(LOOK_SECONDS)
                    continue
                self._note_clock(store)
                news = self.news.is_set()
                self.news.clear()
                came = self.worth_reading(news=news) and self._anything(store)
                if came:
                    self.read(store)
                if came or self._hour() != self.tested:
                    self.stage("signals", lambda: (self._signals(store), ""))
                self.early |= came
                self._look_within_hour(store)
                self._others(store)
                if isinstance(self.settings.store, ElasticSettings):
                    self.news.wait(LOOK_SECONDS)
                    return  # a connection that went bad is made anew
                self.news.wait(LOOK_SECONDS)

    def worth_reading(self, *, news: bool) -> bool:
        """Return whether to look for what waits: what could not be read before waits on, and is no reason by itself."""
        return news or self.steady() >= self.fruitless_until

    def read(self, store: Store) -> None:
        """Read and place what waits; where nothing came of it, look again only when something comes, or much later."""
        self.done = 0
        self.stage("enrich", lambda: (self._enrich(store), ""))
        self.stage("themes", lambda: (self._themes(store), ""))
        failed = {"enrich", "themes"} & self.not_before.keys()
        self.fruitless_until = 0.0 if self.done or failed else self.steady() + FRUITLESS_SECONDS

    def _anything(self, store: Store) -> bool:
        """Return whether a document waits to be read or placed."""
        from groundswell.index.query import Query

        waiting = (next(iter(store.scan(Query(lacks=what))), None) for what in ("enriched", "membership"))
        return any(document is not None for document in waiting)

    def _hour(self) -> datetime:
        return self.clock().replace(minute=0, second=0, microsecond=0)

    def _opened(self) -> AbstractContextManager[OpenModel]:
        """Return the model: this process's own is loaded once, a cluster is asked anew each time."""
        from groundswell.nlp.enrich.opened import OpenModel, opened_model
        from groundswell.nlp.model.model import load_model

        if self.settings.scale.scheduler:
            return opened_model(self.settings)
        if self.model is None:
            self.model = load_model(self.settings.model)
        return nullcontext(OpenModel(self.model))

    def _enrich(self, store: Store) -> str:
        from groundswell.nlp.enrich.stage import enrich, proven_rules

        rules, broken = proven_rules(self.settings, self.clock())
        window, self.window = self._copy_window(), None  # whatever ends this early, the window is read anew
        with self._opened() as its:
            report = enrich(
                store, its.model, self.settings, now=self.clock(), rules=rules, ahead=its.ahead, window=window,
                progress=self.progress("reading"),
            )  # fmt: skip
        self.window = window
        self.metrics.documents.labels("enriched").inc(report.enriched)
        self.done += report.enriched
        return "; ".join([str(report), *(f"left out: {complaint}" for complaint in broken)]) if report.pending else ""

    def _copy_window(self) -> CopyWindow:
        """Return what texts may repeat: kept from turn to turn, and read anew now and then, as texts are forgotten."""
        from groundswell.nlp.enrich.stage import CopyWindow

        if self.window is None or self.steady() >= self.window_until:
            self.window, self.window_until = CopyWindow(self.settings), self.steady() + WINDOW_SECONDS
        return self.window

    def _themes(self, store: Store) -> str:
        from groundswell.nlp.themes.stage import update_themes

        report = update_themes(store, self.settings, now=self.clock(), progress=self.progress("reading"))
        self.done += report.pending
        return str(report) if report.pending else ""

    def _signals(self, store: Store) -> str:
        from groundswell.nlp.signals.stage import find_signals
        from groundswell.ui.desk import Desk

        hour = self._hour()
        Desk(store).lift_snoozes(now=self.clock())
        found = find_signals(store, self.settings, now=self.clock(), progress=self.progress("reading"))
        self.tested = hour
        fired = self._alerted(found)
        return f"{len(found):,} signals, {len(fired):,} alerts" if found else ""

    def _alerted(self, found: Sequence[Signal]) -> list[Signal]:
        """Let people be told of what fired, and return it."""
        fired = [signal for signal in found if signal.fired]
        if fired:
            self.chores.hurry("notify")
        for signal in fired:
            self.metrics.alerts.labels(signal.severity).inc()
        return fired

    def _look_within_hour(self, store: Store) -> None:
        """Look at the hour that is not over, where something has come since and the last look is long enough ago."""
        every = self.settings.watch.within_hour_seconds
        if not (every and self.early and self.tested == self._hour() and self.steady() >= self.next_look):
            return
        self.early, self.next_look = False, self.steady() + every
        self.stage("signals", lambda: (self._within_hour(store), ""))

    def _within_hour(self, store: Store) -> str:
        from groundswell.nlp.signals.stage import look_within_hour

        progress = self.progress("reading")
        fired = self._alerted(look_within_hour(store, self.settings, now=self.clock(), progress=progress))
        return f"{len(fired):,} alerts before the hour is over" if fired else ""

    def _others(self, store: Store) -> None:
        """Do what is done now and then: telling people, exports and the digest."""
        from groundswell.ui.pipeline import STEPS

        if self.settings.alerts.receivers:
            self.chores.plan("notify", NOTIFY_SECONDS, None)
        self.chores.plan("export", self.settings.watch.export_minutes * 60, None)
        self.chores.plan("digest", 60, None)
        if self.settings.reports:
            self.chores.plan("reports", 60, None)
        if self.settings.labelling.calibration:
            self.chores.plan("calibration", 3600, None)
        if self.settings.retention.days or self.settings.retention.markets:
            self.chores.plan("retention", RETENTION_SECONDS, None)
        for name in self.chores.due():
            if name in ("digest", "reports") and self._waits_for_visits():
                continue
            self.chores.done(name)
            if name == "retention":
                self.stage(name, lambda: (self._expire(store), ""))
            else:
                self.stage(name, lambda name=name: self._step(STEPS[name], store))  # type: ignore[misc]

    def _waits_for_visits(self) -> bool:
        """Return whether a digest waits for what the sources have, because nobody has looked at them for a while.

        So it is after a machine has slept, or when watching has just begun: what was said then would be in no mail.
        """
        if "crawl" in self.skip:
            return False
        if self.looked is not None and self.clock() - self.looked < BEHIND and not self.news.is_set():
            self.waiting_since = None
            return False
        if self.waiting_since is None:
            self.waiting_since = self.steady()
        return self.steady() - self.waiting_since < LONGEST_WAIT

    def _expire(self, store: Store) -> str:
        from groundswell.index.audit import Audit, Entry
        from groundswell.index.clock import is_steady
        from groundswell.index.forget import expire

        if not is_steady(store, "retention", now=self.clock(), most=timedelta(seconds=2 * RETENTION_SECONDS)):
            return ""  # the first time, after a long pause, or by a clock that jumped: what goes is gone for good
        days = {"": self.settings.retention.days, **self.settings.retention.markets}
        reached = expire(store, days, now=self.clock())
        if reached.counts.total():
            took = Entry(who="watch", what="forgot", after={"expired": "True", "reached": str(reached)})
            Audit(self.settings.data_dir).note(took)
        return f"forgotten: {reached}" if reached.counts.total() else ""

    def _step(self, step: Callable[..., tuple[str, bool]], store: Store) -> tuple[str, str]:
        outcome, failed = step(store, self.settings, self.clock(), self.progress("reading"))
        quiet = outcome in {"nothing to tell", "not due"} or (
            outcome.startswith("the digest of ") and outcome.endswith(")")
        )
        return ("", outcome) if failed else ("" if quiet else outcome, "")


class _Visiting:
    """Visits the sources, each at its own cadence."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher, self._settings = watcher, watcher.settings
        self._table = Timetable(watcher.clock, watcher.steady)
        self._last: dict[str, datetime] | None = None
        self._told: set[str] = set()

    def once(self) -> None:
        """Visit what is due, or wait a little."""
        if not self._watcher.trusts_clock():
            self._watcher.stop.wait(LOOK_SECONDS)
            return
        self._plan()
        if due := self._table.due():
            self._watcher.stage("crawl", lambda: self._visit(due))
            pause = self._watcher.not_before.get("crawl", 0.0) - self._watcher.steady()
            self._watcher.stop.wait(max(0.0, pause))
            return
        self._watcher.looked = self._watcher.clock()
        soon = self._table.wait(LOOK_SECONDS)
        self._watcher.stop.wait(max(soon, min(LOOK_SECONDS, TOGETHER_SECONDS)))

    def _plan(self) -> None:
        """Look which sources there are now: a file that somebody added or changed counts from the next visit on."""
        from groundswell.configs.source import choose, find_sources

        sources, problems = find_sources(self._settings.crawl)
        if self._last is None:
            self._last = self._last_visits()
        enabled: Sequence[Source] = choose(sources, ())
        usual = self._settings.watch.every_minutes
        for source in enabled:
            self._table.plan(source.name, (source.every_minutes or usual) * 60, self._last.get(source.name))
        self._table.keep_only([source.name for source in enabled])
        for path, problem in problems.items():
            self._tell_once(f"source file {path.name} is left out: {problem}")

    def _tell_once(self, complaint: str) -> None:
        if complaint not in self._told:
            self._told.add(complaint)
            log.warning("%s", complaint)

    def _last_visits(self) -> dict[str, datetime]:
        from groundswell.index.open import open_store
        from groundswell.index.records import CrawlRun

        with open_store(self._settings, spool=True) as store:
            return {run.source: run.started_at for run in store.latest(CrawlRun)}

    def _visit(self, due: Sequence[str]) -> tuple[str, str]:
        from groundswell.crawlers.spread import crawl_wherever
        from groundswell.index.open import open_store

        watcher = self._watcher
        with open_store(self._settings, spool=True) as store:
            runs = crawl_wherever(
                store, self._settings, now=watcher.clock(), only=due, progress=watcher.progress("visiting")
            )
        for name in due:  # not before: a visit that failed as a whole is due again
            self._table.done(name)
        watcher.news.set()
        for run in runs:
            self._counted(run)
        troubles = [run.source for run in runs if run.error or run.complaint]
        found, stored = sum(run.found for run in runs), sum(run.stored for run in runs)
        counts = f"{len(runs)} sources, {found:,} found, {stored:,} stored" if found or troubles else ""
        if runs and all(run.error for run in runs) and len(runs) == len(self._last or ()):
            return counts, "no source could be visited"
        return counts + (f"; not well: {', '.join(troubles)}" if troubles else ""), ""

    def _counted(self, run: CrawlRun) -> None:
        metrics = self._watcher.metrics
        metrics.source.labels(run.source).set(0 if run.error or run.complaint else 1)
        if run.error or run.complaint:
            log.warning("%s: %s", run.source, run.error or run.complaint, extra={"facts": {"source": run.source}})
        metrics.documents.labels("found").inc(run.found)
        metrics.documents.labels("stored").inc(run.stored)
        metrics.documents.labels("refused").inc(run.refused)


def status_lines(standing: dict[str, Any] | None, *, now: datetime) -> tuple[list[str], bool]:
    """Return how a watcher stands, in lines for people, and whether all is well."""
    if standing is None:
        return ["nothing watches here: groundswell watch"], False
    at = datetime.fromisoformat(str(standing["at"]))
    age = (now - at).total_seconds()
    if standing["state"] == "stopped":
        return [f"stopped at {at:%Y-%m-%d %H:%M:%S}Z"], False
    if abs(age) > 6 * STAND_SECONDS:
        return [f"gone: the last sign of life is of {at:%Y-%m-%d %H:%M:%S}Z (process {standing['pid']})"], False
    lines = [f"{standing['status']}, watching since {standing['since']} (process {standing['pid']})"]
    lines += [f"  {name:8} went well {one['went_well'] or 'never'}" for name, one in standing["stages"].items()]
    return [*lines, *(f"  {trouble}" for trouble in standing["troubles"])], standing["status"] == "ok"
