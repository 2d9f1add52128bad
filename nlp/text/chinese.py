"""Words of Chinese, by jieba, whose dictionary is read only for the characters that a text has.

jieba reads half a million words, most of a second and 100 MB, before it cuts the first sentence. A turn that meets a
dozen Chinese texts needs a few hundred of them: every piece that jieba looks up begins with a character of the text,
so that the words are kept by their first character and read by it.
"""

from __future__ import annotations

import marshal
from collections.abc import Collection
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from groundswell.index.files import write_whole

Parts = dict[str, bytes]
"""By first character, the words that begin with it and how frequent each is, marshalled."""


class Segmenter:
    """Cuts runs of Han characters into words (exact mode, unknown words by jieba's HMM).

    Args:
        known: words that jieba's dictionary lacks.
        folder: where its dictionary is kept by first characters; made anew where it is missing.
    """

    def __init__(self, words: Collection[str], folder: Path) -> None:
        import logging  # with jieba, which logs its loading to stderr as if it were trouble

        import jieba

        jieba.setLogLevel(logging.WARNING)
        self.parts, total = _dictionary(jieba, folder / f"jieba-{version('jieba')}.parts")
        self.tokenizer: Any = jieba.Tokenizer()
        self.tokenizer.FREQ, self.tokenizer.total, self.tokenizer.initialized = {}, total, True
        for word in sorted(words):
            self._read(word)
            self.tokenizer.add_word(word)

    def cut(self, run: str) -> list[str]:
        """Return the words of a run."""
        self._read(run)
        words: list[str] = self.tokenizer.lcut(run)
        return words

    def _read(self, run: str) -> None:
        """Read the words that begin with characters of a run, each once."""
        for character in set(run):
            if part := self.parts.pop(character, None):
                self.tokenizer.FREQ.update(marshal.loads(part))  # noqa: S302  a file of this user's own


def _dictionary(jieba: Any, file: Path) -> tuple[Parts, int]:
    """Return jieba's dictionary by first characters, and the sum of all frequencies."""
    try:
        parts: tuple[Parts, int] = marshal.loads(file.read_bytes())  # noqa: S302
    except (OSError, EOFError, ValueError, TypeError):
        tokenizer = jieba.Tokenizer()
        frequencies, total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
        words: dict[str, dict[str, int]] = {}
        for word, frequency in frequencies.items():
            words.setdefault(word[0], {})[word] = frequency
        parts = {character: marshal.dumps(each) for character, each in words.items()}, total
        with suppress(OSError):  # a read-only home: it is made anew each time
            write_whole(file, marshal.dumps(parts))
    return parts


__all__ = ["Segmenter"]
