"""Countries and languages as people write them: their codes (ISO 3166, ISO 639), and what was meant by another name.

Names come from the Unicode CLDR (through Babel), in the languages of our readers.
"""

from __future__ import annotations

from functools import lru_cache

READERS = ("en", "zh_Hans", "zh_Hant", "id", "ms", "th", "vi", "fil")
"""Languages in which a country or a language may be named."""
COUNTRY_ALIASES = {"UK": "GB", "EU": "", "USA": "US", "UAE": "AE", "EN": ""}
LANGUAGE_ALIASES = {"cn": "zh", "jp": "ja", "kr": "ko", "vn": "vi", "cz": "cs", "dk": "da", "gr": "el", "tl": "fil"}
"""Codes of countries that are written for languages."""
TAGALOG = frozenset({"tl", "fil"})
"""Both stand in stores: what detects languages says one, what names them the other."""


@lru_cache(maxsize=1)
def countries() -> dict[str, str]:
    """Return code by name, in lower case, in every reader's language."""
    return {name: code for name, code in _names("territories") if len(code) == 2 and code.isalpha()}


@lru_cache(maxsize=1)
def languages() -> dict[str, str]:
    """Return code by name, in lower case, in every reader's language; scripts and regions left out."""
    return {name: code for name, code in _names("languages") if code.isalpha()}


def _names(kind: str) -> list[tuple[str, str]]:
    from babel import Locale

    return [
        (str(name).lower(), str(code))
        for reader in reversed(READERS)
        for code, name in getattr(Locale.parse(reader), kind).items()
    ]


def market_code(value: str) -> str:
    """Return the code of a market as stores keep it: two capital letters.

    Raises:
        ValueError: it is no country's code; the message says which was meant.
    """
    code = value.upper()
    if code in set(countries().values()) and len(code) == 2:
        return code
    meant = COUNTRY_ALIASES.get(code) or countries().get(value.lower(), "")
    raise ValueError(_hint("market", value, meant, "a market is a country's two letters, such as market:SG"))


def language_code(value: str) -> str:
    """Return the code of a language as stores keep it: ``zh``, or with what follows, ``zh-Hant``.

    Raises:
        ValueError: it is no language's code; the message says which was meant.
    """
    primary, *rest = value.replace("_", "-").split("-")
    code = primary.lower()
    if code in TAGALOG or code in set(languages().values()):
        return "-".join([code, *rest])
    meant = LANGUAGE_ALIASES.get(code) or languages().get(value.lower(), "")
    raise ValueError(_hint("lang", value, meant, "a language is written by its code, such as lang:zh"))


def _hint(field: str, value: str, meant: str, otherwise: str) -> str:
    return f"{field}: is never {value} ({f'did you mean {field}:{meant}?' if meant else otherwise})"
