"""Nothing without a door: every public function has a caller, every setting a reader, every shown command works."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from groundswell.configs.schema import Settings
from groundswell.index.query_language import HELP, parse
from groundswell.ui.cli import COMMANDS, cli
from tests.house.exceptions import CALLED_FROM_OUTSIDE, READ_AS_A_WHOLE
from tests.ui.seed import World, signal_id

ROOT = Path(__file__).parents[2]
ROOMS = ("configs", "crawlers", "index", "nlp", "ui")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def _sources() -> dict[Path, ast.Module]:
    return {
        path: ast.parse(path.read_text("utf-8"))
        for room in (*ROOMS, "bench")
        for path in sorted((ROOT / room).rglob("*.py"))
    }


def _public(path: Path, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield each public function and method: its name, and how it is called in the list of exceptions."""
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not _decorated(node):
            yield node.name, f"{module}.{node.name}"
        if isinstance(node, ast.ClassDef) and not _protocol(node):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and not _decorated(inner):
                    yield inner.name, f"{module}.{node.name}.{inner.name}"


def _decorated(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether a decorator calls it (a command, a validator), or its name says that it is private."""
    names = {ast.unparse(decorator).partition("(")[0] for decorator in node.decorator_list}
    return node.name.startswith("_") or bool(
        names - {"property", "staticmethod", "classmethod", "contextmanager", "cached_property", "lru_cache", "cache"}
    )


def _protocol(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base) == "Protocol" for base in node.bases)


def _exports(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and any(ast.unparse(target) == "__all__" for target in node.targets)


def _used(tree: ast.Module) -> set[str]:
    """Return every name that a file uses: as a value, an attribute, an import under it, or a text of its own."""
    used = set()
    listed = {id(text) for node in tree.body if _exports(node) for text in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in listed:
            continue  # to be in `__all__` is no use
        if isinstance(node, ast.Name):
            used.add(node.id)
        elif isinstance(node, ast.Attribute):
            used.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            used.add(node.value)
    return used


def test_every_public_function_has_a_caller() -> None:
    """In a room or a benchmark, not only in a test; those that a framework calls are named in one list, with why."""
    trees = _sources()
    used = set().union(*map(_used, trees.values()))
    alone = {
        known
        for path, tree in trees.items()
        if path.relative_to(ROOT).parts[0] in ROOMS
        for name, known in _public(path, tree)
        if name not in used
    }
    assert alone == set(CALLED_FROM_OUTSIDE)


def test_every_exception_has_a_reason() -> None:
    """A list of exceptions without reasons is a list of faults."""
    for why in (*CALLED_FROM_OUTSIDE.values(), *READ_AS_A_WHOLE.values()):
        assert len(why.split()) >= 3, why


def _settings(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the name of each setting that is no section, and its whole name."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _settings(inner, f"{prefix}{name}.")
        else:
            yield name, f"{prefix}{name}"


def test_every_setting_has_a_reader() -> None:
    """A documented setting that nobody reads promises what does not happen."""
    schema = ROOT / "configs" / "schema.py"
    used = set().union(*(_used(tree) for path, tree in _sources().items() if path != schema))
    unread = {whole for name, whole in _settings(Settings) if name not in used}
    assert unread == set(READ_AS_A_WHOLE)


# --- what the pages show ---------------------------------------------------------------------------------------------


def _shown() -> list[str]:
    """Return every command line that README, docs and --help show, once."""
    texts = [page.read_text("utf-8") for page in PAGES]
    lines = [line for text in texts for line in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)]
    found = [each.strip() for block in lines for each in block.splitlines()]
    found += [one for text in texts for one in re.findall(r"`(groundswell [a-z]+ [^`]+)`", text)]
    found += re.findall(r"For example: (groundswell .+)", "\n".join(texts))
    calls = (re.sub(r"\s+#.*$", "", one) for one in found if one.startswith("groundswell "))
    return sorted({call for call in calls if not re.search(r"…|\.\.\.|\b(is|in|and)\b$", call)})


READY: Mapping[str, str] = {"SIGNAL": signal_id("deepfake"), "ID": signal_id("sneakers")}
"""What a page calls by a word that the reader replaces."""
RUN = {"search", "sql", "signals", "case"}
"""Commands that are really run, on the seeded store; the others' words and options are checked."""


@pytest.mark.parametrize("call", _shown())
def test_every_command_line_that_a_page_shows_works(call: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is run where it asks the store, and taken apart by the real parser elsewhere."""
    monkeypatch.setenv("GROUNDSWELL_NOW", world.now.isoformat())
    monkeypatch.chdir(world.settings.data_dir)
    _, name, *rest = [READY.get(word, word) for word in shlex.split(call)]
    assert name in COMMANDS or name.startswith("-"), call
    placeholder = any(word.isupper() and word.isalpha() for word in rest)
    if name in RUN and not placeholder and "--meaning" not in rest:
        result = CliRunner().invoke(cli, ["--set", f"data_dir={world.settings.data_dir}", name, *rest])
        assert result.exit_code == 0, (call, result.output, result.exception)
    elif name in COMMANDS:
        _taken_apart(name, rest)


def _taken_apart(name: str, rest: list[str]) -> None:
    """Let click parse a call without running it; files that a reader has are not there, and that is no mistake."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    if isinstance(command, click.Group) and rest and rest[0] in command.commands:
        command, rest = command.commands[rest[0]], rest[1:]
    fault = ""
    try:  # click keeps the names of the help option that it first meets, so they are given here, too
        command.make_context(name, list(rest), parent=click.Context(cli, help_option_names=["-h", "--help"]))
    except click.MissingParameter:
        pass  # an option, named in passing
    except click.BadParameter as error:
        fault = "" if "does not exist" in error.message else error.message
    except click.exceptions.Exit:
        pass  # --help
    assert not fault, fault


def test_every_search_that_is_shown_is_understood(world: World) -> None:
    """In the grammar's help and on the search page."""
    from groundswell.index.closed_fields import closed_values
    from groundswell.ui.views.search import EXAMPLES

    shown = [re.split(r"\s{2,}", line)[0] for line in HELP.split("\n\n")[0].splitlines()]
    values = closed_values(world.settings)
    for text in (*(line for line in shown if line), *(example for example, _ in EXAMPLES)):
        parse(text, now=world.now, values=values)
