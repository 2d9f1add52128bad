"""What themes cost a day of new documents, beside BERTopic's own ways: refit all, or refit a day and merge.

    python bench/refit.py STREAM SIZE… [--whole]

STREAM is JSON lines (text, lang), vectors come from GROUNDSWELL_VECTOR_CACHE: the documents of `bench/turn.py`, so many
over 60 days, and one day more. Each way is a process of its own on the same texts and vectors, one thread, and CPU
seconds count, imports and compiling left out of BERTopic's (a first, small fit goes before).

- *ours*: the themes of a store that holds the past take in the day.
- *a day, merged*: BERTopic is fitted to the day and merged into a model of the week before (`merge_models`): the way
  for growing streams that its documentation gives, and the first half of BERTrend's (which merges topic by topic, by
  the same likeness). Its models of the days before are there already.
- *whole* (``--whole``): BERTopic is fitted to all anew.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import turn

WEEK = 7
COMPILED = 300
"""Documents of the fit that compiles UMAP before anything is timed."""


def cpu() -> float:
    """Return the CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def texts_of(stream: Path, size: int, day: int) -> tuple[list[str], np.ndarray]:
    """Return the texts of the past and of the day, and their vectors as they are in the store."""
    from groundswell.configs.schema import Settings
    from groundswell.nlp.model.model import load_model
    from groundswell.nlp.model.vector_cache import encode

    turn.NEW = day
    rows = turn.rows(stream, size)
    vectors = encode(load_model(Settings().model), [row["text"] for row in rows])
    noise = [np.random.default_rng(k).normal(0, 0.004, vectors.shape[1]) for k in range(len(rows))]
    moved = vectors + np.array(noise)
    return [row["text"] for row in rows], moved / np.linalg.norm(moved, axis=1, keepdims=True)


def fitted(texts: Sequence[str], vectors: np.ndarray) -> Any:
    """Return BERTopic's model with its defaults."""
    from bertopic import BERTopic
    from bertopic.backend import BaseEmbedder
    from umap import UMAP

    reduced = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=0)
    model = BERTopic(embedding_model=BaseEmbedder(), umap_model=reduced)
    model.fit(list(texts), embeddings=vectors)
    return model


def merged(stream: Path, size: int, day: int) -> dict[str, Any]:
    """Return what it costs to fit a day and to merge it into the week before."""
    from bertopic import BERTopic

    texts, vectors = texts_of(stream, size, day)
    days = [slice(size - k * day, size - (k - 1) * day) for k in range(WEEK, 0, -1)]
    before = BERTopic.merge_models([fitted(texts[each], vectors[each]) for each in days])
    begun = cpu()
    model = BERTopic.merge_models([before, fitted(texts[size:], vectors[size:])])
    return {"cpu_s": round(cpu() - begun, 2), "topics": len(model.get_topics())}


def whole(stream: Path, size: int, day: int) -> dict[str, Any]:
    """Return what it costs to fit all anew."""
    texts, vectors = texts_of(stream, size, day)
    fitted(texts[:COMPILED], vectors[:COMPILED])
    begun = cpu()
    return {"topics": len(fitted(texts, vectors).get_topics()), "cpu_s": round(cpu() - begun, 2)}


def ours(folder: Path, stream: Path, size: int, day: int, part: str) -> dict[str, Any]:
    """Fill a store with the past or with the day, or let themes take it in; return what that cost."""
    turn.NEW = day
    if part == "take":
        return turn.stage(folder, "themes")
    turn.fill(folder, stream, size, new=part == "day")
    return {}


def run(*arguments: object) -> dict[str, Any]:
    """Run a part of this file in a process of its own and return what it said."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    command = [sys.executable, __file__, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr[-3000:])
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def compare(stream: Path, size: int, *, with_whole: bool) -> None:
    """Print a line for each way, and how many times less ours costs."""
    day = size // turn.DAYS
    with tempfile.TemporaryDirectory() as folder:
        for part in ("past", "take", "day"):
            run(stream, size, "--part", part, "--folder", folder)
        mine = run(stream, size, "--part", "take", "--folder", folder)
    print(json.dumps({"size": size, "day": day, "way": "ours", **mine}), flush=True)
    for way in ["merged", *(["whole"] if with_whole else [])]:
        told = run(stream, size, "--part", way)
        times = round(told["cpu_s"] / mine["cpu_s"], 1)
        print(json.dumps({"size": size, "day": day, "way": way, **told, "times ours": times}), flush=True)


def main() -> None:
    """Read the arguments and do it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stream", type=Path)
    parser.add_argument("sizes", type=int, nargs="+")
    parser.add_argument("--whole", action="store_true", help="fit BERTopic to all documents, too (minutes)")
    parser.add_argument("--part")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.part is None:
        for size in given.sizes:
            compare(given.stream, size, with_whole=given.whole)
        return
    size, day = given.sizes[0], given.sizes[0] // turn.DAYS
    ways = {"merged": merged, "whole": whole}
    if given.part in ways:
        print(json.dumps(ways[given.part](given.stream, size, day)))
    else:
        print(json.dumps(ours(given.folder, given.stream, size, day, given.part)))


if __name__ == "__main__":
    main()
