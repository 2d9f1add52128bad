"""Work in pieces: memory is bounded, and progress can be told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the items in lists of this size, the last one shorter; nothing is read ahead of what is asked for."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def sliced(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield slices of this size of what is at hand as a whole."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
