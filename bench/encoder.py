"""How fast texts are read: everything we give (embedding, sentiment, risks, targets) beside a Hugging Face pipeline.

    python bench/encoder.py [--texts 400] [--file TEXTS.txt] [--processes 2]
    python bench/encoder.py --graphs [--texts 400] [--file TEXTS.txt]       the flat graph beside the padded one, alone

The pipeline runs the same encoder for sentiment alone, as people use it (one text after another) and in batches of 32.
All in one run on one machine, so ratios count; the matrix-multiply peak says how much the machine had to give.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from groundswell.configs.schema import ModelSettings
from groundswell.nlp.model.bundle import find_bundle, read_bundle
from groundswell.nlp.model.encoder.flat import WEIGHTS
from groundswell.nlp.model.encoder.runtime import OnnxRuntime, cores
from groundswell.nlp.model.encoder.tokens import Tokenizer as Pieces
from groundswell.nlp.model.model import load_model
from groundswell.nlp.model.seeds import seeds

PAD = "<pad>"


def peak(threads: int) -> float:
    """Return the best GFLOP/s of a large float32 matrix product."""
    import torch

    torch.set_num_threads(threads)
    size = 1536
    left, right = torch.randn(size, size), torch.randn(size, size)
    best = 0.0
    for _ in range(8):
        begin = time.perf_counter()
        torch.mm(left, right)
        best = max(best, 2 * size**3 / (time.perf_counter() - begin) / 1e9)
    return best


def rate(read: Callable[[Sequence[str]], object], texts: Sequence[str]) -> tuple[float, float]:
    """Return texts a second by the clock and by processor time, after a warm-up."""
    read(texts[:16])
    clock, work = time.perf_counter(), time.process_time()
    read(texts)
    return len(texts) / (time.perf_counter() - clock), len(texts) / (time.process_time() - work)


def pipeline(threads: int, batch: int) -> Callable[[Sequence[str]], object]:
    """Return a Hugging Face text-classification pipeline over the bundle's own trunk, in float32."""
    import torch
    from tokenizers import Tokenizer
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast
    from transformers import pipeline as make

    from groundswell.nlp.model.encoder.torch import read_weights

    torch.set_num_threads(threads)
    folder = find_bundle("groundswell-small")
    assert folder is not None  # noqa: S101  the model that ships
    bundle = read_bundle(folder)
    shape = bundle["shape"]
    words = read_weights(folder / "encoder.onnx", shape["fork"])["embed.word.weight"]
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=shape["hidden"],
        num_hidden_layers=shape["layers"],
        num_attention_heads=shape["heads"],
        intermediate_size=shape["feed"],
    )
    # What the numbers are does not change how long they take.
    config.num_labels = 3
    model: Any = BertForSequenceClassification(config)
    model.eval()
    tokenizer: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # transformers leaves it untyped
        tokenizer_object=Tokenizer.from_file(str(folder / "tokenizer.json")), pad_token=PAD, model_max_length=256
    )
    run = make("text-classification", model=model, tokenizer=tokenizer, batch_size=batch, device=-1)
    return lambda texts: run([f"query: {text}" for text in texts], truncation=True)


def graphs(texts: Sequence[str]) -> dict[str, float]:
    """Return milliseconds of processor time a text, and likeness of vectors, of the padded and the flat graph."""
    folder = find_bundle("groundswell-small")
    assert folder is not None  # noqa: S101  the model that ships
    bundle, settings = read_bundle(folder), ModelSettings()
    tokenizer = Pieces.read(
        folder / "tokenizer.json", prefix=bundle["prefix"], max_tokens=settings.max_tokens, pad=bundle["pad"]
    )
    tokens = tokenizer(texts)
    with tempfile.TemporaryDirectory() as alone:
        shutil.copy(folder / WEIGHTS, alone)
        runtimes = {
            "padded": OnnxRuntime(Path(alone) / WEIGHTS, threads=1),
            "flat": OnnxRuntime(folder / WEIGHTS, threads=1),
        }
    figures: dict[str, float] = {}
    vectors = {name: np.zeros((len(tokens), bundle["dimensions"]), np.float32) for name in runtimes}
    for name, runtime in [*runtimes.items()] * 2:  # the second time counts
        batches = list(tokenizer.batches(tokens, settings.batch_tokens, even=runtime.even))
        begin = time.process_time()
        for batch in batches:
            vectors[name][batch.rows] = runtime.run(batch, pieces=True)[0]
        figures[f"{name} graph, ms of CPU a text"] = 1000 * (time.process_time() - begin) / len(tokens)
    likeness = (vectors["padded"] * vectors["flat"]).sum(axis=1)
    return {
        **figures,
        "cosine of vectors, mean": float(likeness.mean()),
        "cosine of vectors, least": float(likeness.min()),
    }


def worker(texts: list[str], ready: Any, go: Any, done: Any) -> None:
    """Read texts in a process of its own, with one thread."""
    model = load_model(ModelSettings(threads=1))
    model.read(texts[:16])
    ready.put(1)
    go.wait()
    model.read(texts)
    done.put(1)


def processes(count: int, texts: Sequence[str]) -> float:
    """Return texts a second of several processes side by side, loading apart."""
    context = multiprocessing.get_context("spawn")
    ready, done, go = context.Queue(), context.Queue(), context.Event()
    jobs = [context.Process(target=worker, args=(list(texts), ready, go, done)) for _ in range(count)]
    for job in jobs:
        job.start()
    for _ in jobs:
        ready.get()
    begin = time.perf_counter()
    go.set()
    for _ in jobs:
        done.get()
    seconds = time.perf_counter() - begin
    for job in jobs:
        job.join()
    return count * len(texts) / seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=400)
    parser.add_argument("--file", type=Path, help="a text a line, instead of our own")
    parser.add_argument("--processes", type=int, default=cores())
    parser.add_argument("--graphs", action="store_true", help="only the encoder, flat beside padded")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    lines = options.file.read_text(encoding="utf-8").splitlines() if options.file else [seed.text for seed in seeds()]
    texts = [lines[n % len(lines)] for n in np.random.default_rng(0).permutation(options.texts)]
    figures = graphs(texts) if options.graphs else measure(texts, options.processes)
    if options.json:
        print(json.dumps(figures, indent=1))
        return
    width = max(map(len, figures))
    for name, value in figures.items():
        print(f"{name:<{width}}  {value:12.4f}" if options.graphs else f"{name:<{width}}  {value:10.1f}")


def measure(texts: Sequence[str], count: int) -> dict[str, float]:
    """Return every figure by name."""
    figures = {f"GEMM peak, {threads} thread(s), GFLOP/s": peak(threads) for threads in (1, count)}
    found: dict[str, tuple[float, float]] = {}
    for threads in sorted({1, count}):
        model = load_model(ModelSettings(threads=threads))
        found[f"ours, all of it, {threads} thread(s)"] = rate(model.read, texts)
        found[f"pipeline, one by one, {threads} thread(s)"] = rate(pipeline(threads, 1), texts)
        found[f"pipeline, batches of 32, {threads} thread(s)"] = rate(pipeline(threads, 32), texts)
    for name, (clock, work) in found.items():
        figures[f"{name}, texts/s"] = clock
        figures[f"{name}, texts per CPU second"] = work
    figures[f"ours, all of it, {count} processes of one thread, texts/s"] = processes(count, texts)
    for threads in sorted({1, count}):
        ours = found[f"ours, all of it, {threads} thread(s)"]
        for kind in ("one by one", "batches of 32"):
            theirs = found[f"pipeline, {kind}, {threads} thread(s)"]
            figures[f"ratio to pipeline {kind}, {threads} thread(s), by the clock"] = ours[0] / theirs[0]
            figures[f"ratio to pipeline {kind}, {threads} thread(s), by CPU time"] = ours[1] / theirs[1]
    return figures


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    with tempfile.TemporaryDirectory() as scratch:
        os.environ.setdefault("HF_HOME", scratch)
        main()
