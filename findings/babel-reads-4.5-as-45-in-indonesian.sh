#!/usr/bin/env bash
# Babel's parse_decimal reads "4.5" as 45 in Indonesian and Vietnamese, and "12,5" as 125 in English: a group sign is taken out wherever it stands, and nothing is said.
# Versions: babel 2.19.0.
# A good engineer guesses: "4.5" is four and a half, or no number in a country that writes 4,5; an error says so, as it does for "1 234".
# What happens: unless strict=True is given, every group sign of the locale is removed, also where no group can end. With strict=True the same texts are refused.
# Lost by the guess: star ratings and shares of an export with points (or commas) are ten times too large, in the right column, without a warning.
# Source: babel/numbers.py (parse_decimal), seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'babel==2.19.0'
"$dir/v/bin/python" - <<'PY'
from importlib.metadata import version

from babel.numbers import NumberFormatError, parse_decimal

print("babel", version("babel"))
TEXTS = (("4.5", "id"), ("1.5", "vi"), ("12,5", "en_SG"), ("4,5", "id"), ("1.234", "id"), ("1 234", "id"))


def read(text, locale, strict):
    try:
        return str(parse_decimal(text, locale=locale, strict=strict))
    except NumberFormatError:
        return "refused"


seen = [read(text, locale, strict=False) for text, locale in TEXTS]
strictly = [read(text, locale, strict=True) for text, locale in TEXTS]
guess = ["refused", "refused", "refused", "4.5", "1234", "refused"]
print("texts   ", TEXTS)
print("seen    ", seen)
print("guessed ", guess)
print("strictly", strictly)
assert seen == ["45", "15", "125", "4.5", "1234", "refused"], "behaviour has changed"
assert strictly == guess, "behaviour has changed"
PY
