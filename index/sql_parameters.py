"""Parameters of a question in SQL: ``$market`` in the statement, their usual values in its comments.

A question that is kept is asked again with other values. Each value becomes one literal, a number or a text, so that it
can be nothing else; DuckDB reads a text as a date where it is compared with one. ``$name`` in a text, a quoted name or
a comment is no parameter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from groundswell.index.store import StoreError

_PIECE = re.compile(
    r"""\$\$.*?(?:\$\$|\Z) | \$(?P<tag>[A-Za-z_]\w*)\$.*?(?:\$(?P=tag)\$|\Z)
    | '(?:[^']|'')*(?:'|\Z) | "(?:[^"]|"")*(?:"|\Z) | --[^\n]* | /\*.*?(?:\*/|\Z)
    | \$(?P<name>[A-Za-z_]\w*)""",
    re.VERBOSE | re.DOTALL,
)
_USUAL = re.compile(r"(?:--|/\*)\s*\$([A-Za-z_]\w*)\s*=\s*(.*?)\s*(?:\*/|$)", re.MULTILINE)
_NUMBER = re.compile(r"[-+]?\d{1,15}(?:\.\d{1,15})?", re.ASCII)
LONGEST_VALUE = 500
_QUOTED = r"'(?:[^']|'')*'"
_FOUND = re.compile(rf"\bfound\s*\(\s*({_QUOTED})\s*(?:,\s*({_QUOTED})\s*)?(?:,\s*({_QUOTED})\s*)?\)", re.IGNORECASE)
MOST_SEARCHES = 10


def parameters(statement: str) -> dict[str, str]:
    r"""Return the parameters of a statement in their order, each with its usual value, "" where it has none.

    >>> parameters("-- $days = 7\nselect '$no' where age < $days and market = $market")
    {'days': '7', 'market': ''}
    """
    usual = dict(_USUAL.findall(statement))
    names = (found["name"] for found in _PIECE.finditer(statement) if found["name"])
    return {name: usual.get(name, "") for name in names}


def filled(statement: str, values: Mapping[str, str]) -> str:
    """Return a statement with values in the places of its parameters; what is not given has its usual value.

    Raises:
        StoreError: a parameter has no value, a value is too long, or a value is given for what is no parameter.
    """
    usual = parameters(statement)
    if strange := sorted(values.keys() - usual.keys()):
        named = ", ".join(f"${name}" for name in usual) or "none"
        raise StoreError(f"the statement has no parameter ${strange[0]}; it has {named}")
    known = {name: values.get(name) or value for name, value in usual.items()}
    for name, value in known.items():
        if not value:
            raise StoreError(f"${name} has no value: give one, or write a usual one above it, as -- ${name} = …")
        if len(value) > LONGEST_VALUE:
            raise StoreError(f"the value of ${name} is longer than {LONGEST_VALUE} characters")
    return _PIECE.sub(lambda found: _literal(known[found["name"]]) if found["name"] else found[0], statement)


def _literal(value: str) -> str:
    """Return a value as one literal of SQL."""
    return value if _NUMBER.fullmatch(value) else "'" + value.replace("\0", "").replace("'", "''") + "'"


def searches(statement: str) -> tuple[str, list[tuple[str, str, str]]]:
    """Return a statement with ``found_1`` in place of its first ``found('a search')``, and the searches.

    A second text says what the search stays within, as an address does (``of=``: ``alert-…``, ``signal-…``), a third
    narrows it further.

    >>> searches("select count(*) from found('scam since:7d') where id <> 'found(''x'')'")
    ("select count(*) from found_1 where id <> 'found(''x'')'", [('scam since:7d', '', '')])

    Raises:
        StoreError: it asks for more than ten searches.
    """
    named: list[tuple[str, str, str]] = []
    pieces: list[str] = []
    at = 0
    for call in _FOUND.finditer(statement):
        if call.start() < at or _is_quoted(statement, call.start()):
            continue
        asked = (_text(call[1]), _text(call[2] or "''"), _text(call[3] or "''"))
        named += [] if asked in named else [asked]
        pieces += [statement[at : call.start()], f"found_{named.index(asked) + 1}"]
        at = call.end()
    if len(named) > MOST_SEARCHES:
        raise StoreError(f"a statement may ask for {MOST_SEARCHES} searches; this asks for {len(named)}")
    return "".join([*pieces, statement[at:]]), named


def _is_quoted(statement: str, place: int) -> bool:
    """Return whether a place lies within a text, a quoted name or a comment."""
    return any(found.start() < place < found.end() for found in _PIECE.finditer(statement) if not found["name"])


def _text(literal: str) -> str:
    return literal[1:-1].replace("''", "'")
