#!/usr/bin/env bash
# Told the wanted language, courlan (so trafilatura's feed and sitemap discovery) drops a site's Singapore, Malaysia, India, UK and Taiwan sections: /sg/, /my/, /in/, /uk/, /tw/ count as Sango, Burmese, old Indonesian, Ukrainian and Twi.
# Versions: courlan 1.4.0, trafilatura 2.3.1.
# A good engineer guesses: language="en" drops /de/ and /fr/ editions and keeps country sections, which name no language.
# What happens: a first path segment of two letters is read as a language wherever such a code exists; /au/, /nz/, /ph/ and /us/ happen to be none and stay. Deeper in the path nothing is dropped. feeds.extract_links with a target language loses the same articles, without a word.
# Lost by the guess: of a regional paper with country sections just the home markets vanish, and the feed looks well.
# Source: courlan/filters.py (lang_filter), seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'courlan==1.4.0' 'trafilatura==2.3.1' 'lxml_html_clean==0.4.6'
"$dir/v/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import courlan
from trafilatura import feeds

print({name: version(name) for name in ("courlan", "trafilatura")})
SECTIONS = (("sg", "en"), ("my", "en"), ("my", "ms"), ("in", "en"), ("uk", "en"), ("tw", "zh"),
            ("au", "en"), ("nz", "en"), ("ph", "en"), ("us", "en"))


def kept(path, language):
    return courlan.check_url("https://www.example.com" + path, language=language) is not None


seen = {f"/{code}/ as {language}": kept(f"/{code}/scam-ads-on-the-rise", language) for code, language in SECTIONS}
deeper = [kept(f"/news/{code}/scam-ads", language) for code, language in SECTIONS]
items = "".join(
    f"<item><title>t</title><link>https://www.example.com/{code}/scam-ads-on-the-rise</link></item>"
    for code in ("sg", "my", "au", "nz")
)
feed = f"<rss version='2.0'><channel><title>t</title><link>https://www.example.com</link>{items}</channel></rss>"


def links(language):
    asked = feeds.FeedParameters("https://www.example.com", "example.com", "https://www.example.com/f", False, language)
    return sorted(link.split("/")[3] for link in feeds.extract_links(feed, asked))


print("seen   ", seen)
print("guessed", dict.fromkeys(seen, True))
print("feed without a language", links(None), "| with language en", links("en"), "| guessed the same four")
assert [seen[k] for k in seen] == [False] * 6 + [True] * 4, "behaviour has changed"
assert all(deeper), "behaviour has changed"
assert links(None) == ["au", "my", "nz", "sg"] and links("en") == ["au", "nz"], "behaviour has changed"
PY
