"""What the first page says on top, in the page itself: read before any script of it runs or a socket is open.

Streamlit's page is empty until some eighty scripts have run and its server has been asked over a socket. What Today
says first is usually made already, for whoever looked last; so it is sent along, true as it is kept, and goes when the
page itself is drawn. Where nobody made it since the store changed, or somebody has to sign in first, nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import copy_context
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from threading import Lock, Thread

from groundswell.ui.report.tongue import preferred, speak, tongue_of

COOKIE = "groundswell-language"
"""Where a browser keeps the language that its person chose."""
FRONT = ("/", "/today")
"""Addresses of the first page."""
# As board.css draws the same words: where they stand does not change when the page comes.
STYLE = """
#first-words { position: fixed; inset: 0; z-index: 2; padding: 22px 28px 0 218px; background: #f7f6f3; color: #1d1f24;
  font: 14px/1.45 Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Helvetica Neue', Arial,
  'Noto Sans Thai', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif; box-sizing: border-box }
#first-words > div { max-width: 1184px }
#first-words a { color: inherit; text-decoration: none }
#first-words h1 { font-size: 22px; font-weight: 700; margin: 0; letter-spacing: -.02em; line-height: 1.25 }
#first-words .top { display: flex; align-items: baseline; flex-wrap: wrap; gap: 2px 18px }
#first-words .top span { color: #6b6f78 }
#first-words .lead { margin: 6px 0 2px; font-size: 15px }
@media (max-width: 768px) { #first-words { padding-left: 28px } }
@media (max-width: 640px) { #first-words { padding: 44px 14px 0 } }
@media (prefers-color-scheme: dark) { #first-words { background: #14161a; color: #eceae4 }
  #first-words .top span { color: #9a9da5 } }
"""
GOES = """
{ const words = document.getElementById('first-words');
  const gone = () => document.querySelector('.stHtml h1, [data-testid=stException], .st-key-sign-in') && words.remove();
  new MutationObserver((_, self) => { gone(); if (!words.isConnected) self.disconnect(); })
    .observe(document.getElementById('root'), {childList: true, subtree: true}); }
"""
"""The script that takes the words away once the page has its title."""
_preparing = Lock()


def first_words(path: str, headers: Mapping[str, str]) -> bytes:
    """Return the elements for the body of a page: what Today says first, or nothing where that is not made yet.

    What is not made is begun to be made, while the browser still reads its scripts.

    Args:
        path: of the address that is asked for.
        headers: of the request, names in lower case.
    """
    if path not in FRONT:
        return b""
    return copy_context().run(_words, headers)


def _words(headers: Mapping[str, str]) -> bytes:
    queries = import_module("groundswell.ui.board.queries")  # what imports Streamlit's face comes when it is needed
    if queries.settings().access.issuer:
        return b""
    today = queries.today_if_made()
    if today is None:
        _make(queries.read_ahead)
        return b""
    speak(tongue_of([_cookie(headers.get("cookie", "")), *preferred(headers.get("accept-language", ""))]))
    words = import_module("groundswell.ui.views.today").opening(today, queries.zone())
    return f'<style>{STYLE}</style><div id="first-words" inert><div>{words}</div></div>'.encode()


def _make(make: Callable[[], None]) -> None:
    """Begin to make what is missing, unless that has begun already."""

    def run() -> None:
        with _preparing:
            make()

    if not _preparing.locked():
        Thread(target=run, daemon=True).start()


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
