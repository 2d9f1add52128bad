"""Whom a feeling is about, by name: brands and people of the watch lists, and who of them is only the victim.

"Deepfake of the minister sells pills on TikTok" complains of TikTok, not of the minister, whose face was stolen.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from groundswell.configs.watch import Term, WatchList, family
from groundswell.index.records import Target, TargetKind
from groundswell.index.spelling import normalise
from groundswell.nlp.enrich.unlisted import Unlisted, unlisted
from groundswell.nlp.model.lexicon import SPACED

IMPERSONATION = "impersonation_deepfake"
VICTIMS: tuple[TargetKind, ...] = ("creator", "regulator")
"""Who is impersonated and hardly ever the impersonator: public figures, ministries, the police."""
REACH = 40
"""Characters between what says that somebody is impersonated and the name, or between the name and it."""
_POSED = re.compile(
    r"impersonat\w*|pretend\w* to be|posing as|claim\w* to be|imposto?rs?(?: of)?"
    r"|mengatasnamakan|menyamar\w*|catut\w*|(?:me)?ngaku"
    r"|giả mạo|mạo danh|giả danh|แอบอ้าง|อ้างชื่อ|อ้างเป็น|สวมรอย|(?:sms|ข้อความ|อีเมล|ลิงก์) ?ปลอม(?:จาก)?|冒充|假冒|仿冒",
    re.IGNORECASE,
)
"""What says by itself that a name is misused, whatever the model thinks of the text."""
_POSED_AS = re.compile(
    rf"(?:{_POSED.pattern})\s*(?:from|as|of|dari|daripada|sebagai|jadi|là|từ|เป็น)?\s*$", re.IGNORECASE
)
_MISUSED = re.compile(
    r"deep ?fakes?|impersonat\w*|pretend\w* to be|posing as|fake|cloned?|spoof\w*|imposto?r|ai video"
    r"|stolen (?:face|name|logo)"
    r"|palsu|menyamar\w*|penyamar\w*|mengatasnamakan|(?:me)?ngaku|catut\w*|video ai|muka ai|wajah|guna nama"
    r"|giả mạo|mạo danh|giả danh|giả|ghép mặt|ปลอม|แอบอ้าง|อ้างชื่อ|ดีปเฟค|สวมรอย|冒充|假冒|仿冒|假|换脸|盗用",
    re.IGNORECASE,
)
_MESSAGE = re.compile(
    r"\s*(?:'s )?(?:\w+ ){0,2}(?:scam calls?|phishing|e-?mails?|texts?|sms|messages?|invoices?|calls?|links?|letters?)"
    r"\b(?:(?<=scam call)|(?<=scam calls)|(?<=phishing)|[^.!?]{0,25}"
    r"\b(?:phish\w*|scams?|fake|spoof\w*|palsu|giả))",
    re.IGNORECASE,
)
"""Behind a name in which false messages are sent."""
_PLACE = re.compile(
    r"(?:\b(?:on|in|at|via|by|through|from|inside|di|kat|dekat|dalam|dari|daripada|pada|lewat|trên|ở|qua|từ)\b|ใน|บน|ผ่าน|ทาง|จาก|在|通过|上)"
    r"(?:\s+(?:the|this|my|a|ini|itu))?\s*$",
    re.IGNORECASE,
)
"""Before a name that is only where it happened."""


@dataclass(frozen=True, slots=True)
class Named:
    """A name found in a text."""

    name: str
    who: TargetKind
    start: int
    end: int


class Names:
    """All names of the watch lists, looked for at once; the longest counts."""

    def __init__(self, terms: Sequence[tuple[Term, TargetKind]]) -> None:
        self._known: dict[tuple[str, str], tuple[str, TargetKind]] = {}
        for term, who in terms:
            for spoken in term.spoken:
                self._known.setdefault((_plain(spoken.word), spoken.lang), (term.name, who))
        words = {word for word, _ in self._known}
        self._pattern = re.compile(_any_of(words)) if words else None

    @classmethod
    def of(cls, lists: Iterable[WatchList]) -> Names:
        """Return the brands, products and people of watch lists."""
        kinds: Mapping[str, TargetKind | None] = {"brands": None, "products": None, "people": "creator"}
        return cls(
            [
                (term, who or term.about)
                for each in lists
                for kind, who in kinds.items()
                for term in each.terms.get(kind, ())
            ]
        )

    def find(self, text: str, lang: str = "") -> list[Named]:
        """Return the names in a cleaned text, in its order, each once."""
        found: dict[str, Named] = {}
        own = family(lang)
        for match in self._pattern.finditer(text.lower()) if self._pattern else ():
            name = next((self._known[key] for key in _keys(match.group(), own) if key in self._known), None)
            if name:
                found.setdefault(name[0], Named(*name, *match.span()))
        return list(found.values())

    def name(self, text: str, lang: str, targets: Sequence[Target], impersonated: bool) -> tuple[Target, ...]:
        """Return the targets of a text with the names it gives; who was impersonated is a victim, and comes last."""
        listed = self.find(text, lang)
        others = [each for each in unlisted(text) if not any(_overlap(each, known) for known in listed)]
        named = [*listed, *(Named(each.name, each.who, each.start, each.end) for each in others)]
        victims = {each.name for each in others if each.posed}
        victims |= {each.name for each in listed if _misused(text, each, listed, impersonated=impersonated)}
        labels = {target.who: target.label for target in targets}
        usual = targets[0].label if targets else "neutral"
        made = [
            Target(who=who, label=labels.get(who, usual), name=each.name)
            for each in named
            if each.name not in victims
            for who in [_kind(each, labels)]
        ]
        harmed = [
            Target(who=each.who, label="neutral", name=each.name, role="victim")
            for each in named
            if each.name in victims
        ]
        covered = {target.who for target in made} | {_kind(each, labels) for each in named if each.name in victims}
        rest = [target for target in targets if target.who not in covered]
        harmed += [
            replace(target, role="victim", label="neutral") for target in rest if impersonated and _victim(target)
        ]
        return (*made, *(target for target in rest if not (impersonated and _victim(target))), *harmed)


def _kind(named: Named, labels: Collection[str]) -> TargetKind:
    """Return what a name is in this text: what the list says, unless the text speaks of a platform alone."""
    return "platform" if named.who not in labels and "platform" in labels else named.who


def _victim(target: Target) -> bool:
    return target.who in VICTIMS


def _overlap(one: Unlisted, other: Named) -> bool:
    return one.start < other.end and other.start < one.end


def _misused(text: str, named: Named, all_named: Sequence[Named], *, impersonated: bool) -> bool:
    """Return whether a text says that a name is misused; between that and the name stands no other name."""
    since = max([each.end for each in all_named if each.end <= named.start], default=0)
    before = text[max(since, named.start - REACH) : named.start]
    behind = text[named.end : named.end + REACH]
    if _PLACE.search(before) and not _POSED_AS.search(before):
        return False
    if _POSED.search(before) or _MESSAGE.match(behind):
        return True
    return impersonated and bool(_MISUSED.search(before) or _MISUSED.match(behind[: REACH // 2].lstrip()))


def _plain(word: str) -> str:
    return normalise(word).lower().strip("*")


def _keys(word: str, own: str) -> Iterable[tuple[str, str]]:
    """Yield the keys under which a word may be known; where the language is unknown, any."""
    yield (word, "")
    yield from ((word, lang) for lang in ([own] if own else LANGS))


LANGS = ("en", "ms", "zh", "th", "vi")


def _any_of(words: Collection[str]) -> str:
    """Return a pattern of any of the words, the longest that fits; by first letters, so that hundreds cost no more."""
    by_first: dict[tuple[bool, str], list[str]] = {}
    for word in sorted(words, key=lambda word: (-len(word), word)):
        by_first.setdefault((bool(SPACED.match(word)), word[0]), []).append(word)
    groups = {
        spaced: "|".join(
            f"{re.escape(first)}(?:{'|'.join(map(_rest, several))})"
            for (is_spaced, first), several in by_first.items()
            if is_spaced == spaced
        )
        for spaced in (True, False)
    }
    parts = [rf"(?<![^\W_])(?:{groups[True]})" if groups[True] else "", groups[False]]
    return "|".join(part for part in parts if part)


def _rest(word: str) -> str:
    """Return the pattern of a word behind its first letter."""
    return re.escape(word[1:]) + (r"(?![^\W_])" if SPACED.match(word[-1]) else "")
