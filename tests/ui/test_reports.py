"""Questions and quality reports at set times: once a period, each to its readers, whatever happens in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from groundswell.configs.schema import ReportSettings, Settings
from groundswell.ui.cli import cli
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
