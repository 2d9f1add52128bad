"""Questions in SQL that are kept, asked again with other values, and drawn."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from groundswell.index.sql import Table
from groundswell.index.sql_parameters import filled, parameters
from groundswell.index.store import StoreError
from groundswell.ui.board import queries
from groundswell.ui.cli import cli
from groundswell.ui.report.chart_of import MOST_BARS, MOST_LINES, axes_of, points
from tests.ui.seed import World
from tests.ui.test_views import _html, _open

ASKED = "select market, count(*) as posts from documents where market = $market group by 1 /* $market = SG */"


@pytest.fixture(autouse=True)
def _forget() -> None:
    queries._answers.clear()
    queries._settings.cache_clear()


def sql(world: World, *args: str) -> Result:
    """Call `groundswell sql`."""
    return CliRunner().invoke(cli, ["--set", f"data_dir={world.settings.data_dir}", "sql", *args])


@pytest.mark.parametrize(
    "quoted", ["'$a'", '"$a"', "$$ $a $$", "$t$ $a $t$", "-- $a\n", "/* $a */", "'it''s $a'", "$1"]
)
def test_what_is_quoted_is_no_parameter(quoted: str) -> None:
    """In texts, names, comments and dollar quotes a sign is a sign."""
    statement = f"select {quoted} , $b"
    assert parameters(statement) == {"b": ""}
    assert filled(statement, {"b": "x"}) == f"select {quoted} , 'x'"


@pytest.mark.parametrize(
    "value", ["x' or 1=1 --", "'; drop table documents; --", "$other", "a\\'b", "１２", "0x10", "1e9"]
)
def test_a_value_is_one_literal_and_nothing_else(value: str) -> None:
    """However it is written, it comes out of the database as it went in."""
    from groundswell.index.sql import ask

    assert ask(Path("/nonexistent"), filled("select $v as v", {"v": value})).rows == ((value,),)


def test_a_value_that_is_missing_or_strange_is_told() -> None:
    """What has no value, and what is no parameter."""
    with pytest.raises(StoreError, match=r"\$a has no value"):
        filled("select $a", {})
    with pytest.raises(StoreError, match=r"no parameter \$c; it has \$a"):
        filled("select $a", {"c": "1"})


def test_a_question_is_kept_and_asked_again_with_other_values(world: World) -> None:
    """From the terminal: its usual value, another one, the list; a search of that name is no question."""
    assert "SG" in sql(world, ASKED, "--save", "Posts of a market").output
    assert "MY" in sql(world, "--saved", "Posts of a market", "--with", "market=MY").output
    assert "Posts of a market" in sql(world, "--list").output
    assert "there are Posts of a market" in sql(world, "--saved", "Post").output
    assert sql(world, "--saved", "Posts of a market", "--with", "market").exit_code == 2
    assert sql(world).exit_code == 2


def test_a_question_of_the_board_has_its_parameters_in_fields_and_in_its_address(shown: World) -> None:
    """A link asks it as it stands; another value is another answer; kept, it is among the saved."""
    app = _open("sql", sql=ASKED, p_market="ID")
    field = next(one for one in app.text_input if one.label == "$market")
    assert field.value == "ID"
    field.set_value("TH")
    next(one for one in app.button if one.label == "Ask").click()
    app.run()
    assert not app.exception
    assert list(app.dataframe[0].value["market"]) == ["TH"]
    assert app.query_params["p_market"] in ("TH", ["TH"])
    next(one for one in app.text_input if one.label == "Save this question as").set_value("<b>Mine</b>")
    next(one for one in app.button if one.label == "Save").click().run()
    assert "&lt;b&gt;Mine&lt;/b&gt;" in _html(_open("sql"))
    assert "Mine" not in _html(_open("search"))


@pytest.mark.parametrize("chart", ["lines", "bars"])
def test_an_answer_is_drawn(shown: World, chart: str) -> None:
    """Days and markets as lines and as bars, whatever its columns are called."""
    statement = 'select day, market as "<b>[x].y:z</b>", sum(documents) as n from facts group by all order by 1'
    app = _open("sql", sql=statement, chart=chart)
    next(one for one in app.button if one.label == "Ask").click()
    app.run()
    assert not app.exception
    assert len(app.get("vega_lite_chart") or app.get("arrow_vega_lite_chart")) == 1


def test_axes_are_found_from_the_kinds_of_columns() -> None:
    """Times along, numbers counted, a text apart; what has no number is not drawn."""
    day = date(2026, 11, 1)
    over = axes_of(Table(("n", "day", "market"), ((1, day, "SG"), (2, day, "MY"))))
    assert over is not None
    assert (over.along, over.counted, over.by, over.kind) == (1, (0,), 2, "lines")
    assert axes_of(Table(("a", "b"), (("x", "y"),))) is None
    assert axes_of(Table(("n",), ((1,),))) is None
    assert axes_of(Table(("a",), ())) is None


def test_what_is_left_out_of_a_chart_is_said() -> None:
    """Too many places and too many lines; what is no finite number is no point."""
    many = Table(("word", "n"), tuple((f"w{i}", i) for i in range(MOST_BARS + 5)))
    axes = axes_of(many)
    assert axes is not None
    rows, left = points(many, axes)
    assert (len(rows), left) == (MOST_BARS, f"the first {MOST_BARS} of {MOST_BARS + 5} places")
    lines = Table(("day", "by", "n"), tuple((date(2026, 11, 1), f"w{i}", float("nan")) for i in range(MOST_LINES + 2)))
    axes = axes_of(lines)
    assert axes is not None
    rows, left = points(lines, axes)
    assert left == f"{MOST_LINES} of {MOST_LINES + 2} lines"
    assert {row["n"] for row in rows} == {None}
