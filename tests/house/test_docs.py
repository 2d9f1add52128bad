"""The documents stay true: what they name is there."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import pytest
from click import Context, Group
from click.testing import CliRunner

from groundswell.ui.cli import COMMANDS, cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_picture_of_a_page_is_there(page: Path) -> None:
    """A moved file is noticed here and not by a reader."""
    for target in re.findall(r"\]\((?!https?:|#|<)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} points to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_shows_exists(page: Path) -> None:
    """With the options it is shown with."""
    for line in re.findall(r"`?groundswell ((?:[a-z]+)(?: [^`\n#]*)?)", _code(page.read_text("utf-8"))):
        name, *rest = line.split()
        if name in {"is", "in", "and"}:
            continue
        assert name in COMMANDS, f"{page.name} shows `groundswell {line}`"
        said = CliRunner().invoke(cli, [name, *_group(name, rest), "--help"]).output
        for option in re.findall(r"(?<!\S)--[a-z-]+", " ".join(rest)):
            assert option in said, f"{page.name}: {name} has no {option}"


def _shown() -> list[str]:
    rooms = ("configs", "crawlers", "index", "nlp", "ui")
    paths = (
        path for room in rooms for path in sorted((ROOT / room).rglob("*.py")) if ">>> " in path.read_text("utf-8")
    )
    return [".".join(("groundswell", *path.relative_to(ROOT).with_suffix("").parts)) for path in paths]


@pytest.mark.parametrize("module", _shown())
def test_every_example_in_a_docstring_answers_what_it_says(module: str) -> None:
    """Detectors, distances and figures show one worked number each."""
    failed, tried = doctest.testmod(importlib.import_module(module))
    assert tried
    assert not failed


def _code(text: str) -> str:
    return "\n".join([*re.findall(r"```sh\n(.*?)```", text, re.DOTALL), *re.findall(r"`(groundswell [^`]+)`", text)])


def _group(name: str, rest: list[str]) -> list[str]:
    group = isinstance(cli.get_command(Context(cli), name), Group)
    return rest[:1] if group and rest and not rest[0].startswith("-") else []


@pytest.mark.parametrize("target", re.findall(r"make ([a-z]+)", README))
def test_every_make_target_that_the_readme_names_exists(target: str) -> None:
    """The two commands above all."""
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def test_nothing_of_the_build_machine_is_in_the_tree() -> None:
    """No index address, no home folder: it must work from anywhere."""
    for path in [*PAGES, ROOT / "Makefile", ROOT / "pyproject.toml", ROOT / ".ci" / "run"]:
        assert not re.search(r"/(root|work)/|--(extra-)?index-url", path.read_text("utf-8")), path.name


def test_every_journey_has_its_test() -> None:
    """Twelve journeys are named in docs/journeys.md, and each test that it names is there."""
    text = (ROOT / "docs/journeys.md").read_text(encoding="utf-8")
    tests = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests/ui").glob("test_*.py"))
    rows = re.findall(r"^\| (\d+) \|.*$", text, re.MULTILINE)
    assert rows == [str(n) for n in range(1, 13)]
    assert [name for name in re.findall(r"`(test_\w+)`", text) if f"def {name}(" not in tests] == []
