"""How good, how steady and how fast themes are, beside floors and plain BERTopic, on any file with known groups.

    python bench/themes.py quality GOLD [--hours 24] [--runs 5]    # .csv, or .jsonl: text, gold, published_at, lang
    python bench/themes.py scale 10000 30000 100000 300000        # made-up documents; CPU seconds and the exponent
    python bench/themes.py identity STREAM [--updates 30]          # .jsonl: text, published_at, lang
    python bench/themes.py languages [--matrix FILE]               # made-up stories, told in five languages
    python bench/themes.py read FOLDER [--themes 16] [--members 12]  # a store's largest themes, to be read

`quality` prints BCubed precision, recall and F1 with outliers as singletons, their share, and the adjusted Rand index
over 80 % subsamples. Each of our rows is printed for the file's own times; for *interleaved* times, every group with a
random beginning in two weeks and a life of about a day, as stories overlap in the world; and for *shuffled* times,
which say nothing. In a file whose groups lie one after another the last two are the honest ones. A .csv is one of the
public sets: UCI News Aggregator (TITLE, STORY, at) or CrisisLex T26 (text, event, at; related tweets, 200 an event).

`identity` replays a stream a day at a time and prints the share of documents in a theme that are in a theme of the same
id so many daily updates later: the mean over days and the worst. `languages` mixes twenty made-up stories
(`stories.jsonl`: four people tell of each in each of five languages) with the lines written for the demo over two weeks
and prints the share of pairs of documents that end up in one theme, the mean of three mixtures. As those stories helped
to make the shipped sharpening, give it one made without them (`bench/sharpen.py --hold-out`) for a figure of texts not
learnt on.
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

from groundswell.nlp.model.vector_cache import encode
from groundswell.nlp.themes import evidence
from groundswell.nlp.themes.evidence import Floats, Weights, prior_means
from groundswell.nlp.themes.space import ThemeSpace, Thresholds, known_langs

Labels = list[str]
START = datetime(2026, 1, 1, tzinfo=UTC)
FORTNIGHT = 14
AN_EVENT = 200
VOCABULARY = 50_000
MIXTURES = 3
BESIDE = "~"
"""Begins the name of a group that is there only to be in the way."""


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
        Row(text, str(row.get("gold", "")), at, lang)
        for text, row, at, lang in zip(texts, rows, times, langs, strict=True)
    ]
    return sorted(found, key=lambda row: row.at)


def public_set(path: Path) -> list[dict[str, Any]]:
    import pandas as pd

    table = pd.read_csv(path).rename(columns={"TITLE": "text", "STORY": "gold", "event": "gold", "at": "published_at"})
    if "informativeness" in table:
        table = table[table.informativeness.astype(str).str.startswith("Related") & table.text.notna()]
        parts = [g.sample(min(AN_EVENT, len(g)), random_state=0) for _, g in table.groupby("gold")]
        table = pd.concat(parts)
    records = table[["text", "gold", "published_at"]].to_dict("records")
    return [{str(name): value for name, value in record.items()} for record in records]


def read(path: Path) -> Gold:
    """Return the documents of a file, encoded by the default model."""
    from groundswell.configs.schema import ModelSettings
    from groundswell.nlp.model.model import load_model

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
    *_, themes = updates(gold, hours, **how)
    return [themes[k] or f"alone{k}" for k in range(len(gold.texts))]


def updates(gold: Gold, hours: float, **how: Any) -> Iterator[list[str]]:
    """Yield, after each batch of a replay, the theme of every document so far; "" where it waits."""
    space = ThemeSpace(**how)
    themes: list[str] = []
    for rows in batches(gold.times, hours):
        part = gold.part(rows)
        themes += space.add([str(i) for i in rows], part.vectors, part.texts, part.langs, part.times)
        for one, theme in space.drain().items():
            themes[int(one)] = theme
        yield list(themes)


def single_pass(gold: Gold, threshold: float = 0.06) -> Labels:
    """Return TF-IDF leader clusters in arrival order; the vectoriser sees all of it, so this floor is favoured."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    rows = TfidfVectorizer(sublinear_tf=True, stop_words="english", min_df=2, max_features=4000).fit_transform(
        gold.texts
    )
    sums, norms = np.zeros(rows.shape, np.float32), np.ones(rows.shape[0], np.float32)
    labels: list[int] = []
    many = 0
    for row in rows.toarray().astype(np.float32):
        likes = sums[:many] @ row / norms[:many]
        home = int(likes.argmax()) if many and likes.max() >= threshold else many
        sums[home] += row
        norms[home] = max(float(np.linalg.norm(sums[home])), 1e-9)
        many = max(many, home + 1)
        labels.append(home)
    return [str(label) for label in labels]


def k_means(gold: Gold) -> Labels:
    """Return k-means of the same embeddings, told the true number of groups."""
    from sklearn.cluster import KMeans

    labels = KMeans(len(set(gold.groups)), n_init=1, random_state=0).fit_predict(gold.vectors)
    return [str(label) for label in labels]


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
    line("TF-IDF single pass", gold, single_pass, runs)
    line("k-means, true k, same embeddings", gold, k_means, runs)
    line("BERTopic, defaults, same embeddings", gold, bertopic, runs)
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
    """Print the cost of placing so many documents, and how it grows; one replay passes all sizes."""
    points, last = [], (0, 0.0)
    for n, spent in replay(sorted(sizes)):
        points.append((np.log(n), np.log(spent)))
        each = 1000 * (spent - last[1]) / (n - last[0])
        print(f"{n:>9,} documents: {spent:8.1f} CPU s; {each:.2f} ms each since {last[0]:,}", flush=True)
        last = n, spent
    if len(points) > 1:
        print(f"total time grows with n^{np.polyfit([x for x, _ in points], [y for _, y in points], 1)[0]:.2f}")


def replay(sizes: Sequence[int], a_day: int = 2000, subjects: int = 150) -> Iterator[tuple[int, float]]:
    """Place made-up documents day by day, a third of them about nothing; yield (documents, CPU seconds) at the sizes.

    Sizes are multiples of a day's documents.
    """
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(subjects, 384)) / np.sqrt(384)
    space, mean, spent = ThemeSpace(), prior_means()["en"], 0.0
    for start in range(0, sizes[-1], a_day):
        about = rng.integers(0, subjects * 3 // 2, a_day)
        vectors = mean + 0.35 * rng.normal(size=(a_day, 384)) / np.sqrt(384)
        vectors[about < subjects] += 0.35 * directions[about[about < subjects]]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        told, anything = (rng.integers(0, most, (a_day, 8)) for most in (20, VOCABULARY))
        said = np.where(about[:, None] < subjects, about[:, None] * 20 + told, subjects * 20 + anything)
        texts = [" ".join(f"w{word}" for word in line) for line in said.tolist()]
        ids, at = [str(start + k) for k in range(a_day)], START + timedelta(days=start / a_day)
        before = time.process_time()
        space.add(ids, vectors.astype(np.float32), texts, ["en"] * a_day, [at] * a_day)
        space.drain()
        spent += time.process_time() - before
        if start + a_day in sizes:
            yield start + a_day, spent


def identity(path: Path, after: int) -> None:
    """Print how many documents of a theme are in one of the same id so many daily updates later."""
    days = list(updates(read(path), 24))
    kept = [kept_share(before, later) for before, later in zip(days, days[after:], strict=False) if any(before)]
    print(f"{len(days[-1]):,} documents, {len(days)} daily updates, {len(set(days[-1]) - {''})} themes at the end")
    print(f"same id {after} updates later: {np.mean(kept):.4f} on average over {len(kept)} days, worst {min(kept):.4f}")


def kept_share(before: Sequence[str], later: Sequence[str]) -> float:
    """Return the share of documents that had a theme then and have the same now."""
    same = [now == then for then, now in zip(before, later, strict=False) if then]
    return float(np.mean(same))


def languages(matrix: Path | None) -> None:
    """Print how often two documents of one story meet in one theme, in one language and in two."""
    mixed = told_in_languages()
    if matrix:
        with np.load(matrix) as arrays:
            learnt = arrays["matrix"].astype(np.float32)
        evidence.sharpening = lambda: learnt  # type: ignore[assignment]  # a bench may look behind the cache
    pairs = list(itertools.combinations(sorted({mixed.langs[k] for k in stories_of(mixed)}), 2))
    print("| | one language | two languages | two stories | B³ P · R · F1 | " + " | ".join(map("–".join, pairs)) + " |")
    print("|---" * (5 + len(pairs)) + "|")
    for name, weights in (("ours", Weights()), ("not sharpened", Weights(sharp=False))):
        rows = [shares(retimed(mixed, "interleaved", seed), weights, pairs) for seed in range(MIXTURES)]
        one, two, apart, precision, recall, f1, *between = np.mean(rows, axis=0)
        print(
            f"| {name} | {one:.3f} | {two:.3f} | {apart:.4f} | {precision:.2f} · {recall:.2f} · {f1:.2f} | "
            + " | ".join(f"{share:.2f}" for share in between) + " |"
        )  # fmt: skip


def shares(gold: Gold, weights: Weights, pairs: Sequence[tuple[str, str]]) -> list[float]:
    """Return what one mixture gives: shares of pairs, B³ over the stories' documents, shares between languages."""
    found, chosen = place(gold, 24, weights=weights), stories_of(gold)
    part, themes = gold.part(chosen), [found[k] for k in chosen]
    between = [pair_shares(part, themes, pair)[1] for pair in pairs]
    return [*pair_shares(part, themes), *bcubed(part.groups, themes), *between]


def stories_of(gold: Gold) -> list[int]:
    """Return which documents are of a story, not of what is said beside."""
    return [k for k, group in enumerate(gold.groups) if not group.startswith(BESIDE)]


def told_in_languages() -> Gold:
    """Return the stories to measure on, among the lines written for the demo."""
    from sharpen import demo_rows, story_rows  # beside this file

    from groundswell.configs.schema import ModelSettings
    from groundswell.nlp.model.model import load_model

    beside = [(text, BESIDE + subject, lang) for text, subject, lang in dict.fromkeys(demo_rows())]
    texts, groups, langs = (list(column) for column in zip(*story_rows(held=True), *beside, strict=True))
    return Gold(texts, groups, [START] * len(texts), langs, encode(load_model(ModelSettings()), texts))


def read_aloud(folder: Path, themes: int, members: int) -> None:
    """Print the largest themes of a store, their titles in every language, and members drawn at random."""
    from groundswell.configs.schema import Settings
    from groundswell.index.open import open_store
    from groundswell.index.query import Query
    from groundswell.index.records import Document, Theme

    rng = np.random.default_rng(1)
    with open_store(Settings(data_dir=folder)) as store:
        held: dict[str, list[Document]] = {}
        for document in store.scan(Query()):
            if document.membership and document.membership.theme:
                held.setdefault(document.membership.theme, []).append(document)
        largest = sorted(held, key=lambda one: (-len(held[one]), one))[:themes]
        for k, theme in enumerate(store.many(Theme, largest), 1):
            own = held[theme.id]
            print(f"\n{k}. {len(own)} documents, risk {theme.risk or 'none'}")
            for lang, title in theme.titles.items():
                print(f"   {lang}: {title}")
            for i in rng.permutation(len(own))[:members]:
                text = " ".join(f"{own[i].mention.title} {own[i].mention.text}".split())
                print(f"     - {text[:170]}")


def pair_shares(gold: Gold, found: Labels, of: Sequence[str] = ()) -> tuple[float, float, float]:
    """Return the share of pairs in one theme: of a subject in one language, in two, and of two subjects."""
    subject, lang, theme = (np.array(x)[:, None] for x in (gold.groups, gold.langs, found))
    first = np.triu(np.ones((len(found), len(found)), bool), 1)
    if of:
        from_one, from_other = np.isin(lang, of[0]), np.isin(lang, of[1])
        first &= (from_one & from_other.T) | (from_other & from_one.T)
    together, alike, spoken = theme == theme.T, subject == subject.T, lang == lang.T
    kinds = (first & alike & spoken, first & alike & ~spoken, first & ~alike)
    one, two, apart = (float(together[kind].mean()) if kind.any() else 0.0 for kind in kinds)
    return one, two, apart


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    measured = commands.add_parser("quality")
    measured.add_argument("gold", type=Path)
    measured.add_argument("--hours", type=float, default=24)
    measured.add_argument("--runs", type=int, default=5, help="runs over 80 % subsamples")
    commands.add_parser("scale").add_argument("sizes", type=int, nargs="+")
    steady = commands.add_parser("identity")
    steady.add_argument("stream", type=Path)
    steady.add_argument("--updates", type=int, default=30)
    commands.add_parser("languages").add_argument("--matrix", type=Path)
    reading = commands.add_parser("read")
    reading.add_argument("folder", type=Path, help="data_dir of a store")
    reading.add_argument("--themes", type=int, default=16)
    reading.add_argument("--members", type=int, default=12)
    given = parser.parse_args()
    if given.command == "quality":
        quality(given.gold, given.hours, given.runs)
    elif given.command == "identity":
        identity(given.stream, given.updates)
    elif given.command == "languages":
        languages(given.matrix)
    elif given.command == "read":
        read_aloud(given.folder, given.themes, given.members)
    else:
        scale(given.sizes)


if __name__ == "__main__":
    main()
