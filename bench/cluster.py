"""What a cluster costs and brings: the same texts read in this process, and by one and by two workers.

    python bench/cluster.py [--texts N]

Each worker is a process of one thread on this machine; start-up and the loading of models are left out. Printed are
documents a second, the ratio of two workers to one, and what the engine costs with one worker beside one process.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

import distributed

from groundswell.configs.schema import ModelSettings, ScaleSettings, Settings
from groundswell.nlp.enrich.cluster import cluster_model
from groundswell.nlp.model.model import load_model

MODEL = ModelSettings(threads=1)
PARTS = (
    "I was charged twice for an ad account that was banned", "the same deepfake of a minister sells crypto again",
    "iklan judi online muncul terus di setiap video", "โฆษณาหลอกลงทุนเต็มฟีดไปหมด", "退款一直没有到账，客服也不回复",
    "too many ads although I pay for premium", "quảng cáo lừa đảo giả mạo ngân hàng",
    "love the new update, no complaints",
)  # fmt: skip


def texts(count: int) -> list[str]:
    """Return posts of some 25 tokens, each another."""
    return [f"{PARTS[k % len(PARTS)]}, {PARTS[(k // 8 + 3) % len(PARTS)]} {k}" for k in range(count)]


def rate(read: Callable[[Sequence[str]], object], posts: Sequence[str]) -> float:
    """Return documents a second, after a first batch that wakes everything."""
    read(posts[:512])
    began = time.monotonic()
    for begin in range(512, len(posts), 1024):
        read(posts[begin : begin + 1024])
    return (len(posts) - 512) / (time.monotonic() - began)


def with_workers(count: int, posts: Sequence[str]) -> float:
    """Return documents a second of so many workers."""
    make: Any = distributed.LocalCluster
    with make(
        n_workers=count, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        settings = Settings(model=MODEL, scale=ScaleSettings(scheduler=cluster.scheduler_address, patience_seconds=60))
        with cluster_model(settings) as model:
            return rate(model.read, posts)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=4608)
    posts = texts(parser.parse_args().texts)
    alone = rate(load_model(MODEL).read, posts)
    one, two = with_workers(1, posts), with_workers(2, posts)
    print(f"one process, one thread  {alone:8.1f} documents/s")
    print(f"one worker               {one:8.1f} documents/s   {one / alone:.2f} × one process")
    print(f"two workers              {two:8.1f} documents/s   {two / one:.2f} × one worker")


if __name__ == "__main__":
    main()
