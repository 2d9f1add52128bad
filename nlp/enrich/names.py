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
from groundswell.nlp.model.lexicon import SPACED

IMPERSONATION = "impersonation_deepfake"
VICTIMS: tuple[TargetKind, ...] = ("creator", "regulator")
"""Who is impersonated and hardly ever the impersonator: public figures, ministries, the police."""
REACH = 40
"""Characters between what says that somebody is impersonated and the name, or between the name and it."""
_MISUSED = re.compile(
    r"deep ?fakes?|impersonat\w*|pretend\w* to be|posing as|fake|cloned?|spoof\w*|imposto?r|ai video"
    r"|stolen (?:face|name|logo)"
    r"|palsu|menyamar\w*|penyamar\w*|mengatasnamakan|mengaku|catut\w*|video ai|muka ai|wajah|guna nama"
    r"|giả mạo|mạo danh|giả danh|giả|ghép mặt|ปลอม|แอบอ้าง|อ้างชื่อ|ดีปเฟค|สวมรอย|冒充|假冒|仿冒|假|换脸|盗用",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"(?:\b(?:on|in|at|via|by|through|di|kat|dekat|pada|lewat|trên|ở|qua)|ใน|บน|ผ่าน|ทาง|在|通过)\s*$", re.IGNORECASE
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
        words = sorted({word for word, _ in self._known}, key=lambda word: (-len(word), word))
        self._pattern = re.compile("|".join(map(_bounded, words))) if words else None

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
        named = self.find(text, lang)
        victims = {each.name for each in named if impersonated and _misused(text, each)}
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


def _misused(text: str, named: Named) -> bool:
    before, behind = text[max(0, named.start - REACH) : named.start], text[named.end : named.end + REACH // 2]
    return not _PLACE.search(before) and bool(_MISUSED.search(before) or _MISUSED.match(behind.lstrip()))


def _plain(word: str) -> str:
    return normalise(word).lower().strip("*")


def _keys(word: str, own: str) -> Iterable[tuple[str, str]]:
    """Yield the keys under which a word may be known; where the language is unknown, any."""
    yield (word, "")
    yield from ((word, lang) for lang in ([own] if own else LANGS))


LANGS = ("en", "ms", "zh", "th", "vi")


def _bounded(word: str) -> str:
    begin = r"(?<![^\W_])" if SPACED.match(word) else ""
    end = r"(?![^\W_])" if SPACED.match(word[-1]) else ""
    return begin + re.escape(word) + end
