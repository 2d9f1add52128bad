#!/usr/bin/env bash
# arrow writes a Thai date in the Buddhist era (29 พฤศจิกายน 2569) and reads the same text, with the same locale and format, as the year 2569 of ours: 543 years later.
# Versions: arrow 1.4.0, dateparser 1.5.0.
# A good engineer guesses: what format(..., locale="th") writes, get(..., locale="th") reads; a locale that adds 543 also takes it off.
# What happens: ThaiLocale overrides the writing of years only. The two-digit year of Thai sites, 69, is 1969; dateparser does both too ("29 พ.ย. 2569" is the year 2569, "29 พ.ย. 69" is 1969).
# Lost by the guess: every dated Thai post lies in the future or before the web and is sorted out, or leads every "newest first" list.
# Source: arrow/locales.py (ThaiLocale), seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'arrow==1.4.0' 'dateparser==1.5.0'
"$dir/v/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import arrow
import dateparser

print({name: version(name) for name in ("arrow", "dateparser")})
FORM = "D MMMM YYYY"
written = arrow.get(2026, 11, 29).format(FORM, locale="th")
seen = {
    "arrow, its own text": arrow.get(written, FORM, locale="th").year,
    "arrow, 29 พ.ย. 69": arrow.get("29 พ.ย. 69", "D MMM YY", locale="th").year,
    "dateparser, 29 พ.ย. 2569": dateparser.parse("29 พ.ย. 2569").year,
    "dateparser, 29 พ.ย. 69": dateparser.parse("29 พ.ย. 69").year,
}
print("arrow writes 29 November 2026 as", written)
for name, year in seen.items():
    print(f"{name:26} seen {year}   guessed 2026")
assert written == "29 พฤศจิกายน 2569" and list(seen.values()) == [2569, 1969, 2569, 1969], "behaviour has changed"
PY
