"""The labelled texts that training reads, from the user's data folder: which file, which columns, how much it counts.

Nothing of them ships with Groundswell. A missing file is skipped and said so: whoever has fewer sets trains on fewer.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Literal

from groundswell.nlp.text.clean import clean_one

Split = Literal["train", "validation"]

NEGATIVE, NEUTRAL, POSITIVE = 0, 1, 2
WORDS = {
    "negative": NEGATIVE,
    "neutral": NEUTRAL,
    "positive": POSITIVE,
    "very negative": NEGATIVE,
    "very positive": POSITIVE,
}
STARS = {"1": NEGATIVE, "2": NEGATIVE, "3": NEUTRAL, "4": POSITIVE, "5": POSITIVE}
"""Stars are weak labels: what people rate is not always what they say."""
LONGEST_SAMPLE = 600
"""Characters of a training text; the encoder sees 64 pieces of it."""


SHORTEST_COPY = 12
"""Letters from which two texts that differ in nothing else are one; people do write "very good" independently."""
MOST_HELD_OUT = 300
"""Texts of each label kept for validation, of a set that has no validation part of its own."""


@dataclass(frozen=True, slots=True)
class Example:
    """A text with a feeling."""

    text: str
    sentiment: int
    lang: str
    source: str
    split: Split


@dataclass(frozen=True, slots=True)
class Source:
    """One labelled file.

    `held_out` is the share kept for validation where the set has none of its own; `times` how often a pass shows each
    text; `weight` how much one counts; `most_each` how many of each label are taken (by hash of the
    text, so always the same), `most_held_out` of those kept for validation; `first` the row that is read first.
    """

    path: str
    lang: str
    split: Split = "train"
    text: str = "text"
    label: str = "label"
    labels: Mapping[str, int] = field(default_factory=lambda: WORDS)
    times: float = 1.0
    weight: float = 1.0
    most_each: int = 1_000_000
    held_out: float = 0.0
    most_held_out: int = MOST_HELD_OUT
    first: int = 0

    @property
    def name(self) -> str:
        """Return the file's name without its ending, with its folder where that says more."""
        path = Path(self.path)
        return path.stem if path.parent.name == "sentiment" else f"{path.parent.name}/{path.stem}"


UMSAB = {
    "arabic": "ar",
    "english": "en",
    "french": "fr",
    "german": "de",
    "italian": "it",
    "portuguese": "pt",
    "spanish": "es",
}
HINDI_FROM = 1_220
"""Row of UMSAB's Hindi training file from which labels belong to their texts.

Of its tweets that stand in SemEval with a label, those from here on agree on it in 67 %, those before in 36 %, and so
it is with the feeling that a model of the other languages finds (correlation .33 and .01). The labels run negative,
neutral, positive all through while the texts lost and gained lines. No part of the validation file fits its labels.
"""
REVIEWS = {"text": "content", "label": "score", "labels": STARS, "weight": 0.4}

SOURCES: tuple[Source, ...] = (
    Source("sentiment/en_semeval2013_16_train.tsv", "en"),
    Source("sentiment/en_tweeteval_val.tsv", "en", split="validation"),
    *(Source(f"sentiment/{name}_umsab_train.tsv", code, times=2.0) for name, code in UMSAB.items()),
    *(Source(f"sentiment/{name}_umsab_val.tsv", code, split="validation") for name, code in UMSAB.items()),
    Source("sentiment/hindi_umsab_train.tsv", "hi", times=2.0, first=HINDI_FROM),
    Source("sentiment/id_smsa_train.tsv", "id", most_each=2_600),
    Source("sentiment/id_smsa_valid.tsv", "id", split="validation"),
    Source("sentiment/indonesian_nusax_train.tsv", "id", times=2.0),
    Source("sentiment/indonesian_nusax_valid.tsv", "id", split="validation"),
    Source("sentiment/english_nusax_train.tsv", "en", times=1.5),
    Source("sentiment/english_nusax_valid.tsv", "en", split="validation"),
    # As many of each as people write: what is said of it is how it does on posts as they come.
    Source("sentiment/th_wisesight.tsv", "th", most_each=5_000, held_out=0.1, most_held_out=10_000),
    Source("sentiment/en_sst5_train.tsv", "en", most_each=800, weight=0.5),
    Source("corpora/airline_tweets_2015/tweets.csv", "en", label="airline_sentiment", most_each=800, weight=0.7),
    Source(
        "corpora/chinese_waimai/waimai_10k.csv",
        "zh",
        text="review",
        labels={"0": NEGATIVE, "1": POSITIVE},
        most_each=2_500,
        weight=0.7,
        held_out=0.15,
    ),
    Source("corpora/ecommerce_vi_2019_26/dev.csv", "vi", most_each=1_500, held_out=0.15, **REVIEWS),  # type: ignore[arg-type]
    Source("corpora/spotify_id_2024/reviews.csv", "id", most_each=1_000, held_out=0.15, **REVIEWS),  # type: ignore[arg-type]
    Source("corpora/marketplaces_id_2026/tokopedia.csv", "id", most_each=800, **REVIEWS),  # type: ignore[arg-type]
    Source("corpora/marketplaces_id_2026/shopee.csv", "id", most_each=800, **REVIEWS),  # type: ignore[arg-type]
    Source("corpora/streaming_en_2024/disney_hotstar.csv", "en", most_each=800, **REVIEWS),  # type: ignore[arg-type]
)


def read_examples(data: Path, *, every: bool = False) -> list[Example]:
    """Return the labelled texts of all sets at hand; what training reads is no longer for validation, in any set.

    Sets overlap: 1,430 of TweetEval's 1,999 validation tweets stand in the English training file of UMSAB.
    With `every`, training texts of large sets are not cut to `most_each`.
    """
    sources = [replace(source, most_each=1_000_000) if every else source for source in SOURCES]
    found = [e for source in sources if (data / source.path).is_file() for e in read_source(source, data)]
    learned = {_plain(example.text) for example in found if example.split == "train"}
    return [example for example in found if example.split == "train" or _plain(example.text) not in learned]


def _plain(text: str) -> str:
    """Return letters and digits without links and names, as copies of a tweet share them; a few words stay as is."""
    plain = re.sub(r"[\W_]", "", re.sub(r"@\w+|https?\S*|\buser\b", "", text.lower()))
    return plain if len(plain) >= SHORTEST_COPY else text


def read_source(source: Source, data: Path) -> Iterator[Example]:
    """Yield the labelled texts of one file; rows without a text or with an unknown label are passed over."""
    path = data / source.path
    tabs = path.suffix == ".tsv"
    with path.open(encoding="utf-8", newline="") as stream:
        # Tweets hold quotation marks that close nowhere: in tab-separated files they mean nothing.
        rows = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE) if tabs else csv.DictReader(stream)
        found = {
            example.text: example for row in islice(rows, source.first, None) if (example := _example(source, row))
        }
    taken: Counter[tuple[str, int]] = Counter()
    for example in sorted(found.values(), key=lambda example: _place(example.text)):
        kind = (example.split, example.sentiment)
        taken[kind] += 1
        most = source.most_held_out if source.held_out and example.split == "validation" else source.most_each
        if taken[kind] <= most:
            yield example


def _example(source: Source, row: Mapping[str, str | None]) -> Example | None:
    text, label = (row.get(source.text) or "").strip()[:LONGEST_SAMPLE], source.labels.get(row.get(source.label) or "")
    if not text or label is None:
        return None
    held_out = _place("held out " + text) < source.held_out
    return Example(clean_one(text), label, source.lang, source.name, "validation" if held_out else source.split)


def _place(text: str) -> float:
    """Return a number from 0 to 1 that depends on the text alone: the same texts are held out on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:6], "big") / 2**48
