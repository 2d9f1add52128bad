"""Training: from the starting weights and labelled texts to a bundle that `load_model` opens.

`train` does all of it and can be killed and run again; each module is a stage: `pretrained`, `vocabulary`, `sources`,
`risks`, `branch`, `calibrate`, `quantise`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from groundswell.index.progress import Progress

if TYPE_CHECKING:
    from groundswell.configs.taxonomy import Taxonomy
    from groundswell.nlp.train.branch import Recipe


def train(
    data: Path,
    out: Path,
    *,
    version: str,
    taxonomy: Taxonomy | None = None,
    recipe: Recipe | None = None,
    vocabulary: Path | None = None,
    keep: Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """Train a model and write its bundle.

    Args:
        data: folder with ``sentiment/`` and ``corpora/``; sets that are missing are passed over.
        out: folder for the bundle; intermediate results lie in ``out/work`` until it is done, and are gone on from.
        version: what every score will say it was made by.
        taxonomy: classes of risk; by default the ones that come with Groundswell.
        recipe: steps, rates and the seed.
        vocabulary: a bundle whose vocabulary is kept, so that embeddings stay comparable; by default the shipped one.
        keep: a bundle whose encoder is kept as it is: heads and corrections alone are learned anew, in minutes.
        progress: called with (done, total, what).

    Returns:
        The folder of the bundle.
    """
    from groundswell.nlp.train.run import run

    return run(
        data,
        out,
        version=version,
        taxonomy=taxonomy,
        recipe=recipe,
        vocabulary=vocabulary,
        keep=keep,
        progress=progress,
    )


__all__ = ["train"]
