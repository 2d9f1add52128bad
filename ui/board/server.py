"""What serves the board: Streamlit's app behind a guard that knows which names and pages may reach it.

Loopback is no wall: any page that a reader opens may send requests there, and a page whose name is pointed at this
machine afterwards (DNS rebinding) is same-origin with it. So a request must be addressed to a name the board has, and
what changes anything must come from the board's own pages (OWASP, CSRF and DNS rebinding).
"""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from streamlit.starlette import App

from groundswell.ui.board.first_words import first_words
from groundswell.ui.board.launch import NAMES_VARIABLE, SETTINGS_VARIABLE, given_settings, host_name, sign_in
from groundswell.ui.board.preload import Preload
from groundswell.ui.board.statics import Statics

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    # Streamlit writes styles inline, and Vega compiles its expressions.
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
}
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class Guard:
    """ASGI middleware: refuses requests for other names or from other pages, and says how answers may be used.

    Args:
        app: what is guarded.
        names: host names, without ports, under which it may be reached; any where empty.
        https: whether browsers reach it over TLS, so that cookies may go nowhere else.
    """

    def __init__(self, app: AsgiApp, names: Iterable[str] = (), *, https: bool = False) -> None:
        self.app, self.names, self.https = app, frozenset(names), https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with 403."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif not self._allowed(scope, _headers(scope)):
            await _refuse(scope, receive, send)
        else:
            await self.app(scope, receive, _with_headers(send, https=self.https))

    def _allowed(self, scope: Scope, headers: Mapping[str, str]) -> bool:
        host = headers.get("host", "")
        if self.names and host_name(f"//{host}") not in self.names:
            return False
        origin = headers.get("origin")
        if origin is None:
            return bool(scope["type"] == "http")  # browsers always name the page that opens a socket
        asks: bool = scope["type"] == "http" and scope["method"] in SAFE
        return asks or urlsplit(origin).netloc.lower() == host.lower()


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 403, in words to a request and by closing a socket."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})  # RFC 6455: policy violation
        return
    body = b"This board is not reached under this name; see board.host and digest.board_url.\n"
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _with_headers(send: Send, *, https: bool) -> Send:
    async def sent(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            had = {name.lower() for name, _ in message["headers"]}
            more = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in had]
            kept = [(name, _over_tls(name, value) if https else value) for name, value in message["headers"]]
            message["headers"] = [*kept, *more]
        await send(message)

    return sent


def send_at_once() -> None:
    """Have every connection send small messages at once instead of waiting for the last one's acknowledgement.

    Streamlit 1.67 opens its socket without naming the protocol, and asyncio then leaves Nagle's algorithm on: every
    answer after a connection's first waits some 40 ms for the browser's delayed acknowledgement (RFC 896, RFC 1122
    4.2.3.2; uvicorn issue 3149). What a listening socket is set to, the connections it accepts inherit.
    """
    for listening in _listening():
        with suppress(OSError), listening:
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _listening() -> Iterator[socket.socket]:
    """Yield a second handle of each TCP socket on which this process takes connections."""
    for file in Path("/dev/fd").iterdir():
        with suppress(OSError):
            handle = socket.socket(fileno=os.dup(int(file.name)))
            if handle.type == socket.SOCK_STREAM and handle.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                yield handle
            else:
                handle.close()


@asynccontextmanager
async def _life(_: App) -> AsyncIterator[None]:
    send_at_once()
    Thread(target=_prepare, daemon=True).start()
    yield


def _prepare() -> None:
    """Import and read what the first page needs while nobody waits for it."""
    import_module("groundswell.ui.views.today")
    import_module("groundswell.ui.board.queries").read_ahead()


async def _unsubscribe(request: Request) -> Response:
    from groundswell.ui.board.unsubscribe import unsubscribe  # when somebody asks: the board opens sooner without

    return await unsubscribe(request)


def _over_tls(name: bytes, value: bytes) -> bytes:
    """Return a header; a cookie (Streamlit's own say nothing of it) goes over TLS alone."""
    return value + b"; Secure" if name.lower() == b"set-cookie" and b"; secure" not in value.lower() else value


_known = given_settings(os.environ.get(SETTINGS_VARIABLE, ""))
_names = [name for name in os.environ.get(NAMES_VARIABLE, "").split(",") if name]
# Streamlit finds an app by reading this file, not by running it: the call must stand here as it is.
app = App(
    Path(__file__).parent / "main.py",
    routes=[Route("/unsubscribe", _unsubscribe, methods=["GET", "POST"])],
    lifespan=_life,
    middleware=[
        Middleware(Guard, names=_names, https=_known.digest.board_url.startswith("https://")),
        Middleware(Statics),
        Middleware(Preload, words=first_words),
    ],
    secrets=sign_in(_known, os.environ) or None,
)
