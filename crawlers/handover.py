"""What the crawling process hands over, on disk: nothing fetched is lost when either process is killed.

One file for each source and run. Each line is ``{"mention": …}``, ``{"refusal": …}``, ``{"off_topic": …}``,
``{"removed": …}``, ``{"error": …}``, ``{"remark": …}`` or at last ``{"end": {"marks": …}}``. A file without its end
belongs to a crawl that was killed: its items are taken over, its marks do not exist, so the next visit starts where the
last whole one had started.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self

from groundswell.crawlers.identity import Candidate
from groundswell.index.codec import from_json, to_json
from groundswell.index.records import Mention, Refusal

FLUSH_EVERY = 50


@dataclass(frozen=True, slots=True)
class End:
    """How a visit ended: the new marks, and whether the server said that nothing had changed.

    `left` counts items and pages that were met and left for the next visit, `cut` tells that the visit's time was up.
    """

    marks: Mapping[str, Any] = field(default_factory=dict)
    unchanged: bool = False
    left: int = 0
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that went wrong with a source or one of its addresses."""

    message: str


@dataclass(frozen=True, slots=True)
class OffTopic:
    """Something that was found beside the topics that its source watches for; it is counted and not kept."""

    where: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that people should know of a visit although nothing went wrong."""

    message: str


@dataclass(frozen=True, slots=True)
class Removed:
    """A mention that its source has taken back."""

    id: str
    where: str = ""


Line = Mention | Refusal | OffTopic | Removed | Trouble | Remark | End


def spool_path(folder: Path, source: str, run: str) -> Path:
    """Return where a source's findings of one run lie."""
    return folder / f"{source}.{run}.jsonl"


def spooled(folder: Path, source: str) -> list[Path]:
    """Return the files of a source, oldest first: what killed runs left behind, and what the newest brought."""
    return sorted(folder.glob(f"{source}.*.jsonl"), key=lambda path: (path.stat().st_mtime_ns, path.name))


class SpoolWriter:
    """Appends lines; they survive the process after each `flush`, and the machine after `end`."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8")
        self._waiting = 0

    def write(self, line: Line) -> None:
        """Append one line."""
        self._file.write(json.dumps(_plain(line), ensure_ascii=False) + "\n")
        self._waiting += 1
        if self._waiting >= FLUSH_EVERY:
            self.flush()

    def flush(self) -> None:
        """Hand over to the operating system."""
        self._file.flush()
        self._waiting = 0

    def close(self) -> None:
        """Write through to the disk and close."""
        self.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


class Tally:
    """Counts what lies in spools that are being written; each byte is read once.

    Attributes:
        items: mentions and refusals so far.
        begun: spools that exist, the first one first.
        ended: spools that have come to their end, in that order.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.items = 0
        self.begun: dict[Path, None] = {}
        self.ended: dict[Path, None] = {}
        self._read = dict.fromkeys(paths, 0)

    @property
    def waiting(self) -> list[Path]:
        """Return those that are being written, the one that takes longest first."""
        return [path for path in self.begun if path not in self.ended]

    def update(self) -> None:
        """Count the whole lines that were added since."""
        for path, read in self._read.items():
            with suppress(FileNotFoundError), path.open("rb") as file:
                self.begun.setdefault(path)
                file.seek(read)
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    self._read[path] += len(line)
                    self.items += line.startswith((b'{"mention"', b'{"refusal"', b'{"off_topic"'))
                    if line.startswith(b'{"end"'):
                        self.ended.setdefault(path)


def read_spool(path: Path) -> Iterator[Line]:
    """Yield the whole lines of a file; a last one that was torn by a kill is left out."""
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield _line(json.loads(line))


def _plain(line: Line) -> dict[str, Any]:
    for kind, (name, write) in WRITERS.items():
        if isinstance(line, kind):
            return {name: write(line)}
    raise TypeError(f"{type(line).__name__} is no line of a spool")


def _line(data: dict[str, Any]) -> Line:
    ((name, value),) = data.items()
    line: Line = READERS[name](value)
    return line


WRITERS: dict[type[Any], tuple[str, Callable[[Any], Any]]] = {
    Mention: ("mention", to_json),
    Candidate: ("mention", to_json),
    Refusal: ("refusal", to_json),
    OffTopic: ("off_topic", lambda line: line.where),
    Removed: ("removed", lambda line: [line.id, line.where]),
    Trouble: ("error", lambda line: line.message),
    Remark: ("remark", lambda line: line.message),
    End: ("end", lambda line: {name: getattr(line, name) for name in End.__slots__}),
}
READERS: dict[str, Callable[[Any], Any]] = {
    "mention": partial(from_json, Candidate),
    "refusal": partial(from_json, Refusal),
    "off_topic": OffTopic,
    "removed": lambda value: Removed(*value),
    "error": Trouble,
    "remark": Remark,
    "end": lambda value: End(**value),
}
