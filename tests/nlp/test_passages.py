"""Long texts: what stands far down is read as well, at the cost of one window, and what is left out is counted."""

from __future__ import annotations

import pytest

from groundswell.configs.schema import Settings
from groundswell.nlp.model.model import Model, load_model
from groundswell.nlp.model.passages import passage, sentences

HARMLESS = {
    "en": "The city opened a new library on Monday. Visitors walked through bright halls and looked at the shelves. ",
    "zh": "城里的新图书馆周一开放。参观者走过明亮的大厅，看着书架。市长感谢了建筑工人，并谈到这一地区的历史。",
    "id": "Kota membuka perpustakaan baru pada hari Senin. Pengunjung berjalan di aula yang terang dan melihat rak. ",
    "th": "เมืองเปิดห้องสมุดใหม่เมื่อวันจันทร์ ผู้มาเยือนเดินผ่านห้องโถงสว่างและดูชั้นหนังสือ ",
    "vi": "Thành phố mở thư viện mới vào thứ Hai. Khách tham quan đi qua các sảnh sáng và ngắm những kệ sách. ",
}
SCAM = {
    "en": "Then a fake ad with a deepfake of the minister took my money, it was a scam and I lost everything.",
    "zh": "后来一个用部长深度伪造视频的虚假广告骗走了我的钱，这是诈骗，我被骗光了。",
    "id": "Lalu iklan palsu dengan deepfake menteri menipu saya, ini penipuan dan uang saya hilang semua.",
    "th": "แล้วโฆษณาปลอมที่ใช้ดีปเฟครัฐมนตรีหลอกเอาเงินฉันไป เป็นมิจฉาชีพ โดนโกงหมดตัว",
    "vi": "Rồi một quảng cáo giả dùng deepfake bộ trưởng lừa tiền của tôi, đó là lừa đảo, tôi mất hết tiền.",
}


@pytest.fixture(scope="module")
def model() -> Model:
    """Open the shipped model."""
    return load_model(Settings().model)


@pytest.mark.parametrize("lang", HARMLESS)
def test_a_scam_told_after_a_harmless_page_is_found(model: Model, lang: str) -> None:
    """It stands far behind what fits; the page alone claims nothing; both say that not all of them was read."""
    page = HARMLESS[lang] * (1_600 // len(HARMLESS[lang]) + 1)
    reading = model.read([page, page + SCAM[lang]])
    assert reading.risks[0].max() < 0.5 <= reading.risks[1].max()
    assert all(0 < unread < len(page) for unread in reading.unread)


def test_what_fits_is_read_as_it_stands(model: Model) -> None:
    """Also a text of many bytes that takes few pieces."""
    texts = ["Too many ads!", HARMLESS["th"] * 2, HARMLESS["zh"] * 3, ""]
    assert [each.text for each in model.passages(texts)] == texts
    assert model.read(texts).unread == (0, 0, 0, 0)


def test_a_long_text_without_a_word_of_a_risk_is_read_from_its_beginning(model: Model) -> None:
    """The same window as ever, so the same answers."""
    page = HARMLESS["en"] * 20
    (found,) = model.passages([page])
    assert page.startswith(found.text)
    assert found.unread == len(page) - len(found.text)


def test_the_sentences_that_are_read_stand_in_their_order() -> None:
    """Lead first, the marked ones where they stood, and no more than fits."""
    text = "".join(f"Sentence {n} is here. " for n in range(40)) + "A scam it was. " + "The end. " * 20
    found = passage(text, 200, lambda each: ["scam" in one for one in each])
    assert found.text.startswith("Sentence 0 is here. Sentence 1 is here.")
    assert found.text.endswith("A scam it was.")
    assert len(found.text) <= 200


@pytest.mark.parametrize(
    "text", ["no end " * 200, "ไม่มีที่สิ้นสุด" * 100, "1.5 at example.com... really?! " * 9, "。" * 50, " "]
)
def test_sentences_cover_a_text_without_gaps(text: str) -> None:
    """Whatever a text is made of, nothing of it is lost between two sentences, and none is too long."""
    spans = sentences(text)
    assert "".join(text[begin:end] for begin, end in spans) == text
    assert all(end - begin <= 161 for begin, end in spans)
