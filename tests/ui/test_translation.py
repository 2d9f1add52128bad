"""A text in English by a machine of one's own: a tiny model made here is asked, bounded, and named as a machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from groundswell.configs.schema import BoardSettings
from groundswell.index.query import Query
from groundswell.nlp.text.translation import LONGEST_ANSWER, ArgosPackage, TranslationError
from groundswell.ui.board import queries
from groundswell.ui.board.launch import SETTINGS_VARIABLE, write_settings
from tests.ui.seed import World
from tests.ui.test_views import _html, _open

ANSWER = "▁advert"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a package whose model answers any text with one word again and again, as models that fail do."""
    import sentencepiece
    from ctranslate2.specs import TransformerSpec

    folder = tmp_path_factory.mktemp("packages") / "translate-th_en-tiny"
    folder.mkdir()
    text = folder / "text.txt"
    text.write_text("advert advert\n" * 9 + "โฆษณา ปลอม\n" * 9, encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(folder / "sentencepiece"), vocab_size=40, hard_vocab_limit=False,
        user_defined_symbols=[ANSWER], minloglevel=2,
    )  # fmt: skip
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "sentencepiece.model"))
    vocabulary = ["<unk>", "<s>", "</s>", *(pieces.id_to_piece(i) for i in range(3, pieces.get_piece_size()))]
    spec = TransformerSpec.from_config(1, 1)
    _fill(spec, len(vocabulary), vocabulary.index(ANSWER))
    spec.register_source_vocabulary(vocabulary)
    spec.register_target_vocabulary(vocabulary)
    spec.validate()
    (folder / "model").mkdir()
    spec.save(str(folder / "model"))
    return folder


def _fill(spec: object, words: int, answer: int, wide: int = 8) -> None:
    """Give every layer of a model weights that do nothing, and the last one a word that it prefers."""

    def nought(*shape: int) -> np.ndarray:
        return np.zeros(shape, np.float32)

    def linear(layer: object, out: int, into: int) -> None:
        layer.weight, layer.bias = nought(out, into), nought(out)  # type: ignore[attr-defined]

    def norm(layer: object) -> None:
        layer.gamma, layer.beta = np.ones(wide, np.float32), nought(wide)  # type: ignore[attr-defined]

    def layers(layer: object, *attentions: tuple[object, tuple[int, ...]]) -> None:
        for attention, outs in attentions:
            norm(attention.layer_norm)  # type: ignore[attr-defined]
            for one, out in zip(attention.linear, outs, strict=True):  # type: ignore[attr-defined]
                linear(one, out * wide, wide)
        norm(layer.ffn.layer_norm)  # type: ignore[attr-defined]
        linear(layer.ffn.linear_0, wide, wide)  # type: ignore[attr-defined]
        linear(layer.ffn.linear_1, wide, wide)  # type: ignore[attr-defined]

    encoder, decoder = spec.encoder, spec.decoder  # type: ignore[attr-defined]
    encoder.embeddings[0].weight, decoder.embeddings.weight = nought(words, wide), nought(words, wide)
    for part in (encoder, decoder):
        norm(part.layer_norm)
    for layer in encoder.layer:
        layers(layer, (layer.self_attention, (3, 1)))
    for layer in decoder.layer:
        layers(layer, (layer.self_attention, (3, 1)), (layer.attention, (1, 2, 1)))
    preferred = np.full(words, -5, np.float32)
    preferred[answer] = 5
    decoder.projection.weight, decoder.projection.bias = nought(words, wide), preferred


def test_texts_are_translated_by_the_model_that_is_there(package: Path) -> None:
    """Each text has its answer, an empty one none, and a model that repeats itself comes to an end."""
    said = ArgosPackage(package).translate(["โฆษณา ปลอม。 โฆษณา", "", "x" * 100_000, "\u202eปลอม"])
    assert [bool(one) for one in said] == [True, False, True, True]
    assert set(said[0].split()) == {"advert"}
    assert len(said[0].split()) <= 2 * LONGEST_ANSWER


@pytest.mark.parametrize("lacks", ["sentencepiece.model", "model/model.bin"])
def test_what_is_no_package_is_told_with_what_to_do(package: Path, tmp_path: Path, lacks: str) -> None:
    """A folder that lacks a file, and one whose file is torn."""
    folder = tmp_path / "package"
    shutil.copytree(package, folder)
    (folder / lacks).write_bytes(b"torn")
    with pytest.raises(TranslationError, match="cannot be opened"):
        ArgosPackage(folder).translate(["x"])
    (folder / lacks).unlink()
    with pytest.raises(TranslationError, match=f"has no {lacks}"):
        ArgosPackage(folder)


@pytest.fixture
def translating(world: World, package: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Yield a world whose board has a translation of Thai."""
    queries._answers.clear()
    queries._settings.cache_clear()
    settings = world.settings.model_copy(update={"board": BoardSettings(translations={"th": package})})
    monkeypatch.setenv(SETTINGS_VARIABLE, str(write_settings(settings, 1)))
    yield World(settings, world.now)
    queries._settings.cache_clear()


def test_a_machine_s_words_are_marked_as_a_machine_s(translating: World) -> None:
    """On the page of a document in that language, with the model's name; on one in another language nothing."""
    with translating.reader() as reader:
        ids = {
            lang: next(d.id for d in reader.scan(Query()) if d.enriched and d.enriched.lang == lang)
            for lang in ("th", "zh")
        }
    html = _html(_open("document", id=ids["th"]))
    assert "By a machine" in html
    assert "translate-th_en-tiny" in html
    assert "advert advert" in html
    assert "By a machine" not in _html(_open("document", id=ids["zh"]))
