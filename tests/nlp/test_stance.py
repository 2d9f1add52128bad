"""How a text stands to its risk: what is looked at, and what it does to a claim."""

from __future__ import annotations

import numpy as np
import pytest

from groundswell.nlp.model.model import stance_of
from groundswell.nlp.model.stance import NAMES, STANCES, stance_features
from groundswell.nlp.train.stances import LANGUAGES, stance_texts


def flags(text: str) -> set[str]:
    """Return what was found in a text, pairs left out."""
    row = stance_features([text])[0]
    return {name for name, value in zip(NAMES, row, strict=True) if value and "·" not in name}


@pytest.mark.parametrize(
    "text",
    [
        "It is not a scam.",
        "Ini bukan penipuan.",
        "Saya tak kena tipu.",
        "ไม่ใช่มิจฉาชีพ",
        "Không phải lừa đảo.",
        "这不是骗子。",
    ],
)
def test_a_negation_denies_what_follows_it(text: str) -> None:
    """Only what is denied is left."""
    assert {"denied", "only_denied"} <= flags(text)


@pytest.mark.parametrize(
    "text",
    [
        "It is not only a scam, they are rude too.",
        "No answer from support. This is fraud.",
        "ไม่ใช่แค่โกง ซัพพอร์ตก็ไม่ตอบ",
        "不只是骗子，客服还不理人。",
        "Bukan cuma penipuan, cs-nya juga cuek.",
    ],
)
def test_what_sounds_like_a_denial_is_none(text: str) -> None:
    """Neither a "not only" nor a "no answer" denies anything."""
    assert "free" in flags(text)


def test_a_denial_of_one_thing_leaves_the_other() -> None:
    """A negation reaches no further than its clause."""
    assert {"denied", "free"} <= flags("It is not a scam, but I was charged twice.")


def test_claims_and_warnings_together_outweigh_a_denial() -> None:
    """What counts is whether the risk is claimed at all."""
    chances = np.zeros(len(STANCES), np.float32)
    chances[[STANCES.index("claims"), STANCES.index("denies"), STANCES.index("warns")]] = 0.3, 0.4, 0.3
    assert stance_of(chances) == "claims"


def test_pairs_are_made_for_every_stance_risk_and_language() -> None:
    """The grammar gives each combination, for learning and held out, and always the same sentences."""
    made = list(stance_texts())
    assert made == list(stance_texts())
    for split in ("train", "validation"):
        some = {(each.lang, each.risk, each.stance) for each in made if each.split == split}
        assert len(some) == len(LANGUAGES) * 18 * len(STANCES)
    assert not {each.text for each in made if each.split == "train"} & {
        each.text for each in made if each.split == "validation"
    }
