"""What many half-sure readings say together."""

from __future__ import annotations

from groundswell.index.records import Enriched, Sentiment
from groundswell.nlp.enrich.consensus import common_risk


def _read(number: int, risks: dict[str, float], rules: tuple[str, ...] = ()) -> Enriched:
    feeling = Sentiment(label="negative", negative=0.8, neutral=0.1, positive=0.1)
    return Enriched(id=str(number), lang="en", sentiment=feeling, made_by="test", risks=risks, rules=rules)


def test_half_sure_readings_together_say_a_risk() -> None:
    """None claims it alone, all point the same way."""
    read = [_read(n, {"scam_investment": 0.4, "gambling": 0.1}) for n in range(4)]
    risk, weight = common_risk(read)
    assert risk == "scam_investment"
    assert abs(weight - 0.4) < 1e-9


def test_a_rule_counts_where_the_model_is_timid() -> None:
    """Two of four texts name a deepfake in so many words."""
    read = [
        _read(0, {}, ("impersonation_deepfake.en",)),
        _read(1, {}, ("impersonation_deepfake.zh",)),
        _read(2, {}),
        _read(3, {}),
    ]
    assert common_risk(read, ["impersonation_deepfake"])[0] == "impersonation_deepfake"


def test_a_shadow_rule_or_a_tag_counts_for_nothing() -> None:
    """A rule on trial changes nothing that people see, and a tag is no risk."""
    read = [_read(n, {}, ("shadow:gambling.en", "boycott.en")) for n in range(3)]
    assert common_risk(read, ["gambling"]) == ("", 0.0)


def test_one_sure_text_among_many_is_not_what_they_are_about() -> None:
    """The rest is silent about it; and nothing read says nothing."""
    assert common_risk([_read(0, {"gambling": 0.9}), *(_read(n, {}) for n in range(1, 6))]) == ("", 0.0)
    assert common_risk([]) == ("", 0.0)
