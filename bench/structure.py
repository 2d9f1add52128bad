"""How the house is built: length of functions, arrows and circles, and where documents pass in `find_signals`.

    python bench/structure.py [--against CHECKOUT] [--passes FOLDER [--passes-before FOLDER]]

`--against` is another checkout with an environment of its own in `.venv`: both are counted by this very file, in one
run. `--passes` is a project whose documents are enriched and whose signals were not looked for yet: the modules that
the stage hands its documents to are counted in order, on a copy of the project. `--passes-before` is the same project
made by the other checkout, whose store may be of an older shape.
"""

from __future__ import annotations

import argparse
import ast
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOMS = ("configs", "crawlers", "index", "nlp", "ui")
LONG = 50
CARRIERS = {"Document", "Mention", "Batch", "Detection", "Departure", "Signal"}
"""Types that carry documents or what was made of them."""


def lengths(root: Path) -> list[int]:
    """Return the lines of each function's body, docstrings left out."""
    trees = (ast.parse(path.read_text("utf-8")) for room in ROOMS for path in (root / room).rglob("*.py"))
    found = (
        node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return sorted(_length(node) for node in found)


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    return (node.end_lineno or node.lineno) - body[0].lineno + 1 if body else 0


def arrows(room: str) -> dict[str, int]:
    """Return imports between modules of a room, those that cross its inner rooms, and circles among either."""
    import grimp

    graph = grimp.build_graph(f"groundswell.{room}", cache_dir=None)
    inside = sorted(one for one in graph.modules if one.startswith(f"groundswell.{room}."))
    pairs = {(a, b) for a in inside for b in graph.find_modules_directly_imported_by(a) if b in set(inside)}
    inner = {(_inner(a), _inner(b)) for a, b in pairs if _inner(a) != _inner(b)}
    crossing = sum(_inner(a) != _inner(b) for a, b in pairs)
    return {
        "modules": len(inside), "arrows": len(pairs), "arrows between inner rooms": crossing,
        "circles of modules": circles(pairs), "circles of inner rooms": circles(inner),
    }  # fmt: skip


def _inner(module: str) -> str:
    return ".".join(module.split(".")[:3])


def circles(pairs: set[tuple[str, str]]) -> int:
    """Return how many groups of two or more reach one another (strongly connected parts)."""
    ahead: dict[str, set[str]] = {}
    for a, b in pairs:
        ahead.setdefault(a, set()).add(b)
    beyond = {one: _reached(one, ahead) for one in ahead}
    return len({frozenset({a, *(b for b in beyond[a] if a in beyond.get(b, ()))}) for a in ahead if a in beyond[a]})


def _reached(start: str, ahead: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for one in ahead.get(waiting.pop(), set()) - seen:
            seen.add(one)
            waiting.append(one)
    return seen


def passes(folder: Path) -> dict[str, Any]:
    """Return the modules of `nlp` that the stage of signals hands documents to: stays, and returns to one it had left.

    Counted are calls that are given a document, or what was made of documents, by the stage and by the part of it that
    hears the store; a function counts where it is first asked, so that one batch or hour more does not: what is left is
    the way that one document's value takes.
    """
    from groundswell.configs.load import load_settings
    from groundswell.index.open import open_store
    from groundswell.nlp.signals import stage

    steps = {stage.__name__, stage.__name__.replace("stage", "listen")}
    calls: dict[tuple[str, str], None] = {}

    def note(frame: Any, event: str, _: object) -> None:
        asked, asker = frame.f_globals.get("__name__", ""), frame.f_back and frame.f_back.f_globals.get("__name__", "")
        ours = event == "call" and asker in steps and asked not in steps and asked.startswith("groundswell.nlp.")
        if ours and any(map(_of_documents, list(frame.f_locals.values()))):
            calls.setdefault((asked.removeprefix("groundswell.nlp."), frame.f_code.co_name))

    settings = load_settings(folder / "groundswell.yaml")
    with open_store(settings) as store:
        sys.setprofile(note)
        try:
            stage.find_signals(store, settings, now=datetime.now(UTC))
        finally:
            sys.setprofile(None)
    asked = [module for module, _ in calls]
    stays = [one for one, before in zip(asked, ["", *asked], strict=False) if one != before]
    return {
        "stays": len(stays),
        "modules": len(set(stays)),
        "returns": len(stays) - len(set(stays)),
        "order": " ".join(stays),
    }


def _of_documents(value: object) -> bool:
    first = next(iter(value), None) if isinstance(value, list | tuple) else value
    return type(first).__name__ in CARRIERS or type(value).__name__ == "generator"


def count(root: Path, project: Path | None) -> dict[str, Any]:
    """Return every figure of one checkout."""
    lines = lengths(root)
    shape = {
        "functions": len(lines), "median": statistics.median(lines), "p90": lines[int(0.9 * len(lines))],
        f"over {LONG} lines": sum(one > LONG for one in lines),
    }  # fmt: skip
    found: dict[str, Any] = {"functions": shape, "nlp": arrows("nlp"), "ui": arrows("ui")}
    if project:
        with tempfile.TemporaryDirectory() as there:
            found["find_signals"] = passes(Path(shutil.copytree(project, Path(there) / "project")))
    return found


def _other(checkout: Path, project: Path | None) -> dict[str, Any]:
    options = ["--passes", str(project.resolve())] if project else []
    command = [str(checkout / ".venv/bin/python"), str(Path(__file__).resolve()), "--root", str(checkout), *options]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=checkout).stdout))


def rows(one: dict[str, Any], two: dict[str, Any] | None) -> Iterator[str]:
    """Yield a line a figure."""
    for part, figures in one.items():
        for name, value in figures.items():
            beside = f"   before: {two[part][name]}" if two and name in two.get(part, {}) else ""
            yield f"{part:13} {name:28} {value}{beside}"


def main() -> None:
    """Count, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--passes", type=Path)
    parser.add_argument("--passes-before", type=Path)
    parser.add_argument("--root", type=Path)
    options = parser.parse_args()
    found = count(options.root or Path(__file__).parents[1], options.passes)
    if options.root:
        print(json.dumps(found))
        return
    for line in rows(found, _other(options.against, options.passes_before) if options.against else None):
        print(line)


if __name__ == "__main__":
    main()
