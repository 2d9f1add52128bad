"""How soon `groundswell watch` tells: from published on a loopback feed to read, placed and alerted.

    python bench/watch.py STREAM [--past 5000] [--rate 10] [--minutes 5] [--waves 6]

STREAM is JSON lines (text, lang). A store is filled with a past of so many of its documents over 60 days (`turn.py`),
and themes and signals are brought up to date; then `groundswell watch` visits a feed on loopback to which so many texts
of the stream a second are published, and waves of a dozen posts, each about a scandal of its own. Printed are seconds
from publication until a document is seen placed in the store, from a wave's last post until an alert holds three of its
posts (p50, p95), processor seconds a document of the watcher and its children, and the rate two cores would give.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import turn

from groundswell.configs.schema import Settings
from groundswell.index.open import open_reader
from groundswell.index.query import Query
from groundswell.index.records import Document, Signal

POSTS = 12
SECONDS_OF_A_WAVE = 15.0
LISTED = 1500
"""Items of the feed: more than come between two visits."""
SETTINGS = """\
data_dir: data
crawl: {sources: [sources], shipped: false, delay_seconds: 0, allow_private_addresses: true}
"""
SOURCE = "format: feed\nkind: post\nmarket: SG\nlang: id\nevery_minutes: 0.1\nurls: [%s]\nfloor: {per_run: 0}\n"
NAMES = ("Velmora", "Quintab", "Zorafin", "Halvex", "Brunodi", "Tamirex", "Oskalin", "Dravano", "Pelluri", "Mokanza")
WAYS = (
    "iklan palsu {name} menipu saya, uang hilang", "{name} penipuan, deposit tidak bisa ditarik lagi",
    "hati-hati {name}, iklannya pakai video artis palsu", "sudah lapor, {name} mencuri saldo saya lewat iklan",
)  # fmt: skip


class Feed:
    """What has been published so far, served as RSS on loopback."""

    def __init__(self) -> None:
        self.items: list[tuple[str, datetime, str]] = []
        self.lock = threading.Lock()
        feed = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = feed.page() if self.path == "/feed.xml" else b""
                self.send_response(200 if body else 404)
                self.send_header("Content-Type", "application/rss+xml; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/feed.xml"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def publish(self, text: str) -> str:
        """Publish a text now; return the address of its item."""
        with self.lock:
            link = self.url.replace("feed.xml", f"post/{len(self.items)}")
            self.items.append((link, datetime.now(UTC), text))
        return link

    def page(self) -> bytes:
        """Return the feed as it stands."""
        with self.lock:
            latest = self.items[-LISTED:][::-1]
        parts = [
            f"<item><link>{link}</link><guid>{link}</guid><pubDate>{format_datetime(at)}</pubDate>"
            f"<author>who{hash(link) % 9973}@example.org</author><description>{escape(text)}</description></item>"
            for link, at, text in latest
        ]
        return f'<rss version="2.0"><channel><title>x</title>{"".join(parts)}</channel></rss>'.encode()


def texts_of(stream: Path) -> Iterator[str]:
    """Yield the texts of a stream again and again, told apart by a number."""
    rows = [json.loads(line)["text"] for line in stream.read_text("utf-8").splitlines()]
    for k in range(10**9):
        yield f"{rows[(k * 7919) % len(rows)]} {k}"


def flow(feed: Feed, texts: Iterator[str], rate: float, seconds: float, waves: int) -> list[list[str]]:
    """Publish so many texts a second, and waves in between; return the addresses of each wave's posts."""
    rng, begun, done = np.random.default_rng(5), time.monotonic(), 0
    posts: list[tuple[float, int, str]] = []
    for wave in range(waves):
        first = seconds * (wave + 0.5) / (waves + 0.5)
        for k in range(POSTS):
            text = WAYS[k % len(WAYS)].format(name=NAMES[wave % len(NAMES)]) + f" {rng.integers(10**6)}"
            posts.append((first + SECONDS_OF_A_WAVE * k / POSTS, wave, text))
    posts.sort()
    links: list[list[str]] = [[] for _ in range(waves)]
    while (now := time.monotonic() - begun) < seconds:
        while posts and posts[0][0] <= now:
            _, wave, text = posts.pop(0)
            links[wave].append(feed.publish(text))
        while done < now * rate:
            feed.publish(next(texts))
            done += 1
        time.sleep(0.05)
    return links


class Seen:
    """Looks into the store like the board does, and notes when a document was placed and which alerts there are."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.placed, self.alerts = settings, dict[str, float](), dict[str, tuple[float, Signal]]()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._keep, daemon=True)
        self.begun = datetime.now(UTC)

    def _keep(self) -> None:
        with open_reader(self.settings) as reader:
            while not self.stop.wait(2.0):
                now = time.time()
                for document in reader.scan(Query(since=self.begun)):
                    if document.membership and document.id not in self.placed:
                        self.placed[document.id] = now
                for one in reader.recent(Signal, limit=50):
                    if one.fired and one.id not in self.alerts:
                        self.alerts[one.id] = now, one


def late(seconds: Sequence[float]) -> dict[str, Any]:
    """Return how many, and the median and ninety-fifth percentile."""
    if not seconds:
        return {"n": 0}
    return {"n": len(seconds), **{f"p{q}": round(float(np.percentile(seconds, q)), 1) for q in (50, 95)}}


def watched(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run a watcher on a folder while texts flow; return what was measured."""
    feed = Feed()
    (folder / "sources").mkdir()
    # as the past is called: what a source tells in its first week counts as its history, and alerts nobody
    (folder / "sources" / "replay.yaml").write_text(SOURCE % feed.url, "utf-8")
    (folder / "groundswell.yaml").write_text(SETTINGS, "utf-8")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    line = [sys.executable, "-c", "from groundswell.ui.cli import main; main()", "watch", "--skip", "export"]
    log = (folder / "log").open("w")
    watcher = subprocess.Popen([*line, "--skip", "digest"], cwd=folder, stderr=log, stdout=log)
    texts = texts_of(given.stream)
    feed.publish(next(texts))
    seen = Seen(Settings(data_dir=folder / "data"))
    seen.thread.start()
    waves = flow(feed, texts, given.rate, given.minutes * 60, given.waves)
    time.sleep(given.grace)
    seen.stop.set()
    seen.thread.join()
    watcher.send_signal(signal.SIGTERM)
    watcher.wait(120)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"published": len(feed.items), "cpu_s": round(cpu, 1), **measured(feed, seen, waves, cpu)}


def measured(feed: Feed, seen: Seen, waves: Sequence[Sequence[str]], cpu: float) -> dict[str, Any]:
    """Return delays from publication to placement and from a wave's last post to its alert."""
    at = {link: moment.timestamp() for link, moment, _ in feed.items}
    with open_reader(seen.settings) as reader:
        urls = {d.id: d.mention.url for d in reader.many(Document, sorted(seen.placed))}
    placed = [when - at[urls[one]] for one, when in seen.placed.items() if urls.get(one) in at]
    told = []
    for wave in waves:
        own = {one for one, url in urls.items() if url in set(wave)}
        times = [when for when, alert in seen.alerts.values() if len(own.intersection(alert.evidence)) >= 3]
        told += [min(times) - at[wave[-1]]] if times else []
    each = cpu / max(1, len(placed))
    return {
        "placed": late(placed), "waves": len(waves), "told": late(told), "cpu_ms_a_document": round(1000 * each, 1),
        "two_cores_would_do": round(2 / each, 1) if cpu else None,
    }  # fmt: skip


def main() -> None:
    """Read the arguments and do it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stream", type=Path)
    parser.add_argument("--past", type=int, default=5000)
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--waves", type=int, default=6)
    parser.add_argument("--grace", type=float, default=90.0)
    given = parser.parse_args()
    os.environ.setdefault("GROUNDSWELL_AUTHOR_SALT", "a bench")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data").mkdir()
        for part in ("--past", "--new"):  # up to now: a source that comes back after silence alerts nobody either
            turn.run(sys.executable, ["--fill", str(folder / "data"), part, str(given.stream), str(given.past)])
        for stage in ("themes", "signals"):
            turn.run(sys.executable, ["--stage", stage, "--fill", str(folder / "data"), str(given.stream), "1"])
        print(json.dumps(watched(given, folder)), flush=True)
        print((folder / "log").read_text()[-1500:], file=sys.stderr)


if __name__ == "__main__":
    main()
