"""The whole turn: killed in every stage and run again it ends where an undisturbed run ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from groundswell.configs.load import load_settings
from groundswell.crawlers.replica import tell
from groundswell.index.codec import to_json
from groundswell.index.open import open_reader
from groundswell.index.query import Query
from groundswell.index.records import Lineage, Record, Refusal, Signal, Theme
from groundswell.ui.pipeline import STAGES

pytestmark = pytest.mark.slow
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
ITEMS = 400
"""Documents of the story that are taken: enough for themes and an alert, few enough to be read twice over."""
SOURCE = """\
format: file
kind: post
paths: [posts.jsonl]
columns: {text: text, published_at: at, id: id, author: who, lang: lang, market: market}
"""
KILLED = """
import os, signal, sys
from pathlib import Path
from groundswell.ui.cli import main
from groundswell.ui.pipeline import STEPS

stage, write = sys.argv.pop(1), int(sys.argv.pop(1))

def dying(write_it):
    def writes(*given):
        global write
        write -= 1
        done = write_it(*given)
        if write == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return done
    return writes

def deadly(store, *given, step=STEPS[stage]):
    store.put = dying(store.put)
    Path.replace = dying(Path.replace)
    return step(store, *given)

STEPS[stage] = deadly
main()
"""
"""A run that is gone as soon as a stage has written so many times, to the store or by renaming a file."""
DEATHS = (("crawl", 2), ("enrich", 1), ("themes", 1), ("signals", 1), ("export", 3), ("digest", 1))


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
    (root / "groundswell.yaml").write_text("crawl: {sources: [sources], shipped: false}\n", "utf-8")
    return root


def _run(folder: Path, *killed: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "GROUNDSWELL_NOW": NOW.isoformat(), "GROUNDSWELL_AUTHOR_SALT": "salt"}
    code = KILLED if killed else "from groundswell.ui.cli import main; main()"
    line = [sys.executable, "-c", code, *killed, "run"]
    return subprocess.run(line, cwd=folder, env=env, capture_output=True, text=True, timeout=900, check=False)


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
    done = _run(folder)
    assert done.returncode == 0, done.stderr
    assert f"{ITEMS + 2:,} found = {ITEMS:,} stored + 1 already there + 1 refused" in done.stdout
    return _state(folder)


def test_an_undisturbed_run_reads_themes_and_counts_everything(undisturbed: dict[str, object]) -> None:
    """Every document is enriched and placed; what was refused says why."""
    documents = undisturbed["documents"]
    assert isinstance(documents, dict)
    assert len(documents) == ITEMS
    assert all(each["enriched"] and each["membership"] for each in documents.values())
    assert len(undisturbed["Theme"]) > 3  # type: ignore[arg-type]  # a list
    assert len(undisturbed["Refusal"]) == 1  # type: ignore[arg-type]  # a list


def test_a_run_killed_in_every_stage_ends_like_an_undisturbed_one(
    posts: Path, undisturbed: dict[str, object], tmp_path: Path
) -> None:
    """SIGKILL in the middle of one stage after the other: nothing is lost and nothing counted twice."""
    folder = _folder(tmp_path / "run", posts)
    for stage, write in DEATHS:
        killed = _run(folder, stage, str(write))
        assert killed.returncode == -signal.SIGKILL, f"{stage}: {killed.stderr}"
        said = [line.split()[0] for line in killed.stdout.splitlines() if not line.startswith(" ")]
        assert said == list(STAGES[: STAGES.index(stage)])  # it died in this stage and in no other
    last = _run(folder)
    assert last.returncode == 0, last.stderr
    assert _state(folder) == undisturbed
    assert not list((folder / ".groundswell").rglob("*.part"))
