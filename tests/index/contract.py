"""What every store promises. A store joins with one fixture.

.. code-block:: python

    class TestMine(StoreContract):
        @pytest.fixture
        def shelf(self, tmp_path): return MyShelf(tmp_path)

Nothing here knows how a store works: after writing, tests call `Shelf.refresh`, because some stores show what was
written only then.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, get_args
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.index.leases import Leases
from groundswell.index.query import (
    AllOf,
    AnyOf,
    By,
    Expression,
    Extent,
    Field,
    Is,
    Not,
    Period,
    Phrase,
    Query,
    Sort,
    Tally,
    Word,
)
from groundswell.index.query_language import QueryError, parse
from groundswell.index.records import (
    RECORDS,
    Case,
    Checkpoint,
    CrawlRun,
    Document,
    Enriched,
    Label,
    Lease,
    Membership,
    Mention,
    Record,
    Refusal,
    Signal,
    Theme,
)
from groundswell.index.store import Conflict, Report, Store, StoreError
from tests.index.makers import (
    DIMENSIONS,
    NOON,
    case,
    enriched,
    ids,
    member,
    mention,
    numbered,
    one_of_each,
    signal,
    undated,
    vector,
    visit,
)


class Shelf(Protocol):
    """A place where a store can be opened, more than once."""

    def open(self) -> Store:
        """Open the store; the same data each time."""

    def refresh(self) -> None:
        """Make what was written visible to search, count and scan."""


HOSTILE = [
    '"', '""', "'", "' OR 1=1 --", "'; DROP TABLE document; --", "*", "ads*", "NEAR(a b)", "NEAR", "AND", "OR", "NOT",
    "a AND", "(", ")", "((((", "text:ads", "title : x", "{title}: x", "^ads", "-ads", "+", "a + b", ":", "\\", "\x00",
    "a\x00b", "%", "_", "?", "{}", "[]", "[a TO b]", "/.*/", "ads~2", "ads^9", "广告\"", "\ud83d", "\u202e", "ａｄｓ",
    "<script>", "a" * 5000, " ".join(["ads"] * 300), "\u200b", "", " ", "!!!", "\n\t", '"ads" OR "x', "id:*",
    "_exists_:id",
]  # fmt: skip
TEXTS = {
    "zh": "这个应用的广告太多了，退款也不给",
    "th": "แอปนี้โฆษณาเยอะเกินไปและไม่คืนเงิน",
    "ja": "このアプリは広告が多すぎる、返金もない",
    "lo": "ແອັບນີ້ມີໂຄສະນາຫຼາຍເກີນໄປ",
    "km": "កម្មវិធីនេះមានការផ្សាយពាណិជ្ជកម្មច្រើនពេក",
    "id": "Terlalu banyak iklan, uang tidak kembali",
    "vi": "Quá nhiều quảng cáo, không hoàn tiền",
    "en": "Too many ads, and no refund! Don't install.",
}
FOUND = {
    "广告": "zh", "广": "zh", "告太多": "zh", "退款": "zh", "告广": "", "给": "zh",
    "โฆษณา": "th", "ษณาเยอะ": "th", "คืนเงิน": "th", "น": "th", "ณาฆ": "",
    "広告": "ja", "返金": "ja", "アプリ": "ja", "ｱﾌﾟﾘ": "ja", "プ": "ja",
    "ໂຄສະນາ": "lo", "ពាណិជ្ជកម្ម": "km",
    "iklan": "id", "IKLAN": "id", "quảng": "vi", "QUANG": "vi", "cáo": "vi", "ads": "en",
    "ad": "", "ad*": "en", "ref*": "en", "quả*": "vi", "ikl*": "id",
    "don't": "en", "ＡＤＳ": "en", "refund!": "en", "nothing": "", "!!!": "",
}  # fmt: skip
"""Which of the `TEXTS` each word finds."""
PERIODS: tuple[Period | None, ...] = (None, "hour", "day", "week")
_numbers = itertools.count()


class StoreContract:
    """The suite. Subclasses give the fixture ``shelf``."""

    @pytest.fixture
    def store(self, shelf: Shelf) -> Iterator[Store]:
        """Open the store for one test."""
        with shelf.open() as store:
            yield store

    def fill(self, shelf: Shelf, store: Store, *records: Record) -> None:
        """Write records that must all be taken, and make them visible."""
        report = store.put(records)
        assert not report.refused
        shelf.refresh()

    # ---- writing and reading back -------------------------------------------------------------------------------

    @pytest.mark.parametrize("place", range(len(RECORDS)))
    def test_every_kind_comes_back_as_it_went_in(self, store: Store, place: int) -> None:
        """Whatever is put is got, equal and of the same type; no kind is left out."""
        records = one_of_each()
        assert {type(record) for record in records} == set(RECORDS)
        assert store.put(records) == Report(new=len(records))
        record = records[place]
        assert store.get(type(record), record.id) == record

    def test_vectors_come_back_to_half_precision(self, store: Store) -> None:
        """A vector keeps its direction; a centroid keeps every bit."""
        store.put(one_of_each())
        back = store.get(Enriched, "m1")
        theme = store.get(Theme, "t1")
        assert back is not None
        assert back.vector is not None
        assert theme is not None
        assert theme.centroid is not None
        np.testing.assert_allclose(back.vector, vector(1, 2), atol=1e-3)
        assert back.vector.dtype == np.float32
        np.testing.assert_array_equal(theme.centroid, vector(1, 1))

    def test_a_document_is_a_mention_with_all_that_is_known_of_it(self, store: Store) -> None:
        """`Document` joins mention, enrichment and membership."""
        first, understood, membership = mention(lang="en"), enriched(vector=vector(1)), member()
        store.put([first])
        assert store.get(Document, "m1") == Document(mention=first)
        store.put([understood, membership])
        document = store.get(Document, "m1")
        assert document is not None
        assert (document.mention, document.enriched, document.membership) == (first, understood, membership)

    def test_what_was_written_is_there_when_opened_again(self, shelf: Shelf) -> None:
        """Closing and opening changes nothing."""
        with shelf.open() as store:
            store.put(one_of_each())
        with shelf.open() as store:
            assert store.get(Case, "c1") == case()
            assert store.put(one_of_each()) == Report(same=len(one_of_each()))

    def test_any_mention_comes_back_and_is_stored_once(self, store: Store) -> None:
        """Round trip and idempotence, whatever the text."""
        texts = st.text(max_size=200)
        times = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001  aware
        extras = st.dictionaries(texts, st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts, max_size=3)

        # Inside the method: stores share this suite, and Hypothesis wants one owner for each property.
        @settings(max_examples=40, deadline=None)
        @given(data=st.data())
        def comes_back(data: st.DataObject) -> None:
            made = mention(
                f"any{next(_numbers)}",
                data.draw(texts),
                title=data.draw(texts),
                published_at=data.draw(st.none() | times),
                date_confidence=data.draw(st.sampled_from(["exact", "day", "inferred", "none"])),
                author_key=data.draw(st.text(max_size=20)),
                rating=data.draw(st.none() | st.floats(allow_nan=False, allow_infinity=False)),
                extra=data.draw(extras),
            )
            assert store.put([made]) == Report(new=1)
            assert store.get(Mention, made.id) == made
            assert store.put([made]) == Report(same=1)

        comes_back()

    def test_many_keeps_the_order_and_leaves_out_what_is_not_there(self, store: Store) -> None:
        """`many` answers in the order asked."""
        store.put([*numbered(3), signal("s1"), signal("s2")])
        assert [one.id for one in store.many(Mention, ["m002", "nope", "m000"])] == ["m002", "m000"]
        assert [one.id for one in store.many(Signal, ["s2", "s1", "s3"])] == ["s2", "s1"]
        assert store.many(Mention, []) == []
        assert store.get(Signal, "m000") is None

    def test_recent_is_newest_first_by_the_records_own_time(self, shelf: Shelf, store: Store) -> None:
        """`recent` orders by when things happened, not by when they were written."""
        self.fill(shelf, store, *(signal(f"s{n}", at=NOON + timedelta(hours=n)) for n in (2, 0, 1)), *numbered(3))
        assert [one.id for one in store.recent(Signal)] == ["s2", "s1", "s0"]
        assert [one.id for one in store.recent(Signal, limit=1)] == ["s2"]
        assert [one.id for one in store.recent(Mention, limit=2)] == ["m002", "m001"]
        assert store.recent(Case) == []

    def test_alerts_are_found_among_other_signals(self, shelf: Shelf, store: Store) -> None:
        """`select` gives records by state and time, newest first, also after one has changed its state."""
        states: dict[str, dict[str, Any]] = {
            "fired": {"fired": True},
            "weak": {"held_by": "budget"},
            "follow": {"held_by": "follow-up"},
        }
        made = [
            signal(f"{name}{n}", at=NOON + timedelta(hours=n), **values)
            for name, values in states.items()
            for n in range(3)
        ]
        self.fill(shelf, store, *made)
        assert [one.id for one in store.select(Signal, states=("alert",))] == ["fired2", "fired1", "fired0"]
        found = store.select(
            Signal, states=("alert", "follow-up"), since=NOON, until=NOON + timedelta(hours=2), limit=3
        )
        assert [one.id for one in found] == ["fired1", "follow1", "fired0"]
        assert len(store.select(Signal)) == 9
        store.put([replace(made[0], fired=False, held_by="budget"), replace(made[3], held_by="", fired=True)])
        assert {one.id for one in store.select(Signal, states=("alert",))} == {"fired1", "fired2", "weak0"}
        store.delete(Signal, ["fired2"])
        assert {one.id for one in store.select(Signal, states=("alert",))} == {"fired1", "weak0"}

    def test_visits_are_counted_by_source_outcome_and_day(self, shelf: Shelf, store: Store) -> None:
        """`tally` counts what `select` finds, `latest` gives the newest of each source up to a moment."""
        outcomes: list[dict[str, Any]] = [{"found": 3}, {"error": "HTTP 500"}, {"found": 2, "cut": True}, {}]
        visits = [
            visit(f"{source}{n}", source, NOON + timedelta(hours=18 * n), **values)
            for source in ("b", "a")
            for n, values in enumerate(outcomes)
        ]
        self.fill(shelf, store, *visits)
        day = NOON.replace(hour=0)
        expected = [("failed", 1), ("good", 0), ("empty", 2), ("partly", 2)]
        assert store.tally(CrawlRun) == [
            Tally(source, state, day + timedelta(days=n), 1) for source in ("a", "b") for state, n in sorted(expected)
        ]
        assert {one.state for one in store.tally(CrawlRun, since=NOON + timedelta(hours=1))} == {
            "empty", "failed", "partly",
        }  # fmt: skip
        assert store.tally(CrawlRun, until=NOON) == []
        assert [one.id for one in store.latest(CrawlRun)] == ["a3", "b3"]
        assert [one.id for one in store.latest(CrawlRun, until=NOON + timedelta(hours=19))] == ["a1", "b1"]
        assert store.latest(CrawlRun, until=NOON) == []
        assert [one.id for one in store.latest(CrawlRun, states=("good", "failed"))] == ["a1", "b1"]

    # ---- what a put reports -------------------------------------------------------------------------------------

    def test_counts_of_a_put_add_up(self, store: Store) -> None:
        """New, updated, same and refused together are all that was given."""
        store.put([mention("old"), mention("other")])
        given: list[Record] = [
            mention("new"), mention("old"), mention("other", market="SG"), enriched("nobody"), member("nobody"),
            enriched("old"), mention("new"),
        ]  # fmt: skip
        report = store.put(given)
        assert (report.new, report.updated, report.same) == (2, 1, 2)
        assert sorted(one.id for one in report.refused) == ["nobody", "nobody"]
        assert all("mention" in one.reason for one in report.refused)

    def test_the_same_id_twice_in_a_batch_is_once(self, shelf: Shelf, store: Store) -> None:
        """The last one wins, and only one is there."""
        report = store.put([mention("a", "first"), mention("a", "second"), signal(), signal(why="other")])
        shelf.refresh()
        assert (report.new, report.updated) == (2, 2)
        assert store.search(Query()).total == 1
        assert store.get(Mention, "a") == mention("a", "second")
        assert store.search(Query(match=Word("first"))).total == 0
        assert store.get(Signal, "s1") == signal(why="other")

    def test_a_batch_may_hold_a_mention_after_what_was_understood_of_it(self, store: Store) -> None:
        """The order within a call does not matter."""
        assert store.put([member("a"), enriched("a"), mention("a")]) == Report(new=3)

    def test_a_mention_seen_again_is_the_same(self, store: Store) -> None:
        """Fetching again what has not changed is no change; the first fetch is kept."""
        store.put([mention("a")])
        later = replace(mention("a"), fetched_at=NOON + timedelta(days=9))
        assert store.put([later]) == Report(same=1)
        assert store.get(Mention, "a") == mention("a")

    def test_another_text_makes_what_was_understood_void(self, shelf: Shelf, store: Store) -> None:
        """An edited article is read again by every stage; an edit of anything else is not."""
        self.fill(shelf, store, mention("a"), enriched("a", vector=vector(1)), member("a"))
        self.fill(shelf, store, mention("a", market="SG"))
        assert store.search(Query(lacks="enriched")).total == 0
        assert store.put([mention("a", "an edited text", market="SG")]) == Report(updated=1)
        shelf.refresh()
        for query in (Query(lacks="enriched"), Query(lacks="membership"), Query(lacks="vector")):
            assert ids(store.search(query)) == ["a"]
        assert store.get(Enriched, "a") is None
        assert store.get(Membership, "a") is None

    def test_an_enrichment_without_a_vector_keeps_the_one_that_is_there(self, shelf: Shelf, store: Store) -> None:
        """A stage that read without vectors cannot lose them by writing back."""
        self.fill(shelf, store, mention("a"), enriched("a", vector=vector(1)))
        assert store.put([enriched("a")]) == Report(same=1)
        assert store.put([enriched("a", "positive")]) == Report(updated=1)
        back = store.get(Enriched, "a")
        assert back is not None
        assert back.vector is not None
        assert store.put([enriched("a", "positive", vector=vector(0, 1))]) == Report(updated=1)

    @pytest.mark.parametrize(
        ("record", "says"),
        [
            (mention(""), "id"),
            (mention("x" * 513), "id"),
            (mention("x", published_at=datetime(2026, 1, 1)), "time zone"),  # noqa: DTZ001  naive on purpose
            (mention("x", "\ud800"), "JSON"),
            (mention("x", rating=float("nan")), "JSON"),
            (signal("x", strength=float("inf")), "JSON"),
            (mention("x", market=("no", "text")), "market"),
            (mention("x", kind="rumour"), "kind"),
            (enriched("there", vector=np.full(DIMENSIONS, np.nan, np.float32)), "finite"),
            (enriched("there", vector=np.ones((2, 2), np.float32)), "one row"),
            (enriched("there", vector=np.ones(DIMENSIONS + 1, np.float32)), "this store holds"),
            (enriched("nobody"), "mention"),
            (member("nobody"), "mention"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_what_cannot_be_kept_is_refused_with_its_reason(
        self, shelf: Shelf, store: Store, record: Record, says: str
    ) -> None:
        """One poisoned record never stops a batch."""
        self.fill(shelf, store, mention("there"), mention("other"), enriched("other", vector=vector(1)))
        report = store.put([mention("good"), record, signal("fine")])
        assert report.new == 2
        assert [one.id for one in report.refused] == [record.id]
        assert says in report.refused[0].reason
        assert store.get(Mention, "good") is not None

    # ---- forgetting ---------------------------------------------------------------------------------------------

    def test_forgetting_a_mention_forgets_all_that_was_made_of_it(self, shelf: Shelf, store: Store) -> None:
        """Nothing of a forgotten mention can be found, counted or got."""
        self.fill(
            shelf, store, mention("a", "secret refund"), enriched("a", vector=vector(1), risks={"scam": 0.9}),
            member("a"), mention("b"),
        )  # fmt: skip
        assert store.delete(Mention, ["a", "a", "nope"]) == 1
        shelf.refresh()
        assert store.get(Document, "a") is None
        assert store.get(Enriched, "a") is None
        assert store.get(Membership, "a") is None
        assert store.search(Query(match=Word("secret"))).total == 0
        assert ids(store.search(Query(vector=vector(1)))) == []
        assert [bucket.count for bucket in store.count(Query(), By(fields=("risk",)))] == [1]
        assert store.delete(Mention, ["a"]) == 0

    def test_forgetting_an_enrichment_leaves_the_mention(self, shelf: Shelf, store: Store) -> None:
        """Each part can go alone, and come back."""
        self.fill(shelf, store, mention("a"), enriched("a"), member("a"))
        assert store.delete(Enriched, ["a"]) == 1
        assert store.delete(Membership, ["a"]) == 1
        shelf.refresh()
        assert store.get(Document, "a") == Document(mention=mention("a"))
        assert store.search(Query(lacks="enriched")).total == 1
        assert store.delete(Enriched, ["a"]) == 0
        assert store.put([enriched("a"), member("a")]) == Report(new=2)

    def test_forgetting_other_records(self, store: Store) -> None:
        """Any kind can be forgotten by id, and only that kind."""
        store.put(one_of_each())
        assert store.delete(Refusal, ["x1", "s1"]) == 1
        assert store.get(Refusal, "x1") is None
        assert store.get(Signal, "s1") is not None

    # ---- cases --------------------------------------------------------------------------------------------------

    def test_two_people_edit_a_case_and_the_second_is_told(self, store: Store) -> None:
        """Nothing is overwritten."""
        store.put([case()])
        mine = yours = store.get(Case, "c1")
        assert mine is not None
        assert yours is not None
        edited = store.edit(replace(mine, owner="Mei"), expected_version=mine.version)
        assert edited.version == mine.version + 1
        with pytest.raises(Conflict, match="somebody else"):
            store.edit(replace(yours, owner="Ali"), expected_version=yours.version)
        assert store.get(Case, "c1") == edited
        assert store.edit(replace(edited, owner="Ali"), expected_version=edited.version).version == 2

    def test_a_case_changes_only_by_edit(self, store: Store) -> None:
        """`put` makes a case, and says that it will not overwrite one."""
        store.put([case()])
        report = store.put([case(owner="Ali")])
        assert [one.id for one in report.refused] == ["c1"]
        assert "edit" in report.refused[0].reason
        assert store.get(Case, "c1") == case()

    def test_a_case_that_is_not_there_cannot_be_edited(self, store: Store) -> None:
        """Whoever edits a case that somebody deleted is told."""
        with pytest.raises(Conflict, match="not there"):
            store.edit(case("gone"), expected_version=0)

    def test_of_many_edits_at_once_one_wins(self, shelf: Shelf, store: Store) -> None:
        """Threads race; exactly one edit of a version is kept."""
        store.put([case()])
        won: list[str] = []

        def edit(owner: str) -> None:
            with shelf.open() as mine, contextlib.suppress(Conflict):
                won.append(mine.edit(case(owner=owner), expected_version=0).owner)

        threads = [threading.Thread(target=edit, args=(f"p{n}",)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        kept = store.get(Case, "c1")
        assert kept is not None
        assert won == [kept.owner]

    def test_of_many_who_swap_one_record_at_once_one_is_told_that_it_was_there(
        self, shelf: Shelf, store: Store
    ) -> None:
        """Made where there is none, changed and forgotten only by whoever saw what rests there."""
        won: list[Checkpoint] = []

        def swap(before: Checkpoint | None, n: int) -> None:
            after = Checkpoint(id="turn", value={"by": n}, at=NOON)
            with shelf.open() as mine:
                won.extend([after] if mine.swap(before, after) else [])

        for numbers in (range(6), range(6, 12)):
            there = store.get(Checkpoint, "turn")
            threads = [threading.Thread(target=swap, args=(there, n)) for n in numbers]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            (one,) = won
            assert store.get(Checkpoint, "turn") == one
            won.clear()
        assert not store.swap(None, replace(one, value={}))
        assert not store.swap(replace(one, value={"by": -1}), None)
        assert store.swap(one, None)
        assert store.get(Checkpoint, "turn") is None
        with pytest.raises(ValueError, match="one kind and id"):
            store.swap(one, replace(one, id="other"))

    def test_a_lease_has_one_holder_until_it_is_given_back_or_runs_out(self, store: Store) -> None:
        """Whoever holds it renews it; the others get it when it has run out; when a host is free again stays known."""
        at = [NOON]
        mine, yours = (Leases(store, name, 60, lambda: at[0]) for name in ("mine", "yours"))
        assert mine.take("host:a", free_at=NOON + timedelta(seconds=90)) is not None
        assert yours.take("host:a") is None
        assert yours.who("host:a") == "mine"
        at[0] += timedelta(seconds=40)
        assert mine.take("host:a") is not None
        at[0] += timedelta(seconds=40)
        assert yours.take("host:a") is None, "it was renewed"
        at[0] += timedelta(seconds=20)
        taken = yours.take("host:a")
        assert taken is not None, "it has run out"
        assert taken.free_at == NOON + timedelta(seconds=90)
        mine.give_back("host:a")
        assert yours.who("host:a") == "yours", "what is lost cannot be given back"
        yours.give_back("host:a")
        assert store.get(Lease, "host:a") is None
        assert mine.take("host:b", free_at=at[0] + timedelta(hours=1)) is not None
        mine.give_back("host:b")
        again = yours.take("host:b")
        assert again is not None
        assert again.free_at == at[0] + timedelta(hours=1)
        at[0] += timedelta(days=2)
        yours.sweep()
        assert store.recent(Lease) == []

    # ---- words --------------------------------------------------------------------------------------------------

    def test_words_are_found_in_every_script(self, shelf: Shelf, store: Store) -> None:
        """Chinese, Japanese, Thai, Lao and Khmer as substrings, others as words whatever their case and accents."""
        self.fill(shelf, store, *(mention(lang, text, lang=lang) for lang, text in TEXTS.items()))
        found = {words: " ".join(ids(store.search(Query(match=Word(words))))) for words in FOUND}
        assert found == FOUND

    @pytest.mark.parametrize(
        ("match", "found"),
        [
            (Phrase("too many ads"), ["c"]),
            (Phrase("many too ads"), []),
            (Phrase("广告 refund"), ["b"]),
            (Phrase("告 refund"), ["b"]),
            (AllOf((Word("refund"), Word("ads"))), ["a"]),
            (AnyOf((Word("refund"), Word("many"))), ["c", "b", "a"]),
            (AllOf((Word("ads"), Not(Word("refund")))), ["c"]),
            (Not(Word("refund")), ["c"]),
            (AnyOf((Word("many"), Is("source", "other"))), ["c", "b"]),
            (AllOf((Word("refund"), Is("source", "other"))), ["b"]),
            (AllOf((Word("ads"), Not(AnyOf((Is("source", "other"), Word("many")))))), ["a"]),
            (AllOf((Word("refund"), Not(Not(Word("ads"))))), ["a"]),
            (AllOf((Not(Word("refund")), Not(Word("many")))), []),
            (AllOf(()), ["c", "b", "a"]),
            (AnyOf(()), []),
            (Word("headline"), ["a"]),
            (Is("id", "b"), ["b"]),
            (Not(Is("id", "b")), ["c", "a"]),
        ],
    )
    def test_boolean_expressions(self, shelf: Shelf, store: Store, match: Expression, found: list[str]) -> None:
        """All, any and not, over words of title and text and over fields, in any combination."""
        self.fill(
            shelf, store, mention("a", "ads and refund", title="Headline"),
            mention("b", "太多广告 refund", hours=1, source="other"), mention("c", "far too many ads", hours=2),
        )  # fmt: skip
        assert ids(store.search(Query(match=match))) == found

    @pytest.mark.parametrize("part", range(3))
    def test_nothing_anybody_types_is_syntax(self, shelf: Shelf, store: Store, part: int) -> None:
        """Hostile words are words: they find what holds them, raise nothing, and change nothing."""
        self.fill(shelf, store, mention("a", "quite harmless"), enriched("a"))
        for text in HOSTILE[part::3]:
            for leaf in (Word(text), Phrase(text), Not(Word(text)), Is("source", text), Is("risk", text)):
                store.search(Query(match=leaf, highlight=True, facets=("source", "risk")))
                store.count(Query(match=leaf), By(period="day", fields=("market",)))
            store.search(Query(match=Word(text), sort="relevance", vector=vector(1)))
            if text:
                assert store.search(Query(where={"source": (text,)})).total == 0, text
        assert store.search(Query(match=Word("quite"))).total == 1

    def test_a_bottomless_query_is_refused_for_people(self, store: Store) -> None:
        """Brackets within brackets end somewhere, with a `StoreError`."""
        match: Expression = Word("a")
        for _ in range(300):
            match = Not(AllOf((match, Is("source", "x"))))
        with pytest.raises(StoreError, match="brackets"):
            store.search(Query(match=match))

    def test_what_people_type_finds_what_they_mean(self, shelf: Shelf, store: Store) -> None:
        """The query language compiles to the same in every store."""
        self.fill(
            shelf, store, mention("a", "refund refused", market="SG"), enriched("a", risks={"scam": 0.75}),
            mention("b", "no refund, ads", hours=1), mention("c", "广告太多", hours=2), undated("d", "refund"),
        )  # fmt: skip
        now = NOON + timedelta(days=1)
        for text, found in {
            "refund": ["b", "a", "d"],
            "refund -ads": ["a", "d"],
            "refus* OR 广告": ["c", "a"],
            "refund OR 广告 market:SG": ["a"],
            '"no ref*"': ["b"],
            '"no refund" OR 广告': ["c", "b"],
            "market:sg": ["a"],
            "refund since:7d": ["b", "a"],
            "refund until:2026-11-18": [],
            "risk:scam": ["a"],
            "sentiment:negative (refund OR ads)": ["a"],
        }.items():
            assert ids(store.search(parse(text, now=now))) == found, text

    def test_whatever_is_typed_is_answered_or_explained(self, store: Store) -> None:
        """Typing anything at all never breaks a store."""

        @settings(max_examples=60, deadline=None)
        @given(st.text(max_size=60) | st.lists(st.sampled_from(HOSTILE[:40]), max_size=4).map(" ".join))
        def is_answered_or_explained(text: str) -> None:
            try:
                query = parse(text, now=NOON)
            except QueryError:
                return
            store.search(query)

        is_answered_or_explained()

    def test_highlights_mark_the_words_that_were_found(self, shelf: Shelf, store: Store) -> None:
        """Fragments are plain text with [[ ]] marks, in any script, from title and text."""
        self.fill(shelf, store, mention("a", "x " * 300 + "这里广告太多 and Quảng cáo ads", title="Ads again"))
        query = Query(match=AllOf((Word("ads"), Word("广告"), Word("quang"))), highlight=True)
        marked = " ".join(store.search(query).hits[0].highlights)
        assert all(part in marked for part in ("[[Ads]] again", "[[广告]]太多", "[[Quảng]] cáo", "[[ads]]"))
        assert len(marked) < 600
        assert store.search(replace(query, highlight=False)).hits[0].highlights == ()

    def test_relevance_puts_the_better_match_first(self, shelf: Shelf, store: Store) -> None:
        """A rare word counts more than a common one, a word in the title more than one in a long text."""
        filler = [mention(f"f{n}", f"ads everywhere {n}", hours=n) for n in range(20)]
        self.fill(
            shelf, store, *filler, mention("long", "ads " + "and other words " * 50 + "refund", hours=50),
            mention("best", "refund", title="Refund ads", hours=-50),
        )  # fmt: skip
        page = store.search(Query(match=AnyOf((Word("refund"), Word("ads"))), sort="relevance", limit=3))
        assert ids(page)[0] == "best"
        assert "long" in ids(page)
        scores = [hit.score for hit in page.hits]
        assert scores == sorted(scores, reverse=True)
        assert page.total == 22

    # ---- fields, facets, counts ---------------------------------------------------------------------------------

    @pytest.fixture
    def small_world(self, shelf: Shelf, store: Store) -> Store:
        """Six documents that differ in every field."""
        self.fill(
            shelf, store,
            mention("a", "ads", market="SG", author_key="au1", thread="th1"),
            mention("b", "ads", market="ID", hours=1, source="news", kind="news", lang="id"),
            mention("c", "ads refund", market="SG", hours=26, author_key="au1"),
            mention("d", "refund", hours=24 * 8, date_confidence="day"),
            mention("e", "ads refund", market="ID", hours=2),
            undated("u", "ads", market="SG"),
            enriched("a", "negative", risks={"scam": 0.75, "spam": 0.5, "noise": 0.25}, rules=("r1", "r2")),
            enriched("b", "positive", lang="ms", risks={"scam": 0.5}),
            enriched("c", "negative", duplicate_of="a", made_by="tester 2", vector=vector(1)),
            enriched("u", "neutral"),
            member("a", "t1"), member("b", "t2"), member("c", "t1"), member("d", ""),
        )  # fmt: skip
        return store

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            (Query(where={"market": ("SG",)}), "cau"),
            (Query(where={"market": ("SG", "ID")}), "cebau"),
            (Query(where={"market": ("",)}), "d"),
            (Query(where={"market": ()}), ""),
            (Query(without={"market": ("SG",)}), "deb"),
            (Query(where={"market": ("SG",), "source": ("forum",)}), "cau"),
            (Query(where={"risk": ("scam",)}), "ba"),
            (Query(where={"risk": ("spam", "scam")}), "ba"),
            (Query(where={"risk": ("noise",)}), ""),
            (Query(where={"risk": ("",)}), "dceu"),
            (Query(without={"risk": ("spam",)}), "dcebu"),
            (Query(where={"rule": ("r2",)}), "a"),
            (Query(where={"theme": ("t1",)}), "ca"),
            (Query(where={"lang": ("ms",)}), "b"),
            (Query(where={"lang": ("id",)}), ""),
            (Query(where={"kind": ("news",)}), "b"),
            (Query(where={"sentiment": ("negative",)}), "ca"),
            (Query(where={"author": ("au1",)}), "ca"),
            (Query(where={"thread": ("th1",)}), "a"),
            (Query(where={"duplicate": ("a",)}), "ca"),
            (Query(where={"date_confidence": ("day",)}), "d"),
            (Query(where={"id": ("a", "u", "zzz")}), "au"),
            (Query(lacks="enriched"), "de"),
            (Query(lacks="membership"), "eu"),
            (Query(lacks="vector"), "debau"),
            (Query(made_by_not="tester 2"), "bau"),
            (Query(trusted_dates=True), "dceba"),
            (Query(since=NOON), "dceba"),
            (Query(since=NOON + timedelta(hours=1)), "dceb"),
            (Query(until=NOON + timedelta(hours=1)), "a"),
            (Query(since=NOON + timedelta(hours=1), until=NOON + timedelta(hours=26)), "eb"),
            (Query(match=Word("ads"), where={"market": ("SG",)}, since=NOON), "ca"),
            (Query(sort="oldest"), "uabecd"),
            (Query(sort="relevance"), "dcebau"),
        ],
    )
    def test_fields_and_times_choose_documents(self, small_world: Store, query: Query, found: str) -> None:
        """Filters are exact, times half open, the undated out of every bounded time."""
        page = small_world.search(query)
        assert "".join(ids(page)) == found
        assert page.total == len(found)

    @pytest.mark.parametrize("match", [None, Word("ads")])
    def test_facets_count_all_that_matches(self, small_world: Store, match: Expression | None) -> None:
        """Facets ignore the page, leave out nothing, and put the most frequent first."""
        facets: tuple[Field, ...] = ("market", "risk", "sentiment", "theme", "source", "rule", "target")
        page = small_world.search(Query(match=match, limit=1, facets=facets))
        more = int(match is None)
        assert dict(page.facets) == {
            "market": (("SG", 3), ("ID", 2)),
            "risk": (("scam", 2), ("spam", 1)),
            "sentiment": (("negative", 2), ("neutral", 1), ("positive", 1)),
            "theme": (("t1", 2), ("t2", 1)),
            "source": (("forum", 4 + more), ("news", 1)),
            "rule": (("r1", 1), ("r2", 1)),
            "target": (),
        }

    def test_a_page_without_hits_still_counts(self, small_world: Store) -> None:
        """A limit of nothing gives total and facets alone."""
        page = small_world.search(Query(limit=0, facets=("market",)))
        assert (page.hits, page.total, page.cursor) == ((), 6, "")
        assert page.facets["market"] == (("SG", 3), ("ID", 2))

    def test_counts_by_period(self, small_world: Store) -> None:
        """Hours, days and weeks (from Monday) in UTC; the undated in none of them."""
        hours = small_world.count(Query(), By(period="hour"))
        days = small_world.count(Query(), By(period="day"))
        weeks = small_world.count(Query(), By(period="week"))
        midnight = NOON.replace(hour=0)
        assert [(b.start, b.count) for b in hours] == [(NOON + timedelta(hours=h), 1) for h in (0, 1, 2, 26, 192)]
        assert [(b.start, b.count) for b in days] == [
            (midnight, 3), (midnight + timedelta(days=1), 1), (midnight + timedelta(days=8), 1)
        ]  # fmt: skip
        assert [(b.start, b.count) for b in weeks] == [
            (midnight - timedelta(days=2), 4), (midnight + timedelta(days=5), 1)
        ]  # fmt: skip

    def test_counts_by_fields_cover_every_document(self, small_world: Store) -> None:
        """What has no value counts under "", what has several under each, moods are means."""
        by_market = small_world.count(Query(), By(fields=("market",)))
        assert [(b.values, b.count, b.mood) for b in by_market] == [
            (("",), 1, None), (("ID",), 2, 0.5), (("SG",), 3, pytest.approx(-1 / 3))
        ]  # fmt: skip
        by_risk = small_world.count(Query(), By(fields=("risk",)))
        assert [(b.values, b.count) for b in by_risk] == [(("",), 4), (("scam",), 2), (("spam",), 1)]
        everything = small_world.count(Query(), By())
        assert [(b.start, b.values, b.count, b.mood) for b in everything] == [(None, (), 6, -0.125)]
        assert small_world.count(Query(where={"market": ("XX",)}), By()) == []

    def test_counts_by_period_and_fields(self, small_world: Store) -> None:
        """Both together, ordered by start, then values."""
        found = small_world.count(
            Query(where={"market": ("SG", "ID")}), By(period="day", fields=("sentiment", "market"))
        )
        midnight = NOON.replace(hour=0)
        assert [(b.start, b.values, b.count) for b in found] == [
            (midnight, ("", "ID"), 1), (midnight, ("negative", "SG"), 1), (midnight, ("positive", "ID"), 1),
            (midnight + timedelta(days=1), ("negative", "SG"), 1),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "query",
        [
            Query(),
            Query(since=NOON + timedelta(minutes=30)),
            Query(until=NOON + timedelta(hours=25)),
            Query(since=NOON - timedelta(days=2), until=NOON + timedelta(days=7.7)),
            Query(where={"risk": ("scam",)}),
            Query(where={"risk": ("scam", "spam")}),
            Query(without={"risk": ("spam",)}),
            Query(where={"theme": ("t1", "t2")}, without={"market": ("ID",)}),
            Query(trusted_dates=True, where={"theme": ("",)}),
        ],
    )
    def test_counts_agree_with_the_documents(self, small_world: Store, query: Query) -> None:
        """However a store counts, it is what going through the documents gives."""
        documents = list(small_world.scan(query))
        fields: tuple[tuple[Field, ...], ...] = (
            (), ("market",), ("risk",), ("theme",), ("theme", "risk"), ("risk", "market")
        )  # fmt: skip
        for by in (By(period=period, fields=some) for period in PERIODS for some in fields):
            expected: dict[tuple[Any, ...], list[float | None]] = {}
            for document in documents:
                for key in _keys(document, by.period, by.fields):
                    mood = document.enriched.sentiment.mood if document.enriched else None
                    expected.setdefault(key, []).append(mood)
            found = {(b.start, *b.values): (b.count, _rounded(b.mood)) for b in small_world.count(query, by)}
            assert found == {key: (len(moods), _rounded(_mean(moods))) for key, moods in expected.items()}, by

    @pytest.mark.parametrize(
        "query",
        [
            Query(),
            Query(where={"theme": ("t1",)}),
            Query(where={"theme": ("t1",)}, since=NOON + timedelta(minutes=30), until=NOON + timedelta(hours=25)),
            Query(where={"theme": ("",)}, trusted_dates=True),
            Query(where={"theme": ("never",)}),
            Query(where={"source": ("",)}),
            Query(where={"id": ("a", "b", "a", "never")}),
            Query(where={"id": ("a", "b")}, until=NOON + timedelta(minutes=30)),
            Query(where={"theme": ("t1", "t2")}, without={"market": ("ID",)}),
            Query(where={"risk": ("scam",)}, collapse=True),
        ],
    )
    def test_extents_agree_with_the_documents(self, small_world: Store, query: Query) -> None:
        """Many questions at once are answered as one by one: how many, copies counted each, and the latest."""
        found = list(small_world.scan(replace(query, collapse=False)))
        dated = [
            d.mention.published_at for d in found if d.mention.published_at and d.mention.date_confidence != "none"
        ]
        expected = Extent(len(found), max(dated, default=None))
        assert small_world.extents([query, Query(where={"theme": ("never",)}), query]) == [
            expected,
            Extent(0),
            expected,
        ]
        assert small_world.extents([]) == []

    def test_counts_follow_every_change(self, shelf: Shelf, small_world: Store) -> None:
        """An update moves a document from one bucket to another; forgetting takes it out."""
        small_world.put(
            [enriched("a", "positive"), member("c", "t2"), mention("e", "ads refund", market="TH", hours=2)]
        )
        small_world.delete(Mention, ["b"])
        shelf.refresh()
        facets = small_world.search(Query(facets=("sentiment", "theme", "market", "risk"))).facets
        assert dict(facets) == {
            "sentiment": (("negative", 1), ("neutral", 1), ("positive", 1)),
            "theme": (("t1", 1), ("t2", 1)),
            "market": (("SG", 3), ("TH", 1)),
            "risk": (),
        }

    # ---- near-duplicates ----------------------------------------------------------------------------------------

    def test_copies_collapse_to_the_one_that_sorts_first(self, small_world: Store) -> None:
        """One hit a cluster, with its number of copies; totals and buckets count clusters."""
        page = small_world.search(Query(collapse=True))
        assert "".join(ids(page)) == "dcebu"
        assert [hit.copies for hit in page.hits] == [1, 2, 1, 1, 1]
        assert page.total == 5
        assert "".join(ids(small_world.search(Query(collapse=True, sort="oldest")))) == "uabed"
        only_new = small_world.search(Query(collapse=True, until=NOON + timedelta(hours=1)))
        assert [(hit.document.id, hit.copies) for hit in only_new.hits] == [("a", 1)]
        buckets = small_world.count(Query(collapse=True), By(fields=("market",)))
        assert [(b.values, b.count, b.copies) for b in buckets] == [(("",), 1, 1), (("ID",), 2, 2), (("SG",), 2, 3)]
        by_day = small_world.count(Query(collapse=True), By(period="day"))
        assert [(b.count, b.copies) for b in by_day] == [(3, 3), (1, 1), (1, 1)]

    def test_collapsed_pages_show_each_cluster_once(self, shelf: Shelf, store: Store) -> None:
        """A cluster seen on one page does not come again on the next."""
        self.fill(shelf, store, *numbered(30), *(enriched(f"m{n:03}", duplicate_of=f"m{n % 7:03}") for n in range(30)))
        for sort in get_args(Sort):
            query = Query(match=Word("ads"), collapse=True, limit=3, sort=sort)
            seen = [hit.document.enriched for page in _pages(store, query) for hit in page.hits]
            assert sorted(one.duplicate_of for one in seen if one) == [f"m{n:03}" for n in range(7)], sort

    # ---- pages --------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("sort", ["newest", "oldest", "relevance"])
    @pytest.mark.parametrize("limit", [1, 7, 25, 100])
    def test_pages_together_are_everything_once(self, shelf: Shelf, store: Store, sort: Any, limit: int) -> None:
        """Paging neither repeats nor skips, also among documents of one moment and the undated."""
        same_moment = [mention(f"s{n}", "ads") for n in range(9)]
        self.fill(shelf, store, *numbered(10), *same_moment, *(undated(f"u{n}", "ads") for n in range(6)))
        pages = list(_pages(store, Query(match=Word("ads"), sort=sort, limit=limit)))
        seen = [one for page in pages for one in ids(page)]
        assert len(seen) == len(set(seen)) == 25
        assert {page.total for page in pages} == {25}

    def test_pages_are_stable_while_others_write(self, shelf: Shelf, store: Store) -> None:
        """What was there from the beginning is seen exactly once, whatever comes meanwhile."""
        self.fill(shelf, store, *numbered(40))
        for sort in get_args(Sort)[1:]:
            seen: list[str] = []
            for number, page in enumerate(_pages(store, Query(sort=sort, limit=6))):
                seen += ids(page)
                self.fill(shelf, store, *(mention(f"w{sort}{number}x{n}", hours=n * 7 - 3) for n in range(9)))
            old = [one for one in seen if one.startswith("m")]
            assert len(old) == len(set(old)) == 40
            assert len(seen) == len(set(seen))

    @pytest.mark.parametrize("cursor", ["nonsense", "WzFd", "W10=", "é", "bnVsbA==", "eyJhIjoxfQ=="])
    def test_a_cursor_of_somebody_else_is_an_error_for_people(self, store: Store, cursor: str) -> None:
        """A mangled cursor is explained, not guessed at."""
        store.put(numbered(3))
        with pytest.raises(StoreError, match="first page"):
            store.search(Query(cursor=cursor))

    def test_the_cursor_of_another_order_is_an_error(self, shelf: Shelf, store: Store) -> None:
        """A cursor belongs to its order."""
        self.fill(shelf, store, *numbered(3))
        cursor = store.search(Query(limit=1)).cursor
        with pytest.raises(StoreError, match="first page"):
            store.search(Query(limit=1, sort="oldest", cursor=cursor))

    def test_a_time_without_zone_is_an_error_for_people(self, store: Store) -> None:
        """Nobody is answered for a time zone they did not mean."""
        with pytest.raises(StoreError, match="time zone"):
            store.search(Query(since=datetime(2026, 1, 1)))  # noqa: DTZ001  naive on purpose

    # ---- scan ---------------------------------------------------------------------------------------------------

    def test_scan_goes_through_everything_oldest_first(self, shelf: Shelf, store: Store) -> None:
        """A scan ignores limit, sort and cursor, and holds documents whole."""
        self.fill(shelf, store, *numbered(1203, step=-1), undated("u"))
        found = [document.id for document in store.scan(Query(limit=3, sort="newest", cursor="x"))]
        assert found == ["u", *(f"m{n:03}" for n in reversed(range(1203)))]

    def test_scan_while_writing_sees_what_was_there(self, shelf: Shelf, store: Store) -> None:
        """A stage may write what it makes of each batch while it reads on."""
        self.fill(shelf, store, *numbered(1100))
        seen = []
        for document in store.scan(Query(lacks="enriched")):
            seen.append(document.id)
            if len(seen) % 100 == 0:
                store.put([enriched(one) for one in seen[-100:]])
        assert seen == [f"m{n:03}" for n in range(1100)]
        shelf.refresh()
        assert list(store.scan(Query(lacks="enriched"))) == []

    def test_vectors_come_only_when_asked_for(self, shelf: Shelf, store: Store) -> None:
        """Pages and scans are light; `with_vectors` fills them."""
        self.fill(shelf, store, mention("a"), enriched("a", vector=vector(1)))
        for asked in (False, True):
            query = Query(with_vectors=asked)
            for document in (store.search(query).hits[0].document, next(iter(store.scan(query)))):
                assert document.enriched is not None
                assert (document.enriched.vector is not None) == asked

    # ---- vectors ------------------------------------------------------------------------------------------------

    def _vectors(self, shelf: Shelf, store: Store) -> None:
        """Write five documents around a half circle."""
        for n in range(5):
            self.fill(
                shelf, store, mention(f"v{n}", "ads" if n % 2 else "refund", hours=n, market="SG" if n < 3 else "ID"),
                enriched(f"v{n}", vector=vector(float(np.cos(n * 0.7)), float(np.sin(n * 0.7)))),
            )  # fmt: skip

    def test_nearest_first(self, shelf: Shelf, store: Store) -> None:
        """Without words, documents come by cosine, which is their score."""
        self._vectors(shelf, store)
        store.put([mention("none", "without a vector")])
        shelf.refresh()
        page = store.search(Query(vector=vector(1)))
        assert ids(page) == ["v0", "v1", "v2", "v3", "v4"]
        assert page.total == 5
        assert page.hits[1].score == pytest.approx(np.cos(0.7), abs=0.01)

    def test_nearest_among_those_that_meet_the_conditions(self, shelf: Shelf, store: Store) -> None:
        """Filters hold for neighbours too."""
        self._vectors(shelf, store)
        assert ids(store.search(Query(vector=vector(1), where={"market": ("ID",)}))) == ["v3", "v4"]
        assert ids(store.search(Query(vector=vector(1), match=Not(Is("market", "ID")), limit=2))) == ["v0", "v1"]
        assert ids(store.search(Query(vector=vector(1), since=NOON + timedelta(hours=4)))) == ["v4"]

    def test_words_and_vector_are_fused_by_reciprocal_rank(self, shelf: Shelf, store: Store) -> None:
        """Both rankings count: 1 / (60 + rank), summed; what only one of them finds is there too."""
        self._vectors(shelf, store)
        page = store.search(Query(match=Word("ads"), vector=vector(1), facets=("market",)))
        assert set(ids(page)) == {f"v{n}" for n in range(5)}
        assert ids(page)[0] == "v1"
        assert set(ids(page)[:2]) == {"v1", "v3"}
        assert page.hits[-1].score == pytest.approx(1 / 65)
        assert page.total == 5
        assert dict(page.facets["market"]) == {"SG": 3, "ID": 2}

    def test_ranked_pages_together_are_everything_once(self, shelf: Shelf, store: Store) -> None:
        """Paging through a fused ranking neither repeats nor skips, also when others write."""
        self._vectors(shelf, store)
        seen: list[str] = []
        for page in _pages(store, Query(match=Word("ads"), vector=vector(1), limit=2)):
            seen += ids(page)
            self.fill(shelf, store, mention(f"new{len(seen)}", "ads ads"))
        old = [one for one in seen if one.startswith("v")]
        assert sorted(old) == [f"v{n}" for n in range(5)]

    def test_a_vector_of_another_length_finds_nothing(self, shelf: Shelf, store: Store) -> None:
        """A question from another model is not answered with noise."""
        self._vectors(shelf, store)
        assert ids(store.search(Query(vector=np.ones(3, np.float32)))) == []

    def test_a_new_vector_replaces_the_old_one(self, shelf: Shelf, store: Store) -> None:
        """A document is found where it is now, by stores that were open all the time too."""
        self._vectors(shelf, store)
        assert ids(store.search(Query(vector=vector(0, 0, 1), limit=1)))
        self.fill(shelf, store, enriched("v4", vector=vector(0, 0, 1)))
        page = store.search(Query(vector=vector(0, 0, 1), limit=1))
        assert ids(page) == ["v4"]
        assert page.hits[0].score == pytest.approx(1, abs=0.01)

    # ---- the world's oddities -----------------------------------------------------------------------------------

    def test_the_undated_are_found_but_never_counted_in_time(self, shelf: Shelf, store: Store) -> None:
        """No date, or one that cannot be trusted: searchable, in totals, in no period."""
        distrusted = replace(mention("x", "refund"), date_confidence="none")
        self.fill(shelf, store, mention("a", "refund"), undated("u", "refund"), distrusted)
        assert ids(store.search(Query(match=Word("refund")))) == ["a", "x", "u"]
        assert ids(store.search(Query(match=Word("refund"), since=datetime(1, 1, 1, tzinfo=UTC)))) == ["a"]
        assert ids(store.search(Query(match=Word("refund"), until=datetime(9999, 1, 1, tzinfo=UTC)))) == ["a"]
        assert ids(store.search(Query(trusted_dates=True))) == ["a"]
        assert sum(bucket.count for bucket in store.count(Query(), By(period="day"))) == 1
        assert sum(bucket.count for bucket in store.count(Query(), By(fields=("source",)))) == 3

    def test_the_ends_of_time(self, shelf: Shelf, store: Store) -> None:
        """Year 1 and year 9999 are dates like others."""
        first, last = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
        self.fill(shelf, store, mention("old", published_at=first), mention("now"), mention("far", published_at=last))
        assert ids(store.search(Query())) == ["far", "now", "old"]
        assert ids(store.search(Query(since=last))) == ["far"]
        assert ids(store.search(Query(until=first + timedelta(seconds=1)))) == ["old"]
        for period in PERIODS[1:]:
            assert [b.count for b in store.count(Query(), By(period=period))] == [1, 1, 1]

    def test_times_of_other_zones_are_the_same_moments(self, shelf: Shelf, store: Store) -> None:
        """Questions in Singapore's time find what was published then."""
        self.fill(shelf, store, mention("a"))
        local = NOON.astimezone(ZoneInfo("Asia/Singapore"))
        assert ids(store.search(Query(since=local, until=local + timedelta(seconds=1)))) == ["a"]

    def test_a_huge_text_is_kept_and_found(self, shelf: Shelf, store: Store) -> None:
        """A megabyte is no trouble."""
        self.fill(shelf, store, mention("a", "广告 ads " * 100_000 + "needle"))
        assert ids(store.search(Query(match=Word("needle"), highlight=True))) == ["a"]
        back = store.get(Mention, "a")
        assert back is not None
        assert len(back.text) == 700_006

    def test_labels_of_one_mention_live_side_by_side(self, store: Store) -> None:
        """Two people's judgements are two records."""
        store.put(
            [Label(id=f"l{n}", subject="m1", field="risk", value="scam", annotator=f"p{n}", at=NOON) for n in (1, 2)]
        )
        assert {one.annotator for one in store.recent(Label)} == {"p1", "p2"}


def _pages(store: Store, query: Query) -> Iterator[Any]:
    """Yield page after page."""
    while True:
        page = store.search(query)
        yield page
        if not page.cursor:
            return
        query = replace(query, cursor=page.cursor)


def _keys(document: Document, period: str | None, fields: tuple[Field, ...]) -> list[tuple[Any, ...]]:
    """Return every bucket that a document falls into, by the definitions alone."""
    if period and (document.mention.published_at is None or document.mention.date_confidence == "none"):
        return []
    values = [_values(document, name) for name in fields]
    return [(_start(document, period), *combination) for combination in itertools.product(*values)]


def _values(document: Document, name: Field) -> list[str]:
    """Return the values of a field."""
    if name == "risk":
        risks = document.enriched.risks if document.enriched else {}
        return [risk for risk, probability in risks.items() if probability >= 0.5] or [""]
    if name == "theme":
        return [document.membership.theme if document.membership else ""]
    return [getattr(document.mention, name)]


def _start(document: Document, period: str | None) -> datetime | None:
    """Return the begin of the period of a document."""
    at = document.mention.published_at
    if period is None or at is None:
        return None
    hour = at.replace(minute=0, second=0, microsecond=0)
    if period == "hour":
        return hour
    day = hour.replace(hour=0)
    return day if period == "day" else day - timedelta(days=day.weekday())


def _rounded(mood: float | None) -> float | None:
    """Return a mood to five decimals: stores may sum in another order."""
    return None if mood is None else round(mood, 5)


def _mean(moods: list[float | None]) -> float | None:
    """Return the mean of those that are known."""
    known = [mood for mood in moods if mood is not None]
    return sum(known) / len(known) if known else None
