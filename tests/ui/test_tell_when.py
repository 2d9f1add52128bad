"""A saved search tells when it changes, and only then: by the channels of alerts, once, with a ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from groundswell.configs.schema import AlertSettings, DigestSettings, Receiver, Settings
from groundswell.index.open import open_store
from groundswell.index.records import Checkpoint, Delivery, SavedSearch
from groundswell.index.store import Store
from groundswell.ui.board import queries
from groundswell.ui.board.launch import SETTINGS_VARIABLE, write_settings
from groundswell.ui.cli import cli
from groundswell.ui.desk import Desk
from groundswell.ui.report.delivery.ledger import notify
from tests.index.makers import NOON as NOW
from tests.index.makers import mention
from tests.ui.mail_server import MailHandler
from tests.ui.test_views import _open

HOUR = timedelta(hours=1)


def _settings(folder: Path, port: int) -> Settings:
    mei = Receiver(id="mei", address="mei@example.org", severity="critical")
    kim = Receiver(id="kim", address="kim@example.org")
    return Settings(
        data_dir=folder, alerts=AlertSettings(receivers=(mei, kim)),
        digest=DigestSettings(smtp_host="127.0.0.1", smtp_port=port, smtp_security="none"),
    )  # fmt: skip


def _say(store: Store, at: datetime, count: int = 1) -> None:
    """Let people speak of durians."""
    said = [mention(f"d{at.timestamp()}{k}", f"durian number {k}", published_at=at) for k in range(count)]
    store.put([replace(one, fetched_at=at) for one in said])


def _subjects(mails: tuple[MailHandler, int]) -> list[str]:
    return [str(message["Subject"]) for _, message in mails[0].mails]


def test_only_a_change_is_told_once_and_to_whom_it_was_said(tmp_path: Path, mails: tuple[MailHandler, int]) -> None:
    """Silent, spoken of, louder, as usual again, silent: a mail for each change, none for standing still."""
    settings = _settings(tmp_path, mails[1])
    with open_store(settings) as store:
        Desk(store).save_search("Durians", "durian", by="mei", now=NOW, tell=["mei"])

        def look(at: datetime) -> list[str]:
            before = len(mails[0].mails)
            for _ in range(2):
                notify(store, settings, now=at)
            return _subjects(mails)[before:]

        assert look(NOW) == []  # where it begins is no news
        _say(store, NOW + HOUR)
        assert look(NOW + 2 * HOUR) == ["MEDIUM · “Durians” is spoken of"]
        _say(store, NOW + 3 * HOUR, 12)
        assert look(NOW + 4 * HOUR) == ["HIGH · “Durians” is louder than usual"]
        _say(store, NOW + 5 * HOUR, 3)
        assert look(NOW + 6 * HOUR) == []
        assert look(NOW + 40 * HOUR) == ["LOW · “Durians” is as usual again"]
        assert look(NOW + timedelta(days=9)) == ["LOW · “Durians” has not been spoken of for seven days"]
        assert {to for tos, _ in mails[0].mails for to in tos} == {"mei@example.org"}
        rows = store.recent(Delivery)
        assert {row.status for row in rows} == {"sent"}
        assert len(rows) == 4


def test_a_crash_between_finding_and_sending_tells_once(
    tmp_path: Path, mails: tuple[MailHandler, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change has one name, whenever it is found; killed before it is kept, it is found again."""
    settings = _settings(tmp_path, mails[1])
    with open_store(settings) as store:
        Desk(store).save_search("Durians", "durian", by="mei", now=NOW, tell=["mei", "gone"])
        notify(store, settings, now=NOW)
        _say(store, NOW + HOUR)
        put = store.put

        def killed(records: Any) -> Any:
            rows = list(records)
            put([row for row in rows if isinstance(row, Delivery)])
            if any(isinstance(row, Checkpoint) for row in rows):
                raise KeyboardInterrupt
            return put(rows)

        monkeypatch.setattr(store, "put", killed)
        with pytest.raises(KeyboardInterrupt):
            notify(store, settings, now=NOW + 2 * HOUR)
        monkeypatch.setattr(store, "put", put)
        for hours in (3, 4, 5):
            notify(store, settings, now=NOW + hours * HOUR)
    assert len(mails[0].mails) == 1


def test_a_search_changed_or_broken_says_so_and_begins_anew(tmp_path: Path, mails: tuple[MailHandler, int]) -> None:
    """Other words are another question; words that cannot be read any more are told once."""
    settings = _settings(tmp_path, mails[1])
    with open_store(settings) as store:
        _say(store, NOW - HOUR)
        saved = Desk(store).save_search("Fruit", "mango", by="mei", now=NOW, tell=["kim"])
        notify(store, settings, now=NOW)
        store.put([replace(saved, text="durian")])
        notify(store, settings, now=NOW + HOUR)
        assert mails[0].mails == []
        broken = store.get(Checkpoint, f"tell/{saved.id}")
        assert broken is not None
        store.put([replace(saved, text="nofield:x"), replace(broken, value={**broken.value, "text": "nofield:x"})])
        notify(store, settings, now=NOW + 2 * HOUR)
        notify(store, settings, now=NOW + 3 * HOUR)
    assert _subjects(mails) == ["MEDIUM · “Fruit” cannot be asked any more"]


def test_the_terminal_says_whom_to_tell(tmp_path: Path) -> None:
    """When it is kept or later; a name that is none is refused with the nearest."""
    file = tmp_path / "groundswell.yaml"
    file.write_text(f"data_dir: {tmp_path}\nalerts: {{receivers: [{{id: mei, address: mei@example.org}}]}}\n")

    def search(*args: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli, ["--config", str(file), "search", *args])
        return done.exit_code, done.output

    assert search("durian", "--save", "Durians", "--tell", "mei")[0] == 0
    assert "mei" in search("--saved")[1].splitlines()[-1]
    assert search("--saved", "Durians", "--tell", "nobody")[0] == 0
    with open_store(Settings(data_dir=tmp_path)) as store:
        assert [one.tell for one in store.recent(SavedSearch)] == [()]
    assert search("--saved", "Durians", "--tell", "mai")[0] == 2
    assert search("durian", "--tell", "mei")[0] == 2


def test_the_board_says_whom_to_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the saved search, from those that alerts go to."""
    settings = _settings(tmp_path, 1)
    with open_store(settings) as store:
        _say(store, NOW)
        saved = Desk(store).save_search("Durians", "durian", by="mei", now=NOW)
    monkeypatch.setenv(SETTINGS_VARIABLE, str(write_settings(settings, 1)))
    queries._answers.clear()
    queries._settings.cache_clear()
    app = _open("search", q="durian")
    app.multiselect(key=f"tell-{saved.id}").select("kim").run()
    assert not app.exception
    with open_store(settings) as store:
        assert [one.tell for one in store.recent(SavedSearch)] == [("kim",)]
