"""Decisions of the platform's moderators: read from CSV, and how often a rejection was wrong, beside what users say."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf

from groundswell.index.codec import from_json
from groundswell.index.ids import stable_id
from groundswell.index.query import By, Query
from groundswell.index.records import Moderation
from groundswell.index.store import Reader
from groundswell.nlp.trust.estimate import Estimate, Stratum

DECISIONS = {"approved": ("approve", "approved", "pass", "allow"), "rejected": ("reject", "rejected", "block", "deny")}
APPEALS = {
    "overturned": ("overturned", "reversed", "granted", "won"),
    "kept": ("kept", "denied", "confirmed", "lost"),
    "open": ("open", "pending"),
    "": ("", "none", "no"),
}
"""How files call it. "upheld" is refused: the decision, or the appeal?"""
COMPLAINTS = "enforcement_payout"
"""The risk under which users complain of wrongful rejections and bans."""


@dataclass(frozen=True, slots=True)
class Month:
    """What moderators did in a month, and what users said.

    Attributes:
        appealed: rejections of which an appeal was decided; `overturned` of them were wrong.
        wrong: the share of those, with its interval: of the appealed, not of all.
        seconds: mean time of a decision, where it is known.
        complaints: documents of that month that complain of enforcement.
    """

    month: str
    decisions: int
    rejected: int
    appealed: int
    overturned: int
    wrong: Estimate
    seconds: float | None
    complaints: int


def read_csv(content: str, *, now: datetime, name: str = "file") -> tuple[list[Moderation], list[str]]:
    """Return decisions, and a sentence with its line for each row that is none.

    Args:
        content: CSV with the columns id, decision, reviewer, seconds, appeal, and if there are at and market.
        now: when decisions were made that do not say so.
        name: the file's name, for what is said of it.
    """
    found, refused = [], []
    reader = csv.DictReader(io.StringIO(content.lstrip("\ufeff")))
    for row in reader:
        try:
            found.append(
                _decision({str(key).strip().lower(): (value or "").strip() for key, value in row.items()}, now)
            )
        except (ValueError, AttributeError) as error:
            refused.append(f"{name}:{reader.line_num}: {error}")
    return found, refused


def _decision(row: Mapping[str, str], now: datetime) -> Moderation:
    if not row.get("id"):
        raise ValueError("it has no id")
    at = datetime.fromisoformat(row["at"].replace("Z", "+00:00")) if row.get("at") else now
    return from_json(
        Moderation,
        {
            "id": stable_id("moderation", row["id"]),
            "item": row["id"],
            "decision": _called(row.get("decision", ""), DECISIONS, "decision"),
            "at": at if at.tzinfo else at.replace(tzinfo=now.tzinfo),
            "reviewer": row.get("reviewer", ""),
            "seconds": float(row["seconds"]) if row.get("seconds") else None,
            "appeal": _called(row.get("appeal", ""), APPEALS, "appeal"),
            "market": row.get("market", "").upper(),
        },
    )


def _called(value: str, names: Mapping[str, tuple[str, ...]], what: str) -> str:
    for column, ways in names.items():
        if value.lower() in ways:
            return column
    raise ValueError(f"{what} is {', '.join(way for ways in names.values() for way in ways if way)}, not {value!r}")


def months(reader: Reader, decisions: Iterable[Moderation]) -> list[Month]:
    """Return what moderators did, month by month, newest first, beside the complaints of users."""
    by_month: dict[str, list[Moderation]] = defaultdict(list)
    for one in decisions:
        by_month[f"{one.at:%Y-%m}"].append(one)
    counts: dict[str, int] = defaultdict(int)
    for bucket in reader.count(Query(where={"risk": (COMPLAINTS,)}), By(period="day")):
        counts[f"{bucket.start:%Y-%m}"] += bucket.count
    return [_month(month, given, counts[month]) for month, given in sorted(by_month.items(), reverse=True)]


def _month(month: str, given: list[Moderation], complaints: int) -> Month:
    rejected = [one for one in given if one.decision == "rejected"]
    decided = [one for one in rejected if one.appeal in {"overturned", "kept"}]
    overturned = sum(one.appeal == "overturned" for one in decided)
    took = [one.seconds for one in given if one.seconds is not None]
    share = Stratum(inf, len(decided), overturned).share
    mean = sum(took) / len(took) if took else None
    return Month(month, len(given), len(rejected), len(decided), overturned, share, mean, complaints)
