"""The whole turn: killed anywhere and run again it ends where an undisturbed run ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from groundswell.configs.load import load_settings
from groundswell.crawlers.replica import tell
from groundswell.index.codec import to_json
from groundswell.index.open import open_reader
from groundswell.index.query import Query
from groundswell.index.records import Lineage, Record, Refusal, Signal, Theme

pytestmark = pytest.mark.slow
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
ITEMS = 400
"""Documents of the story that are taken: enough for themes and an alert, few enough to be read five times over."""
SOURCE = """\
format: file
kind: post
paths: [posts.jsonl]
columns: {text: text, published_at: at, id: id, author: who, lang: lang, market: market}
"""


@pytest.fixture(scope="module")
def posts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of dated posts, the newest of the replica web's story, with a line that is no JSON and a copy."""
    path = tmp_path_factory.mktemp("posts") / "posts.jsonl"
    items = sorted((item for item in tell(now=NOW, seed=7).items if item.published and item.text), key=_when)[-ITEMS:]
    rows = [
        {"id": str(i.number), "text": i.text, "at": _when(i), "who": i.author, "lang": i.lang, "market": i.market}
        for i in items
    ]
    lines = [json.dumps(row, ensure_ascii=False) for row in [*rows, rows[0]]]
    path.write_text("\n".join([*lines, "{not json"]) + "\n", "utf-8")
    return path


def _when(item: object) -> str:
    published = getattr(item, "published", None)
    return published.isoformat() if isinstance(published, datetime) and published < NOW else "2026-10-01T00:00:00+00:00"


def _folder(root: Path, posts: Path) -> Path:
    (root / "sources").mkdir(parents=True)
    (root / "sources" / "posts.jsonl").write_bytes(posts.read_bytes())
    (root / "sources" / "posts.yaml").write_text(SOURCE, "utf-8")
    (root / "groundswell.yaml").write_text("crawl: {sources: [sources]}\n", "utf-8")
    return root


def _run(folder: Path) -> subprocess.Popen[str]:
    env = {**os.environ, "GROUNDSWELL_NOW": NOW.isoformat(), "GROUNDSWELL_AUTHOR_SALT": "salt", "PYTHONUNBUFFERED": "1"}
    line = [sys.executable, "-c", "from groundswell.ui.cli import main; main()", "run"]
    return subprocess.Popen(
        line, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def _to_the_end(folder: Path) -> str:
    out, err = (process := _run(folder)).communicate(timeout=900)
    assert process.returncode == 0, err
    return out


def _killed_after(folder: Path, stage: str, seconds: float) -> None:
    """Kill a run so many seconds after it said that a stage is done (or after its start)."""
    process = _run(folder)
    assert process.stdout is not None
    while stage and not process.stdout.readline().startswith(stage):
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _state(folder: Path) -> dict[str, object]:
    """Return all that a store holds but the times at which work was done."""
    with open_reader(load_settings(folder / "groundswell.yaml", environ={})) as reader:
        documents = {each.id: to_json(each) for each in reader.scan(Query(with_vectors=True))}
        others: list[Record] = [
            *reader.recent(Theme),
            *reader.recent(Lineage),
            *reader.recent(Signal),
            *reader.recent(Refusal),
        ]
    found: dict[str, list[object]] = {}
    for each in sorted(others, key=lambda one: one.id):
        found.setdefault(type(each).__name__, []).append(to_json(each))
    return {"documents": documents, **found}


@pytest.fixture(scope="module")
def undisturbed(posts: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What a run leaves that nobody disturbs."""
    folder = _folder(tmp_path_factory.mktemp("undisturbed") / "run", posts)
    said = _to_the_end(folder)
    assert f"{ITEMS + 2:,} found = {ITEMS:,} stored + 1 already there + 1 refused" in said
    return _state(folder)


def test_an_undisturbed_run_reads_themes_and_counts_everything(undisturbed: dict[str, object]) -> None:
    """Every document is enriched and placed; what was refused says why."""
    documents = undisturbed["documents"]
    assert isinstance(documents, dict)
    assert len(documents) == ITEMS
    assert all(each["enriched"] and each["membership"] for each in documents.values())
    assert len(undisturbed["Theme"]) > 3  # type: ignore[arg-type]  # a list
    assert len(undisturbed["Refusal"]) == 1  # type: ignore[arg-type]  # a list


@pytest.mark.parametrize(
    ("stage", "seconds"),
    [("", 2.0), ("crawl", 3.0), ("enrich", 0.3), ("themes", 0.2), ("signals", 0.0)],
    ids=["crawl", "enrich", "themes", "signals", "export"],
)
def test_a_run_that_is_killed_and_repeated_ends_like_an_undisturbed_one(
    posts: Path, undisturbed: dict[str, object], tmp_path: Path, stage: str, seconds: float
) -> None:
    """Whichever stage SIGKILL hits: nothing is lost and nothing counted twice."""
    folder = _folder(tmp_path / "run", posts)
    _killed_after(folder, stage, seconds)
    _to_the_end(folder)
    assert _state(folder) == undisturbed
