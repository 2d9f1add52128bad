"""Rows of CSV, workbooks, JSON and Parquet, one at a time however long the file is."""

from __future__ import annotations

import glob
import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from groundswell.configs.source import FileSource
from groundswell.crawlers.dates import DateLocale, Order
from groundswell.crawlers.dates.words import normalise
from groundswell.crawlers.json_rows import whole_values
from groundswell.crawlers.mention import Builder, Made, Raw, is_personal
from groundswell.crawlers.numbers import NumberColumn
from groundswell.crawlers.tables import (
    FileError,
    Row,
    bounded_lines,
    csv_rows,
    open_text,
    sheet_rows,
    wanted_columns,
)

PARQUET_BATCH = 1000
TYPES = {
    ".csv": "csv", ".tsv": "csv", ".tab": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json",
    ".parquet": "parquet", ".xlsx": "xlsx", ".xlsm": "xlsx", ".xlsb": "xlsx", ".xls": "xlsx", ".ods": "xlsx",
}  # fmt: skip
THREE_NUMBERS = re.compile(r"\D{0,20}(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?!\d)")


@dataclass(slots=True)
class Facts:
    """What whole columns tell that single values do not: the order of day and month, the sign of decimals."""

    reach: NumberColumn
    rating: NumberColumn
    orders: set[str] = field(default_factory=set)
    open_date: tuple[str, str] = ("", "")
    """The first date that may be read in two ways, and where it stands."""

    @property
    def order(self) -> Order:
        """Return the order of the date column; ``mixed`` where it contradicts itself."""
        if len(self.orders) > 1:
            return "mixed"
        return "dmy" if "dmy" in self.orders else "mdy" if "mdy" in self.orders else ""

    def see(self, place: str, row: Mapping[str, Any], source: FileSource) -> None:
        """Note what a row tells."""
        columns = source.columns
        self.reach.see(_cell(row, columns.reach))
        self.rating.see(_cell(row, columns.rating))
        stamp = _cell(row, columns.published_at)
        if not isinstance(stamp, str) or not (found := THREE_NUMBERS.match(normalise(stamp[:120]))):
            return
        one, other = int(found[1]), int(found[2])
        if one <= 12 < other <= 31:
            self.orders.add("mdy")
        elif other <= 12 < one <= 31 and len(found[3]) == 4:
            self.orders.add("dmy")
        elif one != other and not self.open_date[0]:
            self.open_date = (stamp[:60], place)


def files_of(source: FileSource) -> list[Path]:
    """Return the files a source names.

    Raises:
        FileError: a name matches nothing.
    """
    found: list[Path] = []
    for pattern in source.paths:
        matches = sorted(Path(name) for name in glob.glob(pattern)) if glob.has_magic(pattern) else [Path(pattern)]  # noqa: PTH207  the pattern is absolute
        if not matches or not all(path.is_file() for path in matches):
            raise FileError(f"{pattern}: there is no such file; look at paths in the source {source.name}")
        found += matches
    return found


def fingerprint(path: Path) -> str:
    """Return a hash of a file's content: an unchanged file is not read again."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_file(path: Path, source: FileSource, builder: Builder) -> Iterator[tuple[str, Made]]:
    """Yield where each row stands, and the mention it makes or why it makes none.

    The file is read twice: how a column writes dates and numbers is decided by all of it.

    Raises:
        FileError: the file has no such columns, or is not what its name says.
    """
    limit = builder.settings.max_page_bytes
    facts = _facts(path, source, limit)
    if facts.open_date[0] and not facts.orders and not _knows_order(source):
        stamp, place = facts.open_date
        reason = f"the order of day and month in {stamp!r} is open and no row tells it; set date_format, market or lang"
        yield place, builder.refuse(path.name, reason)
    for place, row in _rows(path, source, limit=limit):
        yield (
            place,
            builder.refuse(place, row) if isinstance(row, str) else builder.build(raw_row(place, row, source, facts)),
        )


def _facts(path: Path, source: FileSource, limit: int) -> Facts:
    facts = Facts(NumberColumn(whole=True, market=source.market), NumberColumn(whole=False, market=source.market))
    columns = source.columns
    if columns.published_at or columns.reach or columns.rating:
        for place, row in _rows(path, source, limit=limit):
            if not isinstance(row, str):
                facts.see(place, row, source)
    return facts


def _knows_order(source: FileSource) -> bool:
    return bool(source.date_format or source.columns.market or DateLocale("", source.market, source.lang).usual_order)


def raw_row(place: str, row: Mapping[str, Any], source: FileSource, facts: Facts) -> Raw:
    """Return a row with its columns by meaning."""
    columns = source.columns
    mapped = {name: _present(_cell(row, getattr(columns, name))) for name in type(columns).model_fields}
    for name, value in source.constants.items():
        mapped[name] = mapped[name] if mapped[name] not in (None, "") else value
    stamp = _stamp(mapped.pop("published_at"), mapped.pop("time"))
    own_id, url = mapped.pop("id"), mapped.pop("url")
    notes: dict[str, Any] = {}
    for what, column in (("reach", facts.reach), ("rating", facts.rating)):
        given = mapped[what]
        mapped[what], problem = column.read(given)
        if problem:
            notes |= {f"stated_{what}": str(given)[:60], f"{what}_note": problem}
    return Raw(
        where=place,
        own_id="" if own_id is None else str(own_id),
        url=str(url or ""),
        by_address=own_id in (None, ""),  # rows without an id that share an address are told apart by what they say
        may_share=own_id in (None, ""),
        is_html=source.html,
        title_is_html=source.html,
        published=stamp,
        date_order=facts.order,
        extra=notes | _others(row, source),
        **mapped,
    )


def _rows(path: Path, source: FileSource, *, limit: int) -> Iterator[Row]:
    kind = TYPES.get(path.suffix.lower(), "") if source.type == "auto" else source.type
    readers = {"csv": csv_rows, "xlsx": sheet_rows, "json": _json_rows, "jsonl": _json_rows, "parquet": _parquet_rows}
    if kind not in readers:
        raise FileError(f"{path}: cannot tell what it is from its name; set type to csv, xlsx, json, jsonl or parquet")
    return readers[kind](path, source, limit)


def _json_rows(path: Path, source: FileSource, limit: int) -> Iterator[Row]:
    """Yield the objects of a JSON file: one a line, or laid out in any other way."""
    if _is_by_line(path, source, limit):
        yield from _jsonl_rows(path, source, limit)
        return
    with closing(open_text(path, source)) as file:
        yield from ((f"{path.name}:{line}", row) for line, row in whole_values(file, limit))


def _is_by_line(path: Path, source: FileSource, limit: int) -> bool:
    """Return whether the first line that is not empty is a whole object (or nothing that JSON begins with)."""
    with closing(open_text(path, source)) as file:
        first = next((line for line in bounded_lines(file, limit, []) if line.strip()), "")
    if first.lstrip("\ufeff \t")[:1] not in {"[", "{"}:
        return True
    row = _json_row(first)
    if isinstance(row, str) and first.lstrip("\ufeff \t").startswith("["):
        return False
    return len(first) > limit or not (isinstance(row, str) or not wanted_in(row, source))


def wanted_in(row: Mapping[str, Any], source: FileSource) -> bool:
    """Return whether an object looks like a row: it has any of the columns that the source maps."""
    return any(name in row or name.split(".")[0] in row for name in wanted_columns(source))


def _jsonl_rows(path: Path, source: FileSource, limit: int) -> Iterator[Row]:
    with closing(open_text(path, source)) as file:
        long: list[int] = []
        for number, line in enumerate(bounded_lines(file, limit, long, keep=True), 1):
            if number in long[-1:]:
                yield f"{path.name}:{number}", f"too long: over {limit:,} characters"
            elif line.strip():
                yield f"{path.name}:{number}", _json_row(line)


def _json_row(line: str) -> Mapping[str, Any] | str:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return "wrong encoding: not text" if "\udc80" <= line[:1] <= "\udcff" else f"not JSON: {error}"
    return row if isinstance(row, dict) else f"not a JSON object but {type(row).__name__}"


def _parquet_rows(path: Path, source: FileSource, limit: int) -> Iterator[Row]:  # noqa: ARG001  as its siblings
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            _check_columns(path, file.schema_arrow.names, source)
            number = 0
            for batch in file.iter_batches(batch_size=PARQUET_BATCH):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path.name} row {number}", row
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path}: not a whole Parquet file: {error}") from None


def _check_columns(path: Path, names: list[str], source: FileSource) -> None:
    missing = sorted(name for name in wanted_columns(source) if name not in names and name.split(".")[0] not in names)
    if missing:
        raise FileError(f"{path}: no column {', '.join(missing)}; there are: {', '.join(names)[:500]}")


def _cell(row: Mapping[str, Any], name: str) -> Any:
    if not name or name in row:
        return row.get(name) if name else None
    value: Any = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _present(value: Any) -> Any:
    """Return a value, or ``None`` for what is no number: JSON and Parquet have NaN where nothing is."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _stamp(value: Any, clock: Any) -> str | float | datetime | date | None:
    """Return a date with the time of day that stands in a column of its own."""
    if clock not in (None, "") and isinstance(value, date) and isinstance(clock, time):
        return datetime.combine(value, clock)
    if clock not in (None, "") and isinstance(value, (str, date)):
        return f"{value.date() if isinstance(value, datetime) else value} {clock}"
    return value if isinstance(value, (str, int, float, datetime, date)) else None


def _others(row: Mapping[str, Any], source: FileSource) -> dict[str, Any]:
    columns = source.columns
    taken = {getattr(columns, name).split(".")[0] for name in type(columns).model_fields}
    if source.keep is not None:
        return {name: row[name] for name in source.keep if name in row}
    return {name: value for name, value in row.items() if name and name not in taken and not is_personal(str(name))}


__all__ = ["Facts", "FileError", "files_of", "fingerprint", "raw_row", "read_file"]
