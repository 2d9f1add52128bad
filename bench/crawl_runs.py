"""Whole crawls of a site on loopback for ``bench/crawl.py``: how quick, how faithful, how much memory."""

from __future__ import annotations

import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

HERE = Path(__file__).parent
OURS = Path(sys.executable).with_name("groundswell")
BENCH_SPIDER = """
import sys, scrapy
from scrapy.commands.bench import _BenchSpider
from scrapy.crawler import CrawlerProcess
class Spider(_BenchSpider):
    async def start(self):
        yield scrapy.Request(sys.argv[1], dont_filter=True)
process = CrawlerProcess({"LOG_LEVEL": "WARNING"})
crawler = process.create_crawler(Spider)
process.crawl(crawler)
process.start()
print(crawler.stats.get_value("response_received_count"))
"""
MINUTE = 60.0
WIDTHS = (7, 8, 7, 10, 9, 9, 7, 9)


class Spent(NamedTuple):
    """What a run cost: processor seconds of all its processes, seconds, bytes of its largest process."""

    cpu: float
    wall: float
    peak: int


def spent(command: Sequence[str | Path], folder: Path) -> tuple[Spent, str]:
    """Run a command; return what it cost and what it printed."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if done.returncode not in (0, 1):
        print(done.stdout[-2000:], done.stderr[-2000:])
    return Spent(cpu, time.monotonic() - begun, after.ru_maxrss * 1024), done.stdout


@contextmanager
def site(count: int) -> Iterator[dict[str, Any]]:
    """Serve a site of so many articles in a process of its own; give its truth."""
    folder = Path(tempfile.mkdtemp(prefix="groundswell-site-"))
    command = [sys.executable, HERE / "crawl_site.py", folder, "--articles", str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as server:
        try:
            while not (folder / "site.json").exists():
                time.sleep(0.1)
            yield json.loads((folder / "site.json").read_text("utf-8"))
        finally:
            server.kill()
            shutil.rmtree(folder)


def asked(url: str) -> int:
    """Return how many requests the site has had so far."""
    with urllib.request.urlopen(f"{url}/__asked") as answer:  # noqa: S310  our own site
        return sum(json.load(answer).values())


class Project:
    """A folder with settings that allow loopback, and one source; crawled by any build of the product."""

    def __init__(self, source: str, *, more: str = "") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="groundswell-bench-"))
        (self.folder / "sources").mkdir()
        polite = "delay_seconds: 0\n  allow_private_addresses: true\n"
        settings = f"data_dir: data\ncrawl:\n  sources: [sources]\n  {polite}{more}"
        (self.folder / "groundswell.yaml").write_text(settings, "utf-8")
        (self.folder / "sources" / "site.yaml").write_text(source, "utf-8")

    def crawl(self, program: Path = OURS) -> Spent:
        """Crawl the source."""
        return spent([program, "crawl", "site"], self.folder)[0]

    def documents(self, columns: str, program: Path = OURS) -> list[dict[str, Any]]:
        """Return columns of what is stored."""
        done = subprocess.run(
            [program, "sql", "--json", f"select {columns} from documents"],  # noqa: S608  our own columns
            cwd=self.folder, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]

    def close(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


SOURCE = "kind: news\nmax_items: 1000000\nbackfill_days: 36000\n"


def sitemap_of(url: str, _: int) -> str:
    """Return a source whose pages are followed."""
    return f"format: sitemap\n{SOURCE}urls: ['{url}/sitemap.xml']\n"


def feeds_of(url: str, count: int) -> str:
    """Return a source of many feeds with whole texts, twenty a page."""
    return f"format: feed\n{SOURCE}urls:\n" + "".join(f"  - {url}/rss-{k}.xml\n" for k in range(count // 20))


def throughput(count: int, rounds: int, other: Path | None) -> None:
    """Print pages a second, beside Scrapy's bench spider on the same pages and another build of the product."""
    runs: dict[str, list[tuple[float, Spent]]] = {}
    with site(count) as truth:
        url = truth["url"]
        parts: list[tuple[str, Callable[[], tuple[float, Spent]]]] = [
            ("scrapy's bench spider", lambda: _scrapy(url)),
            ("groundswell, pages followed", lambda: _ours(sitemap_of(url, count), count, count, OURS)),
            ("groundswell, feeds", lambda: _ours(feeds_of(url, count), count // 20, count, OURS)),
        ]
        if other:
            parts += [
                ("other build, pages followed", lambda: _ours(sitemap_of(url, count), count, count, other)),
                ("other build, feeds", lambda: _ours(feeds_of(url, count), count // 20, count, other)),
            ]
        for _ in range(rounds):
            for name, run in parts:
                runs.setdefault(name, []).append(run())
    print(f"{'':30}{'pages':>8}{'pages/s':>10}{'pages/CPU s':>13}{'CPU s':>8}   medians of {rounds}")
    for name, results in runs.items():
        pages = results[0][0]
        wall, cpu = (statistics.median(getattr(each, what) for _, each in results) for what in ("wall", "cpu"))
        print(f"{name:30}{pages:>8.0f}{pages / wall:>10.1f}{pages / cpu:>13.1f}{cpu:>8.1f}")


def _scrapy(url: str) -> tuple[float, Spent]:
    cost, said = spent([sys.executable, "-c", BENCH_SPIDER, f"{url}/"], HERE)
    return float(said.split()[-1]), cost


def _ours(source: str, pages: int, items: int, program: Path) -> tuple[float, Spent]:
    project = Project(source)
    cost = project.crawl(program)
    stored = len(project.documents("id", program))
    if stored != items:
        print(f"{stored} of {items} were stored")
    project.close()
    return float(pages), cost


def faithful(count: int, others: Mapping[str, Path], score: Callable[[str, str], float]) -> None:
    """Print recall, duplicates, requests and errors of dates after two visits to the site's feed and sitemap."""
    heads = ("found", "recall", "twice", "requests", "text F1", "minutes", "wrong", "no date")
    print(f"{'':14}" + "".join(f"{head:>{width}}" for head, width in zip(heads, WIDTHS, strict=True)))
    with site(count) as truth:
        both = f"{truth['url']}/rss.xml", f"{truth['url']}/sitemap.xml"
        before, project = asked(truth["url"]), Project(f"format: feed\nfollow: true\n{SOURCE}urls: [{both[0]}]\n")
        second = f"format: sitemap\n{SOURCE}urls: [{both[1]}]\n"
        (project.folder / "sources" / "map.yaml").write_text(second, "utf-8")
        for _ in range(2):
            spent([OURS, "crawl", "site", "map"], project.folder)
        found = project.documents("url, title, text, date_confidence, published_at as at")
        for each in found:
            each["at"] = each["at"] if each["date_confidence"] == "exact" else None
        _print("groundswell", found, truth, asked(truth["url"]) - before, score)
        project.close()
    for name, python in others.items():
        with site(count) as truth:
            folder = Path(tempfile.mkdtemp(prefix="groundswell-beside-"))
            (folder / "site.json").write_text(json.dumps(truth), "utf-8")
            before = asked(truth["url"])
            command = [python, HERE / "crawl_beside.py", name, folder]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if not (folder / "found.json").exists():
                print(f"{name:14}failed: {done.stderr[-500:]}")
                continue
            found = json.loads((folder / "found.json").read_text("utf-8"))
            _print(name, found, truth, asked(truth["url"]) - before, score)
            shutil.rmtree(folder)


def _print(
    name: str, found: list[dict[str, Any]], truth: dict[str, Any], requests: int, score: Callable[[str, str], float]
) -> None:
    right = {each["path"]: each for each in truth["articles"]}
    got = Counter(_path(each["url"]) for each in found)
    told = {_path(each["url"]): each for each in found if _path(each["url"]) in right}
    text = statistics.mean([score(each["text"] or "", right[path]["text"]) for path, each in told.items()] or [0])
    errors = [_error(each.get("at"), right[path]["at"]) for path, each in told.items()]
    minutes = sum(error is not None and error < MINUTE for error in errors)
    wrong = sum(error is not None and error >= MINUTE for error in errors)
    cells = (len(found), f"{len(told) / len(right):.3f}", sum(got.values()) - len(got))
    more = (f"{requests / max(1, len(told)):.2f}", f"{text:.3f}", minutes, wrong, errors.count(None))
    print(f"{name:14}" + "".join(f"{cell:>{width}}" for cell, width in zip((*cells, *more), WIDTHS, strict=True)))


def _path(url: str) -> str:
    return urlsplit(url).path.rstrip("/")


def _error(stated: str | None, right: str) -> float | None:
    """Return the seconds by which a moment is wrong, ``None`` where none is stated."""
    if not stated:
        return None
    at = datetime.fromisoformat(stated)
    true = datetime.fromisoformat(right)
    return abs(((at if at.tzinfo else at.replace(tzinfo=true.tzinfo)) - true).total_seconds())


def hostile(items: int) -> None:
    """Print the memory that a feed of hostile items takes: markup that is broken, nested, endless, half a letter."""
    feed = hostile_feed(items)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = feed if self.path == "/feed.xml" else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/feed.xml"
    project = Project(f"format: feed\n{SOURCE}urls: [{url}]\n", more=f"  max_page_bytes: {len(feed) + 1000}\n")
    peaks: Counter[str] = Counter()
    watch = threading.Thread(target=_watch, args=(project, peaks), daemon=True)
    watch.start()
    cost = project.crawl()
    stored = project.documents("id")
    peaks["both"] = max(peaks["both"], 0)
    print(
        f"{items:,} items, {len(feed) / 1e6:.1f} MB: {len(stored):,} stored; largest process {cost.peak / 1e6:.0f} MB,"
        f" all processes at once {peaks['both'] / 1e6:.0f} MB; {cost.cpu:.1f} CPU s"
    )
    project.close()
    server.shutdown()


def _watch(project: Project, peaks: Counter[str]) -> None:
    """Note the most memory that all processes of the crawl hold at once (proportional set size where Linux tells)."""
    while True:
        held = 0
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes()
                is_ours = (process / "cwd").readlink() == project.folder and b"groundswell" in words
                if is_ours:
                    lines = (process / "smaps_rollup").read_text().splitlines()
                    held += next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
            except (OSError, StopIteration):
                continue
        peaks["both"] = max(peaks["both"], held)
        time.sleep(0.05)


def hostile_feed(items: int) -> bytes:
    """Return a feed in which every kind of broken item comes again and again."""
    kinds = (
        "<description>{words} &lt;script&gt;alert({n})&lt;/script&gt; &amp;#55357; &#xD83D; tail</description>",
        "<description><![CDATA[" + "<div>" * 60 + "{words}" + "]]></description>",
        "<description>{words} & bare < sign &nosuch; &#0;</description>",
        "<content:encoded><![CDATA[<table><tr><td>{words}<iframe src='x'>]]></content:encoded>",
        "<description>" + "&lt;b&gt;" * 40 + "{words}</description><nope:thing>x</nope:thing>",
        "<description>{words}</description><pubDate>0000-00-00T00:00:00Z</pubDate>",
    )
    made = []
    for number in range(items):
        words = " ".join(f"word{(number * 31 + k * 7) % 5000}" for k in range(40))
        link = f"<link>http://127.0.0.1/{number}</link><guid isPermaLink='false'>g{number}</guid>"
        body = kinds[number % len(kinds)].replace("{words}", words).replace("{n}", str(number))
        made.append(f"<item><title>Item {number} {words[:40]}</title>{link}{body}</item>")
    return ("<rss version='2.0'><channel><title>Hostile</title>" + "".join(made) + "</channel></rss>").encode()
