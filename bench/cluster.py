"""What a cluster costs and brings: the same documents enriched by one process, by one worker and by two.

    python bench/cluster.py [--documents N] [--elastic URL] [--only-one]

Each worker is a process of one thread on this machine. Start-up, the loading of models and a first batch are left out.
Printed are documents a second and CPU milliseconds a document (this process and the workers), the ratio of two workers
to one, what the engine costs with one worker beside one process, what a worker costs that is killed half-way, and the
bytes that a document takes in the store. Ratios of seconds mean something only on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import distributed

from groundswell.configs.schema import ElasticSettings, ModelSettings, ScaleSettings, Settings, SqliteSettings
from groundswell.index.ids import stable_id
from groundswell.index.open import open_store
from groundswell.index.records import Mention
from groundswell.nlp.enrich.opened import opened_model
from groundswell.nlp.enrich.stage import BATCH, enrich, proven_rules

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
PARTS = (
    "I was charged twice for an ad account that was banned", "the same deepfake of a minister sells crypto again",
    "iklan judi online muncul terus di setiap video", "โฆษณาหลอกลงทุนเต็มฟีดไปหมด", "退款一直没有到账，客服也不回复",
    "too many ads although I pay for premium", "quảng cáo lừa đảo giả mạo ngân hàng",
    "love the new update, no complaints",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """Wall seconds, CPU seconds of this process and of the workers, and bytes of the store."""

    wall: float
    own: float
    workers: float
    bytes: int


def mentions(count: int) -> list[Mention]:
    """Return posts of some 40 tokens, each another, over ninety days."""
    return [
        Mention(
            id=stable_id("bench", str(k)), source="bench", kind="post", fetched_at=NOW, date_confidence="exact",
            published_at=NOW - timedelta(days=90) + timedelta(days=90) * k / count,
            text=f"{PARTS[k % 8]}, {PARTS[(k // 8 + 3) % 8]} {stable_id('word', str(k))} {k}",
        )
        for k in range(count)
    ]  # fmt: skip


def seconds(pid: int) -> float:
    """Return the CPU seconds that a process has used; 0 where there is none (any more)."""
    try:
        parts = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def measured(count: int, store: SqliteSettings | ElasticSettings, workers: int, *, lost: bool = False) -> Run:
    """Enrich so many documents with so many workers (0: in this process), one of which may be lost half-way."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        where = store.model_copy(update={"path": folder / "one.db"}) if isinstance(store, SqliteSettings) else store
        settings = Settings(data_dir=folder, store=where, model=ModelSettings(threads=1))
        pids: list[int] = []
        if workers:
            make: Any = distributed.LocalCluster
            cluster = stack.enter_context(
                make(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50)
            )
            scale = ScaleSettings(scheduler=cluster.scheduler_address, patience_seconds=60)
            settings = settings.model_copy(update={"scale": scale})
            pids = [nanny.pid for nanny in cluster.workers.values()]
        its = stack.enter_context(opened_model(settings))
        opened = stack.enter_context(open_store(settings))
        rules, _ = proven_rules(settings)
        some = mentions(count + BATCH)
        for part, kill in ((some[:BATCH], False), (some[BATCH:], lost)):
            opened.put(part)
            if kill:
                threading.Timer(1.0, os.kill, (pids[0], signal.SIGKILL)).start()
            begun, own, theirs = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF), sum(map(seconds, pids))
            report = enrich(opened, its.model, settings, now=NOW, rules=rules, ahead=its.ahead)
            wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_SELF)
            assert report.enriched == len(part), report  # noqa: S101
        used = after.ru_utime + after.ru_stime - own.ru_utime - own.ru_stime
        return Run(wall, used, sum(map(seconds, pids)) - theirs, _bytes(opened, folder))


def _bytes(store: Any, folder: Path) -> int:
    """Return what the store takes on disk (its replicas left out)."""
    if hasattr(store, "client"):
        pattern = f"{store.names.prefix}-*"
        store.client.indices.forcemerge(index=pattern, max_num_segments=1)
        store.client.indices.refresh(index=pattern)
        size = store.client.indices.stats(index=pattern)["_all"]["primaries"]["store"]["size_in_bytes"]
        store.client.indices.delete(index=list(store.client.indices.get_alias(index=pattern)))
        return int(size)
    return sum(path.stat().st_size for path in folder.glob("one.db*"))


def show(name: str, run: Run, count: int, beside: str = "") -> None:
    per = 1000 / count
    cpu = f"{run.own * per:6.2f} + {run.workers * per:6.2f} CPU ms"
    size = f"{run.bytes / (count + BATCH):7,.0f} B a document"
    print(f"{name:24} {count / run.wall:8.1f} documents/s  {cpu}  {size}  {beside}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=8 * BATCH)
    parser.add_argument("--elastic", default="", metavar="URL", help="a server to measure beside SQLite")
    parser.add_argument("--only-one", action="store_true", help="one process, no cluster: costs and bytes alone")
    given = parser.parse_args()
    count = given.documents
    stores: list[SqliteSettings | ElasticSettings] = [SqliteSettings()]
    stores += [ElasticSettings(url=given.elastic, prefix=f"bench-{os.getpid()}")] if given.elastic else []
    for store in stores:
        print(f"{store.backend}, {count:,} documents")
        alone = measured(count, store, 0)
        show("one process", alone, count)
        if given.only_one:
            continue
        one = measured(count, store, 1)
        show("one worker", one, count, f"{one.wall / alone.wall - 1:+.0%} beside one process")
        two = measured(count, store, 2)
        show("two workers", two, count, f"{one.wall / two.wall:.2f} × one worker")
        lost = measured(count, store, 2, lost=True)
        show("two, one killed", lost, count, f"{lost.wall - two.wall:+.1f} s")


if __name__ == "__main__":
    main()
