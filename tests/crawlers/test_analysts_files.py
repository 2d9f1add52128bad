"""Files as analysts have them: workbooks, lines before the header, numbers and dates by column, any JSON, encodings."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from groundswell.configs.schema import CrawlSettings
from groundswell.configs.source import FileSource
from groundswell.crawlers.files import FileError, read_file
from groundswell.crawlers.mention import Builder
from groundswell.crawlers.numbers import NumberColumn
from groundswell.index.records import Mention, Refusal

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
COLUMNS = {"id": "Id", "text": "Snippet", "published_at": "Date", "reach": "Reach", "rating": "Score"}
TEXTS = ["Too many ads", "Iklan terlalu banyak", "โฆษณาเยอะมาก", "广告太多了"]


def read(path: Path, **more: Any) -> tuple[list[Mention], list[Refusal]]:
    """Return what a file becomes, and what of it is refused."""
    given = {"name": "x", "format": "file", "kind": "review", "paths": [str(path)], "columns": COLUMNS} | more
    source = FileSource.model_validate(given)
    found = [made for _, made in read_file(path, source, Builder(source, CrawlSettings(), salt="s", now=NOW))]
    return [each for each in found if isinstance(each, Mention)], [each for each in found if isinstance(each, Refusal)]


def table(delimiter: str, rows: list[list[Any]]) -> str:
    """Return rows as CSV."""
    return "\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows) + "\n"


ROWS: list[list[Any]] = [
    ["Id", "Date", "Snippet", "Reach", "Score"],
    *([n, f"2026-11-2{n} 10:00:00", text, f"{n}2,345", "4,5"] for n, text in enumerate(TEXTS, 1)),
]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_an_export_of_a_monitoring_tool_is_read_whatever_stands_around_its_rows(tmp_path: Path, delimiter: str) -> None:
    """Lines before the header, thousands, decimal commas, totals, a note: rows are read, the rest is said."""
    path = tmp_path / "export.csv"
    before = [["Report:", "Ads in SG"], ["From:", "2026-11-20"], []]
    after = [["Total", "", "", "130,000", ""], ["Made by a tool on 30 Nov 2026"]]
    path.write_text(table(delimiter, [*before, *ROWS, *after]), "utf-8")
    mentions, refusals = read(path, timezone="Asia/Singapore")
    assert [(m.text, m.reach, m.rating) for m in mentions] == [
        (t, n * 10_000 + 2345, 4.5) for n, t in enumerate(TEXTS, 1)
    ]
    assert mentions[0].published_at == datetime(2026, 11, 21, 2, tzinfo=UTC)
    assert {mention.date_confidence for mention in mentions} == {"exact"}
    said = " ".join(f"{each.where} {each.reason};" for each in refusals)
    assert "export.csv:1-3 2 lines before the header are no rows: Report: Ads in SG / From: 2026-11-20" in said
    assert "export.csv:9 a line of totals, not a row" in said
    assert "export.csv:10 one cell under 5 columns" in said


def test_excels_own_first_line_names_the_delimiter(tmp_path: Path) -> None:
    """sep=; is no row and no header, and wants no remark."""
    path = tmp_path / "rows.csv"
    path.write_text("sep=;\nsnippet;n\none, two;1\n", "utf-8")
    mentions, refusals = read(path, columns={"text": "snippet"})
    assert ([mention.text for mention in mentions], refusals) == (["one, two"], [])


@pytest.mark.parametrize(
    ("values", "market", "whole", "read"),
    [
        (["12,345", "1,234,567"], "", True, [12345, 1234567]),
        (["12.345", "1.234.567"], "", True, [12345, 1234567]),
        (["12,345", "0,5"], "", True, [12.345, 0.5]),
        (["1.234,5", "12.345"], "", False, [1234.5, 12345]),
        (["1,234.5", "12,345"], "", False, [1234.5, 12345]),
        (["4,5", "5"], "", False, [4.5, 5]),
        (["4.5", "5,0"], "", False, [4.5, 5]),
        (["4,500"], "ID", False, [4.5]),
        (["4,500"], "SG", False, [4500]),
        (["4,500"], "", False, [None]),
        (["4,5", "4.5", "4,500"], "", False, [4.5, 4.5, None]),
        (["1 234 567", "1\u202f234"], "", True, [1234567, 1234]),
        (["12,34,567"], "", True, [1234567]),
        (["1'234'567"], "", True, [1234567]),
        (["1.2K", "3,4 rb", "1.2万", "2 ล้าน", "1,5 tr"], "", True, [1200, 3400, 12000, 2_000_000, 1_500_000]),
        (["４５", "๔๕"], "", True, [45, 45]),
        (["4/5", "4 out of 5", "4 stars", "★★★★☆", "5 ดาว"], "", False, [4, 4, 4, 4, 5]),
        (["", "-", "N/A", "NaN", "inf"], "", True, [None] * 5),
        (["-3", "+7", "85%"], "", True, [-3, 7, 85]),
        (["many", "1.2.3", "12,3456.7"], "", True, [None] * 3),
    ],
)
def test_a_number_is_read_as_its_whole_column_is_written(
    values: list[str], market: str, whole: bool, read: list[Any]
) -> None:
    """One value may be thousands or a fraction; the column, its kind or the market tells, or it is not read."""
    column = NumberColumn(whole=whole, market=market)
    for value in values:
        column.see(value)
    got = [column.read(value)[0] for value in values]
    assert got == [None if each is None else pytest.approx(each) for each in read]


def test_a_number_that_is_not_understood_says_so_beside_the_text(tmp_path: Path) -> None:
    """The row is kept; what stood there and why it was not read travel with it."""
    path = tmp_path / "rows.csv"
    path.write_text(table(",", [ROWS[0], [1, "2026-11-21", "Text", "some", "4"]]), "utf-8")
    (mention,), _ = read(path)
    assert (mention.reach, mention.rating) == (None, 4)
    assert mention.extra["stated_reach"] == "some"
    assert "not understood as a number" in mention.extra["reach_note"]


@pytest.mark.parametrize(
    ("dates", "more", "days"),
    [
        (["05/11/2026", "13/11/2026"], {}, ["2026-11-05", "2026-11-13"]),
        (["05/11/2026", "05/13/2026"], {}, ["2026-05-11", "2026-05-13"]),
        (["05/11/2026", "05/13/2026"], {"market": "SG"}, ["2026-05-11", "2026-05-13"]),
        (["05/11/2026", "06/11/2026"], {"market": "SG"}, ["2026-11-05", "2026-11-06"]),
        (["05/11/2026", "06/11/2026"], {"date_format": "%m/%d/%Y"}, ["2026-05-11", "2026-06-11"]),
        (["05/11/2026", "13/11/2026", "11/13/2026"], {"market": "SG"}, [None, "2026-11-13", "2026-11-13"]),
        (["05/11/2569 10:30", "13/11/2569 9:05"], {"market": "TH"}, ["2026-11-05", "2026-11-13"]),
        (["46355", "46355.4375"], {}, ["2026-11-29", "2026-11-29"]),
    ],
)
def test_day_and_month_are_told_by_the_whole_column(
    tmp_path: Path, dates: list[str], more: dict[str, Any], days: list[str | None]
) -> None:
    """A single 13 settles all; a column that contradicts itself settles nothing, whatever the market."""
    path = tmp_path / "rows.csv"
    path.write_text(table(",", [ROWS[0], *([n, day, f"Text {n}", 1, 1] for n, day in enumerate(dates))]), "utf-8")
    mentions, _ = read(path, **more)
    zone = timedelta(hours=7 if more.get("market") == "TH" else 8 if more.get("market") else 0)
    assert [m.published_at and str((m.published_at + zone).date()) for m in mentions] == days


def test_a_column_that_leaves_the_order_open_is_asked_about(tmp_path: Path) -> None:
    """No date is guessed; one line says which setting settles it, each row what it could mean."""
    path = tmp_path / "rows.csv"
    path.write_text(table(",", [ROWS[0], [1, "05/11/2026", "Text", 1, 1], [2, "05/11/2026", "Text 2", 1, 1]]), "utf-8")
    mentions, refusals = read(path)
    assert [mention.date_confidence for mention in mentions] == ["none", "none"]
    assert "2026-11-05 or 2026-05-11" in mentions[0].extra["date_note"]
    assert ["set date_format" in refusal.reason for refusal in refusals] == [True]


def workbook(path: Path) -> None:
    """Write a workbook as people keep them: a cover, lines before the header, every kind of date cell."""
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Cover").write(0, 0, "Report of November")
        sheet = book.add_worksheet("Data")
        codes: dict[str, Any] = {"day": "dd/mm/yyyy", "minute": "d mmm yy hh:mm", "thai": 71}
        formats = {name: book.add_format({"num_format": code}) for name, code in codes.items()}
        sheet.write_row(0, 0, ["Ads in Thailand"])
        sheet.write_row(2, 0, ["Id", "Date", "Snippet", "Reach", "Score", "Build"])
        for n, text in enumerate([*TEXTS, "As text", "Undated"]):
            sheet.write_row(3 + n, 0, [n])
            sheet.write_row(3 + n, 2, [text, 1234 + n, 4.5, "9"])
        sheet.write_datetime(3, 1, datetime(2026, 11, 29), formats["day"])  # noqa: DTZ001  as a spreadsheet has it
        sheet.write_datetime(4, 1, datetime(2026, 11, 29, 10, 30), formats["minute"])  # noqa: DTZ001
        sheet.write_number(5, 1, 46355, formats["thai"])
        sheet.write_number(6, 1, 46355.4375, formats["thai"])
        sheet.write_string(7, 1, "29/11/2569")
        sheet.write_row(10, 0, ["รวม", "", "", 7413])


def test_a_workbook_is_read_from_the_sheet_that_has_the_columns(tmp_path: Path) -> None:
    """Dates of every format that Thai and Chinese offices use, whole numbers as such; what was not read is said."""
    path = tmp_path / "rows.xlsx"
    workbook(path)
    mentions, refusals = read(path, market="TH")
    assert [(m.text, m.reach, m.rating) for m in mentions[:4]] == [(t, 1234 + n, 4.5) for n, t in enumerate(TEXTS)]
    assert mentions[0].extra == {"Build": "9"}
    minute, day = datetime(2026, 11, 29, 3, 30, tzinfo=UTC), datetime(2026, 11, 29, tzinfo=UTC)
    assert [m.published_at for m in mentions] == [day, minute, day, minute, day, None]
    assert [m.date_confidence for m in mentions] == ["day", "exact", "day", "exact", "day", "none"]
    said = " ".join(f"{each.where} {each.reason};" for each in refusals)
    assert "only the sheet 'Data' was read (sheet); there are also: Cover" in said
    assert "rows.xlsx Data!1-2 1 line before the header is no row: Ads in Thailand" in said
    assert "rows.xlsx Data!11 a line of totals" in said


def test_a_sheet_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    """By name, and by the columns that no sheet has."""
    path = tmp_path / "rows.xlsx"
    workbook(path)
    with pytest.raises(FileError, match="no sheet 'Dta'; there are: Cover, Data"):
        read(path, sheet="Dta")
    with pytest.raises(FileError, match=r"no column Datum; there are: Id, Date, Snippet"):
        read(path, columns=COLUMNS | {"published_at": "Datum"})


def layouts() -> dict[str, str]:
    """Return the same three rows in every layout of JSON."""
    rows = [{"id": n, "text": f"Text {n}", "user": {"lang": "id"}} for n in range(3)]
    pretty = json.dumps(rows, indent=2)
    return {
        "lines": "\n".join(json.dumps(row) for row in rows),
        "array": json.dumps(rows),
        "indented": pretty,
        "one after another": "\n".join(json.dumps(row, indent=2) for row in rows),
        "in an object": json.dumps({"count": 3, "data": rows}, indent=1),
        "with a mark": "\ufeff" + pretty,
        "NaN": pretty.replace('"id": 0', '"id": 0, "score": NaN, "views": Infinity'),
    }


@pytest.mark.parametrize("layout", layouts())
def test_json_is_read_however_it_is_laid_out(tmp_path: Path, layout: str) -> None:
    """An array on one line or many, objects by line or not, a list in an object: the same rows."""
    path = tmp_path / "rows.json"
    path.write_text(layouts()[layout], "utf-8")
    columns = {"id": "id", "text": "text", "lang": "user.lang", "rating": "score", "reach": "views"}
    mentions, refusals = read(
        path, columns=columns if layout == "NaN" else {"id": "id", "text": "text", "lang": "user.lang"}
    )
    assert [(m.text, m.lang, m.rating, m.reach) for m in mentions] == [
        (f"Text {n}", "id", None, None) for n in range(3)
    ]
    assert refusals == []


def test_one_broken_object_of_an_array_costs_itself(tmp_path: Path) -> None:
    """It is refused with its line; what follows is read."""
    path = tmp_path / "rows.json"
    rows = [f'  {{"text": "Text {n}"}}' for n in range(5)]
    rows[2] = '  {"text": "Text 2", "views": }'
    path.write_text("[\n" + ",\n".join(rows) + "\n]\n", "utf-8")
    mentions, refusals = read(path, columns={"text": "text"})
    assert [mention.text for mention in mentions] == ["Text 0", "Text 1", "Text 3", "Text 4"]
    assert [(each.where, each.reason[:8]) for each in refusals] == [("rows.json:4", "not JSON")]


@pytest.mark.parametrize(
    ("label", "codec", "text"),
    [
        ("windows-874", "cp874", "โฆษณาหลอกลวง"),
        ("tis-620", "cp874", "โฆษณาหลอกลวง"),
        ("gb2312", "gb18030", "广告太多，要求镕基退款"),
        ("big5", "big5hkscs", "詐騙廣告太多了"),
        ("shift_jis", "cp932", "広告が多すぎる①"),
        ("euc-kr", "cp949", "광고가 너무 많아요"),
        ("windows-1258", "cp1258", "lừa đảo"),
        ("utf-8-sig", "utf-16", "Quảng cáo"),
        ("utf-8-sig", "utf-16-le", "Quang cao 广告"),
        ("gb18030", "utf-8-sig", "广告"),
    ],
)
def test_a_file_is_read_in_the_encoding_that_it_names_by_the_webs_names(
    tmp_path: Path, label: str, codec: str, text: str
) -> None:
    """With the letters that practice added to the standards; a byte order mark or every second byte wins."""
    path = tmp_path / "rows.csv"
    written = text if codec != "cp1258" else "l\u01b0\u0300a \u0111a\u0309o"
    path.write_bytes(f"id,text\n1,{written}\n".encode(codec))
    mentions, refusals = read(path, columns={"text": "text", "id": "id"}, encoding=label)
    assert ([mention.text for mention in mentions], refusals) == ([written], [])


def test_a_column_that_is_there_twice_is_not_chosen_by_chance(tmp_path: Path) -> None:
    """Mapped: told. Not mapped: both are kept, told apart."""
    path = tmp_path / "rows.csv"
    path.write_text("text,tag,tag\nText,a,b\n", "utf-8")
    (mention,), _ = read(path, columns={"text": "text"})
    assert mention.extra == {"tag": "a", "tag (2)": "b"}
    path.write_text("text,text\na,b\n", "utf-8")
    with pytest.raises(FileError, match="'text' is there 2 times"):
        read(path, columns={"text": "text"})


def test_date_and_time_may_stand_in_two_columns(tmp_path: Path) -> None:
    """As some monitoring tools export them."""
    path = tmp_path / "rows.csv"
    path.write_text("text,day,hour\nText,29-Nov-2026,10:30 PM\n", "utf-8")
    columns = {"text": "text", "published_at": "day", "time": "hour"}
    (mention,), _ = read(path, columns=columns, market="SG")
    assert mention.published_at == datetime(2026, 11, 29, 14, 30, tzinfo=UTC)


def test_a_date_of_its_own_type_is_a_day(tmp_path: Path) -> None:
    """Parquet knows dates, and times without a zone."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "rows.parquet"
    naive = datetime(2026, 11, 29, 10, 30)  # noqa: DTZ001  as Parquet has it
    for value, confidence in ((date(2026, 11, 29), "day"), (naive, "day"), (naive.replace(tzinfo=UTC), "exact")):
        pq.write_table(pa.Table.from_pylist([{"text": "Text", "at": value}]), path)
        (mention,), _ = read(path, columns={"text": "text", "published_at": "at"})
        assert mention.date_confidence == confidence
