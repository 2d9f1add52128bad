"""Every source format meets every fault of the network; the next visit makes it whole."""

from __future__ import annotations

import gzip
import json
import shutil
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from groundswell.configs.schema import CrawlSettings
from groundswell.configs.yaml_lines import read_yaml

FOLDER = Path(__file__).parent / "goldens"
PLACEHOLDER = "http://web.test"
CASES = sorted(
    path.name for path in FOLDER.iterdir() if path.is_dir() and PLACEHOLDER in (path / "source.yaml").read_text("utf-8")
)
LIMIT = 200_000
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
Fault = Callable[[BaseHTTPRequestHandler, bytes, str], None]


def _say(handler: BaseHTTPRequestHandler, status: int, body: bytes, kind: str, **headers: str) -> None:
    handler.send_response(status)
    for name, value in ({"Content-Type": kind, "Content-Length": str(len(body))} | headers).items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def _silence(handler: BaseHTTPRequestHandler, body: bytes, kind: str) -> None:
    time.sleep(2)


def _reset(handler: BaseHTTPRequestHandler, body: bytes, kind: str) -> None:
    handler.close_connection = True
    handler.connection.close()


def _drip(handler: BaseHTTPRequestHandler, body: bytes, kind: str) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    for letter in body[:20]:
        handler.wfile.write(bytes([letter]))
        handler.wfile.flush()
        time.sleep(0.1)
    handler.close_connection = True


def _endless(handler: BaseHTTPRequestHandler, body: bytes, kind: str) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", kind)
    handler.send_header("Connection", "close")
    handler.end_headers()
    for _ in range(2 * LIMIT // len(body) + 2):
        handler.wfile.write(body)
    handler.close_connection = True


def _cut_gzip(handler: BaseHTTPRequestHandler, body: bytes, kind: str) -> None:
    _say(handler, 200, gzip.compress(body)[:-30], kind, Content_Encoding="gzip")


def _too_short(handler: BaseHTTPRequestHandler, body: bytes, kind: str) -> None:
    handler.close_connection = True
    _say(handler, 200, body[: len(body) // 2], kind, Content_Length=str(len(body)))


FAULTS: dict[str, Fault] = {
    "timeout": _silence,
    "reset": _reset,
    "429": lambda handler, body, kind: _say(handler, 429, b"slow down", "text/plain"),
    "503": lambda handler, body, kind: _say(handler, 503, b"busy", "text/plain"),
    "500 with a page": lambda handler, body, kind: _say(handler, 500, body, kind),
    "truncated gzip": _cut_gzip,
    "a length that is not kept": _too_short,
    "a charset nobody knows": lambda handler, body, kind: _say(handler, 200, body, "text/plain; charset=x-none"),
    "an empty answer": lambda handler, body, kind: _say(handler, 200, b"", kind),
    "endless": _endless,
    "drip": _drip,
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_stops_a_visit_and_the_next_makes_it_whole(
    fault: str, house: Any, web: Any, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All formats at once: nothing crashes, what went wrong is told, then all that the goldens hold is there."""
    monkeypatch.setenv("GROUNDSWELL_AUTHOR_SALT", "golden")
    expected: dict[str, Counter[str]] = {}
    for case in CASES:
        shutil.copytree(FOLDER / case, house.folder / case)
        source = (FOLDER / case / "source.yaml").read_text("utf-8").replace(PLACEHOLDER, web.url)
        house.source(case, source)
        for path, page in read_yaml(FOLDER / case / "pages.yaml").data.items():
            web.play(path, [_page(answer, case, name, page, web.url) for name in page.get("files") or [page["file"]]])
        golden = json.loads((FOLDER / case / "golden.json").read_text("utf-8"))
        expected[case] = Counter(mention["text"].replace(PLACEHOLDER, web.url) for mention in golden["mentions"])
    polite = CrawlSettings(
        sources=(house.folder / "sources",),
        shipped=False,
        delay_seconds=0,
        allow_private_addresses=True,
        timeout_seconds=1,
        max_page_bytes=LIMIT,
        obey_robots=False,
    )
    house.settings = house.settings.model_copy(update={"crawl": polite})
    web.fault = FAULTS[fault]
    runs = house.crawl()
    assert set(CASES) <= set(runs)
    silent = {name for name, run in runs.items() if not (run.error or run.remark or run.complaint or run.found)}
    assert not silent, "what went wrong is told"
    web.fault = None
    again = house.crawl(now=NOW + timedelta(minutes=1), again=True)
    for case in CASES:
        missing = expected[case] - Counter(mention.text for mention in house.mentions(case))
        assert not missing, (case, again[case].error, again[case].remark)


def _page(answer: Any, case: str, name: str, page: dict[str, Any], url: str) -> Any:
    """Return what a page of a case answers."""
    body = (FOLDER / case / name).read_bytes().replace(PLACEHOLDER.encode(), url.encode())
    headers = {key: value.replace(PLACEHOLDER, url) for key, value in page.get("headers", {}).items()}
    body = gzip.compress(body) if page.get("gzip") else body
    return answer(body, page.get("status", 200), page.get("type", "text/html"), headers)
