"""The command line: quick to help, clear in its errors, with exit codes that scripts can use."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner

from groundswell.index.records import CaseStatus
from groundswell.ui.cli import COMMANDS, CONFIG_ERROR, cli
from groundswell.ui.commands.case import STATUSES
from groundswell.ui.console import json_line, printable
from groundswell.ui.reference import commands_page, figures_page, settings_page

ROOT = Path(__file__).parents[2]
HEAVY = {
    "torch",
    "transformers",
    "bertopic",
    "streamlit",
    "scrapy",
    "pandas",
    "sklearn",
    "numpy",
    "onnxruntime",
    "elasticsearch",
}


def _groundswell(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-c", "from groundswell.ui.cli import main; main()", *args]
    return subprocess.run(line, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    """It says what it does and what it takes."""
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith("Usage:")


def test_help_wakes_nothing_heavy(tmp_path: Path) -> None:
    """Help of any command answers before numpy, torch or any other large library is loaded."""
    code = (
        "import sys, json\nfrom click.testing import CliRunner\nfrom groundswell.ui.cli import COMMANDS, cli\n"
        "for name in ['', *COMMANDS]:\n    CliRunner().invoke(cli, [*name.split(), '--help'])\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert not HEAVY & set(json.loads(done.stdout))


def test_a_wrong_command_names_the_nearest(tmp_path: Path) -> None:
    """With the exit code of wrong usage."""
    done = _groundswell("serach", "x", cwd=tmp_path)
    assert done.returncode == 2
    assert "did you mean 'search'?" in done.stderr


def test_a_wrong_setting_ends_in_one_sentence(tmp_path: Path) -> None:
    """No traceback for a user's mistake, and an exit code of its own."""
    (tmp_path / "groundswell.yaml").write_text("board: {prot: 1}\n", "utf-8")
    done = _groundswell("search", "ads", cwd=tmp_path)
    assert done.returncode == CONFIG_ERROR
    assert "groundswell.yaml:1" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_flag_without_a_value_is_explained(tmp_path: Path) -> None:
    """KEY=VALUE is said with an example."""
    done = _groundswell("--set", "board.port", "doctor", cwd=tmp_path)
    assert done.returncode == 2
    assert "KEY=VALUE" in done.stderr


def test_init_writes_a_file_once(tmp_path: Path) -> None:
    """An existing configuration is never overwritten by accident."""
    runner = CliRunner()
    path = tmp_path / "groundswell.yaml"
    assert runner.invoke(cli, ["init", str(path)]).exit_code == 0
    assert "crawl:" in path.read_text("utf-8")
    assert runner.invoke(cli, ["init", str(path)]).exit_code == 1
    assert runner.invoke(cli, ["init", str(path), "--force"]).exit_code == 0


def test_statuses_of_a_case_are_those_of_the_record() -> None:
    """They are spelt out in the command only for the sake of quick help."""
    assert get_args(CaseStatus) == STATUSES


def test_public_text_cannot_play_with_the_terminal() -> None:
    """Escape sequences, newlines and direction marks become blanks."""
    assert printable("a\x1b[31mb\nc\u202ed") == "a [31mb c d"
    hostile = {"text": "a\x1b[31m\u202eb\u2028c\x9b广告 👍\U000e0041"}
    assert json_line(hostile).isprintable()
    assert json.loads(json_line(hostile)) == hostile
    assert "广告 👍" in json_line(hostile)


@pytest.mark.parametrize(
    ("name", "page"), [("commands.md", commands_page), ("settings.md", settings_page), ("figures.md", figures_page)]
)
def test_the_reference_pages_are_up_to_date(name: str, page: object) -> None:
    """Run `python -m groundswell.ui.reference docs` after changing a command or a setting."""
    assert callable(page)
    assert (ROOT / "docs" / name).read_text("utf-8") == page()


def test_what_is_stored_is_its_owners_alone(tmp_path: Path) -> None:
    """Nobody else on the machine reads store, tables or mail."""
    (tmp_path / "posts.jsonl").write_text('{"id": "a", "text": "an advertisement that never ends"}\n')
    (tmp_path / "sources").mkdir()
    source = "format: file\nkind: post\npaths: [../posts.jsonl]\ncolumns: {id: id}\n"
    (tmp_path / "sources" / "posts.yaml").write_text(source)
    (tmp_path / "groundswell.yaml").write_text("data_dir: data\ncrawl: {sources: [sources]}\n")
    for call in (["crawl", "posts"], ["sql", "select count(*) from documents"], ["digest"]):
        assert _groundswell(*call, cwd=tmp_path).returncode == 0
    written = list((tmp_path / "data").rglob("*"))
    assert any(path.suffix == ".db" for path in written)
    assert [path for path in written if path.stat().st_mode & 0o077] == []


def test_the_doctor_says_once_what_is_so_of_many_sources(tmp_path: Path) -> None:
    """Seventy sources that nobody visited yet are one line with their names, and what differs has a line of its own."""
    (tmp_path / "sources").mkdir()
    for name in ("a", "b", "c", "d", "e"):
        feed = "format: feed\nkind: news\nurls: [https://x.example/]\n" + "enabled: false\n" * (name == "e")
        (tmp_path / "sources" / f"{name}.yaml").write_text(feed, "utf-8")
    (tmp_path / "groundswell.yaml").write_text("data_dir: data\ncrawl: {sources: [sources], shipped: false}\n", "utf-8")
    said = _groundswell("doctor", cwd=tmp_path).stdout
    assert "4 sources: not visited yet; groundswell crawl does (a, b, c, d)" in said
    assert "source e: switched off (enabled: false)" in said
