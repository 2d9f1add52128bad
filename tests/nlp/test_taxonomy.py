from __future__ import annotations

from pathlib import Path

import pytest

from groundswell.configs.taxonomy import Taxonomy, load_taxonomy
from groundswell.configs.yaml_lines import ConfigError

OWN = """\
version: 2
risks:
  - id: courier_rude
    definition: Couriers who insult people at their door.
    examples: ["the courier shouted at me", "kurirnya galak banget", "快递员骂人"]
"""


def written(folder: Path, text: str) -> Path:
    """Write a taxonomy file and return its path."""
    path = folder / "taxonomy.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_taxonomy_has_eighteen_risks_with_a_dozen_examples() -> None:
    """Every shipped class says what it is and how people say it."""
    taxonomy = load_taxonomy()
    assert len(taxonomy.risks) == 18
    assert all(len(risk.examples) >= 12 and risk.counterexamples for risk in taxonomy.risks)
    assert {target.id for target in taxonomy.targets} == {
        "platform",
        "ad_product",
        "advertiser",
        "creator",
        "regulator",
        "other",
    }


def test_a_user_adds_a_class_without_code(tmp_path: Path) -> None:
    """A file with an id, a definition and a few examples is a taxonomy."""
    taxonomy = load_taxonomy(written(tmp_path, OWN))
    assert taxonomy.risk_ids == ("courier_rude",)
    assert taxonomy.risk("courier_rude").title == "Courier rude"


def test_a_wrong_key_is_named_with_its_line(tmp_path: Path) -> None:
    """A typing error points to file and line."""
    path = written(tmp_path, OWN.replace("definition:", "defnition:"))
    with pytest.raises(ConfigError, match=r"taxonomy\.yaml:4"):
        load_taxonomy(path)


def test_a_class_given_twice_is_refused(tmp_path: Path) -> None:
    """Two classes of one name would share their scores."""
    path = written(tmp_path, OWN + OWN.split("risks:\n")[1])
    with pytest.raises(ConfigError, match="courier_rude"):
        load_taxonomy(path)


def test_too_few_examples_are_refused(tmp_path: Path) -> None:
    """One example cannot tell a class from its neighbours."""
    path = written(tmp_path, OWN.replace(', "kurirnya galak banget", "快递员骂人"', ""))
    with pytest.raises(ConfigError, match="examples"):
        load_taxonomy(path)


def test_an_unknown_risk_says_which_are_known() -> None:
    """Asking for a class that is not there lists those that are."""
    with pytest.raises(KeyError, match="gambling"):
        load_taxonomy().risk("gambing")


def test_a_taxonomy_cannot_be_changed() -> None:
    """What many parts share stays as it was read."""
    taxonomy = load_taxonomy()
    with pytest.raises(ValueError, match="frozen"):
        taxonomy.version = 9
    assert isinstance(taxonomy, Taxonomy)
