"""What the first page says before its scripts run, and the files that it is made of."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import anyio
import pytest

from groundswell.configs.schema import AccessSettings
from groundswell.ui.board import first_words as words
from groundswell.ui.board import queries
from groundswell.ui.board.elements import esc
from groundswell.ui.board.first_words import first_words
from groundswell.ui.board.preload import with_links, with_words
from groundswell.ui.board.statics import Statics
from groundswell.ui.report.today import lead
from tests.ui.seed import World


@pytest.fixture(autouse=True)
def _forget() -> None:
    """Begin with nothing made."""
    queries._answers.clear()
    queries._settings.cache_clear()


def test_the_first_page_says_at_once_what_today_says_and_only_once_it_is_made(
    shown: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of an earlier state; what is missing is begun to be made; in the browser's language, escaped."""
    begun = list[object]()
    monkeypatch.setattr(words, "_make", begun.append)
    assert first_words("/", {}) == b""
    assert len(begun) == 1
    queries.read_ahead()
    first, rest = lead(queries.today())
    said = first_words("/today", {}).decode()
    assert esc(first) in said
    assert esc(rest) in said
    assert "<h1>今天</h1>" in first_words("/", {"accept-language": "zh-HK"}).decode()
    kept = {"cookie": "groundswell-language=id", "accept-language": "zh-HK"}
    assert "<h1>Hari ini</h1>" in first_words("/", kept).decode()
    assert first_words("/inbox", {}) == b""
    assert first_words("/", {"cookie": "\x00;;=", "accept-language": ";;q=x"}).startswith(b"<style>")
    queries._changes[0] += 1  # somebody decides something: what was said before is not said again
    assert first_words("/", {}) == b""


def test_who_has_to_sign_in_is_told_nothing_before(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page says by itself everybody reads who reaches it."""
    access = AccessSettings.model_construct(issuer="https://id.example.org")
    closed = world.settings.model_copy(update={"access": access})
    monkeypatch.setattr(queries, "settings", lambda: closed)
    monkeypatch.setattr(queries, "today_if_made", lambda: pytest.fail("was asked"))
    assert first_words("/", {}) == b""


def test_words_stand_in_front_of_what_scripts_draw_and_go_with_it() -> None:
    """A page without words, or of another shape, stays as it is; Streamlit's own font is not fetched."""
    page = (
        b'<head><link\n rel="preload"\n href="./static/media/SourceSansVF-Upright.ttf.x.woff2"\n as="font" />\n</head>'
    )
    assert b"SourceSans" not in with_links(page)
    made = with_words(b'<body><div id="root"></div></body>', b"<p>Two alerts wait.</p>")
    assert made.index(b"Two alerts") < made.index(b'id="root"') < made.index(b"MutationObserver")
    assert with_words(b"<body></body>", b"<p>x</p>") == b"<body></body>"
    assert with_words(b'<div id="root"></div>', b"") == b'<div id="root"></div>'


def test_files_come_out_of_memory_packed_for_who_is_far(tmp_path: Path) -> None:
    """The same bytes either way; names that are none, and other ways of asking, are passed on."""
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "one.B1.js").write_bytes(b"export const one = 1;" * 50)
    (tmp_path / "secret.txt").write_bytes(b"no")
    passed = list[str]()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope["path"])

    def ask(path: str, client: str = "127.0.0.1", method: str = "GET", **headers: str) -> list[Any]:
        sent = list[Any]()

        async def send(message: Any) -> None:
            sent.append(message)

        given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "path": path, "method": method, "client": (client, 1), "headers": given}
        anyio.run(Statics(app, tmp_path), scope, None, send)
        return sent

    plain = ask("/static/js/one.B1.js", accept_encoding="gzip")
    far = ask("/static/js/one.B1.js", "192.0.2.7", accept_encoding="gzip, br")
    proxied = ask("/static/js/one.B1.js", accept_encoding="gzip", x_forwarded_for="192.0.2.7")
    assert plain[1]["body"] == gzip.decompress(far[1]["body"]) == gzip.decompress(proxied[1]["body"])
    assert len(far[1]["body"]) < len(plain[1]["body"]) / 4
    assert (b"content-encoding", b"gzip") in far[0]["headers"]
    assert ask("/static/js/one.B1.js", "192.0.2.7")[1]["body"] == plain[1]["body"]
    for path, method in (
        ("/static/../secret.txt", "GET"),
        ("/static/secret.txt", "GET"),
        ("/static/js/one.B1.js", "POST"),
    ):
        assert ask(path, method=method) == []
    assert len(passed) == 3
