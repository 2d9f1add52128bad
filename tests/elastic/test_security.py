"""TLS, roles and secrets, on a real server with security switched on."""

from __future__ import annotations

import base64
import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from groundswell.configs.schema import ElasticSettings, Settings
from groundswell.index.elastic.names import VERSION
from groundswell.index.elastic.read import ElasticReader
from groundswell.index.elastic.store import ElasticStore
from groundswell.index.open import migrate, open_reader, open_store
from groundswell.index.query import Query
from groundswell.index.records import Document, Mention
from groundswell.index.store import StoreError, UnavailableError
from tests.elastic.certificates import authority, certificate, fingerprint, password_line, pem
from tests.elastic.server import node
from tests.index.makers import enriched, mention, numbered, one_of_each

pytestmark = [pytest.mark.elastic, pytest.mark.slow]
EXAMPLES = Path(__file__).parents[2] / "configs" / "examples" / "elastic"
USERS = {
    "deployer": ("groundswell_deploy",),
    "writer": ("groundswell_writer",),
    "reader": ("groundswell_reader",),
    "pipeline": ("groundswell_writer", "groundswell_reader"),
}
PASSWORD = "correct-horse-battery"


Become = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Guarded:
    """A server that lets in only whom it knows."""

    url: str
    ca: Path
    fingerprint: str
    folder: Path

    def settings(self, **changes: object) -> ElasticSettings:
        """Return settings that trust it."""
        return ElasticSettings.model_validate({"url": self.url, "ca_certs": self.ca, "timeout_seconds": 60, **changes})


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A node with TLS, users from files, and our three roles."""
    folder = tmp_path_factory.mktemp("guarded")
    ours = authority("Groundswell test CA")
    certified, key = certificate(ours, "node0")
    (folder / "ca.pem").write_text(pem(ours[0]))
    roles = sorted({role for some in USERS.values() for role in some})
    files = {
        "server.pem": pem(certified),
        "server.key": pem(key),
        "roles.yml": (EXAMPLES / "roles.yaml").read_text("utf-8"),
        "users": "".join(password_line(name, PASSWORD) for name in USERS),
        "users_roles": "".join(
            f"{role}:{','.join(name for name, some in USERS.items() if role in some)}\n" for role in roles
        ),
    }
    settings = {
        "xpack.security.enabled": "true",
        "xpack.security.http.ssl.enabled": "true",
        "xpack.security.http.ssl.key": "server.key",
        "xpack.security.http.ssl.certificate": "server.pem",
    }
    with node("9", settings=settings, files=files) as one:
        yield Guarded(one.url, folder / "ca.pem", fingerprint(certified), folder)


@pytest.fixture
def as_user(monkeypatch: pytest.MonkeyPatch) -> Become:
    """Return a function that says who we are from now on."""

    def become(name: str, password: str = PASSWORD) -> None:
        monkeypatch.setenv("GROUNDSWELL_ELASTIC_USER", name)
        monkeypatch.setenv("GROUNDSWELL_ELASTIC_PASSWORD", password)

    return become


@pytest.fixture(autouse=True)
def migrated(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deployer has made the indices."""
    monkeypatch.setenv("GROUNDSWELL_ELASTIC_USER", "deployer")
    monkeypatch.setenv("GROUNDSWELL_ELASTIC_PASSWORD", PASSWORD)
    until = time.monotonic() + 60
    while True:
        try:
            migrate(Settings(store=guarded.settings()))
            return
        except UnavailableError:  # the realm of files needs a moment after the port is open
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def test_the_pipeline_writes_and_searches(guarded: Guarded, as_user: Become) -> None:
    """With writer and reader everything goes, a month that nobody has made before included."""
    as_user("pipeline")
    with ElasticStore(guarded.settings()) as store:
        assert not store.put([*one_of_each(), *numbered(3, step=24 * 40)]).refused
        assert store.search(Query()).total == 4
        assert store.delete(Mention, ["m002"]) == 1


def test_a_writer_cannot_search(guarded: Guarded, as_user: Become) -> None:
    """It puts, and gets by id, and that is all."""
    as_user("writer")
    with ElasticStore(guarded.settings()) as store:
        assert not store.put([mention("w"), enriched("w")]).refused
        assert store.get(Document, "w") is not None
        with pytest.raises(UnavailableError, match="may not do that"):
            store.search(Query())
        with pytest.raises(UnavailableError, match="may not do that"):
            list(store.scan(Query()))


def test_a_reader_cannot_write(guarded: Guarded, as_user: Become) -> None:
    """It searches; a write is refused, and said."""
    as_user("reader")
    with ElasticReader(guarded.settings()) as reader:
        reader.search(Query())
        reader.get(Document, "w")
    with ElasticStore(guarded.settings()) as store, pytest.raises(StoreError, match="roles"):
        store.put([mention("r")])
    with ElasticReader(guarded.settings()) as reader:
        assert reader.get(Mention, "r") is None


def test_nobody_but_the_deployer_drops_an_index(guarded: Guarded, as_user: Become) -> None:
    """The pipeline's key cannot destroy what was collected."""
    as_user("pipeline")
    with ElasticStore(guarded.settings()) as store:
        answer = store.client.options(ignore_status=[403]).indices.delete(index=f"groundswell-theme-v{VERSION}")
        assert answer["status"] == 403


@pytest.mark.parametrize("how", ["wrong password", "nobody", "foreign key", "no key"])
def test_who_is_not_known_is_told_so_without_the_secret(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, how: str, tmp_path: Path
) -> None:
    """401 names the variable, never what is in it; the pipeline spools meanwhile."""
    secret = "hunter2-hunter2"
    key = base64.b64encode(f"VuaCfGcBCdbkQm-e5aOx:{secret}".encode()).decode()
    monkeypatch.delenv("GROUNDSWELL_ELASTIC_USER")
    if how in ("wrong password", "nobody"):
        monkeypatch.setenv("GROUNDSWELL_ELASTIC_USER", "reader" if how == "wrong password" else "mallory")
        monkeypatch.setenv("GROUNDSWELL_ELASTIC_PASSWORD", secret)
    elif how == "foreign key":
        monkeypatch.setenv("GROUNDSWELL_ELASTIC_API_KEY", key)
    settings = Settings(data_dir=tmp_path, store=guarded.settings())
    with caplog.at_level(logging.DEBUG), open_store(settings, spool=True) as store:
        assert store.put([mention()]).new == 1
        with pytest.raises(UnavailableError, match="GROUNDSWELL_ELASTIC_API_KEY") as told:
            ElasticStore(guarded.settings())
    everything = caplog.text + repr(told.value) + repr(settings) + settings.model_dump_json()
    everything += "".join(path.read_bytes().decode("latin-1") for path in tmp_path.iterdir())
    assert secret not in everything
    assert key not in everything


def test_an_unknown_authority_is_refused(guarded: Guarded, tmp_path: Path, as_user: Become) -> None:
    """Neither another CA nor the system's list will do; ours, or the certificate's fingerprint, does."""
    as_user("reader")
    other = tmp_path / "other.pem"
    other.write_text(pem(authority("somebody else")[0]))
    for changes in ({"ca_certs": other}, {"ca_certs": None}, {"ca_certs": None, "fingerprint": "00" * 32}):
        reader = ElasticReader(guarded.settings(**changes))
        with reader, pytest.raises(UnavailableError, match="certificate is not trusted"):
            reader.search(Query())
    with ElasticReader(guarded.settings(ca_certs=None, fingerprint=guarded.fingerprint)) as reader:
        reader.search(Query())


def test_plain_http_to_a_server_with_tls_is_explained(guarded: Guarded) -> None:
    """The wrong scheme does not hang, and is told."""
    settings = Settings(store=guarded.settings(url=guarded.url.replace("https", "http"), ca_certs=None))
    with open_reader(settings) as reader, pytest.raises(UnavailableError, match="cannot be reached"):
        reader.search(Query())


def test_the_roles_for_the_api_are_those_of_the_file() -> None:
    """One truth in two forms."""
    roles = YAML(typ="safe").load((EXAMPLES / "roles.yaml").read_text("utf-8"))
    assert {
        f"groundswell_{path.stem}": json.loads(path.read_text("utf-8")) for path in EXAMPLES.glob("*.json")
    } == roles
