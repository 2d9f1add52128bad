"""Is all well? For a person, a container's probe, and Prometheus; numbers and names of stages, no texts."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

STALLED_SECONDS = 900.0
"""A part that has given no sign of life for so long is stuck: a batch takes seconds, loading a model a minute."""
TIMES_FAILED = 3
"""Failures in a row from which a stage is not well; one may pass by itself."""


@dataclass(slots=True)
class Stage:
    """How a stage does: when it last went well and failed (UTC), failures in a row, and the last error's words."""

    went_well: datetime | None = None
    failed: datetime | None = None
    in_a_row: int = 0
    error: str = ""


@dataclass
class Health:
    """Signs of life of the parts, and how the stages did. Safe to use from several threads."""

    clock: Callable[[], datetime]
    steady: Callable[[], float]
    began: datetime = field(init=False)
    stages: dict[str, Stage] = field(default_factory=dict)
    beats: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Note when it began."""
        self.began = self.clock()

    def beat(self, part: str) -> None:
        """Note that a part lives."""
        with self.lock:
            self.beats[part] = self.steady()

    def went(self, stage: str, error: str = "") -> int:
        """Note how a stage ended; return how often it has failed in a row."""
        with self.lock:
            mine = self.stages.setdefault(stage, Stage())
            if error:
                mine.failed, mine.error = self.clock(), error
                mine.in_a_row += 1
            else:
                mine.went_well, mine.error, mine.in_a_row = self.clock(), "", 0
            return mine.in_a_row

    def troubles(self) -> list[str]:
        """Return what is not well, in words; nothing when all is."""
        now = self.steady()
        with self.lock:
            stuck = [f"{p} gives no sign of life" for p, at in sorted(self.beats.items()) if now - at > STALLED_SECONDS]
            failing = [
                f"{name} failed {stage.in_a_row} times in a row: {stage.error}"
                for name, stage in sorted(self.stages.items())
                if stage.in_a_row >= TIMES_FAILED
            ]
        return stuck + failing

    def as_json(self) -> dict[str, Any]:
        """Return how things stand."""
        troubles = self.troubles()
        with self.lock:
            stages = {
                name: {
                    "went_well": stage.went_well.isoformat() if stage.went_well else None,
                    "failed": stage.failed.isoformat() if stage.failed else None,
                    "failures_in_a_row": stage.in_a_row,
                }
                for name, stage in sorted(self.stages.items())
            }
        return {
            "status": "failing" if troubles else "ok", "since": self.began.isoformat(), "at": self.clock().isoformat(),
            "troubles": troubles, "stages": stages,
        }  # fmt: skip


class Metrics:
    """What Prometheus is told; a registry of its own, so that nothing of the libraries' is exported by chance."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self.registry = own = CollectorRegistry()
        self.runs = Counter("groundswell_stage_runs", "Runs of a stage by outcome.", ["stage", "outcome"], registry=own)
        self.seconds = Histogram(
            "groundswell_stage_seconds", "Wall seconds of a run of a stage.", ["stage"],
            buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 1800), registry=own,
        )  # fmt: skip
        self.last = Gauge(
            "groundswell_stage_last_success_seconds", "Unix time of a stage's last success.", ["stage"], registry=own
        )
        self.documents = Counter("groundswell_documents", "Documents by what became of them.", ["what"], registry=own)
        self.alerts = Counter("groundswell_alerts", "Alerts that fired, by severity.", ["severity"], registry=own)
        self.free = Gauge("groundswell_disk_free_bytes", "Room left on the disk of the data folder.", registry=own)
        self.deliveries = Gauge(
            "groundswell_deliveries", "Digests and alerts in the ledger by status: sent, held, failed, dead.",
            ["status"], registry=own,
        )  # fmt: skip
        self.backup = Gauge(
            "groundswell_last_backup_seconds", "Unix time of the last whole backup, 0 if none was made.", registry=own
        )
        self.source = Gauge(
            "groundswell_source_ok", "1 if the last visit of a source went well, else 0.", ["source"], registry=own
        )

    def ran(self, stage: str, seconds: float, *, failed: bool, at: datetime) -> None:
        """Count a run of a stage."""
        self.runs.labels(stage, "failed" if failed else "ok").inc()
        self.seconds.labels(stage).observe(seconds)
        if not failed:
            self.last.labels(stage).set(at.timestamp())


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    allow_reuse_address = True


class _Quiet(WSGIRequestHandler):
    timeout = 10

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of who asked."""


def _app(health: Health, metrics: Metrics) -> WSGIApplication:
    from prometheus_client.exposition import make_wsgi_app

    respond = make_wsgi_app(metrics.registry)

    def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            answer: Iterable[bytes] = respond(environ, start)
            return answer
        if path != "/health":
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"/health or /metrics\n"]
        state = health.as_json()
        code = "200 OK" if state["status"] == "ok" else "503 Service Unavailable"
        start(code, [("Content-Type", "application/json"), ("Cache-Control", "no-store")])
        return [json.dumps(state, ensure_ascii=False).encode()]

    return app


@contextmanager
def served(health: Health, metrics: Metrics, host: str, port: int) -> Iterator[int]:
    """Serve ``/health`` and ``/metrics`` in a thread of their own while the body runs; give the port.

    Raises:
        OSError: the port is taken or may not be used; says which.
    """
    try:
        server = make_server(host, port, _app(health, metrics), server_class=_Server, handler_class=_Quiet)
    except OSError as error:
        raise OSError(
            f"cannot serve metrics on {host}:{port}: {error.strerror or error}; choose watch.metrics_port"
        ) from error
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
