#!/usr/bin/env bash
# elasticsearch.dsl's DateHistogramFacet with calendar_interval="month" and a time_zone: a click on November's bar filters 31 days, to the end of 1 December; every month of a zone east of Greenwich is a day too long, and the day of a clock change an hour.
# Versions: elasticsearch 9.5.1 (Python client, elasticsearch.dsl).
# A good engineer guesses: the facet's filter is the bucket that was clicked; with time_zone the server's buckets and the client's filter agree, as they do in UTC.
# What happens: the bucket begins at 31 October 17:00 UTC; its end is reckoned as that + 32 days with the day of the month set to 1: 1 December 17:00, which is 2 December in Jakarta. And the value handed to the page is a naive datetime: "31 October" as the name of November. "quarter" or a fixed_interval of "6h" raise KeyError.
# Lost by the guess: the bar says one number and the list behind it another, and the complaints of the first of a month are shown in two months.
# Source: elasticsearch/dsl/faceted_search_base.py, seen by running it (no server is needed).
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'elasticsearch==9.5.1'
"$dir/v/bin/python" -W ignore - <<'PY'
from datetime import UTC, datetime
from importlib.metadata import version
from zoneinfo import ZoneInfo

from elasticsearch.dsl import DateHistogramFacet

print("elasticsearch", version("elasticsearch"))


def clicked(interval, zone, start, end):
    """What the filter of a bucket covers, and what the bucket does, in hours; and the value the page gets."""
    begins, ends = (datetime(*day, tzinfo=ZoneInfo(zone)) for day in (start, end))
    facet = DateHistogramFacet(field="at", calendar_interval=interval, time_zone=zone)
    value = facet.get_value({"key": int(begins.timestamp() * 1000)})
    bounds = facet.get_value_filter(value).to_dict()["range"]["at"]
    right = ends.astimezone(UTC) - begins.astimezone(UTC)
    return value.isoformat(), (bounds["lt"] - bounds["gte"]).total_seconds() / 3600, right.total_seconds() / 3600


CASES = {
    "November, UTC": ("month", "UTC", (2026, 11, 1), (2026, 12, 1)),
    "November, Jakarta": ("month", "Asia/Jakarta", (2026, 11, 1), (2026, 12, 1)),
    "February, Singapore": ("month", "Asia/Singapore", (2026, 2, 1), (2026, 3, 1)),
    "4 October, Sydney": ("day", "Australia/Sydney", (2026, 10, 4), (2026, 10, 5)),
}
seen = {name: clicked(*case) for name, case in CASES.items()}
for name, (value, hours, right) in seen.items():
    print(f"{name:20} value {value}  filter: seen {hours:.0f} hours, guessed {right:.0f}")
over = [hours - right for _, hours, right in seen.values()]
assert over == [0, 24, 24, 1] and seen["November, Jakarta"][0] == "2026-10-31T17:00:00", "behaviour has changed"
PY
