"""One whole turn: crawl, enrich, themes, signals, export, digest, reports; stages meet only in the store."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from groundswell.index.files import held_alone, sweep_aside
from groundswell.ui.console import progress_bar

if TYPE_CHECKING:
    from groundswell.configs.schema import Settings
    from groundswell.index.progress import Progress
    from groundswell.index.store import Store

STAGES = ("crawl", "enrich", "themes", "signals", "notify", "export", "digest", "reports", "calibration")


SPOOLED = ("crawl", "enrich")
"""Stages that go on while the cluster is away: what they put waits on the local disk."""


WRITTEN = "digest"
"""Checkpoint: the newest edition of the digest of everything that was written into files."""


class BusyError(OSError):
    """Another run works on the same data folder."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What one stage did: a sentence with its counts, wall seconds, and the peak memory of the process so far (MB)."""

    name: str
    said: str
    seconds: float
    peak_mb: int
    failed: bool = False


def run_once(
    store: Store, settings: Settings, *, clock: Callable[[], datetime], stages: Sequence[str] = STAGES
) -> Iterator[Stage]:
    """Run the stages one after the other and yield what each did.

    Any of them may be killed and run again. A source that fails does not stop the turn; the stage says so.
    """
    sweep_aside(settings.data_dir, now=clock())
    for name in _wanted(stages, settings):
        begun = time.monotonic()
        with progress_bar(name) as progress:
            report, failed = _step(name, store, settings, clock(), progress)
        yield Stage(name, report, time.monotonic() - begun, _peak_mb(), failed)


def _wanted(stages: Sequence[str], settings: Settings) -> list[str]:
    """Return the stages without those that the settings give nothing to do."""
    idle = {"reports"} if not settings.reports else set()
    idle |= set() if settings.labelling.calibration else {"calibration"}
    return [name for name in stages if name not in idle]


def _step(name: str, store: Store, settings: Settings, now: datetime, progress: Progress) -> tuple[str, bool]:
    """Run one stage; while the cluster is away, those that need all that was ever stored wait for another turn."""
    from groundswell.index.spool import everything
    from groundswell.index.store import UnavailableError

    if name in SPOOLED:
        return STEPS[name](store, settings, now, progress)
    try:
        return STEPS[name](everything(store), settings, now, progress)
    except UnavailableError as error:
        return f"left out: {error}", True


@contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """Hold the data folder for one run at a time; the lock goes with the process, however it ends.

    Raises:
        BusyError: another run holds it.
    """
    try:
        with held_alone(settings.data_dir / "run.lock"):
            yield
    except BlockingIOError:
        raise BusyError(f"another run works in {settings.data_dir}; wait for it, or use another data_dir") from None


def _crawl(store: Store, settings: Settings, now: datetime, progress: Progress) -> tuple[str, bool]:
    from groundswell.crawlers.spread import crawl_wherever
    from groundswell.crawlers.summary import troubles

    runs = crawl_wherever(store, settings, now=now, progress=progress)
    found, stored, twice, refused, undated, beside = (
        sum(getattr(run, part) for run in runs)
        for part in ("found", "stored", "duplicate", "refused", "undated", "off_topic")
    )
    left = sum(run.left for run in runs)
    counts = f"{found:,} found = {stored:,} stored + {twice:,} already there + {refused:,} refused"
    counts += f" + {beside:,} off topic" if beside else ""
    counts += f"; {undated:,} undated, {len(runs)} sources"
    counts += f", {left:,} known to be left for the next visit" if left else ""
    return "\n  ".join([counts, *troubles(runs)]), any(run.error or run.complaint for run in runs)


def _enrich(store: Store, settings: Settings, now: datetime, progress: Progress) -> tuple[str, bool]:
    from groundswell.nlp.enrich.opened import opened_model
    from groundswell.nlp.enrich.stage import enrich, proven_rules

    rules, broken = proven_rules(settings, now)
    with opened_model(settings) as its:
        report = enrich(store, its.model, settings, now=now, rules=rules, progress=progress, ahead=its.ahead)
    return "\n  ".join([str(report), *(f"left out: {complaint}" for complaint in broken)]), False


def _themes(store: Store, settings: Settings, now: datetime, progress: Progress) -> tuple[str, bool]:
    from groundswell.nlp.themes.stage import update_themes

    return str(update_themes(store, settings, now=now, progress=progress)), False


def _signals(store: Store, settings: Settings, now: datetime, progress: Progress) -> tuple[str, bool]:
    from groundswell.nlp.signals.stage import find_signals
    from groundswell.ui.desk import Desk

    Desk(store).lift_snoozes(now=now)
    signals = find_signals(store, settings, now=now, progress=progress)
    return f"{len(signals):,} signals, {sum(signal.fired for signal in signals):,} alerts", False


def _notify(store: Store, settings: Settings, now: datetime, progress: Progress) -> tuple[str, bool]:  # noqa: ARG001  a step
    from groundswell.ui.report.delivery.ledger import notify

    if not settings.alerts.receivers:
        return "nobody to tell (alerts.receivers)", False
    deliveries = notify(store, settings, now=now)
    return "\n  ".join([str(deliveries) or "nothing to tell", *deliveries.troubles]), bool(deliveries.troubles)


def _export(store: Store, settings: Settings, now: datetime, progress: Progress) -> tuple[str, bool]:
    from groundswell.index.cluster import days_on_cluster
    from groundswell.index.export import export_days

    made = days_on_cluster(settings, store, now=now, progress=progress) if settings.scale.scheduler else None
    return str(export_days(store, settings.data_dir / "parquet", progress=progress, made=made)), False


def _digest(store: Store, settings: Settings, now: datetime, progress: Progress) -> tuple[str, bool]:  # noqa: ARG001  a step
    from groundswell.index.records import Checkpoint
    from groundswell.ui.report.editions.ledger import due_now, send_editions
    from groundswell.ui.report.editions.page import make_digest
    from groundswell.ui.report.editions.people import edition_due, everybody
    from groundswell.ui.report.mail import write_digest

    mail, said = settings.digest, []
    edition = edition_due(everybody(), mail, now=now, told=None)
    mark = store.get(Checkpoint, WRITTEN)
    if mark is None or mark.value["day"] != edition.day:
        digest = make_digest(store, settings, now=now, edition=edition)
        said += [str(path) for path in write_digest(digest, settings.data_dir / "digests")]
        store.put([Checkpoint(id=WRITTEN, value={"day": edition.day}, at=now)])
    troubles: list[str] = []
    if mail.smtp_host and due_now(store, settings, now=now):
        sent = send_editions(store, settings, now=now)
        said, troubles = [*said, str(sent)], sent.troubles
    said = [*filter(None, said), *troubles]
    if not said:
        return f"the digest of {edition.day} is out; the next one is due at {mail.hour}:00 ({mail.timezone})", False
    return "; ".join(said), bool(troubles)


def _reports(store: Store, settings: Settings, now: datetime, progress: Progress) -> tuple[str, bool]:  # noqa: ARG001  a step
    from groundswell.ui.report.scheduled import run_due

    done, troubles = run_due(store, settings, now=now)
    return "; ".join([*done, *troubles]) or "nothing to tell", bool(troubles)


def _calibration(store: Store, settings: Settings, now: datetime, progress: Progress) -> tuple[str, bool]:  # noqa: ARG001  a step
    from groundswell.index.audit import Audit
    from groundswell.ui.labelling import weekly_calibration

    return weekly_calibration(store, settings, now=now, audit=Audit(settings.data_dir)) or "not due", False


STEPS: dict[str, Callable[[Store, Settings, datetime, Progress], tuple[str, bool]]] = {
    "crawl": _crawl,
    "enrich": _enrich,
    "themes": _themes,
    "signals": _signals,
    "notify": _notify,
    "export": _export,
    "digest": _digest,
    "reports": _reports,
    "calibration": _calibration,
}


def _peak_mb() -> int:
    """Return the peak resident memory (MB) of this process or its largest child; Linux counts in KB, macOS in bytes."""
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) // unit


__all__ = ["STAGES", "BusyError", "Stage", "only_one", "run_once"]
