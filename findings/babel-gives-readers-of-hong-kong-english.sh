#!/usr/bin/env bash
# A reader who asks for zh-HK, zh-TW, zh-SG or zh-CN, of a product that has zh_Hant and zh_Hans, gets English from Babel's negotiate_locale and from Werkzeug's best_match; Babel itself knows that zh_HK is traditional.
# Versions: babel 2.19.0, werkzeug 3.1.9, langcodes 3.5.1.
# A good engineer guesses: the function made for "which of my languages is this reader's" finds the script that CLDR gives the territory.
# What happens: tags are compared as text. zh_HK is neither zh_Hant nor its beginning, so the next wish (or the default) is taken; a bare zh finds neither of both. Locale.parse("zh_HK") does know the script. langcodes.closest_match is right.
# Lost by the guess: every reader whose browser says zh-HK, zh-TW or zh-SG, which all do, reads the English digest and board of a product that was translated for them.
# Source: babel/core.py (negotiate_locale), werkzeug/datastructures/accept.py, seen by running them.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'babel==2.19.0' 'werkzeug==3.1.9' 'langcodes==3.5.1'
"$dir/v/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import langcodes
from babel import Locale, negotiate_locale
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

print({name: version(name) for name in ("babel", "werkzeug", "langcodes")})
OURS = ["en", "zh_Hant", "zh_Hans"]
GUESS = {"zh-HK": "zh_Hant", "zh-TW": "zh_Hant", "zh-MO": "zh_Hant", "zh-SG": "zh_Hans", "zh-CN": "zh_Hans"}
for asked, guessed in GUESS.items():
    known = Locale.parse(asked, sep="-").english_name
    babel = negotiate_locale([asked, "en"], OURS)
    dashed = [each.replace("_", "-") for each in OURS]
    werkzeug = parse_accept_header(f"{asked},en;q=0.8", LanguageAccept).best_match(dashed)
    right = langcodes.closest_match(asked, dashed)[0].replace("-", "_")
    print(f"{asked}: babel {babel}, werkzeug {werkzeug}, langcodes {right}, guessed {guessed}; Babel's own name: {known}")
    assert (babel, werkzeug, right) == ("en", "en", guessed), "behaviour has changed"
    assert ("Traditional" in known) == (guessed == "zh_Hant"), "behaviour has changed"
PY
