"""Both lines of Elasticsearch keep the contract, each with its own client."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from groundswell.configs.schema import ElasticSettings
from groundswell.index.elastic.store import ElasticStore
from groundswell.index.store import UnavailableError
from tests.elastic import server as servers
from tests.elastic.server import NoServerError, client_folder, server

pytestmark = [pytest.mark.elastic, pytest.mark.slow]
OTHER = "8"
HERE = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A real server of the other line."""
    with server(OTHER) as address:
        yield address


@pytest.mark.timeout(1800)
def test_the_contract_holds_on_the_8_line_with_its_own_client(url: str) -> None:
    """The whole suite runs in a process of its own that sees the other client; none of it is left out."""
    env = {**os.environ, "PYTHONPATH": str(client_folder()), "GROUNDSWELL_TEST_ES": url}
    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/index/test_elastic.py"]
    done = subprocess.run(line, env=env, cwd=HERE, capture_output=True, text=True, check=False, timeout=1750)
    said = done.stdout[-4000:] + done.stderr[-2000:]
    assert done.returncode == 0, said
    assert re.fullmatch(r"\d+ passed.*", done.stdout.strip().splitlines()[-1]), said


def test_a_client_of_another_line_is_told_which_one_to_install(url: str) -> None:
    """A server of the 8 line refuses a client of the 9 line; the message says what helps."""
    with pytest.raises(UnavailableError, match=r"elasticsearch>=8\.19,<9"):
        ElasticStore(ElasticSettings(url=url, prefix="wrong"))


def test_no_server_at_all_is_said_loudly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a given server, an engine or Maven the tests fail, and name all three."""
    monkeypatch.delenv("GROUNDSWELL_TEST_ES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(servers, "cache_folder", lambda: tmp_path)
    with pytest.raises(NoServerError) as told, server("9"):
        pass
    assert all(way in str(told.value) for way in ("GROUNDSWELL_TEST_ES", "container engine", "Maven"))
