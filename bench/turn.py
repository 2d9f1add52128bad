"""What a turn costs when little is new: themes and signals of a store that already holds a past, beside another build.

    python bench/turn.py STREAM SIZE… [--beside PYTHON] [--stages signals,themes]

STREAM is JSON lines (text, lang). Each store is filled with so many of its documents, spread over 60 days and three
markets (two in three with other words of the same stream beyond its length); the stages run by the product's own code,
200 documents are added, and they run again. Every run is a process of its own, and CPU seconds count. With
``--beside`` the same is done with another build's python in the same run. Vectors come from GROUNDSWELL_VECTOR_CACHE.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

NEW, DAYS, BATCH = 200, 60, 2000
MARKETS = ("SG", "MY", "ID")


def either(*names: str) -> Any:
    """Return the first module that a build has."""
    for name in names[:-1]:
        try:
            return import_module(name)
        except ModuleNotFoundError:
            continue
    return import_module(names[-1])


def rows(stream: Path, count: int) -> list[dict[str, Any]]:
    """Return so many documents and `NEW` more, those beyond the stream's length repeated under other ids."""
    found: list[dict[str, Any]] = [json.loads(line) for line in stream.read_text("utf-8").splitlines()]
    while len(found) < count + NEW:
        more = found[: count + NEW - len(found)]
        found += [dict(row, id=f"{row['id']}-{len(found) + k}") for k, row in enumerate(more)]
    return found[: count + NEW]


def fill(folder: Path, stream: Path, count: int, *, new: bool) -> None:
    """Put documents into the store of a folder: the past, or what is new."""
    from groundswell.configs.schema import Settings
    from groundswell.index.open import open_store
    from groundswell.index.records import Enriched, Mention, Record, Sentiment

    settings = Settings(data_dir=folder)
    model = either("groundswell.nlp.model.model", "groundswell.nlp.model").load_model(settings.model)
    cache = either("groundswell.nlp.model.vector_cache", "groundswell.nlp.vector_cache")
    given = list(enumerate(rows(stream, count)))
    part = given[count:] if new else given[:count]
    vectors = cache.encode(model, [row["text"] for _, row in part])
    end, span = datetime.now(UTC).replace(microsecond=0), timedelta(days=DAYS)
    if (folder / "end").exists():
        end = datetime.fromisoformat((folder / "end").read_text())
    (folder / "end").write_text(end.isoformat())
    records: list[Record] = []
    for (k, row), vector in zip(part, vectors, strict=True):
        at, name = end - span + span * (k / (count + NEW)), f"d{k:07d}"
        moved = vector + np.random.default_rng(k).normal(0, 0.004, vector.shape).astype(np.float32)
        text = row["text"] + (f" {k}" if "-" in str(row["id"]) else "")
        records += [
            Mention(
                id=name, source="replay", kind="review", text=text, fetched_at=at, published_at=at,
                date_confidence="exact", author_key=f"a{k % 9973}", lang=row.get("lang", ""), market=MARKETS[k % 3],
            ),
            Enriched(
                id=name, lang=row.get("lang") or "en", made_by=model.made_by, duplicate_of=name,
                sentiment=Sentiment(label="negative", negative=0.8, neutral=0.1, positive=0.1),
                risks={"ad_experience": 0.6} if k % 5 == 0 else {}, vector=moved / np.linalg.norm(moved),
            ),
        ]  # fmt: skip
    with open_store(settings) as store:
        for start in range(0, len(records), BATCH):
            store.put(records[start : start + BATCH])


def stage(folder: Path, name: str) -> dict[str, Any]:
    """Run a stage and return what it cost: CPU and wall seconds, peak memory (MB), what it said."""
    from groundswell.configs.schema import Settings
    from groundswell.index.open import open_store

    settings, now = Settings(data_dir=folder), datetime.now(UTC)
    begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
    with open_store(settings) as store:
        if name == "themes":
            said = str(import_module("groundswell.nlp.themes.stage").update_themes(store, settings, now=now))
        else:
            found = import_module("groundswell.nlp.signals.stage").find_signals(store, settings, now=now)
            said = f"{len(found)} signals, {sum(signal.fired for signal in found)} alerts"
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    wall = time.monotonic() - begun
    return {"cpu_s": round(cpu, 2), "wall_s": round(wall, 1), "peak_mb": after.ru_maxrss // 1024, "said": said[:120]}


def compare(stream: Path, sizes: Sequence[int], builds: Sequence[str], stages: Sequence[str]) -> None:
    """Run every size with every build and print a line for each stage."""
    for size in sizes:
        for python in builds:
            with tempfile.TemporaryDirectory() as folder:
                for turn, new in (("first", False), ("next", True)):
                    run(python, ["--fill", folder, "--new" if new else "--past", str(stream), str(size)])
                    for name in stages:
                        told = run(python, ["--stage", name, "--fill", folder, str(stream), str(size)])
                        print(json.dumps({"build": python, "size": size, "turn": turn, "stage": name, **told}), flush=True)  # fmt: skip  # noqa: E501


def run(python: str, arguments: Sequence[str]) -> dict[str, Any]:
    """Run this file in a build and return what it printed."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": ""}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as installed: compiled once, not by every turn
    environment["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir()) / "groundswell-turn-bytecode")
    done = subprocess.run([python, __file__, *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr[-3000:])
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1]) if done.stdout.strip() else {}
    return told


def main() -> None:
    """Read the arguments and do it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stream", type=Path)
    parser.add_argument("sizes", type=int, nargs="+")
    parser.add_argument("--beside", default="")
    parser.add_argument("--stages", default="themes,signals")
    parser.add_argument("--stage")
    parser.add_argument("--fill", type=Path)
    parser.add_argument("--new", action="store_true")
    parser.add_argument("--past", action="store_true")
    given = parser.parse_args()
    if given.stage:
        print(json.dumps(stage(given.fill, given.stage)))
    elif given.fill:
        fill(given.fill, given.stream, given.sizes[0], new=given.new)
    else:
        builds = [*([given.beside] if given.beside else []), sys.executable]
        compare(given.stream, given.sizes, builds, given.stages.split(","))


if __name__ == "__main__":
    main()
