#!/usr/bin/env bash
# "may scam po sa app" (there is a scam in the app) holds the month of May for dateparser's search_dates, also with languages=["tl"], and for dateutil's fuzzy parser; Vietnamese "mất 5 triệu" (lost 5 million) is May too, and "RM5000 hilang" is the year 5000.
# Versions: dateparser 1.5.0, python-dateutil 4.0.0.
# A good engineer guesses: in text said to be Filipino "may", its word for "there is" and one of its commonest, is no month (that is Mayo); a month without day or year beside it, cut out of the middle of a word, is no date.
# What happens: the English names of months belong to Filipino's data; without a language every language is tried on every piece, so mấ[t 5 t]riệu is "tháng 5" and "her" is a September. What is missing is filled up from today.
# Lost by the guess: ordinary Filipino posts get a "date of the event" in May; a story of this week is told to be half a year old.
# Source: dateparser/data (tl), dateparser/search, seen by running them.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'dateparser==1.5.0' 'python-dateutil==4.0.0'
"$dir/v/bin/python" -W ignore - <<'PY'
from datetime import datetime
from importlib.metadata import version

from dateparser.search import search_dates
from dateutil import parser

print({name: version(name) for name in ("dateparser", "python-dateutil")})
NOW = datetime(2026, 11, 30, 12)
TEXTS = ("may scam po sa app na ito", "mất 5 triệu trong năm nay", "Mei Ling lost her money", "RM5000 hilang")


def months(text, languages=None):
    found = search_dates(text, languages=languages, settings={"RELATIVE_BASE": NOW}) or []
    return [(piece, f"{date:%Y-%m}") for piece, date in found]


def fuzzy(text):
    try:
        return f"{parser.parse(text, fuzzy=True, default=NOW):%Y-%m}"
    except parser.ParserError:
        return "no date"


seen = {text: (months(text), fuzzy(text)) for text in TEXTS}
for text, (found, read) in seen.items():
    print(f"{text:28} dateparser {found}, dateutil {read}   guessed none")
filipino = months(TEXTS[0], ["tl"])
print("the first, languages=['tl']:", filipino, "  guessed none")
assert seen[TEXTS[0]] == ([("may", "2026-05")], "2026-05") and filipino == [("may", "2026-05")], "behaviour has changed"
assert seen[TEXTS[1]][0] == [("t 5 t", "2026-05")], "behaviour has changed"
assert ("her", "2026-09") in seen[TEXTS[2]][0] and seen[TEXTS[3]][1] == "5000-11", "behaviour has changed"
PY
