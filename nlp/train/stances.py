"""Minimal pairs: the same risk claimed, denied, asked about, warned of and solved, made by a grammar of our own.

``pairs/LANG.txt`` holds phrases for every risk and sentences with places for them. Sentences marked ``~`` and the last
phrase of every list are held out: what is right about them was not learnt by heart.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from groundswell.index.records import Stance
from groundswell.nlp.model.stance import STANCES
from groundswell.nlp.train.sources import Split

FOLDER = Path(__file__).parent / "pairs"
LANGUAGES = ("en", "id", "ms", "th", "vi", "zh")
TWICE = 2
"""Sentences made of each template for each risk, with other phrases."""
_SLOT = re.compile(r"\{(thing|done|good)\}")


@dataclass(frozen=True, slots=True)
class StanceText:
    """A sentence about a risk, and how it stands to it."""

    text: str
    lang: str
    risk: str
    stance: Stance
    split: Split

    @property
    def claimed(self) -> bool:
        """Return whether the text claims its risk, as the codebook counts: by saying so, or by a warning."""
        return self.stance in ("claims", "warns")


@dataclass(frozen=True, slots=True)
class _Template:
    stance: Stance
    text: str
    split: Split


def stance_texts(languages: tuple[str, ...] = LANGUAGES) -> Iterator[StanceText]:
    """Yield the sentences of all languages; always the same ones."""
    for lang in languages:
        phrases, templates = _read(FOLDER / f"{lang}.txt")
        for risk, slots in phrases.items():
            for template in templates:
                for text in dict.fromkeys(_filled(template, slots, number) for number in range(TWICE)):
                    yield StanceText(text, lang, risk, template.stance, template.split)


def _filled(template: _Template, slots: dict[str, list[str]], number: int) -> str:
    """Return the sentence with phrases chosen by its hash; held-out sentences take held-out phrases first."""

    def phrase(found: re.Match[str]) -> str:
        choices = slots[found.group(1)]
        choices_left = choices[-1:] if template.split == "validation" and number == 0 else choices[:-1] or choices
        return choices_left[(_number(template.text + found.group(1) + choices_left[0]) + number) % len(choices_left)]

    return _SLOT.sub(phrase, template.text)


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _read(path: Path) -> tuple[dict[str, dict[str, list[str]]], list[_Template]]:
    """Return phrases by risk and kind, and the templates of a file.

    Raises:
        ValueError: a line is neither, or a template names a stance nobody knows.
    """
    phrases: dict[str, dict[str, list[str]]] = {}
    templates: list[_Template] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        name, colon, rest = line.partition(": ")
        if not colon:
            raise ValueError(f"{path}:{number}: expected NAME: …, not {line!r}")
        if "|" in rest:
            parts = [[one.strip() for one in part.split(";")] for part in rest.split("|")]
            phrases[name] = dict(zip(("thing", "done", "good"), parts, strict=True))
        else:
            bare = name.removeprefix("~")
            if bare not in STANCES:
                raise ValueError(f"{path}:{number}: {bare!r} is no stance; known: {', '.join(STANCES)}")
            split: Split = "validation" if name.startswith("~") else "train"
            templates.append(_Template(STANCES[STANCES.index(bare)], rest, split))
    return phrases, templates
