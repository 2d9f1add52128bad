#!/usr/bin/env bash
# Twelve-hour bins of Sydney's clock: from the day on which clocks are turned, polars' group_by_dynamic and pandas' resample begin them at 01:00 and 13:00, for ever after; polars' own truncate keeps 00:00 and 12:00.
# Versions: polars 2.1.0, pandas 3.1.1.
# A good engineer guesses: "12h" of an aware column is the same bin in both functions of one library, and a half-day of the wall clock.
# What happens: truncate works on the wall clock; group_by_dynamic and resample take the first bin's wall clock and add true hours to it, so that after 4 October every bin of the series is moved by an hour. "1d" is a day of the calendar in all three.
# Lost by the guess: counts by half-day that are made in one place with truncate and in another with group_by_dynamic disagree for all days after a change of the clocks; a baseline of the same hour last week is that of another hour.
# Source: seen by running them.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'polars==2.1.0' 'pandas==3.1.1'
"$dir/v/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import pandas
import polars

print({name: version(name) for name in ("polars", "pandas")})
hours = pandas.date_range("2026-10-02 00:30", "2026-10-06", freq="1h", tz="Australia/Sydney")
frame = polars.DataFrame({"at": hours.tz_convert("UTC").to_pydatetime().tolist()}).with_columns(
    polars.col("at").dt.convert_time_zone("Australia/Sydney")
)


def starts(column):
    return sorted({f"{each:%d %H:%M}" for each in column if each.day >= 5})


seen = {
    "polars truncate": starts(frame["at"].dt.truncate("12h")),
    "polars group_by_dynamic": starts(frame.group_by_dynamic("at", every="12h").agg(polars.len())["at"]),
    "pandas resample": starts(pandas.Series(1, index=hours).resample("12h").sum().index),
    "polars group_by_dynamic 1d": starts(frame.group_by_dynamic("at", every="1d").agg(polars.len())["at"]),
}
GUESS = ["05 00:00", "05 12:00"]
MOVED = ["05 01:00", "05 13:00"]
for name, bins in seen.items():
    print(f"{name:27} after 4 October: {bins}   guessed {GUESS if '1d' not in name else GUESS[:1]}")
expected = dict(zip(seen, (GUESS, MOVED, MOVED, GUESS[:1])))
assert seen == expected, "behaviour has changed"
PY
