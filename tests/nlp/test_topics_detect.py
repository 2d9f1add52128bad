"""Standing topics: documents are found by their words, and a topic that everybody knows is seen to swell."""

from __future__ import annotations

import numpy as np
import pytest

from groundswell.configs.topics import Topic, load_topics
from groundswell.nlp.signals.detect import rank, terms
from groundswell.nlp.signals.detect.detect import Stream, standing_swells
from groundswell.nlp.signals.detect.groups import topics_of
from groundswell.nlp.signals.detect.topics import LIVES, NAMES

TOPICS = (
    Topic(id="refund", title="refunds", words={"en": ("refund*", "money back"), "ms": ("*kembali*",)}),
    Topic(id="fraud", title="fraud", words={"zh": ("骗", "诈骗电话"), "th": ("โฆษณา",), "any": ("scam",)}),
)


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("Still no REFUNDS from them", "en", [True, False]),
        ("I want my money back!", "en", [True, False]),
        ("money is not coming back", "en", [False, False]),
        ("uang saya dikembalikan", "id", [True, False]),
        ("dikembalikan", "en", [False, False]),
        ("他们骗人", "zh", [False, True]),
        ("มีโฆษณาเยอะ", "th", [False, True]),
        ("total scam", "vi", [False, True]),
        ("scampi for dinner", "en", [False, False]),
    ],
)
def test_a_text_belongs_to_the_topics_whose_words_it_has(text: str, language: str, found: list[bool]) -> None:
    """Whole words, beginnings, parts, pairs of words, and unspaced scripts."""
    has, vocabulary = terms.index_terms([text])
    assert [bool(len(each)) for each in topics_of(has, vocabulary, [language], TOPICS)] == found


def stream(swelling: float, seed: int = 3, days: int = 60) -> Stream:
    """Return 60 texts a day, four of them about logging in, `swelling` times as many in four days from day 50 on."""
    rng = np.random.default_rng(seed)
    said: list[tuple[float, str]] = []
    for day in range(days):
        usual = (f"nice app {rng.integers(900)} like {rng.integers(900)} much" for _ in range(60))
        count = rng.poisson(4 * (swelling if 50 <= day < 54 else 1))
        about = (f"cannot login since {rng.integers(900)} {rng.integers(900)}" for _ in range(count))
        said += [(24 * day + rng.uniform(0, 24), text) for text in (*usual, *about)]
    said.sort()
    return Stream(
        ids=[str(k) for k in range(len(said))], texts=[text for _, text in said],
        hours=np.array([at for at, _ in said]) + 400_000.0, vectors=np.zeros((len(said), 0), np.float32),
        counts=np.ones(len(said), bool), languages=["en"] * len(said),
    )  # fmt: skip


def strongest(given: Stream) -> dict[str, float]:
    """Return the greatest strength of each topic after day 14."""
    topics = load_topics()
    swells, numbers = standing_swells(given, topics)
    best: dict[str, float] = {}
    for swell, strength in zip(swells, rank.load_ranking().standing(numbers), strict=True):
        if swell.at > given.hours[0] + 14 * 24:
            best[topics[swell.topic].id] = max(best.get(topics[swell.topic].id, -9.0), float(strength))
    return best


def test_a_known_topic_that_trebles_is_an_alert_and_its_usual_days_are_none() -> None:
    """At one false alert a week (strength 0)."""
    assert strongest(stream(3.0))["login"] > 0
    assert max(strongest(stream(1.0)).values(), default=-1.0) < 0


def test_nothing_of_the_future_changes_the_past() -> None:
    """What is said of an hour is the same when the stream ends there."""
    whole = stream(3.0)
    cut = int(np.searchsorted(whole.hours, whole.hours[0] + 52 * 24))
    part = Stream(
        whole.ids[:cut], whole.texts[:cut], whole.hours[:cut], whole.vectors[:cut], whole.counts[:cut],
        languages=whole.languages[:cut],
    )  # fmt: skip
    end = np.floor(part.hours[-1])
    late, all_of_it = standing_swells(part, load_topics()), standing_swells(whole, load_topics())
    early = [k for k, swell in enumerate(all_of_it[0]) if swell.at <= end]
    assert len(early) > 3
    assert [(s.at, s.topic, s.documents.tolist()) for s in late[0] if s.at <= end] == [
        (all_of_it[0][k].at, all_of_it[0][k].topic, all_of_it[0][k].documents.tolist()) for k in early
    ]
    np.testing.assert_allclose(late[1][: len(early)], all_of_it[1][early])


def test_a_topic_told_again_after_a_week_is_a_swell_of_its_own() -> None:
    """Episodes are numbered, and each begins more than a week after the one before."""
    swells, numbers = standing_swells(stream(3.0), load_topics())
    assert numbers.shape == (len(swells), len(NAMES))
    begins: dict[tuple[int, int], float] = {}
    for swell in swells:
        begins.setdefault((swell.topic, swell.episode), swell.at)
    for (topic, episode), at in begins.items():
        if episode:
            assert at - begins[topic, episode - 1] > LIVES


def test_an_empty_stream_has_no_swells() -> None:
    """And nothing fails."""
    empty = Stream([], [], np.zeros(0), np.zeros((0, 0), np.float32), np.zeros(0, bool))
    swells, numbers = standing_swells(empty, load_topics())
    assert swells == []
    assert numbers.shape == (0, len(NAMES))
