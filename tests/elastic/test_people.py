"""On Elasticsearch as on the embedded store: alerts go out once, labels are given, the forgotten stays gone, watch."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from groundswell.configs.schema import AlertSettings, CrawlSettings, ElasticSettings, Receiver, Settings, WatchSettings
from groundswell.index.open import open_store
from groundswell.index.query import Query
from groundswell.index.records import Delivery, Label, Revision, Task
from groundswell.nlp.trust.labels import all_judgements
from groundswell.ui.cli import cli
from groundswell.ui.labelling import Labelling, guidelines, next_task, waiting
from groundswell.ui.report.delivery.ledger import notify
from groundswell.ui.watch.watcher import Watcher
from tests.index.makers import NOON, enriched, mention
from tests.ui.seed import fill

pytestmark = [pytest.mark.elastic, pytest.mark.slow]
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
SOURCE = "format: file\nkind: post\npaths: [posts.jsonl]\ncolumns: {text: text, id: id, author: who}\n"
SECRET = "Twelve boxers chase Viktor right across the great dike of Sylt"
OTHER = "The parcel came late and nobody answered my three messages about it"


@pytest.fixture
def settings(elastic_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Give settings of an empty place on a cluster, with one source of two posts."""
    monkeypatch.setenv("GROUNDSWELL_AUTHOR_SALT", "saltsalt")
    monkeypatch.setenv("GROUNDSWELL_NOW", NOW.isoformat())
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "posts.yaml").write_text(SOURCE)
    rows = [{"id": "1", "text": SECRET, "who": "Viktor"}, {"id": "2", "text": OTHER, "who": "Ana"}]
    (tmp_path / "sources" / "posts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    store = ElasticSettings(url=elastic_url, prefix=f"people-{time.time_ns()}")
    place = f"store: {{backend: elastic, url: '{elastic_url}', prefix: {store.prefix}}}\n"
    (tmp_path / "groundswell.yaml").write_text(f"crawl: {{sources: [sources], shipped: false}}\n{place}")
    crawl = CrawlSettings(sources=(tmp_path / "sources",), shipped=False)
    yield Settings(data_dir=tmp_path / ".groundswell", store=store, crawl=crawl, watch=WatchSettings(every_minutes=60))
    with open_store(Settings(data_dir=tmp_path, store=store)) as opened:
        client = opened.client  # type: ignore[attr-defined]
        client.indices.delete(index=list(client.indices.get_alias(index=f"{store.prefix}-*")))


def _run(settings: Settings, *words: str) -> str:
    given = ["-c", str(settings.data_dir.parent / "groundswell.yaml"), *words]
    done = CliRunner().invoke(cli, given, standalone_mode=False)
    assert done.exception is None, (done.output, done.exception)
    return done.output


def test_an_alert_is_told_once_and_its_delivery_is_kept(settings: Settings) -> None:
    """A webhook hears of it; asked again, and by another process's store, nobody hears it twice."""
    heard: list[bytes] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        to = Receiver(id="ops", kind="webhook", url=f"http://127.0.0.1:{server.server_port}/hook")
        alerts = AlertSettings(receivers=(to,), allow_private_addresses=True)
        told = settings.model_copy(update={"alerts": alerts})
        with open_store(told) as store:
            fill(store, NOW)
            assert notify(store, told, now=NOW).sent == 1
        with open_store(told) as store:
            assert notify(store, told, now=NOW).sent == 0
            (row,) = store.recent(Delivery)
        server.shutdown()
    assert (row.status, row.receiver, row.attempts, row.sent_at) == ("sent", "ops", 1, NOW)
    assert len(heard) == 1


def test_labels_are_given_blind_disputed_and_ruled(settings: Settings) -> None:
    """A task goes to each once and is gone when it has its labels; the ruling is the last word."""
    with open_store(settings) as store:
        store.put([record for n in range(3) for record in (mention(f"d{n}"), enriched(f"d{n}", lang="en"))])
        desk = Labelling(store, ("gambling",))
        assert desk.add([Task(id="t1", subject="d1", queue="audit", at=NOON, wanted=2)]) == 1
        for who, value in (("mei", "gambling"), ("tan", "none")):
            task = next_task(store, who)
            assert task is not None
            desk.answer(task.id, {"sentiment": "negative", "risks": value}, by=who, now=NOON)
            assert next_task(store, who) is None
        assert waiting(store) == []
        desk.rule("d1", "risks", "gambling", by="lee", now=NOON, note="a jackpot is a bet")
        assert [one.note for one in guidelines(store)] == ["a jackpot is a bet"]
        assert len(store.recent(Label)) == 5
        assert all_judgements(store, settings)


def test_what_is_forgotten_is_gone_and_no_crawl_brings_it_back(settings: Settings) -> None:
    """By its author and by its words; what others said stays."""
    _run(settings, "crawl")
    with open_store(settings) as store:
        (first,) = [d.mention for d in store.scan(Query()) if "Viktor" in d.mention.text]
        store.put([Revision(id="r1", mention=first.id, source="posts", what="edited", at=NOW, text=f"was: {SECRET}")])
    assert "1 documents" in _run(settings, "forget", "--author", "Viktor")
    with (settings.data_dir.parent / "sources" / "posts.jsonl").open("a") as file:
        file.write(json.dumps({"id": "3", "text": f"{OTHER}, again", "who": "Ana"}) + "\n")
    _run(settings, "crawl")
    with open_store(settings) as store:
        assert sorted(d.mention.text for d in store.scan(Query())) == [OTHER, f"{OTHER}, again"]
        assert not [one for one in store.recent(Revision) if "Viktor" in one.text]


@pytest.mark.timeout(400)
def test_watch_visits_reads_and_places(settings: Settings) -> None:
    """All by itself, until it is asked to stop."""
    watcher = Watcher(settings, lambda: datetime.now(UTC), skip=("digest",))
    working = threading.Thread(target=watcher.run)
    working.start()
    until = time.monotonic() + 300
    try:
        while time.monotonic() < until:
            with open_store(settings) as store:
                documents = list(store.scan(Query()))
            if len(documents) == 2 and all(d.enriched and d.membership for d in documents):
                break
            time.sleep(1)
    finally:
        watcher.stop.set()
        working.join()
    assert len(documents) == 2
    assert all(d.enriched and d.membership for d in documents)
    assert watcher.health.troubles() == []
