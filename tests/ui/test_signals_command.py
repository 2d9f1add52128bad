"""Alerts in the terminal: listed with their ids, decided by them, and what judgements teach shown before it counts."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner, Result

from groundswell.index.records import Decision, Label
from groundswell.ui.cli import cli
from groundswell.ui.commands.signals import SHOWN
from groundswell.ui.report.inbox import Status
from tests.ui.seed import World, signal_id

FAKE = signal_id("deepfake")


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> object:
    """Return what runs a command on the seeded store at its hour, each a second after the one before."""
    seconds = count()

    def invoke(*args: str) -> Result:
        monkeypatch.setenv("GROUNDSWELL_NOW", (world.now + timedelta(seconds=next(seconds))).isoformat())
        return CliRunner().invoke(cli, ["--set", f"data_dir={world.settings.data_dir}", *args])

    return invoke


def test_the_list_prints_ids_and_says_no_more_than_was_looked_at(run) -> None:  # type: ignore[no-untyped-def]
    """Each alert begins with its id; the last line says what was never looked for instead of calling it calm."""
    said = run("signals", "--list").output
    assert f"{FAKE}  " in said
    assert "CRITICAL" in said
    assert "31\N{NO-BREAK SPACE}%" in said.split("Rising, not yet sure")[1]
    assert said.rstrip().endswith("signals have not been looked for yet: groundswell signals")
    assert "usual range" not in said


def test_alerts_are_decided_by_their_ids(run, world: World) -> None:  # type: ignore[no-untyped-def]
    """Confirm, dismiss, snooze, assign and take back; who and why stand in the store."""
    shoes = signal_id("sneakers")
    assert run("signals", "confirm", FAKE, shoes, "--by", "mei").output == "2 alerts confirmed\n"
    assert run("signals", "reopen", FAKE).output == "1 alert waiting again\n"
    assert run("signals", "dismiss", FAKE, "--reason", "false alarm").exit_code == 0
    assert run("signals", "snooze", shoes, "--reason", "known", "--days", "3").exit_code == 0
    assert run("signals", "assign", FAKE, "--to", "noor").exit_code == 0
    listed = run("signals", "--list", "--show", "dismissed").output
    assert FAKE in listed
    assert "noor's" in listed
    with world.reader() as reader:
        assert {d.what for d in reader.recent(Decision)} == {
            "confirmed",
            "reopened",
            "dismissed",
            "snoozed",
            "assigned",
        }


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("confirm", "x"), "there is no alert 'x'"),
        (("dismiss", FAKE, "--reason", " "), "a dismissal needs a reason"),
        (("snooze", FAKE, "--reason", "known", "--days", "1000"), "up to 90 days"),
        (("merge", FAKE, FAKE), "not with itself"),
    ],
)
def test_what_cannot_be_done_is_wrong_usage(run, args: tuple[str, ...], said: str) -> None:  # type: ignore[no-untyped-def]
    """The sentence says what to do instead."""
    result = run("signals", *args)
    assert result.exit_code == 1  # click's runner; `main` turns it into 2
    assert said in str(result.exception)


def test_every_alert_that_fired_is_one_json_object_a_line(run) -> None:  # type: ignore[no-untyped-def]
    """Newest first, with its id."""
    rows = [json.loads(line) for line in run("signals", "--list", "--json").output.splitlines()]
    assert rows[0]["at"] >= rows[-1]["at"]
    assert FAKE in {row["id"] for row in rows}
    assert all(row["fired"] for row in rows)


def test_what_judgements_teach_is_shown_before_it_counts(run, world: World) -> None:  # type: ignore[no-untyped-def]
    """Too few say so; enough show every change; nothing counts before it is accepted, and it can be taken back."""
    from dataclasses import replace

    from groundswell.index.records import Signal
    from groundswell.nlp.signals.alerts.feedback import current

    assert "too few judgements" in run("signals", "learn").output
    with world.store() as store:
        alert = store.get(Signal, FAKE)
        assert alert is not None
        for k in range(12):
            told = replace(alert, id=f"s{k}", theme="", strength=0.1, held_by="")
            store.put([replace(told, kind="spread") if k % 2 else told])
            value = "false" if k % 2 else "confirmed"
            store.put(
                [Label(id=f"l{k}", subject=f"s{k}", field="disposition", value=value, annotator="mei", at=world.now)]
            )
    shown = run("signals", "learn").output
    assert "judged alerts" in shown
    assert "(false)" in shown
    with world.reader() as reader:
        assert not current(reader).weights
    assert "accepted" in run("signals", "learn", "--accept", "--by", "mei").output
    with world.reader() as reader:
        assert current(reader).weights
    assert "as it came" in run("signals", "learn", "--forget").output
    with world.reader() as reader:
        assert not current(reader).weights


def test_statuses_are_those_of_the_inbox() -> None:
    """They are spelt out in the command only for the sake of quick help."""
    assert set(SHOWN) == {*get_args(Status), "all"}


def test_wrong_usage_and_a_missing_store_have_their_exit_codes(tmp_path: Path, world: World) -> None:
    """2 for an id that is not there, whatever asked for it."""
    import subprocess
    import sys

    call = [sys.executable, "-c", "from groundswell.ui.cli import main; main()"]
    own = ["--set", f"data_dir={world.settings.data_dir}"]
    for args in (["signals", "confirm", "x"], ["case", "show", "x"], ["case", "open", "x"]):
        done = subprocess.run([*call, *own, *args], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 2, (args, done.stderr)
        assert "there is no" in done.stderr
