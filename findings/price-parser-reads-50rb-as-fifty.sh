#!/usr/bin/env bash
# price-parser reads Rp 50rb (fifty thousand), RM1.2 juta (1.2 million), 5 triệu (five million), 1.5万元 and SGD 5k as 50, 1.2, 5, 1.5 and 5: the amount is there, the currency is there, the thousand is not.
# Versions: price-parser 0.5.1.
# A good engineer guesses: the unit multiplies, or an amount that is not understood to its end is None: 1.500.000đ, Rp1.500.000,00 and 1.234 are read with care.
# What happens: the first number wins, what follows it is only searched for a currency.
# Lost by the guess: sums that people say they lost, as they write them in Indonesia, Malaysia, Vietnam and China, are a thousandth or a millionth; sorted by loss the gravest come last.
# Source: price_parser/parser.py, seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'price-parser==0.5.1'
"$dir/v/bin/python" - <<'PY'
from importlib.metadata import version

from price_parser import Price

print("price-parser", version("price-parser"))
GUESS = {"Rp 50rb": 50_000, "Rp 5 juta": 5_000_000, "RM1.2 juta": 1_200_000, "5 triệu": 5_000_000, "1.5万元": 15_000,
         "SGD 5k": 5_000, "1.500.000đ": 1_500_000, "Rp1.500.000,00": 1_500_000, "₱5,000.50": 5000.5}
seen = {text: float(Price.fromstring(text).amount) for text in GUESS}
for text, guess in GUESS.items():
    print(f"{text:16} seen {seen[text]:,.2f} {Price.fromstring(text).currency}   guessed {guess:,.2f}, or None")
assert list(seen.values()) == [50, 5, 1.2, 5, 1.5, 5, 1_500_000, 1_500_000, 5000.5], "behaviour has changed"
PY
