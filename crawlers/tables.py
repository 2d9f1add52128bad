"""Tables in CSV files and workbooks: where the header is, what parts the columns, which lines are no rows."""

from __future__ import annotations

import csv
import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from groundswell.configs.source import FileSource
from groundswell.crawlers.encoding import BOMS, codec_of

DELIMITERS = (",", ";", "\t", "|")
HEAD = 200
"""Lines among which the header is looked for."""
MOST_UNPACKED = 1 << 30
"""A workbook is a zip: this many bytes of it at most are unpacked."""
SHOWN = 300
TOTALS = frozenset(
    {
        "total",
        "totals",
        "grand total",
        "sum",
        "subtotal",
        "average",
        "mean",
        "jumlah",
        "jumlah besar",
        "jumlah keseluruhan",
    }
    | {
        "total keseluruhan",
        "rata-rata",
        "purata",
        "รวม",
        "รวมทั้งหมด",
        "ยอดรวม",
        "รวมทั้งสิ้น",
        "ค่าเฉลี่ย",
        "tổng",
        "tổng cộng",
    }
    | {
        "trung bình",
        "合计",
        "合計",
        "总计",
        "總計",
        "共计",
        "共計",
        "小计",
        "小計",
        "平均",
        "总数",
        "總數",
        "kabuuan",
        "합계",
        "총계",
    }
)
# Up to here a double holds every whole number.
MOST_WHOLE = 1e15
Row = tuple[str, Mapping[str, Any] | str]
"""Where a row stands, and its columns, or why it cannot be read."""
Cells = Sequence[Any]


class FileError(Exception):
    """A file that cannot be read at all; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Header:
    """Where a table's header is, and its names; `line` counts physical lines from 1."""

    line: int
    names: tuple[str, ...]
    before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """How a CSV file is laid out."""

    delimiter: str
    header: Header
    limit: int


def csv_rows(path: Path, source: FileSource, limit: int) -> Iterator[Row]:
    """Yield the rows of a CSV file, whatever parts its columns and however many lines stand before its header.

    Raises:
        FileError: no line of its beginning names the columns that the source maps.
    """
    csv.field_size_limit(limit + 1)  # one row may be as long as a page; a quote that never closes may not eat memory
    delimiter, header = _csv_header(path, source, limit)
    if header.before:
        yield f"{path.name}:1-{header.line - 1}", skipped(header.before)
    with closing(open_text(path, source)) as file:
        for _ in range(header.line - 1):
            file.readline(limit + 1)
        yield from _csv_body(file, path, source, Layout(delimiter, header, limit))


def _csv_body(file: TextIO, path: Path, source: FileSource, layout: Layout) -> Iterator[Row]:
    header, limit = layout.header, layout.limit
    long: list[int] = []
    reader = csv.reader(bounded_lines(file, limit, long), delimiter=layout.delimiter)
    _next(reader)
    named, above = 0, header.line - 1
    while (start := above + reader.line_num + len(long) + 1) and (cells := _next(reader)) is not None:
        for line in long[named:]:
            yield f"{path.name}:{above + line}", f"too long: over {limit:,} characters"
        named = len(long)
        if cells:
            yield f"{path.name}:{start}", cells if isinstance(cells, str) else as_row(header.names, cells, source)
    for line in long[named:]:
        yield f"{path.name}:{above + line}", f"too long: over {limit:,} characters"


def _csv_header(path: Path, source: FileSource, limit: int) -> tuple[str, Header]:
    """Return the delimiter and the header: the first line that names all mapped columns, with the most columns."""
    with closing(open_text(path, source)) as file:
        head = list(islice(bounded_lines(file, limit, []), HEAD))
    stated = head[0].strip().lower() if head else ""
    if stated.startswith("sep=") and len(stated) == len("sep=;"):  # Excel's own way to say it
        delimiters: tuple[str, ...] = (stated[-1],)
    else:
        delimiters = (source.delimiter,) if source.delimiter else DELIMITERS
    best: tuple[str, Header] | None = None
    for delimiter in delimiters:
        found = find_header(_numbered(head, delimiter), source)
        if found and (best is None or len(found.names) > len(best[1].names)):
            best = (delimiter, found)
    if best:
        return best
    likely = max(delimiters, key=lambda each: max((line.count(each) for line in head[:HEAD]), default=0))
    raise FileError(no_columns(path, [cells for _, cells in _numbered(head, likely)], source))


def _numbered(head: Sequence[str], delimiter: str) -> Iterator[tuple[int, Cells]]:
    reader = csv.reader(head, delimiter=delimiter)
    line = 1
    while (cells := _next(reader)) is not None:
        yield line, cells if isinstance(cells, list) else []
        line = reader.line_num + 1


def sheet_rows(path: Path, source: FileSource, limit: int) -> Iterator[Row]:
    """Yield the rows of a workbook's sheet: the one that the source names, else the first that has its columns.

    Raises:
        FileError: no sheet has them, or the file is no workbook.
    """
    name, others, header, rows = _sheet(path, source)
    if not source.sheet and others:
        yield path.name, f"only the sheet {name!r} was read (sheet); there are also: {', '.join(others)}"[:SHOWN]
    if header.before:
        yield f"{path.name} {name}!1-{header.line - 1}", skipped(header.before)
    for line, cells in rows:
        if line > header.line and any(cell not in ("", None) for cell in cells):
            place = f"{path.name} {name}!{line}"
            if sum(len(cell) for cell in cells if isinstance(cell, str)) > limit:
                yield place, f"too long: over {limit:,} characters"
            else:
                yield place, as_row(header.names, [_plain(cell) for cell in cells], source)


def _sheet(path: Path, source: FileSource) -> tuple[str, list[str], Header, Iterator[tuple[int, Cells]]]:
    from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

    _check_unpacked(path)
    try:
        book = CalamineWorkbook.from_path(path)
        shown = [each.name for each in book.sheets_metadata if each.visible == SheetVisibleEnum.Visible]
        names = [source.sheet] if source.sheet else shown
        if source.sheet and source.sheet not in book.sheet_names:
            raise FileError(
                f"{path}: there is no sheet {source.sheet!r}; there are: {', '.join(book.sheet_names)}"[:SHOWN]
            )
        heads: list[Cells] = []
        for name in names:
            rows = list(_lines(book.get_sheet_by_name(name)))
            if header := find_header(iter(rows[:HEAD]), source):
                return name, [each for each in shown if each != name], header, iter(rows)
            heads += [cells for _, cells in rows[:HEAD]]
    except CalamineError as error:
        raise FileError(f"{path}: not a workbook that can be read: {error}") from None
    raise FileError(no_columns(path, heads, source))


def _lines(sheet: Any) -> Iterator[tuple[int, Cells]]:
    """Yield the numbers of a sheet's rows, as a spreadsheet shows them, and their cells."""
    yield from enumerate(sheet.to_python(skip_empty_area=False), 1)


def _check_unpacked(path: Path) -> None:
    if not zipfile.is_zipfile(path):
        return  # an .xls of old, or none; calamine tells
    with zipfile.ZipFile(path) as packed:
        size = sum(part.file_size for part in packed.infolist())
    if size > MOST_UNPACKED:
        raise FileError(f"{path}: unpacked it would take {size / 2**30:.1f} GB; save it as CSV")


def _plain(cell: Any) -> Any:
    """Return a cell with whole numbers as such: a spreadsheet keeps every number as a float."""
    if isinstance(cell, float) and math.isfinite(cell) and cell.is_integer() and abs(cell) < MOST_WHOLE:
        return int(cell)
    return cell


def find_header(lines: Iterator[tuple[int, Cells]], source: FileSource) -> Header | None:
    """Return the first line that names all columns that the source maps."""
    wanted = wanted_columns(source)
    before: list[str] = []
    for line, cells in lines:
        names = [str(cell).replace("\ufeff", "").strip() for cell in cells]
        if all(name in names or name.split(".")[0] in names for name in wanted):
            twice = sorted(name for name in wanted if names.count(name) > 1)
            if twice:
                raise FileError(
                    f"line {line}: the column {twice[0]!r} is there {names.count(twice[0])} times; rename one"
                )
            return Header(line, _told_apart(names), tuple(before))
        if any(names) and not (line == 1 and names[0].lower().startswith("sep=")):
            before.append(" ".join(name for name in names if name))
    return None


def wanted_columns(source: FileSource) -> set[str]:
    """Return the columns that a source maps."""
    return {getattr(source.columns, field) for field in type(source.columns).model_fields} - {""}


def _told_apart(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of which none is there twice; columns that nobody mapped may share one."""
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(unique)


def no_columns(path: Path, head: Sequence[Cells], source: FileSource) -> str:
    """Return what is missing, and what the line that looks most like a header has instead."""
    wanted = wanted_columns(source)
    lines = [[str(cell).replace("\ufeff", "").strip() for cell in cells] for cells in head]
    names = max(lines, key=lambda line: (len(wanted & set(line)), sum(map(bool, line))), default=[])
    missing = sorted(name for name in wanted if name not in names and name.split(".")[0] not in names)
    return f"{path}: no column {', '.join(missing)}; there are: {', '.join(filter(None, names))[:500]}"


def skipped(lines: Sequence[str]) -> str:
    """Return what is said of lines before the header."""
    what = (
        "1 line before the header is no row" if len(lines) == 1 else f"{len(lines)} lines before the header are no rows"
    )
    return f"{what}: {' / '.join(lines)}"[:SHOWN]


def as_row(names: Sequence[str], cells: Cells, source: FileSource) -> Mapping[str, Any] | str:
    """Return cells by column, or why they are no row."""
    if len(cells) > len(names):
        if len(cells) > len(names) + 1 or cells[-1] not in ("", None):  # one delimiter at the end of a line is a habit
            return f"{len(cells)} cells under {len(names)} columns; is a quote or the delimiter missing?"
        cells = cells[: len(names)]
    row = dict(zip(names, cells, strict=False))
    if len(cells) == 1 and len(names) > 2:
        return f"one cell under {len(names)} columns: a note, or a line that is cut"
    return "a line of totals, not a row" if _is_total(row, source) else row


def _is_total(row: Mapping[str, Any], source: FileSource) -> bool:
    filled = [str(cell).strip().lower().rstrip(":：") for cell in row.values() if cell not in ("", None)]
    if not filled or not (filled[0] in TOTALS or filled[0].startswith(("total ", "jumlah ", "รวม "))):
        return False
    columns = source.columns
    values = [
        str(row.get(name) or "").strip().lower().rstrip(":：") for name in (columns.published_at, columns.text) if name
    ]
    return all(
        not value or value == filled[0] or not any(letter.isalpha() for letter in value) for value in values
    ) and (not columns.published_at or values[0] in {"", filled[0]})


def open_text(path: Path, source: FileSource) -> TextIO:
    """Open for reading so that bytes of another encoding survive as lone surrogates, row by row, to be refused."""
    encoding = encoding_of(path, source)
    errors = "replace" if encoding.replace("_", "-").lower().startswith(("utf-16", "utf-32")) else "surrogateescape"
    return path.open(encoding=encoding, errors=errors, newline="")


def encoding_of(path: Path, source: FileSource) -> str:
    """Return the encoding of a file: what its byte order mark says, or every second byte being 0, else the source's."""
    with path.open("rb") as file:
        head = file.read(400)
    for mark, name in BOMS:
        if head.startswith(mark):
            return {"utf-8": "utf-8-sig", "utf-16-le": "utf-16", "utf-16-be": "utf-16"}.get(name, "utf-32")
    if len(head) > 3 and b"\0" in head[:4]:
        odd, even = head[1::2].count(0), head[0::2].count(0)
        if max(odd, even) > len(head) // 8:
            return "utf-16-le" if odd > even else "utf-16-be"
    return codec_of(source.encoding) or source.encoding


def bounded_lines(file: TextIO, limit: int, long: list[int], *, keep: bool = False) -> Iterator[str]:
    """Yield lines of at most `limit` characters; note the numbers of longer ones in `long` and skip (or empty) them."""
    number = 0
    while line := file.readline(limit + 1):
        number += 1
        if len(line) <= limit or line.endswith("\n"):
            yield line
            continue
        while (rest := file.readline(limit + 1)) and not rest.endswith("\n"):
            pass
        long.append(number)
        if keep:
            yield ""


def _next(reader: Iterator[list[str]]) -> list[str] | str | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        return f"not a CSV row: {error}"
