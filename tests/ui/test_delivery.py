"""Alerts go out: at once, to those concerned, once; and what becomes of each is on record, whatever fails."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import CliRunner

from groundswell.configs.load import load_settings
from groundswell.configs.schema import AlertSettings, DigestSettings, QuietHours, Receiver, Settings
from groundswell.configs.schema import Severity as Level
from groundswell.configs.yaml_lines import ConfigError
from groundswell.index.open import open_store
from groundswell.index.records import Checkpoint, CrawlRun, Delivery, DeliveryStatus, Severity, Signal
from groundswell.index.store import Store
from groundswell.ui.cli import cli
from groundswell.ui.commands.deliveries import STATUSES
from groundswell.ui.desk import Desk
from groundswell.ui.report.delivery import shapes
from groundswell.ui.report.delivery.ledger import NEWCOMER, Told, notify, send_test, try_again
from groundswell.ui.report.delivery.news import News
from groundswell.ui.report.delivery.send import Message, NotDeliveredError, deliver, post
from tests.ui.mail_server import MailHandler, free_port, mail_server
from tests.ui.seed import World, signal_id

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass
class Hook:
    """A web server on loopback that keeps what it gets and answers as it is told."""

    port: int = 0
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    hangs_up: bool = False

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.port}/hook"

    def bodies(self) -> list[Any]:
        """Return what it got, read."""
        return [json.loads(body) for _, _, body in self.got]


@pytest.fixture
def hook() -> Iterator[Hook]:
    """Run a web server."""
    kept = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            kept.got.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            if kept.hangs_up:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            status, headers = kept.answers.pop(0) if kept.answers else (200, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"ok" if status == 200 else b"no: mei.tan@example.org")

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()


def _settings(world: World, *receivers: Receiver, port: int = 1, **more: Any) -> Settings:
    alerts = AlertSettings(receivers=receivers, allow_private_addresses=True, **more)
    mail = DigestSettings(smtp_host="127.0.0.1", smtp_port=port, smtp_security="none")
    return world.settings.model_copy(update={"alerts": alerts, "digest": mail})


def _mei(**more: Any) -> Receiver:
    return Receiver(**{"id": "mei", "address": "Mei Tan <mei@example.org>", **more})


def _hooked(hook: Hook, **more: Any) -> Receiver:
    return Receiver(**{"id": "ops", "kind": "webhook", "url": hook.url, **more})


def _rows(store: Store) -> dict[str, list[Delivery]]:
    """Return the deliveries by status."""
    found: dict[str, list[Delivery]] = {}
    for row in store.recent(Delivery):
        found.setdefault(row.status, []).append(row)
    return found


def _grow(store: Store, key: str, severity: Severity, at: datetime) -> None:
    """Let an alert become graver."""
    first = store.get(Signal, signal_id(key))
    assert first is not None
    follow = replace(
        first, id=f"{first.id}-{severity}", severity=severity, at=at, follows=first.id, fired=False, held_by="follow-up"
    )
    store.put([follow])


# --- once, to those concerned ----------------------------------------------------------------------------------------


def test_an_alert_is_told_at_once_and_once(world: World, mails: tuple[MailHandler, int]) -> None:
    """The subject says what and where; asked again, nobody hears it twice."""
    handler, port = mails
    settings = _settings(world, _mei(), port=port)
    with world.store() as store:
        assert notify(store, settings, now=world.now).sent == 1
        assert str(notify(store, settings, now=world.now + MINUTE)) == ""
        (row,) = store.recent(Delivery)
    ((recipients, message),) = handler.mails
    assert recipients == ["mei@example.org"]
    assert message["To"] == "Mei Tan <mei@example.org>"
    assert message["Subject"].startswith("CRITICAL · ")
    assert f"inbox?alert={signal_id('deepfake')}" in message.get_content()
    assert "31 posts in 9 hours where 1.2 were expected" in message.get_content()
    assert (row.status, row.receiver, row.attempts, row.sent_at) == ("sent", "mei", 1, world.now)
    assert "example.org" not in json.dumps(row.said + row.title)


def test_what_becomes_graver_is_told_again_and_ties_to_the_first(world: World, mails: tuple[MailHandler, int]) -> None:
    """As one conversation in the reader's mail program."""
    handler, port = mails
    settings = _settings(world, _mei(severity="low", risks=()), port=port)
    with world.store() as store:
        notify(store, settings, now=world.now)
        first = [m["References"] for _, m in handler.mails]
        handler.mails.clear()
        _grow(store, "hostile", "high", world.now + 5 * MINUTE)
        assert notify(store, settings, now=world.now + 10 * MINUTE).sent == 1
        assert notify(store, settings, now=world.now + 20 * MINUTE).sent == 0
    ((_, message),) = handler.mails
    assert "has become graver" in message["Subject"]
    assert first
    assert message["References"].startswith("<about-")


@pytest.mark.parametrize(
    ("more", "count"),
    [
        ({}, 1),
        ({"severity": "low"}, 2),
        ({"severity": "low", "risks": ("no-such-risk",)}, 0),
        ({"severity": "critical", "markets": ("TH",)}, 1),  # the alert is of no single market: it concerns all
    ],
)
def test_each_receiver_hears_what_concerns_it(world: World, hook: Hook, more: Mapping[str, Any], count: int) -> None:
    """By severity, market and risk."""
    with world.store() as store:
        assert notify(store, _settings(world, _hooked(hook, **more)), now=world.now).sent == count


def test_a_market_that_is_not_theirs_is_not_told(world: World, hook: Hook) -> None:
    """Where the alert is of one market."""
    with world.store() as store:
        alert = store.get(Signal, signal_id("deepfake"))
        assert alert is not None
        store.put([replace(alert, market="SG")])
        settings = _settings(world, _hooked(hook, markets=("TH",)), _hooked(hook, id="sg", markets=("MY", "SG")))
        assert notify(store, settings, now=world.now).sent == 1
    assert hook.bodies()[0]["data"]["items"][0]["markets"] == ["SG"]


def test_what_somebody_decided_about_is_not_told(world: World, hook: Hook) -> None:
    """A dismissed alert is nobody's news."""
    with world.store() as store:
        Desk(store).dismiss([signal_id("deepfake")], reason="false alarm", by="Mei", now=world.now)
        assert notify(store, _settings(world, _hooked(hook)), now=world.now).sent == 0


def test_a_new_receiver_hears_of_the_last_day_only(world: World, hook: Hook) -> None:
    """Not of all that ever was; what comes later it hears, however late the next round."""
    with world.store() as store:
        notify(store, _settings(world, _hooked(hook, severity="high")), now=world.now)
        told = {item["about"] for body in hook.bodies() for item in body["data"]["items"]}
    assert told == {signal_id("deepfake")}, "sneakers fired 28 hours ago"
    assert timedelta(hours=9) < NEWCOMER < timedelta(hours=28)


def test_two_processes_at_once_tell_once(world: World, hook: Hook) -> None:
    """The lock is held while telling."""
    settings, told = _settings(world, _hooked(hook)), list[Told]()

    def run() -> None:
        with open_store(settings) as store:
            told.append(notify(store, settings, now=world.now))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.sent for one in told) == [0, 0, 0, 1]
    assert len(hook.got) == 1


# --- what fails ------------------------------------------------------------------------------------------------------


def test_a_crash_between_sending_and_noting_is_seen_and_said(world: World, mails: tuple[MailHandler, int]) -> None:
    """It is sent again under the same Message-ID, and says that it may be a repeat; it is never lost."""
    handler, port = mails
    settings = _settings(world, _mei(), port=port)

    def dies(message: Message, receiver: Receiver, settings: Settings, now: datetime) -> str:
        deliver(message, receiver, settings, now=now)
        raise KeyboardInterrupt

    with world.store() as store:
        with pytest.raises(KeyboardInterrupt):
            notify(store, settings, now=world.now, hand=dies)
        assert list(_rows(store)) == ["sending"]
        assert notify(store, settings, now=world.now + MINUTE).sent == 1
        assert list(_rows(store)) == ["sent"]
    first, second = (message for _, message in handler.mails)
    assert first["Message-ID"] == second["Message-ID"]
    assert "Perhaps sent before" not in first.get_content()
    assert "Perhaps sent before" in second.get_content()


def test_a_server_in_trouble_is_tried_again_ever_later(world: World, hook: Hook) -> None:
    """After 30 s, 2 min, 8 min; what it asks for (Retry-After) counts; then it goes through, under the same id."""
    hook.answers = [(503, {}), (429, {"retry-after": "600"}), (500, {})]
    settings = _settings(world, _hooked(hook))
    with world.store() as store:
        now = world.now
        for pause in (30, 600, 480):
            assert notify(store, settings, now=now).failed == 1
            (row,) = store.recent(Delivery)
            assert row.next_at == now + timedelta(seconds=pause)
            assert notify(store, settings, now=now + timedelta(seconds=pause - 1)).failed == 0
            now += timedelta(seconds=pause)
        assert notify(store, settings, now=now).sent == 1
    ids = {headers["webhook-id"] for _, headers, _ in hook.got}
    assert len(hook.got) == 4
    assert len(ids) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 301, 302])
def test_a_clear_no_is_given_up_and_can_be_tried_again(world: World, hook: Hook, status: int) -> None:
    """It stays on record as dead until somebody asks; a redirect is not followed."""
    hook.answers = [(status, {"location": "http://127.0.0.1:1/elsewhere"})]
    settings = _settings(world, _hooked(hook))
    with world.store() as store:
        told = notify(store, settings, now=world.now)
        assert (told.dead, told.sent) == (1, 0)
        assert "mei.tan" not in told.troubles[0], "an answer may hold anything"
        assert notify(store, settings, now=world.now + timedelta(days=1)).sent == 0
        (row,) = store.recent(Delivery)
        assert str(status) in row.said
        assert try_again(store, [row.id], now=world.now) == 1
        assert notify(store, settings, now=world.now).sent == 1
    assert len(hook.got) == 2


def test_what_never_goes_through_is_given_up_in_the_end(world: World, hook: Hook) -> None:
    """After as many tries as the settings say."""
    hook.hangs_up = True
    settings = _settings(world, _hooked(hook), attempts=3)
    with world.store() as store:
        for day in range(6):
            notify(store, settings, now=world.now + timedelta(hours=3 * day))
        (row,) = store.recent(Delivery)
    assert (row.status, row.attempts) == ("dead", 3)
    assert "cannot be reached" in row.said


def test_one_receiver_in_trouble_costs_the_others_nothing(
    world: World, hook: Hook, mails: tuple[MailHandler, int]
) -> None:
    """No server, a refused mailbox, a bad address, a missing variable: each is told, the rest hears."""
    handler, port = mails
    handler.refuses = {"gone@example.org"}
    settings = _settings(
        world,
        Receiver(id="down", kind="webhook", url=f"http://127.0.0.1:{free_port()}/"),
        Receiver(id="gone", address="gone@example.org"),
        Receiver(id="bad", address="b at example.org"),
        Receiver(id="slack", kind="slack", url_env="NO_SUCH_VARIABLE"),
        _hooked(hook),
        _mei(),
        port=port,
    )
    with world.store() as store:
        told = notify(store, settings, now=world.now)
        rows = {row.receiver: row.status for row in store.recent(Delivery)}
    assert rows == {"down": "failed", "gone": "dead", "bad": "dead", "slack": "failed", "ops": "sent", "mei": "sent"}
    assert len(told.troubles) == 4
    assert any("NO_SUCH_VARIABLE" in trouble for trouble in told.troubles)


def test_a_greylisting_mail_server_is_tried_again(world: World) -> None:
    """4xx may pass; 5xx does not."""

    class Greylists(MailHandler):
        async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
            return "451 4.7.1 try again later"

    with mail_server(Greylists()) as server, world.store() as store:
        assert notify(store, _settings(world, _mei(), port=server.port), now=world.now).failed == 1


def test_a_clock_that_was_wrong_silences_nothing(world: World, hook: Hook) -> None:
    """Neither a mark nor a pause of the future counts."""
    settings = _settings(world, _hooked(hook))
    ahead = world.now + timedelta(days=400)
    hook.answers = [(503, {})]
    with world.store() as store:
        notify(store, settings, now=world.now)
        (row,) = store.recent(Delivery)
        store.put([replace(row, next_at=ahead), Checkpoint(id="notify", value={"ops": ahead.isoformat()}, at=ahead)])
        assert notify(store, settings, now=world.now + MINUTE).sent == 1


# --- quiet hours and escalation --------------------------------------------------------------------------------------


def _quiet_now(world: World, override: str = "critical", hours: int = 3) -> QuietHours:
    """Return quiet hours that began an hour ago."""
    begin, end = world.now - timedelta(hours=1), world.now + timedelta(hours=hours)
    return QuietHours.model_validate(
        {"start": f"{begin:%H:%M}", "end": f"{end:%H:%M}", "timezone": "UTC", "override": override}
    )


def test_quiet_hours_hold_what_is_not_grave_enough(world: World, mails: tuple[MailHandler, int]) -> None:
    """The critical one comes through, the other when they end; nothing is lost."""
    handler, port = mails
    settings = _settings(world, _mei(severity="low", quiet_hours=_quiet_now(world)), port=port)
    with world.store() as store:
        told = notify(store, settings, now=world.now)
        assert (told.sent, told.held) == (1, 1)
        assert notify(store, settings, now=world.now + timedelta(hours=2)).sent == 0
        assert notify(store, settings, now=world.now + timedelta(hours=3)).sent == 1
    assert len(handler.mails) == 2
    assert handler.mails[0][1]["Subject"].startswith("CRITICAL")


def test_what_was_held_comes_in_one_message_gravest_first(world: World, mails: tuple[MailHandler, int]) -> None:
    """Not as many as there were alerts in the night."""
    handler, port = mails
    settings = _settings(world, _mei(severity="low", quiet_hours=_quiet_now(world, "never")), port=port)
    with world.store() as store:
        assert notify(store, settings, now=world.now).held == 2
        assert notify(store, settings, now=world.now + timedelta(hours=3)).sent == 2
    ((_, message),) = handler.mails
    assert message["Subject"].startswith("CRITICAL")
    assert message["Subject"].endswith("; 1 more")


def test_what_was_decided_in_the_night_says_so_in_the_morning(world: World, mails: tuple[MailHandler, int]) -> None:
    """The reader learns who has dealt with it."""
    handler, port = mails
    settings = _settings(world, _mei(quiet_hours=_quiet_now(world, "never")), port=port)
    with world.store() as store:
        notify(store, settings, now=world.now)
        Desk(store).confirm([signal_id("deepfake")], by="Arif", now=world.now + MINUTE)
        notify(store, settings, now=world.now + timedelta(hours=3))
    ((_, message),) = handler.mails
    assert "Meanwhile Arif has confirmed it." in message.get_content()


def test_everybodys_quiet_hours_hold_where_a_receiver_has_none(world: World, hook: Hook) -> None:
    """`signals.quiet_hours` is read at last."""
    settings = _settings(world, _hooked(hook))
    signals = settings.signals.model_copy(update={"quiet_hours": _quiet_now(world, "never")})
    with world.store() as store:
        assert notify(store, settings.model_copy(update={"signals": signals}), now=world.now).held == 1


def test_an_alert_that_nobody_decides_about_goes_to_the_lead(world: World, hook: Hook) -> None:
    """After two hours, once, whatever the lead otherwise hears of; not where somebody has decided."""
    lead = _hooked(hook, id="kim", severity="critical", markets=("NZ",), risks=("no-such-risk",))
    settings = _settings(world, _hooked(hook, lead="kim"), lead)
    with world.store() as store:
        notify(store, settings, now=world.now)
        assert notify(store, settings, now=world.now + 119 * MINUTE).sent == 0
        assert notify(store, settings, now=world.now + 120 * MINUTE).sent == 1
        assert notify(store, settings, now=world.now + 600 * MINUTE).sent == 0
    last = hook.bodies()[-1]
    assert last["type"] == "alert.escalated"
    assert last["data"]["items"][0]["said"][0].startswith("Nobody has decided about it for 2")


def test_a_decision_in_time_escalates_nothing(world: World, hook: Hook) -> None:
    """It was acknowledged."""
    settings = _settings(
        world, _hooked(hook, lead="kim"), _hooked(hook, id="kim", severity="critical", markets=("NZ",))
    )
    with world.store() as store:
        alert = store.get(Signal, signal_id("deepfake"))
        assert alert is not None
        store.put([replace(alert, market="SG")])
        notify(store, settings, now=world.now)
        Desk(store).confirm([signal_id("deepfake")], by="Mei", now=world.now + MINUTE)
        assert notify(store, settings, now=world.now + 300 * MINUTE).sent == 0


def test_an_owned_alert_goes_to_its_owners_lead(world: World, hook: Hook) -> None:
    """By any of the owner's names; not to the lead of whoever was told."""
    settings = _settings(
        world,
        _hooked(hook, lead="boss"),
        _hooked(hook, id="boss", risks=("none",)),
        _hooked(hook, id="arif", names=("Arif Rahman",), lead="kim", risks=("none",)),
        _hooked(hook, id="kim", risks=("none",)),
    )
    with world.store() as store:
        notify(store, settings, now=world.now)
        Desk(store).assign([signal_id("deepfake")], to="arif rahman", by="Mei", now=world.now + MINUTE)
        notify(store, settings, now=world.now + 200 * MINUTE)
        assert [row.receiver for row in store.recent(Delivery) if row.state == "escalated"] == ["kim"]


# --- sources ---------------------------------------------------------------------------------------------------------


def _visits(store: Store, source: str, begin: datetime, hours: int, error: str) -> None:
    times = [begin + timedelta(hours=hour) for hour in range(hours)]
    store.put(CrawlRun(id=f"{source}-{at}", source=source, started_at=at, finished_at=at, error=error) for at in times)


def test_a_dying_source_is_told_once_until_it_is_well_again(empty: World, hook: Hook) -> None:
    """Six hours and three visits; a single failure is nobody's news."""
    settings = _settings(empty, _hooked(hook, sources=True), _hooked(hook, id="deaf"))
    begin = NOON - timedelta(days=3)
    with empty.store() as store:
        _visits(store, "feed", begin, 5, "")
        _visits(store, "feed", begin + timedelta(hours=5), 4, "HTTP 503")
        assert notify(store, settings, now=begin + timedelta(hours=9)).sent == 0, "not long enough"
        _visits(store, "feed", begin + timedelta(hours=9), 4, "HTTP 503")
        assert notify(store, settings, now=begin + timedelta(hours=12)).sent == 1
        _visits(store, "feed", begin + timedelta(hours=13), 4, "HTTP 503")
        assert notify(store, settings, now=begin + timedelta(hours=17)).sent == 0
        _visits(store, "feed", begin + timedelta(hours=18), 1, "")
        _visits(store, "feed", begin + timedelta(hours=19), 8, "HTTP 410")
        assert notify(store, settings, now=begin + timedelta(hours=27)).sent == 1
    assert [body["type"] for body in hook.bodies()] == ["source.dying", "source.dying"]
    assert "HTTP 503" in hook.bodies()[0]["data"]["items"][0]["said"][0]


def test_visits_by_a_clock_that_was_ahead_hide_no_dying_source(empty: World, hook: Hook) -> None:
    """Neither that a source dies, nor that nothing is visited, nor what was told then, is taken from the future."""
    settings, ahead = _settings(empty, _hooked(hook, sources=True)), NOON + timedelta(days=20)
    with empty.store() as store:
        _visits(store, "feed", NOON - timedelta(days=3), 5, "")
        _visits(store, "feed", ahead, 1, "")
        told = Delivery(
            id="ahead", receiver="ops", about="source:feed", state="dying since then", at=ahead, severity="high",
            status="sent", sent_at=ahead,
        )  # fmt: skip
        store.put([told])
        _visits(store, "feed", NOON - timedelta(hours=9), 9, "HTTP 503")
        assert notify(store, settings, now=NOON).sent == 1
        assert notify(store, settings, now=NOON + timedelta(days=2)).sent == 1
    titles = [item["title"] for body in hook.bodies() for item in body["data"]["items"]]
    assert titles == ["feed brings nothing", "No source has been visited for a day"]


def test_an_alert_told_by_a_clock_that_was_ahead_is_escalated_all_the_same(world: World, hook: Hook) -> None:
    """Else it would wait for its lead until the wrong moment comes."""
    settings = _settings(world, _hooked(hook, lead="kim"), _hooked(hook, id="kim", severity="critical"))
    with world.store() as store:
        notify(store, settings, now=world.now)
        ahead = world.now + timedelta(days=20)
        store.put([replace(row, sent_at=ahead, at=ahead) for row in store.recent(Delivery)])
        before = len(hook.got)
        notify(store, settings, now=world.now + timedelta(hours=3))
        assert any(row.state == "escalated" for row in store.recent(Delivery)) or len(hook.got) > before


def test_a_total_outage_is_told(empty: World, hook: Hook) -> None:
    """When no source at all has been visited for a day."""
    with empty.store() as store:
        _visits(store, "feed", NOON - timedelta(days=2), 3, "")
        assert notify(store, _settings(empty, _hooked(hook, sources=True)), now=NOON).sent == 1
    assert hook.bodies()[0]["data"]["items"][0]["title"] == "No source has been visited for a day"


# --- where it goes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x", "http://localhost/x", "http://[::1]/x", "http://10.0.0.8/", "http://[::ffff:127.0.0.1]/",
        "http://2130706433/", "http://0x7f.1/", "http://169.254.169.254/latest/meta-data", "http://192.168.1.1:8080/",
    ],
)  # fmt: skip
def test_a_private_network_is_not_reached(url: str) -> None:
    """However its address is written."""
    with pytest.raises(NotDeliveredError, match=r"private network|not known"):
        post(url, b"{}", {}, allow_private=False)


def test_cloud_metadata_is_never_reached() -> None:
    """Not even where private addresses are allowed."""
    with pytest.raises(NotDeliveredError, match="private network"):
        post("http://169.254.169.254/latest/meta-data", b"{}", {}, allow_private=True)


def test_a_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch, hook: Hook) -> None:
    """A name server that mixes them wants us inside (DNS rebinding)."""

    def both(*_: Any, **__: Any) -> list[Any]:
        return [(2, 1, 6, "", ("93.184.215.14", 80)), (2, 1, 6, "", ("127.0.0.1", hook.port))]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with pytest.raises(NotDeliveredError, match="private network"):
        post(f"http://hook.example:{hook.port}/", b"{}", {}, allow_private=False)
    assert not hook.got


def test_a_secret_address_is_in_no_record(world: World, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack's address is the key to the channel: neither the ledger nor what is said holds it."""
    monkeypatch.setenv("HOOK", f"{hook.url}/T000/B000/verysecretpart")
    hook.answers = [(404, {})]
    with world.store() as store:
        told = notify(store, _settings(world, Receiver(id="s", kind="slack", url_env="HOOK")), now=world.now)
        (row,) = store.recent(Delivery)
    assert hook.got[0][0].endswith("verysecretpart")
    assert "verysecretpart" not in f"{row}{told}"


# --- shapes ----------------------------------------------------------------------------------------------------------


def test_a_webhook_is_signed_as_the_standard_says(world: World, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example of the Standard Webhooks libraries, then our own message as a receiver checks it."""
    known = shapes.signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert known == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    monkeypatch.setenv("KEY", "a plain secret")
    with world.store() as store:
        notify(store, _settings(world, _hooked(hook, secret_env="KEY")), now=world.now)
    ((_, headers, body),) = hook.got
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    own = base64.b64encode(hmac.new(b"a plain secret", signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{own}"
    assert int(headers["webhook-timestamp"]) == int(world.now.timestamp())


def test_a_key_that_is_missing_sends_nothing_unsigned(world: World, hook: Hook) -> None:
    """Nobody is to get used to messages without a signature."""
    with world.store() as store:
        assert notify(store, _settings(world, _hooked(hook, secret_env="NO_SUCH_KEY")), now=world.now).failed == 1
    assert not hook.got


HOSTILE = (
    "<!channel> <https://evil.example|click> & :smile: *bold* [link](https://evil.example) @everyone",
    "น้ำมันขึ้นราคา" * 900,
    "假冒" * 4000,
    "\U0001f4a9" * 4000,
    "a\u0301" * 4000,
    "\x1b[31m\u202e\u0000 end",
    "",
)


def _news(text: str, k: int = 0) -> News:
    level: tuple[Severity, ...] = ("critical", "high")
    return News(
        about=f"a{k}", state="new", severity=level[k % 2], title=text, more=(text, text), at=NOON, documents=31,
        place="https://board.example/inbox?alert=a", markets=("SG", "MY"), risk="scam_ads",
    )  # fmt: skip


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    """Yield every text of a message with the key that it stands under."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from [(key, each)] if isinstance(each, str) else _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


@pytest.mark.parametrize("count", [1, 60])
@pytest.mark.parametrize("text", HOSTILE)
def test_slack_gets_no_markup_and_keeps_its_limits(text: str, count: int) -> None:
    """Block Kit: 50 blocks, headers of 150, texts of 3,000, no empty text; strangers' text is plain."""
    message = shapes.slack([_news(text, k) for k in range(count)], repeat=True)
    assert len(message["blocks"]) <= 50
    assert "<" not in message["text"]
    for block in message["blocks"]:
        said = block.get("text") or block["elements"][0]["text"]
        assert said["type"] == "plain_text"
        assert said["emoji"] is False
        assert 0 < shapes._units(said["text"]) <= (150 if block["type"] == "header" else 3000)
        assert all(char.isprintable() or char == "\n" for char in said["text"])
    if count > shapes.MOST:
        assert "more: see the board" in json.dumps(message)


@pytest.mark.parametrize("count", [1, 60])
@pytest.mark.parametrize("text", HOSTILE)
def test_teams_gets_a_card_without_markdown_within_28_kb(text: str, count: int) -> None:
    """In runs of text, which are no Markdown."""
    message = shapes.teams([_news(text, k) for k in range(count)], repeat=False)
    assert len(json.dumps(message).encode()) <= 28_000
    card = message["attachments"][0]["content"]
    assert card["type"] == "AdaptiveCard"
    assert {block["type"] for block in card["body"]} <= {"RichTextBlock", "ActionSet"}
    assert all(value for key, value in _texts(card) if key == "text")


@pytest.mark.parametrize("most", range(2, 40))
def test_a_cut_never_parts_a_letter_from_its_marks(most: int) -> None:
    """Thai tone marks, Vietnamese in parts, emoji of two units."""
    for text in ("น้ำมันขึ้นราคาแล้ว" * 3, "a\u0301e\u0323\u0302" * 20, "\U0001f4a9\U0001f4a9" * 20, "plain text" * 9):
        done = shapes.cut(text, most)
        assert len(done.encode("utf-16-le")) // 2 <= most
        kept = done.removesuffix("…").rstrip()
        assert text.startswith(kept)
        rest = text[len(kept) :].lstrip()
        assert not unicodedata.combining(rest[0])
        assert unicodedata.category(rest[0]) not in {"Mn", "Mc", "Me"}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_mails_subject_is_one_bounded_line(world: World, mails: tuple[MailHandler, int], text: str) -> None:
    """Whatever a title holds."""
    handler, port = mails
    message = Message("m1", [_news(f"{text} =?utf-8?q?=0d=0aBcc:x@y.example?=\r\nBcc: z@y.example")])
    assert deliver(message, _mei(), _settings(world, port=port), now=NOON)
    ((recipients, mail),) = handler.mails
    assert recipients == ["mei@example.org"]
    assert mail["Bcc"] is None
    assert len(mail["Subject"]) <= 200


# --- doors -----------------------------------------------------------------------------------------------------------


def _config(world: World, hook: Hook, tmp_path: Path) -> list[str]:
    path = tmp_path / "groundswell.yaml"
    path.write_text(
        f"data_dir: {world.settings.data_dir}\n"
        "alerts:\n  allow_private_addresses: true\n  receivers:\n"
        f"    - {{id: ops, kind: webhook, url: '{hook.url}'}}\n"
    )
    return ["-c", str(path)]


def test_the_commands_tell_test_list_and_retry(
    world: World, hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`notify`, `notify test`, `deliveries`, `deliveries --retry`."""
    monkeypatch.setenv("GROUNDSWELL_NOW", world.now.isoformat())
    given, run = _config(world, hook, tmp_path), CliRunner().invoke
    assert run(cli, [*given, "notify", "test"], standalone_mode=False).output == "ops: 200\n"
    assert hook.bodies()[0]["type"] == "alert.test"
    hook.answers = [(404, {})]
    failed = run(cli, [*given, "notify"], standalone_mode=False)
    assert failed.return_value == 1
    assert "1 given up" in failed.output
    listed = run(cli, [*given, "deliveries", "--status", "dead", "--json"], standalone_mode=False).output
    row = json.loads(listed)
    assert (row["receiver"], row["status"]) == ("ops", "dead")
    assert "1 to be tried again" in run(cli, [*given, "deliveries", "--retry", "all"], standalone_mode=False).output
    assert "1 delivered" in run(cli, [*given, "notify"], standalone_mode=False).output
    assert "sent" in run(cli, [*given, "deliveries"], standalone_mode=False).output
    assert run(cli, [*given, "notify", "test", "opps"]).exit_code == 2


def test_statuses_and_severities_are_those_of_the_records() -> None:
    """They are spelt out where the records are too dear to import, or in another room."""
    assert get_args(DeliveryStatus) == STATUSES
    assert get_args(Level) == get_args(Severity)


@pytest.mark.parametrize(
    ("receiver", "said"),
    [
        ("{id: x}", "address"),
        ("{id: x, kind: slack, url: 'https://hooks.slack.com/services/T/B/x'}", "url_env"),
        ("{id: x, kind: webhook}", "url"),
        ("{id: x, kind: webhook, url: 'ftp://a.example/'}", "url"),
        ("{id: x, address: a@b.example, lead: y}", "lead"),
        ("{id: x, address: a@b.example, quiet_hours: {start: '25:00'}}", "start"),
        ("{id: x, address: a@b.example, quiet_hours: {timezone: Asia/Singapur}}", "Asia/Singapur"),
        ("{id: x, address: a@b.example}, {id: x, address: c@b.example}", "given twice"),
    ],
)
def test_a_wrong_receiver_is_told_with_its_line(tmp_path: Path, receiver: str, said: str) -> None:
    """Before anything runs."""
    path = tmp_path / "groundswell.yaml"
    path.write_text(f"alerts:\n  receivers: [{receiver}]\n")
    with pytest.raises(ConfigError, match=said) as caught:
        load_settings(path, environ={})
    assert "groundswell.yaml" in str(caught.value)


def test_a_test_message_says_that_it_is_one(world: World, mails: tuple[MailHandler, int]) -> None:
    """Nobody gets up for it."""
    handler, port = mails
    send_test(_settings(world, port=port), _mei(), now=world.now)
    assert "nothing has happened" in handler.mails[0][1].get_content()
