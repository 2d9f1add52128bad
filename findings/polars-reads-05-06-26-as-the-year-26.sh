#!/usr/bin/env bash
# polars' str.to_date(), asked to infer the format, reads 05/06/26 as 5 June of the year 26 and Thailand's 29/11/69 as the year 69; str.to_datetime() reads the same texts as nothing.
# Versions: polars 2.1.0.
# A good engineer guesses: a year of two digits is of this century (69: 1969), as in strptime's %y, or the text is refused; both methods agree.
# What happens: the inferred format is day/month/year, and a year may have any number of digits; an explicit "%d/%m/%y" gives 2026. With strict=False one column of 05/06/2026 and 12/31/2026 becomes 5 June and null: the first value decides for all.
# Lost by the guess: an export with short years has no date of this era; a filter "the last 30 days" leaves nothing, and nothing is said.
# Source: seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'polars==2.1.0'
"$dir/v/bin/python" - <<'PY'
from importlib.metadata import version

import polars as pl

print("polars", version("polars"))


def read(method, texts, *format_):
    try:
        return [day and day.isoformat()[:10] for day in getattr(pl.Series(texts).str, method)(*format_, strict=False)]
    except pl.exceptions.ComputeError as error:
        return [type(error).__name__]


seen = {
    "to_date 05/06/26": read("to_date", ["05/06/26"]),
    "to_date 29/11/69": read("to_date", ["29/11/69"]),
    "to_datetime 05/06/26": read("to_datetime", ["05/06/26"]),
    "to_date 05/06/26, %d/%m/%y": read("to_date", ["05/06/26"], "%d/%m/%y"),
    "to_date 05/06/2026, 12/31/2026": read("to_date", ["05/06/2026", "12/31/2026"]),
}
guess = [["2026-06-05"], ["1969-11-29"], ["2026-06-05"], ["2026-06-05"], ["ComputeError"]]
for (name, got), guessed in zip(seen.items(), guess):
    print(f"{name:32} seen {got}   guessed {guessed}")
assert list(seen.values()) == [["0026-06-05"], ["0069-11-29"], [None], ["2026-06-05"], ["2026-06-05", None]], "behaviour has changed"
PY
