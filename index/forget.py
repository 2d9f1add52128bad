"""Erasure: a person, an address or a text is taken out of everything that is kept, and stays out.

It reaches documents with their words, vectors and earlier versions; judgements about them; evidence in cases, where a
tombstone stays; theme titles that quote them; day files, digests and exports in the data folder and in folders that are
named; dead letters, the spool of the cluster and of the crawler; and the free pages of the embedded store, where
deleted text would otherwise lie on. Killed and said again, it ends where an undisturbed one ends.
"""

from __future__ import annotations

import csv
import email
import email.policy
import io
import json
import re
import sqlite3
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

from groundswell.index.audit import ROWS
from groundswell.index.batches import batched
from groundswell.index.codec import KINDS, decode
from groundswell.index.files import ASIDE, held_alone, write_whole, written_aside
from groundswell.index.forgotten import Forgotten, plain
from groundswell.index.progress import Progress
from groundswell.index.query import Query
from groundswell.index.records import (
    Case,
    Checkpoint,
    Decision,
    Delivery,
    Document,
    Label,
    Lineage,
    Mention,
    Refusal,
    Revision,
    SavedSearch,
    Signal,
    Snooze,
    Task,
    Theme,
)
from groundswell.index.store import Conflict, Store, StoreError

AT_ONCE = 500
MOST = 1_000_000
FORGOTTEN = "[forgotten]"
TRIES = 5
QUOTED = 20
"""Letters and digits of a theme's title from which it counts as a quotation."""
PLAIN_FILES = {".html", ".txt", ".md", ".eml", ".xlsx", ".pdf"}
LARGEST_PART = 500_000_000
"""Bytes of a part of a workbook that are read at most."""
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
LINES = {".jsonl"}


@dataclass(slots=True)
class Reached:
    """What was found and taken out, by what it was."""

    counts: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        """Return it as a sentence."""
        return ", ".join(f"{count:,} {what}" for what, count in self.counts.items() if count) or "nothing was found"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to go: keys of authors, ids made of addresses and the addresses themselves, texts as they stand."""

    authors: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    urls: frozenset[str] = frozenset()
    texts: tuple[str, ...] = ()

    def meets(self, mention: Mention) -> bool:
        """Return whether a document is meant."""
        if mention.author_key and mention.author_key in self.authors:
            return True
        if mention.id in self.ids or self.urls & {mention.url, mention.canonical_url}:
            return True
        return self.quoted(f"{mention.title}\n{mention.text}")

    def quoted(self, text: str) -> bool:
        """Return whether one of the texts stands in another."""
        letters = plain(text) if self.texts else ""
        return any(plain(each) in letters for each in self.texts)


def forget(
    store: Store,
    folder: Path,
    wanted: Wanted,
    *,
    now: datetime,
    more: Sequence[Path] = (),
    progress: Progress | None = None,
) -> Reached:
    """Take out what is wanted, wherever it is kept; return what was reached.

    Args:
        store: the store; a spooling one's cluster.
        folder: the data folder.
        wanted: what is to go.
        now: the moment, for tombstones.
        more: folders with exports elsewhere.
        progress: told how many documents were looked at.

    Raises:
        StoreError: a case is edited by somebody else again and again.
    """
    found = list(_documents(store, wanted, progress))
    ids = {mention.id for mention in found}
    letters = [plain(f"{mention.title}\n{mention.text}") for mention in found]
    # First of all it is kept from coming back: what a kill leaves, the next call finds by these marks.
    forgotten = Forgotten.of(store).also(ids=ids | wanted.ids, authors=wanted.authors, texts=wanted.texts)
    forgotten.note(store, now=now)
    reached = Reached()
    says = Quotes(wanted, letters)
    _from_store(store, forgotten.ids, wanted, says, reached)
    _titles(store, forgotten.ids, says, reached)
    _remarks(store, says, reached)
    _states(store, reached)
    reached.counts["pieces of evidence in cases"] += _cases(store, forgotten.ids, wanted, says, now)
    _letters_and_spools(folder, forgotten, says, reached)
    for left in folder.rglob(f".*{ASIDE}"):  # of killed writers: nobody else writes there now
        left.unlink(missing_ok=True)
    for place in (folder, *more):
        _files(place, forgotten.ids, says, reached, skip=folder / "spool")
    return reached


class Quotes:
    """Tells whether something quotes what goes: a text asked for, a whole document, or a good part of one.

    `letters` are the folded texts of the documents that go.
    """

    def __init__(self, wanted: Wanted, letters: Sequence[str]) -> None:
        self.letters = letters
        self.needles = [*map(plain, wanted.texts), *(each for each in letters if len(each) >= QUOTED)]

    def __call__(self, text: str) -> bool:
        """Return whether a text holds one of them whole."""
        hay = plain(text)
        return any(needle in hay for needle in self.needles)

    def cite(self, *titles: str) -> bool:
        """Return whether one of some short texts holds one of them, or is a piece of one."""
        folded = [plain(title) for title in titles]
        long = [title for title in folded if len(title) >= QUOTED]
        return any(map(self, titles)) or any(title in text for title in long for text in self.letters)


def _documents(store: Store, wanted: Wanted, progress: Progress | None) -> Iterator[Mention]:
    for count, document in enumerate(store.scan(Query()), 1):
        if progress and count % AT_ONCE == 0:
            progress(count, None, "looked at")
        if wanted.meets(document.mention):
            yield document.mention


# --- in the store ----------------------------------------------------------------------------------------------------


def _from_store(store: Store, ids: frozenset[str], wanted: Wanted, says: Quotes, reached: Reached) -> None:
    for some in batched(sorted(ids), AT_ONCE):
        reached.counts["documents"] += store.delete(Document, list(some))
    versions = [r.id for r in store.recent(Revision, limit=MOST) if r.mention in ids or says(f"{r.title}\n{r.text}")]
    refused = [
        r.id for r in store.recent(Refusal, limit=MOST)
        if says(r.sample) or any(each in r.where for each in (*ids, *wanted.urls) if each)
    ]  # fmt: skip
    labels = [label.id for label in store.recent(Label, limit=MOST) if label.subject in ids]
    tasks = [task.id for task in store.recent(Task, limit=MOST) if task.subject in ids]
    searches = [
        s.id for s in store.recent(SavedSearch, limit=MOST)
        if says(f"{s.name}\n{s.text}") or any(url in s.text for url in wanted.urls if url)
    ]  # fmt: skip
    store.delete(Checkpoint, [f"tell/{search}" for search in searches])
    kinds: Mapping[str, tuple[type[Any], list[str]]] = {
        "earlier versions": (Revision, versions), "refused items": (Refusal, refused), "judgements": (Label, labels),
        "saved searches": (SavedSearch, searches), "texts that waited for labels": (Task, tasks),
    }  # fmt: skip
    for what, (kind, names) in kinds.items():
        reached.counts[what] += store.delete(kind, names) if names else 0


def _titles(store: Store, ids: frozenset[str], says: Quotes, reached: Reached) -> None:
    """Take the names from themes, and from what tells of them, that quote what goes; the next turn names them anew.

    Where all that an alert, a candidate or a theme was made of goes, so do the words that set it apart.
    """

    def alone(documents: Sequence[str]) -> bool:
        return bool(documents) and ids.issuperset(documents)

    themes = [
        theme
        for theme in store.recent(Theme, limit=MOST)
        if says.cite(theme.label, *theme.titles.values())
        or (alone(theme.exemplars) and (theme.label or theme.keywords))
    ]
    cited = [replace(one, why="") for one in store.recent(Lineage, limit=MOST) if says.cite(one.why)]
    signals = [
        bare
        for one in store.recent(Signal, limit=MOST)
        for bare in [_bare(one) if alone(one.evidence) else _unquoted(one, says)]
        if bare != one
    ]
    sent = [replace(one, title=FORGOTTEN) for one in store.recent(Delivery, limit=MOST) if says.cite(one.title)]
    store.put([*(replace(theme, label="", titles={}, keywords=()) for theme in themes), *cited, *signals, *sent])
    reached.counts["titles that quoted it"] += len(themes) + len(cited) + len(signals) + len(sent)
    if themes:
        stale = store.get(Checkpoint, "themes/stale")
        names = sorted({*(stale.value["themes"] if stale else ()), *(theme.id for theme in themes)})
        store.put([Checkpoint(id="themes/stale", value={"themes": names}, at=themes[0].last_seen)])
        store.delete(Checkpoint, [f"themes/phrases/{theme.id}" for theme in themes])


def _bare(signal: Signal) -> Signal:
    return replace(signal, title="", why=FORGOTTEN, terms=())


def _unquoted(signal: Signal, says: Quotes) -> Signal:
    title, why = signal.title, signal.why
    return replace(signal, title="" if says.cite(title) else title, why=FORGOTTEN if says.cite(why) else why)


def _remarks(store: Store, says: Quotes, reached: Reached) -> None:
    """Take quotations out of what people wrote about something else: reasons, and notes that became guidelines."""
    noted = [replace(one, note=FORGOTTEN) for one in store.recent(Label, limit=MOST) if one.note and says(one.note)]
    decided = [replace(d, reason=FORGOTTEN) for d in store.recent(Decision, limit=MOST) if d.reason and says(d.reason)]
    silenced = [replace(s, reason=FORGOTTEN) for s in store.recent(Snooze, limit=MOST) if s.reason and says(s.reason)]
    store.put([*noted, *decided, *silenced])
    reached.counts["remarks that quoted it"] += len(noted) + len(decided) + len(silenced)


def _states(store: Store, reached: Reached) -> None:
    """Let the theme space be made anew from the store: its state holds vectors of what is gone."""
    mark = store.get(Checkpoint, "themes")
    if mark is not None and reached.counts["documents"]:
        store.put([replace(mark, value={**mark.value, "version": 0})])


def _cases(store: Store, ids: frozenset[str], wanted: Wanted, says: Quotes, now: datetime) -> int:
    """Leave a tombstone of each snapshot, and take quotations out of what people wrote; return how many went."""
    return sum(_case(store, case.id, ids, wanted, says, now) for case in store.recent(Case, limit=MOST))


def _case(store: Store, case: str, ids: frozenset[str], wanted: Wanted, says: Quotes, now: datetime) -> int:  # noqa: PLR0917
    for _ in range(TRIES):
        seen = store.get(Case, case)
        changed, count = _bereft(seen, ids, wanted, says, now) if seen else (None, 0)
        if seen is None or changed is None:
            return 0
        try:
            store.edit(changed, expected_version=seen.version)
        except Conflict:
            continue
        return count
    raise StoreError(f"case {case} is being edited all the time; say it again")


def _bereft(case: Case, ids: frozenset[str], wanted: Wanted, says: Quotes, now: datetime) -> tuple[Case | None, int]:
    """Return a case without what goes, or nothing where it holds none of it; and how many snapshots went."""

    def gone(item: Mapping[str, Any]) -> bool:
        return not item.get("forgotten_at") and (
            item.get("id") in ids
            or item.get("url") in wanted.urls
            or says(f"{item.get('title', '')}\n{item.get('text', '')}")
        )

    evidence = tuple(_tombstone(item, now) if gone(item) else item for item in case.evidence)
    count = sum(map(gone, case.evidence))

    def clean(text: str) -> str:
        return FORGOTTEN if text and says(text) else text

    history = tuple(replace(note, text=clean(note.text)) for note in case.history)
    changed = replace(
        case, evidence=evidence, history=history, title=clean(case.title), cause=clean(case.cause),
        decision=clean(case.decision),
    )  # fmt: skip
    return (changed, count) if changed != case else (None, 0)


def _tombstone(item: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return what stays of a snapshot: that there was one, of which source and day, and the hash of what it said."""
    stays = {name: item[name] for name in ("source", "published_at", "fetched_at", "market", "sha256") if name in item}
    marks = {name: value for name, value in item.items() if name.startswith("added_")}
    return {
        **stays, **marks, "id": item.get("id", ""), "url": "", "title": FORGOTTEN, "text": "", "cut": False, "lang": "",
        "sentiment": "", "risks": {}, "made_by": "", "forgotten_at": now.isoformat(),
    }  # fmt: skip


# --- beside the store ------------------------------------------------------------------------------------------------


def _letters_and_spools(folder: Path, forgotten: Forgotten, says: Quotes, reached: Reached) -> None:
    """Take records out of what waits to be stored: dead letters, the crawler's spool, the cluster's."""
    for path in [folder / "dead-letters.jsonl", *sorted((folder / "spool").glob("*.jsonl"))]:
        if path.exists():
            reached.counts["lines that waited"] += _without_lines(path, forgotten.ids, says)
    line = folder / "spool.db"
    if not line.exists():
        return
    with held_alone(folder / "spool.lock", seconds=60), closing(sqlite3.connect(line)) as db:
        rows = db.execute("SELECT n, kind, json FROM waiting").fetchall()
        gone = [
            (n,) for n, kind, text in rows if forgotten.holds(decode(KINDS[kind], text)) or says.cite(*_words(text))
        ]
        db.execute("PRAGMA secure_delete = ON")
        db.executemany("DELETE FROM waiting WHERE n = ?", gone)
        db.commit()
        db.execute("VACUUM")
        reached.counts["records that waited for the cluster"] += len(gone)


def _words(text: str) -> list[str]:
    """Return the texts of a JSON value; of what is no JSON, itself."""
    try:
        return list(_strings(json.loads(text)))
    except ValueError:
        return [text]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


def _without_lines(path: Path, ids: frozenset[str], says: Quotes) -> int:
    """Rewrite a file of JSON lines without those that hold what goes; return how many there were."""
    gone = 0
    with written_aside(path) as part, part.open("wb") as target, path.open("rb") as source:
        for raw in source:
            text = raw.decode("utf-8", "replace")
            if _named(text, ids) or says.cite(*_words(text)):
                gone += 1
            else:
                target.write(raw)
        if not gone:
            part.write_bytes(path.read_bytes())
    return gone


def _named(text: str, ids: Iterable[str]) -> bool:
    return any(f'"{each}"' in text for each in ids)


def _files(place: Path, ids: frozenset[str], says: Quotes, reached: Reached, *, skip: Path) -> None:
    """Take what goes out of exports and day files; remove digests and briefs that quote it."""
    for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
        if not path.is_file() or skip in path.parents or path.name in {"dead-letters.jsonl", "runs.jsonl", ROWS}:
            continue
        if path.suffix in LINES:
            reached.counts["lines of exports"] += _without_lines(path, ids, says)
        elif path.suffix == ".parquet":
            reached.counts["rows of tables"] += _without_rows(path, ids, says)
        elif path.suffix == ".csv":
            reached.counts["lines of exports"] += _without_records(path, ids, says)
        elif path.suffix in PLAIN_FILES and _holds(_readable(path), ids, says, by_id=path.suffix == ".xlsx"):
            path.unlink()
            reached.counts["files that quoted it"] += 1


def _holds(text: str, ids: frozenset[str], says: Quotes, *, by_id: bool) -> bool:
    return says(text) or (by_id and not ids.isdisjoint(text.split()))


def _readable(path: Path) -> str:
    """Return the words of a file that people read: a mail's parts decoded, workbooks and PDFs unpacked."""
    if path.suffix == ".xlsx":
        return _workbook(path)
    if path.suffix == ".pdf":
        return "\n".join(_streams(path.read_bytes()))
    raw = path.read_bytes()
    if path.suffix == ".eml":
        parts = email.message_from_bytes(raw, policy=email.policy.default).walk()
        return "\n".join(str(part.get_content()) for part in parts if part.get_content_maintype() == "text")
    if path.suffix == ".html":
        return _untagged(raw.decode("utf-8", "replace"))
    return raw.decode("utf-8", "replace")


def _workbook(path: Path) -> str:
    """Return the words of all cells; of what is no workbook, nothing."""
    try:
        with zipfile.ZipFile(path) as book:
            parts = [one for one in book.infolist() if one.filename.endswith(".xml") and one.file_size <= LARGEST_PART]
            return "\n".join(_untagged(book.read(one).decode("utf-8", "replace")) for one in parts)
    except (zipfile.BadZipFile, OSError, zlib.error):
        return ""


def _streams(raw: bytes) -> Iterator[str]:
    """Yield the unpacked streams of a PDF: a brief's text is attached to it as such (`groundswell.ui.report.pdf`)."""
    for found in _STREAM.finditer(raw):
        with suppress(zlib.error):
            yield zlib.decompressobj().decompress(found[1], LARGEST_PART).decode("utf-8", "replace")


def _untagged(text: str) -> str:
    return unescape(re.sub(r"<[^>]*>", " ", text))


def _without_records(path: Path, ids: frozenset[str], says: Quotes) -> int:
    """Rewrite a CSV file, whose cells may hold line breaks, without what goes."""
    csv.field_size_limit(10**9)
    text = path.read_text("utf-8-sig", "replace")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    rows_left = [row for row in rows if not (ids.intersection(row) or says.cite(*row))]
    if len(rows_left) < len(rows):
        out = io.StringIO(newline="")
        csv.writer(out).writerows(rows_left)
        write_whole(path, out.getvalue().encode("utf-8-sig", "replace"))
    return len(rows) - len(rows_left)


def _without_rows(path: Path, ids: frozenset[str], says: Quotes) -> int:
    """Rewrite a Parquet file without what goes; a torn one is removed, for nobody can read it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError):
        path.unlink()
        return 0

    def gone(row: Mapping[str, str | None]) -> bool:
        words = [word for word in row.values() if word]
        whole = row.get("json") or ""
        return bool(ids.intersection(words)) or _named(whole, ids) or says.cite(*words, *_words(whole or "{}"))

    texts = [name for name in table.column_names if pa.types.is_string(table.schema.field(name).type)]
    keep = [not gone(row) for row in table.select(texts).to_pylist()]
    if all(keep):
        return 0
    with written_aside(path) as part:
        pq.write_table(table.filter(pa.array(keep)), part, compression="zstd")
    return len(keep) - sum(keep)


# --- by age ----------------------------------------------------------------------------------------------------------


def expire(store: Store, days: Mapping[str, float], *, now: datetime) -> Reached:
    """Forget documents older than their market's days ("" for all others), with their earlier versions; 0 keeps all.

    What counts is when a document was published, or fetched where that is not known. Cases keep their evidence.
    """
    reached, gone = Reached(), list[str]()
    for document in store.scan(Query()):
        mention = document.mention
        limit = days.get(mention.market, days.get("", 0))
        dated = mention.published_at if mention.date_confidence != "none" else None
        if limit and (dated or mention.fetched_at) < now - timedelta(days=limit):
            gone.append(mention.id)
    for some in batched(gone, AT_ONCE):
        reached.counts["documents"] += store.delete(Document, list(some))
    old = set(gone)
    versions = [each.id for each in store.recent(Revision, limit=MOST) if each.mention in old]
    reached.counts["earlier versions"] += store.delete(Revision, versions) if versions else 0
    if longest := max(days.values(), default=0):
        cut = now - timedelta(days=longest)
        refused = [each.id for each in store.recent(Refusal, limit=MOST) if each.at < cut]
        reached.counts["refused items"] += store.delete(Refusal, refused) if refused else 0
    return reached


def scrub(path: Path) -> None:
    """Let nothing that was deleted lie on in the embedded store's free pages, word index and log.

    Raises:
        StoreError: the store is busy, or there is no room for a copy of it.
    """
    from groundswell.index.sqlite.connect import explained

    with explained(path), closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as db:
        db.execute("INSERT INTO words (words) VALUES ('optimize')")
        db.execute("VACUUM")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
