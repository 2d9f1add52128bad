"""A worker that is cut off from the store: what it was given is done by others, nothing is lost, nothing twice.

The worker lives in a network namespace of its own, with one wire to the scheduler and the web and another to the store,
so that one of them can be cut as a switch that fails cuts it: nothing is refused, nothing answers.
"""

from __future__ import annotations

import os
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from groundswell.configs.schema import CrawlSettings, ElasticSettings, ScaleSettings, Settings
from groundswell.crawlers.spread import crawl_wherever
from groundswell.index.open import open_store
from groundswell.index.query import Query

distributed = pytest.importorskip("distributed")
pytestmark = [pytest.mark.elastic, pytest.mark.slow]
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
SPACE = f"gs{os.getpid() % 100_000}"
WORK, STORE = "10.213.7", "10.213.8"
"""Networks of the two wires; .1 is this side, .2 the worker's."""
SOURCES, ITEMS = 12, 10
REQUEST_SECONDS = 10.0


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)


@dataclass(frozen=True, slots=True)
class Wires:
    """The two wires of the worker's namespace."""

    def cut(self) -> None:
        """Cut the one to the store."""
        _ip("-n", SPACE, "link", "set", f"{SPACE}s1", "down")

    def mend(self) -> None:
        """Let it reach the store again."""
        _ip("-n", SPACE, "link", "set", f"{SPACE}s1", "up")


@pytest.fixture
def wires() -> Iterator[Wires]:
    """Make the namespace and its wires; skip where one may not."""
    if not shutil.which("ip") or os.geteuid() != 0:
        pytest.skip("making a network needs iproute2 and the rights of root")
    try:
        _ip("netns", "add", SPACE)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no network namespaces here: {error.stderr.decode()[:200]}")
    try:
        _ip("-n", SPACE, "link", "set", "lo", "up")
        for end, net in (("w", WORK), ("s", STORE)):
            _ip("link", "add", f"{SPACE}{end}0", "type", "veth", "peer", "name", f"{SPACE}{end}1", "netns", SPACE)
            _ip("addr", "add", f"{net}.1/30", "dev", f"{SPACE}{end}0")
            _ip("link", "set", f"{SPACE}{end}0", "up")
            _ip("-n", SPACE, "addr", "add", f"{net}.2/30", "dev", f"{SPACE}{end}1")
            _ip("-n", SPACE, "link", "set", f"{SPACE}{end}1", "up")
        yield Wires()
    finally:
        _ip("netns", "del", SPACE)
        for end in "ws":
            with suppress(subprocess.CalledProcessError):
                _ip("link", "del", f"{SPACE}{end}0")


@contextmanager
def relay(host: str, to: tuple[str, int]) -> Iterator[int]:
    """Pass connections on from an address of a wire to a server on loopback; give the port."""

    class Passes(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(to) as there, suppress(OSError):
                back = threading.Thread(target=_pump, args=(there, self.request), daemon=True)
                back.start()
                _pump(self.request, there)
                back.join()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server((host, 0), Passes) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)


@contextmanager
def feeds(host: str, asked: threading.Event) -> Iterator[str]:
    """Serve feeds of some posts each, without haste; note when the worker that will be cut off has asked for one."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.client_address[0] == f"{WORK}.2" and self.path.startswith("/feed"):
                asked.set()
            time.sleep(0.3)
            name = self.path.strip("/")
            items = "".join(
                f"<item><title>{name} post {k}</title><link>http://{name}.example/{k}</link><guid>{name}-{k}</guid>"
                f"<description>Ads again, says reader {k} of {name}</description>"
                f"<pubDate>Sun, 22 Nov 2026 0{k % 6}:00:00 +0000</pubDate></item>"
                for k in range(ITEMS)
            )
            body = f"<rss version='2.0'><channel><title>{name}</title>{items}</channel></rss>".encode()
            found = self.path.startswith("/feed")
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer((host, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{host}:{server.server_port}"
        server.shutdown()


@contextmanager
def worker(name: str, scheduler: str, folder: Path, *, inside: bool) -> Iterator[None]:
    """Run a worker of one thread, in the namespace or here."""
    command = [sys.executable, "-m", "distributed.cli.dask_worker", scheduler, "--nthreads", "1", "--no-nanny"]
    command += ["--name", name, "--no-dashboard", "--local-directory", str(folder / name)]
    prefix = ["ip", "netns", "exec", SPACE] if inside else []
    with subprocess.Popen([*prefix, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()


@pytest.fixture
def settings(elastic_url: str, wires: Wires, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Give settings whose store is reached over the second wire, with a scheduler and one worker, at its end."""
    monkeypatch.setenv("GROUNDSWELL_AUTHOR_SALT", "saltsalt")
    there = urlsplit(elastic_url)
    make: Any = distributed.LocalCluster
    with ExitStack() as stack:
        port = stack.enter_context(relay(f"{STORE}.1", (there.hostname or "127.0.0.1", there.port or 9200)))
        cluster = stack.enter_context(make(n_workers=0, host=f"{WORK}.1", dashboard_address=None, silence_logs=50))
        scheduler = cluster.scheduler_address
        stack.enter_context(worker("cut-off", scheduler, tmp_path, inside=True))
        cluster.wait_for_workers(1, timeout=120)
        store = ElasticSettings(
            url=f"http://{STORE}.1:{port}", prefix=f"cut-{time.time_ns()}", timeout_seconds=REQUEST_SECONDS
        )
        scale = ScaleSettings(scheduler=scheduler, patience_seconds=60, lease_seconds=5)
        crawl = CrawlSettings(
            sources=(tmp_path / "sources",), shipped=False, delay_seconds=0, allow_private_addresses=True
        )
        yield Settings(data_dir=tmp_path / "data", store=store, scale=scale, crawl=crawl)
        with open_store(Settings(data_dir=tmp_path, store=store.model_copy(update={"url": elastic_url}))) as opened:
            client = opened.client  # type: ignore[attr-defined]
            client.indices.delete(index=list(client.indices.get_alias(index=f"{store.prefix}-*")))


@pytest.mark.timeout(900)
def test_a_worker_cut_off_from_the_store_costs_nothing(settings: Settings, wires: Wires, tmp_path: Path) -> None:
    """It has begun to visit when its wire is cut; others visit what it had, and it finds its way back afterwards."""
    asked = threading.Event()
    with feeds(f"{WORK}.1", asked) as url:
        (tmp_path / "sources").mkdir()
        for k in range(SOURCES):
            text = f"format: feed\nkind: news\nurls: ['{url}/feed{k:02}']\n"
            (tmp_path / "sources" / f"feed{k:02}.yaml").write_text(text)
        with open_store(settings) as store, ExitStack() as helpers:
            scheduler = settings.scale.scheduler

            def cut_and_help() -> None:
                asked.wait(300)
                wires.cut()
                for name in ("one", "other"):
                    helpers.enter_context(worker(name, scheduler, tmp_path, inside=False))

            cutter = threading.Thread(target=cut_and_help, daemon=True)
            cutter.start()
            runs = crawl_wherever(store, settings, now=NOW)
            cutter.join()
            assert asked.is_set(), "the worker at the far end was never given anything"
            wires.mend()
            later = crawl_wherever(store, settings, now=datetime(2026, 11, 22, 8, tzinfo=UTC), again=True)
            assert [run.error for run in later if run.error] == []
            texts = [document.mention.text for document in store.scan(Query())]
    assert len(texts) == len(set(texts)) == SOURCES * ITEMS
    assert sum(run.stored for run in runs) + sum(run.stored for run in later) == SOURCES * ITEMS
