"""How quick the board is in a real browser, beside another build in the same run.

    python bench/board.py --documents 300000 --keep FOLDER [--beside NAME=PYTHON] [--rounds 3] [--busy]

Each build fills a store of its own with the same made documents (90 days, 40 sources, 200 themes, 20,000 signals of
which 400 are alerts, 20,000 visits), serves it, and is asked in turn by headless Chromium: the first paint of Today in
a new window, then the clicks of a morning (inbox, themes, a theme, a search, a facet, a case, sources, and back), warm.
A paint ends when the page's own script has run to its end and its title stands there; the "lead" is there once the
sentence that says what waits can be read. With --busy the same is asked
once more while something is written into the store twice a second. Prints one JSON object, in milliseconds; a busy
machine changes the walls of both builds alike, so that ratios count. With --keep a store that is there is used again.

PYTHON is the interpreter of an environment in which the other build is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

DAYS = 90
THEMES = 200
SIGNALS = 20_000
RUNS = 20_000
WORDS = (
    "refund", "scam", "ads", "blocked", "account", "payout", "deepfake", "broker", "loan", "parcel", "fake", "shoes",
    "casino", "bonus", "video", "skip",
)  # fmt: skip
LABELS: tuple[Any, ...] = ("negative", "neutral", "positive")
GRAVE: tuple[Any, ...] = ("low", "medium", "high", "critical")
MARKETS = ("SG", "MY", "ID", "TH", "VN", "PH", "AU", "NZ")
RISKS = (
    "impersonation_deepfake",
    "scam_shopping",
    "gambling",
    "ad_experience",
    "enforcement_payout",
    "privacy_targeting",
)
WAIT = 20_000
"""Milliseconds after which a step is given up and said."""
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
MAKE = """
import runpy, sys
runpy.run_path(sys.argv[1])["make"](sys.argv[2], int(sys.argv[3]))
"""
SERVE = """
import sys
from pathlib import Path
from groundswell.configs.schema import Settings
try:
    from groundswell.ui.board.launch import start
except ImportError:  # where it stood before
    from groundswell.ui.launch import start
settings = Settings(data_dir=Path(sys.argv[1]))
sys.exit(start(settings, port=int(sys.argv[2])).wait())
"""
WRITE = """
import runpy, sys
runpy.run_path(sys.argv[1])["write"](sys.argv[2])
"""


# --- the store, made by each build with its own code -----------------------------------------------------------------


def make(folder: str, count: int) -> None:
    """Fill a store in a folder, unless it has as many documents already."""
    from groundswell.configs.schema import Settings
    from groundswell.index.open import open_store
    from groundswell.index.query import Query

    settings = Settings(data_dir=Path(folder))
    with open_store(settings) as store:
        if store.search(Query(limit=0)).total >= count:
            return
        for batch in documents(count, _last()):
            store.put(batch)
        for batch in others(count, _last()):
            store.put(batch)


def _last() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def documents(count: int, last: datetime) -> Iterator[list[Any]]:
    """Yield batches of mentions with all that is made of them, the newest last."""
    import numpy as np

    dice = np.random.default_rng(7)
    for begin in range(0, count, 2000):
        batch: list[Any] = []
        for n in range(begin, min(count, begin + 2000)):
            batch += document(n, last - timedelta(seconds=DAYS * 86_400 * (1 - n / count)), dice)
        yield batch


def document(n: int, at: datetime, dice: Any) -> list[Any]:
    """Return one mention, its enrichment and its membership."""
    from groundswell.index.records import Enriched, Membership, Mention, Sentiment

    low, middle, high = map(float, dice.dirichlet((2.0, 2.0, 1.0)))
    theme = int(min(dice.zipf(1.4), THEMES)) - 1
    identity = f"{n:020x}"
    text = " ".join(WORDS[int(word)] for word in dice.integers(len(WORDS), size=18)) + f" number{n % 5000}"
    mention = Mention(
        id=identity, source=f"source{n * 7 % 40}", kind="post", text=text, fetched_at=at, published_at=at,
        date_confidence="exact", market=MARKETS[n % 8], author_key=f"author{n % 50_000}", url=f"https://example.org/{n}",
    )  # fmt: skip
    enriched = Enriched(
        id=identity, lang=("en", "id", "zh", "th")[n % 4], made_by="bench",
        sentiment=Sentiment(label=LABELS[n % 3], negative=low, neutral=middle, positive=high),
        risks={RISKS[theme % 6]: float(dice.uniform())}, duplicate_of=f"{n - n % 10:020x}" if n % 10 < 2 else identity,
    )  # fmt: skip
    return [mention, enriched, Membership(id=identity, theme=f"theme{theme}", confidence=0.8, at=at)]


def others(count: int, last: datetime) -> Iterator[list[Any]]:
    """Yield themes, signals, visits and cases."""
    from groundswell.index.records import Case, CrawlRun, Note, Theme

    yield [
        Theme(
            id=f"theme{n}", label=f"{WORDS[n % 16]} {WORDS[n // 16]}", first_seen=last - timedelta(days=DAYS),
            last_seen=last, keywords=tuple(WORDS[:8]), risk=RISKS[n % 6], size=count // (n + 2),
            exemplars=tuple(f"{k * 97 + n:020x}" for k in range(6)),
        )
        for n in range(THEMES)
    ]  # fmt: skip
    for begin in range(0, SIGNALS, 2000):
        yield [_signal(n, count, last) for n in range(begin, begin + 2000)]
    for begin in range(0, RUNS, 2000):
        yield [
            CrawlRun(
                id=f"run{n}", source=f"source{n % 40}", started_at=last - timedelta(hours=n * 24 * DAYS / RUNS),
                finished_at=last - timedelta(hours=n * 24 * DAYS / RUNS), found=20, stored=15, duplicate=5,
            )
            for n in range(begin, begin + 2000)
        ]  # fmt: skip
    yield [
        Case(
            id=f"case{n}", title=f"case of {WORDS[n % 16]}", opened_at=last - timedelta(days=n), severity="high",
            signals=(f"signal{n * 50}",), history=(Note(at=last, by="bench", text="opened"),),
        )
        for n in range(30)
    ]  # fmt: skip


def _signal(n: int, count: int, last: datetime) -> Any:
    """Return one signal: an alert of each fifty, three that follow it, the others held back."""
    from groundswell.index.records import Signal

    at = last - timedelta(hours=24 * DAYS * (1 - n / SIGNALS))
    middle, place = int(count * n / SIGNALS), n % 50
    theme = n // 50 * 7 % THEMES
    return Signal(
        id=f"signal{n}", theme=f"theme{theme}", kind="surge", at=at, start=at - timedelta(hours=24), end=at,
        observed=20, expected=5.0, strength=5 + n % 7, severity=GRAVE[n // 50 % 4], risk=RISKS[theme % 6],
        evidence=tuple(f"{max(0, middle - k):020x}" for k in range(20)),
        why=f"20 documents in 24 hours where 5 were expected ({n}).",
        title=f"{WORDS[theme % 16]} {WORDS[theme // 16]}", fired=place == 0,
        held_by="" if place == 0 else "follow-up" if place < 4 else "budget",
        follows=f"signal{n - place}" if 0 < place < 4 else "",
    )  # fmt: skip


def write(folder: str) -> None:
    """Write two documents a second, until ended."""
    import numpy as np

    from groundswell.configs.schema import Settings
    from groundswell.index.open import open_store

    dice, n = np.random.default_rng(8), 10**9
    with open_store(Settings(data_dir=Path(folder))) as store:
        while True:
            store.put(document(n, datetime.now(UTC), dice))
            n += 1
            time.sleep(0.5)


# --- asking ----------------------------------------------------------------------------------------------------------


def drawn(page: Any, title: str, wait: int = WAIT) -> None:
    """Wait until a page is drawn to its end."""
    page.wait_for_function(
        """title => {
            const head = document.querySelector('.stHtml h1'), app = document.querySelector('[data-testid=stApp]');
            return head && (!title || head.textContent.startsWith(title))
                && app.dataset.testScriptState === 'notRunning' && !document.querySelector('[data-stale=true]');
        }""",
        arg=title,
        polling=20,
        timeout=wait,
    )


def clicks() -> list[tuple[str, Callable[[Any], None], str]]:
    """Return what a person does in a morning: name, act, and the title of the page that comes."""

    def side(name: str) -> Callable[[Any], None]:
        return lambda page: page.locator("[data-testid=stSidebar]").get_by_role("link", name=name).first.click()

    return [
        ("inbox", side("Inbox"), "Inbox"),
        ("an alert", lambda page: page.locator("article h4 a").first.click(), "Inbox"),
        ("themes", side("Themes"), "Themes"),
        ("a theme", lambda page: page.locator("td a[href^=theme]").nth(2).click(), ""),
        ("search", side("Search"), "Search"),
        ("a facet", lambda page: page.locator("a.bar").first.click(), "Search"),
        ("a document", lambda page: page.locator("article h4 a, article a[href^=document]").first.click(), ""),
        ("cases", side("Cases"), "Cases"),
        ("a case", lambda page: page.locator("td a[href^='cases?case']").first.click(), ""),
        ("sources", side("Sources"), "Sources"),
        ("today", side("Today"), "Today"),
    ]


def measure(browser: Any, base: str, rounds: int) -> dict[str, list[float]]:
    """Return milliseconds of the first paint and of each click."""
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        context = browser.new_context(viewport={"width": 1440, "height": 1000})
        page = context.new_page()
        page.set_default_timeout(WAIT)
        begin = time.perf_counter()
        page.goto(base, wait_until="commit", timeout=6 * WAIT)
        page.wait_for_function("document.querySelector('p.lead')", polling=10, timeout=6 * WAIT)
        found.setdefault("lead", []).append(1000 * (time.perf_counter() - begin))
        drawn(page, "Today", 6 * WAIT)
        found.setdefault("first paint", []).append(1000 * (time.perf_counter() - begin))
        for name, act, title in clicks():
            begin, old = time.perf_counter(), page.url
            try:
                act(page)
                page.wait_for_function("old => location.href !== old", arg=old, polling=10)
                drawn(page, title)
            except Exception as error:  # noqa: BLE001  another build may lack a page: said, not fatal
                print(f"{base}: {name}: {str(error)[:200]}", file=sys.stderr)
                found.setdefault(f"{name} failed", []).append(0.0)
                page.goto(base)
                drawn(page, "Today")
                continue
            found.setdefault(name, []).append(1000 * (time.perf_counter() - begin))
        context.close()
    return found


def told(found: dict[str, list[float]]) -> dict[str, Any]:
    """Return the figures of one build."""
    every = [ms for name, values in found.items() if name not in ("first paint", "lead") for ms in values if ms]
    return {
        "lead": round(statistics.median(found["lead"])),
        "first paint": round(statistics.median(found["first paint"])),
        "clicks p50": round(statistics.median(every)),
        "clicks p95": round(statistics.quantiles(every, n=20)[-1]),
        "each": {name: round(statistics.median(values)) for name, values in found.items()},
    }


@contextmanager
def running(call: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process of our own, and end it with all that it started."""
    process = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def served(stack: ExitStack, python: str, folder: Path) -> str:
    """Serve a store by a build; return its address once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    stack.enter_context(running([python, "-c", SERVE, str(folder), str(port)]))
    base = f"http://127.0.0.1:{port}"
    for _ in range(400):
        try:
            with urllib.request.urlopen(f"{base}/_stcore/health", timeout=5):  # noqa: S310  our own server
                return base
        except OSError:
            time.sleep(0.25)
    raise SystemExit(f"the board of {python} does not answer")


def main() -> int:
    """Measure all builds in turn."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--documents", type=int, default=300_000)
    options.add_argument("--keep", type=Path)
    options.add_argument("--beside", action="append", default=[], metavar="NAME=PYTHON")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--busy", action="store_true", help="also while something is written")
    given = options.parse_args()
    builds = {"this": sys.executable} | dict(each.split("=", 1) for each in given.beside)
    with ExitStack() as stack:
        root = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="groundswell-bench-")))
        for name, python in builds.items():
            subprocess.run([python, "-c", MAKE, __file__, str(root / name), str(given.documents)], check=True)
        print(json.dumps(_all(stack, builds, root, given.rounds, busy=given.busy), indent=1))
    return 0


def _all(stack: ExitStack, builds: dict[str, str], root: Path, rounds: int, *, busy: bool) -> dict[str, Any]:
    from playwright.sync_api import sync_playwright

    browser = stack.enter_context(sync_playwright()).chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    bases = {name: served(stack, python, root / name) for name, python in builds.items()}
    answers: dict[str, Any] = {}
    for name, base in bases.items():
        cold = measure(browser, base, 1)
        answers[name] = {"cold lead": round(cold["lead"][0]), "cold first paint": round(cold["first paint"][0])}
    found: dict[str, dict[str, list[float]]] = {name: {} for name in builds}
    for _ in range(rounds):
        for name, base in bases.items():
            for what, values in measure(browser, base, 1).items():
                found[name].setdefault(what, []).extend(values)
    for name, python in builds.items():
        answers[name] |= told(found[name])
        if busy:
            with running([python, "-c", WRITE, __file__, str(root / name)]):
                time.sleep(3)
                answers[name]["while written"] = told(measure(browser, bases[name], rounds))
    browser.close()
    return answers


if __name__ == "__main__":
    sys.exit(main())
