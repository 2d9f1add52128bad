#!/usr/bin/env bash
# pySBD's Chinese rules cut 客服说：“退款！”然后挂了电话。 after the ！ inside the quotation, so that the next sentence begins with the closing quote; its English rules keep it whole.
# Versions: pysbd 0.3.4.
# A good engineer guesses: for Chinese text language="zh" is the better choice, and a library that is known for its care with quotations is careful with “ ”, the quotation marks of mainland Chinese.
# What happens: only the English rules shelter what stands between “ and ”. Both make one sentence 太差了！ and another ！！ of 太差了！！！; and Indonesian, Malay, Vietnamese, Thai and Filipino, which raise, have nothing but English, to which Rp., Jln., Gng. and TP. end sentences ("Uang Rp. | 5.000.000 hilang").
# Lost by the guess: what the help desk said is separated from who said it, and sums of money from their sentence; scores by sentence go to halves.
# Source: pysbd/lang/chinese.py and common/, seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'pysbd==0.3.4'
"$dir/v/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import pysbd

print("pysbd", version("pysbd"))
QUOTED = "客服说：“退款！”然后挂了电话。太差了！！！"


def cut(language, text):
    try:
        return [sentence.strip() for sentence in pysbd.Segmenter(language=language, clean=False).segment(text)]
    except ValueError:
        return ["not supported"]


seen = {language: cut(language, QUOTED) for language in ("zh", "en")}
guess = ["客服说：“退款！”然后挂了电话。", "太差了！！！"]
for language, sentences in seen.items():
    print(f"{language} seen {sentences}   guessed {guess}")
TEXTS = {"id": "Uang Rp. 5.000.000 hilang.", "ms": "Duit hilang di Jln. Ampang.", "vi": "Bà H. ở TP. HCM mất tiền.", "tl": "Nawala ang pera ni Gng. Santos."}
regional = {code: (cut(code, text), cut("en", text)) for code, text in TEXTS.items()}
for code, (own, english) in regional.items():
    print(f"{code} seen {own}, as English {english}   guessed one sentence")
assert seen["zh"][:2] == ["客服说：“退款！", "”然后挂了电话。"] and seen["en"][0] == guess[0], "behaviour has changed"
assert seen["zh"][2:] == seen["en"][1:] == ["太差了！", "！！"], "behaviour has changed"
assert all(own == ["not supported"] and len(english) == 2 for own, english in regional.values()), "behaviour has changed"
PY
