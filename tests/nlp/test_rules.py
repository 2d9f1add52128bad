"""Analysts' rules: held to their own examples, linear in time, errors that name file and line."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from groundswell.configs.rules import load_rules, translated
from groundswell.configs.taxonomy import load_taxonomy
from groundswell.configs.yaml_lines import ConfigError
from groundswell.nlp.enrich.rules import Rules, read_rules


@cache
def _shipped() -> Rules:
    taxonomy = load_taxonomy()
    return read_rules(risks=[*taxonomy.risk_ids, *(tag.id for tag in taxonomy.tags)])


def _file(tmp_path: Path, content: str) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text(content, "utf-8")
    return path


def test_every_shipped_rule_keeps_its_promises() -> None:
    """Each hits what it says it hits and leaves alone what it says it leaves alone."""
    assert list(_shipped().complaints()) == []


def test_every_risk_and_tag_has_a_rule_in_every_language() -> None:
    """Seventeen risks and four tags, in five files of languages."""
    taxonomy = load_taxonomy()
    wanted = {*taxonomy.risk_ids, *(tag.id for tag in taxonomy.tags)}
    covered = {(each.rule.about, each.rule.id.split(".")[1]) for each in _shipped().compiled}
    assert covered == {(about, lang) for about in wanted for lang in ("en", "zh", "malay", "th", "vi")}


def test_a_rule_that_breaks_its_promise_is_named_with_its_line(tmp_path: Path) -> None:
    """An example that is not hit, and one that should not be, each with file and line."""
    path = _file(
        tmp_path,
        "rules:\n  - id: gambling.own\n    about: gambling\n    any: ['\\bpoker\\b']\n"
        "    match: ['pokerface']\n    reject: ['poker tonight']\n",
    )
    own = Rules([each for each in load_rules([path]) if each.rule.id == "gambling.own"])
    first, second = own.complaints()
    assert first == f"{path}:2: rule gambling.own does not hit its example 'pokerface'"
    assert second == f"{path}:2: rule gambling.own hits its example 'poker tonight'"


def test_a_rule_without_a_counterexample_and_one_that_expired_are_left_out(tmp_path: Path) -> None:
    """Each with the reason; on the day before it still works."""
    path = _file(
        tmp_path,
        "rules:\n  - {id: a.own, about: gambling, any: [poker], match: [poker]}\n"
        "  - {id: b.own, about: gambling, any: [poker], match: [poker], reject: [x], owner: m, expires: 2027-01-01}\n",
    )
    own = Rules([each for each in load_rules([path]) if each.rule.id.endswith(".own")])
    kept, said = own.proven(datetime(2027, 1, 1, tzinfo=UTC))
    assert len(kept) == 0
    assert "names no text under 'reject'" in said[0]
    assert "rule b.own expired on 2027-01-01; ask m" in said[1]
    assert [each.rule.id for each in own.proven(datetime(2026, 12, 31, tzinfo=UTC))[0].compiled] == ["b.own"]


def test_a_rule_that_breaks_its_promise_does_not_fire(tmp_path: Path) -> None:
    """It is left out with the sentences that say why; the others stay."""
    path = _file(
        tmp_path,
        "rules:\n  - id: gambling.own\n    about: gambling\n    any: ['\\bpoker\\b']\n"
        "    match: ['pokerface']\n    reject: ['poker tonight']\n",
    )
    kept, said = read_rules([path]).proven()
    assert len(said) == 2
    assert len(kept) == len(_shipped())
    assert not any("gambling.own" in hits for hits in kept.hits(["poker tonight"], ["en"]))
    assert _shipped().proven() == (_shipped(), ()) or _shipped().proven()[1] == ()


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(?<=a)b", "RE2 has no look-around"),
        ("(a", "missing"),
        ("a*", "matches an empty text"),
        ("scam*", "repeats the letter before it"),
        ("-crypto", "under 'none'"),
        ("scam | fraud", "write a|b"),
        ("scam OR fraud", "either is a|b"),
        ('"no refund"', "quotation marks"),
        ("scam near/5 bank", "nearness"),
        ("Scam", "lower case"),
        ("{nowhere} ads", "there are no words {nowhere}"),
        ("a" * 3000, "at most"),
    ],
)
def test_a_pattern_that_cannot_work_is_refused_where_it_stands(tmp_path: Path, pattern: str, reason: str) -> None:
    """File, line, rule and what to do."""
    path = _file(
        tmp_path, f"rules:\n  - id: x.own\n    about: gambling\n    any:\n      - '{pattern}'\n    match: [x]\n"
    )
    with pytest.raises(ConfigError) as error:
        read_rules([path])
    assert reason in str(error.value)
    assert f"{path}:" in str(error.value)
    assert "x.own" in str(error.value)


def test_typing_errors_are_named_with_the_nearest_key(tmp_path: Path) -> None:
    """A key that does not exist, and a risk that does not exist."""
    bad_key = _file(tmp_path, "rules:\n  - id: x.own\n    abuot: gambling\n    any: [a]\n    match: [a]\n")
    with pytest.raises(ConfigError, match=r"own\.yaml:3: .*abuot.*about"):
        read_rules([bad_key])
    bad_risk = _file(tmp_path, "rules:\n  - id: x.own\n    about: gambing\n    any: [a]\n    match: [a]\n")
    with pytest.raises(ConfigError, match=r"own\.yaml:2: nothing is called 'gambing'.*gambling"):
        read_rules([bad_risk], risks=["gambling"])


def test_boundaries_know_every_script(tmp_path: Path) -> None:
    r"""``\b`` and ``\w`` work beside Chinese, Thai and Vietnamese letters, where RE2's own never match."""
    path = _file(
        tmp_path,
        "rules:\n"
        "  - {id: a.own, about: x, any: ['\\btiktok\\b'], match: [在tiktok上, ใน TikTokเยอะ], reject: [mytiktok]}\n"
        "  - {id: b.own, about: x, any: ['\\b诈骗\\b'], match: [这是诈骗吗], reject: [这是广告吗]}\n"
        "  - {id: c.own, about: x, any: ['\\bđồ\\b'], match: [cái đồ này, đồ], reject: [xđồx]}\n"
        "  - {id: d.own, about: x, any: ['lừa \\w+ ngay'], match: [lừa đảo ngay], reject: [lừa ngay]}\n",
    )
    own = Rules([each for each in load_rules([path]) if each.rule.id.endswith(".own")])
    assert list(own.complaints()) == []


def test_all_and_none_and_shadow_and_language(tmp_path: Path) -> None:
    """Every clause counts; shadow hits are kept apart and claim nothing; a language limits, an unknown one does not."""
    path = _file(
        tmp_path,
        "rules:\n"
        "  - {id: a.own, about: gambling, any: [bet], all: ['\\bads?\\b'], none: [alphabet], match: [bet ad]}\n"
        "  - {id: b.own, about: gambling, any: [bet], shadow: true, match: [bet]}\n"
        "  - {id: c.own, about: outage, any: [bet], languages: [id], match: [bet]}\n",
    )
    own = Rules([each for each in load_rules([path]) if each.rule.id.endswith(".own")])
    texts = ["bet ad", "alphabet ad", "BET", "bet", "bet"]
    found = own.hits(texts, ["en", "en", "en", "ms", "und"])
    assert found == [
        ("a.own", "shadow:b.own"),
        ("shadow:b.own",),
        ("shadow:b.own",),
        ("shadow:b.own", "c.own"),
        ("shadow:b.own", "c.own"),
    ]
    assert own.about(found[0]) == ("gambling",)
    assert own.about(found[1]) == ()


def test_own_rules_take_the_place_of_shipped_ones(tmp_path: Path) -> None:
    """The same id read later wins."""
    path = _file(tmp_path, "rules:\n  - {id: outage.en, about: outage, any: [blip], match: [blip]}\n")
    found = read_rules([path]).hits(["a blip", "server down again"], ["en", "en"])
    assert "outage.en" in found[0]
    assert "outage.en" not in found[1]


def test_no_rules_hit_nothing() -> None:
    """An empty book is a book."""
    assert Rules(()).hits(["anything"], ["en"]) == [()]


def test_a_hostile_text_costs_no_more_than_its_length() -> None:
    """What makes a backtracking engine hang is read through once; no clock is needed to see that it ends."""
    evil = translated(r"(?:a+)+\b(?:x+x+)+y")
    assert evil
    assert _shipped().hits(["a" * 4000, "ads " * 1000, "iklan" * 800], ["en", "en", "id"])
