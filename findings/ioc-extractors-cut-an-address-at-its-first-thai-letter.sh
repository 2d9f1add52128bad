#!/usr/bin/env bash
# ioc-finder and iocextract, the extractors of threat intelligence, cut a scam address at its first Thai, Chinese or Vietnamese letter: https://example.com/โปรโมชั่น/x is reported as https://example.com/.
# Versions: ioc-finder 9.4.1, iocextract 1.16.1.
# A good engineer guesses: the address as it was posted comes out (and the Chinese full stop after it does not).
# What happens: paths are ASCII there; what was found before the first other letter is an address of its own: the site's front page, or another page. Full-width punctuation is left out rightly, for the same reason.
# Lost by the guess: the report names, and a blocklist blocks, the front page of a marketplace instead of one shop in it; thousands of scam pages of one host count as one.
# Source: seen by running them.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'ioc-finder==9.4.1' 'iocextract==1.16.1' 'requests==2.34.2'
"$dir/v/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import iocextract
from ioc_finder import find_iocs

print({name: version(name) for name in ("ioc-finder", "iocextract")})
POSTS = {
    "อย่ากด https://example.com/โปรโมชั่น/x นะ": "https://example.com/โปรโมชั่น/x",
    "别点 https://example.com/优惠/x 。": "https://example.com/优惠/x",
    "đừng bấm https://example.com/khuyến-mãi/x nhé": "https://example.com/khuyến-mãi/x",
    "别点https://example.com/x，谢谢": "https://example.com/x",
    "jangan klik https://example.com/promosi/x ya": "https://example.com/promosi/x",
}
seen = {post: [find_iocs(post)["urls"], list(iocextract.extract_urls(post))] for post in POSTS}
for post, guess in POSTS.items():
    print(f"{post}   seen {seen[post]}   guessed {guess}")
expected = ["https://example.com/", "https://example.com/", "https://example.com/khuy", "https://example.com/x",
            "https://example.com/promosi/x"]
for post, cut in zip(POSTS, expected):
    assert seen[post] == [[cut], [cut]], "behaviour has changed"
PY
