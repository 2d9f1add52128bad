"""The mail says what the board says, reaches each reader once, and carries nobody's code."""

from __future__ import annotations

import email
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from groundswell.configs.schema import DigestSettings, Settings
from groundswell.index.records import Checkpoint, Signal
from groundswell.ui.desk import Desk
from groundswell.ui.report.digest import Digest, blocks, edition_of, make_digest, note_edition
from groundswell.ui.report.mail import (
    DigestError,
    address_of,
    check_server,
    header_text,
    message_of,
    send_digest,
    write_digest,
)
from groundswell.ui.report.series import Series
from tests.ui.seed import World, signal_id

READERS = ("mei@example.org", "arif@example.org")


class _Handler:
    """A mail server's inside: takes everything but what is addressed to `refuses`."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.refuses: set[str] = set()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802  # aiosmtpd's name
        """Take or refuse a recipient."""
        if address in self.refuses:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        """Keep a mail."""
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.mails.append((envelope.rcpt_tos, message))
        return "250 OK"


@dataclass
class _Server:
    """A real mail server on loopback."""

    handler: _Handler
    port: int


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def server() -> Iterator[_Server]:
    """Run a mail server without login."""
    handler, port = _Handler(), _free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield _Server(handler, port)
    finally:
        controller.stop()


def _with_mail(world: World, port: int, **more: Any) -> Settings:
    mail: dict[str, Any] = {"recipients": READERS, "smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none"}
    return world.settings.model_copy(update={"digest": DigestSettings(**(mail | more))})


def _digest(world: World) -> Digest:
    with world.reader() as reader:
        return make_digest(reader, world.settings, now=world.now)


@pytest.fixture(scope="module")
def digest(seeded: World) -> Digest:
    """Return the mail of the seeded world."""
    return _digest(seeded)


class _Seen(HTMLParser):
    """Collects elements, links, classes and styles of a mail."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data


def _seen(html: str) -> _Seen:
    parser = _Seen()
    parser.feed(html)
    return parser


# --- what it says --------------------------------------------------------------------------------------------------


def test_it_says_what_changed_in_both_forms(digest: Digest) -> None:
    """Subject, lead, alerts, movers and gaps stand in HTML and in text."""
    assert re.fullmatch(r"Groundswell: Minister's face in trading-app ads in MY, SG; 1 more", digest.subject)
    for said in ("Four alerts wait.", "Minister's face in trading-app ads", "31 posts in 9 hours", "shoppers_vn"):
        assert said in digest.text
        assert said in _seen(digest.html).text
    assert "▁" in digest.text


def test_nothing_of_strangers_runs_or_loads(digest: Digest) -> None:
    """No script, picture, form or handler, and every link leads to the board."""
    seen = _seen(digest.html)
    assert not seen.tags & {"script", "img", "iframe", "form", "object", "link", "svg"}
    assert not {name for name in seen.attributes if name.startswith("on")}
    assert all(link.startswith("http://127.0.0.1:8501/") for link in seen.links)
    assert '<img src=x onerror="document.body.dataset.owned=1">' in seen.text


def test_styles_stand_inside_and_dark_screens_have_theirs(digest: Digest) -> None:
    """Mail clients drop style sheets; the dark rules are all that is left in one."""
    sheet = "".join(re.findall(r"<style>(.*?)</style>", digest.html, re.DOTALL))
    assert "prefers-color-scheme" in sheet
    assert "max-width" in digest.html
    assert not re.search(r"^\s*\.panel\s*\{", sheet.split("@media")[0], re.MULTILINE)


def test_links_lead_to_the_address_readers_can_reach(world: World) -> None:
    """Behind a proxy the board has another address than the one it listens on."""
    mail = DigestSettings(board_url="https://board.example/gs/")
    settings = world.settings.model_copy(update={"digest": mail})
    with world.reader() as reader:
        html = make_digest(reader, settings, now=world.now).html
    assert all(link.startswith("https://board.example/gs/") for link in _seen(html).links)


def test_cases_that_wait_are_in_it(world: World) -> None:
    """An open case that is late stands in the mail with its owner."""
    with world.store() as store:
        Desk(store).open_case(signal_id("deepfake"), by="mei", owner="Mei", now=world.now - timedelta(hours=9))
    text = _digest(world).text
    assert "CASES THAT WAIT" in text
    assert re.search(r"Minister's face in trading-app ads \(Mei, 5.h late\)", text)


def test_an_empty_store_makes_an_honest_mail(empty: World) -> None:
    """Nothing crawled is said; nothing fails."""
    assert "Nothing has been crawled yet" in _digest(empty).text


def test_a_small_chart_is_as_tall_as_its_values() -> None:
    """The lowest is lowest, the highest highest, and a day without a value is empty."""
    days = tuple(datetime(2026, 11, day, tzinfo=UTC) for day in range(1, 5))
    assert blocks(Series(days, (0.0, 4.0, 8.0, None), (None,) * 4)) == "▁▄█▁"


def test_a_title_cannot_write_headers(world: World) -> None:
    """Line breaks in what becomes a subject or a title never reach a header."""
    with world.store() as store:
        alert = store.get(Signal, signal_id("deepfake"))
        assert alert is not None
        store.put([replace(alert, title="x\r\nBcc: all@example.org\r\n\r\nhello")])
    message = message_of(_digest(world), DigestSettings())
    assert message["Bcc"] is None
    for subject in ("x\r\nBcc: all@example.org", "x =?utf-8?q?a=0D=0ABcc:_all=40example.org?= 部长"):
        evil = Digest(subject, "<p>", "t", "2026-11-22", world.now)
        raw = message_of(evil, DigestSettings()).as_bytes()
        assert not re.search(rb"^Bcc:", raw, re.MULTILINE)
        assert email.message_from_bytes(raw, policy=default)["Subject"] == header_text(subject)


@pytest.mark.parametrize("address", ["a@example.org\r\nBcc: b@example.org", "nobody", "a b@example.org", ""])
def test_what_is_no_address_is_named(address: str) -> None:
    """A wrong recipient is refused before anything is sent."""
    with pytest.raises(DigestError, match=r"digest\.recipients"):
        address_of(address, "digest.recipients")


# --- writing and sending it ----------------------------------------------------------------------------------------


def test_it_is_written_as_page_text_and_message(digest: Digest, tmp_path: Path) -> None:
    """Three files of the day; the message opens in any mail client and holds both forms."""
    files = write_digest(digest, tmp_path / "out")
    assert [file.name for file in files] == [f"digest-{digest.day}{end}" for end in (".html", ".txt", ".eml")]
    message = email.message_from_bytes(files[2].read_bytes(), policy=default)
    assert isinstance(message, EmailMessage)
    assert message["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    text = message.get_body(("plain",))
    assert text is not None
    assert text.get_content().replace("\r\n", "\n") == digest.text


def test_it_reaches_everybody_once_a_day(world: World, server: _Server) -> None:
    """Asked twice, the server gets one mail; the next day's is another."""
    settings, digest = _with_mail(world, server.port), _digest(world)
    with world.store() as store:
        assert "2 recipients" in send_digest(digest, settings, store, now=world.now)
        assert "sent before" in send_digest(digest, settings, store, now=world.now)
        assert len(server.handler.mails) == 1
        recipients, message = server.handler.mails[0]
        assert sorted(recipients) == sorted(READERS)
        assert message["Subject"] == digest.subject
        assert "example.org" not in str(message["To"])  # nobody sees the others
        send_digest(replace(digest, day="2099-01-01"), settings, store, now=world.now)
        assert len(server.handler.mails) == 2
        mark = store.get(Checkpoint, f"digest/{digest.day}")
        assert mark is not None
        assert "example.org" not in str(mark.value)


def test_who_was_refused_is_named_and_tried_again_alone(world: World, server: _Server) -> None:
    """One full mailbox does not cost the others their mail, nor send it to them twice."""
    settings, digest = _with_mail(world, server.port), _digest(world)
    server.handler.refuses = {"arif@example.org"}
    with world.store() as store:
        with pytest.raises(DigestError, match=r"refused: arif@example\.org \(550 no such mailbox\); 1 other sent"):
            send_digest(digest, settings, store, now=world.now)
        server.handler.refuses = set()
        assert "1 recipient" in send_digest(digest, settings, store, now=world.now)
    assert [recipients for recipients, _ in server.handler.mails] == [["mei@example.org"], ["arif@example.org"]]


def test_all_refused_is_an_error_and_nobody_counts_as_served(world: World, server: _Server) -> None:
    """Refusing everybody leaves nothing marked as sent."""
    server.handler.refuses = set(READERS)
    with world.store() as store:
        with pytest.raises(DigestError, match="0 others sent"):
            send_digest(_digest(world), _with_mail(world, server.port), store, now=world.now)
        server.handler.refuses = set()
        assert "2 recipients" in send_digest(_digest(world), _with_mail(world, server.port), store, now=world.now)


@pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")  # on loopback, for the test
def test_login_is_used_and_a_wrong_password_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The password comes from the environment, and the error names the setting and the variable."""

    def check(server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"digest", b"right"), handled=False)

    port = _free_port()
    controller = Controller(
        _Handler(), hostname="127.0.0.1", port=port, authenticator=check, auth_require_tls=False, auth_required=True
    )
    controller.start()
    try:
        settings = _with_mail(world, port, smtp_user="digest", smtp_password_env="TEST_SMTP")
        with world.store() as store:
            with pytest.raises(DigestError, match="TEST_SMTP holds no password"):
                send_digest(_digest(world), settings, store, now=world.now)
            monkeypatch.setenv("TEST_SMTP", "wrong")
            with pytest.raises(DigestError, match=r"refused the login of digest: look at digest\.smtp_user"):
                send_digest(_digest(world), settings, store, now=world.now)
            monkeypatch.setenv("TEST_SMTP", "right")
            assert "2 recipients" in send_digest(_digest(world), settings, store, now=world.now)
    finally:
        controller.stop()


def test_a_server_without_encryption_is_not_used_as_if_it_had(world: World, server: _Server) -> None:
    """STARTTLS asked for and not offered: nothing is sent, and the setting is named."""
    settings = _with_mail(world, server.port, smtp_security="starttls")
    with world.store() as store, pytest.raises(DigestError, match=r"digest\.smtp_security"):
        send_digest(_digest(world), settings, store, now=world.now)
    assert server.handler.mails == []


def test_one_wrong_address_does_not_cost_the_others_their_mail(world: World, server: _Server) -> None:
    """Who cannot be written to is named, and everybody else is served; once."""
    wrong = ("b at example.org", "chính@example.org")
    settings = _with_mail(world, server.port, recipients=(*wrong, "Mei Tan <mei@example.org>"))
    with world.store() as store:
        for times in (1, 0):
            with pytest.raises(DigestError, match=rf"b at example\.org.*{times} others? sent"):
                send_digest(_digest(world), settings, store, now=world.now)
    served = {recipient for recipients, _ in server.handler.mails for recipient in recipients}
    assert "mei@example.org" in served
    assert len(server.handler.mails) == len(served)


@pytest.mark.parametrize(
    ("typed", "name", "spec"),
    [
        ("mei@example.org", "", "mei@example.org"),
        ("Mei Tan <mei@example.org>", "Mei Tan", "mei@example.org"),
        ('"Tan, Mei" <mei@example.org>', "Tan, Mei", "mei@example.org"),
        ("监测 <alerts@corp.example>", "监测", "alerts@corp.example"),
        ("alerts@公司.example", "", "alerts@xn--55qx5d.example"),
    ],
)
def test_an_address_is_read_as_people_write_it(typed: str, name: str, spec: str) -> None:
    """With a name before it, in any script."""
    address = address_of(typed, "digest.recipients")
    assert (address.display_name, address.addr_spec) == (name, spec)


def test_three_at_once_send_once(world: World, server: _Server) -> None:
    """Cron, a colleague and a retry meet; each reader has one mail."""
    settings = _with_mail(world, server.port)
    file = world.settings.data_dir / "settings.json"
    file.write_text(settings.model_dump_json())
    code = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path\n"
        "from groundswell.configs.schema import Settings; from groundswell.index.open import open_store\n"
        "from groundswell.ui.report.digest import Digest; from groundswell.ui.report.mail import send_digest\n"
        "settings = Settings.model_validate_json(Path(sys.argv[1]).read_text()); now = datetime.now(UTC)\n"
        "with open_store(settings) as store:\n"
        "    send_digest(Digest('s', '<p>h</p>', 't', '2026-11-30', now), settings, store, now=now)\n"
    )
    senders = [subprocess.Popen([sys.executable, "-c", code, str(file)]) for _ in range(3)]
    assert [sender.wait(60) for sender in senders] == [0, 0, 0]
    assert len(server.handler.mails) == 1


def test_an_edition_ends_at_its_hour_and_begins_where_the_last_ended(world: World) -> None:
    """No hour is in no mail, and the clock decides the day, also where nothing is crawled any more."""
    settings = DigestSettings(timezone="Asia/Singapore", hour=8)
    first = datetime(2026, 11, 27, 18, 30, tzinfo=UTC)  # 02:30 in Singapore, the 28th
    with world.store() as store:
        edition = edition_of(store, settings, now=first)
        assert (edition.day, edition.upto) == ("2026-11-27", first)
        note_edition(store, edition, now=first)
        assert edition_of(store, settings, now=first + timedelta(hours=1)) == edition
        later = edition_of(store, settings, now=datetime(2026, 11, 28, 0, 5, tzinfo=UTC))
        eight = datetime(2026, 11, 28, 0, 0, tzinfo=UTC)
        assert (later.day, later.since, later.upto) == ("2026-11-28", eight - timedelta(days=1), eight)
        note_edition(store, later, now=eight)
        after_three_days = edition_of(store, settings, now=datetime(2026, 12, 1, 9, 0, tzinfo=UTC))
        assert (after_three_days.day, after_three_days.since) == ("2026-12-01", eight)


def test_a_day_on_which_nothing_was_seen_says_so_first(world: World) -> None:
    """An outage is no calm, and no archive."""
    with world.reader() as reader:
        digest = make_digest(reader, world.settings, now=world.now + timedelta(days=5))
    assert re.match(r"Groundswell: Nothing was seen since .* \d{4}$", digest.subject)
    assert "not known to be calm" in digest.text
    assert digest.day > _digest(world).day


def test_the_doctor_goes_as_far_as_a_mail_would(world: World, server: _Server) -> None:
    """A server that would not take the mail is found before the morning."""
    assert "takes mail from" in check_server(_with_mail(world, server.port).digest)
    with pytest.raises(DigestError, match=r"digest\.smtp_security"):
        check_server(_with_mail(world, server.port, smtp_security="starttls").digest)
    assert server.handler.mails == []


def test_no_server_and_nobody_are_told(world: World) -> None:
    """A closed port, no host, no recipients: each has its sentence."""
    port, digest = _free_port(), _digest(world)
    with world.store() as store:
        with pytest.raises(DigestError, match=f"127.0.0.1:{port} did not take the mail"):
            send_digest(digest, _with_mail(world, port), store, now=world.now)
        with pytest.raises(DigestError, match=r"set digest\.smtp_host"):
            send_digest(digest, _with_mail(world, port, smtp_host=""), store, now=world.now)
        with pytest.raises(DigestError, match=r"name addresses in digest\.recipients"):
            send_digest(digest, _with_mail(world, port, recipients=()), store, now=world.now)
