"""A backup while everything goes on, the way back, and examples of services that say what the commands understand."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from groundswell.index.open import database, open_store
from groundswell.index.query import Query
from groundswell.index.records import Mention
from groundswell.ui.cli import cli
from groundswell.ui.pipeline import only_one
from tests.index.makers import mention
from tests.ui.seed import World

EXAMPLES = Path(__file__).parents[2] / "configs" / "examples" / "service"


def _run(world: World, *words: str) -> Any:
    return CliRunner().invoke(cli, ["--set", f"data_dir={world.settings.data_dir}", *words])


def test_a_backup_while_somebody_writes_is_whole_and_comes_back(world: World, tmp_path: Path) -> None:
    """Every document that was there before it began is in it; the restored store answers."""
    beside = {"author.salt": "saltsalt", "unsubscribe.key": "keykey", "learned/current.npz": "heads"}
    (world.settings.data_dir / "learned").mkdir()
    for name, content in beside.items():
        (world.settings.data_dir / name).write_text(content)
    with world.store() as store:
        before = {document.id for document in store.scan(Query())}
    stop = threading.Event()

    def write() -> None:
        with open_store(world.settings) as store:
            for k in range(10_000):
                if stop.is_set():
                    return
                store.put([mention(id=f"meanwhile{k}")])

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert _run(world, "backup", str(tmp_path / "copy")).exit_code == 0
    finally:
        stop.set()
        thread.join()
    assert (tmp_path / "copy" / "groundswell.db").stat().st_mode & 0o077 == 0
    shutil.rmtree(world.settings.data_dir)
    assert _run(world, "backup", str(tmp_path / "copy"), "--restore").exit_code == 0
    with world.store() as store:
        after = {document.id for document in store.scan(Query())}
    assert before <= after
    assert {name: (world.settings.data_dir / name).read_text() for name in beside} == beside


def test_a_restore_overwrites_nothing_unasked_and_keeps_what_was_there(world: World, tmp_path: Path) -> None:
    """It is said, and --force keeps the old store beside."""
    _run(world, "backup", str(tmp_path))
    with world.store() as store:
        store.put([replace(mention(id="later"))])
    refused = _run(world, "backup", str(tmp_path), "--restore")
    assert refused.exception is not None
    assert "--force" in str(refused.exception)
    assert _run(world, "backup", str(tmp_path), "--restore", "--force").exit_code == 0
    with world.store() as store:
        assert store.get(Mention, "later") is None
    assert database(world.settings).with_name("groundswell.db.before").exists()


def test_a_copy_that_is_not_whole_is_refused(world: World, tmp_path: Path) -> None:
    """Torn, or no store at all."""
    _run(world, "backup", str(tmp_path))
    copy = tmp_path / "groundswell.db"
    raw = copy.read_bytes()
    for torn in (raw[: len(raw) // 2], b"no database" * 1000):
        copy.write_bytes(torn)
        said = _run(world, "backup", str(tmp_path), "--restore", "--force")
        assert said.exit_code != 0
    with world.store() as store:
        assert store.search(Query(limit=1)).total > 0


def test_nothing_is_restored_beside_a_run(world: World, tmp_path: Path) -> None:
    """The lock is asked for."""
    _run(world, "backup", str(tmp_path))
    with only_one(world.settings):
        said = _run(world, "backup", str(tmp_path), "--restore", "--force")
    assert "another run works in" in str(said.exception)


def _calls() -> dict[str, list[str]]:
    unit = (EXAMPLES / "groundswell.service").read_text()
    line = next(line for line in unit.splitlines() if line.startswith("ExecStart="))
    compose = YAML(typ="safe").load(EXAMPLES / "compose.yaml")["services"]["watch"]
    pod = YAML(typ="safe").load(EXAMPLES / "kubernetes.yaml")["spec"]["template"]["spec"]["containers"][0]
    return {
        "systemd": shlex.split(line.removeprefix("ExecStart="))[1:],
        "compose": compose["command"][1:],
        "compose health": compose["healthcheck"]["test"][2:],
        "kubernetes": pod["args"][1:],
    }


@pytest.mark.parametrize("name", ["systemd", "compose", "compose health", "kubernetes"])
def test_every_example_calls_a_command_that_there_is(name: str) -> None:
    """With options that it has."""
    words = _calls()[name]
    at = words.index("watch")
    cli.make_context("groundswell", [*words[: at + 1], "--help"], resilient_parsing=True)
    command = cli.get_command(click.Context(cli), "watch")
    assert command is not None
    command.make_context("watch", words[at + 1 :], parent=click.Context(cli, help_option_names=["-h", "--help"]))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here to ask")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """Its own check, with a program that is there in the place of ours."""
    text = (EXAMPLES / "groundswell.service").read_text().replace("/opt/groundswell/bin/groundswell", "/bin/true")
    unit = tmp_path / "groundswell.service"
    unit.write_text(text.replace("User=groundswell\n", ""))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert "groundswell.service" not in done.stderr, done.stderr


def test_two_watchers_never_share_a_folder_in_the_examples() -> None:
    """Kubernetes ends the old one before it starts the new."""
    deployment = YAML(typ="safe").load(EXAMPLES / "kubernetes.yaml")["spec"]
    assert (deployment["replicas"], deployment["strategy"]["type"]) == (1, "Recreate")
