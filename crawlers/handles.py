"""Names of accounts in texts become stable tokens, as authors become keys: they can be counted, not looked up."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from groundswell.configs.watch import read_watch
from groundswell.index.ids import author_key
from groundswell.index.personal_data import ROLES

TOKEN = "@user_"  # noqa: S105  what stands in a text instead of a name
DIGITS = 6
"""Hex digits of a token: 16 million, so that two people of one conversation hardly ever meet in one."""
LATIN = r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-]{0,62}[A-Za-z0-9_])?"
HANDLE = re.compile(
    rf"(?<![A-Za-z0-9@＠.])[@＠](?P<at>{LATIN}(?:@[A-Za-z0-9][A-Za-z0-9.\-]{{2,80}}[A-Za-z])?(?![A-Za-z0-9_]|/\w)|[^\W\d_]\w{{0,29}}(?=[\s:：,，、]|$))"
    r"|(?<![\w.])/?\bu(?:ser)?/(?P<u>[A-Za-z0-9_\-]{2,30}(?:@[A-Za-z0-9.\-]{3,80})?)(?![\w/])"
    rf"|(?<=/)@(?P<path>{LATIN})(?=/)"
    r"|(?<=reddit\.com/)u(?:ser)?/(?P<url>[A-Za-z0-9_\-]{2,30})"
)
"""``@name``, ``@name@host``, ``/u/name``. In letters without spaces a handle counts only where something ends it."""
EMAIL = re.compile(
    r"(?<![\w.+\-/@])(?P<who>[A-Za-z0-9][\w.+\-]{0,63})@(?P<host>[A-Za-z0-9][A-Za-z0-9.\-]{0,100}\.[A-Za-z]{2,24})\b"
)
PROFILE = re.compile(
    r"(?P<site>\b(?:(?:twitter|x|facebook|fb|instagram|threads|tiktok|youtube|snapchat|pinterest|medium|patreon)\.(?:com|net)/"
    r"(?:c/|user/|add/|stories/)?@?|(?:t|telegram)\.me/(?:s/)?|bsky\.app/profile/|linkedin\.com/in/|vk\.com/))"
    r"(?P<who>[A-Za-z0-9_](?:[A-Za-z0-9_.\-]{0,62}[A-Za-z0-9_])?)",
    re.IGNORECASE,
)
"""The page of an account on a service where people have pages under their names."""
NO_PROFILE = re.compile(
    r"^(p|i|reels?|explore|stories|groups?|pages?|watch|events?|ads|business|help|policies|policy|legal|shares?|sharer|story\.php"
    r"|profile\.php|photos?|photo\.php|permalink\.php|posts|videos?|shorts|channel|playlist|results|feed|live|home|search|hashtag"
    r"|intent|tag|tags|about|login|signup|settings|marketplace|gaming|joinchat|addstickers|embed|music|discover|foryou|status"
    r"|privacy|terms|tos|support|download|apps?|dialog|plugins|l\.php|accounts|topics?|did|dp|pin)$",
    re.IGNORECASE,
)
"""What stands there and is no account."""
NO_NAMES = re.compile(
    r"^(user|user_[0-9a-f]{6}|here|everyone|all|channel|media|import|font-face|keyframes|charset|supports|param|return"
    r"|override|todos|semua|\d[\d.,:]*(am|pm|k|m|rb|jt|%)?)$",
    re.IGNORECASE,
)
"""What stands behind an @ and names nobody: the whole channel, a line of CSS or Java, a price, a time."""
AFTER_BRAND = re.compile(
    r"^[\d_.\-]*(official|ofc|care|cares|cs|help|helps|helpdesk|support|service|services|app|apps|ads|business|shop|store|live|news|pay"
    r"|food|mall|bank|express|sg|my|id|th|vn|ph|au|nz|hk|tw|us|uk|global|asia|sea|singapore|malaysia|indonesia|thailand"
    r"|vietnam|philippines|australia)*[\d_.\-]*$"
)
HOST = re.compile(r"@[A-Za-z0-9.\-]+$")

ALSO_PEOPLE = "brands"
"""The long list by which targets are named: Leo, Dana, Zara and Chang on it are people's accounts as well."""


@cache
def brand_names(watch: tuple[Path, ...] = ()) -> frozenset[str]:
    """Return the names of all brands on the watch lists that ship and on those given, but for `ALSO_PEOPLE`.

    Raises:
        ConfigError: a watch list cannot be used.
    """
    lists = read_watch(watch).items()
    terms = [term for name, each in lists if name != ALSO_PEOPLE for term in each.brands]
    return frozenset(name for term in terms for name in (term.id, *(word.word.strip("*") for word in term.spoken)))


class Mask:
    """Replaces names of accounts in one source's texts.

    Args:
        source: name of the source; one account has other tokens in other sources.
        salt: the secret of the data folder.
        brands: names of organisations, whose accounts are no persons and stay: whom people address is what analysts
            look for, and an account that only looks like a brand's is what they must see.
    """

    def __init__(self, *, source: str, salt: str, brands: Iterable[str] = ()) -> None:
        self.source, self.salt = source, salt
        folded = (re.sub(r"[\W_]+", "", brand.casefold()) for brand in brands)
        self.brands = sorted({each for each in folded if len(each) > 2}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return a text in which each account but brands' is its token."""
        if "/" in text:
            text = PROFILE.sub(self._of_profile, text)
        if "@" in text:
            text = EMAIL.sub(self._of_email, text)
        if "@" not in text and "＠" not in text and "u/" not in text and "user/" not in text:
            return text
        return HANDLE.sub(self._replaced, text)

    def token(self, name: str) -> str:
        """Return what stands for an account."""
        plain = name.strip().lstrip("@＠").removeprefix("/u/").removeprefix("u/").casefold()
        return TOKEN + author_key(plain, source=self.source, salt=self.salt)[:DIGITS]

    def _of_profile(self, found: re.Match[str]) -> str:
        name = found["who"]
        if NO_PROFILE.match(name) or self._is_brand(name) or name.startswith("user_"):
            return found[0]
        return found["site"].removesuffix("@") + self.token(name).removeprefix("@")

    def _of_email(self, found: re.Match[str]) -> str:
        name = found["who"]
        if ROLES.match(name.lower()) or self._is_brand(name) or name.startswith("user_"):
            return found[0]
        return f"{self.token(found[0])}@{found['host']}".removeprefix("@")

    def _replaced(self, found: re.Match[str]) -> str:
        name = found["at"] or found["path"] or found["u"] or found["url"]
        if found[0][0] in "@＠" and (NO_NAMES.match(name) or self._is_brand(name)):
            return found[0]
        return f"u/{self.token(name)}" if found["url"] else self.token(name)

    def _is_brand(self, name: str) -> bool:
        plain = HOST.sub("", name).casefold()
        letters = re.sub(r"[\W_]+", "", plain)
        for brand in self.brands:
            if letters.startswith(brand):
                return bool(AFTER_BRAND.match(letters[len(brand) :]))
        return False


def without_author(title: str, author: str) -> str:
    """Return a title without the name of the post's own author ("Ann on …", "Comment on … by Ann", "By: Ann")."""
    name = re.escape(" ".join(author.split()).removeprefix("/u/").lstrip("@"))
    if len(name) < 2 or len(title) > 1000:
        return title
    named = rf"(?:/?u/|@)?{name}(?:@[\w.\-]+)?"
    patterns = (
        rf"^(?:By|From|Von|Oleh|โดย|作者)\s*[:：]\s*{named}$",
        rf"^{named}(?:\s+(?:on|in|replied to|commented on|posted|said|shared|wrote)\b|\s*[:：\-–—])\s*",
        rf"\s+(?:by|oleh|bởi|โดย)\s+{named}$",
        rf"\s*[-–—|(]\s*{named}\)?$",
    )
    for pattern in patterns:
        title = re.sub(pattern, "", title, count=1, flags=re.IGNORECASE).strip()
    return title
