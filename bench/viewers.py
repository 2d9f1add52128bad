"""Ten people at the board at once, while the pipeline writes: how long their clicks take, and what goes wrong.

    python bench/viewers.py FOLDER [--viewers 10] [--seconds 60] [--quiet] [--beside NAME=PYTHON=FOLDER]

FOLDER is the data folder of a store, such as `bench/board.py --keep` makes or the demo's: it is written to. Each viewer
has a browser of their own and, once all have the first page, goes from page to page, each beginning at another; one of
them decides about alerts, and takes that back. Meanwhile another process puts forty documents a second into the store
(`--quiet`: none). Prints one JSON object: clicks, their median and 95th percentile in milliseconds, what failed (an
exception on a page, a store that cannot answer, a page that does not come within twenty seconds), how many documents
were written, and the longest that the writer waited. The browsers share the machine with the board: on two cores most
of a click is theirs, so compare `--viewers 1` or another build in the same run, not walls of two runs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from board import CHROMIUM, FLAGS, WAIT, running, served

PAGES = ("Today", "Inbox", "Themes", "Search", "Cases", "Sources")
PAUSE = (0.5, 2.0)
"""Seconds that somebody looks at a page."""
READY = """title => {
    const head = document.querySelector('.stHtml h1'), app = document.querySelector('[data-testid=stApp]');
    return head && head.textContent.startsWith(title) && app.dataset.testScriptState === 'notRunning'
        && !document.querySelector('[data-stale=true]');
}"""
WRITE = """
import runpy, sys
runpy.run_path(sys.argv[1])["write"](sys.argv[2], sys.argv[3])
"""


def write(folder: str, told: str) -> None:
    """Write forty documents a second until ended; keep count in a file."""
    import numpy as np
    from board import document

    from groundswell.configs.schema import Settings
    from groundswell.index.open import open_store

    dice, n, slowest, begun = np.random.default_rng(8), int(time.time()) * 1000, 0.0, time.monotonic()
    with open_store(Settings(data_dir=Path(folder))) as store:
        for turn in range(10**9):
            from datetime import UTC, datetime

            at = time.monotonic()
            store.put([part for k in range(40) for part in document(n + k, datetime.now(UTC), dice)])
            slowest, n = max(slowest, time.monotonic() - at), n + 40
            Path(told).write_text(json.dumps({"documents": 40 * (turn + 1), "slowest_put_ms": round(1000 * slowest)}))
            time.sleep(max(0.0, begun + turn + 1 - time.monotonic()))


async def viewer(page: Any, number: int, until: float, found: dict[str, list[float]]) -> None:
    """Go from page to page; keep how long each took, and what failed."""
    dice, k = random.Random(number), number  # noqa: S311  who looks where
    while time.monotonic() < until:
        await asyncio.sleep(dice.uniform(*PAUSE))
        name = PAGES[(k := k + 1) % len(PAGES)]
        await timed(found, name, _click(page, name))
        if number == 0 and name == "Today":
            await timed(found, "a decision", _decide(page))
        wrong = page.locator("[data-testid=stException], .panel h2:has-text('The store cannot answer')")
        if await wrong.count():
            found.setdefault("failed", []).append(0.0)
            print(f"{name}: {(await wrong.first.inner_text())[:300]}", file=sys.stderr)


async def opened(browser: Any, base: str, found: dict[str, list[float]]) -> Any:
    """Open the board in a browser of one's own."""
    context = await browser.new_context(viewport={"width": 1440, "height": 1000})
    page = await context.new_page()
    page.set_default_timeout(WAIT)
    await timed(found, "first paint", _first(page, base))
    return page


async def timed(found: dict[str, list[float]], name: str, act: Any) -> None:
    """Do something and keep how long it took."""
    begun = time.perf_counter()
    try:
        await act
    except Exception as error:  # noqa: BLE001  said and counted
        print(f"{name}: {str(error)[:200]}", file=sys.stderr)
        found.setdefault("failed", []).append(0.0)
        return
    found.setdefault(name, []).append(1000 * (time.perf_counter() - begun))


async def _first(page: Any, base: str) -> None:
    await page.goto(base, wait_until="commit", timeout=6 * WAIT)
    await page.wait_for_function(READY, arg="Today", polling=20, timeout=6 * WAIT)


async def _click(page: Any, name: str) -> None:
    await page.locator("[data-testid=stSidebar]").get_by_role("link", name=name).first.click()
    await page.wait_for_function(READY, arg=name, polling=20)


async def _decide(page: Any) -> None:
    """Confirm the first alert that waits, and take that back."""
    button = page.locator("[class*=st-key-confirm-] button").first
    if await button.count():
        await button.click()
        await page.locator(".said").first.wait_for()
        await page.get_by_role("button", name="Undo").first.click()
        await page.wait_for_function(READY, arg="Today", polling=20)


async def look(base: str, viewers: int, seconds: float) -> dict[str, list[float]]:
    """Let all look for a while; return how long each click took."""
    from playwright.async_api import async_playwright

    found: dict[str, list[float]] = {}
    async with async_playwright() as player:
        browser = await player.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        pages = await asyncio.gather(*(opened(browser, base, found) for _ in range(viewers)))
        until = time.monotonic() + seconds
        await asyncio.gather(*(viewer(page, number, until, found) for number, page in enumerate(pages)))
        await browser.close()
    return found


def told(found: dict[str, list[float]], written: Path) -> dict[str, Any]:
    """Return the figures."""
    every = [ms for name, values in found.items() if name not in ("first paint", "failed") for ms in values]
    return {
        "clicks": len(every),
        "p50": round(statistics.median(every)),
        "p95": round(statistics.quantiles(every, n=20)[-1]),
        "failed": len(found.get("failed", ())),
        "first paint": round(statistics.median(found["first paint"])),
        "each": {name: round(statistics.median(values)) for name, values in found.items() if name != "failed"},
        "written": json.loads(written.read_text()) if written.exists() else {},
    }


def main() -> int:
    """Measure each build in turn."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder")
    options.add_argument("--viewers", type=int, default=10)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--quiet", action="store_true", help="nothing is written meanwhile")
    options.add_argument("--beside", action="append", default=[], metavar="NAME=PYTHON=FOLDER")
    given = options.parse_args()
    builds = [("this", sys.executable, given.folder), *(each.split("=", 2) for each in given.beside)]
    answers = {}
    for name, python, folder in builds:
        written = Path(folder) / "bench-written.json"
        written.unlink(missing_ok=True)
        with ExitStack() as stack:
            base = served(stack, python, Path(folder))
            if not given.quiet:
                stack.enter_context(running([python, "-c", WRITE, __file__, folder, str(written)]))
            answers[name] = told(asyncio.run(look(base, given.viewers, given.seconds)), written)
        written.unlink(missing_ok=True)
    print(json.dumps(answers, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
