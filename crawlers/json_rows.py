"""JSON files of rows that are not laid out by line: an array, objects one after another, or a list in an object."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

CHUNK = 65_536
WRAPPED = 64
"""A list inside an object may be so many times as long as a row may be."""
NEXT_OBJECT = re.compile(r"\}\s*,?\s*(?=\{)")
BETWEEN = re.compile(r"[\s,\[\]]*")
Row = tuple[int, Mapping[str, Any] | str]
"""The line where a row begins, and the row, or why it cannot be read."""


def whole_values(file: TextIO, limit: int) -> Iterator[Row]:
    """Yield the objects of an array, of an object's only list, or one after another, however they are laid out.

    A broken one costs itself and what belongs to it up to where the next object begins; none may be longer than `limit`
    characters.
    """
    stream = _Stream(file, limit)
    while stream.skip():
        line = stream.line
        value, problem = stream.value()
        if problem:
            yield line, problem
        elif isinstance(value, Mapping) and (rows := only_list(value)) is not None:
            yield from ((line, row) for row in rows)
        else:
            yield line, value if isinstance(value, dict) else f"not a JSON object but {type(value).__name__}"


def only_list(value: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the one list of objects that an object holds beside nothing but plain values, or ``None``."""
    lists = [
        each for each in value.values() if isinstance(each, list) and each and all(isinstance(x, dict) for x in each)
    ]
    return lists[0] if len(lists) == 1 and len(value) <= 10 and len(lists[0]) > 1 else None


class _Stream:
    """A file's text, with as much of it in hand as one value needs."""

    def __init__(self, file: TextIO, limit: int) -> None:
        self.file, self.limit = file, limit
        self.text, self.line, self.ended = "", 1, False
        self.decoder = json.JSONDecoder()

    def skip(self) -> bool:
        """Go to the next value; return whether there is one."""
        while True:
            found = BETWEEN.match(self.text)
            self._drop(found.end() if found else 0)
            if self.text or not self._more():
                return bool(self.text)

    def value(self) -> tuple[Any, str]:
        """Take the next value, or what is wrong with it."""
        tried = 0
        while True:
            try:
                value, end = self.decoder.raw_decode(self.text)
            except (ValueError, RecursionError) as error:
                tried = len(self.text)
                if _is_cut(error, tried) and tried <= WRAPPED * self.limit and self._more():
                    continue
                return None, self._skip_broken(error, tried)
            if end > self.limit and not (isinstance(value, Mapping) and only_list(value)):
                self._drop(end)
                return None, f"too long: over {self.limit:,} characters"
            self._drop(end)
            return value, ""

    def _skip_broken(self, error: Exception, tried: int) -> str:
        found = NEXT_OBJECT.search(self.text, max(1, getattr(error, "pos", 1) - 1)) or NEXT_OBJECT.search(self.text, 1)
        self._drop(found.end() if found else len(self.text))
        if "\udc80" <= self.text[:1] <= "\udcff":
            return "wrong encoding: not text"
        return f"too long: over {self.limit:,} characters" if tried > WRAPPED * self.limit else f"not JSON: {error}"

    def _more(self) -> bool:
        chunk = "" if self.ended else self.file.read(max(CHUNK, len(self.text)))
        self.ended = not chunk
        self.text += chunk
        return bool(chunk)

    def _drop(self, count: int) -> None:
        self.line += self.text.count("\n", 0, count)
        self.text = self.text[count:]


def _is_cut(error: Exception, length: int) -> bool:
    """Return whether a value merely ends too early, so that more text may complete it."""
    if not isinstance(error, json.JSONDecodeError):
        return False
    return error.msg.startswith(("Unterminated", "Invalid \\")) or error.pos >= length - len("-Infinity")
