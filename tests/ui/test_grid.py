"""Any answer can be drawn and downloaded: names that repeat, values that no browser holds, nothing at all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from streamlit.dataframe_util import convert_pandas_df_to_arrow_bytes

from groundswell.index.tables import harmless
from groundswell.ui.board.grid import grid

ODD: tuple[tuple[tuple[str, ...], tuple[Any, ...]], ...] = (
    (("market", "market"), ("SG", "MY")),
    (("a", "a_2", "a"), (1, 2, 3)),
    (("_index", "__index_level_0__", "index", "", "", " "), (1, 2, 3, 4, 5, 6)),
    (("nan", "inf", "none"), (float("nan"), float("-inf"), None)),
    (("nested", "list"), ({"a": [1, {"b": float("nan")}]}, [[1], None])),
    (("huge", "exact", "over"), (2**127, 2**53 - 1, 2**53 + 1)),
    (
        ("late", "early", "day", "hour"),
        (datetime.max.replace(tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC), date.min, time(1, tzinfo=UTC)),
    ),
    (("zone", "span"), (datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=7))), timedelta(days=99_999))),
    (("bytes", "id", "decimal"), (b"\xff\x00", UUID(int=1), Decimal("0.1000000000000000000000001"))),
    (("=1+1", "<b>", "x" * 10_000), ("=1+1", "\N{RIGHT-TO-LEFT OVERRIDE}", "y" * 100_000)),
)


@pytest.mark.parametrize(("columns", "row"), ODD, ids=lambda value: str(value)[:30])
def test_any_answer_reaches_the_browser(columns: tuple[str, ...], row: tuple[Any, ...]) -> None:
    """Alone, empty, beside nothing, and beside a value of another kind: every column arrives under its own name."""
    for rows in ([row], [], [row, (None,) * len(row)], [row, ("other",) * len(row)]):
        table = _sent(columns, rows)
        assert len(set(table.column_names)) == len(columns)
        assert table.num_rows == len(rows)
    assert all(isinstance(harmless(value), str) for value in row)


def test_numbers_stay_numbers_as_long_as_they_are_exact() -> None:
    """Integers, decimals and doubles can be sorted; what a browser would round is text; no value becomes another."""
    shown = _sent(("n", "m", "d", "f"), [(1, 2**64 - 1, Decimal("1.50"), 0.1), (None, 3, None, float("nan"))])
    assert shown.column("n").to_pylist() == [1, None]
    assert shown.column("m").to_pylist() == ["18446744073709551615", "3"]
    assert shown.column("d").to_pylist() == [1.5, None]
    assert shown.column("f").to_pylist() == [0.1, None]


def _sent(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> pa.Table:
    """Return the table as Streamlit sends it."""
    return pa.ipc.open_stream(convert_pandas_df_to_arrow_bytes(grid(columns, rows))).read_all()
