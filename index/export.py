"""Everything to files and back without losing a byte; what a search found, for others; days for SQL."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from groundswell.index.batches import batched
from groundswell.index.codec import KINDS, decode, encode, name_of
from groundswell.index.files import write_whole, written_aside
from groundswell.index.forgotten import without_forgotten
from groundswell.index.personal_data import without_personal
from groundswell.index.progress import Progress
from groundswell.index.query import By, Page, Query
from groundswell.index.records import RECORDS, Document, Enriched, Membership, Mention, Record
from groundswell.index.store import Reader, Refused, Report, Store, StoreError
from groundswell.index.tables import DOCUMENT, TABLES, document_row, harmless, parquet_table, record_row

Form = Literal["jsonl", "parquet"]
T = TypeVar("T")
AT_ONCE = 1000
"""Records written or read together."""
EVERYTHING = 10_000_000
"""How many records of one kind an export asks for: all."""
OTHERS = tuple(kind for kind in RECORDS if kind not in (Mention, Enriched, Membership))
STATE = "state.json"
"""Which state of which day the files hold."""
UNDATED_FILE = "undated"


class Scanner(Reader, Protocol):
    """A reader that can go through all documents."""

    def scan(self, query: Query) -> Iterator[Document]:
        """Yield every matching document, oldest first."""


@dataclass(frozen=True, slots=True)
class Exported:
    """How much was written."""

    counts: dict[str, int] = field(default_factory=dict)
    folder: Path = Path()

    def __str__(self) -> str:
        """Return it for people."""
        some = ", ".join(f"{count:,} {name}" for name, count in self.counts.items() if count)
        return f"{some or 'nothing'} in {self.folder}"


def export_all(reader: Scanner, folder: Path, *, form: Form = "jsonl", progress: Progress | None = None) -> Exported:
    """Write every record into a folder, one file a kind; the same store always gives the same bytes.

    A document is one line (or row) with mention, enrichment and membership. Files appear only when they are whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    documents = (encode(document) for document in reader.scan(Query(with_vectors=True)))
    counts = {"document": _write_texts(folder / f"document.{form}", _told(documents, "documents", progress), form)}
    for kind in OTHERS:
        records = sorted(reader.recent(kind, limit=EVERYTHING), key=lambda record: str(record.id))
        counts[name_of(kind)] = _write_texts(folder / f"{name_of(kind)}.{form}", map(encode, records), form)
    return Exported(counts, folder)


def import_all(store: Store, folder: Path, *, progress: Progress | None = None, mask: bool = True) -> Report:
    """Read back what `export_all` wrote, in either form; what is there already is not doubled.

    With `mask`, personal data in texts is masked on the way, as of whatever is crawled. What was asked to be forgotten
    is left out. Lines that hold no record are refused with file and line, and the rest goes on.

    Raises:
        StoreError: the folder holds no export.
    """
    files = [path for kind in ("document", *map(name_of, OTHERS)) for path in sorted(folder.glob(f"{kind}.*"))]
    files = [path for path in files if path.suffix in (".jsonl", ".parquet")]
    if not files:
        raise StoreError(f"{folder} holds no export: it should have document.jsonl or document.parquet")
    report = Report()
    for path in files:
        for lines in batched(_told(_read_texts(path), path.name, progress), AT_ONCE):
            report += _import(store, path, lines, mask=mask)
    return report


def _import(store: Store, path: Path, lines: list[tuple[int, str | bytes]], *, mask: bool) -> Report:
    """Put the records of some lines."""
    records: list[Record] = []
    refused = []
    for number, line in lines:
        try:
            records += [without_personal(one) if mask else one for one in _records(decode(KINDS[path.stem], line))]
        except ValueError as error:
            reason = " ".join(str(error).split())[:300]
            refused.append(Refused(id=f"{path.name}:{number}", reason=reason))
    records, _ = without_forgotten(store, records)
    return store.put(records) + Report(refused=tuple(refused))


def _records(record: Any) -> list[Record]:
    """Return the records of a line: a document has up to three."""
    if not isinstance(record, Document):
        return [record]
    return [part for part in (record.mention, record.enriched, record.membership) if part is not None]


def export_search(reader: Reader, query: Query, target: Path) -> int:
    """Write all that a search finds into a .csv (safe to open in a spreadsheet), .jsonl or .parquet file.

    Returns:
        How many documents it was.

    Raises:
        StoreError: the file's name ends otherwise.
    """
    writers = {".csv": _write_csv, ".jsonl": _write_jsonl, ".parquet": _write_parquet}
    if (write := writers.get(target.suffix.lower())) is None:
        raise StoreError(f"{target} should end in .csv, .jsonl or .parquet")
    target.parent.mkdir(parents=True, exist_ok=True)
    with written_aside(target) as part:
        return write(part, _all_found(reader, query))


def _all_found(reader: Reader, query: Query) -> Iterator[Document]:
    """Yield all that a search finds, in its order; what lies deeper than a ranking goes follows by time."""
    query = replace(query, limit=AT_ONCE, cursor="", facets=(), highlight=False)
    ranked, seen, total = query.sort == "relevance" or query.vector is not None, set[str](), 0
    for page in _pages(reader, query):
        total = page.total
        for hit in page.hits:
            if ranked:
                seen.add(_told_apart(hit.document, query))
            yield hit.document
    if ranked and query.match is not None and len(seen) < total:
        for page in _pages(reader, replace(query, vector=None, sort="newest")):
            yield from (hit.document for hit in page.hits if _told_apart(hit.document, query) not in seen)


def _pages(reader: Reader, query: Query) -> Iterator[Page]:
    """Yield page after page."""
    while True:
        page = reader.search(query)
        yield page
        if not page.cursor:
            return
        query = replace(query, cursor=page.cursor)


def _told_apart(document: Document, query: Query) -> str:
    """Return by what documents of an answer differ: their ids, or their clusters where those are shown once."""
    cluster = document.enriched.duplicate_of if query.collapse and document.enriched else ""
    return cluster or document.id


def _write_csv(part: Path, documents: Iterable[Document]) -> int:
    """Write documents as CSV, with a byte order mark so that spreadsheets read it as UTF-8."""
    count = 0
    with part.open("w", encoding="utf-8-sig", errors="replace", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(DOCUMENT)
        for count, document in enumerate(documents, 1):  # noqa: B007  the last number is the count
            writer.writerow([harmless(cell) for cell in document_row(document).values()])
    return count


def _write_jsonl(part: Path, documents: Iterable[Document]) -> int:
    """Write documents as JSON, one a line."""
    return _write_lines(part, (encode(document) for document in documents))


def _write_parquet(part: Path, documents: Iterable[Document]) -> int:
    """Write documents as a flat Parquet table."""
    return _write_rows(part, (document_row(document) for document in documents), DOCUMENT)


Made = Callable[[Sequence[str]], Iterator[tuple[str, bytes, int]]]
"""Makes the files of days elsewhere: day, bytes, documents in it; see `groundswell.index.cluster.days_on_cluster`."""


def export_days(
    reader: Scanner, folder: Path, *, progress: Progress | None = None, made: Made | None = None
) -> Exported:
    """Bring the Parquet tables for SQL up to date: documents by day, only days that changed, and the other kinds.

    Each file is written aside and renamed, so that whoever reads meanwhile sees the old or the new one. `made` makes
    the days' files, where that is not done here.
    """
    (folder / "documents").mkdir(parents=True, exist_ok=True)
    old, new = _state(folder), _stamps(reader)
    stale = [day for day, stamp in new.items() if old.get(day) != stamp or not _day_file(folder, day).exists()]
    counts = {"days written": len(stale), "documents written": 0}
    for day, content, count in made(stale) if made and stale else ():
        write_whole(_day_file(folder, day), content)
        counts["documents written"] += count
    for done, day in enumerate([] if made else stale):
        if progress:
            progress(done, len(stale), "days")
        with written_aside(_day_file(folder, day)) as part:
            counts["documents written"] += write_day(reader, day, part)
    for path in (folder / "documents").glob("*.parquet"):
        if path.stem not in new:
            path.unlink()
    for name, (kind, columns) in TABLES.items():
        records = reader.recent(kind, limit=EVERYTHING)
        with written_aside(folder / f"{name}.parquet") as part:
            counts[name] = _write_rows(part, (record_row(record, columns) for record in records), columns)
    with written_aside(folder / STATE) as part:
        part.write_text(json.dumps(new), "utf-8")
    return Exported(counts, folder)


def write_day(reader: Scanner, day: str, target: Path) -> int:
    """Write the documents of a day into a Parquet file; return how many they are."""
    return _write_rows(target, (document_row(document) for document in _of_day(reader, day)), DOCUMENT)


def _state(folder: Path) -> dict[str, int | str]:
    """Return what the files hold, nothing where that is not known."""
    try:
        state = json.loads((folder / STATE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _stamps(reader: Scanner) -> dict[str, int | str]:
    """Return each day that has documents, with a stamp that is another one when any of them changes."""
    days: Callable[[], dict[date | None, int]] | None = getattr(reader, "days", None)
    if days is not None:
        return {UNDATED_FILE if day is None else day.isoformat(): seq for day, seq in days().items()}
    # Where a store does not keep account of its changes, only going through all documents tells.
    names = [bucket.start.date().isoformat() for bucket in reader.count(Query(), By(period="day")) if bucket.start]
    return {name: stamp for name in (UNDATED_FILE, *names) if (stamp := _hash(_of_day(reader, name)))}


def _hash(documents: Iterable[Document]) -> str:
    """Return a hash of documents, "" where there is none."""
    digest, count = hashlib.sha256(), 0
    for count, document in enumerate(documents, 1):  # noqa: B007  the last number is the count
        digest.update(encode(document).encode())
    return digest.hexdigest() if count else ""


def _of_day(reader: Scanner, day: str) -> Iterator[Document]:
    """Yield the documents of a day, or the undated, which a scan gives first."""
    if day == UNDATED_FILE:
        return takewhile(_undated, reader.scan(Query()))
    begin = datetime.combine(date.fromisoformat(day), time(), UTC)
    until = None if begin.date() == date.max else begin + timedelta(days=1)
    return reader.scan(Query(since=begin, until=until))


def _undated(document: Document) -> bool:
    """Tell whether a document has no trustworthy date."""
    return document.mention.published_at is None or document.mention.date_confidence == "none"


def _day_file(folder: Path, day: str) -> Path:
    """Return where a day's documents are."""
    return folder / "documents" / f"{day}.parquet"


def _write_texts(target: Path, texts: Iterable[str], form: Form) -> int:
    """Write JSON texts as lines or as rows of one column."""
    with written_aside(target) as part:
        if form == "jsonl":
            return _write_lines(part, texts)
        return _write_rows(part, ({"json": text} for text in texts), {"json": "string"})


def _write_lines(part: Path, texts: Iterable[str]) -> int:
    """Write one text a line."""
    count = 0
    with part.open("w", encoding="utf-8", newline="\n") as file:
        for count, text in enumerate(texts, 1):  # noqa: B007  the last number is the count
            file.write(text + "\n")
    return count


def _write_rows(part: Path, rows: Iterable[dict[str, Any]], columns: dict[str, str]) -> int:
    """Write a Parquet table, some rows at a time."""
    import pyarrow.parquet as pq

    count = 0
    with pq.ParquetWriter(part, parquet_table([], columns).schema, compression="zstd") as writer:
        for some in batched(rows, AT_ONCE):
            writer.write_table(parquet_table(some, columns))
            count += len(some)
    return count


def _read_texts(path: Path) -> Iterator[tuple[int, str | bytes]]:
    """Yield number and JSON of each line or row."""
    if path.suffix == ".jsonl":
        with path.open("rb") as file:
            yield from ((number, line) for number, line in enumerate(file, 1) if line.strip())
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            batches = file.iter_batches(batch_size=AT_ONCE, columns=["json"])
            rows = (text for batch in batches for text in batch.column("json").to_pylist())
            yield from enumerate(rows, 1)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0][:200]
        raise StoreError(
            f"{path}: this is no whole Parquet file ({reason}); export it again, or leave it out"
        ) from None


def _told(items: Iterable[T], what: str, progress: Progress | None) -> Iterator[T]:
    """Yield the items, and tell how many there were from time to time."""
    for count, item in enumerate(items, 1):
        yield item
        if progress and count % AT_ONCE == 0:
            progress(count, None, what)
