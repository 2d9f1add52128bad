"""A case as a brief for somebody who was not there: HTML to print, Markdown to paste.

Each number leads to its search and each quotation to its document; what strangers wrote stands in both only escaped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from groundswell.configs.schema import Settings
from groundswell.index.records import Case, Signal
from groundswell.index.store import Reader
from groundswell.ui.report import links, wording
from groundswell.ui.report.digest import board_address, templates
from groundswell.ui.report.disturbing import counting, disturbing
from groundswell.ui.report.inbox import Entry, find_inbox, how_it_goes

Format = Literal["html", "md"]
QUOTED = 600
"""Characters of a document that a brief quotes; the whole text stands in the case."""
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~&:$])")


def make_brief(reader: Reader, case: Case, settings: Settings, *, kind: Format, now: datetime) -> str:
    """Return the brief of a case, as it stands at a moment."""
    template = templates(html=kind == "html")
    template.filters["md"] = markdown
    return template.get_template(f"brief.{kind}.jinja").render(_facts(reader, case, settings, now))


def markdown(text: object) -> str:
    """Return text on one line that Markdown shows and never understands."""
    line = "".join(char if char.isprintable() else " " for char in str(text))
    return _MARKDOWN.sub(r"\\\1", " ".join(line.split()))


def _facts(reader: Reader, case: Case, settings: Settings, now: datetime) -> dict[str, Any]:
    zone, base = settings.board.timezone, board_address(settings)
    inbox = find_inbox(reader, now=now)
    entries = {entry.id: entry for entry in map(inbox.__getitem__, case.signals) if entry}
    alerts = [signal for signal in reader.many(Signal, case.signals) if signal.fired]
    return {
        "case": case,
        "url": f"{base}/{links.case(case.id)}",
        "risk": wording.risk(case.policy_area) or "none named",
        "made": wording.moment(now, zone),
        "opened": wording.stamp(case.opened_at, zone),
        "due": wording.stamp(case.due, zone) if case.due else "none",
        "episodes": [_episode(entry, base, zone, now) for entry in entries.values()],
        "alerts": [_alert(alert, base, zone) for alert in alerts],
        "history": [{"at": wording.stamp(n.at, zone), "by": n.by, "text": n.text} for n in case.history],
        "documents": [_document(item, base, zone, _folded(item, settings)) for item in case.evidence],
        "markets": _counted(case.evidence, "market", "no market named"),
        "languages": _counted(case.evidence, "lang", "no language known"),
        "feelings": _counted(case.evidence, "sentiment", "not read"),
        "zone": zone,
    }


def _episode(entry: Entry, base: str, zone: str, now: datetime) -> dict[str, str]:
    return {
        "title": entry.title,
        "goes": how_it_goes(entry, zone),
        "documents": wording.plural(entry.documents, "document"),
        "url": f"{base}/{links.grown(entry.episode, now)}",
    }


def _alert(alert: Signal, base: str, zone: str) -> dict[str, str]:
    return {
        "why": alert.why,
        "at": wording.stamp(alert.at, zone),
        "count": wording.plural(len(alert.evidence), "document"),
        "url": f"{base}/{links.evidence(alert)}",
    }


def _counted(evidence: Sequence[Mapping[str, Any]], name: str, none: str) -> str:
    """Return every value with its count, commonest first: they add up to the documents of the case."""
    counts = Counter(str(item.get(name) or none) for item in evidence)
    return ", ".join(f"{value} {count}" for value, count in counts.most_common())


def _folded(item: Mapping[str, Any], settings: Settings) -> str:
    """Return what stands before a text that may disturb, or nothing."""
    risks: Mapping[str, Any] = item.get("risks") or {}
    name = disturbing(settings, counting({risk: float(value) for risk, value in risks.items()}))
    return f"May disturb ({name}): open to read" if name else ""


def _document(item: Mapping[str, Any], base: str, zone: str, folded: str) -> dict[str, str]:
    when = str(item.get("published_at") or "")
    text = " ".join(filter(None, (str(item.get("title", "")), str(item.get("text", "")))))
    return {
        "source": str(item.get("source", "")),
        "when": wording.stamp(datetime.fromisoformat(when), zone) if when else "no date",
        "where": " · ".join(filter(None, (str(item.get("market", "")), str(item.get("lang", ""))))),
        "sentiment": str(item.get("sentiment", "")),
        "text": wording.shortened(text, QUOTED),
        "folded": folded,
        "url": f"{base}/{links.document(str(item.get('id', '')))}",
        "added": f"added later by {item.get('added_by', '')}" if item.get("added_at") else "",
        "hash": str(item.get("sha256", ""))[:16],
    }
