"""Questions in SQL: every worked question, every table, and the same answer whichever way the documents are read."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from click.testing import CliRunner

from groundswell.configs.schema import Settings
from groundswell.index.audit import Audit, Entry
from groundswell.index.export import export_days
from groundswell.index.facts import export_facts
from groundswell.index.open import database, open_store
from groundswell.index.permitted import EVERYBODY
from groundswell.index.query import By, Query
from groundswell.index.records import Case, Mention, Signal, Theme
from groundswell.index.sql import ask, run_sql
from groundswell.index.sql_child import Asked, _answer, _used
from groundswell.index.store import StoreError
from groundswell.index.tables import DERIVED, DOCUMENT, FACT, columns_of, table_names
from groundswell.ui.cli import cli
from groundswell.ui.report.inbox import find_inbox
from groundswell.ui.report.sql_tables import _rows, answer
from tests.ui.seed import World

PAGE = (Path(__file__).parents[2] / "docs" / "sql.md").read_text("utf-8")
QUESTIONS = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
EMPTY_HERE = {14, 15, 17}
"""Questions that nothing of the seeded world answers to with certainty; that they can be asked is what counts."""


def test_there_are_twenty_questions() -> None:
    """As the page says."""
    assert len(QUESTIONS) == 20


@pytest.mark.parametrize("number", range(1, 21))
def test_a_worked_question_has_an_answer(seeded: World, number: int) -> None:
    """On the seeded world: columns, and rows where there is something to find.

    Asked as the child does, in this process: to start two for each would take most of the time. Others go all the way.
    """
    statement = QUESTIONS[number - 1]
    derived = {name: _rows(seeded.settings, seeded.now, EVERYBODY, name) for name in DERIVED if name in statement}
    asked = Asked(
        folder=seeded.settings.data_dir, statement=statement, seconds=30, rows=1000, memory=1024, beside=1024,
        database=database(seeded.settings), derived=derived,
    )  # fmt: skip
    columns, rows, trouble = _answer(asked)
    assert not trouble
    assert columns
    assert rows or number in EMPTY_HERE


def test_every_table_is_documented_with_its_columns(seeded: World) -> None:
    """The page lists what there is, in that order, and SQL says the same."""
    asked = "SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() GROUP BY 1"
    found = answer(seeded.settings, asked, now=seeded.now).rows
    there = {name: tuple(columns) for name, columns in found if name in table_names()}
    listed = re.findall(r"^\| `(\w+)` \| [^|?]+ \| (.+) \|$", PAGE, re.MULTILINE)
    assert there == {name: tuple(columns_of(name)) for name in table_names()}
    assert there == {name: tuple(columns.split(", ")) for name, columns in listed}


def test_documents_are_the_same_from_the_store_and_from_the_files(seeded: World, tmp_path: Path) -> None:
    """Every column of what is read straight from the store is what an export holds."""
    with seeded.reader() as reader:
        export_days(reader, tmp_path)
    statement = "FROM documents ORDER BY id"
    straight, files = answer(seeded.settings, statement, now=seeded.now), ask(tmp_path, statement)
    for column in DOCUMENT:
        place = straight.columns.index(column)
        one, other = ([row[place] for row in table.rows] for table in (straight, files))
        assert one == (pytest.approx(other, abs=1e-6) if column == "mood" else other), column


@pytest.mark.parametrize(
    ("statement", "same_as"),
    [
        ("FROM documents ORDER BY id LIMIT 3", "SELECT * FROM documents ORDER BY id LIMIT 3"),
        ("SELECT d.title FROM (SELECT d FROM documents d) ORDER BY 1", "SELECT title FROM documents ORDER BY 1"),
        ("SELECT columns('^mar') FROM documents ORDER BY 1", "SELECT market FROM documents ORDER BY 1"),
        ("WITH x AS (FROM documents) SELECT count(DISTINCT TEXT) FROM x", "SELECT count(DISTINCT text) FROM documents"),
        ("WITH m AS (PIVOT documents ON market USING count(*) GROUP BY kind) SELECT count(*) FROM m",
         "SELECT count(DISTINCT kind) FROM documents"),
        ("SELECT (SELECT max(length(b.text)) FROM documents b WHERE b.market = 'SG')",
         "SELECT max(length(text)) FROM documents WHERE market = 'SG'"),
    ],
)  # fmt: skip
def test_what_a_statement_needs_is_found_however_it_is_asked(seeded: World, statement: str, same_as: str) -> None:
    """Columns that are only implied are there, so two ways to ask have one answer."""
    rows = answer(seeded.settings, statement, now=seeded.now).rows
    assert rows == answer(seeded.settings, same_as, now=seeded.now).rows


def test_figures_of_the_board_come_out_of_sql(seeded: World) -> None:
    """Documents by market, themes, fired signals, open cases and waiting alerts: SQL counts what the pages count."""
    with seeded.reader() as reader:
        counted = {bucket.values[0]: bucket.count for bucket in reader.count(Query(), By(fields=("market",)))}
        inbox = find_inbox(reader, now=seeded.now)
        expected = (
            len(reader.recent(Theme)),
            len([signal for signal in reader.recent(Signal) if signal.fired]),
            len([case for case in reader.recent(Case) if case.status != "closed"]),
            len(inbox.having("waiting")),
        )
    asked = (
        "SELECT count(*) FROM themes",
        "SELECT count(*) FROM signals WHERE fired",
        "SELECT count(*) FROM cases WHERE status <> 'closed'",
        "SELECT count(*) FROM episodes WHERE status = 'waiting'",
    )
    (found,) = answer(seeded.settings, f"SELECT {', '.join(f'({one})' for one in asked)}", now=seeded.now).rows
    assert found == expected
    by_market = answer(seeded.settings, "SELECT market, count(*) FROM documents GROUP BY 1", now=seeded.now)
    assert dict(by_market.rows) == counted


def test_facts_are_the_same_as_a_sheet_as_parquet_and_in_sql(seeded: World, tmp_path: Path) -> None:
    """One fixed schema, one set of rows, and numbers stay numbers."""
    import pyarrow.parquet as pq
    from python_calamine import CalamineWorkbook

    with seeded.reader() as reader:
        count = export_facts(reader, tmp_path / "facts.xlsx")
        assert export_facts(reader, tmp_path / "facts.parquet") == count > 10
    table = pq.read_table(tmp_path / "facts.parquet")
    assert tuple(table.column_names) == tuple(FACT)
    sheet = CalamineWorkbook.from_path(str(tmp_path / "facts.xlsx")).get_sheet_by_name("facts").to_python()
    assert (tuple(sheet[0]), len(sheet)) == (tuple(FACT), count + 1)
    in_sql = answer(seeded.settings, "SELECT sum(documents), count(*), min(day) FROM facts", now=seeded.now).rows[0]
    assert in_sql == (sum(table.column("documents").to_pylist()), count, min(table.column("day").to_pylist()))
    assert sum(float(str(row[5])) for row in sheet[1:]) == in_sql[0]


def test_a_folder_is_no_sheet(seeded: World, tmp_path: Path) -> None:
    """The file's name says what is wanted; another is refused."""
    with seeded.reader() as reader, pytest.raises(StoreError, match=r"\.xlsx or \.parquet"):
        export_facts(reader, tmp_path / "facts.doc")


def test_csv_and_terminal_show_nothing_for_nothing(seeded: World) -> None:
    """No None, no nan, no list in brackets; a formula is a text."""
    base = ["--set", f"data_dir={seeded.settings.data_dir}", "sql"]
    said = "SELECT NULL AS a, 'nan'::double AS b, ['x', 'y'] AS c, '=1+1' AS d"
    assert CliRunner().invoke(cli, [*base, "--csv", said]).output == 'a,b,c,d\n,,"x, y",\'=1+1\n'
    assert CliRunner().invoke(cli, [*base, said]).output.splitlines()[1].split() == ["x,", "y", "=1+1"]


def test_advice_that_nobody_can_follow_is_not_given(seeded: World) -> None:
    """Nothing can be installed, loaded or set here."""
    with pytest.raises(StoreError, match='written in double quotes, "at"'):
        answer(seeded.settings, "SELECT at, kind FROM signals", now=seeded.now)
    for statement in ("SELECT * FROM read_xlsx('a.xlsx')", "FROM 'https://x.invalid/a.csv'", "SELECT 1::nothing"):
        with pytest.raises(StoreError) as caught:
            answer(seeded.settings, statement, now=seeded.now)
        assert not re.search(r"\b(INSTALL|LOAD|SET )", str(caught.value))


def test_documents_are_counted_without_their_ids(seeded: World) -> None:
    """DuckDB names a column even where it only counts; what a statement really takes is read all the same."""
    with duckdb.connect(":memory:") as db:
        db.register("rows", pa.table({"id": pa.nulls(3, pa.string()), "theme": pa.nulls(3, pa.string())}))
        db.execute("CREATE VIEW documents AS SELECT id AS id, theme AS theme FROM rows")
        assert _used(db, "SELECT count(*) FROM documents") == set()
        assert _used(db, "SELECT count(*) FROM documents NATURAL JOIN (SELECT 'a' AS id)") == {"id"}
        assert _used(db, "SELECT columns('i.*') FROM documents") == {"id"}
    counted = answer(seeded.settings, "SELECT count(*), count(id), count(DISTINCT id) FROM documents", now=seeded.now)
    assert len({*counted.rows[0]}) == 1


def test_an_id_may_hold_a_line_end(tmp_path: Path) -> None:
    """Ids come from wherever they are imported from."""
    settings, at = Settings(data_dir=tmp_path), datetime(2026, 11, 18, tzinfo=UTC)
    with open_store(settings) as store:
        store.put([Mention(id=one, source="s", kind="post", text="Text", fetched_at=at) for one in ("a\nb", "c")])
    found = run_sql(settings, "SELECT id FROM documents ORDER BY id").rows
    assert [one for (one,) in found] == ["a\nb", "c"]


def test_the_audit_log_can_be_asked(seeded: World) -> None:
    """Who did what, in order; what it holds before and after is JSON."""
    Audit(seeded.settings.data_dir).note(Entry(who="mei", what="write case", subject="c1", after={"status": "open"}))
    found = answer(seeded.settings, "SELECT who, what, after->>'status' FROM audit WHERE who = 'mei'", now=seeded.now)
    assert found.rows[-1] == ("mei", "write case", "open")
