#!/usr/bin/env bash
# ultimate-sitemap-parser reads <lastmod>2026-11</lastmod> and <lastmod>2026</lastmod>, both valid in the protocol, as TODAY's day of that month.
# Versions: ultimate-sitemap-parser 1.8.1.
# A good engineer guesses: a month is its first day, or no day; the same file read tomorrow gives the same dates.
# What happens: what datetime.fromisoformat refuses goes to dateutil, which fills in day and month from the machine's clock, so the value changes every day. Days and moments are right.
# Lost by the guess: old pages look changed today at every visit and are fetched again and again, and a story of last year counts as one of this hour.
# Source: usp/helpers.py (parse_iso8601_date), seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'ultimate-sitemap-parser==1.8.1'
"$dir/v/bin/python" -W ignore - <<'PY'
from datetime import date, timedelta
from importlib.metadata import version

from usp.tree import sitemap_from_str

print("ultimate-sitemap-parser", version("ultimate-sitemap-parser"))
STAMPS = ("2026-11-29T10:00:00+07:00", "2026-11-05", "2026-12", "2026")
urls = "".join(f"<url><loc>https://a.example/{n}</loc><lastmod>{stamp}</lastmod></url>" for n, stamp in enumerate(STAMPS))
sitemap = f"<?xml version='1.0' encoding='UTF-8'?><urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{urls}</urlset>"
today = date.today()
pages = {page.url: page.last_modified for page in sitemap_from_str(sitemap).all_pages()}
seen = [pages[f"https://a.example/{n}"] for n in range(len(STAMPS))]
for stamp, moment in zip(STAMPS, seen):
    print(f"lastmod {stamp:26} seen {moment}")
print("guessed for 2026-12 and 2026: their first day, or none; today is", today)
assert seen[0].isoformat() == STAMPS[0] and seen[1].date() == date(2026, 11, 5), "behaviour has changed"
days = (today, today + timedelta(days=1))
assert seen[2].month == 12 and seen[2].day in {day.day for day in days}, "behaviour has changed"
assert (seen[3].month, seen[3].day) in {(day.month, day.day) for day in days} | {(2, 28)}, "behaviour has changed"
PY
