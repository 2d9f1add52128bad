#!/usr/bin/env bash
# "Sun, 29 Nov 2026 10:00:00 +07" (the zone as PostgreSQL and Go write it) is seven MINUTES east of Greenwich to Python's email.utils and to fastfeedparser, which also reads WIB, MYT and ICT as UTC.
# Versions: Python's own email.utils (3.11 and later), fastfeedparser 0.6.5, feedparser 6.0.14, python-dateutil 4.0.0.
# A good engineer guesses: seven hours, or no date; of zone names either all of the region are known or an unknown one is no zone.
# What happens: the sign is followed by "hours times hundred plus minutes", so 07 is 0 hours 7 minutes; feedparser gives no date; dateutil is right. fastfeedparser knows SGT, HKT and IST, not WIB, MYT, ICT or GMT+7: those are UTC without a word.
# Lost by the guess: posts of Jakarta, Bangkok and Hanoi are dated seven hours into the future, and "exact"; 09:53 for 10:00 looks like a small lag, so nobody looks.
# Source: email/_parseaddr.py (_parsedate_tz), fastfeedparser/main.py (_custom_tzinfos), seen by running them.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'fastfeedparser==0.6.5' 'feedparser==6.0.14' 'python-dateutil==4.0.0'
"$dir/v/bin/python" -W ignore - <<'PY'
import sys
from datetime import UTC
from email.utils import parsedate_to_datetime
from importlib.metadata import version

import fastfeedparser
import feedparser
from dateutil import parser

print("python", sys.version.split()[0], {name: version(name) for name in ("fastfeedparser", "feedparser", "python-dateutil")})
WALL = "Sun, 29 Nov 2026 10:00:00 "


def feed(zone):
    item = f"<item><title>t</title><guid isPermaLink='false'>x</guid><pubDate>{WALL}{zone}</pubDate></item>"
    return f"<rss version='2.0'><channel><title>t</title><link>https://a.example/</link>{item}</channel></rss>"


def utc(moment):
    return moment.astimezone(UTC).strftime("%H:%M") if moment.tzinfo else "no zone"


def fast(zone):
    return fastfeedparser.parse(feed(zone)).entries[0]["published"][11:16]


def old(zone):
    read = feedparser.parse(feed(zone)).entries[0].get("published_parsed")
    return read and f"{read.tm_hour:02}:{read.tm_min:02}"


ZONES = ("+0700", "+07", "+7", "WIB", "ICT", "MYT", "GMT+7", "SGT")
seen = {
    "email.utils": [utc(parsedate_to_datetime(WALL + zone)) for zone in ZONES[:3]],
    "feedparser": [old(zone) for zone in ZONES[:3]],
    "dateutil": [utc(parser.parse(WALL + zone)) for zone in ZONES[:3]],
    "fastfeedparser": [fast(zone) for zone in ZONES],
}
guess = {
    "email.utils": ["03:00"] * 3, "feedparser": ["03:00"] * 3, "dateutil": ["03:00"] * 3,
    "fastfeedparser": ["03:00"] * 5 + ["02:00", "03:00", "02:00"],
}
expected = {
    "email.utils": ["03:00", "09:53", "09:53"], "feedparser": ["03:00", None, None], "dateutil": ["03:00"] * 3,
    "fastfeedparser": ["03:00", "09:53", "09:53", "10:00", "10:00", "10:00", "10:00", "02:00"],
}
print("10:00 in", ZONES, "is, in UTC:")
for name in seen:
    print(f"{name:15} seen {seen[name]}   guessed {guess[name]}")
assert seen == expected, "behaviour has changed"
PY
