"""Texts read by the workers of a real Dask cluster on loopback: the same answers, whoever is lost."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from groundswell.configs.schema import ModelSettings, ScaleSettings, Settings
from groundswell.nlp.enrich.cluster import ClusterError, cluster_model
from groundswell.nlp.model.model import load_model

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.slow
MODEL = ModelSettings(threads=1)
TEXTS = [
    "Saw an ad promising guaranteed returns, my money is gone", "Love this app", "ทำไมโฆษณาเยอะขนาดนี้",
    "Iklan terus, capek",
    "钱没了，广告是骗子", "", "Ads every two minutes although I pay for premium",
] * 40  # fmt: skip


def settings_for(address: str, patience: float = 15.0, slow: float = 60.0) -> Settings:
    """Return settings that let a scheduler's workers read."""
    scale = ScaleSettings(scheduler=address, patience_seconds=patience, slow_seconds=slow)
    return Settings(model=MODEL, scale=scale)


def made(n_workers: int = 2) -> Any:
    """Return a scheduler and so many worker processes of one thread each."""
    make: Any = distributed.LocalCluster
    return make(
        n_workers=n_workers, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    )  # fmt: skip


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two workers that several tests share."""
    with made() as it:
        yield it


def pids(cluster: Any) -> list[int]:
    """Return the processes of its workers."""
    return [nanny.pid for nanny in cluster.workers.values()]


def test_workers_read_what_one_process_reads_also_when_one_is_killed_at_work(cluster: Any) -> None:
    """A result that only a dead worker held is made again, by another; order is kept."""
    own = load_model(MODEL).read(TEXTS)
    with cluster_model(settings_for(cluster.scheduler_address)) as model:
        read = model.read(TEXTS)
        threading.Timer(0.3, os.kill, (pids(cluster)[0], signal.SIGKILL)).start()
        again = model.read(TEXTS)
    for one in (read, again):
        assert np.abs(one.vectors - own.vectors).max() < 1e-3
        assert np.abs(one.sentiment - own.sentiment).max() < 1e-2
        assert one.targets == own.targets
        assert one.stances == own.stances


def test_a_worker_that_hangs_holds_nobody_up(cluster: Any) -> None:
    """It is alive to the scheduler and does nothing; what it holds is read by the other."""
    own = load_model(MODEL).read(TEXTS[:20])
    hangs = pids(cluster)[0]
    with cluster_model(settings_for(cluster.scheduler_address, slow=1.0)) as model, ThreadPoolExecutor(4) as pool:
        os.kill(hangs, signal.SIGSTOP)
        try:
            readings = list(pool.map(model.read, [TEXTS[:20]] * 4))
        finally:
            os.kill(hangs, signal.SIGCONT)
    assert all(np.abs(each.vectors - own.vectors).max() < 1e-3 for each in readings)


def test_a_cluster_that_loses_workers_or_scheduler_is_an_error_and_no_endless_wait() -> None:
    """The sentence says what to start; what was read before stays stored, so the same command goes on."""
    with made(n_workers=1) as lost, cluster_model(settings_for(lost.scheduler_address, patience=2.0)) as model:
        lost.scale(0)
        while model._workers.client.nthreads():
            time.sleep(0.1)
        with pytest.raises(ClusterError, match=r"no worker of tcp:.* is left; start some"):
            model.read(TEXTS)
        lost.close()
        with pytest.raises(ClusterError, match="went away; run again"):
            model.read(TEXTS)


def test_nobody_at_the_address_or_no_worker_is_said_before_work_begins() -> None:
    """With the address, and what to start."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(ClusterError, match=f"no Dask scheduler answers at '{address}'"), opened(address):
        pass
    with (
        made(n_workers=0) as empty,
        pytest.raises(ClusterError, match="has no worker; start some with"),
        opened(empty.scheduler_address),
    ):
        pass


def opened(address: str) -> Any:
    """Return the model of a cluster, with little patience."""
    return cluster_model(settings_for(address, patience=1.0))


def test_a_worker_without_the_model_is_named_before_work_begins(cluster: Any, tmp_path: Path) -> None:
    """Nothing is lost: nothing was begun."""
    lacking = settings_for(cluster.scheduler_address).model_copy(
        update={"model": ModelSettings(name=str(tmp_path / "nowhere"))}
    )
    with pytest.raises(ClusterError, match=r"worker tcp.* cannot read"), cluster_model(lacking):
        pass
