#!/usr/bin/env bash
# An item without a readable date is dated by fastfeedparser from its guid: guid 12 is "the 12th of this month", guid 2511 the year 2511, guid 20261107 the 7th of November.
# Versions: fastfeedparser 0.6.5.
# A good engineer guesses: no pubDate, or one that cannot be read ("29 Ogos 2026", "2026年11月29日"), gives no date.
# What happens: where published is empty and the guid is no address, the guid goes through the same date parser (dateutil, which fills up from today); forums and comment feeds number their posts.
# Lost by the guess: a post of a Malay or Chinese feed gets a believable wrong date, another one at every fetch; alerts on "the last hours" fire or stay silent by the post's number.
# Source: fastfeedparser/main.py (guid_date), seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'fastfeedparser==0.6.5'
"$dir/v/bin/python" - <<'PY'
from datetime import UTC, datetime
from importlib.metadata import version

import fastfeedparser

print("fastfeedparser", version("fastfeedparser"))


def published(guid, date=""):
    stated = f"<pubDate>{date}</pubDate>" if date else ""
    item = f"<item><title>t</title><guid isPermaLink='false'>{guid}</guid>{stated}<description>x</description></item>"
    feed = f"<rss version='2.0'><channel><title>t</title><link>https://a.example/</link>{item}</channel></rss>"
    return fastfeedparser.parse(feed).entries[0].get("published")


before = datetime.now(UTC)
seen = {
    "guid 20261107, no date": published("20261107"),
    "guid 12, no date": published("12"),
    "guid 12, 29 Ogos 2026": published("12", "29 Ogos 2026"),
    "guid 2511, 2026年11月29日": published("2511", "2026年11月29日"),
    "guid post-12, 29 Ogos 2026": published("post-12", "29 Ogos 2026"),
    "guid 12, RFC 822": published("12", "Sun, 29 Nov 2026 10:00:00 +0700"),
}
guess = dict.fromkeys(seen) | {"guid 12, RFC 822": "2026-11-29T03:00:00+00:00"}
for name in seen:
    print(f"{name:28} seen {seen[name]}   guessed {guess[name]}")
assert seen["guid 20261107, no date"] == "2026-11-07T00:00:00+00:00", "behaviour has changed"
assert seen["guid 2511, 2026年11月29日"].startswith("2511-"), "behaviour has changed"
assert seen["guid post-12, 29 Ogos 2026"] is None, "behaviour has changed"
assert seen["guid 12, RFC 822"] == guess["guid 12, RFC 822"], "behaviour has changed"
months = {before.strftime("%Y-%m"), datetime.now(UTC).strftime("%Y-%m")}
for name in ("guid 12, no date", "guid 12, 29 Ogos 2026"):
    assert seen[name][8:10] == "12" and seen[name][:7] in months, "behaviour has changed"
PY
