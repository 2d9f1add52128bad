"""Words and terms of a text in any of our languages: what labels are made of, and what term counts count.

Latin and other spaced scripts are split at what is no letter; Chinese goes through jieba, Thai through pythainlp's
``newmm`` (both opened on first use), scripts without spaces that have no segmenter here (kana, Lao,
Khmer, Burmese) become overlapping character pairs. Segmentation follows the script of each run, not the language of
the document, so a Chinese sentence with an English app name, or Thai inside an Indonesian post, come apart rightly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any

from groundswell.configs.kept import private_folder
from groundswell.index.spelling import normalise
from groundswell.nlp.text import addresses
from groundswell.nlp.text.chinese import Segmenter

OUR_LANGUAGES = ("en", "zh", "id", "th", "vi")
"""Whose stop words are taken where the language is unknown; `id` holds the Malay ones too."""
LONGEST_RUN = 2000
"""Characters given to a segmenter at a time: Viterbi and maximal matching stay linear and bounded on hostile runs."""
LONGEST_WORD = 40
"""A longer 'word' in a spaced script is a hash, a token or a line of AAAA; no label wants it."""

HAN = "㐀-䶿一-鿿豈-﫿\U00020000-\U000323af"
THAI = "ก-ฺเ-๎"
PAIRS = "\u3041-\u3096\u30a1-\u30fa\u30fc\u0e81-\u0ecd\u1780-\u17d3\u1000-\u104f"
# Python's \w leaves out combining marks, which would cut Hindi, Tamil or Arabic words apart at every vowel sign.
MARKS = "\u0300-\u036f\u064b-\u0655\u0900-\u0963\u0971-\u0dff"

UNSPACED = f"{HAN}{THAI}{PAIRS}"
"""Scripts that put no spaces between words."""
_UNSPACED = re.compile(f"[{UNSPACED}]")
_LETTER = rf"(?:[^\W_]|[{MARKS}])"
_WORD = re.compile(rf"(?P<word>{_LETTER}+(?:['’]{_LETTER}+)*)|(?P<cut>[^\w\s'’#/&+-])")
_RUN = re.compile(
    f"(?P<han>[{HAN}]+)|(?P<thai>[{THAI}]+)|(?P<pairs>[{PAIRS}]+)"
    rf"|(?P<word>(?:(?![{HAN}{THAI}{PAIRS}]){_LETTER})+(?:['’][^\W_]+)*)|(?P<cut>[^\w\s'’#/&+-])"
)
_NOISE = re.compile(addresses.ANY, re.IGNORECASE)
_STRETCHED = re.compile(r"([a-zà-ỹ])\1{2,}")


def tokens(text: str) -> list[str]:
    """Return every word in reading order, lower-cased, in one spelling; stop words and numbers, no links or handles."""
    return [word for word in pieces(text) if word]


def words(text: str, lang: str = "") -> list[str]:
    """Return the words that carry meaning, in reading order, repeats kept.

    Args:
        text: any text; an uncleaned one is fine.
        lang: ISO 639-1 code (a region such as ``zh-TW`` is ignored); decides the stop words. Unknown or empty takes
            those of all our markets.
    """
    stop = stop_words(lang)
    return [word for word in tokens(text) if means(word, stop)]


def terms(text: str, lang: str = "") -> list[str]:
    """Return words and pairs of neighbouring words, repeats kept.

    A pair is only made of words that stood side by side, with no stop word, number or cut between them. Chinese and
    Thai pairs are written without a space, as people write them.
    """
    return terms_of(list(pieces(text)), lang)


def terms_of(read: Sequence[str], lang: str = "") -> list[str]:
    """Return the `terms` of a text that was read into `pieces` before."""
    stop = stop_words(lang)
    meaningful = [word if means(word, stop) else "" for word in read]
    pairs = [join(a, b) for a, b in pairwise(meaningful) if a and b and a != b]
    return [word for word in meaningful if word] + pairs


def join(first: str, second: str) -> str:
    """Return two words written side by side, as their script does it."""
    unspaced = _UNSPACED.match(first[-1]) and _UNSPACED.match(second[0])
    return f"{first}{second}" if unspaced else f"{first} {second}"


def is_unspaced(letter: str) -> bool:
    """Return whether a letter is of a script that puts no spaces between words."""
    return bool(_UNSPACED.match(letter))


@cache
def stop_words(lang: str = "") -> frozenset[str]:
    """Return words too common to mean anything in a language: its own list and the English one."""
    lists = word_lists("stopwords.txt")
    code = {"ms": "id", "id/ms": "id", "yue": "zh", "fil": "tl"}.get(lang, lang.partition("-")[0].lower())
    if code not in lists:
        return frozenset().union(*(lists[language] for language in OUR_LANGUAGES))
    return lists[code] | lists["en"]


@cache
def word_lists(name: str) -> dict[str, frozenset[str]]:
    """Read a file of lines `lang: word word …`, several lines a language allowed."""
    lists: dict[str, frozenset[str]] = {}
    for line in resources.files(__package__).joinpath(name).read_text("utf-8").splitlines():
        code, colon, listed = line.partition(":")
        if colon and not line.startswith("#"):
            lists[code.strip()] = lists.get(code.strip(), frozenset()) | frozenset(listed.split())
    return lists


def pieces(text: str) -> Iterator[str]:
    """Yield words, and "" wherever a sentence, clause or emoji cuts between them."""
    plain = normalise(_NOISE.sub(" , ", text)).lower()
    for run in (_RUN if _UNSPACED.search(plain) else _WORD).finditer(plain):
        match run.lastgroup:
            case "word":
                yield _tidy(run.group())
            case "han":
                yield from _bounded(run.group(), chinese)
            case "thai":
                yield from _bounded(run.group(), thai)
            case "pairs":
                yield from _character_pairs(run.group())
            case _:
                yield ""


def means(word: str, stop: frozenset[str]) -> bool:
    """Return whether a word says something by itself: no stop word, number, single letter or hash."""
    if not word or word in stop or word.isdecimal() or len(word) > LONGEST_WORD:
        return False
    return len(word) > 1 or bool(_UNSPACED.match(word))


def _tidy(word: str) -> str:
    """Return the word without possessive s and without stretched letters ("sooo", "iklaaan")."""
    plain = word.replace("’", "'").removesuffix("'s")
    return _STRETCHED.sub(r"\1", plain)


def _bounded(run: str, cut: Any) -> Iterator[str]:
    for start in range(0, len(run), LONGEST_RUN):
        yield from cut(run[start : start + LONGEST_RUN])


def _character_pairs(run: str) -> Iterator[str]:
    yield from (run[i : i + 2] for i in range(len(run) - 1)) if len(run) > 1 else (run,)


def chinese(run: str) -> list[str]:
    """Return the words of a run of Han characters (jieba, exact mode, unknown words by its HMM)."""
    return _jieba().cut(run)


def thai(run: str) -> list[str]:
    """Return the words of a run of Thai (pythainlp newmm: dictionary, maximal matching within character clusters)."""
    engine, trie = _newmm()
    return [word for word in engine(run, custom_dict=trie) if word.strip()]


@cache
def _jieba() -> Segmenter:
    return Segmenter(word_lists("domainwords.txt")["zh"], private_folder())


@cache
def _newmm() -> tuple[Any, Any]:
    from pythainlp.corpus import thai_words  # only for who has Thai text
    from pythainlp.tokenize.newmm import segment
    from pythainlp.util import Trie

    return segment, Trie(thai_words() | word_lists("domainwords.txt")["th"])
