"""A text in English by a machine of one's own: a gloss for whoever judges evidence, never the evidence.

Behind `Translator` stands whatever turns texts into texts. What ships opens a package of Argos Translate as it is
unpacked (a folder with ``sentencepiece.model`` and a CTranslate2 model in ``model/``); nothing is fetched and no text
leaves the machine. https://github.com/argosopentech/argos-translate, https://opennmt.net/CTranslate2/
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

LONGEST_TEXT = 2000
"""Characters of a text that are translated: of a longer one its beginning."""
LONGEST_SENTENCE, LONGEST_ANSWER = 200, 256
"""Pieces given to the model at a time, and pieces it may answer: a model that repeats itself comes to an end."""
_ENDS = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")


class TranslationError(Exception):
    """A model cannot be used; the message says what to do."""


class Translator(Protocol):
    """Turns texts of one language into English."""

    @property
    def name(self) -> str:
        """Return what it is called, to stand beside what it says."""

    def translate(self, texts: Sequence[str]) -> list[str]:
        """Return each text in English, as far as it is read."""


class ArgosPackage:
    """A translation package on this machine; its model is opened when it is first asked.

    Args:
        folder: where the package is unpacked.

    Raises:
        TranslationError: the folder is no such package.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for needed in ("sentencepiece.model", "model/model.bin"):
            if not (folder / needed).is_file():
                raise TranslationError(
                    f"{folder} is no translation package: it has no {needed}. Unpack one of Argos Translate there "
                    "(an .argosmodel is a zip file), or take the language out of board.translations"
                )

    @property
    def name(self) -> str:
        """Return the folder's name, which names languages and version."""
        return self.folder.name

    def translate(self, texts: Sequence[str]) -> list[str]:
        """Return each text in English, sentence by sentence.

        Raises:
            TranslationError: the packages that run it are missing, or the model cannot be opened.
        """
        sentences = [_sentences(text[:LONGEST_TEXT]) for text in texts]
        pieces = [piece for several in sentences for sentence in several for piece in self._cut(sentence)]
        owners = [i for i, several in enumerate(sentences) for sentence in several for _ in self._cut(sentence)]
        said = self._said(pieces)
        return [" ".join(one for one, owner in zip(said, owners, strict=True) if owner == i) for i in range(len(texts))]

    def _cut(self, sentence: str) -> list[list[str]]:
        """Return a sentence as runs of pieces that the model takes."""
        pieces: list[str] = self._opened[0].encode(sentence, out_type=str)
        return [pieces[i : i + LONGEST_SENTENCE] for i in range(0, len(pieces), LONGEST_SENTENCE)]

    def _said(self, pieces: Sequence[Sequence[str]]) -> list[str]:
        if not pieces:
            return []
        words, model = self._opened
        answers = model.translate_batch(
            list(pieces), beam_size=2, max_decoding_length=LONGEST_ANSWER, max_batch_size=16, repetition_penalty=1.2
        )
        return [str(words.decode(answer.hypotheses[0])).strip() for answer in answers]

    @cached_property
    def _opened(self) -> tuple[Any, Any]:
        try:
            import ctranslate2
            import sentencepiece
        except ImportError:
            raise TranslationError(
                "translations need two more packages: pip install 'groundswell[translate]'"
            ) from None
        try:
            words = sentencepiece.SentencePieceProcessor(model_file=str(self.folder / "sentencepiece.model"))
            model = ctranslate2.Translator(str(self.folder / "model"), device="cpu", intra_threads=1)
        except (RuntimeError, OSError, ValueError) as error:
            raise TranslationError(f"{self.folder} cannot be opened as a translation package: {error}") from None
        return words, model


def _sentences(text: str) -> list[str]:
    return [sentence for part in _ENDS.split(text) if (sentence := part.strip())]
