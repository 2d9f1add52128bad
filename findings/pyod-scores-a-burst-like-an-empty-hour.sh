#!/usr/bin/env bash
# On hourly counts that are mostly zero PyOD's QMCD gives the greatest burst exactly the score of an empty hour, MAD gives every single post the score of a burst of 30, and HBOS, KDE, OCSVM and INNE cannot tell 12 from 30.
# Versions: pyod 3.6.7, numpy 2.4.6, scikit-learn 1.9.1.
# A good engineer guesses: on one column the order of the scores is the order of the counts, whatever the method: 30 before 12 before 1 before 0.
# What happens: MAD's deviation is 0, so whatever is not 0 gets the greatest float; QMCD's wrap-around discrepancy takes minimum and maximum for neighbours; kernels and histograms are flat far from the mass. ECOD, KNN, PCA and GMM keep the order; IForest does here.
# Lost by the guess: sorted by score, the hour with thirty scam reports stands among 630 empty ones, or beside forty hours with one post.
# Source: seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'pyod==3.6.7' 'numpy==2.4.6' 'scikit-learn==1.9.1'
OMP_NUM_THREADS=1 "$dir/v/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import numpy as np
from pyod.models.ecod import ECOD
from pyod.models.hbos import HBOS
from pyod.models.kde import KDE
from pyod.models.knn import KNN
from pyod.models.mad import MAD
from pyod.models.ocsvm import OCSVM
from pyod.models.qmcd import QMCD

print({name: version(name) for name in ("pyod", "numpy", "scikit-learn")})
counts = np.zeros(24 * 28)
counts[5::17] = 1
counts[300], counts[671] = 12, 30
hours = {30: 671, 12: 300, 1: 5, 0: 0}
seen = {}
for make in (MAD, QMCD, HBOS, KDE, OCSVM, ECOD, KNN):
    model = make() if make is MAD else make(contamination=0.01)
    scores = model.fit(counts.reshape(-1, 1)).decision_scores_
    seen[make.__name__] = {count: float(scores[hour]) for count, hour in hours.items()}
for name, score in seen.items():
    print(f"{name:6} seen", {count: f"{value:.6g}" for count, value in score.items()})
print("guessed: falling from left to right in every line")
mad, qmcd = seen["MAD"], seen["QMCD"]
assert mad[30] == mad[12] == mad[1] > mad[0], "behaviour has changed"
assert qmcd[30] == qmcd[0] < qmcd[12], "behaviour has changed"
assert seen["HBOS"][30] <= seen["HBOS"][12], "behaviour has changed"
for name in ("KDE", "OCSVM"):
    assert abs(seen[name][30] - seen[name][12]) < 1e-6, "behaviour has changed"
for name in ("ECOD", "KNN"):
    assert seen[name][30] > seen[name][12] > seen[name][1] >= seen[name][0], "behaviour has changed"
PY
