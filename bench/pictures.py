"""Take a picture of every view of a board, wide and narrow, light and dark, for docs/views and to be looked at.

    python bench/pictures.py .groundswell/demo docs/views               # those that docs/views.md shows
    python bench/pictures.py .groundswell/demo /tmp/all --every         # every view at both widths in both schemes

The store is only read; the board is served on loopback for as long as it takes. Pictures are WebP, small enough for a
repository. What moves (the date) makes them differ from run to run: they are renewed by hand, not by a test.
"""

from __future__ import annotations

import argparse
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from groundswell.configs.schema import Settings
from groundswell.index.open import open_reader
from groundswell.index.query import Query
from groundswell.index.records import Signal, Theme
from groundswell.ui.board.launch import start

CHROMIUM = "/usr/bin/chromium"
WIDE, NARROW = 1440, 390
TALLEST = {WIDE: 1700, NARROW: 1500}
QUALITY = 60
"""Of WebP: letters stay readable."""


class Shot(NamedTuple):
    """One picture: a view, how wide, in which scheme and language."""

    name: str
    address: str
    width: int = WIDE
    scheme: str = "light"
    language: str = "en-GB"

    @property
    def file(self) -> str:
        """Return the picture's name."""
        more = [f"{self.width}"] * (self.width != WIDE) + [self.scheme] * (self.scheme != "light")
        return "-".join([self.name, *more]) + ".webp"


def main() -> None:
    """Serve the board, take the pictures, say how large they are together."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path, help="data_dir of a store, such as the demo's")
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("--every", action="store_true", help="every view at both widths in both schemes")
    parser.add_argument("--only", default="", help="views whose names hold this")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    settings = Settings(data_dir=given.store)
    views = addresses(settings)
    wanted = every(views) if given.every else shown(views)
    whole = 0
    with served(settings) as url:
        for file, content in taken(url, [shot for shot in wanted if given.only in shot.name]):
            (given.out / file).write_bytes(content)
            whole += len(content)
    print(f"{whole / 1e6:.2f} MB in {given.out}")


def addresses(settings: Settings) -> dict[str, str]:
    """Return view → an address of it that has something to show."""
    with open_reader(settings) as reader:
        alerts = [signal for signal in reader.recent(Signal, limit=5000) if signal.fired]
        themes = sorted(reader.recent(Theme, limit=5000), key=lambda theme: -theme.size)
        newest = next((alert for alert in alerts if alert.theme), None)
        theme = newest.theme if newest else themes[0].id if themes else ""
        hits = reader.search(Query(where={"theme": (theme,)}, limit=1)).hits if theme else ()
    day = f"on:{newest.end:%Y-%m-%d}" if newest else "since:24h until:now"
    return {
        "today": "",
        "inbox": "inbox",
        "themes": "themes",
        "theme": f"theme?theme={theme}",
        "search": "search?q=scam* OR 诈骗 since:30d",
        "document": f"document?id={hits[0].document.id}" if hits else "document",
        "explain": f"explain?q={day}",
        "compare": "compare?q=",
        "cases": "cases",
        "sources": "sources",
        "labels": "labels",
        "label": "label",
        "quality": "quality",
        "rules": "rules",
        "policies": "policies",
        "sql": "sql",
    }


def shown(views: dict[str, str]) -> list[Shot]:
    """Return the pictures of docs/views.md: every view once, and a few on a phone, in the dark, in Chinese."""
    return [
        *(Shot(name, address) for name, address in views.items()),
        *(Shot(name, views[name], scheme="dark") for name in ("today", "theme")),
        *(Shot(name, views[name], NARROW) for name in ("today", "inbox", "search")),
        Shot("today-zh", views["today"], language="zh-CN"),
    ]


def every(views: dict[str, str]) -> list[Shot]:
    """Return each view at both widths in both schemes."""
    return [
        Shot(name, address, width, scheme)
        for name, address in views.items()
        for width in (WIDE, NARROW)
        for scheme in ("light", "dark")
    ]


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """Serve a board for as long as the block lasts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    board = start(settings, port=port)
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=5).close()  # noqa: S310  our own server
                break
            except OSError:
                time.sleep(0.3)
        yield url
    finally:
        board.terminate()
        board.wait(20)


def taken(url: str, shots: list[Shot]) -> Iterator[tuple[str, bytes]]:
    """Yield each picture's name and content."""
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for shot in shots:
            context = browser.new_context(
                color_scheme="dark" if shot.scheme == "dark" else "light", locale=shot.language,
                viewport={"width": shot.width, "height": 1000}, service_workers="block",
            )  # fmt: skip
            page = context.new_page()
            page.goto(f"{url}/{shot.address}")
            yield shot.file, picture(page, shot.width)
            context.close()
        browser.close()


def picture(page: Page, width: int) -> bytes:
    """Return the page as it stands once it is drawn, as WebP."""
    page.set_default_timeout(60_000)
    page.wait_for_selector(".stHtml h1")
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"
    )
    page.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')")
    page.wait_for_timeout(400)
    tall = int(page.evaluate("document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight + 30"))
    page.set_viewport_size({"width": width, "height": max(600, min(TALLEST[width], tall))})
    page.wait_for_timeout(500)
    made = BytesIO()
    Image.open(BytesIO(page.screenshot())).convert("RGB").save(made, "WEBP", quality=QUALITY, method=6)
    return made.getvalue()


if __name__ == "__main__":
    main()
