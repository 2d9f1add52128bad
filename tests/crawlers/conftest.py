"""A small web on loopback that plays what a test wrote, and a house with a real store to crawl it into."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from groundswell.configs.schema import CrawlSettings, Settings
from groundswell.crawlers.run import crawl
from groundswell.index.open import open_store
from groundswell.index.query import Query
from groundswell.index.records import CrawlRun, Mention, Refusal
from groundswell.index.store import Store

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Answer:
    """What the server says."""

    body: bytes | str = b""
    status: int = 200
    type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    validators: bool = False

    @property
    def content(self) -> bytes:
        """Return the body as bytes."""
        return self.body.encode() if isinstance(self.body, str) else self.body


@dataclass(frozen=True)
class Asked:
    """A request that the server saw."""

    path: str
    headers: Mapping[str, str]
    status: int


Script = Answer | Callable[[str, Mapping[str, str]], Answer] | Sequence[Answer]


class Web:
    """Plays scripted answers by path (with query first, then without); a list is played one after another."""

    def __init__(self) -> None:
        self.scripts: dict[str, Any] = {}
        self.log: list[Asked] = []
        self.fault: Callable[[BaseHTTPRequestHandler, bytes, str], None] | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # crawlers hang up on what is too long
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        """Return the server's address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def play(self, path: str, script: Script) -> None:
        """Set what a path answers."""
        self.scripts[path] = list(script) if isinstance(script, (list, tuple)) else script

    def paths(self) -> list[str]:
        """Return what was asked, robots.txt left out."""
        return [asked.path for asked in self.log if asked.path != "/robots.txt"]

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def peek(self, path: str) -> bytes:
        """Return what a path would answer, and play nothing."""
        script = self.scripts.get(path, self.scripts.get(path.split("?", maxsplit=1)[0]))
        script = script[0] if isinstance(script, list) else script
        return script.content if isinstance(script, Answer) else b"<p>no such page</p>"

    def answer(self, path: str, headers: Mapping[str, str]) -> Answer:
        """Return the answer to a request."""
        script = self.scripts.get(path, self.scripts.get(path.split("?", maxsplit=1)[0]))
        if isinstance(script, list):
            script = script.pop(0) if len(script) > 1 else script[0]
        found: Answer = script(path, headers) if callable(script) else script or Answer("no such page", 404)
        etag = f'"{hashlib.sha256(found.content).hexdigest()[:12]}"'
        if not found.validators:
            return found
        if headers.get("If-None-Match") == etag:
            return Answer(status=304, headers={"ETag": etag})
        return Answer(found.content, found.status, found.type, {**found.headers, "ETag": etag})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if web.fault is not None:
                    web.fault(self, web.peek(self.path), "text/plain")
                    return
                answer = web.answer(self.path, self.headers)  # type: ignore[arg-type]  # a Message is close to a Mapping
                web.log.append(Asked(self.path, dict(self.headers), answer.status))
                self.send_response(answer.status)
                if answer.status != 304:
                    self.send_header("Content-Type", answer.type)
                self.send_header("Content-Length", str(len(answer.content)))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.content)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.do_GET()

            def log_message(self, format: str, *args: Any) -> None:
                """Stay silent."""

        return Handler


@dataclass
class House:
    """A data folder, source files and a store."""

    folder: Path
    store: Store
    settings: Settings

    def source(self, name: str, text: str) -> None:
        """Write a source file."""
        (self.folder / "sources" / f"{name}.yaml").write_text(text, encoding="utf-8")

    def crawl(self, *only: str, now: datetime = NOW, **more: Any) -> dict[str, CrawlRun]:
        """Crawl; return the runs by source, after checking that their counts add up."""
        runs = crawl(self.store, self.settings, now=now, only=only, **more)
        for run in runs:
            assert run.found == run.stored + run.duplicate + run.refused + run.off_topic, run
        return {run.source: run for run in runs}

    def mentions(self, source: str = "") -> list[Mention]:
        """Return what is stored, oldest first."""
        query = Query(where={"source": (source,)}) if source else Query()
        return [document.mention for document in self.store.scan(query)]

    def refusals(self, source: str = "") -> list[Refusal]:
        """Return what was refused."""
        return [each for each in self.store.recent(Refusal) if not source or each.source == source]


@pytest.fixture
def web() -> Iterator[Web]:
    """A scripted web on loopback."""
    server = Web()
    yield server
    server.close()


@pytest.fixture
def answer() -> type[Answer]:
    """What the scripted server says."""
    return Answer


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house that may crawl loopback, without pauses."""
    (tmp_path / "sources").mkdir()
    polite = CrawlSettings(
        sources=(tmp_path / "sources",), shipped=False, delay_seconds=0, allow_private_addresses=True
    )
    settings = Settings(data_dir=tmp_path / "data", crawl=polite)
    with open_store(settings) as store:
        yield House(tmp_path, store, settings)


@pytest.fixture
def closed_port() -> int:
    """A port on loopback where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
