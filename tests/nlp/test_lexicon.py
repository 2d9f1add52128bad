"""Words that point to a risk."""

from __future__ import annotations

import numpy as np
import pytest

from groundswell.nlp.model.lexicon import Wording

WORDING = Wording([(("โกง", "scam*", "诈骗", "lừa đảo"), ("not a scam",)), (("ad", "iklan"), ())])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("เจอร้านโกงอีกแล้ว", [1, 0]),
        ("又是诈骗广告", [1, 0]),
        ("SCAMMERS everywhere, and the ads", [1, 0]),
        ("an ad for a bad thing", [0, 1]),
        ("that is not a scam", [0, 0]),
        ("bị lừa đảo rồi", [1, 0]),
        ("nothing", [0, 0]),
    ],
)
def test_words_have_borders_only_where_their_script_has(text: str, found: list[int]) -> None:
    """Thai and Chinese words are found inside a sentence, Latin ones are not found inside a word."""
    assert np.array_equal(WORDING([text])[0], found)
