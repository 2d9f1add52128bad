"""Champion and challenger: a new model takes the place of the old one only if it wins where we agreed to look."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from groundswell.index.files import written_aside
from groundswell.nlp.evaluate.evaluate import Evaluation
from groundswell.nlp.model.bundle import MANIFEST, checksum

MOST_BYTES = 60_000_000
"""What a promoted model may weigh: git keeps every version of it."""
MOST_ERROR = 0.05
SLACK = 0.01
"""How much the challenger may lose on one figure while winning on the others: about half an interval."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the challenger wins, and why or why not, a sentence each."""

    wins: bool
    reasons: tuple[str, ...]


def judge(challenger: Evaluation, champion: Evaluation) -> Verdict:
    """Compare two evaluations made on the same texts.

    The challenger wins if it is better on at least one of sentiment over many languages, sentiment over all sets,
    risk and main targets, worse by more than a point on none, and its probabilities can be believed (ECE at most
    .05, or no worse than before).
    """
    pairs = {
        "sentiment, mean macro-F1 over UMSAB": (challenger.many_languages, champion.many_languages),
        "sentiment, mean macro-recall over all sets": (_recall(challenger), _recall(champion)),
        "risk, macro-F1": (_risk(challenger), _risk(champion)),
        "main target named, labelled documents": (challenger.main_named, champion.main_named),
    }
    both = {name: (new, old) for name, (new, old) in pairs.items() if new == new and old == old}  # noqa: PLR0124  nan
    reasons = [f"{name}: {100 * new:.1f} against {100 * old:.1f}" for name, (new, old) in both.items()]
    reasons.append(f"calibration error: {challenger.error:.3f} against {champion.error:.3f}")
    better = any(new > old for new, old in both.values())
    worse = any(new < old - SLACK for new, old in both.values())
    believable = not challenger.error > max(MOST_ERROR, champion.error)
    return Verdict(better and not worse and believable, tuple(reasons))


def _recall(report: Evaluation) -> float:
    return sum(f.recall.value for f in report.feelings) / len(report.feelings) if report.feelings else float("nan")


def _risk(report: Evaluation) -> float:
    return report.risk_f1.value if report.risk_f1 else float("nan")


def promote(challenger: Path, place: Path) -> Path:
    """Put the challenger's files in the place of the champion's, the manifest last.

    Raises:
        ValueError: It weighs more than it may.
    """
    files = [path for path in sorted(challenger.iterdir()) if path.is_file()]
    weight = sum(path.stat().st_size for path in files)
    if weight > MOST_BYTES:
        msg = f"{challenger}: {weight / 1e6:.1f} MB, at most {MOST_BYTES / 1e6:.0f} may be promoted"
        raise ValueError(msg)
    place.mkdir(parents=True, exist_ok=True)
    for path in sorted(files, key=lambda path: path.name == MANIFEST):
        with written_aside(place / path.name) as part:
            shutil.copyfile(path, part)
            if checksum(part) != checksum(path):
                msg = f"{part}: copied badly; is the disk full?"
                raise ValueError(msg)
    return place
