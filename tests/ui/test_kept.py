"""What the board keeps: made once, seen at once by whoever changed it, never older than ten times its own cost."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from groundswell.ui.board.kept import Kept, Stamp


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return its time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock at nought."""
    return Clock()


def _taking(clock: Clock, seconds: float, value: int) -> Callable[[], int]:
    def make() -> int:
        clock.now += seconds
        return value

    return make


def test_an_answer_is_made_once_as_long_as_nothing_changes(clock: Clock) -> None:
    """However long that is; another state, and it is made anew."""
    kept = Kept(clock=clock)
    assert kept.ask("a", Stamp(0, "1"), _taking(clock, 0.05, 1)) == 1
    clock.now += 10_000
    assert kept.ask("a", Stamp(0, "1"), _taking(clock, 0.05, 2)) == 1
    assert kept.ask("a", Stamp(0, "2"), _taking(clock, 0.05, 3)) == 3
    assert not kept.behind()


def test_while_others_write_what_is_dear_is_made_again_now_and_then(clock: Clock) -> None:
    """A second's work is shown for nine seconds; one's own change is seen at once."""
    kept = Kept(clock=clock)
    kept.ask("dear", Stamp(0, "1"), _taking(clock, 1.0, 1))
    clock.now += 8.9
    assert kept.ask("dear", Stamp(0, "2"), _taking(clock, 1.0, 2)) == 1
    assert kept.behind()
    assert not kept.behind()
    assert kept.ask("dear", Stamp(1, "2"), _taking(clock, 1.0, 3)) == 3
    clock.now += 9.1
    assert kept.ask("dear", Stamp(1, "3"), _taking(clock, 1.0, 4)) == 4


def test_ten_who_ask_at_once_ask_the_store_once() -> None:
    """The others wait for the one answer; what failed is asked again."""
    kept, asked, go = Kept(), [0], threading.Barrier(10)

    def make() -> int:
        asked[0] += 1
        return asked[0]

    def ask() -> None:
        go.wait(10)
        kept.ask("a", Stamp(0, "1"), make)

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert asked == [1]
    with pytest.raises(ZeroDivisionError):
        kept.ask("b", Stamp(0, "1"), lambda: 1 // 0)
    assert kept.ask("b", Stamp(0, "1"), lambda: 7) == 7


def test_only_the_latest_used_answers_are_held() -> None:
    """The oldest goes first."""
    kept = Kept(most=2)
    for key in ("a", "b", "a", "c"):
        kept.ask(key, Stamp(0, "1"), lambda: 1)
    assert kept.ask("a", Stamp(0, "1"), lambda: 2) == 1
    assert kept.ask("b", Stamp(0, "1"), lambda: 2) == 2
