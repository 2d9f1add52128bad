#!/usr/bin/env bash
# DuckDB casts '2026-06-01 10:00 BST' to 04:00 UTC (Bangladesh), SST to the Solomon Islands, AST to Alaska, NST to New Zealand, while SGT, MYT, WIB, ICT, PHT, AEST and NZDT are unknown zones.
# Versions: duckdb 2.0.0.
# A good engineer guesses: the abbreviations of e-mail and feeds mean what they mean there (BST is London's summer, 09:00 UTC), or none is taken; SST, next to it, is Samoa's as everywhere else in software.
# What happens: the names are ICU's old three-letter ids, made for Java 1.0: AET Sydney, ACT Darwin, VST Saigon, CTT Shanghai, PLT Lahore. In winter BST stays Bangladesh's. The zone database itself has none of them.
# Lost by the guess: a CSV of British or Atlantic posts is hours off after a cast that succeeded; SET TimeZone='BST' moves every day of a report.
# Source: seen by running it (ICU's TimeZone::createTimeZone ids).
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'duckdb==2.0.0'
"$dir/v/bin/python" - <<'PY'
from importlib.metadata import version

import duckdb

print("duckdb", version("duckdb"))
db = duckdb.connect()


def utc(zone, day="2026-06-01"):
    try:
        text = f"{day} 10:00:00 {zone}"
        return db.execute(f"SELECT strftime('{text}'::TIMESTAMPTZ AT TIME ZONE 'UTC', '%m-%d %H:%M')").fetchone()[0]
    except duckdb.ConversionException:
        return "unknown"


guess = {"BST": "06-01 09:00", "SST": "06-01 21:00", "AST": "06-01 14:00", "NST": "06-01 12:30",
         "AEST": "06-01 00:00", "SGT": "06-01 02:00", "MYT": "06-01 02:00", "WIB": "06-01 03:00",
         "ICT": "06-01 03:00", "PHT": "06-01 02:00", "VST": "unknown", "JST": "06-01 01:00"}
seen = {zone: utc(zone) for zone in guess}
for zone in guess:
    print(f"10:00 {zone:5} seen {seen[zone]} UTC   guessed {guess[zone]}")
expected = {"BST": "06-01 04:00", "SST": "05-31 23:00", "AST": "06-01 18:00", "NST": "05-31 22:00",
            "VST": "06-01 03:00", "JST": "06-01 01:00"}
assert seen == dict.fromkeys(guess, "unknown") | expected, "behaviour has changed"
PY
