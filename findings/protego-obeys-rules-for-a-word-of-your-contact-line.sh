#!/usr/bin/env bash
# Given a whole User-Agent (as Scrapy gives it by default), Protego applies robots.txt groups named after any word of its comment: "User-agent: bot" or "news" closes a site to "Groundswell/1.0 (+https://a.example; news bot)"; and "User-agent: g" to Groundswell.
# Versions: protego 0.7.0, Python's own urllib.robotparser.
# A good engineer guesses: the product token (Groundswell) is compared, letter case aside, with the group's name; what stands in brackets is for people (RFC 9309, 2.2.1).
# What happens: Protego looks for the group's name as a beginning of words anywhere in the text; urllib.robotparser takes what stands before the slash and looks for the name anywhere in it ("swell"). The two agree on neither. A group of one's own full name wins in both.
# Lost by the guess: whoever adds a polite contact line is locked out of sites that meant somebody else, and reads "forbidden by robots.txt".
# Source: protego (user-agent matching), urllib/robotparser.py (applies_to), seen by running them.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'protego==0.7.0'
"$dir/v/bin/python" - <<'PY'
import sys
from importlib.metadata import version
from urllib.robotparser import RobotFileParser

from protego import Protego

print("python", sys.version.split()[0], "protego", version("protego"))
PAGE, SHORT, LONG = "https://a.example/x", "Groundswell", "Groundswell/1.0 (+https://a.example; news bot)"


def allowed(name, agent):
    rules = f"User-agent: {name}\nDisallow: /\n\nUser-agent: *\nDisallow:\n"
    own = RobotFileParser()
    own.parse(rules.splitlines())
    return Protego.parse(rules).can_fetch(PAGE, agent), own.can_fetch(agent, PAGE)


NAMES = ("bot", "news", "g", "ground", "swell", "groundswell")
seen = {name: (allowed(name, SHORT), allowed(name, LONG)) for name in NAMES}
print("may it read the page? (protego, urllib.robotparser)")
for name in NAMES:
    print(f"group {name:12} {SHORT}: {seen[name][0]}  with its comment: {seen[name][1]}   guessed {name != 'groundswell'} each time")
expected = {
    "bot": ((True, True), (False, True)), "news": ((True, True), (False, True)), "g": ((False, False), (False, False)),
    "ground": ((False, False), (False, False)), "swell": ((True, False), (True, False)),
    "groundswell": ((False, False), (False, False)),
}
assert seen == expected, "behaviour has changed"
PY
