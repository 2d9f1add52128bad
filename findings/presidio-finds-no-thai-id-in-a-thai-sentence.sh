#!/usr/bin/env bash
# Presidio's recogniser of Thai identity numbers finds none where Thai is written as Thais write it, without a blank before the number, nor in the form printed on the card (1-2345-67890-12-1) or in Thai digits; e-mail, card and IP recognisers miss theirs between Chinese letters too.
# Versions: presidio-analyzer 2.2.366.
# A good engineer guesses: a recogniser named after a country is tried on its language; "between words" means between words of that script as well.
# What happens: every pattern begins and ends with \b, and to \b a Thai or Chinese letter and a digit are one word. The phone recogniser (phonenumbers) is right in the same places.
# Lost by the guess: a monitor that blanks personal details before it stores or mails posts keeps them for two of its languages, and the English test texts all pass.
# Source: presidio_analyzer/predefined_recognizers, seen by running it. The numbers are invented and only pass the check digit.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'presidio-analyzer==2.2.366'
"$dir/v/bin/python" -W ignore - <<'PY'
import logging
from importlib.metadata import version

from presidio_analyzer.predefined_recognizers import (
    CreditCardRecognizer, EmailRecognizer, IpRecognizer, PhoneRecognizer, ThTninRecognizer,
)

logging.disable(logging.CRITICAL)
print("presidio-analyzer", version("presidio-analyzer"))
POSTS = (
    (ThTninRecognizer, "เลขบัตร 1234567890121 ของผม", True),
    (ThTninRecognizer, "เลขบัตร1234567890121ของผม", False),
    (ThTninRecognizer, "เลขบัตร 1-2345-67890-12-1", False),
    (ThTninRecognizer, "เลขบัตร ๑๒๓๔๕๖๗๘๙๐๑๒๑", False),
    (EmailRecognizer, "mail a.b@example.com please", True),
    (EmailRecognizer, "请联系a.b@example.com谢谢", False),
    (EmailRecognizer, "ติดต่อa.b@example.comครับ", False),
    (CreditCardRecognizer, "card 4111111111111111 was charged", True),
    (CreditCardRecognizer, "卡号4111111111111111被盗刷", False),
    (IpRecognizer, "地址192.0.2.1在线", False),
    (PhoneRecognizer, "โทร0812345678ครับ", True),
)
for make, text, found in POSTS:
    recogniser = make()
    hits = [text[hit.start : hit.end] for hit in recogniser.analyze(text, recogniser.supported_entities, None) or []]
    print(f"{make.__name__:20} {text:34} seen {hits}   guessed one")
    assert bool(hits) == found, "behaviour has changed"
PY
