#!/usr/bin/env bash
# holidays.country_holidays("MY") has no New Year's Day and no Deepavali, "AU" no King's Birthday and no Labour Day, and "ID" none of the joint days off around Lebaran: without a state, and without a category, a country has only what all its states keep by law.
# Versions: holidays 0.109.
# A good engineer guesses: without a state one gets the holidays of the country as its people know them; a day that most states keep, the capital among them, is there.
# What happens: the list is the intersection; Kuala Lumpur, Selangor and Sydney have theirs. New Zealand, Singapore, Vietnam, Thailand and the Philippines are as guessed, so a look at those does not warn. Indonesia's joint days off are category "government".
# Lost by the guess: the quiet of 1 January in Kuala Lumpur and of a whole week at Lebaran counts as an ordinary day, and the day after it is a "burst".
# Source: holidays/countries, seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'holidays==0.109'
"$dir/v/bin/python" - <<'PY'
from datetime import date
from importlib.metadata import version

from holidays import country_holidays

print("holidays", version("holidays"))
NEW_YEAR = date(2026, 1, 1)
deepavali, kings = date(2026, 11, 8), date(2026, 6, 8)
seen = {
    "MY, 1 January": NEW_YEAR in country_holidays("MY", years=2026),
    "MY KUL, 1 January": NEW_YEAR in country_holidays("MY", subdiv="KUL", years=2026),
    "MY, Deepavali": deepavali in country_holidays("MY", years=2026),
    "MY KUL, Deepavali": deepavali in country_holidays("MY", subdiv="KUL", years=2026),
    "AU, King's Birthday": kings in country_holidays("AU", years=2026),
    "AU NSW, King's Birthday": kings in country_holidays("AU", subdiv="NSW", years=2026),
    "SG, 1 January": NEW_YEAR in country_holidays("SG", years=2026),
}
for name, there in seen.items():
    print(f"{name:26} seen {there!s:5} guessed True")
days = [len(country_holidays("ID", years=2026, categories=kind)) for kind in ("public", ("public", "government"))]
print("ID 2026: days seen", days[0], " with the joint days off", days[1], " guessed the latter")
assert list(seen.values()) == [False, True, False, True, False, True, True] and days[0] < days[1], "behaviour has changed"
PY
