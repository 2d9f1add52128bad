"""Heads learnt from a team's own labels, in one file beside the model that they belong to; put in effect, taken back.

Of the model they change what its last linear steps weigh, never its encoder: vectors, and so themes, stay as they are.
A file names the one that was in effect before it, so that the way back is a chain of whole files.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from groundswell.configs.load import LEARNED
from groundswell.index.files import write_whole
from groundswell.nlp.model.bundle import ModelError
from groundswell.nlp.model.heads import Head, Heads

CURRENT, PROPOSED = LEARNED.name, "proposed.npz"
FORMAT = 1
LEARNED_MARK = " + learned "
"""Stands between the model's name and what was learnt, in what scores say they were made by."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What labels taught.

    Attributes:
        base: name and version of the model that it belongs to (`groundswell.nlp.model.bundle.Bundle.made_by`).
        risk_ids: the classes that `risks` ``(classes, features)`` reads anew; other classes stay as they are.
        sentiment: added to the logits of feelings, ``(3, width)``; ``None`` where nothing better was learnt.
        before: the file that was in effect before this one, or "".
        report: what was measured before it was accepted, as JSON holds it.
    """

    base: str
    risk_ids: tuple[str, ...]
    risks: Head
    sentiment: Head | None
    before: str = ""
    report: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return what tells it from others: eight digits of a hash of its weights."""
        parts = [self.risks.weight, self.risks.bias]
        parts += [self.sentiment.weight, self.sentiment.bias] if self.sentiment else []
        told = hashlib.sha256(" ".join((self.base, *self.risk_ids)).encode())
        for part in parts:
            told.update(np.ascontiguousarray(part).tobytes())
        return told.hexdigest()[:8]

    def applied(self, heads: Heads) -> Heads:
        """Return a model's heads with what was learnt."""
        rows = {risk: n for n, risk in enumerate(heads.risk_ids)}
        weight, bias = heads.risks.weight.copy(), heads.risks.bias.copy()
        for n, risk in enumerate(self.risk_ids):
            if risk in rows:
                weight[rows[risk]], bias[rows[risk]] = self.risks.weight[n], self.risks.bias[n]
        return dataclasses.replace(heads, risks=Head(weight, bias), learned=self.sentiment)


def read_learned(path: Path) -> Learned:
    """Read a file.

    Raises:
        ModelError: it is missing, damaged, or of another version.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
        about = json.loads(str(arrays["about"]))
        if about["format"] != FORMAT:
            raise ValueError(f"format {about['format']}, {FORMAT} is needed")
        own = "sentiment.weight" in arrays
        return Learned(
            base=about["base"], risk_ids=tuple(about["risk_ids"]), before=about["before"], report=about["report"],
            risks=Head(arrays["risks.weight"], arrays["risks.bias"]),
            sentiment=Head(arrays["sentiment.weight"], arrays["sentiment.bias"]) if own else None,
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        msg = (
            f"{path}: cannot read what was learnt ({error}); groundswell train --roll-back goes back to the one before"
        )
        raise ModelError(msg) from error


def write_learned(path: Path, learned: Learned) -> None:
    """Write a file, whole or not at all."""
    about = {
        "format": FORMAT, "base": learned.base, "risk_ids": list(learned.risk_ids), "before": learned.before,
        "report": dict(learned.report),
    }  # fmt: skip
    arrays = {
        "about": np.array(json.dumps(about)),
        "risks.weight": learned.risks.weight,
        "risks.bias": learned.risks.bias,
    }
    if learned.sentiment is not None:
        arrays |= {"sentiment.weight": learned.sentiment.weight, "sentiment.bias": learned.sentiment.bias}
    out = io.BytesIO()
    np.savez_compressed(out, allow_pickle=False, **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, out.getvalue())


def put_in_effect(folder: Path) -> Learned:
    """Let what was proposed be in effect from the next start of whatever reads texts.

    Raises:
        ModelError: nothing was proposed, it did not win, it is damaged, or another one is in effect by now.
    """
    if not (folder / PROPOSED).is_file():
        raise ModelError("nothing is proposed: groundswell train learns from the labels first")
    current, learned = folder / CURRENT, read_learned(folder / PROPOSED)
    if learned.before != (there := read_learned(current).name if current.is_file() else ""):
        raise ModelError(
            f"it was learnt beside {learned.before or 'the model as it ships'}, in effect is {there}: train again"
        )
    if not learned.report.get("wins"):
        raise ModelError("it did not win on the held-out labels, so it cannot be put into effect")
    write_learned(folder / f"{learned.name}.npz", learned)
    write_learned(current, learned)
    (folder / PROPOSED).unlink()
    return learned


def roll_back(folder: Path) -> str:
    """Go back to what was in effect before, or to the model as it ships; return its name, or "".

    A damaged file in effect gives way to the model as it ships.

    Raises:
        ModelError: nothing that was learnt is in effect.
    """
    current = folder / CURRENT
    if not current.is_file():
        raise ModelError("nothing that was learnt is in effect: the model reads as it ships")
    try:
        before = read_learned(current).before
        earlier = read_learned(folder / f"{before}.npz") if before else None
    except ModelError:
        earlier = None
    if earlier is None:
        current.unlink()
        return ""
    write_learned(current, earlier)
    return earlier.name
