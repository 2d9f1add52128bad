#!/usr/bin/env bash
# Babel's parse_time reads the afternoon times that Babel itself writes for Malay ("3:20 PTG") as 03:20; Vietnamese 3:20 CH, Chinese 下午3:20 and even "3:20 PM" in a Chinese text too.
# Versions: babel 2.19.0.
# A good engineer guesses: format_time and parse_time of one locale are each other's inverse, or what is not understood raises ParseError.
# What happens: only the two letters pm are looked for, and only where the locale's own short format has a day period; any other day period is left over without a word.
# Lost by the guess: evening posts of Malay, Vietnamese and Chinese pages count in the night; an hourly curve has its peak at three in the morning.
# Source: babel/dates.py (parse_time), seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'babel==2.19.0'
"$dir/v/bin/python" - <<'PY'
from datetime import time
from importlib.metadata import version

from babel.dates import format_time, parse_time

print("babel", version("babel"))
own = format_time(time(15, 20), "short", locale="ms")
TEXTS = (("ms", own), ("vi", "3:20 CH"), ("zh", "下午3:20"), ("zh", "3:20 PM"), ("en", "3:20 pm"), ("fil", "3:20 PM"))
seen = [parse_time(text, locale=locale).strftime("%H:%M") for locale, text in TEXTS]
guess = ["15:20", "15:20", "15:20", "15:20", "15:20", "15:20"]
print("Babel writes 15:20 in Malay as", own)
print("texts  ", TEXTS)
print("seen   ", seen)
print("guessed", guess)
assert own.split() == ["3:20", "PTG"], "behaviour has changed"
assert seen == ["03:20", "03:20", "03:20", "03:20", "15:20", "15:20"], "behaviour has changed"
PY
