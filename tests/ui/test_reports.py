"""Questions and quality reports at set times: once a period, each to its readers, whatever happens in between."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from groundswell.configs.schema import AlertSettings, Person, Receiver, ReportSettings, Settings
from groundswell.index.records import Mention
from groundswell.ui.cli import cli
from groundswell.ui.report.delivery.ledger import notify
from groundswell.ui.report.editions.ledger import send_editions
from groundswell.ui.report.scheduled import period, run_due
from tests.ui.mail_server import MailServer
from tests.ui.seed import World

SQL = "select market, count(*) as n, '=1+1' as formula from documents group by 1 order by 1"
MONDAY = datetime(2026, 11, 30, 1, tzinfo=UTC)
"""Nine o'clock in Singapore."""


def _settings(world: World, port: int) -> Settings:
    mail = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "sender": "g@example.org"}
    reports = [
        {"name": "markets", "sql": SQL, "to": ["mei@example.org", "arif@example.org"]},
        {"name": "quality", "every": "week", "to": ["mei@example.org"]},
    ]
    given = {**world.settings.model_dump(), "digest": mail, "reports": reports}
    return Settings.model_validate(given)


def test_a_question_goes_once_a_day_to_each_reader_as_a_safe_file(world: World, server: MailServer) -> None:
    """One who is refused costs nobody else and gets theirs later; the quality report comes with page and workbook."""
    settings, server.handler.refuses = _settings(world, server.port), {"arif@example.org"}
    with world.store() as store:
        done, troubles = run_due(store, settings, now=MONDAY)
        assert len(troubles) == 1
        assert "arif@example.org was not served" in troubles[0]
        server.handler.refuses = set()
        run_due(store, settings, now=MONDAY + timedelta(hours=1))
        assert run_due(store, settings, now=MONDAY + timedelta(hours=2)) == ([], [])
        assert "quality of 2026-11-30 sent to 1" in done
    sent = [(to, message) for to, message in server.handler.mails]
    questions = [(to, one) for to, one in sent if "markets" in str(one["Subject"])]
    assert sorted(to for to, _ in questions) == [["arif@example.org"], ["mei@example.org"]]
    (attached,) = questions[0][1].iter_attachments()
    content = attached.get_content()
    assert content.lstrip("\ufeff").startswith("market,n,formula")
    assert "'=1+1" in content
    (quality,) = [one for _, one in sent if "quality" in str(one["Subject"])]
    assert [str(one.get_filename()).rpartition(".")[2] for one in quality.iter_attachments()] == ["html", "xlsx"]


def test_a_period_begins_at_its_hour_and_a_week_on_monday(world: World) -> None:
    """In the zone of the digest."""
    settings = world.settings
    daily, weekly = ReportSettings(name="a", hour=9), ReportSettings(name="b", every="week", hour=10)
    assert period(daily, settings, MONDAY) == "2026-11-30"
    assert period(daily, settings, MONDAY - timedelta(minutes=1)) == "2026-11-29"
    assert period(weekly, settings, MONDAY) == "2026-11-23"
    assert period(weekly, settings, MONDAY + timedelta(hours=1)) == "2026-11-30"


def test_a_question_that_cannot_be_asked_is_told_and_asked_again(world: World) -> None:
    """The others are made all the same; nothing is marked as done that was not."""
    reports = (ReportSettings(name="wrong", sql="select nothing from nowhere"), ReportSettings(name="right", sql=SQL))
    settings = world.settings.model_copy(update={"reports": reports})
    with world.store() as store:
        for _ in range(2):
            done, troubles = run_due(store, settings, now=MONDAY)
            assert [line.partition(":")[0] for line in troubles] == ["wrong"]
        assert done == []
    assert [file.name for file in (settings.data_dir / "reports").iterdir()] == ["right-2026-11-30.csv"]
    with pytest.raises(ValidationError, match="two reports are called"):
        Settings.model_validate({"reports": [{"name": "a"}, {"name": "a"}]})


def test_reports_are_listed_and_made_by_command(world: World) -> None:
    """A name that is none is a wrong usage."""
    call = ["--set", f"data_dir={world.settings.data_dir}"]

    shown = CliRunner().invoke(cli, [*call, "reports"], standalone_mode=False)
    assert shown.return_value == 0
    assert "period" in shown.output
    assert CliRunner().invoke(cli, [*call, "reports", "--again", "none"]).exit_code == 2


def _limited(world: World, tmp_path: Path, settings: Settings, *, role: str = "analyst") -> Settings:
    """Let Arif see Malaysia alone, where people sign in."""
    people = tmp_path / "people.yaml"
    people.write_text(
        f"people:\n  Arif@example.org: {{role: {role}, markets: [MY]}}\n  mei@example.org: {{role: owner}}\n", "utf-8"
    )
    access = settings.access.model_copy(
        update={"issuer": "https://id.example.org", "client_id": "board", "people": people}
    )
    return settings.model_copy(update={"access": access})


def test_a_report_holds_what_its_reader_sees_on_the_board(world: World, server: MailServer, tmp_path: Path) -> None:
    """Rows of other markets reach nobody who is limited; a stranger gets none, until the report names its markets."""
    plain = _settings(world, server.port)
    wide = plain.reports[0].model_copy(update={"to": ("mei@example.org", "Arif <arif@example.org>", "new@example.org")})
    settings = _limited(world, tmp_path, plain.model_copy(update={"reports": (wide, plain.reports[1])}))
    with world.store() as store:
        _, troubles = run_due(store, settings, now=MONDAY)
        assert len(troubles) == 1
        assert "new@example.org is not named in access.people" in troubles[0]
        narrow = wide.model_copy(update={"markets": ("SG",)})
        again = settings.model_copy(update={"reports": (narrow,)})
        _, troubles = run_due(store, again, now=MONDAY + timedelta(days=1))
        assert "sees none of the markets" in troubles[0]
    rows: dict[str, list[set[str]]] = {}
    for (to,), message in server.handler.mails:
        for part in message.iter_attachments():
            if part.get_content_type() == "text/csv":
                lines = part.get_content().lstrip("\ufeff").splitlines()[1:]
                rows.setdefault(to, []).append({line.partition(",")[0] for line in lines})
    assert rows["arif@example.org"] == [{"MY"}]
    assert rows["mei@example.org"][0] > {"MY", "SG"}
    assert rows["mei@example.org"][1] == {"SG"}
    assert rows["new@example.org"] == [{"SG"}]


def test_a_role_that_may_not_ask_is_sent_no_answer(world: World, server: MailServer, tmp_path: Path) -> None:
    """The quality report, too, is an export."""
    settings = _limited(world, tmp_path, _settings(world, server.port), role="viewer")
    with world.store() as store:
        _, troubles = run_due(store, settings, now=MONDAY)
    assert "this report is for an analyst or more" in troubles[0]
    assert [to for to, _ in server.handler.mails if to == ["arif@example.org"]] == []


def test_mails_tell_nothing_of_markets_that_their_reader_does_not_see(
    world: World, server: MailServer, tmp_path: Path
) -> None:
    """Digests and alerts of somebody limited on the board count and quote their markets alone."""
    settings = _limited(world, tmp_path, _settings(world, server.port))
    people = (Person(id="arif", address="arif@example.org"), Person(id="mei", address="mei@example.org"))
    mail = settings.digest.model_copy(update={"people": people})
    receivers = tuple(Receiver(id=one.id, address=one.address, severity="low") for one in people)
    settings = settings.model_copy(
        update={"digest": mail, "alerts": AlertSettings(receivers=receivers, escalate_minutes=60)}
    )
    with world.store() as store:
        send_editions(store, settings, now=world.now)
        notify(store, settings, now=world.now)
        notify(store, settings, now=world.now + timedelta(hours=2))
        foreign = {one.source for one in store.recent(Mention, limit=5000)} - {
            one.source for one in store.recent(Mention, limit=5000) if one.market == "MY"
        }
    said: dict[str, str] = {}
    for (to,), message in server.handler.mails:
        body = message.get_body(("plain",))
        assert body is not None
        said[to] = said.get(to, "") + body.get_content()
    assert " SG" in said["mei@example.org"]
    assert not re.search(r"\b(SG|TH|ID|VN|PH)\b", re.sub(r"http\S+|SGT", "", said["arif@example.org"]))
    assert not [source for source in foreign if source in said["arif@example.org"]]
