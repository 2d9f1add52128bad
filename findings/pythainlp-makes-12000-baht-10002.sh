#!/usr/bin/env bash
# PyThaiNLP reads หมื่นสอง (twelve thousand, as Thais say it) as 10,002 and พันห้า (fifteen hundred) as 1,005; and of "5พัน" (5 thousand, as Thais write it) text_to_num gives "5": the thousand is gone.
# Versions: pythainlp 5.4.0.
# A good engineer guesses: a last digit after a unit counts the next lower unit, as in every Thai conversation about money, or the short form is refused; a unit after a figure multiplies it, or stands there still.
# What happens: the words are added up by the book. text_to_num knows a number word only after a number word; what it had begun to collect at the end of a text is dropped ("โดนโกง 5 พัน" ends with 5), in the middle it stays as a word of its own.
# Lost by the guess: "how much do they say they lost" is a fifth, or a thousandth, of the truth, and never looks wrong.
# Source: pythainlp/util/wordtonum.py, seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'pythainlp==5.4.0'
"$dir/v/bin/python" - <<'PY'
from importlib.metadata import version

from pythainlp.util import text_to_num, thaiword_to_num

print("pythainlp", version("pythainlp"))
SPOKEN = {"หมื่นสอง": 12000, "พันห้า": 1500, "ห้าหมื่นห้า": 55000, "สองแสนสี่": 240000, "สองพันห้าร้อย": 2500}
WRITTEN = {"5พัน": ["5000"], "3 แสน": ["300000"], "โดนโกง 5 พัน": ["โดน", "โกง", " ", "5000"], "โดนโกงห้าพันบาท": ["โดน", "โกง", "5000", "บาท"]}
spoken = {text: thaiword_to_num(text) for text in SPOKEN}
written = {text: text_to_num(text) for text in WRITTEN}
for text, guess in (SPOKEN | WRITTEN).items():
    print(f"{text:16} seen {(spoken | written)[text]}   guessed {guess}")
assert list(spoken.values()) == [10002, 1005, 50005, 200004, 2500], "behaviour has changed"
assert written["5พัน"] == ["5"], "behaviour has changed"
assert [token for token in written["3 แสน"] if token.strip()] == ["3"], "behaviour has changed"
assert [token for token in written["โดนโกง 5 พัน"] if token.strip()] == ["โดน", "โกง", "5"], "behaviour has changed"
assert written["โดนโกงห้าพันบาท"] == WRITTEN["โดนโกงห้าพันบาท"], "behaviour has changed"
PY
