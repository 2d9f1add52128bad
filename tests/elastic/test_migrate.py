"""Moving to other mappings while everybody works, and back; moving between the stores."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from click.testing import CliRunner, Result
from elasticsearch import Elasticsearch

from groundswell.configs.schema import ElasticSettings, Settings
from groundswell.index import open as opening
from groundswell.index.dead_letters import send as send_letters
from groundswell.index.elastic.documents import to_source
from groundswell.index.elastic.migrate import Schema, back, migrate
from groundswell.index.elastic.names import VERSION, Names, mapping
from groundswell.index.elastic.read import ElasticReader
from groundswell.index.elastic.store import ElasticStore
from groundswell.index.export import export_all, import_all
from groundswell.index.open import open_store
from groundswell.index.query import By, Query
from groundswell.index.records import Case, Document, Enriched, Record, Signal, Snooze
from groundswell.index.sqlite.write import SqliteStore
from groundswell.index.store import StoreError
from groundswell.index.vector import vector_to_text
from groundswell.ui.cli import cli
from tests.index.makers import (
    case,
    enriched,
    member,
    mention,
    new_signal,
    new_snooze,
    numbered,
    old_signal,
    old_snooze,
    one_of_each,
    undated,
    vector,
)

pytestmark = [pytest.mark.elastic, pytest.mark.slow]


@pytest.fixture
def settings(elastic_url: str) -> Iterator[ElasticSettings]:
    """A store with a name of its own, gone afterwards."""
    made = ElasticSettings(url=elastic_url, prefix=f"move{uuid4().hex[:8]}")
    yield made
    with Elasticsearch(elastic_url, request_timeout=60) as client:
        if found := list(client.indices.get_alias(index=f"{made.prefix}-*")):
            client.indices.delete(index=found)


def _with_length(kind: str) -> dict[str, Any]:
    body = mapping(kind)
    body["mappings"]["_meta"]["mapping_version"] = VERSION + 1
    if kind == "documents":
        body["mappings"]["properties"]["length"] = {"type": "integer"}
    return body


def _source(document: Document) -> dict[str, Any]:
    return {**to_source(document), "length": len(document.mention.text)}


NEXT = Schema(version=VERSION + 1, mapping=_with_length, source=_source)
"""A next version: documents can be found by their length."""


def test_a_store_is_made_once(settings: ElasticSettings) -> None:
    """The first call makes the indices, the second has nothing to do."""
    assert f"made, schema {VERSION}" in migrate(settings)
    assert "nothing to do" in opening.migrate(Settings(store=settings))
    with pytest.raises(StoreError, match="to go back to"):
        back(settings)


def test_older_indices_are_not_asked_what_they_cannot_know(settings: ElasticSettings) -> None:
    """Neither for reading nor for writing: a wrong count would be worse than none."""
    names = Names(settings.prefix, VERSION - 1)
    mappings = {"_meta": {"mapping_version": VERSION - 1}}
    with Elasticsearch(settings.url) as client:
        client.indices.create(index=names.index(names.places), aliases={names.places: {}}, mappings=mappings)
    with ElasticReader(settings) as reader:
        for ask in (lambda: reader.search(Query()), lambda: reader.count(Query(), By())):
            with pytest.raises(StoreError, match="groundswell migrate"):
                ask()
    with pytest.raises(StoreError, match="groundswell migrate"):
        ElasticStore(settings)


def test_a_cluster_of_an_older_version_gets_the_kinds_it_lacks(settings: ElasticSettings) -> None:
    """Snoozes that were checkpoints are records, and signals of old are read as those of this version."""
    names = Names(settings.prefix)
    with ElasticStore(settings) as store:
        store.put([new_signal()])
        for kind, body in (("signal", old_signal()), ("checkpoint", old_snooze())):
            source = {"id": body["id"], "at": 0, "body": body}
            store.client.index(index=names.kind(kind), id=body["id"], document=source, refresh=True)
        store.client.indices.delete(index=names.index(names.kind("snooze")))
    with ElasticReader(settings) as reader:
        assert reader.get(Snooze, "t1") is None
    with ElasticStore(settings) as store:
        assert store.get(Snooze, "t1") == new_snooze()
        assert store.get(Signal, "s1") == new_signal()


def test_mappings_change_while_people_read_and_write(settings: ElasticSettings, tmp_path: Path) -> None:
    """No search ever misses what was there, nothing written meanwhile is lost, and the new field can be asked."""
    outer = Settings(data_dir=tmp_path, store=settings)
    with ElasticStore(settings) as store:
        store.put([*one_of_each(), *numbered(300, step=30), *(enriched(f"m{n:03}") for n in range(300))])
        store.put([undated("u"), enriched("u", vector=vector(1, 2, 3))])
        seen, over, wrote = set[int](), threading.Event(), list[str]()

        def read() -> None:
            with ElasticReader(settings) as reader:
                while not over.is_set():
                    seen.add(reader.search(Query(where={"sentiment": ("negative",)}, limit=1)).total)

        def write() -> None:
            with open_store(outer, spool=True) as mine:
                while not over.is_set():
                    wrote.append(f"w{len(wrote):03}")
                    mine.put([mention(wrote[-1], hours=len(wrote))])

        store.search(Query())
        threads = [threading.Thread(target=each) for each in (read, write)]
        for thread in threads:
            thread.start()
        said = migrate(settings, to=NEXT)
        over.set()
        for thread in threads:
            thread.join()
    assert f"from schema {VERSION} to {VERSION + 1}" in said
    assert seen == {302}
    with pytest.raises(StoreError, match="install a newer one"):
        ElasticStore(settings)
    with Elasticsearch(settings.url) as client:
        client.indices.refresh(index=f"{settings.prefix}-*")
        found = client.search(index=f"{settings.prefix}-documents", query={"term": {"length": len("too many ads")}})
        assert found["hits"]["total"]["value"] >= 302
    assert f"back at schema {VERSION}" in back(settings)
    with open_store(outer, spool=True) as again:
        documents = {document.id: document for document in again.scan(Query(with_vectors=True))}
        assert len(documents) == 302 + len(wrote)
        assert set(wrote) < set(documents)
        assert again.get(Case, "c1") == case()
        assert documents["u"].enriched == enriched("u", vector=vector(1, 2, 3))
        assert not again.put([member("m000", "t7")]).refused
    assert "nothing to do" in migrate(settings)


def test_a_move_that_was_killed_goes_on(settings: ElasticSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ended before the aliases are swapped: the old indices serve on, open for writing, and a second try ends it."""
    with ElasticStore(settings) as store:
        store.put(numbered(50, step=30))

        def cut(*_: object) -> int:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
            patch.setattr("groundswell.index.elastic.migrate.compare", cut)
            migrate(settings, to=NEXT)
        assert not store.put([mention("m000", "edited"), mention("late")]).refused
        store.delete(Document, ["m001"])
        assert store.search(Query()).total == 50
    migrate(settings, to=NEXT)
    with ElasticReader(settings) as reader:
        assert reader.search(Query()).total == 50
        document = reader.get(Document, "m000")
        assert document is not None
        assert document.mention.text == "edited"
        assert reader.get(Document, "m001") is None


def test_everything_moves_to_elasticsearch_and_back_byte_equal(settings: ElasticSettings, tmp_path: Path) -> None:
    """Export, import, export, import, export: three times the same bytes."""
    extra = [*numbered(40, step=25), undated("u", "广告太多\n\x00“quoted”"), mention("far", hours=1e6)]
    parts: list[Record] = [
        enriched("m003", vector=vector(3, 1), risks={"scam": 0.123456789}),
        member("m003"),
        replace(case("c2")),
    ]
    with SqliteStore(tmp_path / "one.db") as one, SqliteStore(tmp_path / "two.db") as two:
        one.put([*one_of_each(), *extra, *parts])
        export_all(one, tmp_path / "a")
        with ElasticStore(settings) as far:
            assert not import_all(far, tmp_path / "a").refused
            export_all(far, tmp_path / "b", form="parquet")
            export_all(far, tmp_path / "c")
        assert not import_all(two, tmp_path / "b").refused
        export_all(two, tmp_path / "d")
    first = {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()}
    for again in ("c", "d"):
        assert {path.name: path.read_bytes() for path in (tmp_path / again).iterdir()} == first


def test_dead_letters_are_sent_again(settings: ElasticSettings, tmp_path: Path) -> None:
    """What the store can take by now leaves the file, what is overtaken too, and the rest stays with its reason."""

    def send() -> Result:
        (tmp_path / "groundswell.yaml").write_text(
            f"data_dir: {tmp_path}\nstore: {{backend: elastic, url: {settings.url}, prefix: {settings.prefix}}}\n"
        )
        config = str(tmp_path / "groundswell.yaml")
        return CliRunner().invoke(cli, ["--config", config, "import", "--dead-letters"], standalone_mode=False)

    assert "no dead letters" in send().output
    long = np.ones(3, np.float32)
    letters = tmp_path / "dead-letters.jsonl"
    with open_store(Settings(data_dir=tmp_path, store=settings)) as store:
        store.put([mention("a"), mention("b"), enriched("a", vector=vector(1))])
        report = store.put([enriched("late"), enriched("b", "neutral", vector=long), enriched("a", vector=long)])
        assert {each.id for each in report.refused} == {"late", "a", "b"}
        assert len(letters.read_text().splitlines()) == 3
        store.put([mention("late"), enriched("a", "positive", vector=vector(2))])
        done = send()
        assert done.return_value == 1
        assert "1 taken now, 1 overtaken by newer ones, 1 refused" in done.output
        assert store.get(Enriched, "late") == enriched("late")
        assert store.get(Enriched, "a") == enriched("a", "positive", vector=vector(2))
        (left,) = map(json.loads, letters.read_text().splitlines())
        assert (left["id"], left["record"]["sentiment"]["label"]) == ("b", "neutral")
        assert "3 numbers" in left["reason"]
        store.delete(Enriched, ["a"])
        letters.write_text(letters.read_text().replace(vector_to_text(long), vector_to_text(vector(3))) * 2)
        assert "1 taken now, 0 overtaken by newer ones, 0 refused" in send().output
        assert store.get(Enriched, "b") == enriched("b", "neutral", vector=vector(3))
    assert not letters.exists()
    letters.write_text("nonsense\n")
    with pytest.raises(StoreError, match="1 is no letter"):
        send_letters(SqliteStore(tmp_path / "any.db"), tmp_path)
