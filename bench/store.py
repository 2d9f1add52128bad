"""How quick a store is: bulk writing, searching, facets, memory, disk.

    python bench/store.py --documents 100000 [--store sqlite] [--store elastic [--elastic URL]] [--keep FOLDER]

Without a URL an Elasticsearch of our own is started, as the tests start it (1 GB of heap), and ended afterwards.

Texts are made from a fixed vocabulary with Zipf frequencies, one in five Chinese; every store of a run gets the same.
Prints one JSON object a store. "processor" is the mean processor time of client and server together, which a busy
machine hardly changes. With --keep a store that holds as many documents already is only asked.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from groundswell.configs.schema import ElasticSettings, Settings
from groundswell.index.open import open_reader, open_store
from groundswell.index.query import AllOf, AnyOf, By, Field, Is, Not, Phrase, Query, Word
from groundswell.index.records import Enriched, Label3, Membership, Mention, Record, Sentiment, Vector

BATCH = 1000
VARIANTS = 20
"""Forms of each question."""
WARM = 3
"""How often all forms of all questions are asked before the clock starts: a server compiles itself while it runs."""
DAYS = 90
DIMENSIONS = 384
START = datetime(2026, 8, 1, tzinfo=UTC)
LATIN = [
    f"{a}{b}{c}" for a in "bdfgklmnprst" for b in ("a", "e", "io", "u", "ang") for c in ("ta", "ri", "ng", "s", "mo")
]
HAN = [chr(0x4E00 + n * 7) for n in range(600)]
LABELS: tuple[Label3, ...] = ("negative", "neutral", "positive")
FACETS: tuple[Field, ...] = ("source", "market", "sentiment", "risk", "theme")


def records(count: int) -> Iterator[list[Record]]:
    """Yield batches of mentions with all that is made of them."""
    dice = np.random.default_rng(7)
    centres = dice.normal(size=(200, DIMENSIONS)).astype(np.float32)
    for begin in range(0, count, BATCH):
        batch: list[Record] = []
        for n in range(begin, min(count, begin + BATCH)):
            batch += document(n, dice, centres)
        yield batch


def document(n: int, dice: np.random.Generator, centres: Any) -> list[Record]:
    """Return one mention, its enrichment and its membership."""
    at = START + timedelta(seconds=float(dice.uniform(0, DAYS * 86_400)))
    theme = int(min(dice.zipf(1.4), 200)) - 1
    probabilities = dice.dirichlet((2.0, 2.0, 1.0))
    low, middle, high = map(float, probabilities)
    vector = centres[theme] + dice.normal(size=DIMENSIONS).astype(np.float32)
    identity = f"{n:020x}"
    mention = Mention(
        id=identity, source=f"source{int(min(dice.zipf(1.5), 40))}", kind="post", text=text(dice), fetched_at=at,
        published_at=at, date_confidence="exact", market=("SG", "MY", "ID", "TH", "VN", "PH", "AU", "NZ")[n % 8],
        author_key=f"author{int(dice.integers(count_of_authors(n)))}",
    )  # fmt: skip
    enriched = Enriched(
        id=identity, lang="zh" if n % 5 == 0 else "en", made_by="bench",
        sentiment=Sentiment(label=LABELS[int(probabilities.argmax())], negative=low, neutral=middle, positive=high),
        risks={f"risk{theme % 23}": float(dice.uniform())}, vector=vector / np.linalg.norm(vector),
        duplicate_of=f"{n - n % 10:020x}" if n % 10 < 2 else identity,
    )  # fmt: skip
    return [mention, enriched, Membership(id=identity, theme=f"theme{theme}", confidence=0.8, at=at)]


def count_of_authors(n: int) -> int:
    """Return how many people write, more with time."""
    return 10 + n // 5


def text(dice: np.random.Generator) -> str:
    """Return some twenty words, a fifth of the texts Chinese."""
    ranks = np.minimum(dice.zipf(1.3, 22), 300) - 1
    if dice.uniform() < 0.2:
        return "".join(HAN[rank] for rank in np.minimum(dice.zipf(1.2, 40), 600) - 1)
    return " ".join(LATIN[rank] for rank in ranks)


def neighbours() -> list[Vector]:
    """Return vectors to ask with, made as those of the documents are."""
    dice = np.random.default_rng(7)
    centres = dice.normal(size=(200, DIMENSIONS)).astype(np.float32)
    near = centres[:VARIANTS] + dice.normal(size=(VARIANTS, DIMENSIONS)).astype(np.float32)
    return list(near / np.linalg.norm(near, axis=1, keepdims=True))


def questions(near: list[Vector]) -> dict[str, Callable[[Any, int], Any]]:
    """Return what is asked, each with a number that varies it."""
    last = START + timedelta(days=DAYS)
    return {
        "rare words": lambda reader, n: reader.search(Query(match=AllOf((Word(LATIN[60 + n]), Word(LATIN[30 + n]))))),
        "a common word": lambda reader, n: reader.search(Query(match=Word(LATIN[2 + n % 9]))),
        "relevance": lambda reader, n: reader.search(
            Query(match=AllOf((Word(LATIN[10 + n]), Word(LATIN[15 + n]))), sort="relevance", highlight=True)
        ),
        "chinese substring": lambda reader, n: reader.search(Query(match=Phrase(HAN[n % 20] + HAN[3 + n % 20]))),
        "boolean with fields": lambda reader, n: reader.search(
            Query(match=AllOf((AnyOf((Word(LATIN[20 + n]), Word(LATIN[25 + n]))), Not(Is("market", "SG")))))
        ),
        "words and facets": lambda reader, n: reader.search(Query(match=Word(LATIN[12 + n]), facets=FACETS)),
        "words and vector": lambda reader, n: reader.search(Query(match=Word(LATIN[20 + n]), vector=near[n])),
        "vector alone": lambda reader, n: reader.search(Query(vector=near[n], limit=20 + n)),
        "newest, collapsed": lambda reader, n: reader.search(
            Query(collapse=True, since=last - timedelta(days=7), where={"market": (("SG", "MY", "ID")[n % 3],)})
        ),
        "board facets, 30 days": lambda reader, n: reader.search(
            Query(since=last - timedelta(days=30, hours=n), limit=0, facets=FACETS)
        ),
        "board facets, one theme": lambda reader, n: reader.search(
            Query(where={"theme": (f"theme{n}",)}, limit=20, facets=FACETS)
        ),
        "day by sentiment": lambda reader, n: reader.count(
            Query(since=START + timedelta(days=n)), By(period="day", fields=("sentiment",))
        ),
        "day by theme": lambda reader, n: reader.count(
            Query(since=last - timedelta(days=30 + n)), By(period="day", fields=("theme",))
        ),
        "hours of a theme, clusters": lambda reader, n: reader.count(
            Query(where={"theme": (f"theme{n}",)}, collapse=True), By(period="hour")
        ),
    }


def measure(settings: Settings, count: int, rounds: int, files: Path, server: int = 0) -> dict[str, Any]:
    """Fill a store, ask it everything, and return the figures; `server` is the process that serves, from `files`."""
    rate = fill(settings, count)
    with open_reader(settings) as reader:
        if client := getattr(reader, "client", None):  # an answer that was kept tells nothing
            client.indices.put_settings(index="bench-documents", settings={"index.requests.cache.enable": False})
        asked = questions(neighbours())
        first = {name: round(timed(ask, reader, 0), 1) for name, ask in asked.items()}
        for n in range(WARM * VARIANTS):
            for ask in asked.values():
                ask(reader, n % VARIANTS)
        answers = {name: {"first": first[name], **times(ask, reader, rounds, server)} for name, ask in asked.items()}
    return {
        "store": settings.store.backend,
        "documents": count,
        **rate,
        "milliseconds": answers,
        "client memory MB": memory(os.getpid()) - (held := memory(server) if server else 0),
        "server memory MB": held,
        "disk MB": sum(path.stat().st_size for path in files.rglob("*") if path.is_file()) // 2**20,
    }


def times(ask: Callable[[Any, int], Any], reader: Any, rounds: int, server: int) -> dict[str, float]:
    """Return how many milliseconds a question takes."""
    begin = processor(server)
    waited = [timed(ask, reader, n % VARIANTS) for n in range(rounds)]
    return {
        "p50": round(statistics.median(waited), 1),
        "p95": round(statistics.quantiles(waited, n=20)[-1], 1),
        "processor": round((processor(server) - begin) / rounds * 1000, 1),
    }


def fill(settings: Settings, count: int) -> dict[str, Any]:
    """Write all documents unless they are there; return how quick that was."""
    spent, written, begin = 0.0, 0, time.process_time()
    with open_store(settings) as store:
        if store.search(Query(limit=0)).total < count:
            for batch in records(count):
                start = time.perf_counter()
                written += store.put(batch).new // 3
                spent += time.perf_counter() - start
                if written % 50_000 < BATCH:
                    print(f"{written:,} documents, {written / spent:,.0f} a second", file=sys.stderr, flush=True)
    if not written:
        return {"bulk documents a second": None}
    return {
        "bulk documents a second": round(written / spent),
        "client processor ms a document": round((time.process_time() - begin) / written * 1000, 2),
    }


def processor(server: int) -> float:
    """Return how many seconds of processor time we and the server have used."""
    if not server:
        return time.process_time()
    used = sum(time_of(process) for process in (server, *children(server)))
    return time.process_time() + used / os.sysconf("SC_CLK_TCK")


def time_of(process: int) -> int:
    """Return the processor time of a process, in ticks."""
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def children(process: int) -> list[int]:
    """Return the processes that one has started, from whichever of its threads."""
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return [int(one) for task in tasks for one in task.read_text("ascii").split()]


def memory(process: int) -> int:
    """Return how much memory (MB) a process and its children hold for themselves, pages of mapped files left out."""
    _, resident, shared, *_ = map(int, Path(f"/proc/{process}/statm").read_text("ascii").split())
    own = (resident - shared) * os.sysconf("SC_PAGE_SIZE") // 2**20
    return own + sum(map(memory, children(process)))


@contextmanager
def elastic(url: str, data: Path) -> Iterator[tuple[str, int]]:
    """Yield address and process of an Elasticsearch: the one given, or one of our own with its files in a folder."""
    if url:
        yield url, 0
        return
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.elastic import server

    server.HEAP = "1g"
    data.mkdir(parents=True, exist_ok=True)
    with server.node("9", {"path.data": str(data), "cluster.name": "bench"}) as node:
        process = node.process.pid if node.process else 0
        try:
            yield node.url, process
        finally:
            if node.process:  # an orderly end, so that what was filled once need not be replayed
                os.killpg(process, signal.SIGTERM)
                node.process.wait()


@contextmanager
def passing() -> Iterator[Path]:
    """Yield a folder that is gone afterwards; a server that runs as somebody else may look into it."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def timed(ask: Callable[[Any, int], Any], reader: Any, n: int) -> float:
    """Return how many milliseconds an answer takes."""
    begin = time.perf_counter()
    ask(reader, n)
    return (time.perf_counter() - begin) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=60, help="how often each question is asked")
    parser.add_argument("--store", choices=["sqlite", "elastic"], action="append", help="may be given twice")
    parser.add_argument("--elastic", default="", help="address of a server; without, one is started")
    parser.add_argument("--keep", type=Path, help="folder that is kept and filled only once")
    given = parser.parse_args()
    for backend in given.store or ["sqlite"]:
        with ExitStack() as held:
            files = (given.keep or held.enter_context(passing())) / backend
            settings, server = Settings(data_dir=files), 0
            if backend == "elastic":
                url, server = held.enter_context(elastic(given.elastic, files))
                settings = Settings(data_dir=files, store=ElasticSettings(url=url, prefix="bench", timeout_seconds=600))
            json.dump(measure(settings, given.documents, given.rounds, files, server), sys.stdout, indent=1)
            print(flush=True)


if __name__ == "__main__":
    main()
