#!/usr/bin/env bash
# "from bertopic import BERTopic" loads UMAP, numba and plotly even where every model is one's own: it costs several times the processor time of the same import where they are not installed, for topics that are the same.
# Versions: bertopic 0.17.4, umap-learn 0.5.12, numba 0.68.1, plotly 7.1.0, scikit-learn 1.9.1, pandas 2.3.3.
# A good engineer guesses: umap_model=PCA(...) and a ready embedding avoid UMAP; a library of interchangeable parts loads the part that is used.
# What happens: the package's first lines try to import all of them (and sentence-transformers, so torch, where that is there). Left out of the installation (--no-deps), as its own documentation offers for a light one, nothing is missed.
# Lost by the guess: each small turn of a pipeline pays for a compiler before the first document.
# Source: bertopic/_bertopic.py, seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
python3 -m venv "$dir/light"
BASE="numpy==2.4.6 scikit-learn==1.9.1 pandas==2.3.3 hdbscan==0.8.44 tqdm==4.70.1 PyYAML==6.0.3 packaging==26.3"
"$dir/v/bin/pip" install -q $BASE 'umap-learn==0.5.12' 'numba==0.68.1' 'plotly==7.1.0'
"$dir/light/bin/pip" install -q $BASE
for v in v light; do "$dir/$v/bin/pip" install -q --no-deps 'bertopic==0.17.4'; done
cat > "$dir/topics.py" <<'PY'
import resource
import sys

import hdbscan, pandas, sklearn.decomposition  # noqa: E401  what both need

def seconds():
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime

before = seconds()
from bertopic import BERTopic

cost = seconds() - before
woken = [name for name in ("umap", "numba", "plotly") if name in sys.modules]
import numpy as np
from bertopic.backend import BaseEmbedder
from sklearn.decomposition import PCA

random = np.random.default_rng(0)
texts = ["refund not paid"] * 30 + ["too many adverts"] * 30
vectors = np.repeat(random.normal(size=(2, 16)), 30, axis=0) + random.normal(size=(60, 16)) * 0.05
model = BERTopic(embedding_model=BaseEmbedder(), umap_model=PCA(n_components=5, random_state=0), hdbscan_model=hdbscan.HDBSCAN(min_cluster_size=10))
topics, _ = model.fit_transform(texts, embeddings=vectors)
print(round(cost, 1), ",".join(woken) or "none", "".join(str(topic) for topic in topics))
PY
export OMP_NUM_THREADS=1
"$dir/v/bin/python" -W ignore "$dir/topics.py" >/dev/null 2>&1
read -r cost woken topics <<<"$("$dir/v/bin/python" -W ignore "$dir/topics.py" 2>/dev/null)"
"$dir/light/bin/python" -W ignore "$dir/topics.py" >/dev/null 2>&1
read -r less none same <<<"$("$dir/light/bin/python" -W ignore "$dir/topics.py" 2>/dev/null)"
echo "with all packages: the second import $cost CPU seconds, loaded $woken; guessed none of them"
echo "without them:      import $less CPU seconds, loaded $none; the topics are the same: $([ "$topics" = "$same" ] && echo yes || echo no)"
if [ "$woken" != umap,numba,plotly ] || [ "$none" != none ] || [ "$topics" != "$same" ]; then echo "behaviour has changed"; exit 1; fi
