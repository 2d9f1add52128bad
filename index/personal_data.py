r"""Personal data inside texts, masked before they are kept: phones, mail addresses, cards, identity numbers.

What stands in their place says what it was (``[phone]``) and can be turned back by nobody. What is no person's stays:
prices, counts, dates, order numbers, addresses of pages, hotlines (toll-free, shared-cost and short numbers) and role
mailboxes (support@…), because a complaint about an official hotline, or a false one, is what analysts look for.

Where letters stand without spaces ``\b`` finds no border, so the patterns look at digits and Latin letters around them
instead. Digits of other scripts and full-width signs count as what they mean. Check digits come from python-stdnum
where it is right; Indonesian numbers are checked here, because it refuses five provinces, and those of SG, VN and PH,
which it lacks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from groundswell.index.records import Mention, Record, Refusal, Revision

PHONE, MAIL, CARD, IDENTITY = "[phone]", "[email]", "[card]", "[id]"
REGIONS = ("SG", "MY", "ID", "TH", "VN", "PH", "AU", "NZ")
CALLING = frozenset({"65", "60", "62", "66", "84", "63", "61", "64"})
"""Country codes of those, in their order."""
NEAR = 28
"""Characters before a number in which a word may say what it is."""
MOST_NUMBERS = 400
"""Numbers of one text that are looked up; of more, all that have a phone's length are masked."""
ROLES = re.compile(
    r"^(abuse|account|accounts|admin|ads?|advertis\w+|alerts?|appeals?|billing|booking|business|care|careers?|claims?|client\w*"
    r"|complain\w*|compliance|contact\w*|creator\w*|cs|customer\w*|disputes?|dpo|editor|enquir\w+|feedback|fraud|hello|help\w*|hr"
    r"|info|inquir\w+|jobs|legal|mail|marketing|media|news\w*|no-?reply|do-?not-?reply|notifications?|office|orders?|partner\w*"
    r"|payments?|payouts?|phish\w*|postmaster|press|privacy|prizes?|refunds?|report\w*|rewards?|sales|scams?\w*|security|service\w*"
    r"|shop|store|support|team|tips|user_[0-9a-f]{6}|verif\w+|webmaster|cskh|hotro|layanan|pengaduan|aduan"
    r"|(?:user)?[._-]?(?:support|service|care|relations|success)|no[._-]?reply|do[._-]?not[._-]?reply)([._+\d-].*)?$"
)
"""Mailboxes of offices, not of people: what a scam writes from is evidence. Tokens of accounts are masks already."""
MAIL_ADDRESS = re.compile(
    r"(?<![A-Za-zÀ-ɏḀ-ỿ0-9._%+@-])([A-Za-zÀ-ɏḀ-ỿ0-9](?:[A-Za-zÀ-ɏḀ-ỿ0-9._%+-]{0,62}[A-Za-zÀ-ɏḀ-ỿ0-9_])?)"
    r"(?:@|\s{0,2}[\[(]\s{0,2}at\s{0,2}[\])]\s{0,2})"
    r"((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.|\s{0,2}[\[(]\s{0,2}dot\s{0,2}[\])]\s{0,2})){1,6}[A-Za-z]{2,24})"
    r"(?![A-Za-z0-9@-])",
    re.IGNORECASE,
)
SPELT = re.compile(r"[\[(]\s{0,2}at\b", re.I)
ADDRESS = re.compile(r"(?:https?://|www\.)[!-~]{3,2000}")
THAI, VIETNAMESE = re.compile(r"[ก-๙]"), re.compile(r"[ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]", re.I)
CALLS = re.compile(r"(?:wa\.me/|whatsapp\.com/send/?\?phone=|tel:)\+?$", re.IGNORECASE)
NUMBER = re.compile(r"(?<![\d.,/])(?<!\d:)\+?\(?\d(?:[ \u00a0().\-‐-―]{0,3}\d){5,18}(?!\d)")
SLASHED = re.compile(r"(?<=wa\.me/)\+?\d{7,15}(?!\d)")
MONEY_BEFORE = re.compile(
    r"(?:[$€£¥฿₫₱₹]|(?<![A-Za-z])(?:rm|rp|idr|sgd|myr|thb|vnd|php|aud|nzd|usd|s\$|a\$))[ \u00a0.]{0,2}$", re.I
)
MONEY_AFTER = re.compile(
    r"^[ \u00a0]{0,2}(?:[฿₫₱€£¥%]|đồng|đ(?![a-zà-ỹ])|vnđ|vnd|usd|sgd|myr|idr|thb|php|aud|nzd|บาท|rupiah|ringgit"
    r"|dollars?|peso|元|块|次|人|个"
    r"|views?(?![a-z])|likes?(?![a-z])|orders?(?![a-z])|followers?(?![a-z])|users?(?![a-z])|times(?![a-z])"
    r"|คน|ครั้ง|วิว|lượt|người|orang|kali)",
    re.I,
)
ORDER_BEFORE = re.compile(
    r"(?:#|(?<![A-Za-z])(?:order|invoice|ticket|tracking|resi|awb|ref(?:erence)?|case"
    r"|parcel|booking|txn|transaction|sku|model|isbn|post)"
    r"(?: ?(?:id|no|num(?:ber)?))?|订单号?|單號|单号|คำสั่งซื้อ|เลขพัสดุ|mã đơn(?: hàng)?"
    r"|mã vận đơn|pesanan)[ :.#\u00a0-]{0,3}$",
    re.I,
)
PHONE_BEFORE = re.compile(
    r"(?:(?<![A-Za-z])(?:call(?: me| us)?|phone|mobile|tel\w*|hp|h/p|whats?ap\w*|wasap\w*|wa|sms|text(?: me)?"
    r"|viber|zalo|line|gcash"
    r"|telp?|hubungi|nomor"
    r"|no\.? ?hp|contact(?: no)?|sđt|sdt|đt|dt|liên hệ|gọi)|โทร\w*|เบอร์|ติดต่อ|电话|電話|手机|手機|微信|联系"
    r"|聯繫|致电)[ :.+()\u00a0-]{0,4}(?:at|on|ke|di|số|no|is)?[ :.]{0,3}$",
    re.I,
)
DATES = re.compile(
    r"^(?:(?:19|20|25)\d\d[ ./-]?(?:0?[1-9]|1[0-2])[ ./-]?(?:0?[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])[ ./-](?:0?[1-9]|1[0-2])[ ./-](?:19|20|25)?\d\d)"
    r"(?:[ ./-]?\d{1,6})?$"
)
GROUPED = re.compile(r"^[1-9]\d{0,2}(?:[. \u00a0]\d{3})+$")
"""A number with separators of thousands: 1.234.567."""
IDENTITY_BEFORE = {
    "SG": re.compile(r"(?:nric|fin|身份证)[^\d]{0,12}$", re.I),
    "MY": re.compile(r"(?:(?<![a-z])ic|mykad|nric|k/?p|kad pengenalan|身份证)[^\d]{0,12}$", re.I),
    "VN": re.compile(r"(?:cccd|cmnd|căn cước|chứng minh|định danh)[^\d]{0,20}$", re.I),
    "PH": re.compile(
        r"(?:(?<![a-z])(?:(?-i:TIN)|sss|umid|crn|psn|pcn|philhealth|philsys|phil ?id|gsis|pag-?ibig))[^\d]{0,14}$", re.I
    ),
    "AU": re.compile(r"(?:(?<![a-z])tfn|tax file|medicare)[^\d]{0,16}$", re.I),
    "NZ": re.compile(r"(?:(?<![a-z])ird|inland revenue)[^\d]{0,16}$", re.I),
    "ID": re.compile(r"(?:(?<![a-z])(?:nik|ktp|npwp)|no\.? ?kk)[^\d]{0,12}$", re.I),
    "TH": re.compile(r"(?:บัตรประชาชน|ประจำตัว|เลขบัตร)[^\d]{0,12}$"),
}
PHILIPPINE = re.compile(
    r"\d{2}-\d{7}-\d|\d{2}-\d{9}-\d|\d{4}-\d{7}-\d|\d{3}-\d{3}-\d{3}(?:-\d{3,5})?|\d{4}-\d{4}-\d{4}(?:-\d{4})?"
)
"""SSS, PhilHealth, UMID, TIN, PhilSys as they are printed."""
LETTERED = re.compile(
    r"(?<![A-Za-z0-9])(?:[STFGM]\d{7}[A-Z]|[A-HJ-NP-Z]{3}(?:\d{4}|\d{2}[A-HJ-NP-Z]{2}))(?![A-Za-z0-9])", re.I
)
HEALTH_NZ = re.compile(r"(?:nhi|national health index)(?: number| no)?(?: is)?[^A-Za-z0-9]{0,10}$", re.I)
PROVINCES_ID = frozenset(
    {*range(11, 20), 21, *range(31, 37), *range(51, 54), *range(61, 66), *range(71, 77), 81, 82, *range(91, 98)}
)
PLACES_MY = frozenset({*range(1, 17), *range(21, 60), *range(60, 69), 71, 72, *range(74, 80), *range(82, 94), 98, 99})


@dataclass(frozen=True, slots=True)
class Found:
    """Where something personal stands, and what is put there."""

    start: int
    end: int
    mask: str


def masked(text: str, *, market: str = "") -> str:
    """Return a text without personal data; `market` (ISO 3166) decides how numbers without a country are read."""
    found = find(text, market=market)
    if not found:
        return text
    parts, at = [], 0
    for each in found:
        parts += [text[at : each.start], each.mask]
        at = each.end
    return "".join([*parts, text[at:]])


def without_personal(record: Record) -> Record:
    """Return a record without personal data in what it says; one that says nothing, or nothing personal, as it is."""
    if isinstance(record, Mention):
        extra = {
            name: _clean(value, record.market) if name != "link" else value for name, value in record.extra.items()
        }
        title, text = masked(record.title, market=record.market), masked(record.text, market=record.market)
        return replace(record, title=title, text=text, extra=extra)
    if isinstance(record, Revision):
        return replace(record, title=masked(record.title), text=masked(record.text))
    return replace(record, sample=masked(record.sample)) if isinstance(record, Refusal) else record


def _clean(value: object, market: str) -> object:
    return masked(value, market=market) if isinstance(value, str) else value


def find(text: str, *, market: str = "") -> list[Found]:
    """Return what is personal in a text, in order, none overlapping another."""
    plain = folded(text)  # as long as the text, so that places in it are places in the text
    if "@" not in plain and sum(map(str.isdigit, plain)) < 4 and not SPELT.search(plain):
        return []
    market, found = market or _spoken_in(plain), list[Found]()
    for each in sorted([*_mails(plain), *_lettered(plain), *_numbers(plain, market)], key=lambda f: (f.start, -f.end)):
        if not found or each.start >= found[-1].end:
            found.append(each)
    return found


def _spoken_in(text: str) -> str:
    """Return the market whose letters a text is written in, where only one of ours has them."""
    if THAI.search(text):
        return "TH"
    return "VN" if VIETNAMESE.search(text) else ""


def folded(text: str) -> str:
    """Return a text of the same length with every digit and full-width sign as ASCII has it."""
    return "".join(map(_plain, text)) if not text.isascii() else text


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    if "\uff01" <= char <= "\uff5e":
        return chr(ord(char) - 0xFEE0)
    value = unicodedata.decimal(char, None)
    return char if value is None else str(value)


def _mails(text: str) -> Iterator[Found]:
    for match in MAIL_ADDRESS.finditer(text):
        if not ROLES.match(match[1].lower()):
            yield Found(match.start(), match.end(), MAIL)


def _lettered(text: str) -> Iterator[Found]:
    """Yield identity numbers with letters: Singapore's, and New Zealand's health index where it is named."""
    for match in LETTERED.finditer(text):
        value = match[0].upper()
        named = HEALTH_NZ.search(text[max(0, match.start() - NEAR) : match.start()])
        if is_nric(value) or (named and len(value) == 7):
            yield Found(match.start(), match.end(), IDENTITY)


def _numbers(text: str, market: str) -> Iterator[Found]:
    """Yield cards, identity numbers and phones among the numbers of a text."""
    links = [match.span() for match in ADDRESS.finditer(text)]
    for count, match in enumerate(NUMBER.finditer(text)):
        start, end = _trimmed(text, *match.span())
        before, after = text[max(0, start - NEAR) : start], text[end : end + 12]
        shown, calls = text[start:end], bool(CALLS.search(before))
        if not calls and (_within(start, links) or _in_a_code(text, start, end)):
            continue
        mask = _kind(shown, before, after, market, calls) if count < MOST_NUMBERS else _by_length(shown)
        if mask:
            yield Found(start, end, mask)
    yield from (Found(*match.span(), PHONE) for match in SLASHED.finditer(text))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave a bracket outside that is not closed inside."""
    if text[start] == "(" and ")" not in text[start:end]:
        start += 1
    return start, end


def _within(at: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= at < end for start, end in spans)


def _in_a_code(text: str, start: int, end: int) -> bool:
    """Return whether a number is part of a code such as a hash: Latin letters with digits among them beside it."""
    left, right = (
        re.search(r"[A-Za-z0-9_]*$", text[max(0, start - 40) : start]),
        re.match(r"[A-Za-z0-9_]*", text[end : end + 40]),
    )
    around = (left[0] if left else "") + (right[0] if right else "")
    return "_" in around or any(map(str.isdigit, around)) or len(around) > 12


def _by_length(shown: str) -> str:
    return PHONE if 9 <= sum(map(str.isdigit, shown)) <= 15 else ""


def _kind(shown: str, before: str, after: str, market: str, calls: bool) -> str:
    """Return what a number is, by the mask that takes its place; nothing where it is nobody's."""
    digits = "".join(filter(str.isdigit, shown))
    near = before
    named = any(words.search(near) for words in IDENTITY_BEFORE.values())
    if MONEY_BEFORE.search(near) or MONEY_AFTER.match(after):
        return ""
    if not named and (DATES.match(shown) or GROUPED.match(shown)):
        return ""
    if is_card(digits) and not re.search(r"[.()]", shown):
        return CARD
    if is_identity(shown, digits, near, market):
        return IDENTITY
    if ORDER_BEFORE.search(near):
        return ""
    return PHONE if is_phone(shown, digits, market, called=calls or bool(PHONE_BEFORE.search(near))) else ""


# --- what it is ------------------------------------------------------------------------------------------------------


def is_card(digits: str) -> bool:
    """Return whether digits are a payment card's: a known issuer's beginning, its length, the Luhn check digit."""
    from stdnum import luhn

    issuers = (
        r"4\d{12}(\d{3}){0,2}|5[1-5]\d{14}|2(2[2-9]|[3-6]\d|7[01])\d{13}|3[47]\d{13}|3(0[0-5]|[68]\d)\d{11}"
    ) + r"|6(011|5\d\d|4[4-9]\d|2\d\d)\d{12}|35\d{14}"
    return bool(re.fullmatch(issuers, digits)) and bool(luhn.is_valid(digits)) and len(set(digits)) > 1


def is_nric(value: str) -> bool:
    """Return whether a Singaporean NRIC or FIN has the check letter it should have."""
    if not re.fullmatch(r"[STFGM]\d{7}[A-Z]", value):
        return False
    total = sum(w * int(d) for w, d in zip((2, 7, 6, 5, 4, 3, 2), value[1:8], strict=True))
    if value[0] in "TG":
        total += 4
    if value[0] == "M":
        return "KLJNPQRTUWX"[10 - (total + 3) % 11] == value[8]
    letters = "JZIHGFEDCBA" if value[0] in "ST" else "XWUTRQPNMLK"
    return letters[total % 11] == value[8]


def is_identity(shown: str, digits: str, near: str, market: str) -> bool:
    """Return whether a number is a person's in one of the eight countries.

    Those without a check digit count where they are written as printed, where a word before them names them, or where
    the text is of that market.
    """
    here = {region: bool(words.search(near)) or market == region for region, words in IDENTITY_BEFORE.items()}
    named = {region: bool(words.search(near)) for region, words in IDENTITY_BEFORE.items()}
    if len(digits) == 12:
        printed = bool(re.fullmatch(r"\d{6}-\d{2}-\d{4}", shown))
        if (printed or here["MY"]) and _is_mykad(digits):
            return True
        if here["VN"] and _is_cccd(digits):
            return True
    return (
        (len(digits) == 13 and _is_thai(digits))
        or (len(digits) == 16 and _is_nik(digits))
        or (named["ID"] and len(digits) in {15, 16})
        or (named["VN"] and len(digits) == 9)
        or (here["PH"] and bool(PHILIPPINE.fullmatch(shown)))
        or (named["PH"] and len(digits) in {9, 10, 12, 16})
        or (here["AU"] and _is_australian(shown, digits, named=named["AU"]))
        or (here["NZ"] and _is_ird(shown, digits, named=named["NZ"]))
    )


def _is_thai(digits: str) -> bool:
    from stdnum.th import pin

    return bool(pin.is_valid(digits))


def _is_nik(digits: str) -> bool:
    day, month = int(digits[6:8]), int(digits[8:10])
    day -= 40 if day > 40 else 0  # women's days are 41 to 71
    return int(digits[:2]) in PROVINCES_ID and digits[2:4] != "00" and 1 <= day <= 31 and 1 <= month <= 12


def _is_mykad(digits: str) -> bool:
    try:
        date(2000 + int(digits[:2]) % 4, int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        return False
    return int(digits[6:8]) in PLACES_MY


def _is_cccd(digits: str) -> bool:
    return digits[0] == "0" and 1 <= int(digits[:3]) <= 96 and digits[3] in "0123"


def _is_australian(shown: str, digits: str, *, named: bool) -> bool:
    from stdnum.au import tfn

    printed = bool(re.fullmatch(r"\d{3}[ -]\d{3}[ -]\d{2,3}", shown))
    if len(digits) in {8, 9} and (named or printed) and tfn.is_valid(digits):
        return True
    weights = (1, 3, 7, 9, 1, 3, 7, 9)
    medicare = len(digits) in {10, 11} and digits[0] in "23456"
    grouped = named or bool(re.fullmatch(r"\d{4}[ -]\d{5}[ -]\d(?:[ -/]?\d)?", shown))
    return (
        medicare and grouped and sum(w * int(d) for w, d in zip(weights, digits, strict=False)) % 10 == int(digits[8])
    )


def _is_ird(shown: str, digits: str, *, named: bool) -> bool:
    from stdnum.nz import ird

    printed = bool(re.fullmatch(r"\d{2,3}-\d{3}-\d{3}", shown))
    return len(digits) in {8, 9} and (named or printed) and bool(ird.is_valid(digits))


def is_phone(shown: str, digits: str, market: str, *, called: bool) -> bool:
    """Return whether a number is a telephone that may be a person's.

    With a country's code, or the 0 that is dialled within one, wherever it would be valid; without either only where a
    word before it says so, or in Singapore, where numbers have neither.
    """
    if shown.startswith("+") or digits.startswith("00"):
        return _is_persons("+" + digits.removeprefix("00"), None)
    if not 7 <= len(digits) <= 15:
        return False
    if digits[:2] in CALLING and len(digits) >= 10 and _is_persons("+" + digits, None, mobile=not called):
        return True
    regions = list(dict.fromkeys([market, *REGIONS] if market in REGIONS else REGIONS))
    if any(_is_hotline(digits, region) for region in (regions[:1] if market in REGIONS else regions)):
        return False
    if digits.startswith("0") or called:
        return any(_is_persons(digits, region) for region in regions)
    return (
        market == "SG"
        and len(digits) == 8
        and bool(re.fullmatch(r"[89]\d{3}[ -]?\d{4}", shown))
        and _is_persons(digits, "SG")
    )


@lru_cache(maxsize=20_000)
def _is_hotline(number: str, region: str) -> bool:
    """Return whether a number is one that anybody may call: toll-free, of shared cost, of a company."""
    import phonenumbers as known

    try:
        parsed = known.parse(number, region)
    except known.NumberParseException:
        return False
    kinds = known.PhoneNumberType
    open_to_all = (kinds.TOLL_FREE, kinds.SHARED_COST, kinds.PREMIUM_RATE, kinds.UAN, kinds.VOICEMAIL)
    return known.number_type(parsed) in open_to_all


@lru_cache(maxsize=20_000)
def _is_persons(number: str, region: str | None, *, mobile: bool = False) -> bool:
    """Return whether a number is valid and of a kind that persons have; hotlines are none."""
    import phonenumbers as known

    try:
        parsed = known.parse(number, region)
    except known.NumberParseException:
        return False
    if not known.is_valid_number(parsed):
        return False
    kind = known.number_type(parsed)
    kinds = known.PhoneNumberType
    own = (kinds.MOBILE, kinds.FIXED_LINE_OR_MOBILE, kinds.VOIP, kinds.PERSONAL_NUMBER)
    return kind in own if mobile else kind in (*own, kinds.FIXED_LINE)
