#!/usr/bin/env bash
# scrubadub, asked to remove e-mail addresses, removes the middle of one between Chinese or Thai letters: 请联系a.b@example.com谢谢 becomes 请联系a.{{EMAIL}}.com谢谢.
# Versions: scrubadub 2.0.1.
# A good engineer guesses: the address is found whole, or not at all.
# What happens: see the output: what is left says who it was (before the dot) and where (the end of the domain), and the text carries the mark of having been cleaned. Between blanks it is whole. Card numbers and @names are missed there altogether.
# Lost by the guess: "cleaned" Chinese and Thai posts still carry parts of people's addresses, and a check that looks for the placeholder is content.
# Source: seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'scrubadub==2.0.1'
"$dir/v/bin/python" -W ignore - 2>/dev/null <<'PY'
from importlib.metadata import version

import scrubadub

print("scrubadub", version("scrubadub"))
scrubber = scrubadub.Scrubber(locale="en_GB")
TEXTS = ("please write to a.b@example.com thanks", "请联系a.b@example.com谢谢", "ติดต่อa.b@example.comครับ",
         "card 4111111111111111 was charged", "卡号4111111111111111被盗刷")
seen = [scrubber.clean(text) for text in TEXTS]
guess = ["please write to {{EMAIL}} thanks", "请联系{{EMAIL}}谢谢", "ติดต่อ{{EMAIL}}ครับ", "card {{CREDIT_CARD}} was charged",
         "卡号{{CREDIT_CARD}}被盗刷"]
for got, guessed in zip(seen, guess):
    print(f"seen {got}   guessed {guessed}")
assert seen[0] == guess[0] and seen[3] == guess[3], "behaviour has changed"
assert seen[1] == "请联系a.{{EMAIL}}.com谢谢" and seen[2] == "ติดต่อa.{{EMAIL}}.comครับ", "behaviour has changed"
assert seen[4] == TEXTS[4], "behaviour has changed"
PY
