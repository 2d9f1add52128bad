"""What the crawling process hands over, on disk: nothing fetched is lost when either process is killed.

One file for each source and run. Each line is ``{"mention": …}``, ``{"refusal": …}``, ``{"off_topic": …}``,
``{"error": …}`` or at last ``{"end": {"marks": …}}``. A file without its end belongs to a crawl that was killed: its
items are taken over, its marks do not exist, so the next visit starts where the last whole one had started.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from groundswell.index.codec import from_json, to_json
from groundswell.index.records import Mention, Refusal

FLUSH_EVERY = 50


@dataclass(frozen=True, slots=True)
class End:
    """How a visit ended: the new marks, and whether the server said that nothing had changed."""

    marks: Mapping[str, Any] = field(default_factory=dict)
    unchanged: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that went wrong with a source or one of its addresses."""

    message: str


@dataclass(frozen=True, slots=True)
class OffTopic:
    """Something that was found beside the topics that its source watches for; it is counted and not kept."""

    where: str = ""


Line = Mention | Refusal | OffTopic | Trouble | End


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
        ended: how many spools have come to their end.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.items = self.ended = 0
        self._read = dict.fromkeys(paths, 0)

    def update(self) -> None:
        """Count the whole lines that were added since."""
        for path, read in self._read.items():
            with suppress(FileNotFoundError), path.open("rb") as file:
                file.seek(read)
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    self._read[path] += len(line)
                    self.items += line.startswith((b'{"mention"', b'{"refusal"', b'{"off_topic"'))
                    self.ended += line.startswith(b'{"end"')


def read_spool(path: Path) -> Iterator[Line]:
    """Yield the whole lines of a file; a last one that was torn by a kill is left out."""
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield _line(json.loads(line))


def _plain(line: Line) -> dict[str, Any]:
    if isinstance(line, Mention):
        return {"mention": to_json(line)}
    if isinstance(line, Refusal):
        return {"refusal": to_json(line)}
    if isinstance(line, Trouble):
        return {"error": line.message}
    if isinstance(line, OffTopic):
        return {"off_topic": line.where}
    return {"end": {"marks": line.marks, "unchanged": line.unchanged}}


def _line(data: dict[str, Any]) -> Line:
    if "mention" in data:
        return from_json(Mention, data["mention"])
    if "refusal" in data:
        return from_json(Refusal, data["refusal"])
    if "off_topic" in data:
        return OffTopic(data["off_topic"])
    return Trouble(data["error"]) if "error" in data else End(**data["end"])
