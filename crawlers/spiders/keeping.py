"""Marks that say themselves what is still to be read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from groundswell.crawlers.spiders.base import S, SourceSpider
from groundswell.crawlers.spool import Trouble


class KeepingSpider(SourceSpider[S]):
    """A spider whose marks hold whatever happens."""

    until: datetime | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept: set[str] = set()
        self.left = 0

    def keep(self, key: str, mark: Any) -> None:
        """Set a mark that says what is still to be read, so that it holds even where the visit fails or is cut."""
        self.marks[key] = mark
        self.kept.add(key)

    def leave(self, count: int = 1) -> None:
        """Count items or pages that are known and left for the next visit."""
        self.left += count

    def remark(self, message: str) -> None:
        """Tell something that people should know."""
        self.writer.write(Trouble(message))

    def final_marks(self) -> dict[str, Any]:
        """Return the marks that may be kept."""
        return {key: mark for key, mark in self.marks.items() if key not in self.spoilt or key in self.kept}
