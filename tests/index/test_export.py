"""Everything to files and back; search results for others; days for SQL; SQL that only reads."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from groundswell.configs.schema import Settings
from groundswell.index.codec import from_json
from groundswell.index.export import Form, export_all, export_days, export_search, import_all
from groundswell.index.open import open_reader, open_store
from groundswell.index.query import Query, Word
from groundswell.index.records import Case, Document, Mention, Record
from groundswell.index.sql import ask, plain, run_sql
from groundswell.index.sqlite.write import SqliteStore
from groundswell.index.store import StoreError
from groundswell.index.tables import harmless
from tests.index.makers import NOON, enriched, member, mention, numbered, one_of_each, signal, undated, vector

EXTRA: list[Record] = [
    *numbered(5, step=7),
    undated("u", "广告太多\n\x00“quoted”"),
    mention("far", hours=1e6),
    signal("s2"),
]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a data folder of their own."""
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def store(settings: Settings) -> Iterator[SqliteStore]:
    """Open a store with a record of every kind, and some more."""
    with open_store(settings) as store:
        assert isinstance(store, SqliteStore)
        store.put([*one_of_each(), *EXTRA])
        yield store


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_everything_moves_and_comes_back_byte_equal(store: SqliteStore, tmp_path: Path, form: Form) -> None:
    """Export, import elsewhere, export again: the same bytes, and nothing left behind."""
    said = export_all(store, tmp_path / "one", form=form)
    assert said.counts["document"] == 8
    assert said.counts["signal"] == 2
    with SqliteStore(tmp_path / "other.db") as other:
        report = import_all(other, tmp_path / "one")
        assert (report.new, report.refused) == (len(one_of_each()) + len(EXTRA), ())
        again = import_all(other, tmp_path / "one")
        assert (again.same, again.new, again.updated, again.refused) == (report.new, 0, 0, ())
        export_all(other, tmp_path / "two", form=form)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_bad_lines_are_refused_with_their_place(store: SqliteStore, tmp_path: Path) -> None:
    """One broken line does not stop an import, and its place is told."""
    export_all(store, tmp_path / "one")
    path = tmp_path / "one" / "document.jsonl"
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([lines[0], b"{broken", b"\xff\xfe", b"", b'{"mention": 5}', *lines[1:]]))
    with SqliteStore(tmp_path / "other.db") as other:
        report = import_all(other, tmp_path / "one")
        assert [refused.id for refused in report.refused] == [f"document.jsonl:{n}" for n in (2, 3, 5)]
        assert all(refused.reason for refused in report.refused)
        assert other.search(Query()).total == 8


def test_a_folder_without_an_export_is_explained(store: SqliteStore, tmp_path: Path) -> None:
    """An empty folder is an error that says what was expected."""
    with pytest.raises(StoreError, match=r"document\.jsonl"):
        import_all(store, tmp_path)


def test_an_interrupted_export_leaves_the_old_file(store: SqliteStore, tmp_path: Path) -> None:
    """A file is only ever whole."""
    export_all(store, tmp_path / "one")
    before = contents(tmp_path / "one")

    class Broken:
        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def scan(self, query: Query) -> Iterator[Document]:
            yield next(store.scan(query))
            raise OSError("gone")

    broken: Any = Broken()
    with pytest.raises(OSError, match="gone"):
        export_all(broken, tmp_path / "one")
    assert contents(tmp_path / "one") == before


def test_a_result_opens_safely_in_a_spreadsheet(store: SqliteStore, tmp_path: Path) -> None:
    """No cell can become a formula, and numbers stay numbers."""
    attacks = ["=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "ok = 1"]
    store.put([mention(f"x{n}", text, title=text, hours=n, rating=-1.5) for n, text in enumerate(attacks)])
    target = tmp_path / "found.csv"
    assert export_search(store, Query(where={"id": tuple(f"x{n}" for n in range(8))}, sort="oldest"), target) == 8
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == [f"'{text}" for text in attacks[:-1]] + ["ok = 1"]
    assert rows[0]["rating"] == "-1.5"


def test_a_result_as_json_lines_and_parquet(store: SqliteStore, tmp_path: Path) -> None:
    """All that a search finds, in its order, beyond one page."""
    store.put([mention(f"p{n:04}", "paging", hours=n) for n in range(2100)])
    query = Query(match=Word("paging"), limit=3)
    assert export_search(store, query, tmp_path / "found.jsonl") == 2100
    lines = (tmp_path / "found.jsonl").read_text("utf-8").splitlines()
    assert from_json(Document, json.loads(lines[0])).id == "p2099"
    assert export_search(store, query, tmp_path / "found.parquet") == 2100
    table = pq.read_table(tmp_path / "found.parquet")
    assert table.column("id").to_pylist() == [f"p{n:04}" for n in reversed(range(2100))]
    with pytest.raises(StoreError, match="csv"):
        export_search(store, query, tmp_path / "found.xls")


@pytest.mark.parametrize("collapse", [False, True])
def test_a_ranked_result_is_whole_although_a_ranking_ends(
    store: SqliteStore, tmp_path: Path, *, collapse: bool
) -> None:
    """The best come first; what lies deeper than anybody ranks follows by time, nothing twice."""
    store.put([mention(f"r{n:04}", "ranked ranked" if n == 7 else "ranked", hours=n) for n in range(1200)])
    store.put([enriched("r0001", duplicate_of="r0001"), enriched("r1199", duplicate_of="r0001")])
    target = tmp_path / "found.jsonl"
    export_search(store, Query(match=Word("ranked"), sort="relevance", collapse=collapse), target)
    found = [from_json(Document, json.loads(line)).id for line in target.read_text("utf-8").splitlines()]
    assert found[0] == "r0007"
    assert len(set(found)) == len(found) == (1199 if collapse else 1200)


def test_only_days_that_changed_are_written_again(store: SqliteStore, tmp_path: Path) -> None:
    """A second export writes nothing; a change writes its days; an emptied day goes."""
    folder = tmp_path / "parquet"
    first = export_days(store, folder)
    days = {path.stem for path in (folder / "documents").glob("*.parquet")}
    assert first.counts["documents written"] == 8
    assert {"undated", "2026-11-18", "2026-11-19"} < days
    assert export_days(store, folder).counts["days written"] == 0
    store.put([enriched("u"), mention("m000", "edited")])
    assert export_days(store, folder).counts["days written"] == 2
    store.delete(Mention, ["far"])
    export_days(store, folder)
    assert days - {path.stem for path in (folder / "documents").glob("*.parquet")} == {
        (NOON + timedelta(hours=1e6)).date().isoformat()
    }
    (folder / "documents" / "undated.parquet").unlink()
    assert export_days(store, folder).counts["days written"] == 1
    assert not list(folder.rglob("*.part"))


def test_a_store_without_accounts_of_days_is_exported_too(store: SqliteStore, tmp_path: Path) -> None:
    """Where a store cannot tell what changed, going through the documents does."""

    class Plain:
        def __init__(self) -> None:
            self.scan, self.count, self.recent = store.scan, store.count, store.recent

    plain: Any = Plain()
    assert export_days(plain, tmp_path).counts["documents written"] == 8
    assert export_days(plain, tmp_path).counts["days written"] == 0
    store.put([member("m000", "t9")])
    assert export_days(plain, tmp_path).counts["days written"] == 1


def test_sql_over_everything(store: SqliteStore, settings: Settings) -> None:
    """Each table answers, with what the store holds now."""
    store.put([mention("a", market="SG"), enriched("a", risks={"scam": 0.75}, vector=vector(1))])
    answer = run_sql(settings, "SELECT market, risks, mood FROM documents WHERE id = 'a'")
    assert answer.columns == ("market", "risks", "mood")
    assert answer.rows == (("SG", ["scam"], -0.5),)
    for table, count in {"themes": 1, "signals": 2, "cases": 1, "labels": 1, "runs": 1, "documents": 9}.items():
        assert run_sql(settings, f"SELECT count(*) FROM {table}").rows == ((count,),)  # noqa: S608  our own tables
    with open_reader(settings) as reader:
        assert reader.get(Case, "c1") is not None
    store.delete(Mention, ["a"])
    assert run_sql(settings, "FROM documents WHERE id = 'a'").rows == ()


def test_sql_over_an_empty_store(settings: Settings) -> None:
    """Tables are there with their columns before there is anything in them."""
    open_store(settings).close()
    answer = run_sql(settings, "SELECT id, published_at FROM documents")
    assert (answer.columns, answer.rows) == (("id", "published_at"), ())


@pytest.mark.parametrize(
    "statement",
    [
        "COPY (SELECT 1) TO '{folder}/evil.csv'", "CREATE TABLE x (a INT)", "DROP VIEW documents", "SET threads = 9",
        "RESET lock_configuration", "ATTACH '{folder}/x.db'", "INSTALL httpfs", "LOAD httpfs", "PRAGMA database_list",
        "EXPORT DATABASE '{folder}'", "SELECT 1; DROP VIEW documents", "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'", "SELECT * FROM glob('/*')", "SELECT * FROM read_csv('{folder}/../secret.csv')",
        "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')", "SELECT getenv('HOME')", "CALL pragma_version()",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{folder}/evil.csv'", "", ";", "no sql at all", "SELECT * FROM nowhere",
        "explain/*\nanalyze select 1 --*/ analyze copy (select 1) to '{folder}/evil.csv'", "\x00", "SELECT '",
        "WITH x AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM x", "VACUUM", "CHECKPOINT",
        "DELETE FROM documents", "COPY (PIVOT documents ON market) TO '{folder}/evil.csv'",
        "CREATE TABLE x AS PIVOT documents ON market", "PIVOT documents ON market) TO '{folder}/evil.csv' --",
        "PIVOT documents ON market; DROP VIEW documents",
    ],
)  # fmt: skip
def test_sql_only_reads(store: SqliteStore, settings: Settings, tmp_path: Path, statement: str) -> None:
    """Whatever is tried: nothing written, nothing read but the tables, and an error for people."""
    (tmp_path / "secret.csv").write_text("a\n1\n")
    folder = settings.data_dir / "parquet"
    export_days(store, folder)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(StoreError) as caught:
        ask(folder, statement.format(folder=folder))
    assert str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_sql_gives_every_column_and_only_numbers_that_json_has(store: SqliteStore, settings: Settings) -> None:
    """Two columns of one name stay two, and what is no number is nothing."""
    answer = run_sql(
        settings, "SELECT 1 AS n, 2 AS n, 3 AS n_2, 'nan'::double AS x, 1e308 * 10 AS y, 1.5::decimal(3, 1) AS z"
    )
    assert answer.columns == ("n", "n_3", "n_2", "x", "y", "z")
    assert json.loads(json.dumps([plain(cell) for cell in answer.rows[0]], allow_nan=False)) == [
        1,
        2,
        3,
        None,
        None,
        1.5,
    ]


def test_sql_pivots(store: SqliteStore, settings: Settings) -> None:
    """The commonest question of an analyst: one thing down, another across."""
    store.put([mention("a", market="SG"), mention("b", market="MY"), mention("c", market="SG")])
    answer = run_sql(
        settings, "PIVOT (FROM documents WHERE id IN ('a', 'b', 'c')) ON market USING count(*) GROUP BY kind;"
    )
    assert answer.columns == ("kind", "MY", "SG")
    assert [row[1:] for row in answer.rows] == [(1, 2)]


def test_a_word_of_sql_as_a_column_is_told(store: SqliteStore, settings: Settings) -> None:
    """`end` is a column of signals, and has to be quoted."""
    with pytest.raises(StoreError, match='written in double quotes, "end"'):
        run_sql(settings, "SELECT end FROM signals")
    assert run_sql(settings, 'SELECT "end" FROM signals').columns == ("end",)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("SELECT levenshtein(repeat('ab', 100000), repeat('ba', 100000))", "longer than"),
        ("SELECT length(repeat(repeat('x', 1000000), 4000) || repeat(repeat('x', 1000000), 4000))", "memory"),
    ],
)
def test_one_call_of_a_function_is_bounded_too(settings: Settings, statement: str, says: str) -> None:
    """The database looks at its limits only between pieces of work; the system looks always."""
    open_store(settings).close()
    with pytest.raises(StoreError, match=says):
        run_sql(settings, statement, seconds=1.0)


def test_sql_is_bounded(store: SqliteStore, settings: Settings) -> None:
    """A statement that never ends is ended; one with too many rows is cut, and says so."""
    with pytest.raises(StoreError, match="longer than"):
        run_sql(settings, "SELECT count(*) FROM range(10000000) a, range(10000000) b", seconds=0.3)
    answer = run_sql(settings, "SELECT * FROM range(100)", rows=10)
    assert (len(answer.rows), answer.cut) == (10, True)
    assert not run_sql(settings, "SELECT * FROM range(10)", rows=10).cut


def test_a_torn_parquet_file_is_told(store: SqliteStore, tmp_path: Path) -> None:
    """Half a file ends in a sentence that names it."""
    store.put([mention("a")])
    export_all(store, tmp_path / "out", form="parquet")
    file = max((tmp_path / "out").rglob("*.parquet"), key=lambda path: path.stat().st_size)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(StoreError, match=rf"{file.name}: this is no whole Parquet file"):
        import_all(store, tmp_path / "out")


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "﹢", "\t"])
def test_a_cell_is_never_computed(sign: str) -> None:
    """In any width; numbers stay numbers."""
    assert harmless(f"{sign}1+1") == f"'{sign}1+1"
    assert harmless(-1.5) == "-1.5"
