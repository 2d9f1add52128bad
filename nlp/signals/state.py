"""The state of the watch between turns, in a file beside the store: which one counts, the store says.

A turn writes a new file, then puts its signals and a checkpoint that names the file in one piece, then forgets the old
one. Killed anywhere, either the old state and none of the signals count, or the new state and all. A file that is
missing, torn or of another version ends nothing: the watch is made again from the store, and a sentence says why.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.signals.detect.detect import Watch, Week
from groundswell.nlp.signals.detect.lives import Life, packed, unpacked
from groundswell.nlp.signals.detect.memory import Memory
from groundswell.nlp.signals.detect.scopes import Scope

VERSION = 5
"""Raised whenever what is kept, or what it means, changes."""
MAGIC, SUFFIX, ALIGNED = b"groundswell watch\n", ".state", 64
COLUMNS = tuple(each.name for each in fields(Memory) if each.name not in {"near_from", "share", "least"})


def save(folder: Path, watch: Watch, more: Mapping[str, Any]) -> str:
    """Write the watch, and whatever else belongs to it as JSON values, into a new file; return the file's name."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {f"memory.{name}": getattr(watch.memory, name) for name in COLUMNS}
    moments = [("now", watch.lives), *((repr(at), lives) for at, lives in watch.past)]
    lives: list[list[Any]] = []
    for k, (name, each) in enumerate(moments):
        for scope, life in each.items():
            arrays[f"middles.{len(lives)}"] = np.array([row for _, _, row in life.middles], np.float32)
            lives.append([k, name, scope.market, scope.kind, packed(life)])
    for k, week in enumerate(watch.weeks):
        arrays |= {f"week.{k}.kin": week.kin, f"week.{k}.sizes": week.sizes, f"week.{k}.daily": week.daily}
        arrays |= {f"week.{k}.centres.{g}": centres for g, centres in enumerate(week.centres)}
    head = {
        "version": VERSION, "near_from": watch.memory.near_from, "least": watch.memory.least,
        "began": watch.began, "upto": watch.upto,
        "lives": lives, "moments": [name for name, _ in moments],
        "weeks": [[w.at, [[s.market, s.kind] for s in w.scopes], len(w.centres), w.least] for w in watch.weeks],
        "more": more,
    }  # fmt: skip
    text = json.dumps(head | {"arrays": {name: [array.dtype.str, array.shape] for name, array in arrays.items()}})
    return _write(folder, text.encode(), list(arrays.values()))


def _write(folder: Path, head: bytes, arrays: Sequence[NDArray[Any]]) -> str:
    """Write head and arrays one after the other; a file under its name is whole, even after a failure of power."""
    aside = folder / "state.part"
    with aside.open("wb") as file:
        file.write(MAGIC + len(head).to_bytes(8, "little") + head)
        for array in arrays:
            file.write(bytes(-file.tell() % ALIGNED))
            file.write(np.ascontiguousarray(array).view(np.uint8).data if array.nbytes else b"")
        file.flush()
        os.fsync(file.fileno())
    name = f"state-{hashlib.blake2b(head, digest_size=8).hexdigest()}{SUFFIX}"
    aside.replace(folder / name)
    return name


def _read(file: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return head and arrays of a file; pages of the arrays are read when they are asked for, and ours alone.

    Raises:
        ValueError, KeyError, TypeError: it is no such file, or torn.
    """
    whole = np.memmap(file, np.uint8, "c")
    begin = len(MAGIC) + 8
    if bytes(whole[: len(MAGIC)]) != MAGIC:
        raise ValueError("it is no state of a watch")
    end = begin + int.from_bytes(bytes(whole[len(MAGIC) : begin]), "little")
    head = json.loads(bytes(whole[begin:end]))
    arrays: dict[str, NDArray[Any]] = {}
    for name, (kind, shape) in head["arrays"].items():
        end += -end % ALIGNED
        begin, end = end, end + int(np.prod(shape)) * np.dtype(kind).itemsize
        arrays[name] = np.asarray(whole[begin:end]).view(kind).reshape(shape) if end > begin else np.zeros(shape, kind)
    if end != len(whole):
        raise ValueError(f"{end:,} bytes were written, {len(whole):,} are there")
    return head, arrays


class StateError(Exception):
    """What was kept is of no use; the message says why, for people."""


def load(folder: Path, name: str, watch: Watch) -> dict[str, Any]:
    """Fill a fresh watch from a file and return what was kept with it.

    Raises:
        StateError: the file is missing, torn, or of another version.
    """
    file = folder / name
    if not file.is_file():
        raise StateError(f"{file} is missing")
    try:
        head, arrays = _read(file)
        if head["version"] != VERSION:
            raise StateError(f"{file} is of version {head['version']}, this Groundswell keeps version {VERSION}")
        return _fill(watch, head, arrays)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise StateError(f"{file} cannot be read ({str(error) or type(error).__name__})") from error


def _fill(watch: Watch, head: dict[str, Any], arrays: Mapping[str, Any]) -> dict[str, Any]:
    columns = {name: arrays[f"memory.{name}"] for name in COLUMNS}
    past: list[dict[Scope, Life]] = [{} for _ in head["moments"]]
    for number, (k, _, market, kind, values) in enumerate(head["lives"]):
        past[k][Scope(market, kind)] = unpacked(values, arrays[f"middles.{number}"])
    weeks = [
        Week(
            at, tuple(Scope(*pair) for pair in scopes),
            tuple(arrays[f"week.{k}.centres.{g}"] for g in range(grains)),
            arrays[f"week.{k}.kin"], arrays[f"week.{k}.sizes"], arrays[f"week.{k}.daily"], least,
        )
        for k, (at, scopes, grains, least) in enumerate(head["weeks"])
    ]  # fmt: skip
    watch.memory = Memory(**columns, near_from=head["near_from"], least=head["least"])
    watch.lives, watch.weeks = past[0], weeks
    watch.past = [(float(at), lives) for at, lives in zip(head["moments"][1:], past[1:], strict=True)]
    watch.began, watch.upto = head["began"], head["upto"]
    more: dict[str, Any] = head["more"]
    return more


def forget_others(folder: Path, name: str) -> None:
    """Remove the files of earlier turns."""
    for file in folder.glob("state-*"):
        if file.name != name:
            file.unlink(missing_ok=True)


__all__ = ["StateError", "forget_others", "load", "save"]
