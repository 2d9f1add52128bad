"""How many of the true neighbours the embedded store finds by signs, for vectors of your own.

    python bench/neighbours.py vectors.npy [--wanted 200] [--questions 100]

The file holds one vector a row, of length 1 (numpy.save; or raw little-endian float32 with --dimensions). Prints for
several numbers of rows looked at closely which share of the nearest is among them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from groundswell.index.sqlite.vectors import Held, closest, distances, signs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vectors", type=Path)
    parser.add_argument("--dimensions", type=int, help="of raw float32")
    parser.add_argument("--wanted", type=int, default=200)
    parser.add_argument("--questions", type=int, default=100)
    given = parser.parse_args()
    if given.dimensions:
        matrix = np.fromfile(given.vectors, "<f4").reshape(-1, given.dimensions)
    else:
        matrix = np.load(given.vectors).astype(np.float32)
    mean = matrix[:: max(1, len(matrix) // 8192)].mean(axis=0)
    held = Held(np.arange(len(matrix)), matrix.shape[1], None, signs(matrix - mean).T, mean)
    shares: dict[int, list[float]] = {}
    for place in np.random.default_rng(7).choice(len(matrix), given.questions, replace=False):
        nearest = np.argpartition(-(matrix @ matrix[place]), given.wanted)[: given.wanted]
        far = distances(held, matrix[place])
        for looked in (5, 10, 25, 40):
            found = np.isin(nearest, closest(far, looked * given.wanted))
            shares.setdefault(looked * given.wanted, []).append(float(found.mean()))
    print(
        json.dumps({"vectors": len(matrix), "found among": {n: round(float(np.mean(s)), 3) for n, s in shares.items()}})
    )


if __name__ == "__main__":
    main()
