from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from groundswell.nlp.evaluate.card import write_card
from groundswell.nlp.evaluate.evaluate import (
    Calibration,
    Evaluation,
    Feeling,
    RiskScore,
    Runtimes,
    other_half,
    read_targets,
    risks_by_halves,
)
from groundswell.nlp.evaluate.metrics import (
    Interval,
    Score,
    bootstrap,
    calibration_error,
    confusion,
    error_by_chance,
    macro_f1,
    macro_recall,
    paired,
)
from groundswell.nlp.evaluate.promote import judge, promote


def report(made_by: str, umsab: float, risk: float, error: float = 0.03) -> Evaluation:
    """Return an evaluation with these figures."""
    one = Interval(umsab, umsab - 0.02, umsab + 0.02)
    feeling = Feeling(
        name="english_umsab_val",
        lang="en",
        recall=one,
        f1=one,
        classes=(Score(umsab, umsab, umsab, 10),) * 3,
        confusion=np.eye(3, dtype=np.int64) * 10,
        error=error,
        unsure=0.1,
    )
    found = Evaluation(made_by, feelings=[feeling], risks=[RiskScore("gambling", Score(0.8, 0.7, 0.75, 20), 0.02)])
    found.risk_f1 = Interval(risk, risk - 0.05, risk + 0.05)
    found.target_recall = 0.8
    found.agreement = {"gambling": 0.9}
    return found


def test_figures_are_the_textbook_ones() -> None:
    """Macro-F1, macro-recall and the table of confusions of a case done by hand."""
    gold, claimed = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, 0])
    assert macro_recall(gold, claimed) == pytest.approx((0.5 + 1 + 0) / 3)
    assert macro_f1(gold, claimed) == pytest.approx((0.5 + 0.8 + 0) / 3)
    assert confusion(gold, claimed, 3).tolist() == [[1, 1, 0], [0, 2, 0], [1, 0, 0]]


def test_sure_and_wrong_is_badly_calibrated() -> None:
    """A model that is 95 % sure and right half the time is off by .45."""
    right = np.array([True, False] * 50)
    assert calibration_error(right, np.full(100, 0.95, np.float32)) == pytest.approx(0.45, abs=1e-6)


def test_true_confidences_show_an_error_on_few_texts() -> None:
    """A hundred texts whose confidences are all true look off by several points, ten thousand do not."""
    confidence = np.random.default_rng(1).uniform(0.4, 1, 10_000).astype(np.float32)
    assert error_by_chance(confidence[:100]) > 0.05
    assert error_by_chance(confidence) < 0.015


def test_what_is_judged_was_not_fitted_on() -> None:
    """Labels that are noise cannot be made to look calibrated: each half is judged with the other's corrections."""
    chance = np.random.default_rng(0)
    logits = chance.normal(size=(1200, 3)).astype(np.float32) * 3
    found = other_half(logits, chance.integers(0, 3, 1200), np.array(["en", "th"] * 600))
    assert np.allclose(found.sum(axis=1), 1, atol=1e-5)
    assert abs(float(found.max(axis=1).mean()) - 1 / 3) < 0.05


def test_cuts_of_one_half_judge_the_other() -> None:
    """Chances that part the classes give the full figure whichever half the cut comes from."""
    gold = (np.arange(400)[:, None] % 4 == 0).astype(np.float32)
    assert risks_by_halves(np.where(gold == 1, 0.4, 0.1).astype(np.float32), gold, [0]) == 1


def test_an_interval_holds_the_figure() -> None:
    """The bootstrap's middle 95 % lies around the figure and has a width."""
    values = np.random.default_rng(0).normal(size=200)
    found = bootstrap(lambda rows: float(values[rows].mean()), 200)
    assert found.low < found.value < found.high


def test_a_pair_of_equals_differs_by_nothing() -> None:
    """The same claims twice: no difference, and no uncertainty about it."""
    gold = np.array([0, 1, 2] * 20)
    found = paired(macro_f1, gold, gold, gold)
    assert (found.low, found.value, found.high) == (0, 0, 0)


def test_a_challenger_that_wins_one_and_loses_none_is_promoted() -> None:
    """Better risk at equal sentiment is a win."""
    assert judge(report("new 2", 0.65, 0.78), report("old 1", 0.65, 0.70)).wins


def test_a_challenger_that_loses_a_language_is_not_promoted() -> None:
    """Better risk does not pay for sentiment that is three points worse."""
    verdict = judge(report("new 2", 0.62, 0.78), report("old 1", 0.65, 0.70))
    assert not verdict.wins
    assert any("UMSAB" in reason for reason in verdict.reasons)


def test_a_challenger_that_cannot_be_believed_is_not_promoted() -> None:
    """A model that wins but whose probabilities are off stays outside."""
    assert not judge(report("new 2", 0.70, 0.80, error=0.2), report("old 1", 0.65, 0.70)).wins


def test_a_promoted_model_is_whole(tmp_path: Path) -> None:
    """All files of the challenger stand in the champion's place."""
    challenger, place = tmp_path / "new", tmp_path / "champion"
    challenger.mkdir()
    for name in ("model.json", "encoder.onnx"):
        (challenger / name).write_text(name)
    promote(challenger, place)
    assert {path.name for path in place.iterdir()} == {"model.json", "encoder.onnx"}


def test_a_model_too_heavy_for_git_is_refused(tmp_path: Path) -> None:
    """More than 60 MB are not promoted."""
    (tmp_path / "new").mkdir()
    with (tmp_path / "new" / "encoder.onnx").open("wb") as stream:
        stream.truncate(61_000_000)
    with pytest.raises(ValueError, match=r"61\.0 MB"):
        promote(tmp_path / "new", tmp_path / "place")


def test_the_card_is_written_from_the_figures() -> None:
    """Every figure of an evaluation stands in the card, and nothing is left to be filled in."""
    manifest = {
        "name": "groundswell-small",
        "version": "9.9",
        "embedding_version": "e",
        "shape": {"layers": 12, "hidden": 384, "fork": 8, "branch": 4},
        "texts": {"sentiment": 1000, "risk": 500},
        "recipe": {"seed": 13, "steps": 5600, "last_steps": 900},
        "encoder_of": "groundswell-small 9.8",
    }
    figures = report("groundswell-small 9.9", 0.654, 0.777)
    figures.calibration = [Calibration("all texts", 321, 0.041, 0.012, 0.043)]
    figures.runtimes = Runtimes(4321, 0.987, 0.91, 0.995, 0.9998, 0.997)
    card = write_card(figures, manifest, "a command", judge(figures, report("old 1", 0.61, 0.70)))
    assert "65.4 [63.4, 67.4]" in card
    assert "77.7 [72.7, 82.7]" in card
    assert "all texts | 321 | 0.041 | 0.012 | 0.043" in card
    assert "98.7 %; 0.9998; 0.997" in card
    assert "UMSAB: 65.4 against 61.0" in card
    assert "gambling | 0.90 | 0.80 | 0.70 | 0.75 | 20" in card
    assert "each source left out" not in card
    figures.own_risk_f1 = Interval(0.6, 0.5, 0.7)
    judged = write_card(figures, {**manifest, "sources_out": "macro-F1 is 12.3"}, "a command")
    assert "each source left out in turn (`docs/measurements/model.md`) macro-F1 is 12.3;" in judged


def test_target_texts_name_known_targets() -> None:
    """The texts that test targets are readable and hold several languages' worth of pairs."""
    rows = read_targets()
    assert len(rows) >= 40
    assert {feeling for gold, _ in rows for feeling in gold.values()} <= {"negative", "neutral", "positive"}
