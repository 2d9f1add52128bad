"""Rows of CSV, JSON Lines and Parquet, one at a time however long the file is."""

from __future__ import annotations

import csv
import glob
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any, TextIO

from groundswell.configs.source import FileSource
from groundswell.crawlers.mention import Builder, Made, Raw, is_personal

PARQUET_BATCH = 1000
TYPES = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".parquet": "parquet"}
Row = tuple[str, Mapping[str, Any] | str]
"""Where a row stands, and its columns, or why it cannot be read."""


class FileError(Exception):
    """A file that cannot be read at all; the message says which and what to do."""


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

    Raises:
        FileError: the file has no such columns, or is not what its name says.
    """
    for place, row in _rows(path, source, limit=builder.settings.max_page_bytes):
        yield place, builder.refuse(place, row) if isinstance(row, str) else builder.build(raw_row(place, row, source))


def raw_row(place: str, row: Mapping[str, Any], source: FileSource) -> Raw:
    """Return a row with its columns by meaning."""
    columns = source.columns
    mapped = {field: _cell(row, getattr(columns, field)) for field in type(columns).model_fields}
    for field, value in source.constants.items():
        mapped[field] = mapped[field] if mapped[field] not in (None, "") else value
    stamp, own_id, url = mapped.pop("published_at"), mapped.pop("id"), mapped.pop("url")
    return Raw(
        where=place,
        own_id="" if own_id is None else str(own_id),
        url=str(url or ""),
        by_address=False,
        is_html=source.html,
        title_is_html=source.html,
        published=_stamp(stamp),
        extra=_others(row, source),
        **mapped,
    )


def _rows(path: Path, source: FileSource, *, limit: int) -> Iterator[Row]:
    kind = TYPES.get(path.suffix.lower(), "") if source.type == "auto" else source.type
    if kind == "parquet":
        return _parquet_rows(path, source)
    if kind == "jsonl":
        return _jsonl_rows(path, source, limit)
    if kind == "csv":
        return _csv_rows(path, source, limit)
    raise FileError(f"{path}: cannot tell what it is from its name; set type to csv, jsonl or parquet")


def _csv_rows(path: Path, source: FileSource, limit: int) -> Iterator[Row]:
    csv.field_size_limit(limit + 1)  # one row may be as long as a page; a quote that never closes may not eat memory
    delimiter = "\t" if path.suffix.lower() == ".tsv" and source.delimiter == "," else source.delimiter
    with closing(_open(path, source)) as file:
        long: list[int] = []
        reader = csv.reader(_bounded_lines(file, limit, long), delimiter=delimiter)
        header = _next(reader)
        _check_columns(path, header if isinstance(header, list) else [], source)
        told = 0
        while (start := reader.line_num + len(long) + 1) and (cells := _next(reader)) is not None:
            for line in long[told:]:
                yield f"{path.name}:{line}", f"too long: over {limit:,} characters"
            told = len(long)
            if cells:
                yield f"{path.name}:{start}", cells if isinstance(cells, str) else _cells(header, cells)
        for line in long[told:]:
            yield f"{path.name}:{line}", f"too long: over {limit:,} characters"


def _next(reader: Iterator[list[str]]) -> list[str] | str | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        return f"not a CSV row: {error}"


def _jsonl_rows(path: Path, source: FileSource, limit: int) -> Iterator[Row]:
    with closing(_open(path, source)) as file:
        long: list[int] = []
        for number, line in enumerate(_bounded_lines(file, limit, long, keep=True), 1):
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


def _parquet_rows(path: Path, source: FileSource) -> Iterator[Row]:
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


def _open(path: Path, source: FileSource) -> TextIO:
    """Open for reading so that bytes of another encoding survive as lone surrogates, row by row, to be refused."""
    with path.open("rb") as file:
        head = file.read(4)
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else source.encoding
    errors = "replace" if encoding.replace("_", "-").lower().startswith(("utf-16", "utf-32")) else "surrogateescape"
    return path.open(encoding=encoding, errors=errors, newline="")


def _bounded_lines(file: TextIO, limit: int, long: list[int], *, keep: bool = False) -> Iterator[str]:
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


def _cells(header: list[str] | str | None, cells: list[str]) -> Mapping[str, Any] | str:
    header = header if isinstance(header, list) else []
    if len(cells) > len(header):
        return f"{len(cells)} cells under {len(header)} columns; is a quote or the delimiter missing?"
    return dict(zip(header, cells, strict=False))


def _check_columns(path: Path, names: list[str], source: FileSource) -> None:
    wanted = {getattr(source.columns, field) for field in type(source.columns).model_fields} - {""}
    missing = sorted(name for name in wanted if name not in names and name.split(".")[0] not in names)
    if missing:
        raise FileError(f"{path}: no column {', '.join(missing)}; there are: {', '.join(names)[:500]}")


def _cell(row: Mapping[str, Any], name: str) -> Any:
    if not name or name in row:
        return row.get(name) if name else None
    value: Any = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _stamp(value: Any) -> str | float | datetime | None:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, (str, int, float, datetime)) else None


def _others(row: Mapping[str, Any], source: FileSource) -> dict[str, Any]:
    columns = source.columns
    taken = {getattr(columns, field).split(".")[0] for field in type(columns).model_fields}
    if source.keep is not None:
        return {name: row[name] for name in source.keep if name in row}
    return {name: value for name, value in row.items() if name not in taken and not is_personal(str(name))}
