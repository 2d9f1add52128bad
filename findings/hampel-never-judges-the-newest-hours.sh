#!/usr/bin/env bash
# The hampel filter judges neither the first nor the last half window: ten times the usual in the newest hour, or in any of the last twelve, is never an outlier; and on sparse counts every single post is one.
# Versions: hampel 1.0.2, numpy 2.4.6, pandas 2.3.3.
# A good engineer guesses: at the ends the window is shorter, or the result says that nothing was judged there; among hours of 0 a single 1 is nothing special.
# What happens: the ends are passed over and come back as "no outlier" (their medians are empty); and where more than half of a window is 0 the deviation is 0, so anything that is not 0 lies beyond 3 sigma.
# Lost by the guess: a monitor asks about now: the burst of this morning is found tonight, while each lonely complaint of last week is an alarm.
# Source: seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'hampel==1.0.2' 'numpy==2.4.6' 'pandas==2.3.3'
"$dir/v/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import numpy as np
from hampel import hampel

print({name: version(name) for name in ("hampel", "numpy", "pandas")})


def outliers(counts):
    return [int(hour) for hour in hampel(np.asarray(counts, float), window_size=25, n_sigma=3.0).outlier_indices]


busy = [20, 22, 18, 21, 19, 23, 17, 20] * 25
bursts = (100, 185, 190, 199)
for hour in bursts:
    busy[hour] = 200
sparse = [0] * 200
posts, burst = (30, 70, 110, 150), 130
for hour in posts:
    sparse[hour] = 1
sparse[burst] = 12
seen = {"busy": outliers(busy), "sparse": outliers(sparse)}
print("200 hours of about 20, 200 at", bursts, " seen", seen["busy"], " guessed", list(bursts))
print("200 hours of 0, 1 at", posts, "12 at", burst, " seen", seen["sparse"], " guessed", [burst])
assert seen["busy"] == [100, 185], "behaviour has changed"
assert seen["sparse"] == [30, 70, 110, 130, 150], "behaviour has changed"
PY
