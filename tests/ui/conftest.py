"""A small seeded world for the tests of the board."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from groundswell.configs.schema import Settings
from groundswell.index.open import open_store
from groundswell.ui.board.launch import SETTINGS_VARIABLE, write_settings
from tests.ui.mail_server import MailHandler, MailServer, mail_server
from tests.ui.seed import World, fill


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return the world as it was made; nobody writes to it."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    settings = Settings(data_dir=tmp_path_factory.mktemp("world"))
    with open_store(settings) as store:
        fill(store, now)
    return World(settings, now)


@pytest.fixture
def world(seeded: World, tmp_path: Path) -> World:
    """Return a copy of the world that a test may change."""
    folder = tmp_path / "world"
    shutil.copytree(seeded.settings.data_dir, folder)
    return World(Settings(data_dir=folder), seeded.now)


@pytest.fixture
def empty(tmp_path: Path) -> World:
    """Return a world in which nothing has been crawled."""
    settings = Settings(data_dir=tmp_path / "empty")
    open_store(settings).close()
    return World(settings, datetime.now(UTC))


@pytest.fixture
def shown(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Let the board's script find the world."""
    monkeypatch.setenv(SETTINGS_VARIABLE, str(write_settings(world.settings, 1)))
    return world


@pytest.fixture
def server() -> Iterator[MailServer]:
    """Run a mail server without login."""
    with mail_server() as running:
        yield running


@pytest.fixture
def mails(server: MailServer) -> tuple[MailHandler, int]:
    """Return what a mail server has taken, and its port."""
    return server.handler, server.port
