"""Whom a feeling is about, by name."""

from __future__ import annotations

import pytest

from groundswell.configs.watch import read_watch
from groundswell.index.records import Target, TargetKind
from groundswell.nlp.enrich.names import Names
from groundswell.nlp.text.clean import clean_one

NAMES = Names.of(read_watch().values())


def named(text: str, lang: str, *kinds: TargetKind, impersonated: bool = False) -> set[tuple[str, str]]:
    """Return name (or kind) and role of each target."""
    targets = NAMES.name(
        clean_one(text), lang, [Target(who=kind, label="negative") for kind in kinds], impersonated=impersonated
    )
    return {(target.name or target.who, target.role) for target in targets}


@pytest.mark.parametrize(
    ("text", "lang", "name"),
    [
        ("TikTok keeps showing me scams", "en", "TikTok"),
        ("ติ๊กต็อกโฆษณาเยอะมาก", "th", "TikTok"),
        ("抖音廣告太多了", "zh", "TikTok"),
        ("YouTube iklannya kebanyakan", "id", "YouTube"),
    ],
)
def test_a_brand_goes_by_one_name_in_every_language(text: str, lang: str, name: str) -> None:
    """However it is written, it is named as the watch list calls it."""
    assert (name, "subject") in named(text, lang, "platform")


def test_a_name_inside_a_word_is_no_name() -> None:
    """Letters that only look like a brand name nobody."""
    assert NAMES.find("the xspotifyx of metaphors", "en") == []


@pytest.mark.parametrize(
    ("text", "lang", "victim"),
    [
        ("A fake Spotify account writes to everybody", "en", "Spotify"),
        ("Akun palsu mengatasnamakan Tokopedia", "id", "Tokopedia"),
        ("有人冒充抖音客服打电话", "zh", "TikTok"),
    ],
)
def test_the_victim_of_an_impersonation_is_not_its_target(text: str, lang: str, victim: str) -> None:
    """Whose name was misused is a victim; nobody complains of it."""
    assert (victim, "victim") in named(text, lang, "platform", impersonated=True)
    assert (victim, "subject") not in named(text, lang, "platform", impersonated=True)


def test_where_it_was_seen_is_who_is_complained_of() -> None:
    """The minister whose face was stolen is the victim, the platform that shows it the target."""
    found = named("Deepfake of the minister sells pills on TikTok", "en", "regulator", "platform", impersonated=True)
    assert found == {("TikTok", "subject"), ("regulator", "victim")}


def test_without_impersonation_a_regulator_is_complained_of() -> None:
    """A complaint about the ministry stays one."""
    assert named("The ministry does nothing", "en", "regulator") == {("regulator", "subject")}
