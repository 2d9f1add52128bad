"""Makes streams with known truth out of a folder of corpora: what ranking learns from beside real streams.

    python -m groundswell.nlp.train.inject DATA OUT [--rounds N] [--topics N] [--only NAME,…]

A background is a dated corpus as it came, or an undated one whose texts are given a calm clock of their own (week,
hour of day, slow drift, uneven days), so that whatever departs from its past was put there. Two things are put in: a
*new* subject, texts of a foreign corpus in the same language that share a rarer word; and a *swell*: half of the
texts with a word of the background's own are held back everywhere, and some are returned as a wave. Subjects are words
chosen by frequency, so nobody's taste is in them. Nothing of the texts ships with Groundswell.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from dateutil import parser as dates
from numpy.typing import NDArray

from groundswell.configs.topics import ANY, Topic, load_topics
from groundswell.nlp.signals.detect.groups import topics_of
from groundswell.nlp.signals.detect.terms import index_terms, pieces

HOUR, DAY = 3600.0, 86_400.0
FIRST = datetime(2024, 1, 1, tzinfo=UTC).timestamp()
"""When calm clocks begin."""
SHARES = (0.03, 0.06, 0.12)
LIFTS = (2, 3, 5)
PROFILES = {"step": (1.0, 1.0, 1.0, 1.0), "ramp": (0.33, 0.66, 1.0, 1.0, 0.66, 0.33)}
APART, BURN_IN, WEEK = 8, 21, 7
"""Days between two starts, days before the first, days after a start in which it may be found."""
FEWEST = 3
"""Documents a day that are put in at the peak, at least."""
SUBJECT = (30, 400)
"""Texts of a foreign corpus that have a subject's word, from and to."""
LONGEST_POST = 2000


@dataclass(frozen=True, slots=True)
class Corpus:
    """A file of texts, with times or without, and how many a day a calm clock deals out."""

    name: str
    lang: str
    path: str
    text: str
    at: str = ""
    since: str = ""
    daily: int = 0


CORPORA = (
    Corpus("netflix_early", "en", "corpora/netflix_en_2024/reviews.csv", "content", "at", "2024-03-20"),
    Corpus("hn_early", "en", "corpora/hackernews_2006_15/stories.csv", "title", "at", "2013-01-01"),
    Corpus("chatgpt", "en", "corpora/chatgpt_ios_2023/reviews.csv", "review", "date"),
    Corpus("shopee", "id", "corpora/marketplaces_id_2026/shopee.csv", "content", daily=110),
    Corpus("threads", "en", "corpora/threads_en_2023/reviews_part1.csv", "content", daily=100),
    Corpus("headlines", "en", "corpora/clickbait/dev.csv", "headline", daily=110),
    Corpus("tweets", "en", "sentiment/en_semeval2013_16_train.tsv", "text", daily=120),
    Corpus("thai", "th", "sentiment/th_wisesight.tsv", "text", daily=110),
    Corpus("meals", "zh", "corpora/chinese_waimai/waimai_10k.csv", "review", daily=110),
    Corpus("posts", "id", "sentiment/id_smsa_train.tsv", "text", daily=100),
)
FOREIGN = (
    Corpus("weibo", "zh", "corpora/weibo_ced_zh/comments_sample_dev.csv", "text"),
    Corpus("hotstar", "en", "corpora/streaming_en_2024/disney_hotstar.csv", "content"),
    Corpus("crises", "en", "corpora/crisislex_t6/2012_Sandy_Hurricane.csv", "text"),
    Corpus("complaints", "en", "corpora/complaints_twitter/dev.csv", "text"),
    Corpus("tokopedia", "id", "corpora/marketplaces_id_2026/tokopedia.csv", "content"),
    Corpus("x_id", "id", "corpora/x_id_2018_25/dev.csv", "content"),
)
"""Corpora that only lend subjects."""
LIVELY = (
    Corpus("spotify24", "id", "corpora/spotify_id_2024/*.csv", "content", "at"),
    Corpus("tokopedia", "id", "corpora/marketplaces_id_2026/tokopedia.csv", "content", "at"),
    Corpus("hotstar", "en", "corpora/streaming_en_2024/disney_hotstar.csv", "content", "at"),
    Corpus("netflix", "en", "corpora/streaming_en_2024/netflix.csv", "content", "at"),
    Corpus("hn_dev", "en", "corpora/hackernews_2015_16/*.csv", "title", "at"),
)
"""Dated corpora in which only standing topics are made to swell."""
TOPICS, SPOKEN = 14, 0.45
"""Standing topics of a stream, and the least share of a topic's words that swells: people seldom use all of them."""
DAYS = 100
"""How long a calm clock runs."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts and their times (seconds since 1970), ascending."""

    texts: Sequence[str]
    at: NDArray[np.float64]


def read(corpus: Corpus, data: Path) -> Iterator[tuple[str, float]]:
    """Yield each text once with its time, 0 where the corpus gives none; rows that cannot be dated are passed over."""
    csv.field_size_limit(sys.maxsize)
    seen: set[str] = set()
    for path in sorted(data.glob(corpus.path)):
        for row in _rows(path):
            text, at = (row[corpus.text] or "").strip()[:LONGEST_POST], _seconds(row, corpus)
            if text and text not in seen and at is not None:
                seen.add(text)
                yield text, at


def _rows(path: Path) -> Iterator[Mapping[str, str | None]]:
    tabs = path.suffix == ".tsv"
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if tabs else csv.DictReader(file)


def _seconds(row: Mapping[str, str | None], corpus: Corpus) -> float | None:
    if not corpus.at:
        return 0.0
    try:
        moment = dates.parse(row[corpus.at] or "")
    except (ValueError, OverflowError):
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return moment.timestamp() if moment.isoformat() >= corpus.since else None


def background(corpus: Corpus, data: Path, dice: np.random.Generator) -> Texts:
    """Return the corpus in order of time, on its own clock or on a calm one."""
    rows = list(read(corpus, data))
    if corpus.at:
        rows.sort(key=lambda row: row[1])
        return Texts([text for text, _ in rows], np.array([at for _, at in rows]))
    at = calm_clock(corpus.daily, dice)[: len(rows)]
    chosen = dice.permutation(len(rows))[: len(at)]
    return Texts([rows[k][0] for k in chosen], at[: len(chosen)])


def calm_clock(daily: int, dice: np.random.Generator) -> NDArray[np.float64]:
    """Return times over `DAYS`: busier on some weekdays and hours, drifting slowly, uneven from day to day."""
    week = np.exp(dice.normal(0, 0.15, 7))
    hours = np.exp(0.9 * np.sin((np.arange(24) - dice.uniform(0, 24)) / 24 * 2 * np.pi))
    drift = np.exp(np.cumsum(dice.normal(0, 0.03, DAYS)))
    mean = daily * week[np.arange(DAYS) % 7] * drift / drift.mean() * np.exp(dice.normal(0, 0.15, DAYS))
    times = [
        FIRST + day * DAY + dice.choice(24, count, p=hours / hours.sum()) * HOUR + dice.uniform(0, HOUR, count)
        for day, count in enumerate(dice.poisson(mean))
    ]
    return np.sort(np.concatenate(times))


def subjects(texts: Sequence[str], low: int, high: int) -> dict[str, list[int]]:
    """Return words that `low` to `high` texts have, with their texts by number; no text belongs to two."""
    words = [set(pieces(text)) for text in texts]
    counts = Counter(word for held in words for word in held if len(word) > 1 and not word.isdigit())
    owner = [
        min((w for w in held if low <= counts[w] <= high), key=lambda w: (counts[w], w), default="") for held in words
    ]
    found: dict[str, list[int]] = {}
    for number, word in enumerate(owner):
        if word:
            found.setdefault(word, []).append(number)
    return {word: numbers for word, numbers in found.items() if len(numbers) >= low}


@dataclass(slots=True)
class Stream:
    """A stream in the making: rows ``(time, text, number of the injection or -1)`` and what was put in."""

    name: str
    rows: list[tuple[float, str, int]]
    truth: list[dict[str, Any]]


def starts(at: NDArray[np.float64], dice: np.random.Generator) -> Iterator[float]:
    """Yield a random hour every `APART` days, from `BURN_IN` days on."""
    day = at[0] // DAY * DAY + BURN_IN * DAY
    while day + (WEEK + 1) * DAY <= at[-1]:
        yield day + int(dice.integers(24)) * HOUR
        day += APART * DAY


def spread(  # noqa: PLR0917  rows in the making
    texts: Sequence[str], need: Sequence[int], start: float, past: NDArray[np.float64], dice: np.random.Generator,
    number: int,
) -> Iterator[tuple[float, str, int]]:  # fmt: skip
    """Yield rows: so many texts on each day after the start, at the times of day at which the stream's `past` came."""
    left = iter(texts)
    for day, count in enumerate(need):
        begin = start + day * DAY
        moments = (dice.choice(past, count) - begin) % DAY + dice.uniform(0, 300, count)
        for moment in np.sort(np.minimum(moments, DAY - 1)):
            text = next(left, None)
            if text is not None:
                yield begin + float(moment), text, number


def with_new(name: str, base: Texts, pool: Mapping[str, list[str]], dice: np.random.Generator) -> Stream:
    """Return the background with foreign subjects put in, one every `APART` days."""
    stream = Stream(name, [(float(t), text, -1) for t, text in zip(base.at, base.texts, strict=True)], [])
    words = [str(word) for word in dice.permutation(sorted(pool))]
    for start, word in zip(starts(base.at, dice), words, strict=False):
        past = base.at[(base.at < start) & (base.at >= start - 14 * DAY)]
        if not len(past):
            continue
        daily = len(past) / 14
        share, profile = float(dice.choice(SHARES)), str(dice.choice(sorted(PROFILES)))
        peak = max(FEWEST, round(daily * share))
        need = [max(1, round(peak * weight)) for weight in PROFILES[profile]]
        chosen = [pool[word][k] for k in dice.permutation(len(pool[word]))]
        cell = f"{share:.0%}" if daily * share * 1.34 > peak else "thin (3/day)"
        stream.truth.append({"start": _iso(start), "share": share, "profile": profile, "cell": cell, "subject": word})
        stream.rows += spread(chosen, need, start, past, dice, len(stream.truth) - 1)
    return stream


def of_words(base: Texts) -> dict[str, list[int]]:
    """Return the background's own subjects: single words of middling frequency, with their texts by number."""
    days = max(1.0, (base.at[-1] - base.at[0]) / DAY)
    return subjects(base.texts, int(max(60, 0.6 * days)), int(max(600, 8 * days)))


def of_topics(base: Texts, lang: str, topics: Sequence[Topic], dice: np.random.Generator) -> dict[str, list[int]]:
    """Return some standing topics, by some of their words, with their texts by number; no text belongs to two."""
    spoken = [topic for topic in topics if topic.spoken(lang)]
    chosen = [spoken[k] for k in dice.permutation(len(spoken))[:TOPICS]]
    partly = [Topic(id=topic.id, title=topic.title, words={ANY: _some(topic.spoken(lang), dice)}) for topic in chosen]
    has, vocabulary = index_terms(base.texts)
    members = topics_of(has, vocabulary, [lang] * len(base.texts), partly)
    owner = np.full(len(base.texts), -1)
    for k in reversed(range(len(partly))):
        owner[members[k]] = k
    return {topic.id: np.flatnonzero(owner == k).tolist() for k, topic in enumerate(partly)}


def _some(words: Sequence[str], dice: np.random.Generator) -> tuple[str, ...]:
    count = max(1, round(len(words) * float(dice.uniform(SPOKEN, 1))))
    return tuple(words[k] for k in sorted(dice.permutation(len(words))[:count]))


def with_swells(name: str, base: Texts, found: Mapping[str, list[int]], dice: np.random.Generator) -> Stream:
    """Return the background thinned of half of its subjects, with some of that given back as waves of four days."""
    held = {k for numbers in found.values() for k in numbers if dice.random() < 0.5}
    stream = Stream(name, [(float(base.at[k]), base.texts[k], -1) for k in range(len(base.at)) if k not in held], [])
    words = [str(word) for word in dice.permutation(sorted(found))]
    own = {word: np.array([base.at[k] for k in found[word] if k not in held]) for word in words}
    for start in starts(base.at, dice):
        lift = int(dice.choice(LIFTS))
        for word in words:
            past = own[word][(own[word] < start) & (own[word] >= start - 14 * DAY)]
            need = max(FEWEST, round(len(past) / 14 * (lift - 1)))
            pool = [base.texts[k] for k in found[word] if k in held]
            if len(past) >= 7 and len(pool) >= 4 * need:
                break
        else:
            continue
        words.remove(word)
        chosen = [pool[k] for k in dice.permutation(len(pool))]
        about = {"start": _iso(start), "share": lift, "profile": "swell", "cell": f"x{lift}", "subject": word}
        end = start + WEEK * DAY
        texts = {base.texts[k] for k in found[word] if k not in held and start <= base.at[k] <= end}
        stream.truth.append({**about, "own": sorted(texts)})
        stream.rows += spread(chosen, [need] * 4, start, past, dice, len(stream.truth) - 1)
    return stream


def write(stream: Stream, folder: Path, background: str, lang: str) -> int:
    """Write IN.jsonl and TRUTH.json; return how many documents."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = sorted(stream.rows, key=lambda row: row[0])
    ids = [hashlib.sha1(f"{stream.name}\x1f{k}\x1f{row[1]}".encode()).hexdigest()[:12] for k, row in enumerate(rows)]  # noqa: S324  a name, no secret
    truth = [{**item, "ids": []} for item in stream.truth]
    own = {text: number for number, item in enumerate(truth) for text in item.pop("own", [])}
    with (folder / "IN.jsonl").open("w", encoding="utf-8") as file:
        for one, (at, text, number) in zip(ids, rows, strict=True):
            home = own.get(text, -1)
            # A swell is what was given back and what the subject brought by itself in those days.
            about = number if number >= 0 else home if home >= 0 and _within(at, truth[home]) else -1
            if about >= 0:
                truth[about]["ids"].append(one)
            row = {"id": one, "text": text, "published_at": _iso(at), "lang": lang}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    truths = {
        "stream": stream.name, "background": background, "score_from": _iso(rows[0][0] + BURN_IN * DAY),
        "last": _iso(rows[-1][0]), "injections": truth, "events": [],
    }  # fmt: skip
    (folder / "TRUTH.json").write_text(json.dumps(truths, ensure_ascii=False, indent=1), encoding="utf-8")
    return len(rows)


def _within(at: float, item: Mapping[str, Any]) -> bool:
    start = datetime.fromisoformat(item["start"]).timestamp()
    return start <= at <= start + WEEK * DAY


def _iso(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).isoformat()


def foreign(corpus: Corpus, data: Path) -> dict[str, list[str]]:
    """Return subjects of other corpora in the language of one."""
    pool: dict[str, list[str]] = {}
    for other in (*CORPORA, *FOREIGN):
        if other.lang == corpus.lang and other.name != corpus.name and any(data.glob(other.path)):
            texts = [
                text
                for text, _ in read(Corpus(other.name, other.lang, other.path, other.text), data)
                if len(text) >= 20
            ]
            for word, numbers in subjects(texts, *SUBJECT).items():
                pool[f"{other.name}:{word}"] = [texts[k] for k in numbers]
    return pool


def wanted(corpora: Sequence[Corpus], data: Path, only: Sequence[str]) -> Iterator[Corpus]:
    """Yield the corpora that are in the data folder, of those named, or of all."""
    return (one for one in corpora if (not only or one.name in only) and any(data.glob(one.path)))


def plant(data: Path, out: Path, rounds: int = 1, only: Sequence[str] = ()) -> Iterator[tuple[str, int]]:
    """Write streams, `rounds` times two for each background: new subjects, and swells; yield name and size."""
    for corpus in wanted(CORPORA, data, only):
        pool = foreign(corpus, data)
        for n in range(rounds):
            dice = np.random.default_rng([7, *([n] if n else []), *corpus.name.encode()])
            base, number = background(corpus, data, dice), n or ""
            for stream in (
                with_new(f"{corpus.name}_r{number}", base, pool, dice),
                with_swells(f"{corpus.name}_s{number}", base, of_words(base), dice),
            ):
                yield stream.name, write(stream, out / stream.name, corpus.name, corpus.lang)


def plant_topics(data: Path, out: Path, rounds: int, only: Sequence[str] = ()) -> Iterator[tuple[str, int]]:
    """Write streams in which standing topics swell, `rounds` for each background; yield name and size."""
    topics = load_topics()
    for corpus in wanted((*LIVELY, *CORPORA), data, only):
        base = background(corpus, data, np.random.default_rng([7, *corpus.name.encode()]))
        for n in range(rounds):
            dice = np.random.default_rng([9, n, *corpus.name.encode()])
            name = f"{corpus.name}_t{n}"
            stream = with_swells(name, base, of_topics(base, corpus.lang, topics, dice), dice)
            yield name, write(stream, out / name, corpus.name, corpus.lang)


def main() -> None:
    """Make the streams."""
    parser = argparse.ArgumentParser(description="Make streams with known truth out of corpora.")
    parser.add_argument("data", type=Path, help="folder with sentiment/ and corpora/")
    parser.add_argument("out", type=Path)
    parser.add_argument("--rounds", type=int, default=1, help="how often each background is used, each time otherwise")
    parser.add_argument("--topics", type=int, default=0, help="instead, so many streams each with swelling topics")
    parser.add_argument("--only", default="", help="names of backgrounds, with commas between")
    options = parser.parse_args()
    only = [one for one in options.only.split(",") if one]
    made = plant_topics(options.data, options.out, options.topics, only) if options.topics else None
    for name, size in made or plant(options.data, options.out, options.rounds, only):
        print(f"{name}: {size:,} documents")  # noqa: T201  a command


if __name__ == "__main__":
    main()
