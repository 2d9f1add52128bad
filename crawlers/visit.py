"""What one visit to one source is, and what all visits of one crawl share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any

from groundswell.configs.schema import Settings
from groundswell.configs.source import Source
from groundswell.crawlers.handover import spool_path
from groundswell.crawlers.health import Shape
from groundswell.crawlers.intake import Counts
from groundswell.index.leases import Held
from groundswell.index.progress import Progress
from groundswell.index.records import Checkpoint
from groundswell.index.store import Store


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the past to be filled in; either end may be open."""

    since: datetime | None = None
    until: datetime | None = None

    def __str__(self) -> str:
        """Return it as the checkpoint names it."""
        return "/".join(at.isoformat() if at else ".." for at in (self.since, self.until))


@dataclass(slots=True)
class Visit:
    """What one visit to one source has come to so far."""

    source: Source
    marks: dict[str, Any]
    before: Checkpoint | None = None
    shape: Shape = field(default_factory=Shape)
    counts: Counts = field(default_factory=Counts)
    troubles: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    unchanged: bool = False
    left: int = 0
    cut: bool = False
    begun: float = field(default_factory=monotonic)


@dataclass(frozen=True, slots=True)
class Work:
    """What every step of one crawl shares."""

    store: Store
    settings: Settings
    folder: Path
    now: datetime
    progress: Progress | None = None
    span: Span | None = None
    held: Held | None = None
    """The leases of the sources that are visited; nothing where the store is away and nobody can be asked."""

    @property
    def turns(self) -> dict[str, Any] | None:
        """Return what the crawling process needs to take turns at hosts with other crawls."""
        if self.held is None:
            return None
        leases, whole = self.held.leases, self.settings
        needed = {"data_dir": str(whole.data_dir), "store": whole.store.model_dump(mode="json")}
        return {"settings": needed, "holder": leases.holder, "seconds": leases.seconds}

    def tell(self, done: int, total: int | None, what: str) -> None:
        """Say how far it is, if anybody listens."""
        if self.progress:
            self.progress(done, total, what)

    def spool(self, source: Source) -> Path:
        """Return where a source's findings of this run lie."""
        return spool_path(self.folder, source.name, self.now.strftime("%Y%m%dT%H%M%S%f"))
