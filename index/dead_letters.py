"""Dead letters: what a store refused, with its reason, in a file where a person finds it and can send it again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from groundswell.index.codec import KINDS, from_json, name_of, to_json
from groundswell.index.files import held_alone, write_whole
from groundswell.index.records import Enriched, Membership, Mention, Record
from groundswell.index.store import Refused, Store, StoreError

AT_ONCE = 500
LOCK_SECONDS = 60.0
"""How long to wait for another process that writes or sends letters."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of the letters."""

    taken: int = 0
    overtaken: int = 0
    refused: tuple[Refused, ...] = ()


def path_of(folder: Path) -> Path:
    """Return where the letters of a data folder are."""
    return folder / "dead-letters.jsonl"


def keep(folder: Path, given: Sequence[Record], refused: Sequence[Refused]) -> None:
    """Add what was refused to the file."""
    if refused:
        reasons = {each.id: each.reason for each in refused}
        folder.mkdir(parents=True, exist_ok=True)
        lines = [_line(_letter(record, reasons[record.id])) for record in given if record.id in reasons]
        with _alone(folder), path_of(folder).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(lines)


def send(store: Store, folder: Path) -> Sent:
    """Put every letter again; those the store takes now, or that something newer has overtaken, leave the file.

    Killed in the middle, all letters are still there; what was sent twice is in the store once. The store must keep no
    letters itself meanwhile.

    Raises:
        StoreError: another process holds the file, or a line in it is no letter.
    """
    path = path_of(folder)
    if not path.exists():
        return Sent()
    with _alone(folder):
        letters = _read(path)
        sent, left = Sent(), [letter for letter in letters.values() if "record" not in letter]
        refused = [Refused(id=letter["id"], reason=letter["reason"]) for letter in left]
        whole = [letter for letter in letters.values() if "record" in letter]
        for begin in range(0, len(whole), AT_ONCE):
            some, again = _send(store, whole[begin : begin + AT_ONCE])
            sent = Sent(sent.taken + some.taken, sent.overtaken + some.overtaken)
            refused += some.refused
            left += again
        _write(path, left)
    return Sent(sent.taken, sent.overtaken, tuple(refused))


def _send(store: Store, letters: Sequence[dict[str, Any]]) -> tuple[Sent, list[dict[str, Any]]]:
    """Put some letters; return what became of them, and those that stay, with the reason they are refused for now."""
    records = [from_json(KINDS[letter["kind"]], letter["record"]) for letter in letters]
    late = [_overtaken(store, record) for record in records]
    report = store.put([record for record, overtaken in zip(records, late, strict=True) if not overtaken])
    reasons = {each.id: each.reason for each in report.refused}
    again = [
        {**letter, "at": datetime.now(UTC).isoformat(), "reason": reasons[letter["id"]]}
        for letter, overtaken in zip(letters, late, strict=True)
        if not overtaken and letter["id"] in reasons
    ]
    return Sent(len(letters) - sum(late) - len(again), sum(late), report.refused), again


def _overtaken(store: Store, record: Record) -> bool:
    """Tell whether the store holds something newer: a later fetch, or what a stage has made of the text since."""
    if isinstance(record, Mention):
        there = store.get(Mention, record.id)
        return there is not None and there.fetched_at > record.fetched_at
    return isinstance(record, Enriched | Membership) and store.get(type(record), record.id) is not None


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """Return the letters in order; of those with the same record, the last."""
    letters: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(_lines(path), 1):
        try:
            letter = json.loads(line)
            letters[_line([letter["kind"], letter["id"], letter.get("record")])] = letter
        except (ValueError, KeyError, TypeError):
            raise StoreError(f"{path}:{number} is no letter: correct or delete this line, then send again") from None
    return letters


def _lines(path: Path) -> list[str]:
    """Return the lines of a file; other signs that part lines may stand in a text, U+2028 for one."""
    return [line for line in path.read_text("utf-8").split("\n") if line]


def _write(path: Path, letters: Iterable[dict[str, Any]]) -> None:
    """Replace the file in one step; no letters, no file."""
    letters = list(letters)
    if not letters:
        path.unlink()
        return
    write_whole(path, "".join(map(_line, letters)).encode("utf-8", "backslashreplace"))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes from the file meanwhile."""
    try:
        with held_alone(folder / "dead-letters.lock", seconds=LOCK_SECONDS):
            yield
    except BlockingIOError:
        raise StoreError(f"another process holds {path_of(folder)}; wait for it to end, then run again") from None


def _line(value: Any) -> str:
    """Return a value as a line of JSON."""
    return json.dumps(value, ensure_ascii=False) + "\n"


def _letter(record: Record, reason: str) -> dict[str, Any]:
    """Return a refused record with its reason; one that is no JSON at all, without its values."""
    letter = {"at": datetime.now(UTC).isoformat(), "id": record.id, "reason": reason, "kind": name_of(type(record))}
    try:
        return {**letter, "record": to_json(record)}
    except ValueError:
        return letter
