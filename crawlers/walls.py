"""Pages that stand where an article should: challenges, consent walls, error pages under HTTP 200, other pages.

Phrases alone prove little: newspapers write about cookies, captchas and outages. So a page that states that it is an
article (markup of its publisher), or is about what the list said of it, is believed; of the others only short ones are
doubted.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any
from urllib.parse import unquote, urlsplit

from scrapy.http import HtmlResponse, Response, TextResponse

GUARDED = "a page that checks browsers (challenge)"
SHORT = 3000
"""Letters of visible text up to which a page is doubted; walls say little."""
SHELL = 300
"""Letters up to which one wish for JavaScript is all that a page says."""
HEADERS = {
    b"cf-mitigated": b"challenge",
    b"x-amzn-waf-action": b"",
    b"x-datadome": b"protected",
    b"x-sucuri-block": b"",
}
"""How guards in front of sites name themselves, and with which word where the header alone says nothing."""
SCRIPTS = re.compile(
    rb"_cf_chl_opt|challenge-platform/h/[a-z]/orchestrate|captcha-delivery\.com|_Incapsula_Resource|px-captcha"
    rb"|/_sec/cp_challenge|awsWafCookieDomainList|gokuProps|sgcaptcha|/\.well-known/ddos-guard|KPSDK|geo\.captcha"
    rb"|consent\.(?:google|youtube|yahoo)\.com|guce\.[a-z]+\.com"
)
"""What their pages load."""
CHALLENGE = re.compile(
    r"just a moment|attention required|access (?:to this page has been )?denied|checking (?:if|your)|ddos.guard"
    r"|are you (?:a )?(?:robot|human)|verify(?:ing)? (?:that )?you are|human verification|robot check"
    r"|security (?:check|verification)|pardon our interruption|request unsuccessful|one (?:more )?(?:moment|step)"
    r"|please (?:wait|verify|enable)|unusual traffic|captcha|bot (?:check|detection)|not a robot"
    r"|安全验证|人机验证|請稍候|请稍候|验证码|驗證碼|安全檢查|安全检查|đang kiểm tra|xác minh|vui lòng (?:chờ|đợi)"
    r"|sila tunggu|mohon tunggu|verifikasi|pengesahan|กำลังตรวจสอบ|ยืนยันว่า|โปรดรอ|กรุณารอ|sandali lang",
    re.IGNORECASE,
)
CONSENT = re.compile(
    r"before you continue|cookies? (?:consent|settings|preferences|notice|wall)"
    r"|(?:we (?:value|care about) )?your privacy|privacy (?:choices|preferences|settings|cent)|^consent"
    r"|accept (?:all )?cookies|sebelum anda (?:melanjutkan|meneruskan)|bago ka magpatuloy"
    r"|trước khi (?:bạn )?tiếp tục|ก่อนดำเนินการต่อ"
    r"|继续之前|繼續之前|隐私(?:设置|选择)|隱私(?:設定|選擇)",
    re.IGNORECASE,
)
ERROR = re.compile(
    r"^\W*(?:error|http)?\W*(?:4\d\d|5\d\d)\b|(?:page|story|article|file|post) (?:was )?not found|^not found"
    r"|(?:page|story|article) (?:does not|doesn.t|no longer) exist|internal server error|bad gateway|gateway time.?out"
    r"|(?:service|site|page) (?:is )?(?:temporarily )?(?:unavailable|down)|under maintenance|something went wrong"
    r"|database error|(?:tidak|tak) (?:ditemukan|dijumpai|ditemui|wujud)|không (?:tìm thấy|tồn tại)|ไม่พบ(?:หน้า|ข้อมูล)"
    r"|(?:页面|頁面|网页|網頁)(?:不存在|未找到|找不到)|找不到(?:页面|頁面|网页|網頁|您)"
    r"|hindi (?:makita|matagpuan|natagpuan)|(?:pemeliharaan|penyelenggaraan)|bảo trì|ปิดปรับปรุง"
    r"|维护中|維護中|系统维护|系統維護",
    re.IGNORECASE,
)
LOGIN = re.compile(
    r"^(?:sign|log) ?in\b|^log masuk|^masuk\b|^đăng nhập|^เข้าสู่ระบบ|^(?:登录|登錄|登入)|^mag-?log ?in", re.IGNORECASE
)
TITLES = {
    GUARDED: CHALLENGE,
    "a page that asks for consent": CONSENT,
    "an error page under HTTP 200": ERROR,
    "a page that wants a login": LOGIN,
}
VOCABULARY = re.compile(
    r"cookies?\b|consent|our (?:\d+ )?partners|personali[sz]ed|privacy|(?:accept|reject|agree to) all"
    r"|manage (?:options|choices)|javascript|your browser|captcha|robot|human|security|secure|verif(?:y|ication|ying)"
    r"|cloudflare|ray id|unusual traffic"
    r"|(?:reference|incident|request) (?:id|number|#)|enable|refresh the page|settings|adverts?|measure"
    r"|mitra|persetujuan|setuju|peramban|pelayar|aktifkan|dayakan|keamanan|keselamatan|privasi|kuki"
    r"|trình duyệt|đối tác|đồng ý|quyền riêng tư|bảo mật|bật javascript|คุกกี้|เบราว์เซอร์|เปิดใช้งาน|พันธมิตร|ยินยอม|ยอมรับ"
    r"|ความปลอดภัย|ความเป็นส่วนตัว|浏览器|瀏覽器|启用|啟用|验证|驗證|同意|合作伙伴|合作夥伴|隐私|隱私|安全",
    re.IGNORECASE,
)
DISTINCT, DENSITY = 4, 150
"""So many different words of walls, one in so many letters at least, make a wall."""
EVIDENCE = (
    '//meta[@property="article:published_time"]|//meta[@property="og:type"][@content="article"]|//article'
    '|//*[contains(@itemtype, "Article")]|//*[@itemprop="articleBody" or @itemprop="datePublished"]'
    '|//script[@type="application/ld+json"][contains(., "Article") or contains(., "articleBody")]'
)
"""How publishers say that a page is an article."""
AWAY = re.compile(r"/(?:login|log-in|signin|sign-in|consent|captcha|challenge|subscribe|register)\b", re.IGNORECASE)
LATIN = re.compile(r"[a-zA-ZÀ-ỹ]")
UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")
WORD = re.compile(r"[^\W_]{2,}")
FEWEST = 3
"""Words of a title from which it can be compared."""
ALIKE = 0.25
"""Share of a title's words below which a page is about something else."""
SURE = 0.6
"""Share from which it is about the title beyond doubt."""
SHORT_WORD = 3


def wall_of(response: Response) -> str:
    """Return what stands in an article's (or list's) place, or empty where nothing says so."""
    headers = response.headers
    if any(name in headers and word in (headers.get(name) or b"").lower() for name, word in HEADERS.items()):
        return GUARDED
    if not isinstance(response, (HtmlResponse, TextResponse)) or b"<" not in response.body[:2000]:
        return ""
    text = visible(response)
    if len(text) > SHORT:
        return ""
    if SCRIPTS.search(response.body):
        return "a page that checks browsers or asks for consent"
    return "" if _first(response, EVIDENCE) is not None else _by_heads(response) or _by_words(text)


def _by_heads(response: TextResponse) -> str:
    """Return what a short page calls itself, if it is no article."""
    heads = [_text(node) for node in (_first(response, "//title"), _first(response, "//h1")) if node is not None]
    return next((name for name, pattern in TITLES.items() if any(pattern.search(head) for head in heads)), "")


def _by_words(text: str) -> str:
    """Return what a short page is by its words alone."""
    met = [match[0].casefold() for match in VOCABULARY.finditer(text)]
    if len(text) <= SHELL and "javascript" in met:
        return "a page that wants JavaScript"
    if len(set(met)) >= DISTINCT and len(met) * DENSITY >= len(text):
        return "a page that asks for consent or checks browsers"
    return ""


def astray(asked: str, response: Response) -> str:
    """Return where a redirect led that is no article, or empty."""
    came, went = urlsplit(asked), urlsplit(response.url)
    if (came.netloc, came.path) == (went.netloc, went.path):
        return ""
    if went.path in ("", "/") and came.path not in ("", "/") and not came.query:
        return "the front page"
    return "a page that wants a login or consent" if AWAY.search(went.path) and not AWAY.search(came.path) else ""


def is_other(title: str, summary: str, url: str, page: str) -> bool:
    """Return whether a page is about something else than its list said, or than its address spells.

    Args:
        title: what the list calls the article.
        summary: what the list says of it.
        url: its address; its last part often spells the title.
        page: title and text of the page.
    """
    shares = [share for share in (likeness(title, page), likeness(summary[:500], page)) if share is not None]
    if title and shares:
        return max(shares) < ALIKE
    if title and len(words(title)) >= FEWEST:
        return False  # a list may speak another language than its articles
    slug = {word for word in WORD.findall(fold(unquote(urlsplit(url).path.rsplit("/", 1)[-1]))) if word.isalpha()}
    slug = {word for word in slug if len(word) > 3 and word not in ("html", "aspx", "amp")}
    if len(slug) <= FEWEST or not LATIN.search(page) or UNSPACED.search(page):
        return False
    return not slug & set(WORD.findall(fold(page)))


def likeness(text: str, page: str) -> float | None:
    """Return the share of a text's words that a page holds, or ``None`` where the two cannot be compared.

    Short words stand on every page; where a text has others, they do not count.
    """
    spoken = words(text)
    long = {word for word in spoken if len(word) > SHORT_WORD or UNSPACED.match(word)}
    spoken = long if len(long) >= FEWEST else spoken
    if len(spoken) < FEWEST or not _same_script(text, page):
        return None
    return len(spoken & words(page)) / len(spoken)


def words(text: str) -> set[str]:
    """Return the words of a text; of scripts without spaces its pairs of letters."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    pairs = {run[i : i + 2] for run in UNSPACED.findall(plain) for i in range(max(1, len(run) - 1))}
    return pairs | set(WORD.findall(UNSPACED.sub(" ", plain)))


def fold(text: str) -> str:
    """Return a text without accents, as addresses spell it."""
    plain = unicodedata.normalize("NFKD", text.replace("đ", "d").replace("Đ", "d"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()


def visible(response: TextResponse) -> str:
    """Return what a reader sees of a page."""
    nodes = response.xpath("//body//text()[not(ancestor::script or ancestor::style or ancestor::template)]").getall()
    return " ".join(" ".join(nodes).split())


def _same_script(one: str, other: str) -> bool:
    return bool(UNSPACED.search(one)) == bool(UNSPACED.search(other[:2000])) or bool(
        LATIN.search(one) and LATIN.search(other)
    )


def _first(response: TextResponse, path: str) -> Any:
    found = response.xpath(path)
    return found[0] if found else None


def _text(node: Any) -> str:
    return " ".join("".join(node.xpath(".//text()").getall()).split())[:200]
