"""Whom a feeling is about: clauses, the words that name a target, and which clauses tell of which.

"Love the app, hate the ads" is two clauses, and each tells of another target: the model reads each once more by itself,
for in the states of the whole text one feeling drowns the other. A small head on the embedding, learned from labelled
documents, says whom such texts are mostly about: it speaks where no word names anybody, and where it is sure of
somebody whom no word names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from groundswell.index.records import TargetKind

KINDS: tuple[TargetKind, ...] = ("platform", "ad_product", "advertiser", "creator", "regulator", "other")

MOST_CLAUSES = 12
"""Clauses of one text that are looked at; the rest is read with the last one."""
SHORTEST = 2
"""Letters a clause needs; shorter ones belong to the clause before."""

_BUT = (
    r"\bbut\b|\bhowever\b|\balthough\b|\bthough\b|\bexcept\b|\bwhile\b|\byet\b|"
    r"\btapi\b|\btp\b|\btpi\b|\bnamun\b|\bcuma\b|\bcuman\b|\bsayangnya\b|\bwalaupun\b|\bmeskipun\b|\bpadahal\b|"
    r"\bcuma\b|\bwalau\b|\bnhưng\b|\btuy\b|\bmặc dù\b|\bcòn\b|แต่|ถึงแม้|但是|但|可是|不过|就是|只是|虽然"
)
_CUT = re.compile(rf"[.!?;,\n…。！？；，、]+|(?={_BUT})", re.IGNORECASE)

WORDS: dict[TargetKind, str] = {
    "ad_product": (
        r"\bads?\b|\badverts?\b|\badvert(?:is(?:ing|ement)s?)?\b|\badvertisements?\b|\bcommercials?\b|\bsponsored\b|"
        r"\bad account|\bads manager|\bpop.?ups?\b|\biklan\w*|\bngiklan\b|\bpengiklanan\b|โฆษณา|ยิงแอด|"
        r"quảng cáo|广告|廣告|推广|开屏|弹窗"
    ),
    "advertiser": (
        r"\bsellers?\b|\bshops?\b|\bstores?\b|\bmerchants?\b|\badvertisers?\b|\bbrands?\b|\bvendors?\b|\bscammers?\b|"
        r"\bproducts?\b|\bitems?\b|\brestaurants?\b|"
        r"\bpenjual\w*|\btoko\w*|\bseller\b|\bpedagang\b|\bpelapak\b|\bpengiklan\b|\bpenipu\w*|\bbarang\w*|\bkedai\b|"
        r"\bpeniaga\b|\bjenama\b|\bproduk\w*|ร้าน|แม่ค้า|พ่อค้า|ผู้ขาย|แบรนด์|สินค้า|มิจฉาชีพ|ของแท้|ของปลอม|"
        r"cửa hàng|người bán|nhãn hàng|thương hiệu|sản phẩm|\bsp\b|\bhàng\b|"
        r"商家|店家|店铺|卖家|品牌|骗子|厂家|假货|正品|实物"
    ),
    "creator": (
        r"\binfluencers?\b|\bcreators?\b|\byoutubers?\b|\bstreamers?\b|\bcelebrit\w+|\bsingers?\b|\bartists?\b|"
        r"\bvloggers?\b|\bpodcasters?\b|\bselebgram\b|\bartis\b|\bkreator\b|\bpenyanyi\b|\bkonten kreator\b|"
        r"\bpencipta kandungan\b|\bpempengaruh\b|\bselebriti\b|อินฟลู|ครีเอเตอร์|ยูทูบเบอร์|ดารา|นักร้อง|เน็ตไอดอล|"
        r"nghệ sĩ|ca sĩ|người nổi tiếng|nhà sáng tạo|主播|网红|博主|明星|歌手|大V|up主"
    ),
    "regulator": (
        r"\bgovernment\b|\bregulators?\b|\bministry\b|\bminister\b|\bpolice\b|\bcourts?\b|\bauthorit(?:y|ies)\b|"
        r"\bwatchdog\b|\blawmakers?\b|\bFTC\b|\bFDA\b|\bACCC\b|\bpemerintah\b|\bkominfo\b|\bkomdigi\b|\bOJK\b|\bBPOM\b|"
        r"\bpolisi\b|\bkerajaan\b|\bMCMC\b|\bKKM\b|\bpolis\b|\bkementerian\b|\bmenteri\b|\bmahkamah\b|"
        r"รัฐบาล|ตำรวจ|กสทช|สคบ|ก\.ล\.ต|อย\.|กระทรวง|ศาล|chính phủ|công an|bộ y tế|bộ tt|cơ quan chức năng|toà án|"
        r"政府|警方|监管|工信部|药监|法院|市场监督|网信办|公安"
    ),
    "platform": (
        r"\bapps?\b|\bapplications?\b|\bplatform\w*|\bwebsite\b|\bsite\b|\bfacebook\b|\binstagram\b|\btik ?tok\b|"
        r"\byoutube\b|\btwitter\b|\bthreads\b|\bnetflix\b|\bspotify\b|\bhotstar\b|\bdisney\b|\bshopee\b|\btokopedia\b|"
        r"\btokped\b|\blazada\b|\bgoogle\b|\bmeta\b|\bwhatsapp\b|\bchatgpt\b|\bpremium\b|"
        r"\bsubscription\b|\bmy account\b|"
        r"\bcustomer (?:service|support|care)\b|\bsupport\b|\bmoderation\b|\bapk\b|\baplikasi\w*|\bakun\w*|\bakaun\w*|"
        r"\bcs\b|\bfitur\b|\blangganan\b|\blanggan\w*|แอป|แอพ|เพจหลัก|แพลตฟอร์ม|บัญชี|เฟซ|ติ๊กต|ยูทูบ|ลาซาด้า|ช้อปปี้|"
        r"ứng dụng|nền tảng|tài khoản|tổng đài|软件|平台|应用|客服|账号|会员|微博|抖音|淘宝|京东|百度"
    ),
}
_FIND = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in WORDS.items()}


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of a text, by its characters, and the targets its words name."""

    start: int
    end: int
    named: tuple[TargetKind, ...]


def clauses(text: str) -> list[Clause]:
    """Return the clauses of a text, at least one; commas, full stops and words like "but" separate them."""
    cuts = [0, *(match.end() for match in _CUT.finditer(text)), len(text)]
    spans: list[tuple[int, int]] = []
    for start, end in pairwise(cuts):
        if spans and (_letters(text[start:end]) < SHORTEST or len(spans) == MOST_CLAUSES):
            spans[-1] = (spans[-1][0], end)
        elif end > start:
            spans.append((start, end))
    return [Clause(start, end, named(text[start:end])) for start, end in spans or [(0, len(text))]]


def named(text: str) -> tuple[TargetKind, ...]:
    """Return the targets that words of the text name."""
    return tuple(kind for kind, pattern in _FIND.items() if pattern.search(text))


def _letters(text: str) -> int:
    return sum(character.isalnum() for character in text)


def by_target(parts: Sequence[Clause], usual: TargetKind, *, sure: bool = False) -> dict[TargetKind, list[int]]:
    """Return for each target the numbers of the clauses about it.

    A clause that names nobody goes on about whom the clause before it named. Where nobody is named at all, or where
    it is `sure` that such texts are about `usual` though no word says so, the whole text is about `usual` (too).
    """
    found: dict[TargetKind, list[int]] = {}
    before: tuple[TargetKind, ...] = ()
    for number, clause in enumerate(parts):
        before = clause.named or before
        for kind in before:
            found.setdefault(kind, []).append(number)
    if sure or not found:
        found.setdefault(usual, list(range(len(parts))))
    return found
