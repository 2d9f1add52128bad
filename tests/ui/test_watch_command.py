"""`groundswell watch`: everything by itself, each source at its own cadence, stopped and told of in good order."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import pairwise
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from groundswell.configs.load import load_settings
from groundswell.configs.schema import Settings, WatchSettings
from groundswell.index.open import open_reader, open_store
from groundswell.index.query import Query
from groundswell.index.store import StoreError
from groundswell.ui.report.discretion import Cleaner, secrets_of
from groundswell.ui.watch.health import Health, Metrics, served
from groundswell.ui.watch.ledger import MOST_BYTES, Ledger, StageRun
from groundswell.ui.watch.logs import log_to
from groundswell.ui.watch.timetable import Timetable
from groundswell.ui.watch.watcher import StopAsked, Watcher, status_lines

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
LONG = 120.0
"""Seconds that something may take on a busy machine before a test gives up waiting for it."""


@dataclass
class Clocks:
    """A wall clock that anybody may set, and a steady one."""

    wall: datetime = NOW
    seconds: float = 1000.0

    def pass_by(self, seconds: float) -> None:
        """Let time go by on both."""
        self.wall += timedelta(seconds=seconds)
        self.seconds += seconds


@dataclass
class Plan:
    """A timetable with its clocks."""

    clocks: Clocks = field(default_factory=Clocks)

    def __post_init__(self) -> None:
        """Make the timetable."""
        self.table = Timetable(lambda: self.clocks.wall, lambda: self.clocks.seconds)


def test_each_source_is_due_at_its_own_cadence() -> None:
    """What has never been visited is due at once, what was visited lately when its own time has gone by."""
    plan = Plan()
    plan.table.plan("quick", 60, None)
    plan.table.plan("slow", 3600, NOW - timedelta(minutes=50))
    assert plan.table.due() == ["quick"]
    plan.table.done("quick")
    assert plan.table.due() == []
    assert plan.table.wait(1000) == 60
    plan.clocks.pass_by(61)
    assert plan.table.due() == ["quick"]
    plan.clocks.pass_by(600)
    assert sorted(plan.table.due()) == ["quick", "slow"]


def test_missed_runs_are_caught_up_once() -> None:
    """After three days away a source is due once, not 288 times."""
    plan = Plan()
    plan.table.plan("feed", 900, NOW - timedelta(days=3))
    assert plan.table.due() == ["feed"]
    plan.table.done("feed")
    assert plan.table.due() == []


@pytest.mark.parametrize("jump", [timedelta(days=-30), timedelta(days=30), timedelta(hours=-1)])
def test_a_clock_that_is_set_silences_nothing(jump: timedelta) -> None:
    """Set back or forward, the next visit comes after the cadence at the latest, and then at the cadence again."""
    plan = Plan()
    plan.table.plan("feed", 900, NOW)
    plan.clocks.wall += jump
    plan.clocks.seconds += 901
    assert plan.table.due() == ["feed"]
    plan.table.done("feed")
    assert plan.table.due() == []
    plan.clocks.pass_by(901)
    assert plan.table.due() == ["feed"]


def test_a_machine_that_slept_visits_when_it_wakes() -> None:
    """Asleep, the steady clock stands still and the wall clock goes on."""
    plan = Plan()
    plan.table.plan("feed", 900, NOW)
    plan.clocks.wall += timedelta(hours=8)
    assert plan.table.due() == ["feed"]


def test_a_last_visit_in_the_future_is_no_reason_to_wait() -> None:
    """It was written while the clock was wrong."""
    plan = Plan()
    plan.table.plan("feed", 900, NOW + timedelta(days=400))
    assert plan.table.due() == ["feed"]


# --- log lines -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "never"),
    [
        ("login of ops with hunter2hunter2 refused", "hunter2"),
        ("https://mei:geheim@feeds.example/rss failed", "geheim"),
        ("GET https://feeds.example/rss?token=abcdef123&x=1 failed", "abcdef123"),
        ("refused: mei.tan@example.org (550)", "mei.tan"),
        ("refused: mei.tän@example.org (550)", "mei.tän"),
        ("sample: call +65 9123 4567 now", "4567"),
        ("sample: โทร0812345678ด่วน", "0812345678"),
        ("card 4111 1111 1111 1111", "1111 1111"),
        ("two\nlines", "\n"),
        ("\x1b[31mred", "\x1b"),
        ("bidi \u202e mark", "\u202e"),
    ],
)
def test_a_log_line_holds_no_secret_and_nobodys_data(said: str, never: str) -> None:
    """Whoever wrote it: our own sentences quote servers and texts."""
    assert never not in Cleaner(["hunter2hunter2"])(said)


@pytest.mark.parametrize(
    "said", ["crawl: 12 sources, 1,234,567 found", "signals were looked for up to 2026-11-22T06:00:00", "why? because"]
)
def test_a_log_line_keeps_counts_and_times(said: str) -> None:
    """What is nobody's stays readable."""
    assert Cleaner([])(said) == said


def test_json_lines_are_objects_with_a_time_and_no_local_variables() -> None:
    """An error is told by kind, words and place."""
    stream, secret = StringIO(), "in a local variable"
    root = logging.getLogger()
    before = list(root.handlers), root.level
    log_to(Settings(watch=WatchSettings(log="json")), stream)
    try:
        try:
            raise ValueError(f"bad row of mei@example.org, {len(secret)}")
        except ValueError as error:
            logging.getLogger("x").error("it failed", exc_info=error, extra={"facts": {"stage": "enrich"}})
    finally:
        root.handlers[:], root.level = before[0], before[1]
        logging.captureWarnings(capture=False)
    line = json.loads(stream.getvalue())
    assert line["level"] == "error"
    assert line["stage"] == "enrich"
    assert line["message"].startswith("it failed: ValueError: bad row of […]")
    assert datetime.fromisoformat(line["time"]).tzinfo is not None
    assert secret not in stream.getvalue()


def test_the_secrets_are_those_that_the_settings_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of their variable, in every section."""
    monkeypatch.setenv("GROUNDSWELL_SMTP_PASSWORD", "hunter2hunter2")
    assert list(secrets_of(Settings())) == ["hunter2hunter2"]


# --- how it does -----------------------------------------------------------------------------------------------------


def test_a_part_without_a_sign_of_life_is_not_well() -> None:
    """Nor is a stage that failed three times in a row; one failure passes."""
    clocks = Clocks()
    health = Health(lambda: clocks.wall, lambda: clocks.seconds)
    health.beat("reading")
    health.went("enrich", "disk full")
    assert health.as_json()["status"] == "ok"
    health.went("enrich", "disk full")
    health.went("enrich", "disk full")
    assert "enrich failed 3 times in a row: disk full" in health.troubles()
    health.went("enrich")
    assert health.troubles() == []
    clocks.pass_by(1000)
    assert health.troubles() == ["reading gives no sign of life"]


def test_health_and_metrics_are_served_to_probes() -> None:
    """200 while all is well, 503 with the reason when not, 404 elsewhere."""
    clocks = Clocks()
    health, metrics = Health(lambda: clocks.wall, lambda: clocks.seconds), Metrics()
    metrics.ran("enrich", 1.5, failed=False, at=NOW)
    with served(health, metrics, "127.0.0.1", 0) as port:
        with urlopen(f"http://127.0.0.1:{port}/health") as answer:
            assert json.load(answer)["status"] == "ok"
        with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            told = answer.read().decode()
        assert 'groundswell_stage_runs_total{outcome="ok",stage="enrich"} 1.0' in told
        assert 'groundswell_stage_last_success_seconds{stage="enrich"}' in told
        for _ in range(3):
            health.went("themes", "no")
        with pytest.raises(HTTPError, match="503"):
            urlopen(f"http://127.0.0.1:{port}/health")
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"http://127.0.0.1:{port}/")


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    """In a sentence that names the setting."""
    clocks = Clocks()
    health, metrics = Health(lambda: clocks.wall, lambda: clocks.seconds), Metrics()
    with (
        served(health, metrics, "127.0.0.1", 0) as port,
        pytest.raises(OSError, match="choose watch"),
        served(health, metrics, "127.0.0.1", port),
    ):
        pass


def test_the_ledger_is_bounded_and_survives_a_torn_line(tmp_path: Path) -> None:
    """Newest first; a file that is full is put aside once."""
    ledger = Ledger(tmp_path)
    for k in range(3):
        ledger.note(StageRun("enrich", NOW.isoformat(), float(k), "x"))
    with (tmp_path / "runs.jsonl").open("a") as file:
        file.write('{"stage": "enr')
    assert [run.seconds for run in ledger.last(2)] == [2.0, 1.0]
    (tmp_path / "runs.jsonl").write_text("x" * (MOST_BYTES + 1))
    ledger.note(StageRun("themes", NOW.isoformat(), 9.0, "y"))
    assert [run.stage for run in ledger.last(5)] == ["themes"]
    assert (tmp_path / "runs.1.jsonl").exists()
    assert (tmp_path / "runs.jsonl").stat().st_mode & 0o077 == 0


def test_a_failing_stage_is_tried_again_ever_later_and_stops_nothing(tmp_path: Path) -> None:
    """Five seconds, ten, twenty … and at most five minutes; once it goes well the pause is forgotten."""
    clocks = Clocks()
    watcher = Watcher(Settings(data_dir=tmp_path), lambda: clocks.wall, steady=lambda: clocks.seconds)
    tried: list[float] = []

    def fails() -> tuple[str, str]:
        tried.append(clocks.seconds - 1000)
        raise OSError("No space left on device")

    for _ in range(400):
        watcher.stage("enrich", fails)
        clocks.pass_by(5)
    gaps = [b - a for a, b in pairwise(tried)]
    assert gaps[:4] == [5, 10, 20, 40]
    assert max(gaps) == 300
    assert "No space left on device" in watcher.health.troubles()[0]
    clocks.pass_by(400)
    watcher.stage("enrich", lambda: ("12 read", ""))
    assert watcher.health.troubles() == []
    assert watcher.ledger.last(1)[0].said == "12 read"


def test_what_cannot_be_read_keeps_nobody_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits on, and is looked at again when something comes, or after a while; a failing stage is another matter."""
    clocks, tried = Clocks(), list[str]()
    watcher = Watcher(Settings(data_dir=tmp_path), lambda: clocks.wall, steady=lambda: clocks.seconds)

    def reads_nothing(_: object) -> str:
        tried.append("enrich")
        return "1 read = 1 set aside before"

    monkeypatch.setattr(watcher, "_enrich", reads_nothing)
    monkeypatch.setattr(watcher, "_themes", lambda store: "")
    with open_store(watcher.settings) as store:
        assert watcher.worth_reading(news=False)
        watcher.read(store)
        assert not watcher.worth_reading(news=False)
        assert watcher.worth_reading(news=True)
        clocks.pass_by(601)
        assert watcher.worth_reading(news=False)

        def fails(_: object) -> str:
            raise OSError("disk full")

        monkeypatch.setattr(watcher, "_enrich", fails)
        watcher.read(store)
        assert watcher.worth_reading(news=False), "it is tried again by its own pauses"
    assert tried == ["enrich"]


def test_what_is_asked_to_stop_ends_at_its_next_step(tmp_path: Path) -> None:
    """A stage tells its progress; there it is stopped."""
    watcher = Watcher(Settings(data_dir=tmp_path), lambda: NOW)
    told = watcher.progress("reading")
    told(1, None, "enrich")
    watcher.stop.set()
    with pytest.raises(StopAsked):
        told(2, None, "enrich")


def test_a_watcher_that_is_gone_is_not_called_well() -> None:
    """Killed, it cannot say so: its last sign of life is too old."""
    clocks = Clocks()
    standing = {**Health(lambda: NOW, lambda: clocks.seconds).as_json(), "state": "running", "pid": 1}
    assert status_lines(standing, now=NOW)[1]
    lines, well = status_lines(standing, now=NOW + timedelta(hours=1))
    assert not well
    assert lines[0].startswith("gone")
    assert status_lines(None, now=NOW) == (["nothing watches here: groundswell watch"], False)


# --- as a whole ------------------------------------------------------------------------------------------------------

SOURCE = """\
format: file
kind: post
paths: [{name}.jsonl]
every_minutes: {every}
columns: {{text: text, published_at: at, id: id, author: who}}
"""


def _post(folder: Path, name: str, number: int) -> None:
    row = {
        "id": f"{name}{number}", "who": "Mei Tan", "at": "2026-11-22T05:00:00+00:00",
        "text": f"number {number}: the ad took my money, write to mei.tan@example.org",
    }  # fmt: skip
    with (folder / f"{name}.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with two sources, one of them visited every three seconds, the other once a week."""
    sources = tmp_path / "sources"
    sources.mkdir()
    for name, every in (("quick", 0.05), ("weekly", 10080)):
        (sources / f"{name}.yaml").write_text(SOURCE.format(name=name, every=every))
        _post(sources, name, 0)
    (tmp_path / "groundswell.yaml").write_text(
        "crawl: {sources: [sources], shipped: false}\nwatch: {log: json}\n", "utf-8"
    )
    return tmp_path


def _start(place: Path, *words: str, log: int = subprocess.PIPE) -> subprocess.Popen[str]:
    env = {**os.environ, "OMP_NUM_THREADS": "1", "GROUNDSWELL_AUTHOR_SALT": "saltsalt"}
    line = [sys.executable, "-c", "from groundswell.ui.cli import main; main()", *words]
    return subprocess.Popen(line, cwd=place, env=env, stdout=subprocess.PIPE, stderr=log, text=True)


@pytest.fixture
def watching(place: Path) -> Iterator[subprocess.Popen[str]]:
    """A watcher in a process of its own."""
    with (place / "log").open("w") as log:
        process = _start(place, "watch", log=log.fileno())
        yield process
        process.kill()
        process.communicate()


def _placed(place: Path) -> int:
    """Return how many documents have been read and placed."""
    settings = load_settings(place / "groundswell.yaml", environ={})
    try:
        with open_reader(settings) as reader:
            return sum(d.enriched is not None and d.membership is not None for d in reader.scan(Query()))
    except StoreError:  # there is none yet
        return -1


def _wait_for(place: Path, count: int, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + LONG
    while _placed(place) < count:
        assert process.poll() is None, (place / "log").read_text()
        assert time.monotonic() < until, (place / "log").read_text()
        time.sleep(0.3)


@pytest.mark.slow
def test_a_watcher_reads_what_comes_alone_and_stops_in_good_order(place: Path, watching: subprocess.Popen[str]) -> None:
    """New rows are read and placed; a stage beside it ends in a sentence; SIGTERM ends it with nothing lost."""
    _wait_for(place, 2, watching)
    for beside in (("enrich",), ("themes",), ("signals",), ("crawl",), ("run",), ("watch",), ("import", "sources")):
        other = _start(place, *beside)
        said = other.communicate(timeout=LONG)[1]
        assert other.returncode == 1, (beside, said)
        assert "another run works in" in said
        assert "Traceback" not in said
    _post(place / "sources", "quick", 1)
    _post(place / "sources", "weekly", 1)
    _wait_for(place, 3, watching)
    status = _start(place, "watch", "--status")
    assert status.communicate(timeout=LONG)[0].startswith("ok, watching since")
    assert status.returncode == 0
    watching.send_signal(signal.SIGTERM)
    assert watching.wait(LONG) == 0
    assert _placed(place) == 3, "the source that is visited weekly was visited again"
    status = _start(place, "watch", "--status")
    assert status.communicate(timeout=LONG)[0].startswith("stopped")
    assert status.returncode == 1
    lines = [json.loads(line) for line in (place / "log").read_text().splitlines()]
    assert {"started", "stopping", "stopped"} <= {line.get("event") for line in lines}
    assert {"crawl", "enrich", "themes"} <= {line.get("stage") for line in lines}
    for kept in (place / "log", place / ".groundswell" / "runs.jsonl", place / ".groundswell" / "watch.json"):
        assert "example.org" not in kept.read_text()
        assert "saltsalt" not in kept.read_text()
    runs = _start(place, "watch", "--runs", "20").communicate(timeout=LONG)[0]
    assert "1 read = 1 enriched" in runs or "2 read = 2 enriched" in runs
