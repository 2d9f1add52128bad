"""Names that no watch list has, told by the words beside them: "the seller Glow Mart", "Toko Sinar Abadi".

A name is taken where a word says what it is (a shop, somebody who is impersonated, somebody one is warned of) and its
letters are a name's: capitals in Latin script, a surname in Chinese. Without such a word nobody is named: a capital
begins sentences and German nouns, and a wrong name on a complaint harms whoever bears it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from groundswell.index.records import TargetKind

LONGEST_READ = 1_200
"""Characters that are looked at."""
_WORD = r"(?:[A-ZÀ-ÖØ-ÞĂĐƠƯẠ-Ỹ][\w'’&.\-]*\w|[A-Z]{2,}\d*)"
_SEVERAL = rf"(?P<name>{_WORD}(?:\s(?:&\s)?{_WORD}){{1,3}})"
_ONE = rf"(?P<name>{_WORD}(?:\s(?:&\s)?{_WORD}){{0,3}})"
_MADE_UP = r"(?P<name>[A-Z][a-z]+(?:[A-Z][a-z]+|\d{2,})\w*)"
"""A word nobody writes but as a name: QuickLoan247."""
_SHOP = (
    r"(?:\b(?:seller|shop|store|vendor|merchant|retailer|brand|company|agency|lender|broker|toko|kedai|penjual|peniaga|"
    r"lapak|olshop|syarikat|perusahaan|cửa hàng|người bán|thương hiệu|công ty)\s+|"
    r"(?:ร้าน(?:ค้า)?|แบรนด์|เพจร้าน|บริษัท|店铺|商家|卖家|店家)\s*)"
)
_CALLED = r"(?:named\s+|called\s+|bernama\s+|tên(?: là)?\s+|ชื่อ\s*|叫做?\s*|名叫\s*)"
_WARNED = (
    r"\b(?:avoid|beware(?: of)?|stay away from|don'?t (?:trust|buy from|order from|use)|never (?:trust|buy from)|"
    r"scammed by|cheated by|jangan (?:percaya|beli di|beli dari|guna|pakai)|hati-hati(?: dengan)?|awas|ditipu|ketipu|"
    r"kena scam|tránh xa|đừng mua(?: ở)?|bị lừa bởi)\s+"
)
_POSED = (
    r"(?:\b(?:deep ?fakes?(?: video)?(?: of| pakai wajah)?|impersonating|pretend\w* to be|posing as|claiming to be|"
    r"cloned?|(?:ai|fake) (?:video|voice|clip)s? of|video ai|suara ai|mengatasnamakan|menyamar(?: jadi| sebagai)?|"
    r"mencatut(?: nama)?|giả mạo|mạo danh|giả danh|ghép mặt)\s+|(?:แอบอ้าง(?:เป็น|ชื่อ)?|ปลอมเป็น|ดีปเฟค)\s*)"
)
_LATIN: tuple[tuple[re.Pattern[str], TargetKind, bool], ...] = (
    (re.compile(rf"(?i:{_POSED}){_SEVERAL}"), "creator", True),
    (re.compile(rf"(?i:{_SHOP}){_SEVERAL}"), "advertiser", False),
    (re.compile(rf"(?i:{_SHOP}{_CALLED}){_ONE}"), "advertiser", False),
    (re.compile(rf"(?i:{_WARNED}){_SEVERAL}"), "advertiser", False),
    (re.compile(rf"(?i:{_WARNED}|{_SHOP}){_MADE_UP}"), "advertiser", False),
)
MOST_CAPITALS = 0.6
"""Share of words with a capital from which capitals say nothing: headlines, shouts."""
SHORT = 5
"""Words up to which capitals are believed."""
_LETTERED = re.compile(r"[^\W\d_]+")
_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊"
    "金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_CHINESE = re.compile(
    rf"(?:冒充|假冒|换脸|AI合成)(?:成|了)?(?P<name>[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}?)(?=[的,，。!！、 ]|$)"
)
_COMMON = re.compile(
    r"(?i)(?:this|that|these|those|it|its|they|them|he|she|you|your|my|our|we|i|the|a|an|all|any|every|no|not|never|very|so|"
    r"scam\w*|fake\w*|fraud\w*|ads?|please|if|when|because|and|or|but|is|was|are|ini|itu|yang|di|ke|dan|tapi|saya|aku|kami|"
    r"kita|dia|mereka|tak|tidak|gak|sangat|banget|nya|là|và|của|này|đó|không|rất|mình|tôi|online|official|resmi|rasmi|"
    r"x{3,}|uy tín|uy|tín|cảm ơn|cổ|chất|"
    r"penipu\w*|tipu\w*|lừa|buying|using|ordering|people|everyone|guys|semua|orang|refund|ai|vip|ceo|sms|apk|app|cod)"
)


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A name found beside a word that says what it is; `posed`: somebody poses as it."""

    name: str
    who: TargetKind
    start: int
    end: int
    posed: bool


def unlisted(text: str) -> list[Unlisted]:
    """Return the names that words beside them give away in a cleaned text, each once, in its order.

    >>> [(each.name, each.who) for each in unlisted("The seller Glow Beauty Mart sent me an empty box")]
    [('Glow Beauty Mart', 'advertiser')]
    >>> unlisted("The seller is rude. Avoid This shop")
    []
    """
    found: dict[str, Unlisted] = {}
    for each in sorted(_found(text[:LONGEST_READ]), key=lambda each: (each.start, not each.posed)):
        found.setdefault(each.name.casefold(), each)
    return list(found.values())


def _found(text: str) -> Iterator[Unlisted]:
    for pattern, who, posed in () if _capitals_say_nothing(text) else _LATIN:
        for match in pattern.finditer(text):
            if name := _trimmed(match["name"]):
                yield Unlisted(name, who, match.start("name"), match.start("name") + len(name), posed)
    for match in _CHINESE.finditer(text):
        yield Unlisted(match["name"], "creator", *match.span("name"), True)


def _capitals_say_nothing(text: str) -> bool:
    """Return whether most words of a text have a capital; a handful of words may be a name and little else."""
    words = [word for word in _LETTERED.findall(text) if word[0].isascii() or word[0].isupper() or word[0].islower()]
    return len(words) > SHORT and sum(not word.islower() for word in words) > MOST_CAPITALS * len(words)


def _trimmed(name: str) -> str:
    """Return a name without common words at its end; empty where it begins with one or is all capitals of a shout."""
    words = name.split(" ")
    while words and _COMMON.fullmatch(words[-1]):
        words.pop()
    if not words or _COMMON.fullmatch(words[0]) or (len(words) > 2 and name.isupper()):
        return ""
    return " ".join(words)
