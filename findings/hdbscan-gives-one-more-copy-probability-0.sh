#!/usr/bin/env bash
# hdbscan puts thirty identical texts into one cluster with probability 1, and the thirty-first, the very same vector, into it with probability 0; soft membership of all thirty is nan.
# Versions: hdbscan 0.8.44, scikit-learn 1.9.1, numpy 2.4.6.
# A good engineer guesses: approximate_predict of a point that was in the training set says what training said; copies are the surest members of all.
# What happens: copies are at distance 0, so their density is infinite; training divides with a care for that, prediction and all_points_membership_vectors do not. Varied texts are as guessed.
# Lost by the guess: copy-pasted scam posts, which are what a monitor is for, fall out of their theme at the first threshold on probability (BERTopic's transform uses the same function).
# Source: hdbscan/prediction.py, seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'hdbscan==0.8.44' 'scikit-learn==1.9.1' 'numpy==2.4.6'
OMP_NUM_THREADS=1 "$dir/v/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import hdbscan
import numpy as np

print({name: version(name) for name in ("hdbscan", "scikit-learn", "numpy")})
random = np.random.default_rng(0)
places = random.normal(size=(3, 8))
copied = np.repeat(places[:1], 30, axis=0)
varied = places[1] + random.normal(size=(30, 8)) * 0.15
others = [places[2] + random.normal(size=(20, 8)) * 0.15, random.normal(size=(20, 8)) * 2]
points = np.vstack([copied, varied, *others])
model = hdbscan.HDBSCAN(min_cluster_size=5, min_samples=2, prediction_data=True).fit(points)
labels, chances = hdbscan.approximate_predict(model, points[[0, 30]])
soft = hdbscan.all_points_membership_vectors(model)
print("a copy:   trained", model.labels_[0], model.probabilities_[0], " one more seen", labels[0], chances[0], " guessed the same")
print("a varied: trained", model.labels_[30], model.probabilities_[30], " one more seen", labels[1], chances[1])
print("nan in soft membership: copies", int(np.isnan(soft[:30]).all(axis=1).sum()), "of 30, others", int(np.isnan(soft[30:]).sum()), " guessed 0")
assert model.probabilities_[:30].min() == 1.0 and labels[0] == model.labels_[0] and chances[0] == 0.0, "behaviour has changed"
assert chances[1] > 0.5 and np.isnan(soft[:30]).all() and not np.isnan(soft[30:]).any(), "behaviour has changed"
PY
