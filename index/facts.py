"""One tidy table for spreadsheets: how many documents, and their mood, by day, market, risk, source and sentiment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from groundswell.index.files import written_aside
from groundswell.index.query import Bucket, By, Query
from groundswell.index.store import Reader, StoreError
from groundswell.index.tables import FACT, parquet_table

SHEET_ROWS = 1_048_575
"""What a worksheet holds beneath its heading."""
MEANS = {
    "day": "day of publication, UTC; documents without a trustworthy date are left out",
    "market": "country, ISO 3166; empty where it is not known",
    "risk": "risk that a document claims; a document with two stands under each, one without under nothing",
    "source": "where it was found",
    "sentiment": "negative, neutral, positive, unsure; empty where it was not read yet",
    "documents": "how many documents; add it up over everything but risk",
    "mood": "mean of positive minus negative, -1 to 1; to average rows, weigh them by documents",
}


def export_facts(reader: Reader, target: Path, *, since: datetime | None = None, until: datetime | None = None) -> int:
    """Write the facts into an .xlsx or .parquet file with the columns of `FACT`; return how many rows there are.

    Raises:
        StoreError: the file's name ends otherwise, or a worksheet cannot hold so many rows.
    """
    writers = {".xlsx": _write_sheet, ".parquet": _write_parquet}
    if (write := writers.get(target.suffix.lower())) is None:
        raise StoreError(f"{target} should end in .xlsx or .parquet")
    rows = list(facts(reader, since=since, until=until))
    if len(rows) > SHEET_ROWS and target.suffix.lower() == ".xlsx":
        raise StoreError(f"{len(rows):,} rows, a worksheet holds {SHEET_ROWS:,}: narrow the days, or write .parquet")
    with written_aside(target) as part:
        write(part, rows)
    return len(rows)


def facts(reader: Reader, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[dict[str, Any]]:
    """Yield the facts, ordered by day, market, risk, source, sentiment."""
    by = By(period="day", fields=("market", "risk", "source", "sentiment"))
    for bucket in reader.count(Query(since=since, until=until), by):
        yield _fact(bucket)


def _fact(bucket: Bucket) -> dict[str, Any]:
    day = bucket.start.date() if bucket.start else None
    return dict(zip(FACT, (day, *bucket.values, bucket.count, bucket.mood), strict=True))


def _write_parquet(part: Path, rows: list[dict[str, Any]]) -> None:
    import pyarrow.parquet as pq

    pq.write_table(parquet_table(rows, FACT), part, compression="zstd")


def _write_sheet(part: Path, rows: list[dict[str, Any]]) -> None:
    """Write a workbook: the facts as a table, and a sheet that says what each column means."""
    with workbook(part) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet = book.add_worksheet("facts")
        sheet.set_column(0, 0, 12, day)
        sheet.set_column(1, len(FACT) - 1, 16)
        fill(sheet, list(FACT), [list(row.values()) for row in rows])
        about = book.add_worksheet("about")
        about.set_column(1, 1, 100)
        fill(about, ["column", "means"], [[name, meaning] for name, meaning in MEANS.items()])


def workbook(part: Path) -> Any:
    """Return a new workbook in which no text is ever a formula or a link, and no time is refused for its zone."""
    import xlsxwriter

    safe = {"strings_to_formulas": False, "strings_to_urls": False, "remove_timezone": True, "nan_inf_to_errors": True}
    return xlsxwriter.Workbook(str(part), {**safe, "default_date_format": "yyyy-mm-dd hh:mm", "in_memory": True})


def fill(sheet: Any, columns: list[str], rows: list[list[Any]]) -> None:
    """Write a heading and rows beneath it, with filters and the heading kept in sight."""
    sheet.write_row(0, 0, columns)
    for number, row in enumerate(rows, 1):
        sheet.write_row(number, 0, ["" if cell is None else cell for cell in row])
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(1, len(rows)), max(0, len(columns) - 1))
