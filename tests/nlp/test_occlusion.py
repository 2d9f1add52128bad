"""What speaks for a label is what the label cannot do without."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from groundswell.nlp.enrich.occlusion import MOST_PIECES, pieces, speaking
from groundswell.nlp.model.stance import STANCES


class _Reading:
    """Says scam where it reads "prize", and is displeased in any case."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.vectors = np.zeros((len(texts), 4), np.float32)
        self.sentiment = np.tile(np.array([0.8, 0.1, 0.1], np.float32), (len(texts), 1))
        self.risks = np.array([[0.9 if "prize" in text else 0.1] for text in texts], np.float32)
        self.targets: list[tuple[()]] = [()] * len(texts)
        self.spoken, self.stances = self.risks, [STANCES[0]] * len(texts)
        self.unread = [0] * len(texts)


class _Model:
    def __init__(self) -> None:
        self.risk_ids: tuple[str, ...] = ("scam_shopping",)
        self.made_by = "test"
        self.calls = 0

    def read(self, texts: Sequence[str]) -> _Reading:
        self.calls += 1
        return _Reading(texts)


def test_the_word_that_makes_the_label_is_named() -> None:
    """Without it the probability falls; without any other it stays. The model is asked once."""
    text, model = "you won a prize, they said", _Model()
    found = speaking(text, "scam_shopping", model)
    assert [text[piece.begin : piece.end] for piece in found] == ["prize"]
    assert round(found[0].fall, 4) == 0.8
    assert speaking(text, "negative", model) == []
    assert model.calls == 2


def test_any_text_is_cut_into_few_pieces_that_hold_every_word() -> None:
    """Long ones, Chinese and Thai ones, those without a letter."""
    for text in ("word " * 5000, "广告里的部长劝大家下载炒币软件" * 40, "โฆษณารองเท้า" * 30, "!!! 😀", ""):
        cut = pieces(text)
        assert len(cut) <= MOST_PIECES
        assert all(begin < end for begin, end in cut)
        assert all(one[1] <= other[0] for one, other in pairwise(cut))
    assert speaking("!!!", "negative", _Model()) == []
    assert speaking("one", "negative", _Model()) == []
