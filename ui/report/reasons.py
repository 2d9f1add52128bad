"""Why an alert, in the language of whoever reads it: the stored sentence taken apart by the grammar that made it.

The sentence is kept in English (`groundswell.nlp.signals.alerts.explanation.sentence`). Each of its clauses has one
form; where all of them are understood the whole is said anew with the same numbers, and else it stays as it is: a
sentence is never half translated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from groundswell.ui.report import wording
from groundswell.ui.report.tongue import spoken, tr

_SPAN = r"(?P<length>\d+) (?P<unit>hours|days)"
_COUNTED = re.compile(
    r"(?:(?P<how>new|more than usual|(?P<times>[\d.]+) times the usual), )?(?P<documents>\d+) documents?"
    r"(?: by (?P<least>at least )?(?:(?P<author>one author)|(?P<authors>\d+) authors))?"
    rf" in {_SPAN}(?: in (?P<market>[A-Z]{{2}}))?, where (?P<usual>[^;]+?) would be usual",
    re.IGNORECASE,
)
_SOUR = re.compile(
    rf"the mood fell from (?P<then>[-+−][\d.]+) to (?P<now>[-+−][\d.]+) over {_SPAN}, (?P<documents>\d+) documents?"
    r"(?: in (?P<market>[A-Z]{2}))?",
    re.IGNORECASE,
)
_SPREAD = re.compile(
    rf"spreading, (?P<observed>\d+) new sources, languages, markets or kinds of source in {_SPAN},"
    r" where (?P<expected>[\d.]+) would be usual: (?P<places>.+)",
    re.IGNORECASE,
)
_RISK = re.compile(
    r"(?P<carry>\d+|none) of (?P<whole>\d+) labelled (?P<risk>.+?)(?P<together>, together they point to it)?"
    r" \(mean weight (?P<weight>[\d.]+)\)"
)
_SUBJECT = re.compile(r"(?P<subject>.*): (?=(?:new|more than usual|[\d.]+ times|the mood fell|spreading)\b)", re.DOTALL)
_USUAL: tuple[tuple[str, str], ...] = (
    (r"about ([\d.]+)", "about {0}"),
    (r"about one", "about one"),
    (r"hardly any", "hardly any"),
    (r"one in (\d+) days", "one in {0} days"),
)


def reason_said(why: str, title: str = "", *, bare: bool = False) -> str:
    """Return why an alert was raised, in the language that is spoken; `title` stands for its subject where it has one.

    What is not of the grammar of such sentences stays as it is. With `bare` it is said without its subject, below a
    title that says it; English keeps the name that it had then, where that is another one.
    """
    if spoken() == "en":
        return why
    begun = _SUBJECT.match(why)
    clauses = why[begun.end() if begun else 0 :].removesuffix(".").split("; ")
    parts = [_first(clauses[0]), *(_other(clause) for clause in clauses[1:])]
    if not all(parts):
        return why
    subject = (title or begun["subject"]) if begun and not bare else ""
    said = tr("; ").join(part for part in parts if part) + tr(".")
    return tr("{subject}: {what}").format(subject=subject, what=said) if subject else said


def _first(clause: str) -> str:
    """Return the clause that says how many, or nothing where it is not understood."""
    if found := _COUNTED.fullmatch(clause):
        return _counted(found)
    if found := _SOUR.fullmatch(clause):
        said = tr("the mood fell from {then} to {now} within {span}, {documents}")
        words = {"then": found["then"], "now": found["now"], "span": _span(found)}
        return said.format(documents=wording.plural(int(found["documents"]), "document"), **words) + _market(found)
    if found := _SPREAD.fullmatch(clause):
        said = tr("spreading: {count} new sources, languages, markets or kinds in {span}, {usual} usual: {places}")
        places = {"count": found["observed"], "usual": found["expected"], "places": _places(found["places"])}
        return said.format(span=_span(found), **places)
    return ""


def _counted(found: re.Match[str]) -> str:
    said = tr("{how}: {documents}{authors} in {span}{market}, {usual} would be usual")
    if found["times"]:
        how = tr("{count} times the usual").format(count=found["times"])
    elif found["how"]:
        how = tr(found["how"].lower())
    else:  # a card whose title says it already
        how, said = "", tr("{documents}{authors} in {span}{market}, {usual} would be usual")
    documents = wording.plural(int(found["documents"]), "document")
    usual = _usual(found["usual"])
    if not usual:
        return ""
    return said.format(
        how=how, documents=documents, authors=_authors(found), span=_span(found), market=_market(found), usual=usual
    )


def _authors(found: re.Match[str]) -> str:
    count = "1" if found["author"] else found["authors"]
    if not count:
        return ""
    return (tr(" by at least {count} authors") if found["least"] else tr(" by {count} authors")).format(count=count)


def _usual(text: str) -> str:
    for pattern, said in _USUAL:
        if found := re.fullmatch(pattern, text):
            return tr(said).format(*found.groups())
    return ""


def _span(found: re.Match[str]) -> str:
    return (tr("{count} hours") if found["unit"].lower() == "hours" else tr("{count} days")).format(
        count=found["length"]
    )


def _market(found: re.Match[str]) -> str:
    return tr(" in {market}").format(market=found["market"]) if found["market"] else ""


def _places(text: str) -> str:
    """Return new places, each with what kind of place it is."""
    return ", ".join(_place(one) for one in text.split(", "))


def _place(text: str) -> str:
    kind, space, name = text.partition(" ")
    if more := re.fullmatch(r"(\d+) more", text):
        return tr("{count} more").format(count=more[1])
    return f"{tr(kind)} {name}" if space and kind in {"source", "language", "market", "kind"} else text


def _other(clause: str) -> str:
    """Return one of the clauses that may follow, or nothing where it is not understood."""
    head, colon, rest = clause.partition(": ")
    made = _CLAUSES.get(head) if colon else None
    if made:
        return made(rest)
    found = _RISK.fullmatch(clause)
    if not found:
        return ""
    together = tr(", together they point to it") if found["together"] else ""
    carry = "0" if found["carry"] == "none" else found["carry"]
    risk = wording.risk(found["risk"].replace(" ", "_"))
    said = tr("{carry} of {whole} labelled {risk}{together} (mean weight {weight})")
    return said.format(carry=carry, whole=found["whole"], risk=risk, together=together, weight=found["weight"])


def _by_market(text: str) -> str:
    shown = re.sub(r"(\d+) more markets (\d+)", tr(r"\1 more markets \2"), text)
    return tr("by market: {markets}").format(markets=shown.replace("not named", tr("not named")))


def _apart(text: str) -> str:
    return tr("what sets them apart: {words}").format(words=text)


_CLAUSES: Mapping[str, Callable[[str], str]] = {"by market": _by_market, "what sets them apart": _apart}
