"""The words of all documents, made anew where what counts as a word has changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from groundswell.index.codec import decode
from groundswell.index.records import Mention
from groundswell.index.segment import for_index


def index_words(db: sqlite3.Connection) -> None:
    """Fill the empty table of words from the documents themselves, within a transaction."""
    db.executemany("INSERT INTO words (rowid, title, text) VALUES (?, ?, ?)", _words(db))


def _words(db: sqlite3.Connection) -> Iterator[tuple[int, str, str]]:
    for n, text in db.execute("SELECT n, mention FROM body"):
        mention = decode(Mention, text)
        yield n, for_index(mention.title), for_index(mention.text)
