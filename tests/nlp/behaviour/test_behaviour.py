"""What the shipped model does with sentences that differ in one thing: failures may become fewer, never more.

`failures.tsv` holds how many of each capability and language fail today. Whoever makes one less fail lowers the number.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import pytest

from groundswell.configs.schema import ModelSettings
from groundswell.configs.taxonomy import load_taxonomy
from groundswell.nlp.evaluate.behaviour import Behaviour, behave
from groundswell.nlp.model.model import load_model

with (Path(__file__).parent / "failures.tsv").open(encoding="utf-8", newline="") as stream:
    ALLOWED = {(row["capability"], row["lang"]): int(row["failures"]) for row in csv.DictReader(stream, delimiter="\t")}


@cache
def found() -> dict[tuple[str, str], Behaviour]:
    """Return what the shipped model does."""
    model = load_model(ModelSettings(), taxonomy=load_taxonomy())
    return {(each.capability, each.lang): each for each in behave(model)}


@pytest.mark.parametrize("key", list(ALLOWED), ids="-".join)
def test_no_more_fails_than_before(key: tuple[str, str]) -> None:
    """Each capability holds in each language as often as it did."""
    failed = found()[key].failed
    assert len(failed) <= ALLOWED[key], failed


def test_every_case_is_counted() -> None:
    """No capability or language stands outside the table."""
    assert set(found()) == set(ALLOWED)
