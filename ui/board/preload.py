"""The page's scripts, named in its head: Streamlit's page asks for each element's only when the first one is drawn."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit

from groundswell.ui.board.first_words import FRONT, GOES

SCRIPTS = Path(streamlit.__file__).parent / "static" / "static" / "js"
DRAWN = ("Html", "purify.es", "PageLink", "TextInput", "Selectbox", "Button")
"""Elements that every first page draws, by the names of their scripts, which end in a hash."""
ROOT = b'<div id="root"></div>'
Message = MutableMapping[str, Any]
Words = Callable[[str, Mapping[str, str]], bytes]
Send = Callable[[Message], Awaitable[None]]
IMPORTED = re.compile(r"""(?:from|import)\s*["']\./([\w.-]+\.js)["']""")


@cache
def links() -> bytes:
    """Return the elements for the head of the page (HTML, ``modulepreload``); nothing where no script is found."""
    names = closure(SCRIPTS, [file.name for name in DRAWN for file in SCRIPTS.glob(f"{name}.*.js")])
    return "".join(f'<link rel="modulepreload" crossorigin href="./static/js/{name}">' for name in names).encode()


def closure(folder: Path, names: Sequence[str]) -> list[str]:
    """Return scripts and all that they import at once, each once, in the order found.

    >>> closure(Path("/nowhere"), [])
    []
    """
    found: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop(0)
        if name not in found and (folder / name).is_file():
            found[name] = None
            waiting += imported((folder / name).read_text(encoding="utf-8"))
    return list(found)


def imported(script: str) -> Iterable[str]:
    """Return the names of the scripts beside it that a script imports before it runs.

    >>> imported('import{a}from"./one.B1.js";import"./two.js";const lazy=()=>import("./three.js")')
    ['one.B1.js', 'two.js']
    """
    return IMPORTED.findall(script)


UNUSED_FONT = re.compile(rb'<link\s+rel="preload"[^>]*?SourceSansVF[^>]*?/>\s*')
"""Streamlit's own font, which its page fetches first of all; the board is set in another."""


def with_links(page: bytes) -> bytes:
    """Return a page whose head names the scripts that it does not name yet, and no font that nothing is set in.

    >>> with_links(b"no head")
    b'no head'
    """
    return UNUSED_FONT.sub(b"", page).replace(b"</head>", _unnamed(page) + b"</head>", 1)


def with_words(page: bytes, words: bytes) -> bytes:
    """Return a page that says something before its scripts do, in front of where they draw.

    >>> with_words(b'<div id="root"></div>', b"<p>Today</p>")[:31]
    b'<p>Today</p><div id="root"></di'
    """
    if not words:
        return page
    return page.replace(ROOT, words + ROOT + f"<script>{GOES}</script>".encode(), 1)


def _unnamed(page: bytes) -> bytes:
    return b"".join(each + b">" for each in links().split(b">") if each and each.split(b"href=")[1] not in page)


class Preload:
    """ASGI middleware: pages (``text/html``) name the scripts that their first elements will ask for.

    Args:
        app: what answers.
        words: gives what a page says before its scripts do, by path and headers.
    """

    def __init__(self, app: Callable[[Message, Any, Send], Awaitable[None]], words: Words | None = None) -> None:
        self.app, self.words = app, words or _silent

    async def __call__(self, scope: Message, receive: Any, send: Send) -> None:
        """Pass a request on; add to the page that answers it."""
        is_read = scope["type"] == "http" and scope["method"] == "GET"
        if not is_read:
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        await self.app(_whole(scope), receive, _Page(send, lambda: self.words(scope["path"], headers)).send)


class _Page:
    """An answer on its way: a page is held until it is whole, anything else goes on at once."""

    def __init__(self, send: Send, words: Callable[[], bytes]) -> None:
        self._send, self._words = send, words
        self._start: Message = {}
        self._body = b""

    async def send(self, message: Message) -> None:
        """Send a message of the answer on, or hold it."""
        if message["type"] == "http.response.start" and _is_page(message):
            self._start = message
        elif message["type"] == "http.response.body" and self._start:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._whole()
        else:
            await self._send(message)

    async def _whole(self) -> None:
        words = self._words()
        body = with_words(with_links(self._body), words)
        own = {b"content-length"} | ({b"cache-control", b"etag", b"last-modified"} if words else set())
        kept = [(name, value) for name, value in self._start["headers"] if name.lower() not in own]
        fresh = [(b"cache-control", b"no-store")] if words else []
        headers = [*kept, *fresh, (b"content-length", str(len(body)).encode())]
        await self._send({**self._start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def _whole(scope: Message) -> Message:
    """Return a request for the first page that asks for all of it: what it says changes though its file does not."""
    if scope["path"] not in FRONT:
        return scope
    asked = [(name, value) for name, value in scope["headers"] if not name.lower().startswith(b"if-")]
    return {**scope, "headers": asked}


def _silent(_: str, __: Mapping[str, str]) -> bytes:
    return b""


def _is_page(start: Message) -> bool:
    headers = {name.lower(): value for name, value in start["headers"]}
    plain = b"content-encoding" not in headers  # what is packed already is left alone
    return bool(start["status"] == 200 and plain and headers.get(b"content-type", b"").startswith(b"text/html"))
