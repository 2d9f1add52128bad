from __future__ import annotations

from itertools import pairwise

import pytest

from groundswell.nlp.model.targets import MOST_CLAUSES, by_target, clauses, named


def test_but_begins_a_new_clause() -> None:
    """Love the app but hate the ads: two clauses, one for each target."""
    parts = clauses("love the app but hate the ads")
    assert [part.named for part in parts] == [("platform",), ("ad_product",)]


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("iklannya kebanyakan", "ad_product"),
        ("penjual tidak amanah", "advertiser"),
        ("โฆษณาเยอะมาก", "ad_product"),
        ("quảng cáo nhiều quá", "ad_product"),
        ("广告太多", "ad_product"),
        ("the ministry must act", "regulator"),
        ("主播人很好", "creator"),
    ],
)
def test_each_language_names_its_targets(text: str, who: str) -> None:
    """Words of every language of ours name a target."""
    assert who in named(text)


def test_clauses_cover_the_text_once() -> None:
    """Clauses lie side by side from the first character to the last."""
    text = "Bagus, tapi iklan! 不过 客服很好。 ok"
    parts = clauses(text)
    assert (parts[0].start, parts[-1].end) == (0, len(text))
    assert all(one.end == two.start for one, two in pairwise(parts))


def test_an_endless_list_does_not_make_endless_clauses() -> None:
    """A text of a thousand commas has a bounded number of clauses."""
    assert len(clauses("word, " * 1000)) == MOST_CLAUSES


def test_a_clause_without_a_name_goes_on_about_the_one_before() -> None:
    """After a clause about the ads, being loud is said of the ads."""
    parts = clauses("The ads are long. So loud. The seller is nice.")
    assert by_target(parts, "other") == {"ad_product": [0, 1], "advertiser": [2]}


def test_where_nobody_is_named_the_usual_one_is_meant() -> None:
    """A text that names nobody is about whom such texts are usually about."""
    assert by_target(clauses("so annoying"), "platform") == {"platform": [0]}


def test_an_empty_text_has_one_clause() -> None:
    """Nothing said is still one clause, so that nothing breaks on it."""
    assert len(clauses("")) == 1


def test_whom_no_word_names_is_named_when_sure() -> None:
    """A head that is sure adds its target, about the whole text, beside those that words name."""
    parts = clauses("so many ads, it never came")
    assert by_target(parts, "advertiser") == {"ad_product": [0, 1]}
    assert by_target(parts, "advertiser", sure=True) == {"ad_product": [0, 1], "advertiser": [0, 1]}
