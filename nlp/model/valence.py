"""What a feeling is read from: a text without what turns feelings round and small encoders overlook.

Contextual valence shifters (Polanyi & Zaenen 2006): what is denied ("not bad at all"), was once ("I used to hate it,
but now …"), was only expected ("thought it would be awful, but it was not"), is what others say, or praises what nobody
would ("Great, another unskippable ad"). Each is written plainly before it is read, so that encoder and letters meet
what is meant. What people are (faith, origin, whom they love) is no feeling about them: one word stands for all of it,
so that swapping one for another changes nothing, by construction. Only feelings are read so; risks, themes and search
read what was written.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CUES = Path(__file__).parent / "data" / "valence.cues"
LONGEST_READ = 1_200
"""Characters that are looked at."""
LANGUAGES = ("en", "ms", "th", "vi", "zh")
"""Indonesian is written with Malay's cues: they share them."""
UNSPACED = ("th", "zh")
NEVER = "(?!)"
SAID_WITHIN = 90
"""Characters behind "I would not say" in which a word of feeling is denied."""
_CUT = re.compile(
    r"[.!?;,\n…。！？；，、]+|\s+(?=(?:but|however|although|though|even though|while|yet|tapi|tp|tetapi|namun|"
    r"walaupun|meskipun|padahal|nhưng|mặc dù|dù)\b)|(?<=[\u0e00-\u0e7f])\s+|(?=แต่)|(?=但是|但|可是|不过|虽然)",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"\b([Aa])n?\s+(?=local\b)")


@dataclass(frozen=True, slots=True)
class Cues:
    """One language's patterns, and what stands for the opposite of each word of feeling."""

    lang: str
    one: str
    identity: re.Pattern[str]
    past: re.Pattern[str]
    now: re.Pattern[str]
    hope: re.Pattern[str]
    denial: re.Pattern[str]
    hearsay: re.Pattern[str]
    own: re.Pattern[str]
    irony: re.Pattern[str]
    excused: re.Pattern[str]
    will: re.Pattern[str]
    denied: re.Pattern[str]
    blame: re.Pattern[str]
    praise: re.Pattern[str]
    opposite: tuple[tuple[re.Pattern[str], str], ...]
    unsaid: re.Pattern[str] | None = None
    asked: re.Pattern[str] | None = None


def plainly(texts: Sequence[str]) -> list[str]:
    """Return cleaned texts as their feeling is read; most stay as they are."""
    return [_plain(text) for text in texts]


def _plain(text: str) -> str:
    read, rest = text[:LONGEST_READ], text[LONGEST_READ:]
    several = [cues for cues in _cues() if WRITTEN[cues.lang].search(read)]
    read = without_identity(read, several)
    for cues in several:
        for step in STEPS:
            read = step(read, cues)
    return read + rest if read.strip() else text


WRITTEN = {
    "th": re.compile("[\u0e00-\u0e7f]"),
    "zh": re.compile("[\u3400-\u9fff]"),
    "vi": re.compile("[\u0103\u0111\u01a1\u01b0\u1ea0-\u1ef9]", re.IGNORECASE),
    "ms": re.compile("[a-z]", re.IGNORECASE),
    "en": re.compile("[a-z]", re.IGNORECASE),
}
"""Letters that a text in a language has."""
_MALAY = re.compile(
    r"\b(?:yang|saya|dia|orang|ini|itu|dan|adalah|seorang|tak|tidak|aku|kami|kita|ni|tu|dengan|untuk|gue)\b",
    re.IGNORECASE,
)


def without_identity(text: str, several: Sequence[Cues]) -> str:
    """Return the text with one word for whatever people are, whichever of its languages the word is from."""
    if not any(cues.identity.search(text) for cues in several):
        return text
    own = "ms" if _MALAY.search(text) else "en"
    one = next((cues.one for cues in several if cues.lang not in ("en", "ms")), "")
    one = one or next(cues.one for cues in several if cues.lang == own)
    for cues in several:
        text = cues.identity.sub(one, text)
    return _ARTICLE.sub(r"\1 ", text)


def without_irony(text: str, cues: Cues) -> str:
    """Return praise of what nobody praises as blame; where praise and fact are set against each other it is meant."""
    fact = cues.irony.search(text)
    if not fact or cues.excused.search(text):
        return text
    praised = cues.praise.search(text)
    return _turned(text, cues, praised) if praised else text


def without_past(text: str, cues: Cues) -> str:
    """Return what is felt now, where a text also says what was felt once."""
    if not cues.past.search(text):
        return text
    clauses = _clauses(text, cues)
    now = [bool(cues.now.search(clause)) for clause in clauses]
    past = [bool(cues.past.search(clause)) and not n for clause, n in zip(clauses, now, strict=True)]
    conceded = [p and _conceded(clause) for clause, p in zip(clauses, past, strict=True)]
    if any(now) and any(past):
        felt = _felt("".join(clause for clause, out in zip(clauses, past, strict=True) if not out), cues)
        turned = [_gone(clause, cues, felt) if out else clause for clause, out in zip(clauses, past, strict=True)]
        return _kept(text, turned, [not clause for clause in turned])
    return _kept(text, clauses, conceded) if any(conceded) and not all(conceded) else text


def _gone(clause: str, cues: Cues, felt: int) -> str:
    """Return what was once as it must be now, where that is felt the other way or not told; else nothing."""
    found = cues.praise.search(clause) or cues.blame.search(clause)
    if not found or _felt(clause, cues) == felt:
        return ""
    return cues.past.sub("", _turned(clause, cues, found))


def _felt(text: str, cues: Cues) -> int:
    """Return 1 where words of a text praise, -1 where they blame, 0 where they do neither or both."""
    return bool(cues.praise.search(text)) - bool(cues.blame.search(text))


def without_hearsay(text: str, cues: Cues) -> str:
    """Return what the author feels, where a text also says what others feel."""
    if not cues.hearsay.search(text):
        return text
    clauses = _clauses(text, cues)
    others = [bool(cues.hearsay.search(clause)) for clause in clauses]
    own = [bool(cues.own.search(clause)) and not o for clause, o in zip(clauses, others, strict=True)]
    return _kept(text, clauses, others) if any(own) and not all(others) else text


def without_hopes(text: str, cues: Cues) -> str:
    """Return what came of an expectation: its opposite where it is denied, else what follows it."""
    hope = cues.hope.search(text)
    if not hope:
        return text
    denial = cues.denial.search(text, hope.end())
    if not denial:
        return text
    hoped = text[hope.end() : denial.start()]
    for words in (cues.blame, cues.praise):
        if found := words.search(hoped):
            came = cues.will.sub("", _turned(hoped, cues, found)).strip(" ,;，")
            return f"{came}{text[denial.end() :]}"
    return text


def without_denials(text: str, cues: Cues) -> str:
    """Return denied blame as mild praise ("not bad" → "fine"), and praise that the author would not give as blame."""
    read = cues.denied.sub(lambda found: _verb(found) + _opposite(cues, found["word"]), text)
    if cues.unsaid:
        read = cues.unsaid.sub(lambda found: found["between"] + _opposite(cues, found["word"]), read)
    return cues.asked.sub(lambda found: _answered(found, cues), read) if cues.asked else read


STEPS: tuple[Callable[[str, Cues], str], ...] = (
    without_irony,
    without_past,
    without_hearsay,
    without_hopes,
    without_denials,
)


def _verb(found: re.Match[str]) -> str:
    return f"{found['verb'].strip()} " if found["verb"] else ""


def _answered(found: re.Match[str], cues: Cues) -> str:
    asked = found["question"].strip(" ?")
    word = cues.praise.search(asked) or cues.blame.search(asked)
    if not word or found["answer"].lower().startswith("y"):
        return f"{asked}. "
    return f"{_turned(asked, cues, word)}. "


def _clauses(text: str, cues: Cues) -> list[str]:
    """Return the clauses of a text with what ends them; in Thai and Chinese a new time begins one, too."""
    cuts = {0, len(text), *(found.end() for found in _CUT.finditer(text))}
    cuts |= {found.start() for found in cues.now.finditer(text) if cues.lang != "en"}
    places = sorted(cuts)
    return [text[begin:end] for begin, end in itertools.pairwise(places) if text[begin:end]]


def _conceded(clause: str) -> bool:
    return bool(
        re.match(r"\W*(?:although|though|even though|walaupun|meskipun|mặc dù|dù|ถึงแม้|虽然)", clause, re.IGNORECASE)
    )


def _kept(text: str, clauses: Sequence[str], dropped: Sequence[bool]) -> str:
    kept = "".join(clause for clause, out in zip(clauses, dropped, strict=True) if not out).strip(" ,;，")
    return kept if any(letter.isalnum() for letter in kept) else text


def _turned(text: str, cues: Cues, found: re.Match[str]) -> str:
    return text[: found.start()] + _opposite(cues, found.group()) + text[found.end() :]


def _opposite(cues: Cues, word: str) -> str:
    return next((into for pattern, into in cues.opposite if pattern.fullmatch(word)), word)


@cache
def _cues() -> tuple[Cues, ...]:
    """Read the file of cues.

    Raises:
        ValueError: a line is not a language, a kind and a pattern.
    """
    parts: dict[str, dict[str, list[str]]] = {lang: {} for lang in LANGUAGES}
    for number, line in enumerate(CUES.read_text(encoding="utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            lang, kind, pattern = [*line.split(" ", 2), "", ""][:3]
            if lang not in parts or not pattern:
                raise ValueError(f"{CUES}:{number}: expected LANGUAGE KIND PATTERN, not {line!r}")
            parts[lang].setdefault(kind, []).append(pattern)
    return tuple(_made(lang, kinds) for lang, kinds in parts.items())


def _made(lang: str, kinds: dict[str, list[str]]) -> Cues:
    spaced = lang not in UNSPACED
    words = {kind: [line.partition(" => ") for line in kinds[kind]] for kind in ("blame", "praise")}
    bounded = {kind: _bounded("|".join(line[0] for line in lines), spaced) for kind, lines in words.items()}
    gap = rf"(?:\s+(?:{'|'.join(kinds['gap'])}))" if spaced else rf"(?:{'|'.join(kinds['gap'])})"
    space = r"\s+" if spaced else r"\s*"
    nots = "|".join([_bounded("|".join(kinds["not"]), spaced), *kinds.get("joined", [])])
    say = "".join(kinds.get("say", [])) and rf"(?:{kinds['say'][0]}){kinds['saying'][0]}"
    # Small encoders know an English "not good"; in the other languages they miss it.
    turned = bounded["blame"] if lang == "en" else f"{bounded['blame']}|{bounded['praise']}"
    simple = ("identity", "past", "now", "hope", "denial", "hearsay", "own", "irony", "excused", "will")
    return Cues(
        lang=lang,
        one=kinds["one"][0],
        **{kind: _pattern(kinds[kind], bounded=spaced and kind in ("identity", "will")) for kind in simple},
        denied=_compiled(
            rf"(?P<verb>{'|'.join(kinds.get('be', [NEVER]))})?(?:{nots}){gap}{{0,4}}{space}(?P<word>{turned})"
        ),
        blame=_compiled(bounded["blame"]),
        praise=_compiled(bounded["praise"]),
        opposite=tuple((_compiled(one), into) for lines in words.values() for one, _, into in lines),
        unsaid=_compiled(
            rf"{say}(?P<between>[^.!?\n]{{1,{SAID_WITHIN}}}?)(?P<word>{bounded['praise']}|{bounded['blame']})"
        )
        if say
        else None,
        asked=_compiled(rf"(?P<question>{kinds['ask'][0]})(?P<answer>(?:no|nope|not at all|yes|yeah)\b[.!,]*)")
        if "ask" in kinds
        else None,
    )


def _pattern(lines: Sequence[str], *, bounded: bool) -> re.Pattern[str]:
    return _compiled("|".join(f"(?:{_bounded(line, bounded)})" for line in lines))


def _bounded(pattern: str, spaced: bool) -> str:
    return rf"\b(?:{pattern})\b" if spaced else f"(?:{pattern})"


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
