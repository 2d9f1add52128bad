"""Streamlit's own scripts and styles, out of memory: a page asks for some eighty of them before it shows anything.

Each has its hash in its name, so that what is read once stays good. Over a network they come packed (gzip), which
Streamlit leaves out for scripts: a third of the bytes; to this machine itself they go as they are.
"""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit
from anyio import to_thread

FOLDER = Path(streamlit.__file__).parent / "static" / "static"
PREFIX = "/static/"
TYPES = {".js": b"text/javascript; charset=utf-8", ".css": b"text/css; charset=utf-8", ".woff2": b"font/woff2"}
PACKED = frozenset({".js", ".css"})
NEAR = frozenset({"127.0.0.1", "::1"})
Message = MutableMapping[str, Any]
AsgiApp = Callable[[Message, Any, Callable[[Message], Awaitable[None]]], Awaitable[None]]


class Statics:
    """ASGI middleware: answers for the files that Streamlit's page is made of; anything else is passed on.

    Args:
        app: what answers for the rest.
        folder: of the files, by their names below ``/static/``.
    """

    def __init__(self, app: AsgiApp, folder: Path = FOLDER) -> None:
        self.app = app
        self.files = {
            f"{PREFIX}{file.relative_to(folder).as_posix()}": file
            for file in sorted(folder.rglob("*"))
            if file.suffix in TYPES and file.is_file()
        }

    async def __call__(self, scope: Message, receive: Any, send: Callable[[Message], Awaitable[None]]) -> None:
        """Answer, or pass a request on."""
        file = self.files.get(scope.get("path", ""))
        if file is None or scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        packed = file.suffix in PACKED and _wants_packed(scope)
        body = await to_thread.run_sync(_packed, file) if packed else _read(file)
        headers = [
            (b"content-type", TYPES[file.suffix]),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"public, immutable, max-age=31536000"),
            (b"vary", b"accept-encoding"),
        ]
        if packed:
            headers.append((b"content-encoding", b"gzip"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _wants_packed(scope: Message) -> bool:
    """Tell whether who asks is elsewhere and can unpack: behind a proxy on this machine, the name it forwards tells."""
    headers = {name.lower(): value for name, value in scope["headers"]}
    far = (scope.get("client") or ("",))[0] not in NEAR or b"x-forwarded-for" in headers
    return far and b"gzip" in headers.get(b"accept-encoding", b"")


@cache
def _read(file: Path) -> bytes:
    return file.read_bytes()


@cache
def _packed(file: Path) -> bytes:
    return gzip.compress(_read(file), 6, mtime=0)
