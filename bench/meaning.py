"""How well languages and copies are told, and what each step of reading costs beside the encoder.

    python bench/meaning.py language FILE.csv --column text --lang id     share told right
    python bench/meaning.py paraphrase PAIRS.tsv                          precision and recall on MRPC-shaped pairs
    python bench/meaning.py speed FILE.csv --column text                  documents per CPU-second for each step

Files are yours: CSV, or TSV with a header (by the name's end).
"""

from __future__ import annotations

import argparse
import csv
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from groundswell.nlp.enrich.rules import read_rules
from groundswell.nlp.text import clean
from groundswell.nlp.text.duplicates import Duplicates, Told, alike, shingle_sets
from groundswell.nlp.text.keywords import terms
from groundswell.nlp.text.language import FAMILY, detect

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> None:
    """Run what the arguments ask for."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("what", choices=["language", "paraphrase", "speed"])
    arguments.add_argument("file", type=Path)
    arguments.add_argument("--column", default="text")
    arguments.add_argument("--lang", default="en")
    arguments.add_argument("--most", type=int, default=10_000, help="texts taken, at random with a fixed seed")
    given = arguments.parse_args()
    if given.what == "paraphrase":
        paraphrase(given.file)
    else:
        texts = read(given.file, given.column, given.most)
        language(texts, given.lang) if given.what == "language" else speed(texts)


def read(path: Path, column: str, most: int) -> list[str]:
    """Return at most so many non-empty texts of a column."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        tabs = path.suffix == ".tsv"
        rows = csv.DictReader(
            file, delimiter="\t" if tabs else ",", quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL
        )
        texts = [row[column] for row in rows if (row[column] or "").strip()]
    return random.Random(0).sample(texts, min(most, len(texts)))  # noqa: S311  a sample, not a secret


def language(texts: Sequence[str], lang: str) -> None:
    """Print how many texts are told to be in the language they are in."""
    told = Counter(found.code for found in detect(clean(texts)))
    family = sum(told[code] for code in FAMILY) if lang in FAMILY else told[lang]
    print(f"{len(texts)} texts: {lang} {told[lang] / len(texts):.3f}, family {family / len(texts):.3f}, und", end=" ")
    print(f"{told['und'] / len(texts):.3f}; {told.most_common(6)}")


def paraphrase(path: Path) -> None:
    """Print precision and recall of "copy" against "paraphrase" at several similarities."""
    lines = [line.split("\t") for line in path.read_text("utf-8-sig").splitlines()[1:]]
    rows = [line for line in lines if len(line) == 5]
    first = shingle_sets([Told(id="a", text=row[3], at=NOW) for row in rows])
    second = shingle_sets([Told(id="b", text=row[4], at=NOW) for row in rows])
    for similarity in (0.3, 0.5, 0.8):
        pairs = zip(first, second, strict=True)
        claimed = [bool(alike(one, [other], similarity)[0]) for one, other in pairs]
        right = sum(said and row[0] == "1" for said, row in zip(claimed, rows, strict=True))
        real = sum(row[0] == "1" for row in rows)
        print(
            f"at {similarity}: {sum(claimed)} claimed, precision {right / sum(claimed):.3f}, recall {right / real:.3f}"
        )


def speed(texts: Sequence[str]) -> None:
    """Print what each step costs."""
    rules, known = read_rules(), Duplicates()
    told = [Told(id=str(place), text=text, at=NOW) for place, text in enumerate(texts)]
    cleaned = clean(texts)
    langs = [found.code for found in detect(cleaned)]
    rules.hits(cleaned[:50], langs[:50])  # everything is opened on first use
    for text in cleaned[:200]:
        terms(text)
    steps: dict[str, Callable[[], object]] = {
        "clean": lambda: clean(texts),
        "language": lambda: detect(cleaned),
        "copies": lambda: [known.add(told[begin : begin + 512]) for begin in range(0, len(told), 512)],
        "rules": lambda: rules.hits(cleaned, langs),
        "terms": lambda: [terms(text, lang) for text, lang in zip(cleaned, langs, strict=True)],
    }
    for name, step in steps.items():
        begun = time.process_time()
        step()
        spent = time.process_time() - begun
        print(f"{name:10} {len(texts) / spent:8.0f} documents per CPU-second, {1e6 * spent / len(texts):6.0f} µs each")


if __name__ == "__main__":
    main()
