"""Does learning from a team's labels help on labels that nobody has seen, or is it refused? Ten simulated teams.

    python bench/teams.py DATA [--labels 2000] [--teams 10]

DATA is the folder that `groundswell train DATA` reads. A team works on one stream of real reviews or posts. What it
calls a feeling are the stars that authors gave; each team also has its own reading of some risks (a pattern of words,
wider or narrower than the shipped class) and a share of slips. It labels so many documents; what it learns is judged,
after the gate has spoken, by as many labels again that neither heads nor gate have met.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from groundswell.configs.schema import ModelSettings
from groundswell.nlp.model.model import Model, load_model
from groundswell.nlp.text.clean import clean_one
from groundswell.nlp.trust.learn import UNKNOWN, Lessons, judge, learn


@dataclass(frozen=True, slots=True)
class Team:
    """A stream, how its texts and stars are called, what the team calls a risk, and how often it slips."""

    path: str
    risks: tuple[tuple[str, str], ...]
    slips: float = 0.03
    text: str = "content"
    stars: str = "score"


ADS = ("ad_experience", r"\b(?:ads?|adverts?|commercials?|iklan|quảng cáo)\b")
BILLING = ("billing_charges", r"refund|charged|premium|subscri|bayar|berlangganan|payment|money|uang")
SCAM = ("scam_shopping", r"penipu|nipu|tipu|kosong|lừa đảo|không giao|scam|fraud")
FAKE = ("ip_counterfeit", r"palsu|\bkw\b|tiruan|hàng giả|hàng nhái|fake|không chính hãng")
WRONG = ("misleading_claims", r"tidak sesuai|ga?k? sesuai|không đúng|không giống|mislead|bohong|khác hình")
LOCKED = ("enforcement_payout", r"suspend|blokir|banned?\b|locked|terkunci|banding|login|log in")
PRIVACY = ("privacy_targeting", r"privacy|data|personal|hack|bocor")
TEAMS = (
    Team("marketplaces_id_2026/shopee.csv", (SCAM, FAKE, WRONG)),
    Team("marketplaces_id_2026/tokopedia.csv", (SCAM, WRONG, LOCKED)),
    Team("ecommerce_vi_2019_26/dev.csv", (SCAM, FAKE, WRONG)),
    Team("spotify_id_2024/reviews.csv", (ADS, BILLING)),
    Team("streaming_en_2024/disney_hotstar.csv", (ADS, BILLING)),
    Team("streaming_en_2024/netflix.csv", (ADS, BILLING)),
    Team("threads_en_2023/reviews_part1.csv", (PRIVACY, LOCKED)),
    Team("x_id_2018_25/dev.csv", (LOCKED, PRIVACY)),
    Team("chatgpt_ios_2023/reviews.csv", (BILLING, LOCKED, PRIVACY), text="review", stars="rating"),
    Team("netflix_en_2024/reviews.csv", (ADS, BILLING, LOCKED), slips=0.1),
)


def main(args: Sequence[str] | None = None) -> None:
    """Let each team label, learn, be judged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--labels", type=int, default=2000)
    parser.add_argument("--teams", type=int, default=len(TEAMS))
    given = parser.parse_args(args)
    model = load_model(ModelSettings())
    for number, team in enumerate(TEAMS[: given.teams]):
        print(json.dumps(tried(model, team, given.data, given.labels, number)), flush=True)


def tried(model: Model, team: Team, data: Path, size: int, seed: int) -> dict[str, object]:
    """Return what became of a team's labels."""
    everything = labelled(team, data, model.risk_ids, 2 * size, seed)
    half = min(size, len(everything.texts) // 2)
    own, later = (
        everything.part(np.arange(half)),
        everything.part(np.arange(half, min(2 * half, len(everything.texts)))),
    )
    before = _seconds()
    learned, trial = learn(model, own)
    took = _seconds() - before
    if learned is None or not trial.wins:
        found: dict[str, object] = {"accepted": False, "why": "; ".join(trial.reasons)}
        if learned is not None:
            found["later_gain_had_it_been_accepted"] = round(_gain(model, learned, later), 4)
    else:
        found = {"accepted": True, "gate": [round(trial.before, 3), round(trial.after, 3), round(trial.sure, 3)]}
        final = judge(model, learned, later, taught=half)
        found |= {"later": [round(final.before, 4), round(final.after, 4)], "better": final.after > final.before}
        found["classes"] = {
            one.name: [one.positives, round(one.before, 2), round(one.after, 2)] for one in final.classes
        }
    return {"team": team.path, "labels": half, "processor_seconds": round(took, 1), **found}


def _gain(model: Model, learned: object, later: Lessons) -> float:
    final = judge(model, learned, later, taught=1)  # type: ignore[arg-type]
    return final.after - final.before


def labelled(team: Team, data: Path, risk_ids: Sequence[str], size: int, seed: int) -> Lessons:
    """Return texts of a stream, each once, with what the team says of them."""
    dice = random.Random(seed)  # noqa: S311  a bench
    with (data / "corpora" / team.path).open(encoding="utf-8", newline="") as stream:
        rows = {clean_one(row[team.text] or ""): row[team.stars] for row in csv.DictReader(stream)}
    texts = [(text, stars) for text, stars in rows.items() if len(text) >= 12 and stars[:1] in "12345"]
    dice.shuffle(texts)
    texts = texts[:size]
    risks = np.full((len(texts), len(risk_ids)), UNKNOWN, np.int64)
    for risk, pattern in team.risks:
        says = re.compile(pattern, re.IGNORECASE)
        risks[:, risk_ids.index(risk)] = [
            bool(says.search(text)) and stars[0] in "123" if dice.random() >= team.slips else dice.random() < 0.5
            for text, stars in texts
        ]
    feelings = [
        {"1": 0, "2": 0, "3": 1}.get(stars[0], 2) if dice.random() >= team.slips else dice.randrange(3)
        for _, stars in texts
    ]
    names = tuple(text for text, _ in texts)
    return Lessons(names, names, np.array(feelings, np.int64), risks)


def _seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
