"""How good, how steady and how fast themes are, beside floors, on any file of documents with known groups.

    python bench/themes.py quality GOLD.jsonl [--hours 6]     # lines {"text", "gold", "published_at", "lang"?}
    python bench/themes.py scale 10000 30000 100000           # made-up documents; CPU seconds and the exponent

`quality` prints BCubed precision, recall and F1 with outliers as singletons, their share, and the adjusted Rand index
over 80 % subsamples, for words and vectors together, each alone, and without the rhythm of arrival; singletons,
everything in one and TF-IDF single pass stand beside them. Where a set's arrival order gives its groups away (stories
fetched one after another), the row without arrival is the honest one.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from groundswell.nlp.themes.assign import ThemeSpace, Thresholds
from groundswell.nlp.themes.evidence import Floats, Weights, prior_means

Labels = list[str]


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


def read(path: Path) -> Gold:
    """Return the documents of a file, encoded by the default model."""
    from groundswell.configs.schema import ModelSettings
    from groundswell.nlp.model import load_model

    rows = sorted((json.loads(line) for line in path.open(encoding="utf-8")), key=lambda r: r["published_at"])
    texts = [row["text"] for row in rows]
    times = [datetime.fromisoformat(row["published_at"]).astimezone(UTC) for row in rows]
    vectors = load_model(ModelSettings()).vectors(texts)
    return Gold(texts, [str(row["gold"]) for row in rows], times, [row.get("lang", "") for row in rows], vectors)


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


def quality(path: Path, hours: float) -> None:
    gold = read(path)
    ours: dict[str, dict[str, Any]] = {
        "words and vectors": {},
        "without arrival": {"thresholds": Thresholds(arrival=0)},
        "vectors alone": {"weights": Weights(words=0)},
        "words alone": {"weights": Weights(meaning=0, words=0.3)},
    }
    methods: dict[str, Callable[[Gold], Labels]] = {
        "singletons": lambda g: [f"alone{i}" for i in range(len(g.texts))],
        "all in one": lambda g: ["one"] * len(g.texts),
        "TF-IDF single pass": single_pass,
        **{name: partial(place, hours=hours, **how) for name, how in ours.items()},
    }
    print("| method | B³ P | B³ R | B³ F1 | outliers | themes | ARI over subsamples |\n|---|---|---|---|---|---|---|")
    for name, method in methods.items():
        found = method(gold)
        alone = float(np.mean([f.startswith("alone") for f in found]))
        p, r, f1 = bcubed(gold.groups, found)
        steady = steadiness(gold, method)
        print(f"| {name} | {p:.3f} | {r:.3f} | {f1:.3f} | {alone:.2f} | {len(set(found))} | {steady:.3f} |", flush=True)


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
        ids, at = [str(start + k) for k in range(m)], datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=start / a_day)
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
    measured.add_argument("--hours", type=float, default=6)
    commands.add_parser("scale").add_argument("sizes", type=int, nargs="+")
    given = parser.parse_args()
    if given.command == "quality":
        quality(given.gold, given.hours)
    else:
        scale(given.sizes)


if __name__ == "__main__":
    main()
