"""The little language in which people search."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.index.foreign_signs import plain, remarks
from groundswell.index.query import AllOf, AnyOf, Expression, Field, Is, Not, Phrase, Query, Word
from groundswell.index.query_language import FIELDS, HELP, QueryError, parse
from groundswell.index.segment import tokens
from tests.index.makers import NOON

DAY = timedelta(days=1)
MIDNIGHT = NOON.replace(hour=0)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", Query()),
        ("   ", Query()),
        ("refund", Query(match=Word("refund"))),
        ("refund ads", Query(match=AllOf((Word("refund"), Word("ads"))))),
        ("refund AND ads", Query(match=AllOf((Word("refund"), Word("ads"))))),
        ('"no refund"', Query(match=Phrase("no refund"))),
        ("“no refund”", Query(match=Phrase("no refund"))),
        ("refund OR 退款", Query(match=AnyOf((Word("refund"), Word("退款"))))),
        ("a b OR c", Query(match=AnyOf((AllOf((Word("a"), Word("b"))), Word("c"))))),
        ("(a OR b) c", Query(match=AllOf((AnyOf((Word("a"), Word("b"))), Word("c"))))),
        ("-a", Query(match=Not(Word("a")))),
        ("NOT a", Query(match=Not(Word("a")))),
        ("-(a OR b)", Query(match=Not(AnyOf((Word("a"), Word("b")))))),
        ("e-mail", Query(match=Word("e-mail"))),
        ('"or" "and" "not"', Query(match=AllOf((Phrase("or"), Phrase("and"), Phrase("not"))))),
        ("terms and conditions", Query(match=AllOf((Word("terms"), Word("conditions"))))),
        ("scam*", Query(match=Word("scam*"))),
        ("a | b", Query(match=AnyOf((Word("a"), Word("b"))))),
        ("a|b || c", Query(match=AnyOf((Word("a"), Word("b"), Word("c"))))),
        ("scam –crypto", Query(match=AllOf((Word("scam"), Not(Word("crypto")))))),
        ("scam －crypto", Query(match=AllOf((Word("scam"), Not(Word("crypto")))))),
        ("scam —(a ＯＲ b)", Query(match=AllOf((Word("scam"), Not(AnyOf((Word("a"), Word("b")))))))),
        ("ｍａｒｋｅｔ：ｓｇ　ａｄｓ", Query(match=Word("ads"), where={"market": ("SG",)})),
        ("⭐", Query(match=Word("⭐"))),
        ("AT&T", Query(match=Word("AT&T"))),
        ("ads & scams", Query(match=AllOf((Word("ads"), Word("scams"))))),
        ("after:7d before:today", Query(since=NOON - 7 * DAY, until=MIDNIGHT)),
        ("10:30", Query(match=Word("10:30"))),
        ("https://example.org/a", Query(match=Word("https://example.org/a"))),
        ("market:sg", Query(where={"market": ("SG",)})),
        ("country:SG,my", Query(where={"market": ("SG", "MY")})),
        ("market：sg", Query(where={"market": ("SG",)})),
        ("-market:SG", Query(without={"market": ("SG",)})),
        ("-market:SG -market:MY", Query(without={"market": ("SG", "MY")})),
        ("market:none", Query(where={"market": ("",)})),
        ('theme:"a, b"', Query(where={"theme": ("a, b",)})),
        ("language:ZH", Query(where={"lang": ("zh",)})),
        ("Sentiment:NEGATIVE", Query(where={"sentiment": ("negative",)})),
        ("date_confidence:none", Query(where={"date_confidence": ("none",)})),
        ("risk:a risk:b", Query(where={"risk": ("a",)}, match=Is("risk", "b"))),
        ("risk:a OR b", Query(match=AnyOf((Is("risk", "a"), Word("b"))))),
        ("since:7d", Query(since=NOON - 7 * DAY)),
        ("since:24h", Query(since=NOON - DAY)),
        ("since:2w until:today", Query(since=NOON - 14 * DAY, until=MIDNIGHT)),
        ("until:2026-11-01", Query(until=datetime(2026, 11, 1, tzinfo=UTC))),
        ("since:2026-11-01T08:00+08:00", Query(since=datetime(2026, 11, 1, tzinfo=UTC))),
        ("on:yesterday", Query(since=MIDNIGHT - DAY, until=MIDNIGHT)),
        ("on:2026-11-03", Query(since=datetime(2026, 11, 3, tzinfo=UTC), until=datetime(2026, 11, 4, tzinfo=UTC))),
        ("on:2026-12", Query(since=datetime(2026, 12, 1, tzinfo=UTC), until=datetime(2027, 1, 1, tzinfo=UTC))),
        ("since:7d since:1d", Query(since=NOON - DAY)),
        ("ads sort:relevance", Query(match=Word("ads"), sort="relevance")),
        (
            'deepfake OR "AI video" market:SG since:7d -lang:zh',
            Query(
                match=AnyOf((Word("deepfake"), Phrase("AI video"))),
                where={"market": ("SG",)},
                without={"lang": ("zh",)},
                since=NOON - 7 * DAY,
            ),
        ),
        ("market:SG a OR b", Query(match=AnyOf((Word("a"), Word("b"))), where={"market": ("SG",)})),
        (
            "risk:a OR risk:b market:SG",
            Query(where={"risk": ("a", "b"), "market": ("SG",)}),
        ),
        (
            "a market:SG OR b market:MY",
            Query(match=AnyOf((AllOf((Word("a"), Is("market", "SG"))), AllOf((Word("b"), Is("market", "MY")))))),
        ),
        (
            "(a OR b lang:id) c",
            Query(match=AllOf((AllOf((AnyOf((Word("a"), Word("b"))), Is("lang", "id"))), Word("c")))),
        ),
        ("a AND(b OR c)", Query(match=AllOf((Word("a"), AnyOf((Word("b"), Word("c"))))))),
        ("a AND NOT b", Query(match=AllOf((Word("a"), Not(Word("b")))))),
        ("+a & +b", Query(match=AllOf((Word("+a"), Word("+b"))))),
        ("market∶SG a ¦ b", Query(where={"market": ("SG",)}, match=AnyOf((Word("a"), Word("b"))))),
        ("scam⁎ ﹣crypto", Query(match=AllOf((Word("scam*"), Not(Word("crypto")))))),
        ("❝no refund❞", Query(match=Phrase("no refund"))),
        ("\ufeffmar\u00adket:S\u200dG \u200bsc\u00adam", Query(where={"market": ("SG",)}, match=Word("scam"))),
        ("a \u200bOR\u00a0b", Query(match=AnyOf((Word("a"), Word("b"))))),
        ("don't 'scam' rock'n'roll", Query(match=AllOf((Word("don't"), Word("'scam'"), Word("rock'n'roll"))))),
        ("US$ 50% 1,000 24/7", Query(match=AllOf((Word("US$"), Word("50%"), Word("1,000"), Word("24/7"))))),
        ('market:SG OR "MY"', Query(match=AnyOf((Is("market", "SG"), Phrase("MY"))))),
        ("since:7d (a OR b)", Query(since=NOON - 7 * DAY, match=AnyOf((Word("a"), Word("b"))))),
    ],
)
def test_what_is_typed_means(text: str, query: Query) -> None:
    """Each form of the language, as the help says."""
    assert parse(text, now=NOON) == query


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ('"never closed', 0, "never closed"),
        ("a (b", 2, "never closed"),
        ("a)", 1, "closes nothing"),
        ("a OR", 2, "between two"),
        ("OR a", 0, "between two"),
        ("a NOT", 2, "nothing after"),
        ("risks_:x", 0, "did you mean risk"),
        ("a lnag:x", 2, "did you mean lang"),
        ("zzzz:x", 0, "there are id, source"),
        ("sentiment:negativ", 0, "did you mean sentiment:negative"),
        ("kind:zzz", 0, "one of news"),
        ("market:", 0, "market:SG"),
        ("since:", 0, "since:7d"),
        ("a since:soon", 2, "is no time"),
        ("since:2026-13-01", 0, "is no time"),
        ("since:999999w", 0, "is no time"),
        ("on:9999-12-31", 0, "out of the calendar"),
        ("-since:7d", 1, "cannot be turned around"),
        ("a OR since:7d", 5, "whole search"),
        ("& -- !", 0, "nothing here can be looked for"),
        ("$", 0, "nothing here can be looked for"),
        ("*", 0, "leave the search empty"),
        ("scams or scammers", 6, "OR in capitals"),
        ("scam not crypto", 5, "NOT"),
        ('"scam feed"~5', 11, "not known"),
        ("scam~", 0, "not known"),
        ("scam NEAR/5 bank", 5, "not known"),
        ("scam near/5 bank", 5, "not known"),
        ("*scam", 0, "end of a word"),
        ("sc*m", 0, "end of a word"),
        ("colo?r", 0, "colo*"),
        ("/sc.m/", 0, "belong to rules"),
        ("scam !crypto", 5, "-crypto"),
        ("scam^4", 0, "sort:relevance"),
        ("title:scam", 0, "searched together"),
        ("url:example.org", 0, "source:"),
        ("market:Singapore", 0, "market:SG"),
        ("market:新加坡", 0, "market:SG"),
        ("market:UK", 0, "market:GB"),
        ("market:ZZZ", 0, "two letters"),
        ("lang:english", 0, "lang:en"),
        ("lang:cn", 0, "lang:zh"),
        ("lang:bahasa", 0, "by its code"),
        ("sort:best", 0, "sort:"),
        ('theme:"x', 0, "never closed"),
        ("scam.*", 0, "end of a word"),
        ("sc\\w+", 0, "belong to rules"),
        ('"no * refund"', 0, "at the very end"),
        ('"scam* refund"', 0, "at the very end"),
        ('scam ""', 5, "nothing between"),
        ('scam "$"', 5, "signs are not searched"),
        ("scam $ bank", 5, "signs are not searched"),
        ("scam ∧ bank", 5, "signs are not searched"),
        ("scam - crypto", 5, "right before the word"),
        ("scam – crypto", 5, "right before the word"),
        ("scam --crypto", 5, "write one"),
        ("scam NOT -crypto", 5, "write one"),
        ("scams Or scammers", 6, "OR in capitals"),
        ("scam Not crypto", 5, "NOT"),
        ("scam ANDNOT crypto", 5, "-crypto"),
        ("scam BUT NOT crypto", 5, "-crypto"),
        ("scam XOR crypto", 5, "(a -b) OR (b -a)"),
        ("a AND OR b", 2, "between two"),
        ("AND a", 0, "between two"),
        ("a AND", 2, "between two"),
        ("a W/5 b", 2, "nearness"),
        ("a PRE/3 b", 2, "nearness"),
        ("a NEAR5 b", 2, "nearness"),
        ("a AROUND(5) b", 2, "nearness"),
        ("NEAR(a b, 5)", 0, "nearness"),
        ("a /s b", 2, "nearness"),
        ("~scam", 0, "similar spelling"),
        ("'no refund' ads", 0, '"no refund"'),
        ("ads ‘no refund’", 4, '"no refund"'),
        ("[no refund]", 0, "only ( ) group"),
        ("price [1 TO 5]", 6, "only ( ) group"),
        ("{no refund}", 0, "only ( ) group"),
        ("scam(s)", 4, "stands a space"),
        ("(scam|fraud)s", 12, "stands a space"),
        ("scam,fraud", 0, "OR for any"),
        ("诈骗、退款", 0, "OR for any"),
        ("诈骗，退款", 0, "OR for any"),
        ("%scam%", 0, "scam*"),
        ("scam%", 0, "scam*"),
        ("?cam", 0, "colo*"),
        ("^scam", 0, "belong to rules"),
        ("(a b)^2", 5, "sort:relevance"),
        ("10..20", 0, "range of numbers"),
        ("market:SG|MY", 0, "market:SG,MY"),
        ("market:(SG OR MY)", 0, "market:SG,MY"),
        ("market:SG OR MY", 13, "market:SG,MY"),
        ("MY OR market:SG", 0, "market:SG,MY"),
        ("lang:en OR zh", 11, "lang:en,zh"),
        ("kind:news OR review", 13, "kind:news,review"),
        ('market:"SG","MY"', 0, "joined by commas"),
        ("market:SG, MY", 0, "no space"),
        ("market:,", 0, "no space"),
        ("market: SG", 0, "needs a value"),
        ("market :SG", 7, "together"),
        ("market = SG", 7, "with a colon"),
        ("market=SG", 0, "with a colon"),
        ("risk>0.5", 0, "with a colon"),
        ("sentiment!=negative", 0, "with a colon"),
        ("allintitle:scam", 0, "searched together"),
        ("newer_than:7d", 0, "since:7d"),
        ("(" * 30 + "a" + ")" * 30, 20, "brackets"),
        ("- " * 2 + "a" * 5000, 4000, "characters"),
    ],
)
def test_what_cannot_be_understood_is_explained(text: str, position: int, says: str) -> None:
    """An error says where, and what was meant."""
    with pytest.raises(QueryError, match="at character") as caught:
        parse(text, now=NOON)
    assert says in str(caught.value)
    assert caught.value.position == position


@pytest.mark.parametrize(
    ("text", "says"),
    [("risk:scam", "risk:scam_shopping"), ("-risk:gamblng", "risk:gambling"), ("risk:zzz", "one of")],
)
def test_a_mistyped_value_of_a_closed_field_is_told(text: str, says: str) -> None:
    """Nothing found would look like good news."""
    known: dict[Field, tuple[str, ...]] = {"risk": ("scam_shopping", "scam_jobs", "gambling")}
    with pytest.raises(QueryError, match=says):
        parse(text, now=NOON, values=known)
    assert parse("risk:gambling,none", now=NOON, values=known).where == {"risk": ("gambling", "")}


PIECES = st.sampled_from(
    ["(", ")", "-", '"', "OR", "AND", "NOT", ":", " ", "risk:", "since:", "until:", "on:",
     "|", "*", "~5", "or", "not", "–", "！", "sort:", "7d", "9999-12",
     "a", "广告", "“", "：", "0000", "-" * 30, "\x00", "\ud800", "none", ",",
     "9" * 30 + "d", "2026-11-01T99", "market:,"]
)  # fmt: skip


@settings(max_examples=500)
@given(st.text(max_size=80) | st.lists(PIECES, max_size=14).map("".join) | st.lists(PIECES, max_size=14).map(" ".join))
def test_no_input_crashes(text: str) -> None:
    """Anything at all is a query, or explained."""
    with contextlib.suppress(QueryError):
        assert parse(text, now=NOON).limit == Query().limit


def test_the_help_is_true() -> None:
    """Every example of the help is understood, and every field is told."""
    for line in HELP.split("\n\n", maxsplit=1)[0].splitlines():
        parse(line.split("  ", 1)[0], now=NOON)
    assert all(name in HELP for name in get_args(Field))
    assert set(FIELDS.values()) == set(get_args(Field))


def test_a_sign_before_a_word_is_remarked_on() -> None:
    """#ads finds the word with the sign and without, and whoever asks is told."""
    assert parse("#ads", now=NOON).match == Word("#ads")
    (told,) = remarks("refund (#ads OR 退款) #ads")
    assert told.startswith("#ads finds the word ads,")
    assert remarks("ads @ 5 e-mail a#b") == ()


@given(st.text(max_size=60))
def test_nothing_typed_is_dropped_in_silence(text: str) -> None:
    """Each word of what is understood stands in the query, or is a connector that joins as a space does."""
    with contextlib.suppress(QueryError):
        query = parse(text, now=NOON)
        asked = tokens(" ".join(_texts(query.match)))
        plain_words = "" if ":" in plain(text) else plain(text)
        assert len(asked) == len([one for one in tokens(plain_words) if one[1] not in {"and", "or", "not"}]) or (
            not plain_words
        )


def _texts(match: Expression | None) -> list[str]:
    """Return every word of an expression, whether looked for or left out."""
    match match:
        case Word(text) | Phrase(text):
            return [text]
        case AllOf(items) | AnyOf(items):
            return [text for item in items for text in _texts(item)]
        case Not(item):
            return _texts(item)
        case _:
            return []
