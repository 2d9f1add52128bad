#!/usr/bin/env bash
# DuckDB casts '2026-11-29T10:00:00+07:00' and '2026-11-29T10:00:00Z' to one and the same TIMESTAMP, 10:00: the offset is dropped, not applied and not refused; read_json and read_csv with a column declared TIMESTAMP do it for a whole file.
# Versions: duckdb 2.0.0 (1.4.4 does the same).
# A good engineer guesses: a TIMESTAMP made from a text with an offset is the moment in UTC, or an error says TIMESTAMPTZ.
# What happens: the offset is skipped, even one that cannot be (+99:00); in 2.0 the zone name of '2026-11-29 10:00:00 Asia/Jakarta' goes the same way, known or not. Without a declared type read_json of 2.0 and read_csv find TIMESTAMPTZ, and are right.
# Lost by the guess: posts of Jakarta, Sydney and London, exported with offsets, lie in one column on three different clocks; the order of a story and its first hour are wrong, and no row looks wrong.
# Source: seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'duckdb==2.0.0'
(cd "$dir" && "$dir/v/bin/python" - <<'PY'
from importlib.metadata import version
from pathlib import Path

import duckdb

print("duckdb", version("duckdb"))
db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")


def one(question):
    return db.execute(question).fetchall()[0][0]


EAST, UTC = "2026-11-29T10:00:00+07:00", "2026-11-29T10:00:00Z"
Path("posts.jsonl").write_text(f'{{"seen_at": "{EAST}"}}\n{{"seen_at": "{UTC}"}}\n')
hours = "date_diff('hour', min(seen_at), max(seen_at))"
seen = {
    "two texts, ::TIMESTAMP": one(f"SELECT date_diff('hour', '{EAST}'::TIMESTAMP, '{UTC}'::TIMESTAMP)"),
    "two texts, ::TIMESTAMPTZ": one(f"SELECT date_diff('hour', '{EAST}'::TIMESTAMPTZ, '{UTC}'::TIMESTAMPTZ)"),
    "Asia/Jakarta, ::TIMESTAMP": one("SELECT date_diff('hour', '2026-11-29 10:00:00 Asia/Jakarta'::TIMESTAMP, TIMESTAMP '2026-11-29 10:00:00')"),
    "a file, declared TIMESTAMP": one(f"SELECT {hours} FROM read_json('posts.jsonl', columns = {{seen_at: 'TIMESTAMP'}})"),
    "a file, nothing declared": one(f"SELECT {hours} FROM read_json('posts.jsonl')"),
}
for name, apart in seen.items():
    print(f"{name:28} seen {apart} hours apart   guessed 7, or an error")
assert list(seen.values()) == [0, 7, 0, 0, 7], "behaviour has changed"
PY
)
