"""A small fictional world for the board: sources, themes, alerts, a case, a crawl gap, and some hostile guests.

Everything is written by us and drawn with a fixed seed, so that each test sees the same world, counted back from `now`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from groundswell.configs.schema import Settings
from groundswell.index.ids import mention_id, stable_id
from groundswell.index.open import OpenReader, open_reader, open_store
from groundswell.index.query import Query
from groundswell.index.records import (
    CrawlRun,
    Enriched,
    Kind,
    Label,
    Lineage,
    Membership,
    Mention,
    Record,
    Refusal,
    Sentiment,
    SentimentLabel,
    Severity,
    Signal,
    SignalKind,
    Target,
    Theme,
)
from groundswell.index.store import Store

DAYS = 75
MADE_BY = "seed 1"
SOURCES: tuple[tuple[str, Kind, float], ...] = (
    ("adtech_news", "news", 1.6),
    ("app_reviews_id", "review", 2.6),
    ("app_reviews_sg", "review", 1.4),
    ("app_reviews_th", "review", 1.2),
    ("consumer_forum_my", "post", 1.5),
    ("creators_board", "post", 1.3),
    ("hackernews", "comment", 1.1),
    ("mastodon_ads", "post", 1.7),
    ("regulator_au", "regulator", 0.4),
    ("shoppers_vn", "post", 1.2),
    ("straits_daily", "news", 0.9),
    ("zh_weekly", "news", 1.5),
)
"""Name, kind, and how often it speaks, relative to the others."""
HOSTILE = (
    '<script>document.body.dataset.owned="1"</script>',
    '<img src=x onerror="document.body.dataset.owned=1">',
    "[click](javascript:document.body.dataset.owned=1) :red[not red] $\\alpha$ ![p](http://127.0.0.1:9/pixel)",
    '=HYPERLINK("http://127.0.0.1:9/x","pay") \u202egnp.exe',
)


@dataclass(frozen=True, slots=True)
class Subject:
    """Something people return to: its texts, where, and how often a day."""

    key: str
    label: str
    risk: str
    mood: float
    rate: float
    markets: tuple[str, ...]
    texts: tuple[tuple[str, str], ...]
    keywords: tuple[str, ...]
    surge: tuple[float, float] = (0.0, 0.0)
    """From how many hours ago on, and how many times louder."""
    sours: float = 0.0


SUBJECTS = (
    Subject(
        "deepfake", "Minister's face in trading-app ads", "impersonation_deepfake", -0.72, 0.25, ("SG", "MY"),
        (
            ("en", "An ad with our minister's face promises daily profit from a trading app; a machine made it."),
            ("en", "The minister praising that trading app is a fake, yet it came up three times before breakfast."),
            ("zh", "广告里的部长劝大家下载炒币软件，嘴型都对不上，明显是换脸。"),
            ("zh", "又看到部长代言理财软件的视频广告，声音像，脸是假的，举报了还在放。"),
            ("ms", "Iklan guna muka menteri suruh beli aplikasi dagangan, jelas palsu tetapi masih keluar."),
        ),
        ("minister", "trading app", "deepfake", "换脸", "部长"), surge=(13, 240),
    ),
    Subject(
        "sneakers", "Paid for shoes, a sticker came", "scam_shopping", -0.66, 2.2, ("TH", "VN", "MY"),
        (
            ("th", "สั่งรองเท้าจากโฆษณาในแอป ได้สติกเกอร์มาแผ่นเดียว ร้านปิดแชตหนี"),
            ("th", "โฆษณารองเท้าลดราคาเจ็ดสิบเปอร์เซ็นต์ จ่ายแล้วเงียบ ของไม่มา"),
            ("vi", "Đặt giày theo quảng cáo, nhận được một miếng dán, cửa hàng chặn số luôn."),
            ("vi", "Cùng một tên cửa hàng chạy quảng cáo ở bốn chợ, chỗ nào cũng không giao hàng."),
            ("en", "Paid for running shoes from a sponsored post and a paper sticker arrived in the parcel."),
        ),
        ("รองเท้า", "สติกเกอร์", "giày", "sticker", "shop"), surge=(58, 3.6),
    ),
    Subject(
        "adload", "Two unskippable ads before each clip", "ad_experience", -0.28, 3.4, ("ID", "PH", "SG"),
        (
            ("id", "Iklan dua kali sebelum video satu menit, tidak bisa dilewati, capek."),
            ("id", "Baru buka aplikasi sudah iklan terus, tombol tutupnya kecil sekali."),
            ("id", "Tiap dua lagu satu iklan, sekarang malah tiap lagu."),
            ("en", "Two ads I cannot skip before a clip of thirty seconds, every single time."),
        ),
        ("iklan", "dilewati", "unskippable", "ads"), sours=70,
    ),
    Subject(
        "banned", "Ad account closed without a reason", "enforcement_payout", -0.5, 2.3, ("SG", "AU", "ID"),
        (
            ("en", "Our ad account was closed overnight; the appeal form answers with the same paragraph."),
            ("en", "Billing took the money, the campaign was rejected, support says wait ten working days."),
            ("zh", "广告账户被误封，申诉三次都是机器回复，预算还被扣着。"),
            ("id", "Akun iklan diblokir tanpa alasan, saldo tertahan dua minggu."),
        ),
        ("ad account", "appeal", "误封", "diblokir"),
    ),
    Subject(
        "slots", "Betting ads inside children's games", "gambling", -0.55, 1.7, ("ID", "PH", "TH"),
        (
            ("id", "Di permainan anak saya muncul iklan judi slot, bonus deposit segala."),
            ("en", "My son's puzzle game shows a casino ad between levels, with a cartoon tiger."),
            ("th", "เกมของลูกมีโฆษณาพนันเด้งขึ้นมา กดปิดไม่ได้"),
        ),
        ("judi", "slot", "casino", "พนัน"),
    ),
    Subject(
        "slimming", "Slimming tea that promises ten kilos", "health_weight", -0.4, 1.5, ("MY", "VN", "TH"),
        (
            ("ms", "Teh pelangsing dalam iklan janji turun sepuluh kilo seminggu, tiada kelulusan langsung."),
            ("vi", "Trà giảm cân quảng cáo giảm mười ký một tuần, uống vào đau bụng."),
            ("zh", "减肥茶广告说一周瘦十斤，成分表都没有。"),
        ),
        ("teh pelangsing", "trà giảm cân", "减肥"),
    ),
    Subject(
        "creators", "Creators praise the new payout page", "", 0.55, 1.6, ("SG", "AU", "NZ", "PH"),
        (
            ("en", "The new payout page is clear at last: I see each advertiser and what they paid."),
            ("en", "Payout arrived two days early this month, and the breakdown makes sense."),
            ("vi", "Trang nhận tiền mới dễ hiểu hơn, tiền về đúng hẹn."),
        ),
        ("payout", "creators", "breakdown"),
    ),
    Subject(
        "listening", "Is the phone listening for ads?", "privacy_targeting", -0.35, 1.5, ("AU", "SG", "NZ"),
        (
            ("en", "We talked about tents at dinner and by nine there were tent ads on both phones."),
            ("en", "I never searched for it, I only said it aloud, and the ad was there."),
            ("zh", "刚聊到露营，手机马上推帐篷广告，是不是在偷听？"),
        ),
        ("listening", "tent", "偷听"),
    ),
    Subject(
        "loans", "Loan ads that hide the fees", "financial_services", -0.58, 1.4, ("ID", "PH", "VN"),
        (
            ("id", "Pinjol ilegal pasang iklan bunga nol, potongannya separuh pinjaman."),
            ("en", "The loan in the ad had no interest and a processing fee of forty per cent."),
            ("vi", "Quảng cáo vay nhanh không lãi, phí thì bằng nửa khoản vay."),
        ),
        ("pinjol", "loan", "phí"),
    ),
    Subject(
        "festival", "Festival sale ads people enjoy", "", 0.48, 1.5, ("MY", "SG", "TH"),
        (
            ("ms", "Iklan jualan perayaan kali ini lucu, sampai kami tengok dua kali."),
            ("en", "The festival sale ad with the grandmother is the best thing on the screen this week."),
            ("th", "โฆษณาเทศกาลปีนี้น่ารัก ดูซ้ำทั้งบ้าน"),
        ),
        ("festival", "perayaan", "เทศกาล"),
    ),
)  # fmt: skip


def theme_id(key: str) -> str:
    """Return the id of a theme of this world."""
    return stable_id("theme", key)


def fill(store: Store, now: datetime) -> None:
    """Put the whole world into a store."""
    documents = list(_documents(now))
    for begin in range(0, len(documents), 600):
        store.put(documents[begin : begin + 600])
    store.put([*_themes(now), *_signals(store, now), *_runs(now), *_refusals(now), *_labels(now)])


def _documents(now: datetime) -> Iterator[Record]:
    dice = random.Random(7)
    for subject in SUBJECTS:
        for hour in range(DAYS * 24, 0, -1):
            at = now - timedelta(hours=hour)
            rate = subject.rate / 24 * (1.25 if at.weekday() < 5 else 0.7)
            rate *= subject.surge[1] if hour <= subject.surge[0] else 1
            count = sum(dice.random() < rate / 8 for _ in range(8))
            for _ in range(count):
                yield from _document(dice, subject, at + timedelta(minutes=dice.randrange(60)), hour)
    yield from _guests(now)


def _document(dice: random.Random, subject: Subject, at: datetime, hour: int) -> Iterator[Record]:
    source, kind, _ = dice.choices(SOURCES, weights=[weight for _, _, weight in SOURCES])[0]
    if _blind(source, hour):
        return
    lang, text = dice.choice(subject.texts)
    number = dice.randrange(10**9)
    mention = mention_id(source=source, native_id=f"{subject.key}-{number}")
    mood = subject.mood + dice.gauss(0, 0.14) - (0.36 if subject.sours and hour <= subject.sours else 0)
    named = dice.random() < 0.85
    undated = dice.random() < 0.03
    yield Mention(
        id=mention,
        source=source,
        kind=kind,
        title=subject.label if kind == "news" else "",
        text=f"{text} ({number % 97})",
        url=f"https://www.{source.replace('_', '-')}.example/{number}",
        published_at=None if undated else at,
        date_confidence="none" if undated else "exact",
        fetched_at=at + timedelta(minutes=20),
        author_key=f"a{dice.randrange(400)}",
        lang=lang,
        market=dice.choice(subject.markets) if named else "",
    )
    yield _read(mention, lang, mood, subject.risk, dice)
    yield Membership(id=mention, theme=theme_id(subject.key), confidence=0.8, at=at)


def _read(id: str, lang: str, mood: float, risk: str, dice: random.Random) -> Enriched:
    mood = max(-0.95, min(0.95, mood))
    negative, positive = max(0.0, -mood) + 0.02, max(0.0, mood) + 0.02
    label: SentimentLabel = "negative" if mood < -0.2 else "positive" if mood > 0.2 else "neutral"
    who: tuple[Target, ...] = (Target(who="platform" if dice.random() < 0.5 else "advertiser", label=label),)
    return Enriched(
        id=id,
        lang=lang,
        sentiment=Sentiment(label=label, negative=negative, neutral=1 - negative - positive, positive=positive),
        made_by=MADE_BY,
        lang_confidence=0.99,
        targets=who,
        risks={risk: 0.93} if risk else {},
        duplicate_of=id,
    )


def _blind(source: str, hour: int) -> bool:
    """Two loud sources were down for two and a half days, three weeks ago; one has been silent since yesterday."""
    return (
        source in {"app_reviews_id", "mastodon_ads", "zh_weekly", "creators_board", "consumer_forum_my"}
        and 470 < hour < 545
    ) or (source == "shoppers_vn" and hour < 30)


def _guests(now: datetime) -> Iterator[Record]:
    """Yield documents whose titles, texts, addresses and markets wish us harm."""
    dice = random.Random(3)
    for i, text in enumerate(HOSTILE):
        mention = mention_id(source="mastodon_ads", native_id=f"hostile-{i}")
        yield Mention(
            id=mention,
            source="mastodon_ads",
            kind="post",
            title=text,
            text=f"hostileguest {text}",
            url="javascript:document.body.dataset.owned=1" if i % 2 else "https://user:secret@evil.example/x",
            published_at=now - timedelta(hours=2 + i),
            date_confidence="exact",
            fetched_at=now,
            lang="en",
            market="SG",
        )
        yield _read(mention, "en", -0.4, "scam_shopping", dice)
        yield Membership(id=mention, theme=theme_id("hostile"), confidence=0.8, at=now)


def _themes(now: datetime) -> Iterator[Record]:
    for subject in SUBJECTS:
        size = round(subject.rate * DAYS)
        yield Theme(
            id=theme_id(subject.key),
            label=subject.label,
            first_seen=now - timedelta(days=30 if subject.key == "deepfake" else DAYS),
            last_seen=now - timedelta(hours=1),
            keywords=subject.keywords,
            titles={subject.texts[-1][0]: subject.texts[-1][1][:40]} | {"en": subject.label},
            size=size,
            risk=subject.risk,
        )
    yield Theme(
        id=theme_id("hostile"),
        label=HOSTILE[1],
        first_seen=now - timedelta(hours=5),
        last_seen=now - timedelta(hours=2),
        keywords=(HOSTILE[0], ":red[red]", "$x$"),
        size=len(HOSTILE),
    )
    yield Lineage(
        id=stable_id("lineage", "sneakers"),
        theme=theme_id("sneakers"),
        what="split",
        at=now - timedelta(days=12),
        others=(theme_id("slimming"),),
        why="two subjects had grown apart",
    )


@dataclass(frozen=True)
class World:
    """Where a seeded store is, and when it was made."""

    settings: Settings
    now: datetime

    def store(self) -> Store:
        """Open the store for writing."""
        return open_store(self.settings)

    def reader(self) -> OpenReader:
        """Open the store for reading."""
        return open_reader(self.settings)


def signal_id(key: str) -> str:
    """Return the id of a theme's alert."""
    return stable_id("signal", key)


def _signals(store: Store, now: datetime) -> Iterator[Record]:
    told: tuple[tuple[str, SignalKind, Severity, float, float, float, str, bool], ...] = (
        (
            "deepfake",
            "new",
            "critical",
            9,
            31,
            1.2,
            "A minister's face sells a trading app; 31 posts in 9 hours where 1.2 were expected.",
            True,
        ),
        (
            "sneakers",
            "surge",
            "high",
            28,
            27,
            7,
            "The same shop name in four marketplaces' ads; new in Thailand since yesterday.",
            True,
        ),
        (
            "adload",
            "sour",
            "medium",
            72,
            -0.64,
            -0.28,
            "Mood on ad load fell to −0.64, the lowest in 60 days; volume is normal.",
            True,
        ),
        ("hostile", "new", "low", 3, 4, 0, HOSTILE[0] + HOSTILE[2], True),
        ("loans", "surge", "medium", 30, 6, 3, "6 documents in 24 hours where 3 were expected.", False),
        ("banned", "surge", "high", 24 * 33, 11, 3, "11 documents in 24 hours where 3 were expected.", True),
    )
    for key, kind, severity, hours, observed, expected, why, fired in told:
        at = now - timedelta(hours=hours)
        query = Query(since=at - timedelta(hours=24), until=at, where={"theme": (theme_id(key),)}, limit=40)
        subject = next((subject for subject in SUBJECTS if subject.key == key), None)
        yield Signal(
            id=signal_id(key),
            theme=theme_id(key),
            kind=kind,
            at=at,
            start=at - timedelta(hours=24),
            end=at,
            observed=observed,
            expected=expected,
            strength=7.5,
            severity=severity,
            evidence=tuple(hit.document.id for hit in store.search(query).hits),
            why=why,
            title=subject.label if subject else HOSTILE[1],
            risk=subject.risk if subject else "",
            fired=fired,
            held_by="" if fired else "budget",
            alert_chance=None if fired else 0.31,
        )


def _runs(now: datetime) -> Iterator[Record]:
    for source, _, weight in SOURCES:
        for hour in range(30 * 24, 0, -12):
            at, down = now - timedelta(hours=hour), _blind(source, hour)
            stored = 0 if down else round(weight * 3)
            yield CrawlRun(
                id=stable_id("run", source, str(hour)),
                source=source,
                started_at=at,
                finished_at=at + timedelta(seconds=11),
                found=stored + 2 if not down else 0,
                stored=stored,
                duplicate=0 if down else 2,
                error="HTTP 503 from the feed" if down and source != "shoppers_vn" else "",
                complaint="0 found, floor 1" if down and source == "shoppers_vn" else "",
            )


def _refusals(now: datetime) -> Iterator[Record]:
    for i, reason in enumerate(("text is empty", "published in the year 9999", "not valid UTF-8 (byte 17)")):
        yield Refusal(
            id=stable_id("refusal", str(i)),
            source="consumer_forum_my",
            where=f"item {i + 3}",
            reason=reason,
            at=now - timedelta(hours=7 + i),
            sample=HOSTILE[i],
        )


def _labels(now: datetime) -> Iterator[Record]:
    yield Label(
        id=stable_id("disposition", signal_id("banned"), "mei"),
        subject=signal_id("banned"),
        field="disposition",
        value="confirmed",
        annotator="mei",
        at=now - timedelta(days=32),
    )
