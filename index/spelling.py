"""One spelling for one word: what models, rules, topics and search read in place of what was typed.

Chinese in either script becomes simplified, with the words of the mainland; Thai typed in another order or with other
signs becomes what the rules of spelling give; full-width and styled letters become plain ones; signs that nobody sees
no longer hide words. People are shown what was typed: `aligned` says where each character came from.
"""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher
from functools import cache
from typing import Any

LONGEST_PIECE = 300
"""Characters of a stretch without spaces or stops that `aligned` follows at a time: comparing takes their square."""

HAN = "\u2e80-\u2fdf\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_HAN = re.compile(f"[{HAN}]")
_HALF = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair is no Unicode: no store takes it and OpenCC raises; such a text stays as it is."""

# What OpenCC's tw2sp leaves: words of Taiwan that are written the same in both scripts, and variants.
LEFT = {
    "妳": "你",
    "祢": "你",
    "牠": "它",
    "姊": "姐",
    "甚么": "什么",
    "部份": "部分",
    "成份": "成分",
    "身分": "身份",
    "连络": "联络",
    "𠮶": "嗰",
    "幺": "么",
    "揹": "背",
    "衞": "卫",
    "枱": "台",
    "啓": "启",
    "菓": "果",
    "进程": "程序",
}
# Money and names stand in an account (账), which Taiwan writes like a curtain (帐); real curtains keep theirs.
_ACCOUNT = re.compile("(?<![蚊营床纱军罗锦青围])帐(?![篷幕幔子棚帷钩顶])")
_LEFT = re.compile("|".join(sorted(map(re.escape, LEFT), key=len, reverse=True)))

# Nothing to be seen, and used to slip words past filters: soft hyphens, zero-width and bidirectional signs, fillers,
# selectors of variants, tags. U+FE0F stays (it makes an emoji one); joiners stay where a script or an emoji needs them.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0e\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_LETTERS_WITHOUT_JOINERS = "0-9A-Za-z\u00c0-\u024f\u0370-\u058f\u0e00-\u0eff\u1e00-\u1eff" + HAN
_JOINER = re.compile(
    f"(?<=[{_LETTERS_WITHOUT_JOINERS}])[\u200c\u200d\ufe0f]+|[\u200c\u200d]+(?=[{_LETTERS_WITHOUT_JOINERS}])"
)
_PLAIN = {
    code: unicodedata.normalize("NFKC", chr(code))
    for first, last in (
        (0x2F00, 0x2FD5),  # radicals that look like characters
        (0x24B6, 0x24E9),  # letters in circles
        (0xFB00, 0xFB06),  # ligatures
        (0xFF01, 0xFF5E),  # full width
        (0xFFE0, 0xFFE6),
        (0x1D400, 0x1D7FF),  # mathematical letters, used as fancy type
        (0x1F130, 0x1F149),  # letters in squares
    )
    for code in range(first, last + 1)
} | {0x3000: " "}
_STYLED = re.compile(
    "[\u24b6-\u24e9\u2f00-\u2fd5\u3000\ufb00-\ufb06\uff01-\uff5e\uffe0-\uffe6\U0001d400-\U0001d7ff\U0001f130-\U0001f149]"
)

_THAI = re.compile("[\u0e00-\u0e7f]")
_TONE, _MARK = "\u0e48-\u0e4b", "\u0e31\u0e34-\u0e3a\u0e47\u0e4c\u0e4d\u0e4e"
_THAI_STEPS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), into)
    for pattern, into in (
        ("\u0e40\u0e40", "\u0e41"),  # two เ look like one แ
        ("([\u0e41-\u0e44])\\1+", "\\1"),
        (f"([{_TONE}\u0e4c])+(?=[{_TONE}\u0e4c])", ""),  # of several marks in one place the last is seen
        (f"([{_TONE}\u0e4c]+)([\u0e31\u0e34-\u0e3a\u0e47\u0e4d])", "\\2\\1"),  # vowels stand nearer to their letter
        (f"([{_MARK}{_TONE}])\\1+", "\\1"),
        (f"\u0e4d([{_TONE}]?)\u0e32", "\\1\u0e33"),  # ํ and า are ำ
        (f"\u0e33([{_TONE}])", "\\1\u0e33"),
        (f"([{_TONE}])\u0e4d?\u0e33", "\\1\u0e33"),
        ("([\u0e30\u0e32\u0e33\u0e45])\\1+", "\\1"),
        ("\u0e24\u0e32", "\u0e24\u0e45"),
    )
)
_THAI_DIGITS = {0x0E50 + digit: str(digit) for digit in range(10)}

_PIECE = re.compile(r"[\s.,;:!?。，、；：！？…]+|[^\s.,;:!?。，、；：！？…]+")


def normalise(text: str) -> str:
    """Return the text as it is read: one spelling for each word. Its length may change; it is NFC."""
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFC", without_invisible(text))
    if _STYLED.search(plain):
        plain = plain.translate(_PLAIN)
    if _THAI.search(plain):
        plain = thai(plain)
    return simplified(plain) if _HAN.search(plain) and not _HALF.search(plain) else plain


def aligned(text: str) -> tuple[str, list[int]]:
    """Return the text as `normalise` gives it, and for each of its characters the place in `text` it came from."""
    if text.isascii():
        return text, list(range(len(text)))
    parts: list[str] = []
    origins: list[int] = []
    for found in _PIECE.finditer(text):
        for start in range(found.start(), found.end(), LONGEST_PIECE):
            piece = text[start : min(start + LONGEST_PIECE, found.end())]
            read = normalise(piece)
            parts.append(read)
            origins += [start + place for place in _places(piece, read)]
    return "".join(parts), origins


def thai(text: str) -> str:
    """Return Thai with each sign once, in the order of spelling, and with European digits."""
    for pattern, into in _THAI_STEPS:
        text = pattern.sub(into, text)
    return text.translate(_THAI_DIGITS)


def simplified(text: str) -> str:
    """Return Chinese in simplified characters, with the mainland's words for what Taiwan calls otherwise.

    A post from Singapore may write Taiwan's word in simplified characters (资讯): taken to the traditional script and
    back, it meets the others (信息).
    """
    back, forth = _converters()
    once = _mended(back.convert(text))
    return _mended(back.convert(forth.convert(once)))


def _mended(text: str) -> str:
    return _ACCOUNT.sub("账", _LEFT.sub(lambda found: LEFT[found.group()], text))


@cache
def _converters() -> tuple[Any, Any]:
    import opencc  # 20 ms, only for who has Chinese text

    return opencc.OpenCC("tw2sp"), opencc.OpenCC("s2t")


def without_invisible(text: str) -> str:
    """Return the text without signs that nobody sees and that would hide a word from whoever looks for it."""
    return _JOINER.sub("", _INVISIBLE.sub("", text))


def _places(typed: str, read: str) -> list[int]:
    """Return for each character that is read the place it was typed at; several may share one."""
    if len(typed) == len(read):
        return list(range(len(read)))
    by_letter = "".join(normalise(letter)[:1] or "\0" for letter in typed)
    places: list[int] = []
    for _, begin, end, first, last in SequenceMatcher(None, by_letter, read, autojunk=False).get_opcodes():
        places += [min(begin + n, max(end - 1, begin)) for n in range(last - first)]
    return [min(place, len(typed) - 1) for place in places]
