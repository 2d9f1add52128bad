"""What letters say: hashed, small, the same everywhere."""

from __future__ import annotations

import numpy as np

from groundswell.nlp.model.surface import Surface, features
from groundswell.nlp.train.surface import Lesson, fit_surface

SAID = ["good app", "bad app", "โฆษณาเยอะ", "广告太多", "", "a" * 5000]


def test_a_text_is_read_the_same_alone_and_in_company() -> None:
    """Rows do not depend on their neighbours, and are of unit length."""
    together = features(SAID, 12)
    assert all((features([text], 12) != together[n]).nnz == 0 for n, text in enumerate(SAID))
    lengths = np.sqrt(np.asarray(together.multiply(together).sum(axis=1)).ravel())
    assert np.allclose(lengths, 1, atol=1e-5)


def test_letters_are_learnt_packed_and_read_back() -> None:
    """A table knows what it was taught, fits in 8 bits, and comes out of a file as it went in."""
    texts = ["really good", "so good", "very bad", "so bad", "it is there", "it was there"] * 5
    lesson = Lesson(texts, [2, 2, 0, 0, 1, 1] * 5, [1.0] * 30)
    made = fit_surface({"en": lesson}, 13)
    again = Surface.read(made.arrays())
    asked = ["good", "bad", "there"]
    assert made.logits(asked, "en").argmax(axis=1).tolist() == [2, 0, 1]
    assert np.array_equal(made.logits(asked, "en"), again.logits(asked, "en"))
    assert made.logits(asked, "xx").tolist() == [[0, 0, 0]] * 3
