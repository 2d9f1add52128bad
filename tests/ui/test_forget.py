"""What is asked to be forgotten is gone from everywhere, and stays away."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner

from groundswell.configs.load import load_settings
from groundswell.index.codec import to_json
from groundswell.index.export import Form, export_all, export_days, export_search
from groundswell.index.forgotten import Forgotten, plain
from groundswell.index.ids import author_key
from groundswell.index.open import open_store
from groundswell.index.query import Query
from groundswell.index.records import (
    Case,
    Checkpoint,
    Decision,
    Document,
    Enriched,
    Label,
    Mention,
    Note,
    Refusal,
    Revision,
    SavedSearch,
    Sentiment,
    Signal,
    Snooze,
    Task,
    Theme,
)
from groundswell.index.spool import Line
from groundswell.index.store import Store
from groundswell.ui.cli import cli
from groundswell.ui.desk import snapshot
from tests.index.makers import signal

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
SALT = "saltsalt"
SECRET = "Zwölf Boxkämpfer jagten Viktor quer über den grossen Sylter Deich"
OTHER = "The parcel came late and nobody answered my three messages about it"
URL = "https://forum.example/t/77"


@pytest.fixture(autouse=True)
def salted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give author keys a salt that is known."""
    monkeypatch.setenv("GROUNDSWELL_AUTHOR_SALT", SALT)
    monkeypatch.setenv("GROUNDSWELL_NOW", NOW.isoformat())


def _mention(name: str, text: str, **more: object) -> Mention:
    made = Mention(
        id=name, source="posts", kind="post", text=text, fetched_at=NOW - timedelta(days=1), date_confidence="exact",
        published_at=NOW - timedelta(days=2), author_key=author_key("Viktor", source="posts", salt=SALT),
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def _fill(store: Store) -> None:
    """Put the text into every kind of place."""
    secret, other = _mention("s1", SECRET, url=URL, canonical_url=URL), _mention("o1", OTHER, author_key="k2")
    feeling = Sentiment(label="negative", negative=0.9, neutral=0.1, positive=0)
    theme = Theme(id="t1", label=SECRET[:40], titles={"en": SECRET[:40]}, first_seen=NOW, last_seen=NOW)
    case = Case(
        id="c1", title="A case", opened_at=NOW, history=(Note(at=NOW, by="Mei", text=f"he says “{SECRET}”"),),
        evidence=tuple(snapshot(d) for d in _documents(secret, other)),
    )  # fmt: skip
    store.put(
        [
            secret, other, theme, case,
            *(Enriched(id=one, lang="de", sentiment=feeling, made_by="m") for one in ("s1", "o1")),
            Revision(id="r1", mention="s1", source="posts", what="edited", at=NOW, text=f"First: {SECRET}"),
            Refusal(id="x1", source="posts", where="line 3", reason="too long", at=NOW, sample=SECRET),
            Label(id="l1", subject="s1", field="risk", value="scam", annotator="Mei", at=NOW),
            Label(id="l2", subject="o1", field="risk", value="spam", annotator="Mei", at=NOW, note=f"not “{SECRET}”"),
            Task(id="w1", subject="s1", queue="audit", at=NOW), Task(id="w2", subject="o1", queue="audit", at=NOW),
            Decision(id="d1", alert="a1", what="dismissed", by="Mei", at=NOW, reason=f"only {SECRET}"),
            Snooze(id="t1", at=NOW, until=NOW + timedelta(days=1), by="Mei", reason=f"{SECRET} again"),
            SavedSearch(id="q1", name="him", text=f'"{SECRET}" OR x', owner="Mei", at=NOW, tell=("ops",)),
            Checkpoint(id="tell/q1", value={"text": f'"{SECRET}" OR x'}, at=NOW),
            replace(signal("a1"), evidence=("s1",), title="Boxkämpfer", why="Boxkämpfer: new", terms=("boxkämpfer",)),
            replace(signal("a2"), evidence=("s1", "o1"), title="parcels", terms=("parcel",), alert_chance=0.4),
        ]
    )  # fmt: skip


def _documents(*mentions: Mention) -> Iterator[Document]:
    yield from (Document(mention=mention) for mention in mentions)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A data folder in which the text lies everywhere that Groundswell writes."""
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "posts.yaml").write_text(
        "format: file\nkind: post\npaths: [posts.jsonl]\ncolumns: {text: text, id: id, author: who, url: url}\n"
    )
    rows = [
        {"id": "1", "text": SECRET, "who": "Viktor", "url": URL},
        {"id": "2", "text": OTHER, "who": "Ana", "url": ""},
    ]
    (sources / "posts.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    (tmp_path / "groundswell.yaml").write_text("crawl: {sources: [sources], shipped: false}\n")
    settings = load_settings(tmp_path / "groundswell.yaml", environ={})
    data = settings.data_dir
    with open_store(settings) as store:
        _fill(store)
        export_days(store, data / "parquet")
        for form in get_args(Form):
            export_all(store, data / "exports", form=form)
            export_all(store, tmp_path / "elsewhere", form=form)
        for end in ("csv", "jsonl", "parquet"):
            export_search(store, Query(), data / f"found.{end}")
    for folder in ("digests", "spool", "signals"):
        (data / folder).mkdir(exist_ok=True)
    (data / "digests" / "digest-2026-11-22.html").write_text(f"<p>{SECRET.replace(' ', '</b> ')}</p>")
    (data / "digests" / "digest-2026-11-22.txt").write_text(SECRET)
    mail = "Subject: x\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
    (data / "digests" / "digest-2026-11-22.eml").write_text(mail + base64.b64encode(SECRET.encode()).decode() + "\n")
    (data / "digests" / "digest-2026-11-21.txt").write_text(OTHER)
    (data / "reports").mkdir()
    (data / "reports" / "texts-2026-11-22.csv").write_text(f'text,n\r\n"{SECRET}",1\r\n"{OTHER}",2\r\n', "utf-8-sig")
    for name, said in (("him", SECRET), ("her", OTHER)):
        with zipfile.ZipFile(data / "reports" / f"{name}.xlsx", "w", zipfile.ZIP_DEFLATED) as book:
            book.writestr("xl/sharedStrings.xml", f"<sst><si><t>{said}</t></si></sst>")
        packed = zlib.compress(f"> {said}".encode())
        (data / f"case-{name}.pdf").write_bytes(b"%PDF-1.7\n1 0 obj<<>>stream\n" + packed + b"\nendstream\n%%EOF")
    line = json.dumps({"mention": to_json(_mention("s9", SECRET))}, ensure_ascii=False)
    (data / "spool" / "posts.20261122T0.jsonl").write_text(line + "\n" + json.dumps({"remark": "kept"}) + "\n")
    (data / "dead-letters.jsonl").write_text(json.dumps({"id": "s8", "record": to_json(_mention("s8", SECRET))}) + "\n")
    (data / ".export.jsonl.killed.part").write_text(SECRET)
    waiting = Line(data / "spool.db")
    waiting.append([_mention("s7", SECRET), _mention("o7", OTHER, author_key="k2")])
    waiting.close()
    return tmp_path


def _run(place: Path, *words: str) -> str:
    given = ["-c", str(place / "groundswell.yaml"), *words]
    done = CliRunner().invoke(cli, given, standalone_mode=False)
    assert done.exception is None, (done.output, done.exception)
    return done.output


def _everywhere(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _traces(folder: Path, word: str) -> list[str]:
    """Return the files in which a word stands, in whatever form their format has it."""
    import pyarrow.parquet as pq

    found = []
    for name, raw in _everywhere(folder).items():
        texts = [raw]
        if name.endswith(".parquet"):
            texts = [str(pq.read_table(folder / name).to_pylist()).encode()]
        if name.endswith(".eml"):
            texts = [base64.b64decode(raw.split(b"\n\n", 1)[1])]
        forms = {word.encode(), json.dumps(word)[1:-1].encode(), word.encode("utf-16-le"), word.lower().encode()}
        if any(form in text for text in texts for form in forms):
            found.append(name)
    return found


ASKED = [("--author", "Viktor"), ("--url", f"{URL}?utm_source=x"), ("--text", SECRET.upper())]


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked[0])
def test_what_is_forgotten_is_gone_from_every_file(place: Path, asked: tuple[str, str]) -> None:
    """By its author, its address or its words; the rest stays where it was."""
    data = place / ".groundswell"
    assert len(_traces(data, "Boxkämpfer")) > 10
    said = _run(place, "forget", *asked, "--in", str(place / "elsewhere"))
    assert "1 documents" in said or "2 documents" in said
    assert _traces(data, "Boxkämpfer") == []
    assert _traces(place / "elsewhere", "Boxkämpfer") == []
    assert (data / "digests" / "digest-2026-11-21.txt").exists()
    assert "groundswell.db" in _traces(data, "nobody answered my three messages")
    assert "found.csv" in _traces(data, "nobody answered my three messages")
    with open_store(load_settings(place / "groundswell.yaml", environ={})) as store:
        assert [mention.id for mention in store.many(Mention, ["s1", "o1"])] == ["o1"]
        case = store.get(Case, "c1")
        assert [(one.id, one.note) for one in store.recent(Label)] == [("l2", "[forgotten]")]
        assert [one.id for one in store.recent(Task)] == ["w2"]
        assert [one.reason for one in store.recent(Decision)] == ["[forgotten]"]
        assert [one.reason for one in store.recent(Snooze)] == ["[forgotten]"]
        assert (store.recent(SavedSearch), store.get(Checkpoint, "tell/q1")) == ([], None)
        bare, shared = store.many(Signal, ["a1", "a2"])
        assert (bare.title, bare.terms, shared.title, shared.terms) == ("", (), "parcels", ("parcel",))
    left = {str(file.relative_to(data)) for end in ("pdf", "xlsx", "csv") for file in data.rglob(f"*.{end}")}
    assert left >= {"reports/her.xlsx", "case-her.pdf", "reports/texts-2026-11-22.csv"}
    assert not left & {"reports/him.xlsx", "case-him.pdf"}
    assert case is not None
    tombstone, kept = case.evidence
    assert tombstone["forgotten_at"] == NOW.isoformat()
    assert (tombstone["text"], tombstone["source"], len(tombstone["sha256"])) == ("", "posts", 64)
    assert kept["text"] == OTHER
    waiting = Line(data / "spool.db")
    assert [record.id for record in waiting.first(9)[0]] == ["o7"]
    waiting.close()


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked[0])
def test_no_crawl_and_no_import_brings_it_back(place: Path, asked: tuple[str, str]) -> None:
    """The visit says that something was left out, and nothing of what."""
    _run(place, "forget", *asked)
    said = _run(place, "crawl")
    assert "posts" in said
    _run(place, "import", str(place / "elsewhere"))
    with open_store(load_settings(place / "groundswell.yaml", environ={})) as store:
        texts = [document.mention.text for document in store.scan(Query())]
        assert store.many(Revision, ["r1"]) == []
        (note,) = [each for each in store.recent(Refusal) if each.where == "forgotten"]
    assert texts
    assert all(text == OTHER for text in texts)
    assert note.sample == ""


def test_said_again_it_finds_nothing(place: Path) -> None:
    """And breaks nothing."""
    _run(place, "forget", "--text", SECRET)
    assert _run(place, "forget", "--text", SECRET) == "nothing was found\n"


def test_a_short_text_would_take_too_much_along(place: Path) -> None:
    """So it is refused; and so is a call that says nothing."""
    run = CliRunner().invoke
    given = ["-c", str(place / "groundswell.yaml"), "forget"]
    for words in (["--text", "the ad"], [], ["--expired", "--text", SECRET]):
        assert run(cli, [*given, *words]).exit_code == 2


def test_killed_in_the_middle_it_ends_as_undisturbed(place: Path) -> None:
    """It is kept from coming back before anything is taken out; the next call takes the rest."""
    code = (
        "import os, signal, groundswell.index.forget as f\n"
        "f._cases = lambda *a: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from groundswell.ui.cli import main; main(['forget', '--author', 'Viktor'])"
    )
    killed = subprocess.run(
        [sys.executable, "-c", code], cwd=place, env=dict(os.environ), capture_output=True, check=False
    )
    assert killed.returncode == -9, killed.stderr
    _run(place, "forget", "--author", "Viktor")
    with open_store(load_settings(place / "groundswell.yaml", environ={})) as store:
        case = store.get(Case, "c1")
    assert case is not None
    assert "forgotten_at" in case.evidence[0]


def test_what_was_forgotten_is_kept_as_hashes_alone(place: Path) -> None:
    """The list of what is not wanted is no list of what it was."""
    _run(place, "forget", "--text", SECRET, "--author", "Viktor")
    with open_store(load_settings(place / "groundswell.yaml", environ={})) as store:
        forgotten = Forgotten.of(store)
    assert forgotten.says(f"Er sagt: {SECRET.upper().replace(' ', '  ')}!")
    assert not forgotten.says(OTHER)
    assert plain(SECRET) not in str(forgotten)
    assert "Viktor" not in str(forgotten.authors - {"Viktor"})


def test_documents_are_kept_as_long_as_their_market_says(tmp_path: Path) -> None:
    """By when they were published, or fetched where that is not known; 0 keeps for ever; cases keep their evidence."""
    (tmp_path / "groundswell.yaml").write_text("retention: {days: 30, markets: {SG: 5, TH: 0}}\n")
    settings = load_settings(tmp_path / "groundswell.yaml", environ={})

    def old(name: str, days: int, market: str, *, dated: bool = True) -> Mention:
        at = NOW - timedelta(days=days)
        one = _mention(name, OTHER, market=market, published_at=at, fetched_at=at)
        return one if dated else replace(one, published_at=None, date_confidence="none")

    with open_store(settings) as store:
        store.put(
            [
                old("a", 29, "MY"),
                old("b", 31, "MY"),
                old("c", 6, "SG"),
                old("d", 999, "TH"),
                old("e", 31, "", dated=False),
            ]
        )
    given = ["-c", str(tmp_path / "groundswell.yaml"), "forget", "--expired"]
    assert CliRunner().invoke(cli, given, standalone_mode=False).output == "3 documents\n"
    with open_store(settings) as store:
        assert sorted(document.id for document in store.scan(Query())) == ["a", "d"]
