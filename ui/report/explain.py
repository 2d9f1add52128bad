"""What made a day or a rise: how much of the excess over the usual each source, theme, market, and copying brought.

The excess is a coverage game: a document counts once, whatever covers it. Its Shapley value is exact and simple: each
document's weight (+1 now, −1/n in each of n windows before) is divided equally among what covers it (Shapley 1953; for
coverage games e.g. Aziz et al. 2016). The parts therefore add up to the excess, and a source that merely carried a loud
theme shares with it instead of being counted twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

from groundswell.index.query import Bucket, By, Field, Hit, Query
from groundswell.index.store import Reader

DAY = timedelta(days=1)
HISTORY_DAYS = 28
"""Windows of the same length and hour of day are compared with, as many as these days hold."""
LONGEST_SPAN = 14 * DAY
COVERS: tuple[Field, ...] = ("source", "theme", "market")
COPIES = "copies"
DOCUMENTS = 10


@dataclass(frozen=True, slots=True)
class Part:
    """One source, theme or market, or copying as such.

    Attributes:
        field: which kind it is; `COPIES` for texts that repeat others.
        excess: documents of the excess that it accounts for; parts add up to the whole.
        observed: documents that it covers in the window, by itself.
        expected: the same in a usual window.
    """

    field: str
    value: str
    excess: float
    observed: int
    expected: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was counted, what is usual, and what made the difference, largest first.

    `windows` says with how many earlier windows it was compared; risks overlap and stand beside the parts.
    """

    observed: int
    expected: float
    windows: int
    parts: tuple[Part, ...]
    risks: tuple[Part, ...]
    documents: tuple[Hit, ...]

    @property
    def excess(self) -> float:
        """Return how many documents more there are than usual."""
        return self.observed - self.expected


def explain(reader: Reader, query: Query) -> Explanation | None:
    """Return what made the documents of a query more or fewer than usual; ``None`` where it has no bounded time."""
    if query.since is None or query.until is None or not timedelta() < query.until - query.since <= LONGEST_SPAN:
        return None
    step = ceil((query.until - query.since) / DAY) * DAY
    count = max(1, HISTORY_DAYS * DAY // step)
    begun = _begun(reader)
    starts = [query.since - (k + 1) * step for k in range(count)]
    used = [start for start in starts if begun is not None and start >= begun] or starts[:1]
    length = query.until - query.since
    windows = [_window(query, start, start + length) for start in used]
    present = _window(query, query.since, query.until)
    now, before = _counted(reader, [present]), _counted(reader, windows)
    parts = _parts(now, before, len(windows))
    return Explanation(
        observed=round(sum(part.whole for part in now.values())),
        expected=sum(part.whole for part in before.values()) / len(windows),
        windows=len(windows),
        parts=parts,
        risks=_plain(reader, present, windows, "risk"),
        documents=_documents(reader, query, parts),
    )


@dataclass(slots=True)
class _Cell:
    """Documents of one combination of source, theme and market: all, and those that repeat another text."""

    whole: float = 0.0
    repeated: float = 0.0


Cells = dict[tuple[str, ...], _Cell]


def _begun(reader: Reader) -> datetime | None:
    """Return when the stream began: before it nothing was usual."""
    first = reader.search(Query(trusted_dates=True, sort="oldest", limit=1)).hits
    return first[0].document.mention.published_at if first else None


def _window(query: Query, since: datetime, until: datetime) -> Query:
    return replace(query, since=since, until=until, collapse=True, trusted_dates=True, vector=None)


def _counted(reader: Reader, windows: Sequence[Query]) -> Cells:
    """Return the documents of all windows together, by what covers them."""
    cells: Cells = defaultdict(_Cell)
    for window in windows:
        for bucket in reader.count(window, By(fields=COVERS)):
            cell = cells[bucket.values]
            cell.whole += bucket.copies
            cell.repeated += bucket.copies - bucket.count
    return cells


def _parts(now: Cells, before: Cells, windows: int) -> tuple[Part, ...]:
    """Return the Shapley value of each thing that covers documents."""
    excess: dict[tuple[str, str], float] = defaultdict(float)
    observed: dict[tuple[str, str], float] = defaultdict(float)
    expected: dict[tuple[str, str], float] = defaultdict(float)
    for cells, weight, tally in ((now, 1.0, observed), (before, -1.0 / windows, expected)):
        for values, cell in cells.items():
            covers: list[tuple[str, str]] = [
                (field, value) for field, value in zip(COVERS, values, strict=True) if value or field == "source"
            ]
            for cover in covers:
                excess[cover] += weight * (cell.whole - cell.repeated) / len(covers)
                tally[cover] += cell.whole * abs(weight)
            for cover in [*covers, (COPIES, "")]:
                excess[cover] += weight * cell.repeated / (len(covers) + 1)
            tally[COPIES, ""] += cell.repeated * abs(weight)
    parts = (Part(*cover, value, round(observed[cover]), expected[cover]) for cover, value in excess.items())
    return tuple(sorted(parts, key=lambda part: (-abs(part.excess), part.field, part.value)))


def _plain(reader: Reader, present: Query, windows: Sequence[Query], field: Field) -> tuple[Part, ...]:
    """Return what a field of which a document may have several values departs by, value by value."""
    observed = _by_value(reader.count(present, By(fields=(field,))))
    usual: dict[str, float] = defaultdict(float)
    for window in windows:
        for value, count in _by_value(reader.count(window, By(fields=(field,)))).items():
            usual[value] += count / len(windows)
    found = (
        Part(
            field, value, observed.get(value, 0) - usual.get(value, 0.0), observed.get(value, 0), usual.get(value, 0.0)
        )
        for value in {*observed, *usual} - {""}
    )
    return tuple(sorted(found, key=lambda part: (-abs(part.excess), part.value)))


def _by_value(buckets: Sequence[Bucket]) -> dict[str, int]:
    return {bucket.values[0]: bucket.copies for bucket in buckets}


def _documents(reader: Reader, query: Query, parts: Sequence[Part]) -> tuple[Hit, ...]:
    """Return ten documents of what made most of the excess: of its strongest theme or source."""
    strongest = next((part for part in parts if part.field in {"theme", "source"} and part.excess > 0), None)
    if strongest is None:
        return ()
    where: Mapping[Field, tuple[str, ...]] = {**query.where, _field(strongest): (strongest.value,)}
    return reader.search(replace(query, where=where, collapse=True, limit=DOCUMENTS, highlight=False)).hits


def _field(part: Part) -> Field:
    return "theme" if part.field == "theme" else "source"
