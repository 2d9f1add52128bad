"""Risk heads learnt anew for a bundle that stays as it is otherwise: minutes, whatever its encoder.

What is labelled or written for training grows more often than an encoder changes. Heads of risk and stance, and the
background for classes of a user's own, follow from the texts; all else is copied.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from groundswell.configs.schema import ModelSettings
from groundswell.configs.taxonomy import Taxonomy, load_taxonomy
from groundswell.nlp.model.bundle import carried_over, read_bundle, write_manifest
from groundswell.nlp.model.heads import risk_features
from groundswell.nlp.model.lexicon import Wording
from groundswell.nlp.model.model import load_model
from groundswell.nlp.train.risks import RiskText
from groundswell.nlp.train.run import BACKGROUND, fit_risk_head, fit_stance


def refit_risks(
    texts: Sequence[RiskText], out: Path, *, version: str, keep: Path, taxonomy: Taxonomy | None = None
) -> Path:
    """Write a bundle with other risk heads than `keep`'s, and return its folder; the same texts give the same heads.

    Args:
        texts: what is learned from, such as `groundswell.nlp.train.risks.all_risk_texts` gives.
        out: folder for the bundle.
        version: what every score will say it was made by.
        keep: the bundle that all else is taken from.
        taxonomy: classes of risk; by default the ones that come with Groundswell.

    Raises:
        ModelError: the bundle is damaged.
    """
    taxonomy, bundle = taxonomy or load_taxonomy(), read_bundle(keep)
    model = load_model(ModelSettings(name=str(keep)))
    words = [each.text for each in texts]
    encoded = model.encode(words)
    features = risk_features(encoded.vectors, encoded.pooled, Wording.of(taxonomy.risks)(words))
    own = np.array([each.origin == "ours" for each in texts])
    heads = replace(
        model.heads,
        risks=fit_risk_head(features, texts),
        risk_ids=taxonomy.risk_ids,
        background=features[own][:: max(1, int(own.sum()) // BACKGROUND)][:BACKGROUND],
        stance=fit_stance([each.text for each in texts if each.split == "train" and (each.labels == 1).any()]),
    )
    out.mkdir(parents=True, exist_ok=True)
    for name in bundle["sha256"]:
        shutil.copyfile(bundle.path(name), out / name)
    np.savez_compressed(out / "heads.npz", allow_pickle=False, **heads.arrays())
    write_manifest(
        out,
        {
            **carried_over(bundle.manifest),
            "version": version,
            "risk_ids": list(taxonomy.risk_ids),
            "wording": [[list(risk.words), list(risk.unless)] for risk in taxonomy.risks],
            "texts": {**bundle["texts"], "risk": len(texts)},
        },
    )
    return out
