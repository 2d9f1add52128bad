"""How texts are written is no subject: what a register has in common is taken away once it is known."""

from __future__ import annotations

import numpy as np

from groundswell.nlp.themes.evidence import Evidence, Weights, prior_means
from groundswell.nlp.themes.registers import Registers

WIDE = 384


def posts(count: int, tagged: bool, seed: int) -> tuple[np.ndarray, list[str]]:
    """Return vectors that point anywhere, those with a hashtag moved to one side, and their texts."""
    rng = np.random.default_rng(seed)
    vectors = prior_means()["en"] + rng.normal(0, 0.02, (count, WIDE))
    vectors[:, 0] += 0.3 * tagged
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), [f"text {k}" + " #sgads" * tagged for k in range(count)]


def likeness(rows: np.ndarray) -> float:
    """Return the mean dot product of two different rows."""
    links = rows @ rows.T
    return float(links[~np.eye(len(rows), dtype=bool)].mean())


def test_posts_with_a_hashtag_are_not_alike_for_it() -> None:
    """Where hardly any documents are alike, what all with a hashtag share says nothing; elsewhere it is an event."""
    found = {}
    for trust in (0.03, 1.0):
        evidence = Evidence(Weights(sharp=False), lambda _text, _lang: [])
        evidence.trust = trust
        for seed in range(5):
            for tagged in (False, True):
                vectors, texts = posts(100, tagged, 2 * seed + tagged)
                rows = evidence.read(vectors, texts, ["en"] * 100)
        found[trust] = likeness(rows)
    assert found[0.03] < 0.4 * found[1.0]


def test_three_documents_tell_little_of_a_register() -> None:
    """A complaint that begins in one way of writing is not taken for that way."""
    registers = Registers()
    for tagged, count in ((False, 300), (True, 3)):
        vectors, texts = posts(count, tagged, 1)
        keys = registers.learn(vectors, texts, ["en"] * count)
    few = float(np.linalg.norm(registers.apart(keys)[0]))
    vectors, texts = posts(300, True, 2)
    many = float(np.linalg.norm(registers.apart(registers.learn(vectors, texts, ["en"] * 300))[0]))
    assert few < 0.1 * many
