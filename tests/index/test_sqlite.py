"""The embedded store: the suite that every store passes, and what only a database file can get wrong."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from groundswell.index import groups
from groundswell.index.codec import encode
from groundswell.index.query import Bucket, By, Field, Query, Word
from groundswell.index.records import (
    Case,
    Checkpoint,
    CrawlRun,
    Document,
    Enriched,
    Mention,
    SentimentLabel,
    Signal,
    Snooze,
)
from groundswell.index.sqlite import connect
from groundswell.index.sqlite.columns import repack
from groundswell.index.sqlite.connect import migrate, migrate_file, migrations, newest, version_of
from groundswell.index.sqlite.read import SqliteReader
from groundswell.index.sqlite.words import index_words
from groundswell.index.sqlite.write import SqliteStore
from groundswell.index.store import StoreError
from tests.index.contract import StoreContract
from tests.index.makers import (
    NOON,
    enriched,
    feeling,
    member,
    mention,
    new_signal,
    new_snooze,
    numbered,
    old_signal,
    old_snooze,
    one_of_each,
    undated,
    vector,
)

WRITE_FOR_EVER = """
import sys
from pathlib import Path
from groundswell.index.sqlite.write import SqliteStore
from tests.index.makers import mention, enriched, vector
store = SqliteStore(Path(sys.argv[1]))
for batch in range(10**6):
    ids = [f"{batch:05}-{n:03}" for n in range(200)]
    store.put([*map(mention, ids), *(enriched(one, vector=vector(1, batch), risks={"scam": 0.75}) for one in ids)])
    print(batch, flush=True)
"""


class SqliteShelf:
    """A database file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self) -> SqliteStore:
        """Open it."""
        return SqliteStore(self.path)

    def refresh(self) -> None:
        """Do nothing: what is committed is there."""


class TestSqlite(StoreContract):
    """The contract, kept by SQLite."""

    @pytest.fixture
    def shelf(self, tmp_path: Path) -> SqliteShelf:
        """Give a file that is not there yet."""
        return SqliteShelf(tmp_path / "groundswell.db")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a file that is not there yet."""
    return tmp_path / "groundswell.db"


def counted(path: Path) -> dict[str, list[Bucket]]:
    """Return what the columns in the file count, by every field, clusters too."""
    with SqliteReader(path) as reader:
        plain = {name: reader.count(Query(), By(fields=(name,))) for name in get_args(Field)}
        return plain | {"clusters": reader.count(Query(collapse=True), By(period="day", fields=("market", "risk")))}


def recounted(path: Path) -> dict[str, list[Bucket]]:
    """Return what columns count that are made anew from the documents of the file."""
    copy = path.with_name("recounted.db")
    with closing(sqlite3.connect(path)) as db, closing(sqlite3.connect(copy)) as other:
        db.backup(other)
        repack(other)
        other.commit()
    return counted(copy)


def sound(path: Path) -> bool:
    """Tell whether the file, its word index and its columns are whole."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("INSERT INTO words (words) VALUES ('integrity-check')")
        db.rollback()
        return db.execute("PRAGMA integrity_check").fetchall() == [("ok",)] and counted(path) == recounted(path)


def test_columns_stay_right_through_any_history(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After hundreds of random writes, over several blocks, the columns are what making them anew gives."""
    monkeypatch.setattr("groundswell.index.sqlite.columns.BLOCK", 8)
    dice = random.Random(7)
    with SqliteStore(path) as store:
        for _ in range(150):
            one = f"m{dice.randrange(30)}"
            match dice.randrange(6):
                case 0 | 1:
                    made = mention(
                        one, dice.choice(["a", "b"]), hours=dice.randrange(99), market=dice.choice(["SG", ""])
                    )
                    store.put([made if dice.random() < 0.8 else undated(one)])
                case 2 | 3:
                    label: SentimentLabel = dice.choice(get_args(SentimentLabel))
                    risks = {risk: dice.random() for risk in ("scam", "spam", "hate")}
                    store.put([enriched(one, sentiment=feeling(label), risks=risks, rules=("r1",) * dice.randrange(2))])
                case 4:
                    store.put([member(one, dice.choice(["t1", "t2", ""]))])
                case _:
                    store.delete(dice.choice([Mention, Enriched]), [one])
    assert sound(path)
    with closing(sqlite3.connect(path)) as db, SqliteReader(path) as reader:
        felt, moods = db.execute("SELECT count(mood), total(mood) FROM document").fetchone()
        whole = reader.count(Query(where={"sentiment": get_args(SentimentLabel)}), By())
        assert whole[0].mood == moods / felt / 1_000_000


def test_readers_in_other_processes_never_wait(path: Path) -> None:
    """While one process writes without a pause, a reader answers every time, and always from a whole batch."""
    SqliteStore(path).close()
    with subprocess.Popen([sys.executable, "-c", WRITE_FOR_EVER, str(path)], stdout=subprocess.PIPE) as writer:
        try:
            assert writer.stdout is not None
            writer.stdout.readline()
            with SqliteReader(path) as reader:
                for _ in range(30):
                    page = reader.search(Query(match=Word("ads"), facets=("risk",), limit=5))
                    assert page.total % 200 == 0
                    assert dict(page.facets["risk"]) == {"scam": page.total}
        finally:
            writer.kill()


@pytest.mark.slow
def test_a_killed_writer_leaves_old_or_new(path: Path) -> None:
    """SIGKILL in the middle of a put: what was acknowledged is whole, the last batch is there or not."""
    for delay in (0.0, 0.013, 0.031):
        path.unlink(missing_ok=True)
        with subprocess.Popen([sys.executable, "-c", WRITE_FOR_EVER, str(path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            for _ in range(3):
                acknowledged = int(writer.stdout.readline())
            time.sleep(delay)
            os.kill(writer.pid, signal.SIGKILL)
            acknowledged = max([acknowledged, *map(int, writer.stdout.read().split())])
        with SqliteReader(path) as reader:
            total = reader.search(Query()).total
            assert total % 200 == 0
            assert total // 200 in (acknowledged + 1, acknowledged + 2)
            assert reader.search(Query(lacks="enriched")).total == 0
        assert sound(path)


def test_a_failure_in_the_middle_leaves_the_store_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw rolls back the whole call, and the next call works."""
    with SqliteStore(path) as store:
        store.put([mention("a")])
        with monkeypatch.context() as patch:
            patch.setattr("groundswell.index.sqlite.documents.update", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                store.put([mention("b")])
        assert store.get(Mention, "b") is None
        assert store.put([mention("b")]).new == 1
    assert sound(path)


def test_threads_share_a_store(path: Path) -> None:
    """Many threads read and write through one object."""
    with SqliteStore(path) as store:
        failures: list[BaseException] = []

        def work(part: int) -> None:
            try:
                for n in range(10):
                    store.put([mention(f"{part}-{n}"), enriched(f"{part}-{n}", vector=vector(1, n))])
                    store.search(Query(match=Word("ads"), vector=vector(1)))
            except BaseException as error:  # noqa: BLE001  told by the assert below
                failures.append(error)

        threads = [threading.Thread(target=work, args=(part,)) for part in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert store.search(Query()).total == 40


@pytest.mark.parametrize("version", range(1, newest()))
def test_every_older_schema_is_brought_up_to_date(path: Path, version: int) -> None:
    """A database of any earlier version keeps its documents and counts them as a new one does."""
    records = [*one_of_each(), *numbered(5), undated("u"), enriched("m001", "positive", risks={"spam": 0.75})]
    records.append(undated("traditional", "詐騙廣告又來了"))
    with SqliteStore(path.with_name("new.db")) as store:
        store.put(records)
    with closing(connect._connect(str(path))) as old, closing(sqlite3.connect(path.with_name("new.db"))) as new:
        migrate(old, path, to=version)
        assert version_of(old) == version
        later = [
            name for since, *names in ((3, "changed"), (4, "code", "packed")) if version >= since for name in names
        ]
        for table in ("document", "body", "tag", "vector", "record", *later):
            names = ", ".join(row[1] for row in old.execute(f"PRAGMA table_info({table})"))
            rows = new.execute(f"SELECT {names} FROM {table}").fetchall()  # noqa: S608  our own tables
            old.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)  # noqa: S608  as above
        if version >= 6:
            index_words(old)
        for statement in list(connect._statements(migrations()[2]))[1:] if version == 2 else ():
            old.execute(statement)
    with pytest.raises(StoreError, match="groundswell migrate"):
        SqliteReader(path)
    assert f"from schema {version} to {newest()}" in migrate_file(path)
    assert "nothing to do" in migrate_file(path)
    assert counted(path) == recounted(path)
    with SqliteStore(path) as store:
        assert store.get(Case, "c1") is not None
        assert [one.id for one in store.select(Signal, states=("held",))] == ["s1"]
        assert store.tally(CrawlRun) == groups.counted(store.recent(CrawlRun))
        assert [run.id for run in store.latest(CrawlRun)] == ["r1"]
        assert len(store.days()) == 2
        assert store.search(Query(match=Word(text="诈骗"))).total == 1
        document = store.get(Document, "m1")
        assert document is not None
        assert document.enriched is not None
        assert document.enriched.vector is not None
        assert store.count(Query(), By(fields=("risk",)))[0].count == 6


def test_a_database_of_the_future_is_left_alone(path: Path) -> None:
    """A newer schema is refused with what to do, by reader, store and migration, and nothing is touched."""
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {newest() + 1}")
    for opening in (SqliteStore, SqliteReader, migrate_file):
        with pytest.raises(StoreError, match="upgrade Groundswell"):
            opening(path)
    with closing(sqlite3.connect(path)) as db:
        assert version_of(db) == newest() + 1


def test_signals_and_snoozes_of_an_older_schema_are_records_of_this_one(path: Path) -> None:
    """What lay in `details` has become fields, a snooze kept as a checkpoint a record, and nothing else is touched."""
    with closing(connect._connect(str(path))) as old:
        migrate(old, path, to=4)
        rows = [
            ("signal", "s1", json.dumps(old_signal())),
            ("checkpoint", "snooze/t1", json.dumps(old_snooze())),
            ("checkpoint", "feed", encode(Checkpoint(id="feed", value={"etag": "a"}, at=NOON))),
        ]
        old.executemany("INSERT INTO record VALUES (?, ?, 0, ?)", rows)
    with SqliteStore(path) as store:
        assert store.get(Signal, "s1") == new_signal()
        assert store.get(Snooze, "t1") == new_snooze()
        assert [mark.id for mark in store.recent(Checkpoint)] == ["feed"]
        assert store.put([new_signal(), new_snooze()]).same == 2


def test_a_migration_that_fails_leaves_the_version_before(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration is one transaction: all of it, or none."""
    SqliteStore(path).close()
    broken = {**migrations(), newest() + 1: "CREATE TABLE half (a);\nINSERT INTO nowhere VALUES (1);\n"}
    monkeypatch.setattr(connect, "migrations", lambda: broken)
    with pytest.raises(StoreError):
        SqliteStore(path)
    with closing(sqlite3.connect(path)) as db:
        assert version_of(db) == newest() - 1
        assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'half'").fetchone() == (0,)


def test_a_reader_cannot_write(path: Path) -> None:
    """Not even by SQL: the connection itself is read-only."""
    SqliteStore(path).close()
    with (
        SqliteReader(path) as reader,
        reader._lent() as db,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        db.execute("DELETE FROM document")


def test_what_is_no_store_is_explained(tmp_path: Path) -> None:
    """A missing file, a folder, a text file: each error says what to do next."""
    with pytest.raises(StoreError, match="groundswell run"):
        SqliteReader(tmp_path / "nothing.db")
    with pytest.raises(StoreError, match="folder"):
        SqliteStore(tmp_path)
    (tmp_path / "text.db").write_text("hello, I am a long enough text file and not a database " * 9)
    with pytest.raises(StoreError, match="not made by Groundswell"):
        SqliteStore(tmp_path / "text.db")


def test_days_tell_what_changed(path: Path) -> None:
    """A day's number grows when one of its documents changes, and only then."""
    with SqliteStore(path) as store:
        store.put([mention("a"), mention("b", hours=24), undated("u")])
        before = store.days()
        tomorrow = (NOON + timedelta(days=1)).date()
        assert set(before) == {NOON.date(), tomorrow, None}
        store.put([mention("a"), enriched("b"), mention("u", hours=24)])
        after = store.days()
        assert after[NOON.date()] == before[NOON.date()]
        assert after[tomorrow] > max(before.values())
        assert None not in after


def test_neighbours_among_very_many_are_nearly_all_found(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond what is held whole: 95 of 100 of the nearest, with conditions too, after changes and deletions too."""
    monkeypatch.setattr("groundswell.index.sqlite.vectors.WIDE_UP_TO", 500)
    monkeypatch.setattr("groundswell.index.sqlite.vectors.CLOSER", 2)
    dice = np.random.default_rng(7)
    # As language models make them: few directions that matter, a little of all others, one that all share.
    matrix = dice.normal(size=(3000, 24)) @ dice.normal(size=(24, 96)) + dice.normal(size=(3000, 96)) + 9
    matrix = (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)
    market = [("SG", "ID", "TH")[n % 3] for n in range(len(matrix))]

    def check(reader: SqliteReader, alive: set[int]) -> None:
        for place in range(0, 200, 20):
            query = Query(vector=matrix[place], limit=50)
            for asked, among in ((query, alive), (replace(query, where={"market": ("SG",)}), in_sg & alive)):
                best = sorted(among, key=lambda n: -float(matrix[n] @ matrix[place]))[:50]
                hits = reader.search(asked).hits
                shared.append(len({f"m{n}" for n in best} & {hit.document.id for hit in hits}) / 50)
                assert hits[0].score == pytest.approx(float(matrix[best[0]] @ matrix[place]), abs=1e-3)

    shared: list[float] = []
    in_sg = {n for n, name in enumerate(market) if name == "SG"}
    with SqliteStore(path) as store, SqliteReader(path) as reader:
        store.put([mention(f"m{n}", market=name) for n, name in enumerate(market)])
        store.put([enriched(f"m{n}", vector=matrix[n]) for n in range(2600)])
        check(reader, set(range(2600)))
        store.put([enriched(f"m{n}", vector=matrix[n]) for n in range(2600, 3000)])
        check(reader, set(range(3000)))
        store.delete(Enriched, [f"m{n}" for n in range(1, 100)])
        check(reader, {0, *range(100, 3000)})
    assert np.mean(shared) > 0.95
