"""The demo, as a newcomer runs it: a real crawl, a real model, real statistics, a board that answers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from groundswell.configs.schema import Settings
from groundswell.index.open import OpenReader, open_reader
from groundswell.ui.report.today import look
from tests.elastic.server import free_port
from tests.ui.truth import false_goes, false_lead, false_links, false_sentences, numbers_with_links

pytestmark = pytest.mark.slow
NOW = "2026-11-22T17:00:00+00:00"
"""The story ends at this hour, so that the same alerts are to be found whenever the test runs."""


def _groundswell(folder: Path, *args: str) -> str:
    line = [sys.executable, "-c", "from groundswell.ui.cli import main; main()", *args]
    env = {**os.environ, "GROUNDSWELL_NOW": NOW}
    done = subprocess.run(line, cwd=folder, env=env, capture_output=True, text=True, timeout=2400, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the demo has run; what it said stands in said.txt."""
    root = tmp_path_factory.mktemp("demo")
    (root / "said.txt").write_text(_groundswell(root, "demo", "--once", "--port", str(free_port())), "utf-8")
    return root


@pytest.mark.timeout(2700)
def test_the_demo_finds_what_was_planted_and_its_board_answers(folder: Path) -> None:
    """All three risks, each after its onset, detected and not looked up; and no more alerts than a person reads."""
    said = (folder / "said.txt").read_text("utf-8")
    found = re.findall(r"^planted: (\w+), .*: found (\d+) h after onset$", said, re.MULTILINE)
    assert {name for name, _ in found} == {"deepfake_minister", "fake_sneaker_shop", "wrong_creator_bans"}, said
    assert "board: http://127.0.0.1:" in said
    assert len(re.findall(r"^  alert ", said, re.MULTILINE)) <= 20


def test_counts_of_the_demo_add_up(folder: Path) -> None:
    """In = stored + duplicate + refused, and at least three thousand dated documents are read."""
    said = (folder / "said.txt").read_text("utf-8")
    found, stored, twice, refused, undated = (
        int(number.replace(",", ""))
        for number in re.search(  # type: ignore[union-attr]  # the line is there or the test fails as it should
            r"([\d,]+) found = ([\d,]+) stored \+ ([\d,]+) already there \+ ([\d,]+) refused; ([\d,]+) undated", said
        ).groups()
    )
    assert found == stored + twice + refused
    assert stored - undated >= 3000


def test_search_and_sql_work_where_the_demo_has_run(folder: Path) -> None:
    """Without any configuration of one's own."""
    answer = json.loads(_groundswell(folder, "search", "广告", "--json", "--limit", "3"))
    assert answer["total"] > 10
    assert len(answer["hits"]) == 3
    rows = _groundswell(folder, "sql", "select count(*) as n from documents", "--json")
    assert json.loads(rows)["n"] >= 3000


def test_the_digest_of_the_demo_is_written(folder: Path) -> None:
    """As HTML and as text."""
    names = {path.suffix for path in (folder / ".groundswell" / "demo" / "digests").iterdir()}
    assert {".html", ".txt"} <= names


def test_every_sentence_about_a_signal_of_the_demo_is_true(folder: Path) -> None:
    """All signals, held ones too: each number of each sentence is recounted from the documents."""
    from groundswell.index.records import Signal

    with _reader(folder) as reader:
        signals = reader.recent(Signal, limit=100_000)
        assert len(signals) > 100
        assert list(false_sentences(reader, signals)) == []
        today = look(reader, _settings(folder), now=datetime.now(UTC))
        assert list(false_goes(reader, today.inbox.entries, today.now)) == []
        assert list(false_lead(reader, today)) == []


def test_every_number_on_the_demo_s_board_leads_to_a_search_that_finds_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Today, inbox, every alert, themes and the largest theme pages, search: thousands of links are followed."""
    from groundswell.configs.load import load_settings
    from groundswell.index.records import Theme
    from groundswell.ui.board import queries
    from groundswell.ui.board.launch import SETTINGS_VARIABLE, write_settings
    from tests.ui.test_views import _html, _open

    monkeypatch.chdir(folder)
    monkeypatch.setenv(SETTINGS_VARIABLE, str(write_settings(load_settings(), 1)))
    queries._answers.clear()
    queries._settings.cache_clear()
    with _reader(folder) as reader:
        largest = sorted(reader.recent(Theme, limit=5000), key=lambda theme: -theme.size)[:16]
        pages = [("today", ""), ("inbox", ""), ("themes", ""), ("sources", "")]
        pages += [("inbox", f"alert={entry.id}") for entry in queries.inbox().entries]
        pages += [("theme", f"theme={theme.id}") for theme in largest] + [("search", "q=iklan")]
        followed = 0
        for view, given in pages:
            html = _html(_open(view, **dict([given.split("=")] if given else [])))
            followed += len(numbers_with_links(html))
            assert list(false_links(reader, html, queries.now())) == [], (view, given)
        assert followed > 1000


def _settings(folder: Path) -> Settings:
    from groundswell.configs.load import load_settings

    settings = load_settings(folder / ".groundswell" / "config.yaml")
    return settings.model_copy(update={"data_dir": folder / ".groundswell" / "demo"})


def _reader(folder: Path) -> OpenReader:
    return open_reader(_settings(folder))
