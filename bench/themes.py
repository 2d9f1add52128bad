"""How good, how steady and how fast themes are, beside floors and plain BERTopic, on any file with known groups.

    python bench/themes.py quality GOLD [--hours 24] [--runs 5]    # .csv, or .jsonl: text, gold, published_at, lang
    python bench/themes.py scale 10000 30000 100000 300000        # made-up documents; CPU seconds and the exponent

`quality` prints BCubed precision, recall and F1 with outliers as singletons, their share, and the adjusted Rand index
over 80 % subsamples. Each of our rows is printed for the file's own times; for *interleaved* times, every group with a
random beginning in two weeks and a life of about a day, as stories overlap in the world; and for *shuffled* times,
which say nothing. In a file whose groups lie one after another the last two are the honest ones. A .csv is one of the
public sets: UCI News Aggregator (TITLE, STORY, at) or CrisisLex T26 (text, event, at; related tweets, 200 an event).
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from groundswell.nlp.themes.assign import ThemeSpace, Thresholds, known_langs
from groundswell.nlp.themes.evidence import Floats, Weights, prior_means
from groundswell.nlp.vector_cache import encode

Labels = list[str]
START = datetime(2026, 1, 1, tzinfo=UTC)
FORTNIGHT = 14
AN_EVENT = 200


@dataclass(frozen=True, slots=True)
class Gold:
    """Documents in order of arrival, with their true groups."""

    texts: Sequence[str]
    groups: Sequence[str]
    times: Sequence[datetime]
    langs: Sequence[str]
    vectors: Floats

    def part(self, keep: Sequence[int]) -> Gold:
        """Return some of them, in their order."""
        texts, groups, langs = ([column[i] for i in keep] for column in (self.texts, self.groups, self.langs))
        return Gold(texts, groups, [self.times[i] for i in keep], langs, self.vectors[list(keep)])


@dataclass(frozen=True, slots=True)
class Row:
    """A document with its true group."""

    text: str
    group: str
    at: datetime
    lang: str


def read_rows(path: Path) -> list[Row]:
    """Return the documents of a file in order of time, with their languages."""
    rows = public_set(path) if path.suffix == ".csv" else [json.loads(line) for line in path.open(encoding="utf-8")]
    texts = [str(row["text"]) for row in rows]
    langs = known_langs(texts, [row.get("lang") or "" for row in rows])
    times = [datetime.fromisoformat(str(row["published_at"])).astimezone(UTC) for row in rows]
    found = [
        Row(text, str(row["gold"]), at, lang) for text, row, at, lang in zip(texts, rows, times, langs, strict=True)
    ]
    return sorted(found, key=lambda row: row.at)


def public_set(path: Path) -> list[dict[str, Any]]:
    import pandas as pd

    table = pd.read_csv(path).rename(columns={"TITLE": "text", "STORY": "gold", "event": "gold", "at": "published_at"})
    if "informativeness" in table:
        table = table[table.informativeness.astype(str).str.startswith("Related") & table.text.notna()]
        parts = [g.sample(min(AN_EVENT, len(g)), random_state=0) for _, g in table.groupby("gold")]
        table = pd.concat(parts)
    records: list[dict[str, Any]] = table[["text", "gold", "published_at"]].to_dict("records")
    return records


def read(path: Path) -> Gold:
    """Return the documents of a file, encoded by the default model."""
    from groundswell.configs.schema import ModelSettings
    from groundswell.nlp.model import load_model

    rows = read_rows(path)
    texts = [row.text for row in rows]
    vectors = encode(load_model(ModelSettings()), texts)
    return Gold(texts, [row.group for row in rows], [row.at for row in rows], [row.lang for row in rows], vectors)


def retimed(gold: Gold, how: str, seed: int = 0) -> Gold:
    """Return the same documents at other times: "interleaved" or "shuffled" over two weeks; "own" keeps them."""
    if how == "own":
        return gold
    rng = np.random.default_rng(seed)
    days = rng.uniform(0, FORTNIGHT, len(gold.texts))
    if how == "interleaved":
        groups = sorted(set(gold.groups))
        begins = {g: rng.uniform(0, FORTNIGHT) for g in groups}
        lasts = {g: float(np.exp(rng.normal(0, 0.7))) for g in groups}
        days = np.array([begins[g] + rng.exponential(lasts[g]) for g in gold.groups])
    order = np.argsort(days, kind="stable")
    moved = gold.part(order.tolist())
    return replace(moved, times=[START + timedelta(days=float(d)) for d in days[order]])


def batches(times: Sequence[datetime], hours: float) -> Iterator[list[int]]:
    """Yield the indices of each window of so many hours."""
    for _, group in itertools.groupby(range(len(times)), key=lambda i: int(times[i].timestamp() // (3600 * hours))):
        yield list(group)


def place(gold: Gold, hours: float, **how: Any) -> Labels:
    """Return the theme of each document after a replay; one of its own for an outlier."""
    space = ThemeSpace(**how)
    themes: dict[str, str] = {}
    for rows in batches(gold.times, hours):
        ids = [str(i) for i in rows]
        part = gold.part(rows)
        answers = space.add(ids, part.vectors, part.texts, part.langs, part.times)
        themes.update(zip(ids, answers, strict=True))
        themes.update(space.drain())
    return [themes[str(i)] or f"alone{i}" for i in range(len(gold.texts))]


def single_pass(gold: Gold, threshold: float = 0.06) -> Labels:
    """Return TF-IDF leader clusters in arrival order; the vectoriser sees all of it, so this floor is favoured."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    sums: list[Floats] = []
    labels: Labels = []
    for row in TfidfVectorizer(sublinear_tf=True, stop_words="english", min_df=2).fit_transform(gold.texts).toarray():
        likes = [float(row @ s) / max(float(np.linalg.norm(s)), 1e-9) for s in sums]
        best = int(np.argmax(likes)) if likes and max(likes) >= threshold else len(sums)
        sums[best:] = [sums[best] + row, *sums[best + 1 :]] if best < len(sums) else [row]
        labels.append(str(best))
    return labels


def bcubed(gold: Sequence[str], found: Sequence[str]) -> tuple[float, float, float]:
    """Return BCubed precision, recall and F1 (Amigó et al. 2009)."""
    theirs, ours, both = Counter(gold), Counter(found), Counter(zip(gold, found, strict=True))
    precision = float(np.mean([both[g, f] / ours[f] for g, f in zip(gold, found, strict=True)]))
    recall = float(np.mean([both[g, f] / theirs[g] for g, f in zip(gold, found, strict=True)]))
    return precision, recall, 2 * precision * recall / (precision + recall)


def steadiness(gold: Gold, method: Callable[[Gold], Labels], runs: int = 5) -> float:
    """Return the mean adjusted Rand index between runs over 80 % of the documents, on those in common."""
    from sklearn.metrics import adjusted_rand_score

    rng, n, found = np.random.default_rng(0), len(gold.texts), []
    for _ in range(runs):
        keep = sorted(rng.permutation(n)[: int(0.8 * n)].tolist())
        found.append(dict(zip(keep, method(gold.part(keep)), strict=True)))
    pairs = [(a, b, sorted(a.keys() & b.keys())) for a, b in itertools.combinations(found, 2)]
    return float(np.mean([adjusted_rand_score([a[i] for i in c], [b[i] for i in c]) for a, b, c in pairs]))


def bertopic(gold: Gold) -> Labels:
    """Return BERTopic's topics with its defaults on the same embeddings, all at once and with hindsight."""
    from bertopic import BERTopic
    from bertopic.backend import BaseEmbedder
    from umap import UMAP

    reduced = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=0)
    model = BERTopic(embedding_model=BaseEmbedder(), umap_model=reduced)
    topics, _ = model.fit_transform(list(gold.texts), embeddings=np.asarray(gold.vectors, np.float64))
    return [str(t) if t >= 0 else f"alone{i}" for i, t in enumerate(topics)]


def quality(path: Path, hours: float, runs: int) -> None:
    gold = read(path)
    ours = partial(place, hours=hours)
    print("| method | B³ P | B³ R | B³ F1 | outliers | themes | ARI over subsamples |\n|---|---|---|---|---|---|---|")
    line("singletons", gold, lambda g: [f"alone{i}" for i in range(len(g.texts))])
    line("all in one", gold, lambda g: ["one"] * len(g.texts))
    line("TF-IDF single pass", gold, single_pass)
    line("BERTopic, defaults, same embeddings", gold, bertopic)
    line("ours", gold, ours, runs)
    for how in ("interleaved", "shuffled"):
        line(f"ours, {how}", retimed(gold, how), ours)
    ablations: dict[str, dict[str, Any]] = {
        "without time": {"thresholds": Thresholds(arrival=0)},
        "not sharpened": {"weights": Weights(sharp=False)},
        "vectors alone": {"weights": Weights(words=0)},
        "words alone": {"weights": Weights(meaning=0, words=0.3)},
    }
    for name, how_made in ablations.items():
        for how in ("own", "interleaved"):
            line(f"ours, {name}, {how}", retimed(gold, how), partial(ours, **how_made))


def line(name: str, gold: Gold, method: Callable[[Gold], Labels], runs: int = 0) -> None:
    """Print one row of the table."""
    found = method(gold)
    alone = float(np.mean([f.startswith("alone") for f in found]))
    themes = len({f for f in found if not f.startswith("alone")})
    p, r, f1 = bcubed(gold.groups, found)
    steady = f"{steadiness(gold, method, runs):.3f}" if runs else ""
    print(f"| {name} | {p:.3f} | {r:.3f} | {f1:.3f} | {alone:.2f} | {themes} | {steady} |", flush=True)


def scale(sizes: Sequence[int]) -> None:
    points = []
    for n in sizes:
        spent = replay(n)
        points.append((np.log(n), np.log(spent)))
        print(f"{n:>9,} documents: {spent:8.1f} CPU s, {1000 * spent / n:.2f} ms each", flush=True)
    if len(points) > 1:
        print(f"total time grows with n^{np.polyfit([x for x, _ in points], [y for _, y in points], 1)[0]:.2f}")


def replay(n: int, a_day: int = 2000, subjects: int = 150) -> float:
    """Place made-up documents day by day, a third of them about nothing; return CPU seconds."""
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(subjects, 384)) / np.sqrt(384)
    space, mean, spent = ThemeSpace(), prior_means()["en"], 0.0
    for start in range(0, n, a_day):
        m = min(a_day, n - start)
        about = rng.integers(0, subjects * 3 // 2, m)
        vectors = mean + 0.35 * rng.normal(size=(m, 384)) / np.sqrt(384)
        vectors[about < subjects] += 0.35 * directions[about[about < subjects]]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        texts = [" ".join(f"w{s * 20 + k}" for k in rng.integers(0, 20, 8)) for s in about]
        ids, at = [str(start + k) for k in range(m)], START + timedelta(days=start / a_day)
        before = time.process_time()
        space.add(ids, vectors.astype(np.float32), texts, ["en"] * m, [at] * m)
        space.drain()
        spent += time.process_time() - before
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    measured = commands.add_parser("quality")
    measured.add_argument("gold", type=Path)
    measured.add_argument("--hours", type=float, default=24)
    measured.add_argument("--runs", type=int, default=5, help="runs over 80 % subsamples")
    commands.add_parser("scale").add_argument("sizes", type=int, nargs="+")
    given = parser.parse_args()
    if given.command == "quality":
        quality(given.gold, given.hours, given.runs)
    else:
        scale(given.sizes)


if __name__ == "__main__":
    main()
