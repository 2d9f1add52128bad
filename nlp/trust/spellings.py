"""Words that somebody spells so that filters miss them: ``sl0t g4cor``, ``刷.单``, ``s l o t``, ``ѕlot``.

Text and word are brought to one skeleton (look-alikes folded, what stands between letters dropped); where the skeleton
holds the word and the text as it stands does not, somebody hid it.

>>> [(one.raw, one.word) for one in hidden("main sl0t g4cor yuk", ["slot gacor"])]
[('sl0t g4cor', 'slot gacor')]
>>> [(one.raw, one.word) for one in hidden("兼职刷.单返利", ["刷单"])]
[('刷.单', '刷单')]
>>> hidden("a slot gacor, plainly", ["slot gacor"])
[]
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

ALIKE = str.maketrans(
    {
        "0": "o", "1": "i", "l": "i", "|": "i", "!": "i", "3": "e", "4": "a", "@": "a", "5": "s", "$": "s", "7": "t",
        "8": "b", "9": "g", "6": "g", "а": "a", "е": "e", "о": "o", "р": "p", "с": "c", "у": "y", "х": "x", "і": "i",
        "ѕ": "s", "ԁ": "d", "ɡ": "g", "к": "k", "м": "m", "т": "t", "в": "b", "н": "h", "α": "a", "ο": "o", "ν": "v",
        "ε": "e", "ι": "i", "τ": "t", "ρ": "p", "κ": "k",
    }
)  # fmt: skip
"""Signs, Cyrillic and Greek letters that stand for Latin ones (after UTS 39, "confusables", the common ones)."""
BETWEEN = frozenset(" .,-_*·•~/\\'`^+=:;|#\u3000")
"""What people put between the letters of a word."""
FEWEST_LETTERS = {"wide": 2, "narrow": 4}
"""A word with fewer letters is in every text by chance, once the gaps are dropped."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """A word as somebody spelled it, and as it is meant."""

    raw: str
    word: str


def hidden(text: str, words: Iterable[str]) -> list[Hidden]:
    """Return the words that a text holds in another spelling only, each raw spelling once, in the words' order."""
    shown, skeleton, places = _skeleton(text)
    found: dict[tuple[str, str], Hidden] = {}
    for word in words:
        plain = _shown(word)
        meant = "".join(letter for letter in plain.translate(ALIKE) if letter not in BETWEEN)
        if len(meant) < FEWEST_LETTERS["wide" if _wide(meant[:1]) else "narrow"]:
            continue
        for begin, end in _spans(skeleton, meant, places, shown):
            raw = shown[begin:end]
            if _is_other(raw, plain):
                found.setdefault((raw, word), Hidden(raw, word))
    return list(found.values())


def _shown(text: str) -> str:
    """Return a text in one width and case, without what cannot be seen."""
    wide = unicodedata.normalize("NFKC", text).lower()
    return "".join(letter for letter in wide if unicodedata.category(letter) not in {"Cf", "Mn"} or _wide(letter))


def _skeleton(text: str) -> tuple[str, str, Sequence[int]]:
    """Return the text as shown, its skeleton, and where each letter of the skeleton stands in what is shown."""
    shown = _shown(text)
    letters = [(place, letter) for place, letter in enumerate(shown) if letter not in BETWEEN or letter in "|"]
    skeleton = "".join(letter for _, letter in letters).translate(ALIKE)
    return shown, skeleton, [place for place, _ in letters]


def _spans(skeleton: str, meant: str, places: Sequence[int], shown: str) -> Iterator[tuple[int, int]]:
    """Yield where a word's letters begin and end in what is shown, whole words only where words have ends."""
    at = skeleton.find(meant)
    while at >= 0:
        begin, end = places[at], places[at + len(meant) - 1] + 1
        if _wide(meant[:1]) or (_edge(shown, begin - 1) and _edge(shown, end)):
            yield begin, end
        at = skeleton.find(meant, at + 1)


def _edge(shown: str, place: int) -> bool:
    return not 0 <= place < len(shown) or not shown[place].isalnum() or _wide(shown[place])


def _is_other(raw: str, plain: str) -> bool:
    """Return whether a spelling hides a word: by look-alikes, or by what stands where no word has a gap.

    ``e-mail`` and ``slotgacor`` hide nothing, nor do letters of neighbouring words that happen to spell a word.
    """
    if _letters(raw) != _letters(plain):
        return any(letter.isalpha() for letter in raw)
    if _spaced(raw) == _spaced(plain) or raw == _letters(plain):
        return False
    pieces = _spaced(raw).split()
    return _wide(raw[:1]) or (len(pieces) > 2 and all(len(piece) == 1 for piece in pieces)) or _odd(raw)


def _letters(text: str) -> str:
    return "".join(letter for letter in text if letter not in BETWEEN or letter == "|")


def _spaced(text: str) -> str:
    return " ".join("".join(" " if letter in BETWEEN else letter for letter in text).split())


def _odd(raw: str) -> bool:
    """Return whether something stands between letters that is neither a space nor a hyphen nor an apostrophe."""
    return any(letter in BETWEEN and letter not in " -'" for letter in raw)


def _wide(letter: str) -> bool:
    """Return whether a letter belongs to a script that writes no spaces."""
    return bool(letter) and ("\u0e00" <= letter <= "\u0eff" or "\u3040" <= letter <= "\u9fff")
