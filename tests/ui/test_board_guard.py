"""Who may reach the board: names it has, pages of its own, and nobody beyond this machine by mistake."""

from __future__ import annotations

import http.client
import re
import socket
import time
import urllib.request
from collections.abc import Iterator

import pytest

from groundswell.configs.schema import DigestSettings, Person, Settings
from groundswell.ui.board.launch import OpenBoardError, known_names, launch, start
from groundswell.ui.board.server import send_at_once
from groundswell.ui.report.editions.ledger import stop_address, stopped_people
from tests.ui.seed import World


@pytest.fixture(scope="module")
def port(seeded: World) -> Iterator[int]:
    """Serve the board on loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = int(free.getsockname()[1])
    board = start(seeded.settings, port=number)
    try:
        _wait(number)
        yield number
    finally:
        board.terminate()
        board.wait(20)


def _wait(port: int) -> None:
    for _ in range(300):
        try:
            if _ask(port, f"127.0.0.1:{port}") == 200:
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError("the board did not start")


def _ask(port: int, host: str, *, method: str = "GET", path: str = "/_stcore/health", **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, headers={"Host": host, **headers})
        return connection.getresponse().status
    finally:
        connection.close()


def _socket(port: int, host: str, origin: str | None) -> int:
    """Return what is answered to a page that opens the board's socket; 101 lets it in."""
    more = {"Origin": origin} if origin else {}
    return _ask(
        port, host, path="/_stcore/stream", Connection="Upgrade", Upgrade="websocket",
        **{"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw=="}, **more,
    )  # fmt: skip


@pytest.mark.slow
def test_the_board_is_reached_under_its_own_names_alone(port: int) -> None:
    """A page whose name is pointed at this machine afterwards reaches nothing."""
    assert _ask(port, f"127.0.0.1:{port}") == _ask(port, f"localhost:{port}") == 200
    assert _ask(port, f"rebound.example:{port}") == _ask(port, "") == 403


@pytest.mark.slow
def test_only_the_board_s_own_pages_open_its_socket(port: int) -> None:
    """Neither a page elsewhere, nor one on another port of this machine, nor one that does not say where it is from."""
    host = f"127.0.0.1:{port}"
    assert _socket(port, host, f"http://{host}") == 101
    for origin in (f"http://127.0.0.1:{port + 1}", "https://elsewhere.example", "null", None):
        assert _socket(port, host, origin) == 403, origin
    assert _socket(port, f"rebound.example:{port}", f"http://rebound.example:{port}") == 403
    assert _ask(port, host, method="POST", path="/_stcore/upload_file/x/y", Origin="https://elsewhere.example") == 403


def test_a_small_answer_does_not_wait_for_an_acknowledgement() -> None:
    """A socket opened as Streamlit opens its own leaves Nagle's algorithm on; after this its connections do not."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        assert not _sends_at_once(listening)
        send_at_once()
        assert _sends_at_once(listening)


def _sends_at_once(listening: socket.socket) -> bool:
    with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
        return bool(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))


@pytest.mark.slow
def test_a_page_names_the_scripts_of_its_first_elements(port: int) -> None:
    """Each is named once and is there; the page that no browser reads again is as long as it says."""
    page = _page(port, "/inbox")
    named = re.findall(r'href="\./(static/js/[^"]+)"', page)
    assert any("/Html." in name for name in named)
    assert len(named) == len(set(named))
    assert {_ask(port, f"127.0.0.1:{port}", path=f"/{name}") for name in named} == {200}


def _page(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
        page: bytes = answer.read()
        assert int(answer.headers["content-length"]) == len(page)
        return page.decode()


@pytest.mark.slow
def test_answers_say_how_they_may_be_used(port: int) -> None:
    """Nobody frames the board, and it loads from itself alone."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    connection.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "board.example"])  # noqa: S104  refused
def test_listening_beyond_this_machine_has_to_be_meant(host: str, settings: Settings) -> None:
    """Without a sign-in everybody could decide in anybody's name."""
    with pytest.raises(OpenBoardError, match="--open-to-everybody"):
        launch(settings, host=host)


def test_the_names_of_a_board_are_those_it_was_given() -> None:
    """Its host and the address that mails lead to."""
    assert known_names("127.0.0.1", "https://Board.example:8443/gs") == (
        "localhost", "127.0.0.1", "::1", "127.0.0.1", "board.example",
    )  # fmt: skip
    assert known_names("0.0.0.0") == ()  # noqa: S104  compared, not bound


@pytest.fixture
def settings(seeded: World) -> Settings:
    """Return the seeded world's settings."""
    return seeded.settings


@pytest.mark.slow
def test_one_click_ends_somebody_s_digests_and_a_look_does_not(world: World) -> None:
    """As mail services click (RFC 8058): a post without a page, a name or a sign-in; nobody can click for another."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = int(free.getsockname()[1])
    mei = Person(id="mei", address="mei@example.org")
    mail = DigestSettings(people=(mei,), board_url=f"http://127.0.0.1:{number}")
    settings = world.settings.model_copy(update={"digest": mail})
    address = stop_address(settings, mei).partition(str(number))[2]
    board = start(settings, port=number)
    try:
        _wait(number)
        here = f"127.0.0.1:{number}"

        def stopped() -> set[str]:
            with world.reader() as reader:
                return stopped_people(reader, settings)

        assert _ask(number, here, path=address) == 200
        assert _ask(number, here, method="POST", path=address.replace("key=", "key=0")) == 404
        assert _ask(number, here, method="POST", path=address, Origin="https://elsewhere.example") == 403
        assert stopped() == set()
        assert _click(number, address) == 200
        assert stopped() == {"mei"}
    finally:
        board.terminate()
        board.wait(20)


def _click(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", path, "List-Unsubscribe=One-Click", form)
        return connection.getresponse().status
    finally:
        connection.close()
