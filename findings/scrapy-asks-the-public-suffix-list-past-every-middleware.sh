#!/usr/bin/env bash
# At the first Set-Cookie of a crawl Scrapy's CookiesMiddleware asks the public suffix list over the network: with requests, in the reactor's thread, past proxies, robots, DNS and address guards of the crawl itself.
# Versions: scrapy 2.19.0, tldextract 5.4.0.
# A good engineer guesses: everything a crawl sends goes through the downloader and its middlewares; cookies are kept in memory.
# What happens: the module makes TLDExtract() with its default list addresses; the first cookie looks the host up, which fetches the list (two addresses, one after the other) unless it is in a cache on disk. Here the sending is replaced by a note of what was asked; then tldextract falls back to the list it carries.
# Lost by the guess: a crawler behind an outgoing proxy waits for two time-outs with everything standing still, and tells a third party that it is there.
# Source: scrapy/downloadermiddlewares/cookies.py (_split_domain), seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'scrapy==2.19.0' 'tldextract==5.4.0'
TLDEXTRACT_CACHE="$dir/cache" "$dir/v/bin/python" -W ignore - 2>/dev/null <<'PY'
import threading
from importlib.metadata import version

import requests
from scrapy import Request, Spider
from scrapy.downloadermiddlewares.cookies import CookiesMiddleware
from scrapy.http import Response
from scrapy.utils.test import get_crawler

print({name: version(name) for name in ("scrapy", "tldextract")})
asked = []


def send(self, request, **_):
    asked.append((request.url.split("/")[2], threading.current_thread() is threading.main_thread()))
    raise requests.ConnectionError("not sent: this script only notes it")


requests.Session.send = send
crawler = get_crawler(Spider)
crawler.spider = Spider("s")
cookies = CookiesMiddleware.from_crawler(crawler)
request = Request("https://forum.example/")
print("asked before the first cookie:", asked)
assert not asked, "behaviour has changed"
cookies.process_response(request, Response(request.url, headers={"Set-Cookie": "a=b; Domain=forum.example"}))
print("seen after it (host, in the main thread):", asked, "  guessed []")
assert asked and all(main for _, main in asked), "behaviour has changed"
PY
