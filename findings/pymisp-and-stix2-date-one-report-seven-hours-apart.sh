#!/usr/bin/env bash
# A time without a zone is UTC to stix2 and the time of whatever machine runs it to PyMISP: one scam address, exported both ways in Jakarta, is seven hours apart; on a server in UTC it is not.
# Versions: pymisp 2.5.34.4, stix2 3.0.2.
# A good engineer guesses: both formats keep UTC, so both libraries take a naive datetime for UTC, or refuse it.
# What happens: PyMISP calls astimezone(), which asks the machine's clock; first_seen="2026-11-29T10:00:00" and even the plain day "2026-11-29" get its offset; stix2 writes a Z behind what it is given. stix2 takes datetimes only where PyMISP also guesses at texts (05/06/2026 is 6 May).
# Lost by the guess: the desk's laptop and the server share different first sightings of the same indicator; a day of a report becomes the evening before, in UTC.
# Source: pymisp/mispevent.py, stix2/utils.py, seen by running them.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'pymisp==2.5.34.4' 'stix2==3.0.2'
TZ=Asia/Jakarta "$dir/v/bin/python" -W ignore - 2>/dev/null <<'PY'
import json
from datetime import UTC, datetime
from importlib.metadata import version

import pymisp
import stix2

print({name: version(name) for name in ("pymisp", "stix2")}, "with TZ=Asia/Jakarta")


def misp(stamp):
    attribute = pymisp.MISPAttribute()
    attribute.from_dict(type="url", value="https://a.example/x", first_seen=stamp)
    return datetime.fromisoformat(json.loads(attribute.to_json())["first_seen"]).astimezone(UTC).isoformat()


def stix(stamp):
    made = stix2.Indicator(pattern="[url:value = 'https://a.example/x']", pattern_type="stix", valid_from=stamp)
    return datetime.fromisoformat(json.loads(made.serialize())["valid_from"]).astimezone(UTC).isoformat()


naive = datetime(2026, 11, 29, 10)
seen = {
    "stix2, datetime": stix(naive), "PyMISP, datetime": misp(naive),
    "PyMISP, text": misp("2026-11-29T10:00:00"), "PyMISP, day": misp("2026-11-29"), "PyMISP, 05/06/2026": misp("05/06/2026"),
}
guess = ["2026-11-29T10:00:00+00:00"] * 3 + ["2026-11-29T00:00:00+00:00", "2026-06-05T00:00:00+00:00"]
for (name, got), guessed in zip(seen.items(), guess):
    print(f"{name:20} seen {got}   guessed {guessed}")
assert list(seen.values()) == [
    "2026-11-29T10:00:00+00:00", "2026-11-29T03:00:00+00:00", "2026-11-29T03:00:00+00:00", "2026-11-28T17:00:00+00:00",
    "2026-05-05T17:00:00+00:00",
], "behaviour has changed"
PY
