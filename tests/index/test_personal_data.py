"""What is a person's is masked before it is kept; what is nobody's stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from groundswell.index.personal_data import CARD, IDENTITY, MAIL, PHONE, find, folded, masked, without_personal
from groundswell.index.records import Refusal, Revision
from tests.index.makers import NOON, mention

PERSONAL = [
    ("SG", "call me at 9123 4567 now", "call me at [phone] now"),
    ("", "+65 9123 4567", "[phone]"),
    ("", "+65-9123-4567!", "[phone]!"),
    ("MY", "wasap012-345 6789 ya", "wasap[phone] ya"),
    ("ID", "WA081234567890ya", "WA[phone]ya"),
    ("", "https://wa.me/6281234567890?text=hi", "https://wa.me/[phone]?text=hi"),
    ("TH", "โทร0812345678ด่วน", "โทร[phone]ด่วน"),
    ("", "โทร๐๘๑-๒๓๔-๕๖๗๘ด่วน", "โทร[phone]ด่วน"),
    ("VN", "SĐT0912345678, 0912.345.678", "SĐT[phone], [phone]"),
    ("PH", "gcash 9171234567", "gcash [phone]"),
    ("AU", "(02) 9374 4000 or 0412 345 678", "[phone] or [phone]"),
    ("NZ", "021 123 4567", "[phone]"),
    ("SG", "致电91234567吧", "致电[phone]吧"),
    ("SG", "电话：９１２３４５６７", "电话：[phone]"),
    ("", "mei.tan+ads@gmail.com", "[email]"),
    ("", "请联系mei@gmail.com谢谢", "请联系[email]谢谢"),
    ("TH", "ส่งมาที่mei@gmail.comนะ", "ส่งมาที่[email]นะ"),
    ("", "mei [at] gmail [dot] com", "[email]"),
    ("", "mei＠gmail．com", "[email]"),
    ("", "nguyễn@gmail.com", "[email]"),
    ("SG", "身份证S1234567D号", "身份证[id]号"),
    ("", "nric s1234567d", "nric [id]"),
    ("", "FIN G1234567X", "FIN [id]"),
    ("", "900101-14-5678", "[id]"),
    ("MY", "IC saya 900101145678", "IC saya [id]"),
    ("ID", "NIK 3201015506900001", "NIK [id]"),
    ("", "6501015506900001", "[id]"),  # North Kalimantan, which python-stdnum refuses
    ("TH", "บัตร๑๑๐๑๗๐๐๒๓๐๗๐๘ค่ะ", "บัตร[id]ค่ะ"),
    ("", "1-1017-00230-70-8", "[id]"),
    ("VN", "CCCD số 001090012345", "CCCD số [id]"),
    ("PH", "TIN 123-456-789-000 SSS 34-1234567-8", "TIN [id] SSS [id]"),
    ("AU", "TFN 123 456 782", "TFN [id]"),
    ("AU", "Medicare 2123 45670 1", "Medicare [id]"),
    ("NZ", "IRD 49-091-850", "IRD [id]"),
    ("", "my NHI is ZAC5361", "my NHI is [id]"),
    ("", "4111 1111 1111 1111 and 378282246310005", "[card] and [card]"),
    ("TH", "บัตร4111111111111111ถูกขโมย", "บัตร[card]ถูกขโมย"),
]
NOBODYS = [
    ("SG", "call ScamShield 1799"),
    ("SG", "hotline 1800-722-6688"),
    ("AU", "1300 975 707, 1800 595 160, 131 114"),
    ("NZ", "Healthline on 0800 611 116"),
    ("MY", "1-300-88-2525"),
    ("ID", "0800-1234-567 atau 110"),
    ("VN", "tổng đài 19001234"),
    ("TH", "สายด่วน 1441 หรือ 1212"),
    ("SG", "order 91234567, 91234567 orders, S$ 9123 4567"),
    ("ID", "Rp 1.234.567.890 dan Rp81234567890"),
    ("VN", "giá 1.234.567đ, 12345678 đ, 0912345678 đồng"),
    ("TH", "12345678 บาท"),
    ("", "2026-11-29 10:30, 29/11/2026, 20261129, 2015-05-03T01:39:03.193000"),
    ("TH", "29 11 2569"),
    ("", "https://x.example/status/1234567890123456 https://shop.example/0812345678"),
    ("", "support@tiktok-refund.example report@scamwatch.gov.au"),
    ("", "1,234,567 views, 1234567890 views, 100 000 000 users"),
    ("", "order #123456789012 订单号 202611290012345 resi 081234567890"),
    ("", "commit a3f0812345678bc9, @user_081234"),
    ("", "192.168.100.200, 1.290270, 103.851959, 3.14159265358979, ISBN 9781234567897"),
    ("SG", "T12345678 ticket, S1234567A is not one"),
    ("", "no numbers at all @ all"),
    ("", ""),
]


@pytest.mark.parametrize(("market", "text", "kept"), PERSONAL)
def test_what_is_a_persons_is_masked(market: str, text: str, kept: str) -> None:
    """Beside Thai, Chinese and Latin letters, in digits of any script, of eight countries."""
    assert masked(text, market=market) == kept


@pytest.mark.parametrize(("market", "text"), NOBODYS)
def test_what_is_nobodys_stays(market: str, text: str) -> None:
    """Prices, counts, dates, order numbers, links, hotlines, role mailboxes."""
    assert masked(text, market=market) == text


@pytest.mark.parametrize(("market", "text", "kept"), PERSONAL)
def test_masking_twice_is_masking_once(market: str, text: str, kept: str) -> None:
    """What was imported, exported and imported again stays as it is."""
    assert masked(kept, market=market) == kept


def test_places_are_places_in_the_text() -> None:
    """Folding keeps lengths, whatever the letters."""
    text = "ﬁ ﬆ ½ ④ ๕ ９ \U0001f600 " + "โทร๐๘๑๒๓๔๕๖๗๘"
    assert len(folded(text)) == len(text)
    (one,) = find(text)
    assert (text[one.start : one.end], one.mask) == ("๐๘๑๒๓๔๕๖๗๘", PHONE)
    assert {MAIL, CARD, IDENTITY, PHONE} == {"[email]", "[card]", "[id]", "[phone]"}


@pytest.mark.parametrize(
    "text",
    [
        "0812345678 " * 1800,
        "1" * 20_000,
        "a.b@c." * 3400,
        "0 " * 10_000,
        "(0" * 10_000,
        "S1234567" * 2500,
        "0 (at " * 3400,
    ],
)
def test_a_text_that_is_made_to_be_slow_is_not(text: str) -> None:
    """It ends; patterns are bounded, and only so many numbers are looked up."""
    assert isinstance(masked(text), str)


def test_records_are_masked_as_texts_are() -> None:
    """On import: mentions with what else they brought, earlier versions, samples of what was refused."""
    said = "call +65 9123 4567"
    one = without_personal(
        mention(text=said, title=said, extra={"note": said, "stars": 3, "link": "https://x.example/?t=+6591234567"})
    )
    assert one == replace(
        mention(), text="call [phone]", title="call [phone]",
        extra={"note": "call [phone]", "stars": 3, "link": "https://x.example/?t=+6591234567"},
    )  # fmt: skip
    old = Revision(id="r", mention="m", source="s", what="edited", at=NOON, title=said, text=said)
    assert without_personal(old) == replace(old, title="call [phone]", text="call [phone]")
    no = Refusal(id="x", source="s", where="w", reason="r", at=NOON, sample=said)
    assert without_personal(no) == replace(no, sample="call [phone]")
