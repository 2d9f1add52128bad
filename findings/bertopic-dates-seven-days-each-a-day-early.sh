#!/usr/bin/env bash
# BERTopic's topics_over_time(nr_bins=7) over seven whole days labels every day with the evening before, each a little earlier; the twelve days 01/11/2026 to 12/11/2026 are twelve months.
# Versions: bertopic 0.17.4, pandas 2.3.3.
# A good engineer guesses: seven bins of seven days begin at their midnights, or at least within their days; dates that cannot be told apart are refused.
# What happens: the bins are pandas.cut's of equal length between the first and the last post, the first lengthened at its left, and a bin is called by its left edge, which (23 hours being less than a day) drifts from 23:50 to 23:08 of the day before. Dates as text are read month first, and only a 13th tells that they are not.
# Lost by the guess: grouped by date, each peak of a theme stands a day before it happened, so that an alert seems to have come late, and an effect stands before its cause; a spike of one week is a trend of a year.
# Source: bertopic/_bertopic.py (topics_over_time), seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
BASE="numpy==2.4.6 scikit-learn==1.9.1 pandas==2.3.3 hdbscan==0.8.44 tqdm==4.70.1 PyYAML==6.0.3 packaging==26.3"
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q $BASE
"$dir/v/bin/pip" install -q --no-deps 'bertopic==0.17.4'
"$dir/v/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import numpy
import pandas
from bertopic import BERTopic
from bertopic.dimensionality import BaseDimensionalityReduction
from sklearn.cluster import KMeans

print({name: version(name) for name in ("bertopic", "pandas")})
TEXTS = ("refund bank weeks money", "deepfake minister crypto video")


def counted(hours, text, **more):
    docs = [TEXTS[k % 2] for k in range(len(hours))]
    vectors = numpy.eye(8, dtype="float32")[[k % 2 for k in range(len(hours))]]
    kinds = KMeans(2, random_state=0, n_init=1)
    model = BERTopic(embedding_model=None, umap_model=BaseDimensionalityReduction(), hdbscan_model=kinds)
    model.fit(docs, vectors)
    over = model.topics_over_time(docs, [text(hour) for hour in hours], **more)
    return over.groupby("Timestamp").Frequency.sum()


week = pandas.date_range("2026-11-22", "2026-11-28 23:00", freq="h")
bins = counted(list(week), lambda hour: hour, nr_bins=7)
seen = [f"{each:%d %H:%M}" for each in bins.index]
print("posts a bin", sorted(set(bins)), "seen", seen, "guessed", [f"{day} 00:00" for day in range(22, 29)])
assert set(bins) == {24} and seen[0] == "21 23:49" and seen[-1] == "27 23:08", "behaviour has changed"

days = pandas.date_range("2026-11-01", "2026-11-12 23:00", freq="h")
months = counted(list(days), lambda hour: f"{hour:%d/%m/%Y}")
seen = [f"{each:%Y-%m-%d}" for each in months.index]
print("1 to 12 November, as the region writes them: seen", seen[:2], "to", seen[-1])
assert seen[0] == "2026-01-11" and seen[-1] == "2026-12-11" and len(seen) == 12, "behaviour has changed"
PY
