"""Whether the clock can be believed: the store remembers when it was last worked with.

A clock that is behind that moment is wrong now, or was wrong then; nobody can tell at once. So work stops once, with a
sentence, before dates are judged and editions made by a wrong clock; whoever goes on with the same clock believes it,
and so do we.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from groundswell.index.records import Checkpoint
from groundswell.index.store import Reader, Store, UnavailableError

MARK = "clock"
"""Checkpoint: the latest moment of work (``latest``), and what was doubted."""
SLACK = timedelta(hours=1)
"""What a clock may be set back without a word: machines that share a store agree to seconds."""


class ClockError(Exception):
    """The clock is behind a moment at which work was done here; the message says what to do."""


def behind(reader: Reader, *, now: datetime) -> str:
    """Return in a sentence that the clock is behind what was done here, or nothing."""
    return _behind(reader.get(Checkpoint, MARK), now)


def _behind(mark: Checkpoint | None, now: datetime) -> str:
    then = _latest(mark)
    return "" if then is None or now >= then - SLACK else said_behind(now, then)


def said_behind(now: datetime, then: datetime) -> str:
    """Return the sentence that says of a clock that it is behind a moment of work."""
    return (
        f"the clock of this machine says {now:%Y-%m-%d %H:%M}Z, but work was done here at {then:%Y-%m-%d %H:%M}Z: "
        "it is wrong now, or was wrong then"
    )


def check_clock(store: Store, *, now: datetime) -> None:
    """Note that work is done at a moment. A clock that was set back by over an hour stops the first to come, once.

    Raises:
        ClockError: it is behind; said once, for the next call by the same clock goes on.
    """
    with suppress(UnavailableError):  # while the store is away nobody can say
        mark = store.get(Checkpoint, MARK)
        value = dict(mark.value) if mark else {}
        if not (why := _behind(mark, now)):
            note_clock(store, now=now)
            return
        doubted = datetime.fromisoformat(str(value["doubted"])) if value.get("doubted") else None
        if doubted is not None and doubted <= now:
            note_clock(store, now=now)
            return
        store.put([Checkpoint(id=MARK, value={**value, "doubted": now.isoformat()}, at=now)])
        raise ClockError(
            f"{why}. Nothing was done, nothing is lost. If it is wrong, set it; "
            "if it is right, run the same command again"
        )


def note_clock(store: Store, *, now: datetime) -> None:
    """Note that work is done at a moment, by a clock that is believed."""
    store.put([Checkpoint(id=MARK, value={"latest": now.isoformat()}, at=now)])


def is_steady(store: Store, name: str, *, now: datetime, most: timedelta) -> bool:
    """Return whether the clock has gone on by so much at most since this was asked last; note that it was asked.

    For what cannot be taken back: a clock that jumped ahead is not believed before it is asked the next time.
    """
    mark = store.get(Checkpoint, f"{MARK}/{name}")
    store.put([Checkpoint(id=f"{MARK}/{name}", value={"at": now.isoformat()}, at=now)])
    return mark is not None and timedelta() <= now - datetime.fromisoformat(str(mark.value["at"])) <= most


def latest(reader: Reader) -> datetime | None:
    """Return the latest moment at which work was done here by a clock that was believed."""
    return _latest(reader.get(Checkpoint, MARK))


def _latest(mark: Checkpoint | None) -> datetime | None:
    return datetime.fromisoformat(str(mark.value["latest"])) if mark else None


__all__ = ["ClockError", "behind", "check_clock", "is_steady", "latest", "note_clock"]
