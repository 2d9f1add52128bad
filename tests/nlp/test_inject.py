"""Streams with planted subjects: what they say of themselves is so."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from groundswell.nlp.train import inject

WORDS = [
    f"{a}{b}" for a in ("refund", "lyrics", "voucher", "courier", "battery", "premium") for b in ("s", "ly", "er", "al")
]
NAMES = ["Bohol", "Sandy", "Boston", "Manila"]


def corpora(folder: Path) -> Path:
    """Write two corpora of one language: headlines without dates, and tweets that lend subjects."""
    rng = np.random.default_rng(2)
    headlines = folder / "corpora" / "clickbait" / "dev.csv"
    tweets = folder / "sentiment" / "en_semeval2013_16_train.tsv"
    for path in (headlines, tweets):
        path.parent.mkdir(parents=True, exist_ok=True)
    with headlines.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["headline"])
        writer.writerows([[f"{WORDS[rng.integers(24)]} story number {n} of the day"] for n in range(11_500)])
    with tweets.open("w", encoding="utf-8") as file:
        file.write("label\ttext\n")
        file.writelines(f"neutral\t{NAMES[n % 4]} people are helping each other {n}\n" for n in range(600))
    return folder


def read(folder: Path) -> tuple[dict[str, dict[str, str]], dict[str, object]]:
    """Return the documents by id, and the truth."""
    lines = [json.loads(line) for line in (folder / "IN.jsonl").read_text("utf-8").splitlines()]
    return {line["id"]: line for line in lines}, json.loads((folder / "TRUTH.json").read_text("utf-8"))


def test_what_was_planted_is_where_the_truth_says(tmp_path: Path) -> None:
    """Every id of an injection is in the stream, of its subject, and within a week of its start."""
    made = dict(inject.plant(corpora(tmp_path), tmp_path / "out", only=["headlines"]))
    assert set(made) == {"headlines_r", "headlines_s"}
    for name, size in made.items():
        documents, truth = read(tmp_path / "out" / name)
        assert len(documents) == size
        injections = truth["injections"]
        assert isinstance(injections, list)
        assert len(injections) >= 3
        for one in injections:
            word = one["subject"].rpartition(":")[2]
            start = datetime.fromisoformat(one["start"])
            assert len(one["ids"]) >= 3
            for own in one["ids"]:
                assert word.casefold() in documents[own]["text"].casefold()
                at = datetime.fromisoformat(documents[own]["published_at"])
                assert start <= at <= start + timedelta(days=inject.WEEK, hours=1)


def test_another_round_is_another_stream_and_leaves_the_first_as_it_was(tmp_path: Path) -> None:
    """More rounds put in other subjects at other hours; streams that were made before stay the same."""
    data = corpora(tmp_path)
    list(inject.plant(data, tmp_path / "one", only=["headlines"]))
    made = dict(inject.plant(data, tmp_path / "two", rounds=2, only=["headlines"]))
    assert set(made) == {"headlines_r", "headlines_s", "headlines_r1", "headlines_s1"}
    first, second = (read(tmp_path / "two" / name)[1]["injections"] for name in ("headlines_r", "headlines_r1"))
    assert read(tmp_path / "one" / "headlines_r") == read(tmp_path / "two" / "headlines_r")
    assert first != second


def test_planting_twice_gives_the_same(tmp_path: Path) -> None:
    """The streams depend on the corpora alone."""
    data = corpora(tmp_path)
    for out in ("one", "two"):
        list(inject.plant(data, tmp_path / out, only=["headlines"]))
    for name in ("headlines_r", "headlines_s"):
        assert read(tmp_path / "one" / name) == read(tmp_path / "two" / name)
