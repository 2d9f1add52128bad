"""Make the matrix by which themes weigh the directions of meaning, from documents with known groups.

    python bench/sharpen.py nlp/themes/sharpening.npz uci_news_stories/dev.csv crisislex_t26/tweets_dev_events.csv

Directions in which documents of one subject differ from one another anyway, their wording, their form, their language,
say little about whether two documents tell of the same; they are scaled down (within-class covariance normalisation,
Hatch et al. 2006). Beside the files given, what was written for Groundswell is read: the subjects of the demo in six
languages, and `stories.jsonl`, sixty made-up incidents that four people each tell of in English, Chinese, Indonesian,
Thai and Vietnamese, none translating another. Each set counts the same; a group counts by the root of its size. A
minute of CPU, most of it for encoding.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from themes import read_rows  # beside this file

from groundswell.configs.schema import ModelSettings
from groundswell.nlp.model.model import Model, load_model
from groundswell.nlp.model.vector_cache import encode
from groundswell.nlp.themes.evidence import DIMENSIONS, plain_code, prior_means

Matrix = NDArray[np.float64]
DEMO = Path(__file__).parent.parent / "configs" / "demo"
FLOOR = 0.6
"""Share of the mean variance that is added to every direction: none is trusted without bound."""
STORIES = Path(__file__).parent / "stories.jsonl"
EVERY = 3
"""Every third story is one to measure on: `--hold-out` leaves it out."""
HELD = 300
"""Weight, in documents, of the shipped mean of a language beside that of the set."""


def demo_rows() -> Iterator[tuple[str, str, str]]:
    """Yield (text, subject, language) of the lines written for the demo, without their placeholders."""
    for file in sorted(DEMO.glob("subjects-*.yaml")):
        for subject, told in yaml.safe_load(file.read_text(encoding="utf-8")).items():
            for lang, kinds in told["talk"].items():
                for kind in ("head", "headline", "report", "say", "tell"):
                    for line in kinds.get(kind, "").splitlines():
                        text = re.sub(r"\{\w+\}", "", re.sub(r"\[([^|\]]*)[^\]]*\]", r"\1", line)).strip()
                        if text:
                            yield text, subject, lang


def story_rows(*, held: bool) -> Iterator[tuple[str, str, str]]:
    """Yield (text, story, language) of the made-up stories: those to measure on, or the others."""
    rows = [json.loads(line) for line in STORIES.read_text("utf-8").splitlines()]
    measured = set(sorted({row["story"] for row in rows})[::EVERY])
    for row in rows:
        if (row["story"] in measured) == held:
            yield row["text"], row["story"], row["lang"]


def centred(model: Model, texts: list[str], langs: list[str]) -> Matrix:
    """Return the embeddings from the mean of their language, unit length."""
    vectors, codes = encode(model, texts).astype(np.float64), np.array([plain_code(lang) for lang in langs])
    means = prior_means()
    for code in np.unique(codes):
        mine = codes == code
        mean = means.get(code, means[""])
        vectors[mine] -= (HELD * mean + vectors[mine].sum(0)) / (HELD + mine.sum())
    out: Matrix = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return out


def within(vectors: Matrix, groups: list[str]) -> Matrix:
    """Return how documents of one group differ: the covariance around the groups' means."""
    of, total, weight = np.array(groups), np.zeros((DIMENSIONS, DIMENSIONS)), 0.0
    for group in np.unique(of):
        rest = vectors[of == group] - vectors[of == group].mean(0)
        total += rest.T @ rest / np.sqrt(len(rest))
        weight += np.sqrt(len(rest))
    return total / weight


def sharpened(covariance: Matrix) -> Matrix:
    """Return the matrix that takes from each direction what groups vary in it anyway; on average it keeps length."""
    variance, directions = np.linalg.eigh(covariance)
    variance = np.maximum(variance, 0) + FLOOR * variance.mean()
    matrix = directions / np.sqrt(variance) @ directions.T
    out: Matrix = matrix / np.sqrt((matrix**2).sum() / DIMENSIONS)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--hold-out", action="store_true", help="leave every third story out, to measure on them")
    given = parser.parse_args()
    model = load_model(ModelSettings())
    sets = [[(row.text, row.group, row.lang) for row in read_rows(file)] for file in given.files]
    stories = [*story_rows(held=False), *([] if given.hold_out else story_rows(held=True))]
    spread = []
    for rows in [*sets, list(demo_rows()), stories]:
        texts, groups, langs = (list(column) for column in zip(*rows, strict=True))
        spread.append(within(centred(model, texts, langs), groups))
        print(f"{len(texts):,} documents, {len(set(groups))} groups")
    np.savez_compressed(given.target, matrix=sharpened(np.mean(spread, axis=0)).astype(np.float16))


if __name__ == "__main__":
    main()
