"""Whatever a person changes or takes away stands in the log: who, when, what, before and after, and no texts."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from groundswell.configs.taxonomy import load_taxonomy
from groundswell.index.audit import ROWS, Audit, Row
from groundswell.index.records import Case, Document, Task, Theme
from groundswell.index.store import Conflict
from groundswell.ui.cli import cli, main
from groundswell.ui.desk import Desk
from groundswell.ui.labelling import Labelling
from groundswell.ui.theme_desk import ThemeDesk
from tests.ui.seed import World, signal_id, theme_id

UI = Path(__file__).parents[2] / "ui"


def _rows(world: World) -> list[Row]:
    return Audit(world.settings.data_dir).rows()


def _call(world: World, *args: str) -> Result:
    return CliRunner().invoke(cli, ["--set", f"data_dir={world.settings.data_dir}", *args])


def test_every_write_of_a_person_has_its_row(world: World) -> None:
    """With who, what, of what, and what it was before."""
    with world.store() as store:
        desk = Desk(store, Audit(world.settings.data_dir))
        case = desk.open_case(signal_id("sneakers"), by="mei", owner="mei", now=world.now)
        desk.edit_case(case.id, by="arif", now=world.now, owner="arif", note="secret words")
        desk.dismiss([signal_id("deepfake")], reason="false alarm", by="mei", now=world.now)
        desk.reopen([signal_id("deepfake")], by="arif", now=world.now)
        saved = desk.save_search("secret name", "secret words", by="mei", now=world.now)
        desk.forget_search(saved.id, by="arif")
        desk.unlearn(by="mei")
    found = [(row.who, row.what, row.subject) for row in _rows(world)]
    assert found == [
        ("mei", "write case", case.id),
        ("mei", "write decision", signal_id("sneakers")),
        ("arif", "write case", case.id),
        ("mei", "write label", signal_id("deepfake")),
        ("mei", "write decision", signal_id("deepfake")),
        ("arif", "delete label", signal_id("deepfake")),
        ("arif", "write decision", signal_id("deepfake")),
        ("mei", "write saved search", saved.id),
        ("arif", "delete saved search", saved.id),
        ("mei", "forget learning", "ranking"),
    ]
    edit = _rows(world)[2]
    assert (edit.before["owner"], edit.after["owner"]) == ("mei", "arif")
    assert "secret" not in (world.settings.data_dir / ROWS).read_text()


def test_themes_and_labels_have_their_rows(world: World) -> None:
    """A theme renamed by hand, a document labelled and ruled about."""
    audit = Audit(world.settings.data_dir)
    with world.store() as store:
        document = store.recent(Document, limit=1)[0].id
        ThemeDesk(store, audit).rename(theme_id("slots"), "secret title", by="mei", now=world.now)
        labelling = Labelling(store, load_taxonomy().risk_ids, audit)
        labelling.add([Task(id="t1", subject=document, queue="gold", at=world.now, wanted=2)], by="mei")
        labelling.answer("t1", {"sentiment": "negative"}, by="arif", now=world.now, note="secret")
        labelling.rule(document, "sentiment", "neutral", by="mei", now=world.now)
        assert store.get(Theme, theme_id("slots"))
    assert [(row.who, row.what, row.subject) for row in _rows(world)] == [
        ("mei", "write theme", theme_id("slots")),
        ("mei", "draw documents", "gold"),
        ("arif", "write label", document),
        ("mei", "rule", document),
    ]
    assert _rows(world)[2].after["sentiment"] == "negative"
    assert "secret" not in (world.settings.data_dir / ROWS).read_text()


def test_the_second_of_two_editors_stands_as_failed(world: World) -> None:
    """What the store refuses is no change, and the log says so."""
    with world.store() as store:
        desk = Desk(store, Audit(world.settings.data_dir))
        case = desk.open_case(signal_id("sneakers"), by="mei", now=world.now)
        stale = store.get(Case, case.id)
        assert stale is not None
        desk.edit_case(case.id, by="mei", now=world.now, note="first")
        with pytest.raises(Conflict):
            desk._edit(stale, stale.version, who="arif")
    assert [(row.who, row.outcome) for row in _rows(world)][-2:] == [("arif", ""), ("arif", "failed")]


def test_what_leaves_by_the_command_line_has_its_row(world: World) -> None:
    """Exports, briefs, questions in SQL and erasure, without the words that were asked for."""
    with world.store() as store:
        case = Desk(store).open_case(signal_id("sneakers"), by="mei", now=world.now)
    target = world.settings.data_dir.parent / "out"
    for args in (
        ("export", str(target)),
        ("export", str(target / "found.csv"), "--query", "market:SG secret"),
        ("export", str(target / "facts.parquet"), "--facts"),
        ("case", "brief", case.id),
        ("sql", "select 'secret'"),
        ("forget", "--author", "secretperson"),
    ):
        result = _call(world, *args)
        assert result.exit_code == 0, (args, result.output, result.exception)
    assert [row.what for row in _rows(world)] == [
        "export everything", "export search", "export facts", "brief", "ask in SQL", "forget", "forgot",
    ]  # fmt: skip
    assert all(row.who.startswith("terminal") for row in _rows(world))
    assert _rows(world)[1].after["market"] == "SG"
    assert "secret" not in (world.settings.data_dir / ROWS).read_text()


def test_the_log_is_listed_filtered_and_verified(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """By person, day and subject; a row that was changed ends `verify` with 1 and its number."""
    with world.store() as store:
        desk = Desk(store, Audit(world.settings.data_dir))
        case = desk.open_case(signal_id("sneakers"), by="mei", now=world.now)
        desk.edit_case(case.id, by="arif", now=world.now, owner="arif")
    day = _rows(world)[0].at[:10]
    assert "owner: arif" in _call(world, "audit").output
    shown = [json.loads(line) for line in _call(world, "audit", "--json", "--person", "Arif").output.splitlines()]
    assert [row["who"] for row in shown] == ["arif"]
    assert len(_call(world, "audit", "--json", "--day", day, "--subject", case.id).output.splitlines()) == 2
    assert not _call(world, "audit", "--json", "--day", "2001-01-01").output
    whole = _call(world, "audit", "verify")
    assert whole.exit_code == 0
    assert _rows(world)[-1].hash in whole.output
    path = world.settings.data_dir / ROWS
    path.write_bytes(path.read_bytes().replace(b'"arif"', b'"mei"', 1))
    with pytest.raises(SystemExit, match=r"^1$"):
        main(["--set", f"data_dir={world.settings.data_dir}", "audit", "verify"])
    assert "row 3" in capsys.readouterr().err


def test_no_desk_is_opened_for_a_person_without_the_log() -> None:
    """Only what the product does by itself (snoozes of alerts that are over) needs none."""
    without = []
    for path in sorted(UI.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or ast.unparse(node.func) not in {"Desk", "ThemeDesk", "Labelling"}:
                continue
            if not any("audit" in ast.unparse(given).lower() for given in node.args):
                without.append(f"{path.name}: {ast.unparse(node)}")
    assert without == ["signals.py: Desk(store)", "pipeline.py: Desk(store)", "watcher.py: Desk(store)"]
    assert isinstance(cli.get_command(click.Context(cli), "audit"), click.Group)


def test_what_is_decided_on_the_board_stands_under_the_name_that_was_typed(shown: World) -> None:
    """The board's own buttons leave rows, before and after."""
    from streamlit.testing.v1 import AppTest

    from groundswell.ui.board import queries
    from groundswell.ui.board.launch import SERVER

    queries._answers.clear()
    queries._settings.cache_clear()
    app = AppTest.from_file(SERVER.with_name("main.py"), default_timeout=60)
    app.query_params["view"] = "inbox"
    app.run()
    app.text_input(key="me").input("mei").run()
    app.checkbox(key=f"choose-{signal_id('deepfake')}").check().run()
    app.button(key="bulk-confirm").click().run()
    assert not app.exception
    assert [(row.who, row.what, row.subject) for row in _rows(shown)] == [
        ("mei", "write label", signal_id("deepfake")),
        ("mei", "write decision", signal_id("deepfake")),
    ]
    assert _rows(shown)[1].after["decision"] == "confirmed"
