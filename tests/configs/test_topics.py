"""Standing topics: the list that ships is sound, and a user's own is read or refused with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundswell.configs.topics import ANY, LANGUAGES, load_topics
from groundswell.configs.yaml_lines import ConfigError


def test_the_topics_that_ship_speak_every_language_of_the_product() -> None:
    """No topic is silent in a language that readers use."""
    for topic in load_topics():
        assert ANY in topic.words or set(topic.words) >= set(LANGUAGES) - {ANY}, topic.id


def test_malay_and_indonesian_are_one() -> None:
    """A text marked id is read with the words given for ms."""
    (advertising,) = (topic for topic in load_topics() if topic.id == "advertising")
    assert advertising.spoken("id") == advertising.spoken("ms")
    assert "*iklan*" in advertising.spoken("id")


def test_a_topic_of_ones_own_stands_beside_or_replaces_what_ships(tmp_path: Path) -> None:
    """An id that is known is replaced, another is added."""
    own = tmp_path / "topics.yaml"
    own.write_text(
        "topics:\n"
        "  - {id: durian, title: durian, words: {any: [durian*]}}\n"
        "  - {id: login, title: signing in, words: {en: [signin]}}\n",
        "utf-8",
    )
    found = {topic.id: topic for topic in load_topics(own)}
    assert found["durian"].spoken("th") == ("durian*",)
    assert found["login"].title == "signing in"
    assert len(found) == len(load_topics()) + 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("topics: [{id: a b, title: two, words: {en: [x]}}]", "id"),
        ("topics: [{id: one, title: two, words: {xx: [x]}}]", "known are any"),
        ("topics: [{id: one, title: two, words: {en: ['*']}}]", "would count every text"),
        ("topics: [{id: one, title: two, words: {en: ['sc*m']}}]", "at an end only"),
        ("topics: [{id: one, title: two, words: {en: ['scam|fraud']}}]", "at an end only"),
        ("topics: [{id: one, title: two, words: {en: ['-scam']}}]", "at an end only"),
        ("topics: [{id: one, title: two, words: {en: [x]}}, {id: one, title: two, words: {en: [y]}}]", "given twice"),
    ],
)
def test_a_bad_topic_is_refused_with_its_reason(tmp_path: Path, text: str, reason: str) -> None:
    """The message says what is wrong."""
    own = tmp_path / "topics.yaml"
    own.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=reason):
        load_topics(own)
