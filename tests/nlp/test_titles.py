"""Titles of themes: short, true of their documents, and the same from day to day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from groundswell.configs.complaints import load_complaints
from groundswell.configs.topics import load_topics
from groundswell.nlp.themes.framing import FRAMES, subject_of
from groundswell.nlp.themes.label import Name, name_themes
from groundswell.nlp.themes.subjects import ComplaintFinder, Subject
from groundswell.nlp.themes.title import LONGEST_TITLE, ThemeText, hear, make_title, shares_of, sum_of_shares

ADS = (
    "Too many ads now, every song",
    "there are too many ads in the free version",
    "Uninstalled. TOO MANY ADS",
    "too many ads and no skip button",
    "an advert after each track, cancelled",
    "used to be fine, now too many ads",
)
LOGIN = (
    "login gagal terus sejak kemarin",
    "sudah coba berkali kali login gagal",
    "kenapa login gagal padahal sandi benar",
    "akun saya login gagal, tolong dibantu",
    "tidak bisa masuk, katanya sandi salah",
)
PRAISE = ("bagus", "Bagus sekali", "mantap 👍", "bagus banget aplikasinya", "mantap", "😍😍", "keren", "Bagusss")


def named(
    themes: Mapping[str, tuple[Sequence[str], str, float]], before: Mapping[str, Name] | None = None
) -> dict[str, Name]:
    """Return names of themes given as texts, language and mood; vectors are drawn."""
    rng = np.random.default_rng(3)
    return name_themes(
        {
            theme: [
                ThemeText(f"{theme}{n}", text, lang, rng.normal(size=384).astype(np.float32), mood)
                for n, text in enumerate(texts)
            ]
            for theme, (texts, lang, mood) in themes.items()
        },
        before,
    )


def test_a_title_is_a_phrase_that_many_documents_hold() -> None:
    """Not one person's sentence; in the language of the theme, with what people feel behind it, framed in English."""
    names = named({"ads": (ADS, "en", -0.7), "login": (LOGIN, "id", -0.6)})
    assert names["ads"].label == names["ads"].titles["en"] == "Too many ads · complaints"
    assert names["login"].label == "Login gagal · complaints"
    assert names["login"].titles["id"] == "Login gagal · keluhan"
    assert names["login"].titles["en"] == "“login gagal” · complaints"  # nothing else is known of it
    assert set(names["login"].titles) == {"en", "zh", "id"}


@pytest.mark.parametrize(
    ("lang", "phrase", "texts"),
    [
        (
            "zh",
            "开屏广告",
            ("每次都有开屏广告，关不掉", "开屏广告太多了", "这个开屏广告怎么关", "又弹出开屏广告，卸载了"),
        ),
        ("th", "โฆษณา", ("โฆษณาเด้งตลอด", "ดูคลิปไม่ได้ มีโฆษณา", "เปิดมาก็เจอโฆษณาอีก", "โฆษณาข้ามไม่ได้")),
        (
            "vi",
            "quảng cáo",
            (
                "xem video toàn quảng cáo",
                "quảng cáo dài không bỏ qua được",
                "lại quảng cáo nữa rồi",
                "mở ra là quảng cáo",
            ),
        ),
    ],
)
def test_scripts_and_languages_each_have_their_phrases(lang: str, phrase: str, texts: Sequence[str]) -> None:
    """Also where no blank stands between words."""
    name = named({"ads": (texts, lang, -0.7), "other": (LOGIN, "id", -0.6)})["ads"]
    assert phrase in name.label.casefold()
    assert name.titles[lang] == f"{subject_of(name.label)} · {FRAMES[lang].complained}"


def test_a_name_that_two_languages_share_comes_first() -> None:
    """A brand is what the reader of either searches for; a word that travels through all themes ("video") is none."""
    rng = np.random.default_rng(5)
    told = {
        "shop": [
            ("KickVault gửi miếng dán thay vì giày, video quảng cáo", "vi"),
            ("nhận được miếng dán, shop chặn mình luôn", "vi"),
            ("miếng dán trong hộp giày, KickVault lừa đảo", "vi"), ("mở hộp ra toàn miếng dán, xem video đi", "vi"),
            ("KickVault ไม่ส่งรองเท้า ได้แค่สติกเกอร์ video", "th"), ("โดนโกงจากเพจ KickVault ในโฆษณา", "th"),
        ],
        "music": [
            ("video bị dừng giữa bài hát hoài", "vi"), ("xem video mà bài hát cứ dừng", "vi"),
            ("video เพลงหยุดเอง", "th"),
        ],
    }  # fmt: skip
    names = name_themes(
        {
            theme: [
                ThemeText(f"{theme}{n}", text, lang, rng.normal(size=384).astype(np.float32), -0.7)
                for n, (text, lang) in enumerate(texts)
            ]
            for theme, texts in told.items()
        }
    )
    assert names["shop"].label.startswith("KickVault")
    assert "ideo" not in names["shop"].label


def test_a_phrase_is_not_cut_in_the_middle() -> None:
    """It goes over no "and", and ends with a particle only where that belongs to a word ("log in")."""
    ads = tuple(f"there is a KickVault ad here in {place}" for place in ("May", "June", "July", "August"))
    locked = tuple(f"since {day} I cannot log in and listed games vanish" for day in ("Monday", "Tuesday", "Sunday"))
    names = named({"ads": (ads, "en", -0.7), "locked": (locked, "en", -0.8), "login": (LOGIN, "id", -0.6)})
    assert names["ads"].label == "KickVault ad · complaints"
    assert " and " not in names["locked"].label
    assert {"cannot log in", "log in"} & hear(ThemeText("x", locked[0], "en", np.ones(384, np.float32))).phrases


def test_every_reader_gets_a_title_of_what_is_wrong() -> None:
    """Names stay as they are, risks and topics are said in the reader's language, hashtags and amounts are left out."""
    shoes = tuple(
        f"{say} ร้าน KickVault จ่ายปลายทางแล้วได้สติกเกอร์แทนรองเท้า #โฆษณา #sgads" for say in ("โดน", "เจอ", "ระวัง", "อย่าเชื่อ")
    )
    pills = tuple(f"{who} lost 5 kg in a week says the slimming tea ad #sgads" for who in ("She", "He", "Mum", "Dad"))
    risk = {"en": "shopping scam", "zh": "购物诈骗", "id": "penipuan belanja", "th": "หลอกขายของ"}
    rng = np.random.default_rng(3)
    texts = {
        theme: [
            ThemeText(f"{theme}{n}", t, lang, rng.normal(size=384).astype(np.float32), -0.7) for n, t in enumerate(all_)
        ]
        for theme, lang, all_ in (("shoes", "th", shoes), ("pills", "en", pills))
    }
    names = name_themes(texts, subjects={"shoes": Subject(risk=risk, topic={"en": "sellers and goods"})})
    assert names["shoes"].titles["en"] == "KickVault · shopping scam"
    assert names["shoes"].titles["zh"] == "KickVault · 购物诈骗"
    assert names["shoes"].titles["id"] == "KickVault · penipuan belanja"
    assert "KickVault" in names["shoes"].titles["th"]
    assert not any(word in str(names).lower() for word in ("sgads", "โฆษณา"))
    assert not names["pills"].label.startswith("Kg ")


def told(texts: Sequence[str], lang: str, mood: float = -0.7, brands: tuple[str, ...] = ()) -> list[ThemeText]:
    """Return documents of one theme; vectors are drawn."""
    rng = np.random.default_rng(3)
    return [
        ThemeText(f"{lang}{n}", text, lang, rng.normal(size=384).astype(np.float32), mood, brands)
        for n, text in enumerate(texts)
    ]


def test_counts_and_times_are_no_title() -> None:
    """How much and how long is neither who nor what, in any of our languages; nor is a word torn at a mark."""
    texts = {
        "en": "took three weeks until the parcel of lot {} was lost",
        "id": "sudah tiga minggu paket nomor {} hilang",
        "zh": "第一天，包裹丢失，编号{}",
        "vi": "ba tuần rồi gói hàng số {} bị mất",
    }
    for lang, text in texts.items():
        heard = [hear(each) for each in told([text.format(n) for n in (11, 22, 33, 44)], lang)]
        phrases = {phrase for each in heard for phrase in each.phrases}
        edges = {word for phrase in phrases for word in (phrase.split()[0], phrase.split()[-1])}
        assert phrases
        assert edges.isdisjoint({"three", "weeks", "tiga", "minggu", "第一天", "ba", "tuần", "11"}), lang
    torn = hear(told(["่น กลับมา"], "th")[0])
    assert not any(phrase.startswith("่") for phrase in torn.phrases)


def test_a_term_of_several_syllables_is_not_cut() -> None:
    """The whole of “quảng cáo thuốc lá điện tử” is one term; its end alone would be no word."""
    ads = [f"con tôi thấy quảng cáo thuốc lá điện tử {where}" for where in ("sáng nay", "hôm qua", "lại nữa", "hoài")]
    assert "uảng cáo thuốc lá điện tử" in name_themes({"ads": told(ads, "vi")})["ads"].label


def test_a_title_says_what_is_wrong_though_a_word_recurs() -> None:
    """Said of “iklan vape”, “iklan tak pantas” is news; only what is said wholly is not said twice."""
    about = Subject(risk={"en": "unsuitable ads", "id": "iklan tak pantas"})
    vape = [f"{who} iklan vape" for who in ("anak lihat", "kartun disela", "lagu diganti", "muncul")]
    assert name_themes({"a": told(vape, "id")}, subjects={"a": about})["a"].titles["id"] == (
        "Iklan vape · iklan tak pantas"
    )
    many = Subject(risk={"en": "too many or intrusive ads"})
    assert name_themes({"a": told(ADS, "en")}, subjects={"a": many})["a"].titles["en"] == "Too many ads · complaints"


def test_a_watched_or_capitalised_name_leads() -> None:
    """Whom it is about comes first, although every other theme speaks of the same shop."""
    broken = [f"my parcel arrived broken {day}" for day in ("today", "again", "sadly", "and late")]
    assert name_themes({"a": told(broken, "en", brands=("Shopee",))})["a"].label.startswith("Shopee: ")
    shop = [f"{who} say Shopora sent a wrong parcel" for who in ("they", "friends", "people", "neighbours")]
    late = [f"{who} say Shopora keeps the refund" for who in ("they", "friends", "people", "neighbours")]
    names = name_themes({"a": told(shop, "en"), "b": told(late, "en"), "c": told(late[:3], "en")})
    assert all("Shopora" in each.label for each in names.values())


def test_a_theme_of_single_words_is_called_by_its_topics() -> None:
    """One word that few hold says nothing: the standing topic does, or the topics that are mixed, in every language."""
    mixed = (
        "lagu bagus di mobil",
        "lagu lama",
        "nonton film",
        "nonton bola",
        "kuota habis",
        "sinyal putus",
        "hp panas",
    )
    topics = Subject(mixture={"en": "songs; films", "zh": "歌曲; 影视", "id": "lagu; film"})
    names = name_themes({"a": told(mixed, "id")}, subjects={"a": topics})["a"]
    assert names.titles["en"] == "Mixed remarks (songs; films) · complaints"
    assert names.titles["zh"] == "零散评论 (歌曲; 影视) · 抱怨"
    about = Subject(topic={"en": "songs", "zh": "歌曲", "id": "musik"})
    one = name_themes({"a": told(mixed, "id")}, subjects={"a": about})["a"]
    assert one.label.startswith("Songs, e.g. “")
    assert one.titles["en"] == "Songs · complaints"


def test_a_word_of_two_syllables_is_a_single_word() -> None:
    """Vietnamese writes “quảng cáo” as two: where few hold it, it says as little as any single word."""
    texts = (
        "xem clip toàn quảng cáo", "quảng cáo mãi", "mã giảm tiền", "hoàn tiền nhanh", "máy nóng", "mất sóng",
        "bị khóa", "giao trễ", "hàng lỗi", "pin yếu", "quảng cáo dài",
    )  # fmt: skip
    topics = Subject(mixture={"en": "ads; refunds"})
    assert name_themes({"a": told(texts, "vi", 0.0)}, subjects={"a": topics})["a"].label == (
        "Mixed remarks (ads; refunds)"
    )


def test_a_title_made_anew_of_the_same_documents_is_the_same() -> None:
    """Also behind a topic or a brand of ours, which are no phrases of the documents."""
    about = {"a": Subject(topic={"en": "songs"}), "b": Subject(mixture={"en": "songs; films"})}
    mixed = (
        "lagu bagus di mobil",
        "lagu lama",
        "nonton film",
        "nonton bola",
        "kuota habis",
        "sinyal putus",
        "hp panas",
    )
    texts = {"a": told(mixed, "id"), "b": told(mixed[::-1], "ms"), "c": told(LOGIN, "id", brands=("Shopee",))}
    first = name_themes(texts, subjects=about)
    assert [each.label for each in name_themes(texts, first, subjects=about).values()] == [
        each.label for each in first.values()
    ]


def test_of_phrases_as_common_the_one_about_the_risk_is_taken() -> None:
    """A headline that all repeat has many phrases; the one that the taxonomy's words point to tells most."""
    texts = [f"rivals have announced. illegal lenders blocked {n}" for n in ("now", "soon", "here", "there")]
    about = Subject(words=("lender*",))
    assert "lenders" in name_themes({"a": told(texts, "en")}, subjects={"a": about})["a"].label


def test_praise_without_a_subject_is_called_praise() -> None:
    """Themes of "good", of emoji and of stretched letters say so plainly, and are told apart for the board."""
    names = named({
        "praise": (PRAISE, "id", 0.8),
        "emoji": (("👍👍", "😍", "❤️", "👍", "🔥🔥"), "en", 0.7),
        "bad": (("jelek", "Jelek banget", "apk jelek", "buruk", "jelek"), "id", -0.8),
        "ads": (ADS, "en", -0.7),
    })  # fmt: skip
    assert names["praise"].label == "Praise: bagus, mantap"
    assert names["praise"].titles["id"] == "Pujian: bagus, mantap"
    assert names["emoji"].label == "Praise"
    assert names["bad"].label == "Displeasure: jelek"
    assert {theme: name.feeling for theme, name in names.items()} == {
        "praise": "praise", "emoji": "praise", "bad": "displeasure", "ads": "",
    }  # fmt: skip


def test_praise_that_is_read_as_none_is_not_called_praise() -> None:
    """The board puts praise last; what may be mockery ("sok asik", acting cool) stays where it was."""
    name = named({"mocked": (("asik", "sok asik", "Sok asik", "asik", "sok asik banget"), "id", -0.05)})["mocked"]
    assert name.feeling == ""
    assert not name.label.startswith("Praise")


def test_insults_are_not_repeated() -> None:
    """What people shout is displeasure; the title says that much and no more."""
    name = named({"shouts": (("shit app", "SHIT", "stupid app", "shit", "stupid"), "en", -0.9)})["shouts"]
    assert name.label == "Displeasure"


def test_two_themes_do_not_bear_the_same_title() -> None:
    """The smaller one says what else it is about."""
    more = [
        f"{text}, {more}" for text, more in zip(ADS, ["live match spoilt"] * 3 + ["match stops", "x", "y"], strict=True)
    ]
    names = named({"ads": ([*ADS, *ADS], "en", -0.7), "match": (more, "en", -0.7), "login": (LOGIN, "id", -0.6)})
    assert names["ads"].label == "Too many ads · complaints"
    assert names["match"].label != names["ads"].label
    assert "match" in names["match"].label.casefold()


def test_a_phrase_is_written_as_most_write_it() -> None:
    """Names keep their capitals; a first letter becomes one; nobody's shouting is kept by accident."""
    texts = (
        "love my Spotify Wrapped",
        "spotify wrapped is out",
        "where is my Spotify Wrapped",
        "Spotify Wrapped 2024 failed",
    )
    assert named({"a": (texts, "en", 0.0), "b": (ADS, "en", -0.7)})["a"].label == ("Spotify Wrapped · mixed or neutral")


def test_a_title_stays_while_its_phrase_is_held() -> None:
    """A phrase that is a little more frequent today does not rename a theme; one that has taken its place does."""
    themes = {"ads": (ADS, "en", -0.7), "login": (LOGIN, "id", -0.6)}
    first = named(themes)
    held = (*ADS[:3], *[f"unskippable video ads number {n}" for n in range(4)])
    today = named({**themes, "ads": (held, "en", -0.25)}, first)
    assert first["ads"].label == "Too many ads · complaints"
    assert today["ads"].label == "Remarks such as “too many ads” · complaints"  # fewer than half hold it now
    gone = [f"unskippable video ads {word}" for word in ("again", "now", "here", "so often", "!", "", "today", "ugh")]
    later = named({**themes, "ads": (gone, "en", -0.7)}, first)
    assert later["ads"].label == "Unskippable video ads · complaints"
    assert named({"praise": (PRAISE[2:], "id", 0.8)}, named({"praise": (PRAISE, "id", 0.8)}))["praise"].label == (
        "Praise: bagus, mantap"
    )


def test_a_clause_stands_in_only_where_no_phrase_is_shared() -> None:
    """It is short, of a document that feels as the theme does, and of words that others use too."""
    texts = {
        "Wonderful melodies brighten mornings": 0.9,
        "Refund department ignores letters": -0.8,
        "Screen freezes whenever phone rotates": -0.9,
        "Subscription renewed despite cancelling, and nobody in the whole company has answered for weeks": -0.9,
        "xcvbn qwrtz mmnnp": -0.7,
        "Battery drains overnight": -0.8,
    }
    others = {
        text: (tuple(f"{text} {more}" for more in ("one", "two", "three")), "en", -0.6)
        for text in texts
        if " of " not in text and "xc" not in text
    }
    label = named({"mixed": (tuple(texts), "en", -0.5), **others})["mixed"].label
    clause = subject_of(label).removeprefix("Remarks such as “").removesuffix("”")
    assert len(clause) <= LONGEST_TITLE
    assert clause in texts
    said = [
        ThemeText(str(n), text, "en", np.ones(384, np.float32), mood) for n, (text, mood) in enumerate(texts.items())
    ]
    across = sum_of_shares(
        shares_of([hear(ThemeText(str(n), t, "en", np.ones(384, np.float32))) for n, t in enumerate(group[0])])
        for group in others.values()
    )
    title = subject_of(make_title([hear(one) for one in said], across, {}).said(FRAMES["en"]))
    title = title.removeprefix("Remarks such as “").removesuffix("”")
    assert texts[title] < 0
    assert title != "xcvbn qwrtz mmnnp"


def test_a_sentence_uses_a_title_without_its_feeling() -> None:
    """What stands behind the dot is for lists."""
    assert subject_of("Too many ads · complaints") == "Too many ads"
    assert subject_of("Iklan · keluhan") == "Iklan"
    assert subject_of("Praise: bagus, mantap") == "Praise (bagus, mantap)"
    assert subject_of("Netflix: a series") == "Netflix: a series"
    assert subject_of("loans · limit") == "loans · limit"


@pytest.mark.parametrize(
    ("lang", "texts", "wrong"),
    [
        ("id", ("login gagal terus", "gak bisa login", "sandi salah padahal benar", "ok"), "cannot log in"),
        ("th", ("สมัครพรีเมียมแล้วยังมีโฆษณา", "จ่ายเงินแล้วยังเจอโฆษณา", "เพลง"), "ads although people pay"),
        ("vi", ("giao hàng lâu quá", "chưa nhận được hàng", "shop ngủ"), "orders late or not delivered"),
        ("ms", ("dapat barang palsu lagi", "kasut barang palsu", "warna cantik"), "fake or wrong goods"),
        ("zh", ("提现一直不到账", "收益还没到账，审核中", "提现又失败", "加油"), "payouts late or missing"),
    ],
)  # fmt: skip
def test_what_most_complain_of_is_said_to_every_reader(lang: str, texts: tuple[str, ...], wrong: str) -> None:
    """In the words of the complaints that are known, whatever language it is told in."""
    found = ComplaintFinder(load_complaints()).main([(text, lang) for text in texts])
    assert found is not None
    assert found.titled("en") == wrong
    assert set(found.titles) == {"zh", "id", "th", "vi"}
    subject = Subject(complaint={one: found.titled(one) for one in ("en", "zh", "id")})
    names = name_themes({"a": told(texts, "id" if lang == "ms" else lang)}, subjects={"a": subject})["a"]
    assert (names.titles["en"].split(" · ")[1], names.titles["zh"].split(" · ")[1]) == (wrong, found.titled("zh"))


def test_a_complaint_of_fewer_than_half_is_not_said_of_all() -> None:
    """Nor is a word of it a complaint by itself."""
    finder = ComplaintFinder(load_complaints())
    assert finder.main([("login gagal", "id"), ("bagus", "id"), ("lagunya enak", "id")]) is None
    assert finder.main([("login pakai email saja", "id")]) is None
    assert finder.main([]) is None


def test_a_team_adds_complaints_of_its_own(tmp_path: Path) -> None:
    """With words of its languages; one with a known id takes its place."""
    file = tmp_path / "own.yaml"
    file.write_text(
        "complaints:\n  - {id: scammed, title: tickets resold, words: {en: [resold]}}\n"
        "  - {id: no_lift, title: lifts out of order, words: {en: [lift]}, beside: {en: [broken]}}\n"
    )
    finder = ComplaintFinder(load_complaints(file))
    both = [finder.main([(text, "en")]) for text in ("the lift is broken", "they resold it", "I was scammed")]
    assert [found.title if found else "" for found in both] == ["lifts out of order", "tickets resold", ""]


def test_a_complaint_that_ships_leads_with_a_standing_topic() -> None:
    """Every one has a title in all languages that titles are framed in, and so has its topic."""
    topics = {topic.id: topic for topic in load_topics()}
    for one in load_complaints():
        assert all(one.titled(lang) and topics[one.about].titled(lang) for lang in FRAMES)
