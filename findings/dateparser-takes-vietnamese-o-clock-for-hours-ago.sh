#!/usr/bin/env bash
# "14 giờ 30 ngày 28/11/2026" (Vietnamese: 14:30 on 28 November 2026) is 14 hours before now to dateparser; the stated day is dropped. "เวลา 10.30 น." (Thai: at 10:30) is 10.3 minutes ago.
# Versions: dateparser 1.5.0.
# A good engineer guesses: with the language given, a full date with its clock is that moment, or no date.
# What happens: giờ is both "o'clock" and "hours", น. both "o'clock" and "minutes"; both are translated to the unit, and what holds a unit is a span counted back from now, whatever else stands in the text. The same date with 14:30 or 14h30 is right or no date.
# Lost by the guess: an old article looks as if it came out today, so it stands in today's counts and can start an alert; nothing fails.
# Source: seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'dateparser==1.5.0'
"$dir/v/bin/python" -W ignore - <<'PY'
from datetime import datetime
from importlib.metadata import version

import dateparser

print("dateparser", version("dateparser"))
NOW = datetime(2026, 11, 29, 15, 0)
ROWS = [  # text, language, guessed, seen
    ("14:30 ngày 28/11/2026", "vi", "2026-11-28 14:30:00", "2026-11-28 14:30:00"),
    ("14 giờ 30 ngày 28/11/2026", "vi", "2026-11-28 14:30:00", "2026-11-29 01:00:00"),
    ("14 giờ 30 phút ngày 28/11/2026", "vi", "2026-11-28 14:30:00", "2026-11-29 00:30:00"),
    ("28/11/2026 14 giờ 30", "vi", "2026-11-28 14:30:00", "2026-11-29 01:00:00"),
    ("lúc 14 giờ 30", "vi", "2026-11-29 14:30:00", "2026-11-29 01:00:00"),
    ("3 giờ trước", "vi", "2026-11-29 12:00:00", "2026-11-29 12:00:00"),
    ("เวลา 10.30 น.", "th", "2026-11-29 10:30:00", "2026-11-29 14:49:42"),
]
changed = False
for text, lang, guessed, expected in ROWS:
    seen = str(dateparser.parse(text, languages=[lang], settings={"RELATIVE_BASE": NOW}))
    print(f"{text:32} seen {seen}   guessed {guessed}")
    changed |= seen != expected
assert not changed, "behaviour has changed"
PY
