#!/usr/bin/env bash
# Scrapy 2.19 with CONCURRENT_REQUESTS_PER_DOMAIN=1 and DOWNLOAD_DELAY=0 sends all waiting requests of a host at once; with a delay of 0.01 seconds, or in 2.13, it sends one at a time.
# Versions: scrapy 2.19.0 (and 2.13.3 for comparison).
# A good engineer guesses: the setting named after it holds: one request at a time, whatever the delay.
# What happens: the queue is emptied in a loop that asks how many are being transferred; since the downloader speaks asyncio a request counts as such only when its coroutine begins, after the loop. A delay leaves the loop after each.
# Lost by the guess: "one at a time" is what small sites and rate limits are promised; they are hit by sixteen.
# Source: scrapy/core/downloader/__init__.py (_process_queue), seen by running it against a server on loopback.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
python3 -m venv "$dir/old"
"$dir/v/bin/pip" install -q 'scrapy==2.19.0'
"$dir/old/bin/pip" install -q 'scrapy==2.13.3' 'twisted==25.5.0'
cat > "$dir/crawl.py" <<'PY'
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import scrapy
from scrapy.crawler import CrawlerProcess

lock, now, most = threading.Lock(), 0, 0


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        global now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.2)
        with lock:
            now -= 1
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


server = Server(("127.0.0.1", 0), Page)
threading.Thread(target=server.serve_forever, daemon=True).start()
FIRST = f"http://127.0.0.1:{server.server_port}/"


class Pages(scrapy.Spider):
    name = "pages"
    start_urls = [FIRST]

    def parse(self, response):
        for number in range(8):
            yield scrapy.Request(f"{FIRST}{number}", callback=lambda _: None)


process = CrawlerProcess({
    "CONCURRENT_REQUESTS_PER_DOMAIN": 1, "DOWNLOAD_DELAY": float(sys.argv[1]), "LOG_ENABLED": False, "TELNETCONSOLE_ENABLED": False,
    "ROBOTSTXT_OBEY": False,
})
process.crawl(Pages)
process.start()
print(most)
PY
now=$("$dir/v/bin/python" -W ignore "$dir/crawl.py" 0 2>/dev/null)
delayed=$("$dir/v/bin/python" -W ignore "$dir/crawl.py" 0.01 2>/dev/null)
old=$("$dir/old/bin/python" -W ignore "$dir/crawl.py" 0 2>/dev/null)
echo "most requests at once: scrapy 2.19.0 seen $now, with DOWNLOAD_DELAY=0.01 seen $delayed, scrapy 2.13.3 seen $old; guessed 1 each time"
if [ "$now" -lt 4 ] || [ "$delayed" != 1 ] || [ "$old" != 1 ]; then echo "behaviour has changed"; exit 1; fi
