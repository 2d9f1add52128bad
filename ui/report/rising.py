"""What is rising, not yet sure: how the early list reads on the board, in the mail and on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from groundswell.index.records import Signal
from groundswell.ui.report import links, wording
from groundswell.ui.report.tongue import tr
from groundswell.ui.report.topics import topic_title

LONGEST = 90
"""Characters of a title."""
LEAST = 0.02
"""The smallest chance that is listed."""


@dataclass(frozen=True, slots=True)
class RisingRow:
    """One candidate as people read it; `address` is that of its documents, from the board's root on."""

    title: str
    chance: str
    documents: str
    why: str
    address: str


def rising_rows(signals: Sequence[Signal]) -> Iterator[RisingRow]:
    """Yield the early list (`Inbox.rising`) for people, likeliest first."""
    for signal in signals:
        yield RisingRow(
            title=wording.shortened(_title(signal) or ", ".join(signal.terms[:3]), LONGEST),
            chance=wording.percent(signal.alert_chance or 0.0, 1.0),
            documents=wording.plural(len(signal.evidence), "document"),
            why=signal.why,
            address=links.evidence(signal),
        )


def _title(signal: Signal) -> str:
    return topic_title(signal.title) if signal.standing else signal.title


def likely(signals: Sequence[Signal]) -> list[Signal]:
    """Return what is worth a line: a chance of less than one in fifty is no news."""
    return [signal for signal in signals if (signal.alert_chance or 0.0) >= LEAST]


def heading() -> str:
    """Return what stands above the list."""
    return tr("Rising, not yet sure")


def note() -> str:
    """Return what the percentages mean."""
    return tr("too weak for an alert today; the chance that each becomes one within three days")
