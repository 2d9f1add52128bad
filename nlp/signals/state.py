"""The state of the watch between turns, in a file beside the store: which one counts, the store says.

A turn writes a new file, then puts its signals and a checkpoint that names the file in one piece, then forgets the old
one. Killed anywhere, either the old state and none of the signals count, or the new state and all. A file that is
missing, torn or of another version ends nothing: the watch is made again from the store, and a sentence says why.

What is large and never changes (vectors, weights, neighbours) rests in a file of its own, the *past*: a turn writes
only what has come since, until that is much or positions move.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.signals.detect.detect import Watch, Week
from groundswell.nlp.signals.detect.lives import Life, packed, unpacked
from groundswell.nlp.signals.detect.memory import Memory
from groundswell.nlp.signals.detect.scopes import Scope

VERSION = 6
"""Raised whenever what is kept, or what it means, changes."""
MAGIC, SUFFIX, ALIGNED = b"groundswell watch\n", ".state", 64
PLAIN = ("near_from", "share", "least", "past", "kept")
COLUMNS = tuple(each.name for each in fields(Memory) if each.name not in PLAIN)
LARGE = ("raw", "vectors", "weights", "near_items", "near")
"""Columns of the memory whose rows never change: those of documents that the past has are read from there."""
NEWER = 8
"""The past is written anew once one in so many documents is not in it."""


def save(folder: Path, watch: Watch, more: Mapping[str, Any]) -> str:
    """Write the watch, and whatever else belongs to it as JSON values, into a new file; return the file's name."""
    folder.mkdir(parents=True, exist_ok=True)
    memory = watch.memory
    if NEWER * (len(memory) - memory.kept) > len(memory):
        memory.past, memory.kept = _write_past(folder, memory), len(memory)
    newer = memory.large_from(memory.kept)
    arrays: dict[str, Any] = {f"memory.{name}": newer.get(name, getattr(memory, name)) for name in COLUMNS}
    moments = [("now", watch.lives), *((repr(at), lives) for at, lives in watch.past)]
    lives: list[list[Any]] = []
    rows: dict[int, tuple[int, NDArray[np.float32]]] = {}  # moments share most of their middles
    for k, (name, each) in enumerate(moments):
        for scope, life in each.items():
            own = [rows.setdefault(id(row), (len(rows), row))[0] for _, _, row in life.middles]
            arrays[f"middles.{len(lives)}"] = np.array(own, np.int32)
            lives.append([k, name, scope.market, scope.kind, packed(life)])
    arrays["middles"] = np.array([row for _, row in rows.values()], np.float32)
    for k, week in enumerate(watch.weeks):
        arrays |= {f"week.{k}.kin": week.kin, f"week.{k}.sizes": week.sizes, f"week.{k}.daily": week.daily}
        arrays |= {f"week.{k}.centres.{g}": centres for g, centres in enumerate(week.centres)}
    head = {
        "version": VERSION, "near_from": memory.near_from, "least": memory.least, "past": memory.past,
        "kept": memory.kept,
        "began": watch.began, "upto": watch.upto,
        "lives": lives, "moments": [name for name, _ in moments],
        "weeks": [[w.at, [[s.market, s.kind] for s in w.scopes], len(w.centres), w.least] for w in watch.weeks],
        "more": more,
    }  # fmt: skip
    return _write(folder, "state", head, arrays)


def _write_past(folder: Path, memory: Memory) -> str:
    """Write the large columns whole; return the file's name, which their content gives."""
    arrays: dict[str, NDArray[Any]] = {name: np.ascontiguousarray(getattr(memory, name)) for name in LARGE}
    digest = hashlib.blake2b(digest_size=8)
    for array in arrays.values():
        digest.update(array.view(np.uint8).data if array.nbytes else b"")
    head = {"version": VERSION, "near_from": memory.near_from, "holds": digest.hexdigest()}
    return _write(folder, "past", head, {**arrays, "near_starts": memory.near_starts})


def _write(folder: Path, what: str, facts: Mapping[str, Any], named: Mapping[str, NDArray[Any]]) -> str:
    """Write facts and arrays one after the other; a file under its name is whole, even after a failure of power."""
    shapes = {name: [array.dtype.str, array.shape] for name, array in named.items()}
    head, arrays = json.dumps({**facts, "arrays": shapes}).encode(), named.values()
    aside = folder / "state.part"
    with aside.open("wb") as file:
        file.write(MAGIC + len(head).to_bytes(8, "little") + head)
        for array in arrays:
            file.write(bytes(-file.tell() % ALIGNED))
            file.write(np.ascontiguousarray(array).view(np.uint8).data if array.nbytes else b"")
        file.flush()
        os.fsync(file.fileno())
    name = f"{what}-{hashlib.blake2b(head, digest_size=8).hexdigest()}{SUFFIX}"
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
        StateError: the file, or its past, is missing, torn, or of another version.
    """
    file = folder / name
    try:
        head, arrays = _opened(file)
        columns = {name: arrays[f"memory.{name}"] for name in COLUMNS}
        if head["past"]:
            file = folder / head["past"]
            columns |= _whole(head, columns, *_opened(file))
        return _fill(watch, head, arrays, columns)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise StateError(f"{file} cannot be read ({str(error) or type(error).__name__})") from error


def _opened(file: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return head and arrays of a file of this version."""
    if not file.is_file():
        raise StateError(f"{file} is missing")
    head, arrays = _read(file)
    if head["version"] != VERSION:
        raise StateError(f"{file} is of version {head['version']}, this Groundswell keeps version {VERSION}")
    return head, arrays


def _whole(
    head: Mapping[str, Any], newer: Mapping[str, Any], past_head: Mapping[str, Any], past: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the large columns: what the past has of the documents that are kept, and what is newer."""
    kept, begin = head["kept"], past_head["near_from"]
    terms = int(newer["starts"][kept])
    low, high = (past["near_starts"][max(each, begin) - begin] for each in (min(head["near_from"], kept), kept))
    parts = {
        "raw": slice(kept), "vectors": slice(kept), "weights": slice(terms), "near_items": slice(low, high),
        "near": slice(low, high),
    }  # fmt: skip
    return {
        name: np.concatenate([past[name][part], newer[name]]) if len(newer[name]) else past[name][part]
        for name, part in parts.items()
    }


def _fill(
    watch: Watch, head: dict[str, Any], arrays: Mapping[str, Any], columns: Mapping[str, Any]
) -> dict[str, Any]:  # fmt: skip
    past: list[dict[Scope, Life]] = [{} for _ in head["moments"]]
    rows = list(arrays["middles"])
    for number, (k, _, market, kind, values) in enumerate(head["lives"]):
        past[k][Scope(market, kind)] = unpacked(values, [rows[each] for each in arrays[f"middles.{number}"]])
    weeks = [
        Week(
            at, tuple(Scope(*pair) for pair in scopes),
            tuple(arrays[f"week.{k}.centres.{g}"] for g in range(grains)),
            arrays[f"week.{k}.kin"], arrays[f"week.{k}.sizes"], arrays[f"week.{k}.daily"], least,
        )
        for k, (at, scopes, grains, least) in enumerate(head["weeks"])
    ]  # fmt: skip
    plain = {name: head[name] for name in ("near_from", "least", "past", "kept")}
    watch.memory = Memory(**columns, **plain)
    watch.lives, watch.weeks = past[0], weeks
    watch.past = [(float(at), lives) for at, lives in zip(head["moments"][1:], past[1:], strict=True)]
    watch.began, watch.upto = head["began"], head["upto"]
    more: dict[str, Any] = head["more"]
    return more


def forget_others(folder: Path, name: str, past: str) -> None:
    """Remove the files of earlier turns, but a state and its past."""
    for file in (*folder.glob("state-*"), *folder.glob("past-*")):
        if file.name not in {name, past}:
            file.unlink(missing_ok=True)


__all__ = ["StateError", "forget_others", "load", "save"]
