"""What people did stands as it was written: whatever is changed, moved, taken out or cut off is named."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from groundswell.index.audit import HEAD, ROWS, Audit, Entry, Row, fingerprint
from groundswell.index.store import StoreError

COUNT = 6


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a folder with six rows, each of somebody else."""
    for n in range(1, COUNT + 1):
        Audit(tmp_path).note(
            Entry(who=f"p{n}", what="write case", subject="c1", before={"owner": "a"}, after={"owner": "b"})
        )
    return tmp_path


def _lines(folder: Path) -> list[bytes]:
    return (folder / ROWS).read_bytes().splitlines(keepends=True)


def test_an_untouched_log_is_whole(log: Path) -> None:
    """Rows are numbered, follow from each other, and are their owner's alone; a log of nothing is whole too."""
    verdict = Audit(log).verify()
    assert (verdict.rows, verdict.wrong) == (COUNT, "")
    assert [row.n for row in Audit(log).rows()] == list(range(1, COUNT + 1))
    assert verdict.head == Audit(log).rows()[-1].hash
    assert (log / ROWS).stat().st_mode & 0o077 == 0
    assert not Audit(log / "none").verify().wrong


def _sealed_anew(lines: list[bytes]) -> list[bytes]:
    """Change the third row and give it a hash that fits."""
    row = json.loads(lines[2])
    return [*lines[:2], Row(**{**row, "who": "nobody"}).sealed().line(), *lines[3:]]


TAMPERING: dict[str, tuple[Callable[[list[bytes]], list[bytes]], int]] = {
    "changed": (lambda rows: [*rows[:2], rows[2].replace(b'"p3"', b'"p9"'), *rows[3:]], 3),
    "changed and sealed anew": (_sealed_anew, 4),
    "spaces put in": (lambda rows: [*rows[:2], rows[2].replace(b'","', b'", "', 1), *rows[3:]], 3),
    "a name twice": (lambda rows: [*rows[:2], rows[2].replace(b"{", b'{"who":"x",', 1), *rows[3:]], 3),
    "no row at all": (lambda rows: [*rows[:2], b"hello\n", *rows[3:]], 3),
    "nested without end": (lambda rows: [*rows[:2], b"[" * 100_000 + b"\n", *rows[3:]], 3),
    "taken out": (lambda rows: [*rows[:2], *rows[3:]], 3),
    "first taken out": (lambda rows: rows[1:], 1),
    "reordered": (lambda rows: [rows[0], rows[2], rows[1], *rows[3:]], 2),
    "twice": (lambda rows: [*rows[:3], rows[2], *rows[3:]], 4),
    "cut off the end": (lambda rows: rows[:4], 5),
    "last one cut in half": (lambda rows: [*rows[:5], rows[5][:40]], 6),
    "all cut": (lambda _: [], 1),
}


@pytest.mark.parametrize("how", TAMPERING)
@pytest.mark.parametrize("goes_on", [False, True], ids=["at once", "after another row"])
def test_the_first_row_that_was_tampered_with_is_named(log: Path, how: str, goes_on: bool) -> None:
    """Whatever was done to the file, and whether or not somebody worked on before it was looked at."""
    tamper, first = TAMPERING[how]
    (log / ROWS).write_bytes(b"".join(tamper(_lines(log))))
    if goes_on:
        Audit(log).note(Entry(who="later", what="write case"))
    assert Audit(log).verify().wrong.startswith(f"row {first}:")


def test_the_last_row_sealed_anew_is_missed(log: Path) -> None:
    """The head beside the rows knows the hash that was written, also after more rows."""
    row = Audit(log).rows()[-1]
    for _ in range(2):
        forged = Row(**{**{n: getattr(row, n) for n in Row.__dataclass_fields__}, "who": "nobody"}).sealed()
        (log / ROWS).write_bytes(b"".join([*_lines(log)[: COUNT - 1], forged.line(), *_lines(log)[COUNT:]]))
        assert Audit(log).verify().wrong
        Audit(log).note(Entry(who="later", what="write case"))


def test_a_missing_head_is_named_and_an_old_one_noted_elsewhere_counts(log: Path) -> None:
    """A log written anew as a whole is whole in itself: only a hash that was noted elsewhere tells."""
    noted = Audit(log).verify().head
    Audit(log).note(Entry(who="mei", what="write case"))
    assert not Audit(log).verify(noted).wrong
    head = (log / HEAD).read_bytes()
    (log / HEAD).unlink()
    assert HEAD in Audit(log).verify().wrong
    (log / HEAD).write_bytes(head)
    for name in (HEAD, ROWS):
        (log / name).unlink()
    Audit(log).note(Entry(who="mei", what="write case"))
    assert not Audit(log).verify().wrong
    assert noted in Audit(log).verify(noted).wrong


def test_half_a_row_of_a_killed_process_is_taken_away(log: Path) -> None:
    """It told of something that was not begun yet; the log is whole before and after the next row."""
    with (log / ROWS).open("ab") as file:
        file.write(b'{"after":{},"at":"20')
    assert not Audit(log).verify().wrong
    Audit(log).note(Entry(who="mei", what="write case"))
    assert (Audit(log).verify().rows, Audit(log).verify().wrong) == (COUNT + 1, "")


def test_a_head_that_a_kill_left_behind_is_no_fault(log: Path) -> None:
    """Killed between row and head: the row counts, and the next one follows from it."""
    head = (log / HEAD).read_bytes()
    Audit(log).note(Entry(who="mei", what="write case"))
    (log / HEAD).write_bytes(head)
    assert not Audit(log).verify().wrong
    Audit(log).note(Entry(who="mei", what="write case"))
    assert (Audit(log).verify().rows, Audit(log).verify().wrong) == (COUNT + 2, "")


def test_a_first_row_cut_in_half_begins_anew(tmp_path: Path) -> None:
    """Killed while the very first row was written."""
    Audit(tmp_path)._point(0, "0" * 64)
    (tmp_path / ROWS).write_bytes(b'{"after"')
    Audit(tmp_path).note(Entry(who="mei", what="write case"))
    assert (Audit(tmp_path).verify().rows, Audit(tmp_path).verify().wrong) == (1, "")


WRITER = """
import sys
from pathlib import Path
from groundswell.index.audit import Audit, Entry
for n in range(100_000):
    Audit(Path(sys.argv[1])).note(Entry(who="mei", what="write case", subject=str(n)))
    print(n, flush=True)
"""


def test_what_was_told_done_is_there_after_any_kill(tmp_path: Path) -> None:
    """Killed at some instant, again and again: every row that was acknowledged is there, and the chain is whole."""
    acknowledged = 0
    for turn in range(1, 5):
        child = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        for _ in range(3 * turn):
            acknowledged += bool(child.stdout.readline())
        os.kill(child.pid, signal.SIGKILL)
        acknowledged += len(child.stdout.read().splitlines())
        child.wait()
        verdict = Audit(tmp_path).verify()
        assert not verdict.wrong
        assert acknowledged <= verdict.rows <= acknowledged + turn


def test_many_at_once_make_one_chain(tmp_path: Path) -> None:
    """Each has its own place."""
    with ThreadPoolExecutor(8) as people:
        list(
            people.map(
                lambda n: Audit(tmp_path).note(Entry(who=f"p{n}", what="w"), Entry(who=f"p{n}", what="w")), range(20)
            )
        )
    assert (Audit(tmp_path).verify().rows, Audit(tmp_path).verify().wrong) == (40, "")


def test_what_cannot_be_recorded_is_not_done(tmp_path: Path) -> None:
    """A log that cannot be written stops what it would tell of, in words; what fails is noted as failed."""
    done = []
    with pytest.raises(ZeroDivisionError), Audit(tmp_path).around(Entry(who="mei", what="w")):
        raise ZeroDivisionError
    assert [row.outcome for row in Audit(tmp_path).rows()] == ["", "failed"]
    (tmp_path / ROWS).unlink()
    (tmp_path / ROWS).mkdir()
    with pytest.raises(StoreError, match="nothing was done"), Audit(tmp_path).around(Entry(who="mei", what="w")):
        done.append(1)
    assert not done


def test_hostile_values_are_bounded_and_stay_in_their_row(tmp_path: Path) -> None:
    """Line breaks, control characters, lone surrogates and endless values make no other row."""
    Audit(tmp_path).note(
        Entry(who='a\n{"n":2}\x1b[31m\ud800', what="w", subject="x" * 10_000, after={"\u2028": "y" * 999})
    )
    assert (Audit(tmp_path).verify().rows, Audit(tmp_path).verify().wrong) == (1, "")
    assert len(_lines(tmp_path)[0]) < 2000
    assert "secret" not in fingerprint("secret words")
