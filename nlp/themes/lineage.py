"""What happened to themes, dated in the time of their documents, whenever it was found out."""

from __future__ import annotations

from datetime import datetime

from groundswell.index.ids import stable_id
from groundswell.index.records import Lineage, LineageKind
from groundswell.nlp.themes.cluster import Cluster


class Chronicle:
    """Collects what happens to themes until it is written down."""

    def __init__(self) -> None:
        self.events: list[Lineage] = []

    def record(
        self, what: LineageKind, cluster: Cluster, why: str, *, at: datetime, others: tuple[str, ...] = ()
    ) -> None:
        """Add an event; the same event found twice has the same id.

        Args:
            what: what happened.
            cluster: the theme it happened to.
            why: a sentence for people.
            at: when, by the documents that show it.
            others: the themes that it has to do with beside.
        """
        key = stable_id("lineage", cluster.theme, what, at.isoformat(), *others)
        self.events.append(Lineage(id=key, theme=cluster.theme, what=what, at=at, others=others, why=why))
