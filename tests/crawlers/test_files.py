"""Rows of CSV, JSON Lines and Parquet: mapped, bounded, each bad one named by file and line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from groundswell.configs.schema import CrawlSettings
from groundswell.configs.source import FileSource
from groundswell.crawlers.files import read_file
from groundswell.crawlers.mention import Builder, Made
from groundswell.index.records import Mention, Refusal

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MAPPING = "columns: {text: body, id: nr, published_at: day, rating: stars, lang: tongue, author: who, reach: likes}"
ROWS = [
    {
        "nr": "1",
        "body": "Iklan terus",
        "day": "2026-11-01 10:00:00",
        "stars": 1,
        "tongue": "id",
        "who": "A",
        "likes": 3,
        "build": "9",
    },
    {
        "nr": "2",
        "body": "โฆษณาเยอะมาก",
        "day": "2026-11-02 10:00:00",
        "stars": 2,
        "tongue": "th",
        "who": "B",
        "likes": 0,
        "build": "",
    },
    {"nr": "3", "body": "", "day": "2026-11-03 10:00:00", "stars": 3, "tongue": "", "who": "", "likes": 0, "build": ""},
]


def csv_of(rows: list[dict[str, Any]], encoding: str = "utf-8") -> bytes:
    """Return rows as CSV."""
    lines = [",".join(rows[0])] + [",".join(f'"{value}"' for value in row.values()) for row in rows]
    return "\n".join(lines).encode(encoding)


def test_one_mapping_reads_csv_jsonl_and_parquet_alike(house: Any) -> None:
    """The same rows in three formats become the same mentions; only a file that changed is read again."""
    folder = house.folder / "sources"
    (folder / "rows.csv").write_bytes(csv_of(ROWS))
    (folder / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in ROWS), encoding="utf-8")
    pq.write_table(pa.Table.from_pylist(ROWS), folder / "rows.parquet")
    (folder / "wide.csv").write_bytes(csv_of(ROWS, "utf-16"))
    for name in ("rows.csv", "rows.jsonl", "rows.parquet", "wide.csv"):
        house.source(
            name.replace(".", "-"), f"format: file\nkind: review\npaths: [{name}]\ntimezone: Asia/Jakarta\n{MAPPING}\n"
        )
    runs = house.crawl()
    assert {(run.found, run.stored, run.refused) for run in runs.values()} == {(3, 2, 1)}
    kept = [
        [(m.text, m.published_at, m.rating, m.lang, m.reach, bool(m.author_key), m.extra) for m in house.mentions(name)]
        for name in runs
    ]
    assert all(each == kept[0] for each in kept)
    assert kept[0][0][1:] == (datetime(2026, 11, 1, 3, tzinfo=UTC), 1.0, "id", 3, True, {"build": "9"})

    more = [*ROWS, {**ROWS[0], "nr": "4", "body": "Baru"}, {**ROWS[0], "body": "Edited"}]
    (folder / "rows.csv").write_bytes(csv_of(more))
    second = house.crawl(now=NOW + timedelta(days=1))
    assert {name: run.found for name, run in second.items()} == {
        "rows-csv": 5,
        "rows-jsonl": 0,
        "rows-parquet": 0,
        "wide-csv": 0,
    }
    assert (second["rows-csv"].stored, second["rows-csv"].duplicate, second["rows-csv"].refused) == (1, 2, 2)
    assert "the id of rows.csv:2 again, with another text" in {each.reason for each in house.refusals("rows-csv")}


def test_a_file_that_cannot_be_read_is_named(house: Any) -> None:
    """Missing file, missing column, wrong content: each in words, with what there is instead."""
    folder = house.folder / "sources"
    (folder / "rows.csv").write_bytes(csv_of(ROWS))
    (folder / "not.parquet").write_bytes(b"PAR1 not really")
    (folder / "odd.xlsx").write_bytes(b"PK")
    (folder / "odd.doc").write_bytes(b"PK")
    house.source("gone", "format: file\nkind: review\npaths: [gone.csv]\n")
    house.source("column", "format: file\nkind: review\npaths: [rows.csv]\ncolumns: {text: content}\n")
    house.source("parquet", "format: file\nkind: review\npaths: [not.parquet]\n")
    house.source("odd", "format: file\nkind: review\npaths: [odd.doc]\n")
    house.source("book", "format: file\nkind: review\npaths: [odd.xlsx]\n")
    house.source("floor", f"format: file\nkind: review\npaths: [rows.csv]\n{MAPPING}\nfloor: {{per_run: 5}}\n")
    runs = house.crawl()
    told = {
        "gone": "there is no such file",
        "column": "no column content; there are: nr, body, day",
        "parquet": "not a whole Parquet file",
        "odd": "set type to csv, xlsx, json, jsonl or parquet",
        "book": "not a workbook that can be read",
    }
    assert {name: text in runs[name].error for name, text in told.items()} == dict.fromkeys(told, True)
    assert runs["floor"].complaint == "3 found, floor 5 a run"


def test_every_kind_of_bad_row_is_refused_or_kept_apart_and_counted(house: Any) -> None:
    """Empty, 10 MB, binary, another encoding, hostile HTML, an id twice, no date, year 9999: each counted, with why."""
    hostile = (
        "<p>Pay <b>now</b></p><script>steal()</script><img src=x onerror=steal()><iframe src='//evil.test'></iframe>"
    )
    rows: list[bytes | dict[str, Any]] = [
        {"nr": 1, "body": "A good row", "day": "2026-11-01"},
        {"nr": 2, "body": " \n "},
        {"nr": 3, "body": "x" * 10_000_000},
        {"nr": 4, "body": "\x00\x01\x02\x03 PK"},
        b'{"nr": 5, "body": "caf\xe9 au lait"}',
        {"nr": 6, "body": hostile, "day": "2026-11-01"},
        {"nr": 1, "body": "A good row", "day": "2026-11-01"},
        {"nr": 1, "body": "Another row under its id", "day": "2026-11-01"},
        {"nr": 8, "body": "Nobody knows when"},
        {"nr": 9, "body": "From the far future", "day": "9999-12-31T23:59:59Z"},
        b"\x89PNG\x1a no row at all",
        b"[1, 2]",
    ]
    lines = (row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows)
    (house.folder / "sources" / "rows.jsonl").write_bytes(b"\n".join(lines))
    columns = "columns: {text: body, id: nr, published_at: day}"
    house.source("bad", f"format: file\nkind: review\npaths: [rows.jsonl]\nhtml: true\n{columns}\n")
    run = house.crawl()["bad"]
    assert (run.found, run.stored, run.duplicate, run.refused, run.undated) == (12, 4, 1, 7, 2)
    kept = {mention.text: mention for mention in house.mentions()}
    assert set(kept) == {"A good row", "Pay now", "Nobody knows when", "From the far future"}
    undated = {text for text, mention in kept.items() if mention.published_at is None}
    assert undated == {"Nobody knows when", "From the far future"}
    assert kept["From the far future"].extra["stated_date"] == "9999-12-31T23:59:59Z"
    reasons = {refusal.where.split(":")[1]: refusal.reason for refusal in house.refusals("bad")}
    wanted = {
        2: "empty",
        3: "too long",
        4: "binary",
        5: "wrong encoding",
        8: "the id of",
        11: "not text",
        12: "not a JSON",
    }
    assert {line: reason in reasons[str(line)] for line, reason in wanted.items()} == dict.fromkeys(wanted, True)


def rows_of(path: Path, **more: Any) -> list[Made]:
    """Return what a file becomes."""
    settings = CrawlSettings(max_page_bytes=10_000, max_text_chars=1_000)
    source = FileSource.model_validate({"name": "x", "format": "file", "kind": "review", "paths": [str(path)]} | more)
    return [found for _, found in read_file(path, source, Builder(source, settings, salt="s", now=NOW))]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_monstrous_row_is_refused_by_its_line_and_the_rest_goes_on(tmp_path: Path, suffix: str) -> None:
    """A line of ten megabytes takes neither the run nor the memory with it; a long text is cut, and says so."""
    texts = ["fine", "x" * 10_000_000, "long " * 500, "fine too"]
    lines = [json.dumps({"text": text}) for text in texts] if suffix == ".jsonl" else ["text", *texts]
    path = tmp_path / f"rows{suffix}"
    path.write_text("\n".join(lines), encoding="utf-8")
    del texts, lines
    tracemalloc.start()
    found = rows_of(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [isinstance(each, Mention) for each in found] == [True, False, True, True]
    refused, cut = found[1], found[2]
    assert isinstance(refused, Refusal)
    assert refused.where == f"rows{suffix}:{3 if suffix == '.csv' else 2}"
    assert "too long" in refused.reason
    assert isinstance(cut, Mention)
    assert (len(cut.text), cut.extra["cut_from_chars"]) == (1000, 2499)
    assert peak < 3_000_000


def test_a_quote_that_never_closes_does_not_eat_the_memory(tmp_path: Path) -> None:
    """It swallows rows up to the longest field allowed, says so, and reading goes on."""
    path = tmp_path / "rows.csv"
    path.write_text('text\nfine\n"open\n' + "swallowed row\n" * 2000 + "last\n", encoding="utf-8")
    found = rows_of(path)
    assert isinstance(found[0], Mention)
    assert any(isinstance(each, Refusal) and "field larger than field limit" in each.reason for each in found)
    assert isinstance(found[-1], Mention)
    assert found[-1].text == "last"


def test_names_of_people_never_travel(tmp_path: Path) -> None:
    """Columns that sound like people are dropped; an author becomes a hash that needs the salt."""
    row = {
        "text": "t",
        "userName": "Ann",
        "user_id": "7",
        "reviewer": "Ann",
        "e-mail": "a@b",
        "avatarUrl": "u",
        "score": 3,
    }
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row | {"author": "Ann Example"}), encoding="utf-8")
    (mention,) = rows_of(path, columns={"text": "text", "author": "author"})
    assert isinstance(mention, Mention)
    assert mention.extra == {"score": 3}
    assert len(mention.author_key) == 20
    assert "Ann" not in str(mention)
    (asked,) = rows_of(path, keep=["user_id"])
    assert isinstance(asked, Mention)
    assert asked.extra == {"user_id": "7"}


KILLED_AT = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from groundswell.configs.schema import Settings
from groundswell.crawlers.run import crawl
from groundswell.index.open import open_store
settings = Settings.model_validate_json(sys.argv[1])
def progress(done, total, what):
    if done >= int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
with open_store(settings) as store:
    crawl(store, settings, now=datetime.fromisoformat(sys.argv[3]), progress=progress)
"""


def test_a_kill_in_the_middle_of_a_file_loses_and_doubles_nothing(house: Any) -> None:
    """SIGKILL after some batches, then a second run: the same mentions as one undisturbed run."""
    rows = [{**ROWS[0], "nr": str(number % 1900), "body": f"Text {number}"} for number in range(2000)]
    (house.folder / "sources" / "rows.csv").write_bytes(csv_of(rows))
    house.source("rows", f"format: file\nkind: review\npaths: [rows.csv]\n{MAPPING}\n")
    command = [sys.executable, "-c", KILLED_AT, house.settings.model_dump_json(), "1000", NOW.isoformat()]
    killed = subprocess.run(command, check=False, env={**os.environ, "GROUNDSWELL_AUTHOR_SALT": "s"})
    assert killed.returncode == -signal.SIGKILL
    assert 0 < len(house.mentions()) < 1900
    run = house.crawl(now=NOW + timedelta(minutes=5))["rows"]
    assert (run.found, run.refused) == (2000, 100)
    assert [mention.text for mention in sorted(house.mentions(), key=lambda m: int(m.text.split()[1]))] == [
        f"Text {number}" for number in range(1900)
    ]
