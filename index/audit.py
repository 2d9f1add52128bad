"""Who did what, when: a file of JSON lines to which is only added, each row holding the hash of the one before.

A row is on the disk before what it tells of is done, so nothing happens without one; a kill in between leaves a row of
something that did not come about, never the other way round. Rows hold closed values, ids, counts and fingerprints of
words (`fingerprint`), never texts: what cannot be changed afterwards must not hold what somebody may want forgotten.
Beside the rows, `audit.head` holds how many there are and the last one's hash, so that rows cut off the end are missed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from groundswell.index.files import PRIVATE_FILE, held_alone, written_aside
from groundswell.index.store import StoreError

ROWS, HEAD, LOCK = "audit.jsonl", "audit.head", "audit.lock"
FIRST = "0" * 64
"""What stands where the first row's predecessor would."""
LOCK_SECONDS = 60.0
LONGEST = 200
"""Characters of one value."""
MOST_VALUES = 40
TAIL_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What somebody does. `before` and `after` hold short values by name; `outcome` is empty, or "failed"."""

    who: str
    what: str
    subject: str = ""
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    outcome: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(Entry):
    """An entry in its place: the `n`-th, written at `at` (ISO 8601, UTC), after the row whose hash is `prev`."""

    n: int
    at: str
    prev: str
    hash: str = ""

    def sealed(self) -> Row:
        """Return it with the SHA-256 of all its other values."""
        body = {name: value for name, value in asdict(self).items() if name != "hash"}
        return replace(self, hash=hashlib.sha256(_json(body)).hexdigest())

    def line(self) -> bytes:
        """Return it as it stands in the file."""
        return _json(asdict(self)) + b"\n"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the chain is whole: `wrong` says which row is not, first of all, and why; `head` is the last hash."""

    rows: int
    head: str
    wrong: str = ""


class Audit:
    """The log of one data folder. Its clock is the machine's, whatever moment a command was told to look at."""

    def __init__(self, folder: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._folder, self._clock = folder, clock

    def note(self, *entries: Entry) -> None:
        """Write rows; they are on the disk when this returns.

        Raises:
            StoreError: they cannot be written; whatever they tell of must then not be done.
        """
        if not entries:
            return
        try:
            with held_alone(self._folder / LOCK, seconds=LOCK_SECONDS):
                self._append(entries)
        except OSError as error:  # the lock's BlockingIOError too
            raise StoreError(
                f"{self._folder / ROWS} cannot be written ({error}); nothing was done, for nothing is done unrecorded"
            ) from error

    @contextmanager
    def around(self, *entries: Entry) -> Iterator[None]:
        """Write rows before something is done, and again as failed if it was not."""
        self.note(*entries)
        try:
            yield
        except Exception:
            self.note(*(replace(entry, outcome="failed") for entry in entries))
            raise

    def _append(self, entries: tuple[Entry, ...]) -> None:
        if not (self._folder / HEAD).exists() and not (self._folder / ROWS).exists():
            self._point(0, FIRST)
        file = os.open(self._folder / ROWS, os.O_RDWR | os.O_APPEND | os.O_CREAT, PRIVATE_FILE)
        try:
            count, prev = self._end(file)
            rows = []
            for n, entry in enumerate(entries, count + 1):
                row = _row(entry, n, self._clock(), prev)
                rows.append(row)
                prev = row.hash
            _write_all(file, b"".join(row.line() for row in rows))
            os.fsync(file)
        finally:
            os.close(file)
        self._point(rows[-1].n, prev)

    def _end(self, file: int) -> tuple[int, str]:
        """Return number and hash of the last row, and take away the half of one that a killed process left.

        Where the file holds less than the head says, rows were cut off: then the head counts, and the gap stays to be
        seen.
        """
        there = _content(file)
        whole, torn = _torn_off(there)
        last = _parsed(whole[:-1].rpartition(b"\n")[2])
        count, final = (last.n, last.hash) if last else (0, FIRST)
        head = self._head() or (0, FIRST)
        if count < head[0] or (count == head[0] and final != head[1]):
            if torn:
                _write_all(file, b"\n")
            return head
        if torn:
            os.ftruncate(file, os.fstat(file).st_size - len(torn))
        return count, final

    def _point(self, count: int, last: str) -> None:
        with written_aside(self._folder / HEAD) as part, part.open("wb") as file:
            file.write(_json({"hash": last, "rows": count}))
            file.flush()
            os.fsync(file.fileno())

    def _head(self) -> tuple[int, str] | None:
        try:
            head = json.loads((self._folder / HEAD).read_bytes())
            return int(head["rows"]), str(head["hash"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def rows(self) -> list[Row]:
        """Return the rows that can be read, oldest first; `verify` tells of the others."""
        return [row for line in self._lines() if (row := _parsed(line)) is not None]

    def verify(self, known: str = "") -> Verdict:
        """Say whether all rows are there as they were written, in order.

        Args:
            known: the head that somebody noted elsewhere at an earlier time; it must still be among the rows. Only this
                tells of a log that was written anew as a whole.
        """
        prev, count, seen = FIRST, 0, [FIRST]
        for count, line in enumerate(self._lines(), 1):
            if why := _wrong(line, count, prev):
                return Verdict(count, prev, f"row {count}: {why}")
            prev = json.loads(line)["hash"]
            seen.append(prev)
        return Verdict(count, prev, self._beside(seen, known))

    def _beside(self, seen: list[str], known: str) -> str:
        """Return what is wrong with rows that follow from each other, by what is known beside them."""
        count, head = len(seen) - 1, self._head()
        if head is None:
            return f"row 1: {HEAD}, which says how many rows there are, is missing or torn" if count else ""
        if head[0] > count:
            return f"row {count + 1}: it is missing; {head[0]} rows were written, {count} are there"
        if seen[head[0]] != head[1]:
            return f"row {head[0]}: it is not the one that was written"
        if known and known not in seen:
            return f"row 1: no row has the hash {known}; the log was written anew, or is another one"
        return ""

    def _lines(self) -> list[bytes]:
        """Return the whole lines; one without its end was being written when its process was killed."""
        try:
            whole, _ = _torn_off((self._folder / ROWS).read_bytes())
        except FileNotFoundError:
            return []
        return whole.split(b"\n")[:-1]


def fingerprint(words: str) -> str:
    """Return what can be compared of somebody's words and never read: 12 digits of their SHA-256, and their length."""
    digest = hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{digest} ({len(words)} characters)" if words else ""


def _wrong(line: bytes, n: int, prev: str) -> str:
    """Return why a line is not the `n`-th row after `prev`, or nothing."""
    row = _parsed(line)
    if row is None:
        return "it is no row"
    if row.n != n:
        return f"the row with the number {row.n} stands here"
    if row.prev != prev:
        return "it does not follow from the row before"
    return "" if row.sealed().line() == line + b"\n" else "it was changed after it was written"


def _row(entry: Entry, n: int, at: datetime, prev: str) -> Row:
    return Row(
        who=_short(entry.who) or "somebody", what=_short(entry.what), subject=_short(entry.subject),
        before=_shortened(entry.before), after=_shortened(entry.after), outcome=entry.outcome,
        n=n, at=at.astimezone(UTC).isoformat(timespec="milliseconds"), prev=prev,
    ).sealed()  # fmt: skip


def _parsed(line: bytes) -> Row | None:
    try:
        row = Row(**json.loads(line))
    except (ValueError, TypeError, RecursionError):
        return None
    return row if isinstance(row.n, int) and isinstance(row.hash, str) else None


def _shortened(values: Mapping[str, str]) -> dict[str, str]:
    return {str(name): _short(value) for name, value in list(values.items())[:MOST_VALUES]}


def _short(value: object) -> str:
    text = "".join(char if char.isprintable() else " " for char in str(value))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode("ascii")


def _torn_off(content: bytes) -> tuple[bytes, bytes]:
    """Return the whole lines, and what follows them."""
    end = content.rfind(b"\n") + 1
    return content[:end], content[end:]


def _content(file: int) -> bytes:
    """Return the end of a file: more than one row and the torn half of another can be long."""
    begin = max(0, os.fstat(file).st_size - TAIL_BYTES)
    return os.pread(file, TAIL_BYTES, begin)


def _write_all(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]
