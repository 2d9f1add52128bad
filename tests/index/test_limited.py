"""Whoever is limited to one market sees nothing of another: in no record, no count, no file and no table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from groundswell.configs.schema import Role, Settings
from groundswell.index.limited import _RULES, LimitedReader
from groundswell.index.open import OpenReader, open_reader, open_store
from groundswell.index.permitted import AccessError, PermittedStore, Person, seen_by
from groundswell.index.query import By, Is, Query, Word
from groundswell.index.records import (
    RECORDS,
    Case,
    Checkpoint,
    CrawlRun,
    Decision,
    Delivery,
    Document,
    Label,
    Lease,
    Lineage,
    Membership,
    Mention,
    Moderation,
    Record,
    Refusal,
    Revision,
    Sample,
    SavedSearch,
    Signal,
    Snooze,
    Task,
    Theme,
)
from groundswell.index.sql import run_sql
from groundswell.index.tables import TABLES, VIEWS
from tests.index.makers import LATER, NOON, case, enriched, member, mention, signal, vector

SECRET = "orangutan"
"""Stands in whatever is of Singapore; nothing that is shown of Malaysia may hold it."""
ARIF = Person("Arif", "admin", ("MY",))


def _of(market: str, word: str, *, mixed: str = "") -> list[Record]:
    """Return one record of every kind that is about documents of one market, each with a word in all that is free."""
    own = f"{word}-{market.lower()}"
    document, alert, theme, source = f"m-{own}", f"s-{own}", f"t-{own}", f"src-{own}"
    kept = {"id": document, "market": market, "text": f"{word} in a case"}
    return [
        mention(document, f"{word} took my money", title=word, market=market, source=source, author_key=own),
        enriched(document, risks={"scam": 0.9}, vector=vector(1, 2)),
        member(document, theme),
        Theme(id=theme, label=f"{word} refunds", first_seen=NOON, last_seen=LATER, keywords=(word, "refund"),
              titles={"en": word}, exemplars=(document,), size=1),
        Lineage(id=f"l-{own}", theme=theme, what="renamed", at=NOON, why=f"was {word}"),
        signal(alert, theme=theme, market=market, evidence=(document,), why=f"{word} grew", title=word, terms=(word,)),
        case(f"c-{own}", title=word, signals=(alert,), evidence=(kept,)),
        Label(id=f"la-{own}", subject=document, field="risk", value="scam", annotator="Mei", at=NOON, note=word),
        Label(id=f"lb-{own}", subject=alert, field="disposition", value="false", annotator="Mei", at=NOON, note=word),
        Task(id=f"k-{own}", subject=document, queue="audit", at=NOON, why=word),
        Moderation(id=f"mo-{own}", item=f"ad {word}", decision="rejected", at=NOON, market=market),
        Snooze(id=theme, at=NOON, until=LATER, by="Mei", reason=word),
        Decision(id=f"d-{own}", alert=alert, what="dismissed", by="Mei", at=NOON, reason=word),
        CrawlRun(id=f"r-{own}", source=source, started_at=NOON, finished_at=LATER, found=1, stored=1, remark=word),
        Refusal(id=f"x-{own}", source=source, where=word, reason="no text", at=NOON, sample=word),
        Revision(id=f"v-{own}", mention=document, source=source, what="edited", at=NOON, text=word),
        Delivery(id=f"y-{own}", receiver="mei", about=alert, state="new", at=NOON, title=word),
        Delivery(id=f"z-{own}", receiver="mei", about=source, state=f"dying {word}", at=NOON),
    ]  # fmt: skip


def _shared() -> list[Record]:
    """Return what both markets have a part in, named by the words of the other."""
    return [
        mention("m-both-sg", f"{SECRET} ads here", market="SG", source="everywhere"),
        mention("m-both-my", "durian ads here", market="MY", source="everywhere"),
        *[part for key in ("m-both-sg", "m-both-my") for part in (enriched(key), member(key, "t-both"))],
        Theme(id="t-both", label=f"{SECRET} ads", first_seen=NOON, last_seen=LATER, keywords=(SECRET, "durian", "ads"),
              exemplars=("m-both-sg", "m-both-my"), size=2, titles={"zh": SECRET}, centroid=vector(1, 1)),
        Lineage(id="l-both", theme="t-both", what="renamed", at=NOON, why=f"was {SECRET}"),
        Snooze(id="t-both", at=NOON, until=LATER, by="Mei", reason=SECRET),
        signal("s-both", theme="t-both", evidence=("m-both-sg", "m-both-my"), why=SECRET, title=f"{SECRET} ads"),
        signal("s-part", theme="t-both", market="MY", evidence=("m-both-sg", "m-both-my"), why="2 of Malaysia",
               title=f"{SECRET} ads", terms=(SECRET, "durian")),
        case("c-both", title=SECRET, signals=("s-both",),
             evidence=({"id": "m-both-my", "market": "MY"}, {"id": "m-both-sg", "market": "SG", "text": SECRET})),
        CrawlRun(id="r-both", source="everywhere", started_at=NOON, finished_at=LATER, found=2, remark=SECRET),
        SavedSearch(id="q-mei", name=SECRET, text=SECRET, owner="Mei", at=NOON),
        SavedSearch(id="q-arif", name="mine", text="durian", owner="Arif", at=NOON),
        Sample(id="p", at=NOON, by=SECRET, since=NOON, until=LATER, drawn={"": 1}),
        Checkpoint(id="digest/2026-11-30", value={"sent": [SECRET]}, at=NOON),
        mention("m-nowhere", f"{SECRET} without a market", market="", source="loose"),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return where two markets lie side by side."""
    found = Settings(data_dir=tmp_path_factory.mktemp("markets"))
    with open_store(found) as store:
        report = store.put([*_of("SG", SECRET), *_of("MY", "durian"), *_shared()])
        assert not report.refused
    return found


@pytest.fixture
def arif(settings: Settings) -> Iterator[OpenReader]:
    """Return what somebody sees who is limited to Malaysia."""
    with open_reader(settings) as reader:
        yield seen_by(ARIF, reader)


def test_every_kind_of_record_has_a_rule() -> None:
    """A kind that somebody adds is not shown until it has one."""
    assert set(_RULES) == {*RECORDS, Document}


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
def test_no_record_tells_of_another_market(settings: Settings, arif: OpenReader, kind: type[Any]) -> None:
    """Not the newest, not those asked for by id, not one alone; and what is one's own is there."""
    with open_reader(settings) as whole:
        everything = whole.recent(kind, limit=1000)
    keys = [one.id for one in everything]
    assert keys or kind is Lease
    shown = arif.recent(kind, limit=1000)
    for found in (shown, arif.many(kind, keys), [arif.get(kind, key) for key in keys]):
        assert SECRET not in repr(found)
    if kind not in {Sample, Checkpoint, Lease}:
        assert any("durian" in repr(one) for one in shown)
        assert len(shown) < len(everything)


def test_questions_count_and_find_in_one_s_own_markets_alone(arif: OpenReader) -> None:
    """Asked for by market, word, theme, author, or not at all."""
    for query in (
        Query(), Query(where={"market": ("SG",)}), Query(where={"market": ("SG", "MY")}),
        Query(match=Is("market", "SG")),
        Query(match=Word(SECRET)), Query(where={"theme": (f"t-{SECRET}-sg",)}), Query(vector=vector(1, 2)),
        Query(collapse=True, facets=("market", "theme", "source", "author"), highlight=True),
    ):  # fmt: skip
        page = arif.search(query)
        assert {hit.document.mention.market for hit in page.hits} <= {"MY"}
        assert SECRET not in repr(page)
        assert page.total == len(page.hits) <= 2
        assert SECRET not in repr(list(arif.scan(query)))
        assert SECRET not in repr(arif.count(query, By(fields=("theme", "source"))))
        assert arif.extents([query])[0].count <= 2
    assert arif.search(Query(where={"market": ("SG",)})).total == 0
    assert arif.search(Query()).total == 2


def test_a_theme_that_others_share_is_told_from_one_s_own_documents(arif: OpenReader) -> None:
    """Its title, words, size and exemplars; an alert about Malaysia keeps its own evidence."""
    theme, alert = arif.get(Theme, "t-both"), arif.get(Signal, "s-part")
    assert theme is not None
    assert (theme.label, theme.keywords, theme.size) == ("durian · ads", ("durian", "ads"), 1)
    assert (theme.exemplars, theme.titles, theme.centroid) == (("m-both-my",), {}, None)
    assert alert is not None
    assert (alert.title, alert.terms, alert.evidence) == ("durian", ("durian",), ("m-both-my",))
    assert arif.get(Signal, "s-both") is None
    assert arif.get(Case, "c-both") is None


def test_the_market_of_what_has_none_is_granted_by_name(settings: Settings) -> None:
    """An empty market in the list stands for documents without one."""
    with open_reader(settings) as reader:
        assert LimitedReader(reader, ("MY", "")).search(Query()).total == 3


@pytest.mark.parametrize("table", ["documents", *VIEWS, *TABLES])
def test_sql_knows_no_other_market(settings: Settings, table: str) -> None:
    """Whatever table is asked, in its rows and in how many there are."""
    alert = {"id": "s-part", "theme": "t-both", "start": datetime(2000, 1, 1, tzinfo=UTC)}  # for alert_documents
    statement = f"select * from {table}"  # noqa: S608  our own names
    found = run_sql(settings, statement, person=ARIF, derived=lambda _: [alert])
    assert SECRET not in repr(found.rows)
    assert found.rows


@pytest.mark.parametrize(
    "statement",
    [
        "select * from documents_rows",
        "select * from documents where market = 'SG' or true",
        "from documents_rows select count(*) filter (market = 'SG')",
        "select sql from duckdb_views()",
        "select * from read_parquet('{folder}/parquet/documents/*.parquet')",
        "select * from glob('{folder}/**')",
        "select * from read_text('{folder}/audit.jsonl')",
        "select * from themes_json",
        "select * from sqlite_scan('{folder}/groundswell.db', 'record')",
    ],
)
def test_sql_has_no_way_around(settings: Settings, statement: str) -> None:
    """Neither what stands behind the tables, nor the files."""
    with open_reader(settings) as reader:
        from groundswell.index.export import export_days

        export_days(reader, settings.data_dir / "parquet")
    try:
        rows: object = run_sql(settings, statement.format(folder=settings.data_dir), person=ARIF).rows
    except Exception as error:  # noqa: BLE001  whatever it says may not tell either
        rows = str(error)
    assert SECRET not in str(rows).replace(statement, "")
    assert "SG" not in str(rows).replace(str(settings.data_dir), "").replace("'SG'", "")


def test_files_of_a_cluster_s_days_are_narrowed_before_anybody_asks(settings: Settings) -> None:
    """Where documents come from Parquet files, the child reads them and offers one's own."""
    from groundswell.index.export import export_days
    from groundswell.index.sql import _ask

    folder = settings.data_dir / "days"
    with open_reader(settings) as reader:
        export_days(reader, folder)
    found = _ask(folder, "select market, text from documents", 30, 100, derived={}, markets=("MY",))
    assert {row[0] for row in found.rows} == {"MY"}
    assert len(found.rows) == 2
    assert _ask(folder, "select count(*) from cases", 30, 100, derived={}, markets=("MY",)).rows == ((0,),)


# --- writing


@pytest.fixture
def copy(settings: Settings, tmp_path: Path) -> Settings:
    """Return a world that a test may change."""
    changed = Settings(data_dir=tmp_path)
    with open_store(changed) as store:
        store.put([*_of("SG", SECRET), *_of("MY", "durian"), *_shared()])
    return changed


def test_nobody_writes_what_they_do_not_see_whole(copy: Settings) -> None:
    """What is told from a part is never written back as if it were all."""
    with open_store(copy) as store:
        mine = PermittedStore(store, ARIF)
        for kind, key in ((Theme, "t-both"), (Theme, f"t-{SECRET}-sg"), (Snooze, "t-both"), (Membership, "m-both-sg")):
            there: Any = store.get(kind, key)
            with pytest.raises(AccessError, match="markets that Arif does not see"):
                mine.put([there])
            assert store.get(kind, key) == there
        hidden = store.get(Case, "c-both")
        assert hidden is not None
        with pytest.raises(AccessError):
            mine.edit(replace(hidden, owner="Arif"), expected_version=hidden.version)
        with pytest.raises(AccessError):
            mine.delete(Label, [f"la-{SECRET}-sg"])
        with pytest.raises(AccessError, match="changes all markets"):
            mine.put([Checkpoint(id="signals/learned", value={}, at=NOON)])
        own = store.get(Theme, "t-durian-my")
        assert own is not None
        mine.put([replace(own, label="durian is back")])
        assert store.get(Theme, "t-durian-my") != own


WRITES: dict[Role, list[Record]] = {
    "analyst": [
        Label(id="new", subject="m-durian-my", field="risk", value="scam", annotator="a", at=NOON),
        Decision(id="new", alert="s-durian-my", what="confirmed", by="a", at=NOON),
        Snooze(id="t-durian-my", at=NOON, until=LATER),
        SavedSearch(id="new", name="n", text="t", owner="Ann", at=NOON),
        case("new"),
    ],
    "owner": [
        Theme(id="new", label="l", first_seen=NOON, last_seen=NOON),
        Lineage(id="new", theme="new", what="born", at=NOON),
        member("m-durian-my", "new"),
    ],
    "admin": [Checkpoint(id="signals/learned", value={}, at=NOON), mention("new"), signal("new")],
}


@pytest.mark.parametrize("role", ["viewer", "analyst", "owner", "admin"])
def test_a_role_writes_what_is_its_own_and_no_more(copy: Settings, role: Role) -> None:
    """Viewers read, analysts judge, owners decide about cases and themes, admins do the rest."""
    person = Person("Ann", role)
    with open_store(copy) as store:
        mine = PermittedStore(store, person)
        for least, records in WRITES.items():
            for one in records:
                if person.may(least):
                    assert not mine.put([one]).refused
                else:
                    with pytest.raises(AccessError, match=f"Ann is here as {role}"):
                        mine.put([one])


def test_a_case_s_verdict_is_its_owner_s(copy: Settings) -> None:
    """Analysts add notes and evidence; status, owner, deadline, cause and decision are for owners."""
    with open_store(copy) as store:
        seen = store.get(Case, "c-durian-my")
        assert seen is not None
        ann = PermittedStore(store, Person("Ann", "analyst"))
        noted = ann.edit(replace(seen, evidence=(*seen.evidence, {"id": "x"})), expected_version=seen.version)
        with pytest.raises(AccessError, match="for an owner"):
            ann.edit(replace(noted, status="escalated"), expected_version=noted.version)
        olga = PermittedStore(store, Person("Olga", "owner"))
        assert olga.edit(replace(noted, status="escalated"), expected_version=noted.version).status == "escalated"


def test_searches_are_forgotten_by_whose_they_are(copy: Settings) -> None:
    """Or by an admin."""
    with open_store(copy) as store:
        with pytest.raises(AccessError):
            PermittedStore(store, Person("Arif", "owner")).delete(SavedSearch, ["q-mei"])
        assert PermittedStore(store, Person("Arif", "analyst")).delete(SavedSearch, ["q-arif"]) == 1
        assert PermittedStore(store, Person("Root", "admin")).delete(SavedSearch, ["q-mei"]) == 1


def test_who_sees_all_markets_reads_the_store_itself(settings: Settings) -> None:
    """Nothing lies between, so nothing costs more."""
    with open_reader(settings) as reader:
        assert seen_by(Person("Mei"), reader) is reader
        assert isinstance(reader.get(Mention, "m-both-sg"), Mention)
