"""A small proxy in front of a real server, for answers that a healthy server cannot be made to give."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Proxy:
    """Passes everything on, or answers with `status` as Elasticsearch would."""

    def __init__(self, target: str) -> None:
        self.target, self.status = target, 0
        self.only = ""
        """Which part of a path the status is for; empty means all."""
        self.left = -1
        """How many requests are answered so before all is well again; -1 means all."""
        self.url = ""

    def fault(self, path: str) -> int:
        """Return the status to answer a request with, 0 to pass it on."""
        if not self.status or self.only not in path or not self.left:
            return 0
        self.left -= 1
        return self.status


REASONS = {
    401: "unable to authenticate user for REST request",
    403: "action [indices:data/write/bulk] is unauthorized for this API key",
    429: "rejected execution of coordinating operation",
    502: "bad gateway",
    503: "no master",
}


@contextmanager
def proxy(target: str) -> Iterator[Proxy]:
    """Yield a proxy before a server."""
    one = Proxy(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if status := one.fault(self.path):
                error = {"type": "fault", "reason": REASONS[status]}
                answer = {"error": {"root_cause": [error], **error}, "status": status}
                self._say(status, json.dumps(answer).encode(), "application/json")
                return
            headers = {key: self.headers[key] for key in ("Content-Type", "Accept") if self.headers[key]}
            asked = urllib.request.Request(  # noqa: S310  our own server on loopback
                one.target + self.path, data=body or None, headers=headers, method=self.command
            )
            try:
                with urllib.request.urlopen(asked, timeout=60) as given:  # noqa: S310  our own server on loopback
                    self._say(given.status, given.read(), given.headers["Content-Type"])
            except urllib.error.HTTPError as refused:
                self._say(refused.code, refused.read(), refused.headers["Content-Type"] or "application/json")

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any  # noqa: N815  the library's names

        def _say(self, status: int, body: bytes, kind: str | None) -> None:
            self.send_response(status)
            self.send_header("X-Elastic-Product", "Elasticsearch")
            self.send_header("Content-Type", kind or "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        one.url = f"http://127.0.0.1:{serving.server_port}"
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield one
        serving.shutdown()
