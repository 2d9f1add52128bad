"""Words and terms in every script."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundswell.nlp.text.chinese import Segmenter
from groundswell.nlp.text.keywords import stop_words, terms, tokens, words


@pytest.mark.parametrize(
    ("lang", "text", "expected"),
    [
        ("en", "Spotify's ads are sooo annoying!", ["spotify", "ads", "annoying"]),
        ("zh", "全是虚假广告和杀猪盘", ["虚假广告", "杀猪盘"]),
        ("th", "โฆษณาเยอะมาก เจอมิจฉาชีพ", ["โฆษณา", "มิจฉาชีพ"]),
        ("id", "Iklan judi online terus muncul", ["iklan", "judi", "online", "muncul"]),
        ("vi", "Quảng cáo lừa đảo", ["quảng", "cáo", "lừa", "đảo"]),
        ("hi", "विज्ञापन बहुत ज्यादा हैं", ["विज्ञापन", "ज्यादा"]),
    ],
)
def test_words_that_mean_something_are_found(lang: str, text: str, expected: list[str]) -> None:
    """Segmented by script, without stop words."""
    assert set(expected) <= set(words(text, lang))
    assert not set(words(text, lang)) & stop_words(lang)


def test_a_pair_never_crosses_a_cut() -> None:
    """Neither a stop word, a number nor a full stop lies between the words of a term."""
    found = terms("Refund denied. Ads everywhere and account 22 banned", "en")
    assert "refund denied" in found
    assert "ads everywhere" in found
    assert not {"denied ads", "everywhere account", "account banned"} & set(found)


def test_chinese_pairs_are_written_as_people_write_them() -> None:
    """No space where the script has none."""
    assert "杀猪盘误封" in terms("杀猪盘误封", "zh")


def test_mixed_scripts_come_apart() -> None:
    """A brand inside a Chinese or Thai sentence is a word of its own; links and handles are none."""
    assert "tiktok" in tokens("在TikTok上看广告")
    assert "tiktok" in tokens("ใน TikTokเยอะ")
    assert tokens("https://a.example/b @bob ok") == ["ok"]


def test_hostile_runs_stay_bounded() -> None:
    """A hundred thousand letters without a space are no word, and cost no more than their length."""
    assert words("a" * 100_000, "en") == []
    assert len(words("广" * 5_000, "zh")) <= 5_000


def test_chinese_is_cut_as_by_jieba_with_its_whole_dictionary(tmp_path: Path) -> None:
    """Read by first characters, kept in a file, read again, torn: the same words as with all half a million at once."""
    import jieba

    whole = jieba.Tokenizer()
    for word in ("退款难", "虚假广告"):
        whole.add_word(word)
    texts = ["我昨天申请退款难死了客服说要等七个工作日", "又是虚假广告还骗老人家投资平台根本提现不了", "一", "龘龘齉"]
    for damage in ("none", "torn", "none"):
        ours = Segmenter(["虚假广告", "退款难"], tmp_path)
        assert [ours.cut(text) for text in texts] == [whole.lcut(text) for text in texts]
        (file,) = tmp_path.glob("jieba-*.parts")
        if damage == "torn":
            file.write_bytes(file.read_bytes()[:1000])
