"""Any answer as a table that can be drawn: every column has a name of its own and holds values of one kind.

Streamlit hands a table to the browser by way of Arrow, which takes no two columns of one name, no integer beyond 64
bits and no column of mixed kinds; a browser's own numbers are exact up to 2**53 (ECMA-262, Number.MAX_SAFE_INTEGER).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any

from groundswell.index.sql import plain, told_apart

if TYPE_CHECKING:
    import pandas as pd

EXACT = 2**53 - 1
"""Integers up to this size are shown exactly as numbers; a column with a larger one is shown as text."""
DIGITS = 15
"""Decimal digits that a double holds."""


def grid(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """Return an answer of any shape as a frame that Streamlit can draw; nothing is lost but what is no finite number.

    Args:
        columns: names, which may repeat, be empty, or be words that the table's own code uses.
        rows: one value a column each, of any kind that DuckDB gives.
    """
    import pandas as pd

    names = told_apart([f"{name} " if _reserved(name) else name for name in columns])
    values = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    drawn = [pd.Series(*_column(column)) for column in values]
    frame = pd.concat(drawn, axis=1) if drawn else pd.DataFrame()
    return frame.set_axis(list(names), axis=1)


def not_finite(rows: Iterable[Sequence[Any]]) -> bool:
    """Return whether a value is NaN or infinite, which tables leave empty."""
    return any(isinstance(value, float) and not isfinite(value) for row in rows for value in row)


def _reserved(name: str) -> bool:
    """Return whether Arrow or Streamlit would take a column of this name for an index."""
    return name == "_index" or name.startswith("__index_level_")


def _column(values: Sequence[Any]) -> tuple[list[Any], None, str]:
    """Return values, no index of their own, and their type for pandas."""
    present = [value for value in values if value is not None]
    if present and all(isinstance(value, bool) for value in present):
        return list(values), None, "boolean"
    if present and all(type(value) is int and abs(value) <= EXACT for value in present):
        return list(values), None, "Int64"
    if present and all(_is_number(value) for value in present):
        return [plain(value) for value in values], None, "Float64"
    return [None if value is None else _text(value) for value in values], None, "string"


def _is_number(value: Any) -> bool:
    """Return whether a double says exactly what a value says."""
    if isinstance(value, Decimal):
        return not value.is_finite() or len(value.as_tuple().digits) <= DIGITS
    return type(value) is float or (type(value) is int and abs(value) <= EXACT)


def _text(value: Any) -> str:
    """Return any value as text: what is nested as JSON, times as ISO 8601 with a space, bytes in hexadecimal."""
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(plain(value), ensure_ascii=False)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    return "" if isinstance(value, float) and not isfinite(value) else str(value)
