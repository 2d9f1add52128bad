"""The house is packed honestly: what stands in the folders is what gets installed and checked."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path, PurePath

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
ROOMS = ("configs", "crawlers", "index", "nlp", "ui")


def test_every_folder_with_code_is_in_the_list_of_packages() -> None:
    """A package that is not listed would be missing from the wheel."""
    found = {
        "groundswell." + ".".join(init.parent.relative_to(ROOT).parts)
        for room in ROOMS
        for init in (ROOT / room).rglob("__init__.py")
    }
    assert found == set(PROJECT["tool"]["setuptools"]["packages"])


def test_every_room_has_its_link_for_static_checkers() -> None:
    """Without the link mypy would pass over the room."""
    for room in ROOMS:
        link = ROOT / ".links" / "groundswell" / room
        assert link.is_symlink()
        assert link.resolve() == ROOT / room


def test_every_data_file_of_a_room_is_packed() -> None:
    """A taxonomy, template or weight that setuptools does not know of is missing after an ordinary install."""
    for room in ROOMS:
        for path in (ROOT / room).rglob("*"):
            if path.is_file() and path.suffix not in {".py", ".pyc"}:
                assert _packed(path), f"{path.relative_to(ROOT)} would not be installed"


def _packed(path: Path) -> bool:
    """Return whether a pattern of its package, or of all packages, covers a data file."""
    package = next(folder for folder in path.parents if (folder / "__init__.py").exists())
    name = "groundswell." + ".".join(package.relative_to(ROOT).parts)
    known = PROJECT["tool"]["setuptools"]["package-data"]
    inside = path.relative_to(package)
    return any(
        len(PurePath(each).parts) == len(inside.parts) and inside.match(each)
        for each in [*known.get(name, []), *known["*"]]
    )


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_the_lock_has_hashes_and_no_addresses(name: str) -> None:
    """The same versions for everybody, from whatever registry they use."""
    text = (ROOT / name).read_text("utf-8")
    assert "://" not in text
    pinned = re.findall(r"^[A-Za-z0-9_.\[\]-]+==\S+", text, re.MULTILINE)
    assert len(pinned) > 100
    assert text.count("--hash=sha256:") > len(pinned)


def test_the_lock_holds_every_dependency_that_is_declared() -> None:
    """A dependency added without `make lock` would be missing from the environment."""
    locked = {
        _plain(line.split("==")[0])
        for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines()
        if "==" in line
    }
    declared = {_plain(re.split(r"[<>=!~;\[ ]", item)[0]) for item in PROJECT["project"]["dependencies"]}
    assert declared <= locked
    assert {"scrapy", "transformers", "torch", "bertopic", "elasticsearch", "streamlit"} <= declared


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def test_no_file_beside_the_board_s_script_hides_a_module_of_python() -> None:
    """Streamlit puts the folder of its script first on the path: a file ``html.py`` there hid Python's own."""
    beside = {path.stem for path in (ROOT / "ui" / "board").glob("*.py")} - {"__init__"}
    assert not beside & sys.stdlib_module_names
