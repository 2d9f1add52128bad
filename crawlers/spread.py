"""A crawl over the workers of a cluster: each visits some hosts and stores what it finds; files are read here.

Who visits a source holds its lease (`groundswell.index.leases`), so that a task that was lost with its worker and done
again by another waits until the lease has run out, and nothing is asked for or stored twice meanwhile.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from groundswell.configs.schema import Settings
from groundswell.configs.source import FileSource, Source, source_of
from groundswell.configs.watch import read_watch
from groundswell.crawlers.child import by_host
from groundswell.crawlers.run import chosen_sources, crawl, failed_run, visit_all
from groundswell.crawlers.salt import FILE, author_salt
from groundswell.crawlers.visit import Span
from groundswell.index.cluster import ClusterError, Workers, connected, meet
from groundswell.index.codec import from_json, to_json
from groundswell.index.files import PRIVATE_FILE, make_private_folder
from groundswell.index.progress import Progress
from groundswell.index.records import CrawlRun
from groundswell.index.store import Store

log = logging.getLogger(__name__)
BUNDLES_A_THREAD = 2
"""Tasks for each worker's thread: the slower of them do not keep all others waiting, and each starts one process."""
LEASES = 3.0
"""How many leases a visit waits for a source that another worker had when it was lost."""


def crawl_wherever(
    store: Store,
    settings: Settings,
    *,
    now: datetime,
    only: Sequence[str] = (),
    progress: Progress | None = None,
    again: bool = False,
    span: Span | None = None,
) -> list[CrawlRun]:
    """Crawl here, or over the workers of the configured scheduler; see `groundswell.crawlers.run.crawl`.

    Raises:
        ConfigError: `only` names a source that does not exist.
        CrawlError: another crawl works in the same data folder.
        ClusterError: the cluster cannot crawl, or was lost; what was found until then is stored.
    """
    if not settings.scale.scheduler:
        return crawl(store, settings, now=now, only=only, progress=progress, again=again, span=span)
    chosen, runs = chosen_sources(store, settings, only, now=now)
    files = [source for source in chosen if isinstance(source, FileSource)]
    web = [source for source in chosen if not isinstance(source, FileSource)]
    runs += visit_all(store, settings, files, now=now, progress=progress, again=again, span=span)
    if web:
        with connected(settings) as workers:
            order = _order(workers, store, settings, now, span, again=again)
            runs += _spread(workers, store, web, order, progress)
    return runs


def _order(
    workers: Workers, store: Store, settings: Settings, now: datetime, span: Span | None, *, again: bool
) -> dict[str, Any]:
    """Return what every bundle's order has in common, after seeing that all workers can carry it out.

    Raises:
        ClusterError: one does not reach this store, or would hash authors or watch for brands in another way.
    """
    shared, salt = meet(workers, store, settings, now), author_salt(settings)
    ours = circumstances(shared, salt)
    for worker, theirs in workers.each(partial(circumstances, shared, salt)).items():
        different = [name for name in ours if not isinstance(theirs, Mapping) or theirs.get(name) != ours[name]]
        if different:
            said = "" if isinstance(theirs, Mapping) else f" ({theirs})"
            raise ClusterError(f"worker {worker} has another {' and '.join(different)} than this machine{said}")
    ends = [at.isoformat() if at else None for at in (span.since, span.until)] if span else None
    same = {"settings": shared, "salt": salt, "circumstances": ours}
    return {**same, "now": now.isoformat(), "span": ends, "again": again}


def circumstances(settings: str, salt: str) -> dict[str, str]:
    """Return, as hashes, what a visit depends on beside its order: the salt of authors and the watch lists."""
    its = Settings.model_validate_json(settings)
    lists = repr(sorted(read_watch(its.crawl.watch).items()))
    used = os.environ.get(its.crawl.author_salt_env) or salt
    return {
        f"salt in {its.crawl.author_salt_env}": hashlib.sha256(used.encode()).hexdigest(),
        "set of watch lists (crawl.watch)": hashlib.sha256(lists.encode()).hexdigest(),
    }


def _spread(
    workers: Workers, store: Store, sources: Sequence[Source], order: Mapping[str, Any], progress: Progress | None
) -> list[CrawlRun]:
    """Visit sources on the workers; a bundle that fails is its own sources' trouble, and is stored as that."""
    bundles = bundled(sources, BUNDLES_A_THREAD * workers.threads)
    orders = [{**order, "sources": [source.model_dump(mode="json") for source in bundle]} for bundle in bundles]
    futures = workers.start(visit_bundle, orders)
    tell = partial(_tell, progress, len(bundles), workers.threads) if progress else None
    workers.wait(futures, tell)
    runs: list[CrawlRun] = []
    for bundle, future in zip(bundles, futures, strict=True):
        if future.status == "finished":
            worker, seen = workers.gathered([future])[0]
            log.info("%s visited by worker %s", ", ".join(source.name for source in bundle), worker, extra=_who(worker))
            runs += [from_json(CrawlRun, run) for run in seen]
        else:
            why = f"its worker failed: {type(future.exception()).__name__}: {future.exception()}"
            failed = [failed_run(source.name, why, datetime.fromisoformat(order["now"])) for source in bundle]
            store.put(failed)
            runs += failed
    return runs


def _who(worker: str) -> dict[str, dict[str, str]]:
    return {"facts": {"stage": "crawl", "worker": worker}}


def _tell(progress: Progress, count: int, threads: int, done: int) -> None:
    progress(done, count, f"bundles of sources visited by {threads} workers")


def bundled(sources: Sequence[Source], count: int) -> list[list[Source]]:
    """Return the sources in at most so many bundles of like size, those of one host together."""
    bundles: list[list[Source]] = [[] for _ in range(max(1, count))]
    for group in sorted(by_host(sources), key=len, reverse=True):
        min(bundles, key=len).extend(group)
    return [bundle for bundle in bundles if bundle]


def visit_bundle(order: dict[str, Any]) -> list[dict[str, Any]]:
    """Visit some sources and store what they have; done by a worker.

    Raises:
        StoreError: its store cannot be reached, or it came later and differs from those that were looked at.
    """
    from distributed import get_worker, secede

    from groundswell.index.open import open_store

    if circumstances(order["settings"], order["salt"]) != order["circumstances"]:
        raise ClusterError("a worker came later with another salt or other watch lists; make them alike, run again")
    worker: Any = get_worker()
    sources = [source_of(data) for data in order["sources"]]
    folder = Path(worker.local_directory) / f"crawl-{sources[0].name}"
    settings = Settings.model_validate_json(order["settings"]).model_copy(update={"data_dir": folder})
    _give_salt(folder, order["salt"])
    leave: Any = secede
    leave()  # a visit is mostly waiting: the worker's thread goes on with other work meanwhile
    ends = order["span"] and [at and datetime.fromisoformat(at) for at in order["span"]]
    with open_store(settings, letters=False) as store:
        runs = visit_all(
            store, settings, sources, now=datetime.fromisoformat(order["now"]), again=order["again"],
            span=Span(*ends) if ends else None, patience=LEASES * settings.scale.lease_seconds,
        )  # fmt: skip
    return [to_json(run) for run in runs]


def _give_salt(folder: Path, salt: str) -> None:
    """Let this folder hash authors as everybody does."""
    path = make_private_folder(folder) / FILE
    path.touch(PRIVATE_FILE)
    path.write_text(salt, "ascii")


__all__ = ["bundled", "crawl_wherever"]
