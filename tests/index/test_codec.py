"""Records to JSON and back, and the words that stores index."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from groundswell.index.codec import KINDS, decode, encode, from_json, name_of, to_json
from groundswell.index.highlight import highlights
from groundswell.index.query import Word
from groundswell.index.records import RECORDS, Document, Enriched, Mention, Signal
from groundswell.index.segment import fold, for_index, for_query
from groundswell.index.vector import vector_from_text, vector_to_text
from tests.index.makers import enriched, member, mention, one_of_each


@pytest.mark.parametrize("record", one_of_each(), ids=lambda record: name_of(type(record)))
def test_every_record_survives_json(record: Mention) -> None:
    """JSON values and JSON text give back the same record, and the same text again."""
    assert from_json(type(record), json.loads(json.dumps(to_json(record)))) == record
    assert decode(type(record), encode(record)) == record
    assert encode(decode(type(record), encode(record))) == encode(record)


def test_every_kind_has_a_name() -> None:
    """Files and tables know all records and documents."""
    assert set(KINDS.values()) == {*RECORDS, Document}


def test_a_document_survives_whole() -> None:
    """Mention, enrichment with vector, and membership."""
    document = Document(
        mention=mention(), enriched=enriched(vector=np.arange(4, dtype=np.float32)), membership=member()
    )
    back = decode(Document, encode(document))
    assert back == document
    assert back.enriched is not None
    np.testing.assert_array_equal(back.enriched.vector, [0, 1, 2, 3])


def test_equal_records_have_equal_text() -> None:
    """The order of a mapping does not matter."""
    assert encode(enriched(risks={"a": 0.5, "b": 0.25})) == encode(enriched(risks={"b": 0.25, "a": 0.5}))


def test_what_is_no_record_is_named() -> None:
    """An error says which field is wrong."""
    for values in ({}, {**to_json(mention()), "kind": "rumour"}, {**to_json(mention()), "published_at": "soon"}):
        with pytest.raises(ValueError, match=r"source|kind|published_at"):
            from_json(Mention, values)
    with pytest.raises(ValueError, match="vector"):
        from_json(Enriched, {**to_json(enriched()), "vector": "f9:xx"})
    with pytest.raises(ValueError, match="JSON"):
        decode(Signal, "{")


@given(arrays(np.float32, st.integers(0, 20), elements=st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_vectors_survive_to_the_last_bit(vector: np.ndarray[tuple[int], np.dtype[np.float32]]) -> None:
    """Text gives back the same float32 numbers, short where half precision holds them."""
    np.testing.assert_array_equal(vector_from_text(vector_to_text(vector)), vector)
    half = vector_to_text(np.clip(vector, -9, 9).astype(np.float16).astype(np.float32))
    assert half.startswith("f2:")


def test_vectors_may_come_as_lists() -> None:
    """Programs write plain numbers."""
    np.testing.assert_array_equal(vector_from_text([0.5, 1]), np.array([0.5, 1], np.float32))


@given(st.text(max_size=100))
def test_whatever_is_indexed_can_be_asked_for(text: str) -> None:
    """The words of a question stand, in this order, in the index of the same text."""
    words, unfinished = for_query(text)
    indexed = for_index(text).split()
    spans = [indexed[at : at + len(words)] for at in range(len(indexed) - len(words) + 1)]
    if unfinished:
        assert any(span[:-1] == list(words[:-1]) and span[-1].startswith(words[-1]) for span in spans)
    else:
        assert list(words) in spans


@given(st.text(alphabet="广告退款太多了", min_size=1, max_size=12), st.data())
def test_any_part_of_a_chinese_run_is_found_and_nothing_else(run: str, data: st.DataObject) -> None:
    """Pairs of characters find exactly the substrings."""
    part = data.draw(st.text(alphabet="广告退款太多了", min_size=1, max_size=4))
    words, unfinished = for_query(part)
    indexed = for_index(run).split()
    spans = [indexed[at : at + len(words)] for at in range(len(indexed) - len(words) + 1)]
    if unfinished:
        assert any(span[0].startswith(words[0]) for span in spans) == (part in run)
    else:
        assert (list(words) in spans) == (part in run)


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Quảng CÁO", "quang cao"), ("ĐÀ NẴNG", "da nang"), ("ＡＢＣ", "abc"), ("ß", "ss"), ("İstanbul", "istanbul")],
)
def test_case_width_and_accents_do_not_matter(text: str, folded: str) -> None:
    """People type as they like."""
    assert fold(text) == folded


def test_emoji_and_tamil_are_words() -> None:
    """Signs with a meaning are kept; vowel marks do not tear a word."""
    assert for_index("ads😡😡 விளம்பரம்").split() == ["ads", "😡", "😡", "விளம்பரம்"]


@given(st.text(max_size=200), st.text(max_size=10))
def test_highlights_only_add_marks(text: str, word: str) -> None:
    """A fragment is a piece of the text, with nothing but marks, spaces and dots added."""
    for fragment in highlights([text], [Word(word)]):
        plain = fragment.replace("[[", "").replace("]]", "").strip("… ")
        assert "".join(plain.split()) in "".join(text.replace("[[", "").replace("]]", "").split())


def test_times_keep_microseconds() -> None:
    """Nothing is rounded."""
    at = datetime(2026, 11, 1, 1, 2, 3, 456789, tzinfo=UTC)
    assert decode(Mention, encode(mention(published_at=at))).published_at == at
