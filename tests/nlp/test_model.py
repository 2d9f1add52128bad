from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from groundswell.configs.schema import ModelSettings
from groundswell.configs.taxonomy import Risk, Taxonomy, load_taxonomy
from groundswell.nlp.model.bundle import ModelError, find_bundle
from groundswell.nlp.model.model import Model, load_model
from groundswell.nlp.model.seeds import seeds

TEXTS = [seed.text for seed in seeds()][::3]
ONE = ModelSettings(threads=1)


@pytest.fixture(scope="module")
def model() -> Model:
    """Return the shipped model."""
    return load_model(ONE)


def test_a_text_reads_the_same_alone_and_in_a_crowd(model: Model) -> None:
    """Vectors and probabilities do not depend on which texts share a batch."""
    crowd = model.read(TEXTS[:40])
    for row in (0, 7, 39):
        alone = model.read([TEXTS[row]])
        assert np.allclose(alone.vectors[0], crowd.vectors[row], atol=1e-4)
        assert np.allclose(alone.sentiment[0], crowd.sentiment[row], atol=1e-3)
        assert np.allclose(alone.risks[0], crowd.risks[row], atol=1e-3)


def test_a_reading_is_what_it_says(model: Model) -> None:
    """Unit vectors, probabilities that sum to one, a column a risk, a target at least for each text."""
    found = model.read(TEXTS[:12])
    assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-4)
    assert np.allclose(found.sentiment.sum(axis=1), 1, atol=1e-5)
    assert found.risks.shape == (12, len(model.risk_ids))
    assert all(found.targets)
    assert model.risk_ids == load_taxonomy().risk_ids


@pytest.mark.parametrize(
    "text",
    [
        "love the app, hate the ads",
        "Great app, too many ads",
        "Aplikasinya bagus tapi iklannya kebanyakan",
        "软件不错，就是广告太多",
        "ứng dụng tốt nhưng quảng cáo quá nhiều",
    ],
)
def test_praise_of_one_target_does_not_drown_the_complaint_about_another(model: Model, text: str) -> None:
    """Each target has the feeling that its own clause tells, whatever the whole text feels like."""
    (targets,) = model.read([text]).targets
    assert {target.who: target.label for target in targets} == {"platform": "positive", "ad_product": "negative"}


def test_vectors_are_those_of_a_full_reading(model: Model) -> None:
    """Asking for vectors alone gives the same vectors."""
    assert np.allclose(model.vectors(TEXTS[:8]), model.read(TEXTS[:8]).vectors, atol=1e-5)


@pytest.mark.parametrize("text", ["", " ", "\x00\x01", "\ud800 half", "a" * 200_000, "🤣" * 500, "\u202e" * 50])
def test_any_text_is_read(model: Model, text: str) -> None:
    """Empty, binary, broken and endless texts give finite numbers."""
    found = model.read([text])
    assert np.isfinite(found.vectors).all()
    assert np.isfinite(found.sentiment).all()
    assert np.isfinite(found.risks).all()


def test_nothing_to_read_is_nothing_read(model: Model) -> None:
    """No texts, no rows, no error."""
    assert model.read([]).vectors.shape == (0, model.dimensions)


def test_the_same_complaint_is_near_itself_in_another_language(model: Model) -> None:
    """One space for all languages: a translation is nearer than another subject in the same language."""
    english, indonesian, other = model.vectors(
        [
            "My account was banned for no reason and my appeal was rejected",
            "Akun saya diblokir tanpa alasan dan banding saya ditolak",
            "Lagu baru penyanyi itu enak sekali didengar",
        ]
    )
    assert english @ indonesian > indonesian @ other


def test_reading_wakes_neither_torch_nor_transformers() -> None:
    """The fast runtime needs onnxruntime, tokenizers and numpy only."""
    code = (
        "import sys; from groundswell.nlp.model.model import load_model;"
        "from groundswell.configs.schema import ModelSettings;"
        "load_model(ModelSettings(threads=1)).read(['ok']);"
        "raise SystemExit(bool({'torch', 'transformers', 'sklearn', 'pandas', 'onnx'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_users_class_works_without_code() -> None:
    """A definition and a dozen examples make a class that is claimed where it should be, and the others stay."""
    shipped = load_taxonomy()
    own = Risk(
        id="price_rise",
        definition="People complain that a subscription became dearer.",
        examples=(
            "They raised the price again, from 9 to 14 a month",
            "subscription price went up, cancelling",
            "harga langganan naik lagi, mahal banget sekarang",
            "kenapa harganya naik terus tiap bulan",
            "ค่าสมาชิกขึ้นราคาอีกแล้ว แพงเกินไป",
            "ขึ้นราคาอีกแล้ว ไม่ต่อแล้ว",
            "giá gói tăng nữa rồi, đắt quá",
            "tăng giá liên tục, hủy gói",
            "会员又涨价了,太贵了",
            "涨价涨得离谱,不续了",
            "harga naik lagi bulan ini, tak berbaloi",
            "price hike for the family plan, unbelievable",
        ),
    )
    model = load_model(ONE, taxonomy=Taxonomy(version=2, risks=(*shipped.risks, own)))
    assert model.risk_ids == (*shipped.risk_ids, "price_rise")
    found = model.read(["The monthly price went up by four dollars again", "harga premium naik lagi", "lovely song"])
    assert (found.risks[:, -1] >= 0.5).tolist() == [True, True, False]
    assert "taxonomy 2" in model.made_by


def test_a_damaged_model_is_refused_by_name(tmp_path: Path) -> None:
    """A changed file is noticed before it is believed, and the message says which file and what to do."""
    folder = find_bundle("groundswell-small")
    assert folder is not None
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    with (copy / "heads.npz").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(ModelError, match=r"heads\.npz.*install"):
        load_model(ModelSettings(name=str(copy)))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A model that was copied by half says what is missing."""
    folder = find_bundle("groundswell-small")
    assert folder is not None
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"tokenizer\.json: missing"):
        load_model(ModelSettings(name=str(copy)))


@pytest.mark.slow
def test_torch_and_the_fast_runtime_agree(model: Model) -> None:
    """Labels agree on 98 of 100 texts of all kinds, vectors to a mean cosine of .99 and never under .95."""
    pytest.importorskip("onnx")
    exact = load_model(ModelSettings(runtime="torch", threads=1))
    slow, fast = exact.read(TEXTS), model.read(TEXTS)
    cosine = (slow.vectors * fast.vectors).sum(axis=1)
    assert cosine.mean() >= 0.99
    assert cosine.min() >= 0.95
    assert (slow.sentiment.argmax(axis=1) == fast.sentiment.argmax(axis=1)).mean() >= 0.98


@pytest.mark.slow
def test_any_encoder_in_a_folder_can_be_used(tmp_path: Path) -> None:
    """A transformers model in a folder gives vectors, and heads from examples, without a hub."""
    folder = find_bundle("groundswell-small")
    assert folder is not None
    small_encoder(folder / "tokenizer.json", tmp_path / "mine")
    model = load_model(ModelSettings(name=str(tmp_path / "mine"), runtime="torch", threads=1, max_tokens=32))
    found = model.read(["hello", "iklan terus"])
    assert found.vectors.shape == (2, 32)
    assert model.risk_ids == load_taxonomy().risk_ids
    assert str(tmp_path / "mine") in model.made_by


def small_encoder(tokenizer: Path, folder: Path) -> None:
    """Write a tiny random encoder and its tokenizer as transformers keeps them."""
    from tokenizers import Tokenizer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    backend = Tokenizer.from_file(str(tokenizer))
    fast = PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>")
    config = BertConfig(
        vocab_size=len(fast),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        pad_token_id=1,
    )
    BertModel(config).save_pretrained(folder)
    fast.save_pretrained(folder)


@pytest.mark.slow
def test_a_model_that_cannot_be_had_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network a hub name is refused with a sentence, not a stack of foreign errors."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match=r"check model\.name"):
        load_model(ModelSettings(name="nobody/no-such-model"))


@pytest.mark.parametrize("sentence", ["Every two songs an ad again. ", "每两首歌就有一个广告。", "โฆษณาเยอะมากเลย "])
def test_a_text_that_was_cut_says_where(model: Model, sentence: str) -> None:
    """What is read of it reads the same by itself, and says that nothing of it was left out."""
    text = (sentence * 200)[:3_000].rstrip()
    reading = model.read([text, sentence])
    assert 0 < reading.unread[0] < len(text)
    assert reading.unread[1] == 0
    (found,) = model.passages([text])
    assert found.unread == reading.unread[0] == len(text) - len(found.text)
    alone = model.read([found.text])
    assert np.allclose(alone.vectors, reading.vectors[:1], atol=1e-3)
    assert alone.unread[0] <= 0.05 * len(found.text)  # pieces are not equally long everywhere
