"""A search that somebody wants to ask again, from the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from groundswell.configs.schema import Settings
from groundswell.index.open import open_store
from groundswell.ui.cli import cli
from tests.index.makers import mention


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with two mentions."""
    with open_store(Settings(data_dir=tmp_path)) as store:
        store.put([mention("a", "refund please"), mention("b", "too many ads")])
    return tmp_path


def search(folder: Path, *args: str) -> Result:
    """Call `groundswell search`."""
    return CliRunner().invoke(cli, ["--set", f"data_dir={folder}", "search", *args])


def test_a_saved_search_is_asked_again_by_its_name(folder: Path) -> None:
    """Saved once, asked, narrowed, listed."""
    assert "1 of 1" in search(folder, "refund OR money", "--save", "Refunds").output
    assert "[[refund]] please" in search(folder, "--saved", "Refunds").output
    assert "0 of 0" in search(folder, "ads", "--saved", "Refunds").output
    assert "refund OR money" in search(folder, "--saved").output


def test_a_name_that_nobody_saved_is_told_with_those_there_are(folder: Path) -> None:
    """Wrong usage, exit code 2."""
    search(folder, "refund", "--save", "Refunds")
    done = search(folder, "--saved", "Refund")
    assert done.exit_code == 2
    assert "there are Refunds" in done.output


def test_a_search_that_cannot_be_read_is_not_saved(folder: Path) -> None:
    """What the language does not know is explained, and nothing is kept."""
    assert search(folder, "nofield:x", "--save", "Broken").exit_code == 2
    assert "Broken" not in search(folder, "--saved").output
