"""The mail says what the board says, reaches each reader once, and carries nobody's code."""

from __future__ import annotations

import email
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from groundswell.configs.schema import AlertSettings, DigestSettings, Person, QuietHours, Receiver, Settings
from groundswell.index.records import Checkpoint, Delivery, Signal
from groundswell.index.store import Store
from groundswell.nlp.signals.alerts.explanation import RiskCount, Voices, sentence
from groundswell.ui.desk import Desk
from groundswell.ui.report.delivery.ledger import notify
from groundswell.ui.report.delivery.news import alert_news
from groundswell.ui.report.delivery.shapes import facts, headline
from groundswell.ui.report.digest import Digest, blocks
from groundswell.ui.report.editions.changes import Morning, find_changes
from groundswell.ui.report.editions.ledger import (
    Had,
    edition_of,
    person_for,
    send_editions,
    start_again,
    stop,
    stop_address,
)
from groundswell.ui.report.editions.page import LARGEST, _Page, make_digest
from groundswell.ui.report.editions.people import Edition, edition_due, people_of, reader_of, scope_of
from groundswell.ui.report.inbox import find_inbox
from groundswell.ui.report.mail import (
    DigestError,
    Envelope,
    address_of,
    check_server,
    header_text,
    message_of,
    write_digest,
)
from groundswell.ui.report.series import Series
from groundswell.ui.report.tongue import in_tongue
from tests.ui.mail_server import MailServer, free_port, mail_server
from tests.ui.seed import World, signal_id

READERS = ("mei@example.org", "arif@example.org")


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


def test_what_may_become_an_alert_is_told_with_its_chance(digest: Digest) -> None:
    """In the mail and in its text, with the way to the documents."""
    for mail in (digest.html, digest.text):
        assert "rising, not yet sure" in mail.casefold()
        assert "31\N{NO-BREAK SPACE}%" in unescape(mail)
        assert f"of=signal-{signal_id('loans')}" in mail


def test_it_says_what_changed_in_both_forms(digest: Digest) -> None:
    """Subject, news, counts, a quotation with its source, the mood and what was not seen stand in HTML and in text."""
    assert re.fullmatch(r"New: Minister's face in trading-app ads in MY, SG; \d more", digest.subject)
    assert re.search(r"31 posts in 9 hours", digest.text)
    assert re.search(r'"[^"\n]+"\n  [a-z_]+ · \w\w · \d+ \w+ 20\d\d, \d\d:\d\d\n  http', digest.text)
    for said in ("Minister's face in trading-app ads", "Mean mood a day", "shoppers_vn", "no owner yet"):
        assert said in digest.text
        assert said in digest.html.replace("&#39;", "'")
    assert "▁" in digest.text


def test_nothing_of_strangers_runs_or_loads(digest: Digest) -> None:
    """No script, form or handler; the one picture travels in the mail, with words for who cannot see it."""
    seen = _seen(digest.html)
    assert not seen.tags & {"script", "iframe", "form", "object", "link", "svg"}
    assert not {name for name in seen.attributes if name.startswith("on")}
    assert [link for link in seen.links if not link.startswith("http://127.0.0.1:8501/")] == ["cid:mood"]
    assert digest.picture.startswith(b"\x89PNG")
    assert re.search(r'<img[^>]* alt="Mean mood a day, [^"]+lowest', digest.html)
    assert "<img src=x" not in digest.html


def test_every_line_leads_to_the_board(digest: Digest) -> None:
    """In the text each alert, case, gap and sentence has its address; in the page every panel has links."""
    panels = re.findall(r'<table[^>]*class="[^"]*panel.*?</table>', digest.html, re.DOTALL)
    assert panels
    assert all("href=" in panel for panel in panels)


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
    assert all(link.startswith("https://board.example/gs/") for link in _seen(html).links if link != "cid:mood")


def test_cases_that_wait_are_in_it(world: World) -> None:
    """An open case that is late stands in the mail with its owner."""
    with world.store() as store:
        Desk(store).open_case(signal_id("deepfake"), by="mei", owner="Mei", now=world.now - timedelta(hours=9))
    text = _digest(world).text
    assert "OPEN CASES" in text
    assert re.search(r"Minister's face in trading-app ads \(Mei, 5.h late \(", text)


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
    message = message_of(_digest(world), DigestSettings(), Envelope("mei@example.org", "k"))
    assert message["Bcc"] is None
    for subject in ("x\r\nBcc: all@example.org", "x =?utf-8?q?a=0D=0ABcc:_all=40example.org?= 部长"):
        evil = Digest(subject, "<p>", "t", "2026-11-22", world.now)
        raw = message_of(evil, DigestSettings(), Envelope("mei@example.org", "k")).as_bytes()
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
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "multipart/related"]
    assert [part.get_content_type() for part in message.walk()][-2:] == ["text/html", "image/png"]
    assert len(files[2].read_bytes()) < LARGEST
    assert "cid:" not in files[0].read_text("utf-8")
    text = message.get_body(("plain",))
    assert text is not None
    assert text.get_content().replace("\r\n", "\n") == digest.text


def _send(world: World, store: Store, server: MailServer | int, *, at: datetime | None = None, **more: Any) -> str:
    port = server if isinstance(server, int) else server.port
    done = send_editions(store, _with_mail(world, port, **more), now=at or world.now, eager=True)
    return "; ".join([str(done), *done.troubles])


def test_it_reaches_everybody_once_a_day(world: World, server: MailServer) -> None:
    """Asked twice, each reader has one mail of their own; the next day's is another, in the same conversation."""
    board = "https://board.example"
    with world.store() as store:
        assert "2 delivered" in _send(world, store, server, board_url=board)
        assert _send(world, store, server, board_url=board) == ""
        assert sorted(to for to, _ in server.handler.mails) == [["arif@example.org"], ["mei@example.org"]]
        for to, message in server.handler.mails:
            assert str(message["To"]) == to[0]  # nobody sees the others
            assert message["From"].addresses[0].display_name == "Groundswell"
        assert "2 delivered" in _send(world, store, server, at=world.now + timedelta(days=1), board_url=board)
        ids = [message["Message-ID"] for _, message in server.handler.mails]
        assert len(set(ids)) == 4
        assert len({message["References"] for _, message in server.handler.mails}) == 2
        assert "example.org" not in str(store.recent(Delivery))


def test_a_plain_list_has_one_mail_in_which_nobody_sees_the_others(world: World, server: MailServer) -> None:
    """Where no click ends it; whoever is refused costs the others nothing, and alone gets what is sent again."""
    server.handler.refuses = {"arif@example.org"}
    lee = "Lee <lee@example.org>"
    with world.store() as store:
        assert "2 delivered, 1 given up" in _send(world, store, server, recipients=(*READERS, lee))
        assert _send(world, store, server, recipients=(*READERS, lee)) == ""
    ((to, message),) = server.handler.mails
    assert sorted(to) == ["lee@example.org", "mei@example.org"]
    assert not any("@example.org" in value for name, value in message.items() if name != "From")


def test_who_was_refused_costs_the_others_nothing(world: World, server: MailServer) -> None:
    """A mailbox that is not there is given up for this edition; the others have theirs, once."""
    server.handler.refuses = {"arif@example.org"}
    with world.store() as store:
        assert "1 delivered, 1 given up" in _send(world, store, server)
        assert "550 no such mailbox" in next(row.said for row in store.recent(Delivery) if row.status == "dead")
        assert _send(world, store, server) == ""
        assert len(server.handler.mails) == 1


def test_a_server_in_trouble_is_tried_again_and_after_a_pause(world: World, server: MailServer) -> None:
    """4xx is no refusal: by itself not before its pause is over, at once where somebody asks; then nothing is twice."""
    server.handler.answers = ["451 try later", "250 OK"]
    with world.store() as store:
        assert "2 to be tried again" in _send(world, store, server)
        settings = _with_mail(world, server.port)
        assert str(send_editions(store, settings, now=world.now + timedelta(seconds=5))) == ""
        assert str(send_editions(store, settings, now=world.now + timedelta(seconds=31))) == "2 delivered"
    assert len(server.handler.mails) == 1
    assert not any("Perhaps sent before" in str(m.get_body(("plain",))) for _, m in server.handler.mails)


def test_a_line_that_breaks_in_the_middle_is_repeated_and_says_so(world: World, server: MailServer) -> None:
    """Nobody knows whether it arrived: it goes again under the same name, and is never twice in silence."""
    server.handler.drops = 1
    with world.store() as store:
        assert "to be tried again" in _send(world, store, server, recipients=READERS[:1])
        assert "1 delivered" in _send(world, store, server, recipients=READERS[:1])
    first, second = (message for _, message in server.handler.mails)
    assert first["Message-ID"] == second["Message-ID"]
    body = second.get_body(("plain",))
    assert body is not None
    assert "Perhaps sent before" in body.get_content()


def test_killed_between_sending_and_noting_it_says_that_it_may_be_a_repeat(
    world: World, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The begun delivery is seen by the next sender."""
    with world.store() as store:
        put, count = store.put, iter(range(100))

        def killed(records: Any) -> Any:
            if next(count) == 1:  # the note that it was sent
                raise KeyboardInterrupt
            return put(records)

        monkeypatch.setattr(store, "put", killed)
        with pytest.raises(KeyboardInterrupt):
            _send(world, store, server, recipients=READERS[:1])
        monkeypatch.setattr(store, "put", put)
        assert "1 delivered" in _send(world, store, server, recipients=READERS[:1])
        assert _send(world, store, server, recipients=READERS[:1]) == ""
    first, second = (message for _, message in server.handler.mails)
    assert first["Message-ID"] == second["Message-ID"]
    assert "Perhaps sent before" in second.get_body(("plain",)).get_content()  # type: ignore[union-attr]


@pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")  # on loopback, for the test
def test_login_is_used_and_a_wrong_password_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The password comes from the environment, and the error names the setting and the variable."""

    def check(_: SMTP, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"digest", b"right"), handled=False)

    with mail_server(authenticator=check, auth_require_tls=False, auth_required=True) as server:
        settings = _with_mail(world, server.port, smtp_user="digest", smtp_password_env="TEST_SMTP")
        with world.store() as store:

            def sent() -> str:
                done = send_editions(store, settings, now=world.now, eager=True)
                return "; ".join([str(done), *done.troubles])

            assert "TEST_SMTP holds no password" in sent()
            monkeypatch.setenv("TEST_SMTP", "wrong-one")
            assert "refused the login of digest: look at digest.smtp_user" in sent()
            monkeypatch.setenv("TEST_SMTP", "right")
            assert "2 delivered" in sent()


def test_a_server_without_encryption_is_not_used_as_if_it_had(world: World, server: MailServer) -> None:
    """STARTTLS asked for and not offered: nothing is sent, and the setting is named."""
    with world.store() as store:
        assert "digest.smtp_security" in _send(world, store, server, smtp_security="starttls")
    assert server.handler.mails == []


def test_one_wrong_address_does_not_cost_the_others_their_mail(world: World, server: MailServer) -> None:
    """Who cannot be written to is named, and everybody else is served; once."""
    given = ("b at example.org", "chính@example.org", "Mei Tan <mei@example.org>")
    with world.store() as store:
        assert "b at example.org" in _send(world, store, server, recipients=given).replace("'", "")
        assert "delivered" not in _send(world, store, server, recipients=given)
    served = [recipient for recipients, _ in server.handler.mails for recipient in recipients]
    assert "mei@example.org" in served
    assert len(served) == len(set(served))


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


def test_three_at_once_send_once(world: World, server: MailServer) -> None:
    """Cron, a colleague and a retry meet; each reader has one mail."""
    settings = _with_mail(world, server.port)
    file = world.settings.data_dir / "settings.json"
    file.write_text(settings.model_dump_json())
    code = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path\n"
        "from groundswell.configs.schema import Settings; from groundswell.index.open import open_store\n"
        "from groundswell.ui.report.editions.ledger import send_editions\n"
        "settings = Settings.model_validate_json(Path(sys.argv[1]).read_text())\n"
        "with open_store(settings) as store:\n"
        "    send_editions(store, settings, now=datetime.fromisoformat(sys.argv[2]))\n"
    )
    call = [sys.executable, "-c", code, str(file), world.now.isoformat()]
    senders = [subprocess.Popen(call) for _ in range(3)]
    assert [sender.wait(120) for sender in senders] == [0, 0, 0]
    assert [sorted(to) for to, _ in server.handler.mails] == [["arif@example.org", "mei@example.org"]]


# --- whose, of what time ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "now", "day", "since", "upto"),
    [
        ({}, "2026-11-28T00:05", "2026-11-28", "2026-11-27T00:00", "2026-11-28T00:00"),
        ({}, "2026-11-27T23:55", "2026-11-27", "2026-11-26T00:00", "2026-11-27T00:00"),
        ({"timezone": "Australia/Sydney", "hour": 7}, "2026-10-04T22:00", "2026-10-05", "2026-10-03T20:00",
         "2026-10-04T20:00"),
        # 4 October 2026 has 23 hours in Sydney
        ({"timezone": "Australia/Sydney", "hour": 7}, "2026-10-03T21:00", "2026-10-04", "2026-10-02T21:00",
         "2026-10-03T20:00"),
        ({"frequency": "weekly"}, "2026-11-28T00:05", "2026-11-23", "2026-11-16T00:00", "2026-11-23T00:00"),
        ({"frequency": "weekly", "weekday": "friday", "timezone": "UTC", "hour": 0}, "2026-11-27T00:00", "2026-11-27",
         "2026-11-20T00:00", "2026-11-27T00:00"),
    ],
)  # fmt: skip
def test_an_edition_is_a_person_s_own_day_or_week(more: Any, now: str, day: str, since: str, upto: str) -> None:
    """It ends at their hour, on their clock, whatever was crawled; also where a day has 23 hours."""
    person = Person(id="mei", address="mei@example.org", **more)
    found = edition_due(person, DigestSettings(), now=_utc(now), told=None)
    assert (found.day, found.since, found.upto, found.late) == (day, _utc(since), _utc(upto), False)


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_what_was_in_no_mail_is_in_the_next_and_it_says_so(world: World, server: MailServer) -> None:
    """A server away for two days costs no hour; the editions that never went out are noted as overtaken."""
    mei = Person(id="mei", address="mei@example.org")
    with world.store() as store:
        more: dict[str, Any] = {"recipients": (), "people": (mei,)}
        _send(world, store, server, **more)
        first = edition_of(store, mei, _with_mail(world, server.port, **more), now=world.now)
        gone = free_port()
        assert "to be tried again" in _send(world, store, gone, at=world.now + timedelta(days=1), **more)
        assert "1 delivered" in _send(world, store, server, at=world.now + timedelta(days=2), **more)
        assert any("overtaken" in row.said for row in store.recent(Delivery))
        mark = store.get(Checkpoint, "digest/told/mei")
        assert mark is not None
        assert datetime.fromisoformat(str(mark.value["editions"][-1][1])) == first.upto
    body = server.handler.mails[-1][1].get_body(("plain",))
    assert body is not None
    assert "No digest went out for some time" in body.get_content()


def test_a_clock_that_was_ahead_takes_no_digest_away(world: World, server: MailServer) -> None:
    """What went out by it does not count: each day's digest comes when the day comes, and no hour is in none."""
    mei = Person(id="mei", address="mei@example.org")
    day = timedelta(days=1)
    with world.store() as store:
        more: dict[str, Any] = {"recipients": (), "people": (mei,)}
        _send(world, store, server, **more)
        _send(world, store, server, at=world.now + 4 * day, **more)
        for late in range(1, 6):
            assert "1 delivered" in _send(world, store, server, at=world.now + late * day, **more), late
            assert _send(world, store, server, at=world.now + late * day, **more) == "", late
        spans = [(each.since, each.upto) for each in Had.of(store.get(Checkpoint, "digest/told/mei")).editions[2:]]
    assert [since for since, _ in spans[1:]] == [upto for _, upto in spans[:-1]]
    assert len(spans) == 5
    texts = [mail.get_body(("plain",)) for _, mail in server.handler.mails]
    repeats = [body is not None and "Perhaps sent before" in body.get_content() for body in texts]
    assert repeats == [False] * 5 + [True, False], "only the day that was sent too early says that it is a repeat"


def test_a_clock_that_was_behind_doubles_no_digest(world: World, server: MailServer) -> None:
    """Days that were told before are not told again, and the next one goes on where the newest ended."""
    mei = Person(id="mei", address="mei@example.org")
    day = timedelta(days=1)
    with world.store() as store:
        more: dict[str, Any] = {"recipients": (), "people": (mei,)}
        for late in range(3):
            _send(world, store, server, at=world.now + late * day, **more)
        assert _send(world, store, server, at=world.now + day, **more) == ""
        assert "1 delivered" in _send(world, store, server, at=world.now + 3 * day, **more)
        editions = Had.of(store.get(Checkpoint, "digest/told/mei")).editions
    assert [each.since for each in editions[1:]] == [each.upto for each in editions[:-1]]
    assert len(server.handler.mails) == 4


@pytest.mark.parametrize(
    "zone", ["Australia/Sydney", "Pacific/Auckland", "Australia/Lord_Howe", "Europe/London", "America/New_York"]
)
@pytest.mark.parametrize("hour", [0, 1, 2, 3, 23])
def test_where_clocks_change_days_meet_and_each_is_told_once(zone: str, hour: int) -> None:
    """Looked at every half hour around both changes of a year: one edition a day, each where the last one ended."""
    person, had = Person(id="mei", address="mei@example.org", timezone=zone, hour=hour), Had()
    moments = [datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 9, 20, tzinfo=UTC)]
    for begin in moments:
        had = Had()
        for step in range(50 * 24 * 2):
            now = begin + step * timedelta(minutes=30)
            edition = edition_due(person, DigestSettings(), now=now, told=had.told(now))
            if had.sent_as(edition) is None:
                had = Had((*had.editions, edition))
        assert len(had.editions) in {50, 51}, "the hours at which they begin and end are ours"
        assert len({each.day for each in had.editions}) == len(had.editions)
        assert [each.since for each in had.editions[1:]] == [each.upto for each in had.editions[:-1]]
        assert not any(had.by_wrong_clock(each) or each.late for each in had.editions)


def test_people_hear_what_concerns_them(world: World) -> None:
    """By market, risk, brand and severity; what somebody dismissed is left out and counted."""

    def subject(**more: Any) -> str:
        person = Person(id="mei", address="mei@example.org", **more)
        with world.reader() as reader:
            return make_digest(reader, world.settings, now=world.now, person=person).subject

    assert "Minister" in subject(markets=("SG",))
    assert "Minister" not in subject(markets=("AU",))
    assert "Minister" in subject(brands=("trading app",))
    assert "Minister" not in subject(brands=("Nobody Knows This Ltd",))
    assert "Minister" in subject(risks=("impersonation_deepfake",))
    assert "Minister" not in subject(risks=("gambling",))
    with world.store() as store:
        Desk(store).dismiss([signal_id("deepfake")], reason="false alarm", by="mei", now=world.now)
    assert "Minister" not in subject()


@pytest.mark.parametrize(("language", "word"), [("zh", "新出现"), ("id", "Baru")])
def test_everybody_reads_it_in_their_language(world: World, language: Any, word: str) -> None:
    """Subject and body; and the next person's is in English again."""
    person = Person(id="mei", address="mei@example.org", language=language)
    with world.reader() as reader:
        digest = make_digest(reader, world.settings, now=world.now, person=person)
        assert digest.subject.startswith(word)
        assert not re.search(r"\d documents?\b|\bowner\b|yesterday| more\b", re.sub(r"http\S+", "", digest.text))
        assert make_digest(reader, world.settings, now=world.now).subject.startswith("New")


@pytest.mark.parametrize("language", ["zh", "id"])
def test_mails_say_the_same_numbers_in_every_language(world: World, language: str) -> None:
    """Counts and reasons of every alert, and of what is told at once: no number more or less, no English is left."""
    with world.store() as store:
        for n, alert in enumerate(store.recent(Signal)):
            why = sentence(
                kind="surge", title=alert.title or "x", observed=30 + n, expected=4.0, hours=24, terms=("akun", "ban"),
                voices=Voices(30 + n, 20, 11), places=[("SG", 20), ("MY", 5)],
                carries=RiskCount("scam_shopping", 7, 30 + n, 0.41),
            )  # fmt: skip
            store.put([replace(alert, why=why)])

    def said(tongue: Any) -> dict[str, list[str]]:
        lines: dict[str, list[str]] = {}
        with world.reader() as reader:
            person = Person(id="mei", address="mei@example.org", language=tongue)
            edition = Edition("2026-01-01", world.now - timedelta(days=7), world.now)
            morning, scope = Morning(reader, world.settings), scope_of(person, world.settings)
            changes = find_changes(morning, scope, edition)
            page = _Page(morning, scope, changes, "")
            for item in changes.items:
                shown = in_tongue(tongue, lambda item=item: page._item(item))  # type: ignore[misc]
                lines[item.entry.id] = [shown[name] for name in ("goes", "why", "facts", "all") if shown[name]]
            for entry in find_inbox(reader, now=world.now).entries:
                news = in_tongue(tongue, lambda entry=entry: alert_news(entry, "escalated", world.settings))  # type: ignore[misc]
                parts = in_tongue(tongue, lambda news=news: [headline(news), *facts(news)])  # type: ignore[misc]
                lines[f"news {entry.id}"] = [one.removeprefix(news.title) for one in parts]
        return lines

    english, other = said("en"), said(language)
    assert len(english) > 4
    assert any("would be usual" in line for lines in english.values() for line in lines)
    assert english.keys() == other.keys()
    for key, lines in english.items():
        for line, translated in zip(lines, other[key], strict=True):
            numbers = [Counter(re.findall(r"\d+(?:[.,]\d+)*", text)) for text in (line, translated)]
            assert numbers[0] == numbers[1], (line, translated)
            assert not re.search(
                r"\b(documents?|would|usual|labelled|hours|days|Risk)\b", re.sub("<.*>", "", translated)
            ), translated


@pytest.mark.parametrize(
    ("language", "said"), [("zh", "快递与配送"), ("id", "Kurir dan pengiriman"), ("en", "Couriers and delivery")]
)
def test_a_standing_topic_is_named_in_the_reader_s_language(world: World, language: Any, said: str) -> None:
    """By how much it is louder, too; the stored title stays English."""
    with world.store() as store:
        alert = store.get(Signal, signal_id("deepfake"))
        assert alert is not None
        store.put([replace(alert, standing=True, title="couriers and delivery", observed=30.0, expected=10.0)])
        person = Person(id="mei", address="mei@example.org", language=language)
        digest = make_digest(store, world.settings, now=world.now, person=person)
        assert said in digest.text
        entry = find_inbox(store, now=world.now)[alert.id]
        assert entry is not None
        news = in_tongue(language, lambda: alert_news(entry, "new", world.settings))
        assert news.title.startswith(f"{said}: ")
        assert "3.0" in news.title
        assert entry.title == "Couriers and delivery: 3.0 times the usual"


def test_a_quiet_day_is_short(world: World) -> None:
    """Nobody scrolls through nothing."""
    person = Person(id="mei", address="mei@example.org", risks=("political_social",))
    with world.reader() as reader:
        digest = make_digest(reader, world.settings, now=world.now, person=person)
    assert digest.subject == "Nothing new" or digest.subject.startswith("Signals")
    assert len(digest.text.splitlines()) < 30


def test_what_quiet_hours_held_is_in_the_digest(world: World) -> None:
    """Also what was told of it at their end."""
    local = world.now.astimezone(UTC)
    quiet = QuietHours(start=f"{local - timedelta(hours=1):%H:%M}", end=f"{local + timedelta(hours=2):%H:%M}",
                       timezone="UTC", override="never")  # fmt: skip
    receiver = Receiver(id="mei", address="mei@example.org", severity="low", quiet_hours=quiet)
    settings = world.settings.model_copy(update={"alerts": AlertSettings(receivers=(receiver,))})
    with world.store() as store:
        assert notify(store, settings, now=world.now).held > 0
        person = Person(id="mei", address="mei@example.org")
        assert "held in your quiet hours" in make_digest(store, settings, now=world.now, person=person).text
        other = Person(id="kim", address="kim@example.org")
        assert "quiet hours" not in make_digest(store, settings, now=world.now, person=other).text


def test_a_day_on_which_nothing_was_seen_says_so_first(world: World) -> None:
    """An outage is no calm, and no archive: the year is named."""
    with world.reader() as reader:
        digest = make_digest(reader, world.settings, now=world.now + timedelta(days=5))
    assert re.match(r"Nothing was seen since \d+ \w+ \d{4}$", digest.subject)
    assert "not known to be calm" in digest.text
    assert "looked for" in digest.text
    assert digest.day > _digest(world).day


# --- ending it -------------------------------------------------------------------------------------------------------


def test_who_ends_the_mails_gets_no_more_until_they_take_it_back(world: World, server: MailServer) -> None:
    """By the address in the mail, which nobody can guess; where there is no board to click on, a mail asks for it."""
    settings = _with_mail(world, server.port, board_url="https://board.example")
    reader = people_of(settings.digest)[0]
    with world.store() as store:
        send_editions(store, settings, now=world.now)
        mail = next(message for to, message in server.handler.mails if to == ["mei@example.org"])
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert mail["List-Unsubscribe"].strip("<>") == stop_address(settings, reader)
        key = mail["List-Unsubscribe"].strip("<>").rpartition("key=")[2]
        assert person_for(settings, reader.id, key) == reader
        assert person_for(settings, reader.id, key[:-1] + "x") is None
        assert person_for(settings, reader_of("arif@example.org").id, key) is None
        stop(store, reader, now=world.now)
        send_editions(store, settings, now=world.now + timedelta(days=1))
        assert [to for to, _ in server.handler.mails[2:]] == [["arif@example.org"]]
        start_again(store, reader, now=world.now)
        send_editions(store, settings, now=world.now + timedelta(days=2))
        assert len(server.handler.mails) == 5
        _send(world, store, server, at=world.now + timedelta(days=3))
    without = server.handler.mails[-1][1]
    assert without["List-Unsubscribe"].startswith("<mailto:groundswell@localhost")
    assert without["List-Unsubscribe-Post"] is None


def test_the_doctor_goes_as_far_as_a_mail_would(world: World, server: MailServer) -> None:
    """A server that would not take the mail is found before the morning."""
    assert "takes mail from" in check_server(_with_mail(world, server.port).digest)
    with pytest.raises(DigestError, match=r"digest\.smtp_security"):
        check_server(_with_mail(world, server.port, smtp_security="starttls").digest)
    assert server.handler.mails == []


def test_no_server_and_nobody_are_told(world: World) -> None:
    """A closed port, no host, no recipients: each has its sentence."""
    port = free_port()
    with world.store() as store:
        assert f"127.0.0.1:{port} did not take the mail" in _send(world, store, port)
        with pytest.raises(DigestError, match=r"set digest\.smtp_host"):
            _send(world, store, port, smtp_host="")
        with pytest.raises(DigestError, match=r"digest\.people"):
            _send(world, store, port, recipients=())
