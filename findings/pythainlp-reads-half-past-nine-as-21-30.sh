#!/usr/bin/env bash
# PyThaiNLP's thaiword_to_time reads เก้าโมงครึ่ง (half past nine in the morning) as 21:30 and สิบเอ็ดโมงเช้า (eleven in the morning) as 10:00; afternoon and night are right.
# Versions: pythainlp 5.4.0.
# A good engineer guesses: โมง counts the hours of the day as every Thai does: nine, ten and eleven โมง are the morning, for nobody says that of the night (ทุ่ม).
# What happens: without เช้า (morning) every โมง gets twelve hours more; and of สิบเอ็ด (eleven) only สิบ (ten) is read, so eleven is ten, or 22:00.
# Lost by the guess: the hour of a complaint ("my account was emptied at half past nine") is half a day off, outside the window it would explain.
# Source: pythainlp/util/time.py, seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'pythainlp==5.4.0'
"$dir/v/bin/python" - <<'PY'
from importlib.metadata import version

from pythainlp.util import thaiword_to_time

print("pythainlp", version("pythainlp"))
GUESS = {"สิบโมงครึ่ง": "10:30", "สิบเอ็ดโมงเช้า": "11:00", "สิบโมง": "10:00", "สิบเอ็ดโมง": "11:00", "สิบโมงเช้า": "10:00",
         "แปดโมงเช้า": "08:00", "เก้าโมงครึ่ง": "09:30", "บ่ายสามโมง": "15:00", "สองทุ่ม": "20:00", "ตีสาม": "03:00",
         "เที่ยงครึ่ง": "12:30", "สามทุ่มครึ่ง": "21:30"}
seen = {}
for text in GUESS:
    try:
        seen[text] = thaiword_to_time(text)
    except ValueError as error:
        seen[text] = f"ValueError: {error}"
    print(f"{text:16} seen {seen[text]}   guessed {GUESS[text]}")
expected = GUESS | {"สิบโมงครึ่ง": "22:30", "เก้าโมงครึ่ง": "21:30", "สิบโมง": "22:00", "สิบเอ็ดโมง": "22:00", "สิบเอ็ดโมงเช้า": "10:00"}
assert seen == expected, "behaviour has changed"
PY
