#!/usr/bin/env bash
# rfeed and PyRSS2Gen write the wall clock of an aware datetime and put GMT behind it: 10:00 in Jakarta goes out as "10:00:00 GMT", seven hours late.
# Versions: rfeed 1.1.1, PyRSS2Gen 1.1, feedgenerator 2.2.1.
# A good engineer guesses: a datetime that knows its zone is converted, or written with its offset.
# What happens: the parts of the datetime are printed into a text that ends in GMT; tzinfo is not looked at. feedgenerator writes +0700.
# Lost by the guess: an alert feed made for the newsroom shows alerts of the future, which readers sort to the top or hide until then.
# Source: rfeed.py (_format_date), PyRSS2Gen.py (_format_date), seen by running them.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'rfeed==1.1.1' 'PyRSS2Gen==1.1' 'feedgenerator==2.2.1' 'setuptools<81'
"$dir/v/bin/python" -W ignore - <<'PY'
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from zoneinfo import ZoneInfo

import feedgenerator
import PyRSS2Gen
import rfeed

print({name: version(name) for name in ("rfeed", "PyRSS2Gen", "feedgenerator")})
at = datetime(2026, 11, 29, 10, tzinfo=ZoneInfo("Asia/Jakarta"))
good = feedgenerator.Rss201rev2Feed(title="t", link="https://a.example/", description="d")
good.add_item(title="t", link="https://a.example/1", description="x", pubdate=at)
feeds = {
    "rfeed": rfeed.Feed(title="t", link="https://a.example/", description="d", items=[rfeed.Item(title="t", pubDate=at)]).rss(),
    "PyRSS2Gen": PyRSS2Gen.RSS2("t", "https://a.example/", "d", items=[PyRSS2Gen.RSSItem(title="t", pubDate=at)]).to_xml("utf-8"),
    "feedgenerator": good.writeString("utf-8"),
}
seen = {name: re.search("<pubDate>(.*?)</pubDate>", feed)[1] for name, feed in feeds.items()}
late = {name: (parsedate_to_datetime(date) - at.astimezone(UTC)).total_seconds() / 3600 for name, date in seen.items()}
for name in seen:
    print(f"{name:14} seen {seen[name]}, {late[name]:.0f} hours late   guessed 0")
assert late == {"rfeed": 7, "PyRSS2Gen": 7, "feedgenerator": 0}, "behaviour has changed"
PY
