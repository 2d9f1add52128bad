"""How early and how rarely false alerts are, beside daily terms, BERTopic and BERTrend's rule on the same embeddings.

    python bench/alerts.py STREAM… [--only ours,terms,…] [--keep FOLDER]

A STREAM is a folder with ``IN.jsonl`` (id, text, published_at) and ``TRUTH.json`` (score_from, last, injections,
events), as `python -m groundswell.nlp.train.inject` makes them. Every detector reads the same texts and vectors in
the same run. A hit: an alert within seven days of a start, half of whose documents up to then are of that injection;
one of a recorded event is neither hit nor false; all else is false. A detector's theme counts once in seven days. Of
each detector the threshold with the most hits at ≤ 1 false alert a week a stream is shown, one for all streams: an
oracle, the same courtesy to each. With ``--keep`` alerts are put aside and read again, so that runs may be cut up.

The peers are read kindly. *Daily terms*: words and pairs against an exponentially weighted mean (half-life 14 days).
*BERTopic*: its defaults, fitted once on the whole stream, future and all; a topic's day against its 28 days before,
by volume. *BERTrend*: its published rule (Boutaleb et al. 2024) on slices of two days, by the numbers of its code: UMAP
and HDBSCAN as its BERTopic has them, topics merged at cosine ≥ .7 (from the stream's mean: e5 knows no lower cosine),
popularity that decays by exp(−.01 k²), and a topic is told of when it is above the tenth percentile and rises, the
stronger the steeper (weak and strong signals alike; its own percentiles would rank the steady topics first).
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.configs.load import load_settings
from groundswell.configs.schema import ModelSettings, SqliteSettings
from groundswell.index.records import Document, Enriched, Mention, Sentiment, Signal
from groundswell.nlp.model.model import load_model
from groundswell.nlp.model.vector_cache import encode
from groundswell.nlp.replay.backtest import read, replay
from groundswell.nlp.signals.departures import GROWS, KEPT
from groundswell.nlp.signals.detect.detect import detect as detecting
from groundswell.nlp.signals.detect.rank import kind_of, load_ranking
from groundswell.nlp.text.document_text import document_texts
from groundswell.nlp.train.ranking import hours

Vectors = NDArray[np.float32]
DAY, WEEK = 24.0, 168.0
BUDGETS = (0.25, 0.5, 1.0, 2.0, 7.0)
HALF_LIFE, WARM, LEAST_TERM, LEAST_Z = 14, 14, 5, 1.5
HISTORY = 28
SLICE, MERGE, DECAY, LOW, FORGOTTEN = 2, 0.7, 0.01, 10, 0.1
WORD = re.compile(r"[^\W_][\w']{2,}")
CELLS = ("3%", "6%", "12%", "thin (3/day)", "x2", "x3", "x5")


@dataclass(frozen=True, slots=True)
class Alert:
    """What a detector said at an hour (since 1970), and how strongly; `documents` by position."""

    at: float
    theme: str
    strength: float
    documents: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Stream:
    """Documents in order of time; `hours` since 1970, `vectors` ``(n, 384)``, and what was put in."""

    name: str
    documents: Sequence[Document]
    texts: Sequence[str]
    ids: Sequence[str]
    hours: NDArray[np.float64]
    vectors: Vectors
    truth: Mapping[str, Any]

    @property
    def days(self) -> NDArray[np.int64]:
        """Return the day of each document, counted from the first."""
        days: NDArray[np.int64] = (self.hours // DAY - self.hours[0] // DAY).astype(np.int64)
        return days

    def end_of(self, day: int) -> float:
        """Return the hour at which a day is over."""
        return float((self.hours[0] // DAY + day + 1) * DAY)

    @property
    def weeks(self) -> float:
        """Return how long the scored part is."""
        return (hours(self.truth["last"]) - hours(self.truth["score_from"])) / WEEK


Detector = Callable[[Stream], list[Alert]]


def open_stream(folder: Path) -> Stream:
    """Return a stream, encoded by the default model."""
    lines, _, _ = read(folder / "IN.jsonl")
    mentions = sorted(((line.mention, str(line.given)) for line in lines), key=lambda x: (x[0].fetched_at, x[1]))
    texts = document_texts([mention for mention, _ in mentions])
    vectors = encode(load_model(ModelSettings()), texts)
    documents = [document(mention, vector) for (mention, _), vector in zip(mentions, vectors, strict=True)]
    at = np.array([mention.fetched_at.timestamp() / 3600 for mention, _ in mentions])
    truth = json.loads((folder / "TRUTH.json").read_text(encoding="utf-8"))
    return Stream(folder.name, documents, texts, [given for _, given in mentions], at, vectors, truth)


def document(mention: Mention, vector: Vectors) -> Document:
    """Return a mention with its vector, and nothing else known about it."""
    unknown = Sentiment(label="unsure", negative=0.0, neutral=1.0, positive=0.0)
    known = Enriched(id=mention.id, lang=mention.lang, sentiment=unknown, made_by="bench", vector=vector)
    return Document(mention=mention, enriched=known)


# Ours


@lru_cache(maxsize=1)
def replayed(stream: Stream) -> Sequence[Signal]:
    """Return all candidates as `groundswell backtest` finds them, fired or not."""
    with tempfile.TemporaryDirectory() as home:
        settings = load_settings().model_copy(update={"data_dir": Path(home), "store": SqliteSettings()})
        mentions = [document.mention for document in stream.documents]
        return replay(mentions, settings, load_model(ModelSettings()), themes=False)[0]


def ours(stream: Stream, *, learnt: bool = True, standing: bool = True, fired: bool = False) -> list[Alert]:
    """Return our candidates.

    Args:
        stream: what was heard.
        learnt: ranked by what was learnt, not by their own statistic.
        standing: with standing topics, and without follow-ups: they are told within the alert that they follow.
        fired: only what the shipped policy fires.
    """
    place = {doc.id: k for k, doc in enumerate(stream.documents)}
    return [
        Alert(
            s.at.timestamp() / 3600,
            s.subject,
            s.strength if learnt else s.statistic,
            tuple(place[one] for one in s.evidence),
        )
        for s in replayed(stream)
        if (s.held_by != "follow-up" if standing else not s.standing) and (s.fired or not fired)
    ]


def part_of_ours(stream: Stream, *, share: float, ways: Sequence[str]) -> list[Alert]:
    """Return candidates of some ways to form groups; the ranking is the shipped one."""
    read_as = detecting.Stream(
        stream.ids, stream.texts, stream.hours, stream.vectors, np.ones(len(stream.texts), np.bool_)
    )
    found = detecting.detect(read_as, share=share, ways=ways)
    strengths = load_ranking().strengths(found.numbers, kind_of(found.numbers))
    best: dict[int, float] = {}
    alerts = []
    for candidate, strength in zip(found.found, strengths.tolist(), strict=True):
        if strength >= max(KEPT, best.get(candidate.subject, -np.inf) + GROWS):
            best[candidate.subject] = strength
            alerts.append(Alert(candidate.at, str(candidate.subject), strength, tuple(candidate.documents.tolist())))
    return alerts


# Daily terms


def daily_terms(stream: Stream) -> list[Alert]:
    """Return terms whose day stands out of an exponentially weighted mean and variance of their share."""
    rate = 1 - 0.5 ** (1 / HALF_LIFE)
    mean: dict[str, float] = defaultdict(float)
    spread: dict[str, float] = defaultdict(float)
    alerts = []
    for day, rows in by_day(stream):
        holders, n = holders_of(stream, rows), len(rows)
        if day >= WARM:
            alerts += [
                Alert(stream.end_of(day), term, z, tuple(sorted(held)))
                for term, held, z in outstanding(holders, n, mean, spread)
            ]
        for term in mean.keys() | holders.keys():
            off = len(holders.get(term, ())) / n - mean[term]
            mean[term] += rate * off
            spread[term] = (1 - rate) * (spread[term] + rate * off * off)
        for term in [t for t, m in mean.items() if m < 1e-4 and t not in holders]:
            del mean[term], spread[term]
    return alerts


def by_day(stream: Stream) -> Iterator[tuple[int, list[int]]]:
    """Yield each day of three documents or more with their positions."""
    days = stream.days
    for day in np.unique(days).tolist():
        rows = np.flatnonzero(days == day).tolist()
        if len(rows) >= 3:
            yield day, rows


def holders_of(stream: Stream, rows: Sequence[int]) -> dict[str, set[int]]:
    """Return which documents hold each word and pair of words."""
    holders: dict[str, set[int]] = defaultdict(set)
    for k in rows:
        said = WORD.findall(stream.texts[k].lower())
        for term in {*said, *(f"{a} {b}" for a, b in itertools.pairwise(said))}:
            holders[term].add(k)
    return holders


def outstanding(
    holders: Mapping[str, set[int]], n: int, mean: Mapping[str, float], spread: Mapping[str, float]
) -> Iterator[tuple[str, set[int], float]]:
    """Yield (term, holders, z), strongest first, without those that tell of the same documents."""
    scored = []
    for term, held in holders.items():
        if len(held) >= LEAST_TERM:
            usual, wide = mean.get(term, 0.0), spread.get(term, 0.0)
            scored.append(((len(held) - n * usual) / np.sqrt(n * usual + n * n * wide + 1), term))
    told: list[set[int]] = []
    for z, term in sorted(scored, reverse=True):
        held = holders[term]
        if z < LEAST_Z:
            return
        if not any(len(held & other) > 0.3 * len(held | other) for other in told):
            told.append(held)
            yield term, held, float(z)


# BERTopic


def bertopic_with_hindsight(stream: Stream) -> list[Alert]:
    """Return days of BERTopic's topics that stand out of the 28 days before; topics are made with the future known."""
    from bertopic import BERTopic
    from bertopic.backend import BaseEmbedder
    from umap import UMAP

    reduced = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=0)
    model = BERTopic(embedding_model=BaseEmbedder(), umap_model=reduced)
    topics, _ = model.fit_transform(list(stream.texts), embeddings=np.asarray(stream.vectors, np.float64))
    days, of = stream.days, np.asarray(topics)
    counts = np.zeros((int(of.max()) + 1, int(days.max()) + 1))
    np.add.at(counts, (of[of >= 0], days[of >= 0]), 1)
    volume = np.bincount(days, minlength=counts.shape[1])
    return [
        Alert(stream.end_of(day), str(topic), z, tuple(np.flatnonzero((of == topic) & (days == day)).tolist()))
        for day in range(WARM, counts.shape[1])
        for topic, z in poisson_z(counts, volume, day)
    ]


def poisson_z(counts: NDArray[np.float64], volume: NDArray[np.int64], day: int) -> Iterator[tuple[int, float]]:
    """Yield (topic, z) of those with three documents or more on a day."""
    before = slice(max(day - HISTORY, 0), day)
    usual = counts[:, before].sum(1) / max(volume[before].sum(), 1) * volume[day]
    z = (counts[:, day] - usual) / np.sqrt(usual + 1)
    yield from ((int(k), float(z[k])) for k in np.flatnonzero((counts[:, day] >= 3) & (z >= LEAST_Z)))


# BERTrend


@dataclass(slots=True)
class Trend:
    """A topic that goes on: its first vector (never renewed, as in BERTrend), popularity, and latest documents."""

    vector: NDArray[np.float64]
    popularity: float
    rows: list[int]
    idle: int = 0
    before: float = 0.0


def bertrend(stream: Stream) -> list[Alert]:
    """Return topics above the tenth percentile of popularity that rise, slice by slice."""
    trends: list[Trend] = []
    alerts: list[Alert] = []
    days = stream.days
    for start in range(0, int(days.max()) + 1, SLICE):
        rows = np.flatnonzero((days >= start) & (days < start + SLICE))
        for trend in trends:
            trend.before, trend.idle = trend.popularity, trend.idle + 1
        joined = merge_slice(trends, rows, stream.vectors)
        for trend in trends:
            trend.popularity *= float(np.exp(-DECAY * trend.idle**2))  # idle is 0 where it had documents
        if start >= WARM:
            alerts += [
                Alert(stream.end_of(start + SLICE - 1), str(k), strength, tuple(trends[k].rows))
                for k, strength in rising(trends, joined)
            ]
    return alerts


def rising(trends: Sequence[Trend], joined: set[int]) -> Iterator[tuple[int, float]]:
    """Yield those above the tenth percentile that rose, and by how much: the rule names classes, but ranks nothing."""
    levels = [trend.popularity for trend in trends if trend.popularity > FORGOTTEN]
    low = np.percentile(levels, LOW) if levels else 0.0
    for k in sorted(joined):
        trend = trends[k]
        if trend.popularity > max(low, trend.before):
            yield k, (trend.popularity - trend.before) / float(np.sqrt(trend.before + 1))


def sliced_topics(vectors: Vectors) -> NDArray[np.int64]:
    """Return topics of a slice as BERTrend's BERTopic makes them (its keywords do not matter here); -1 outside."""
    from hdbscan import HDBSCAN
    from umap import UMAP

    if len(vectors) < 12:
        return np.full(len(vectors), -1)
    reduced = UMAP(n_neighbors=5, n_components=5, min_dist=0.0, metric="cosine", random_state=42).fit_transform(vectors)
    labels: NDArray[np.int64] = HDBSCAN(min_cluster_size=2, min_samples=1).fit_predict(reduced)
    return labels


def merge_slice(trends: list[Trend], rows: NDArray[np.int64], vectors: Vectors) -> set[int]:
    """Add a slice's topics to the nearest trends, or begin new ones; return which had documents."""
    joined: set[int] = set()
    if not len(rows):
        return joined
    mean, known = vectors[: rows[-1] + 1].mean(0), list(trends)
    labels = sliced_topics(vectors[rows])
    for label in np.unique(labels[labels >= 0]):
        mine = rows[labels == label]
        vector = unit((vectors[mine] - mean).mean(0).astype(np.float64))
        likes = np.array([trend.vector @ vector for trend in known])
        home = int(likes.argmax()) if len(likes) and likes.max() >= MERGE else len(trends)
        if home == len(trends):
            trends.append(Trend(vector, 0.0, []))
        trend = trends[home]
        trend.rows = [*(trend.rows if home in joined else []), *mine.tolist()]
        trend.popularity, trend.idle = trend.popularity + len(mine), 0
        joined.add(home)
    return joined


def unit(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the vector in unit length."""
    out: NDArray[np.float64] = x / max(float(np.linalg.norm(x)), 1e-12)
    return out


DETECTORS: Mapping[str, tuple[str, Detector]] = {
    "ours": ("ours", ours),
    "fired": ("ours, what the shipped budget fires", partial(ours, fired=True)),
    "plain": ("ours, ranked by its statistic, nothing learnt", partial(ours, learnt=False, standing=False)),
    "both": ("ours, words and vectors, no standing topics", partial(ours, standing=False)),
    "words": ("ours, words alone", partial(part_of_ours, share=0.0, ways=("ball", "term", "stem"))),
    "vectors": ("ours, vectors alone", partial(part_of_ours, share=1.0, ways=("ball", "meaning"))),
    "terms": ("daily terms", daily_terms),
    "bertopic": ("BERTopic over time, with hindsight", bertopic_with_hindsight),
    "bertrend": ("BERTrend's rule", bertrend),
}


# Judging


@dataclass(frozen=True, slots=True)
class Judged:
    """A stream's alerts after the burn-in, in order, with what each was about: an injection, -1 false, -2 an event."""

    stream: Stream
    alerts: Sequence[Alert]
    about: Sequence[int]


def judge(stream: Stream, alerts: Sequence[Alert]) -> Judged:
    """Return the alerts after the burn-in with what each was about."""
    start = hours(stream.truth["score_from"])
    kept = sorted((a for a in alerts if a.at >= start), key=lambda a: (a.at, -a.strength))
    injections = [(hours(i["start"]), frozenset(i["ids"])) for i in stream.truth["injections"]]
    events = [
        (hours(e["day"]), hours(e["until"]) + DAY, frozenset(e["ids"]))
        for e in stream.truth["events"]
        if e.get("kind") != "negative"
    ]
    about = []
    for alert in kept:
        past = [stream.ids[k] for k in alert.documents if stream.hours[k] <= alert.at]
        about.append(subject_of(past, alert.at, injections, events))
    return Judged(stream, kept, about)


def subject_of(
    past: Sequence[str], at: float, injections: Sequence[tuple[float, frozenset[str]]],
    events: Sequence[tuple[float, float, frozenset[str]]],
) -> int:  # fmt: skip
    """Return the injection that half of the documents are of, -2 for an event, -1 for neither or too late."""
    half = 0.5 * max(len(past), 1)
    for k, (start, ids) in enumerate(injections):
        if sum(one in ids for one in past) >= half:
            return k if start <= at <= start + WEEK else -1
    for start, until, ids in events:
        if start <= at <= until and sum(one in ids for one in past) >= half:
            return -2
    return -1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one threshold gives: hits and trials by cell, delays in hours, false alerts a week, hits told of again."""

    hits: Mapping[str, int]
    trials: Mapping[str, int]
    delays: Sequence[float]
    false: float
    worst: float
    again: int

    @property
    def found(self) -> int:
        """Return all hits."""
        return sum(self.hits.values())


def outcome(judged: Sequence[Judged], threshold: float) -> Outcome:
    hits: dict[str, int] = defaultdict(int)
    trials: dict[str, int] = defaultdict(int)
    delays: list[float] = []
    rates, again = [], 0
    for each in judged:
        injections = each.stream.truth["injections"]
        first, false, repeats = told(each, threshold)
        again += repeats
        rates.append(false)
        for k, injection in enumerate(injections):
            trials[injection["cell"]] += 1
            if k in first:
                hits[injection["cell"]] += 1
                delays.append(first[k] - hours(injection["start"]))
    weeks = [each.stream.weeks for each in judged]
    worst = max(rate / w for rate, w in zip(rates, weeks, strict=True))
    return Outcome(hits, trials, delays, sum(rates) / sum(weeks), worst, again)


def told(judged: Judged, threshold: float) -> tuple[dict[int, float], int, int]:
    """Return when each injection was first told of, the count of false alerts, and of repeats; a theme once a week."""
    last: dict[str, float] = {}
    first: dict[int, float] = {}
    false = repeats = 0
    for alert, about in zip(judged.alerts, judged.about, strict=True):
        if alert.strength < threshold or alert.at - last.get(alert.theme, -np.inf) < WEEK:
            continue
        last[alert.theme] = alert.at
        false += about == -1
        repeats += about in first
        if about >= 0:
            first.setdefault(about, alert.at)
    return first, false, repeats


def curve(judged: Sequence[Judged]) -> list[tuple[float, Outcome]]:
    """Return outcomes at up to 120 thresholds, and at one that nothing reaches."""
    strengths = [a.strength for each in judged for a in each.alerts]
    grid = np.unique(np.quantile(strengths, 1 - np.logspace(0, -3.5, 120))) if strengths else np.zeros(0)
    return [(t, outcome(judged, t)) for t in [*grid.tolist(), np.inf]]


def best(outcomes: Sequence[tuple[float, Outcome]], budget: float) -> tuple[float, Outcome]:
    """Return the threshold with the most hits within a budget of false alerts a week."""
    return max(((t, o) for t, o in outcomes if o.false <= budget), key=lambda x: (x[1].found, x[0]))


def wilson(k: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the Wilson interval of a share."""
    p, d = k / n, 1 + z * z / n
    middle, half = (p + z * z / 2 / n) / d, z * np.sqrt(p * (1 - p) / n + z * z / 4 / n / n) / d
    return float(middle - half), float(middle + half)


def show(results: Mapping[str, Sequence[Judged]]) -> None:
    """Print the table at one false alert a week, and recall against false alerts a week."""
    curves = {name: curve(judged) for name, judged in results.items()}
    trials = next(iter(curves.values()))[-1][1].trials
    cells = [cell for cell in CELLS if cell in trials]
    head(
        "at ≤ 1 false alert a week", *cells, "all [Wilson 95 %]", "delay, median", "false a week (worst)", "told again"
    )
    for name, outcomes in curves.items():
        row(DETECTORS[name][0], *figures(best(outcomes, 1.0)[1], cells))
    n = sum(trials.values())
    head("recall at ≤ … false alerts a week", *(f"{budget:g}" for budget in BUDGETS))
    for name, outcomes in curves.items():
        row(DETECTORS[name][0], *(f"{best(outcomes, budget)[1].found / n:.2f}" for budget in BUDGETS))


def figures(o: Outcome, cells: Sequence[str]) -> Iterator[str]:
    """Yield the cells of a row."""
    n = sum(o.trials.values())
    low, high = wilson(o.found, n)
    yield from (f"{o.hits.get(cell, 0)}/{o.trials[cell]}" for cell in cells)
    yield f"{o.found / n:.2f} [{low:.2f}–{high:.2f}]"
    yield f"{np.median(o.delays):.0f} h" if o.delays else "–"
    yield f"{o.false:.2f} ({o.worst:.1f})"
    yield f"{o.again / (o.again + o.found):.2f}" if o.found else "–"


def head(*names: str) -> None:
    """Print the head of a table."""
    print()
    row(*names)
    print("|---" * len(names) + "|")


def row(*fields: str) -> None:
    """Print a row of a table."""
    print(f"| {' | '.join(fields)} |")


def run(name: str, stream: Stream, keep: Path | None) -> list[Alert]:
    """Return a detector's alerts, from where they were put aside if they were."""
    aside = keep / f"{stream.name}.{name}.json" if keep else None
    if aside and aside.exists():
        return [Alert(**{**one, "documents": tuple(one["documents"])}) for one in json.loads(aside.read_text())]
    alerts = DETECTORS[name][1](stream)
    if aside:
        aside.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps([asdict(alert) for alert in alerts]))
    return alerts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("streams", type=Path, nargs="+")
    parser.add_argument("--only", default=",".join(DETECTORS))
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    results: dict[str, list[Judged]] = {name: [] for name in given.only.split(",")}
    for folder in given.streams:
        stream = open_stream(folder)
        for name, judged in results.items():
            judged.append(judge(stream, run(name, stream, given.keep)))
            print(f"{stream.name}: {name} {len(judged[-1].alerts)}", flush=True)
    show(results)


if __name__ == "__main__":
    main()
