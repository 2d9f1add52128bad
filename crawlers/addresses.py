"""One address for one page: without tracking, wrappers, and the twins of scheme, www, AMP and mobile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, unquote, urljoin, urlsplit, urlunsplit

from w3lib.url import canonicalize_url, url_query_cleaner

TRACKING = re.compile(
    r"^(?:%3f)?(?:"
    # Google: Analytics, Ads, Merchant Center, Discover
    r"utm(_\w*)?|ga_\w+|_ga|_gl|gclid|gclsrc|dclid|gbraid|wbraid|gad_\w+|gs_l|srsltid|usqp"
    # Meta, X, TikTok, Snap, Pinterest, LinkedIn, Reddit, Quora, Zalo, LINE, Bilibili
    r"|fbclid|fb_(action_ids|action_types|source|ref|comment_id)|action_(object|type|ref)_map|igshid|igsh|mibextid|__tn__"
    r"|__cft__.*|twclid|ref_src|ref_url|__twitter_impression|ttclid|tt_(medium|content)|sccid|epik|li_fat_id|rdt_cid"
    r"|qclid|zarsrc|zalo_\w+|vd_source|share_(source|medium|plat|session_id|tag)"
    # Microsoft, Yandex, Alibaba, Taboola, Outbrain
    r"|msclkid|ocid|cvid|yclid|ysclid|_openstat|spm|scm|tblci|obclid|dicbo"
    # Matomo, AT Internet, Webtrekk, comScore, Adobe, Coremetrics, Echobox
    r"|pk_(campaign|kwd|keyword|source|medium|content|cid|vid|abe|abv|group|placement)|mtm_\w+|matomo_\w+|piwik_\w+"
    r"|at_(medium|campaign|campaign_type|creation|custom\d|ptr_name|link_\w+|link|format|bbc_team|emailtype|recipient_\w+"
    r"|send_date|variant)|xtor|wt_z?mc|wtrid|ns_(mchannel|source|campaign|linkname|fee|ige)|s_cid|s_kwcid|ef_id|adobe_mc\w*"
    r"|cm_(mmc\w*|ven|cat|pla|ite|re|lm|me|cr)|echobox"
    # Mail: Mailchimp, HubSpot, Marketo, MailerLite, Klaviyo, Vero, Omeda, Drip, Dotdigital, Eloqua, Salesforce
    r"|mc_(cid|eid|tc)|_?hsenc|_?hsmi|__hs(fp|sc|tc)|__hssc|__hstc|hsctatracking|hsa_\w+|mkt_tok|ml_subscriber(_hash)?"
    r"|_ke|_kx|vero_(id|conv)|oly_(anon|enc)_id|__s|dm_i|elq\w*|sfmc_\w+|bsft_\w+|vgo_ee"
    # clicks of affiliates, of publishers' own teasers, and the rest of ClearURLs' and Firefox's public lists
    r"|irclickid|irgwc|cjevent|cjdata|awc|sscid|ranmid|raneaid|ransiteid|tduid|rb_clickid|wickedid|os_ehash|hmb_\w+|otm_\w*"
    r"|itm_\w+|int_(source|medium|campaign|content|term)|cmpid|cmp|icid|ncid|[a-z]?mc|vn(_[a-z]*)+|tracking_source|ceneo_spo"
    r"|guccounter|guce_referrer(_sig)?|sr_share|taid|erid|wprov|mbid|sh_kit|__source|linkid_?tracking"
    r")$",
    re.IGNORECASE,
)
"""Parameters that say who shared a link, not what it leads to, from the documentation of those who set them.

`mc` and `cmp` are ClearURLs' and may name a page somewhere; an item whose own id and title differ stays apart all the
same (`groundswell.crawlers.identity`).
"""
SHARED_BY = re.compile(r"^(ref|ref_|source|src|from|via|share|referrer|referer|ito|outputtype|feature)$", re.IGNORECASE)
SHARERS = re.compile(
    r"^(rss|feed|atom|rss_?feed|twitter|tw|x|facebook|fb|instagram|telegram|tele?gram_?\w*|whatsapp|wa|line|zalo|weibo|wechat|linkedin"
    r"|reddit|newsletter|mail|email|e-mail|share|sharing|social|social_?media|copy_?link|googlenews|google_?news|gnews|flipboard"
    r"|smartnews|upday|msn|yahoo|android|ios|app|mobile|desktop|web|push|notification)([-_.]\w{1,20})?$",
    re.IGNORECASE,
)
"""Values that make ``ref=`` or ``source=`` the name of a sharer."""
OF_HOSTS = {
    "youtube.com": {"si", "feature", "pp", "ab_channel", "app"},
    "youtu.be": {"si", "feature"},
    "open.spotify.com": {"si", "nd", "context"},
    "twitter.com": {"s", "t"},
    "x.com": {"s", "t"},
    "nytimes.com": {"smid", "smtyp", "partner"},
    "amazon.com": {"ref_", "psc", "qid", "sr", "tag"},
    "reddit.com": {"share_id", "rdt", "context"},
    "medium.com": {"source", "sk"},
    "tiktok.com": {"_r", "_t", "is_from_webapp", "sender_device", "web_id", "is_copy_url"},
    "instagram.com": {"hl", "img_index"},
    "threads.net": {"xmt"},
    "threads.com": {"xmt"},
}  # fmt: skip
"""Parameters that track on these hosts and may mean something elsewhere."""
SESSION = re.compile(r"^(phpsessid|jsessionid|aspsessionid\w*|cfid|cftoken|sid|s|osu?id|zenid)$", re.IGNORECASE)
SESSION_VALUE = re.compile(r"^[0-9a-f]{26,40}$", re.IGNORECASE)
TWIN_QUERY = re.compile(
    r"^(amp|amp;?|outputtype|_amp|isamp|amp_js_v|amp_gsa|usqp|amp_latest_update_time)$", re.IGNORECASE
)
TWIN_VALUE = re.compile(r"^(|1|true|amp|yes|0?\.\d|mq.*|a\d.*)$", re.IGNORECASE)
BLOGGER = re.compile(r"/\d{4}/\d{2}/[^/]+\.html$")
TWIN_HOST = re.compile(
    r"^(?:(?:www\d?|m|mobile|mobi|wap|amp|touch)\.)+(?=[^.]+\.[^.])|(?<=^[a-z]{2}\.)m\.(?=wikipedia\.)"
)
AMP_PATH = re.compile(
    r"^/amp(?=/.)|(?:/amp|\.amp)(?=/?$)|\.amp(?=\.html?$)|(?<=[a-z0-9])-amp(?=\.html?$)", re.IGNORECASE
)
JSESSION = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/?#;]*", re.IGNORECASE)
ROUTE = re.compile(r"^(!|/|\?|!/)")
"""Fragments that a page's script reads as a path: they are part of the address."""
COMMENT = re.compile(
    r"^(?:comment|comments|c|cmt|issuecomment|discussion_r|discussioncomment|post|p|pid|msg|message|reply|re|r|answer|entry"
    r"|postid|post_message|lc|note|isso|li-comment|div-comment)[-_=:/]?\d[\w-]*$|^lc=[\w.-]{8,}$",
    re.IGNORECASE,
)
"""Fragments that name one comment or post of a page."""
WRAPPERS: tuple[tuple[re.Pattern[str], str, tuple[str, ...]], ...] = tuple(
    (re.compile(rf"^(?:[\w-]+\.)*?{host}$"), path, names)
    for host, path, names in (
        (r"google(?:\.[a-z]{2,3}){1,2}", "/url", ("url", "q")),
        (r"google(?:\.[a-z]{2,3}){1,2}", "/imgres", ("imgrefurl",)),
        (r"(?:facebook|instagram|messenger|threads)\.(?:com|net)", "/l.php", ("u",)),
        (r"(?:l|lm)\.(?:facebook|instagram|messenger|threads)\.(?:com|net)", "/", ("u",)),
        (r"youtube\.com", "/redirect", ("q",)),
        (r"bing\.com", "/news/apiclick.aspx", ("url",)),
        (r"duckduckgo\.com", "/l/", ("uddg",)),
        (r"out\.reddit\.com", "/", ("url",)),
        (r"linkedin\.com", "/redir/redirect", ("url",)),
        (r"linkedin\.com", "/safety/go", ("url",)),
        (r"vk\.(?:com|ru)", "/away.php", ("to",)),
        (r"t\.umblr\.com", "/redirect", ("z",)),
        (r"disq\.us", "/url", ("url",)),
        (r"safelinks\.protection\.outlook\.com", "/", ("url",)),
        (r"slack-redir\.net", "/link", ("url",)),
        (r"steamcommunity\.com", "/linkfilter/", ("url", "u")),
        (r"medium\.com", "/r/", ("url",)),
        (r"exit\.sc", "/", ("url",)),
        (r"zalo\.me", "/link", ("url",)),
        (r"link\.zhihu\.com", "/", ("target",)),
        (r"link\.juejin\.cn", "/", ("target",)),
        (r"jump\.bdimg\.com", "/safecheck/index", ("url",)),
        (r"weibo\.cn", "/sinaurl", ("u", "url")),
        (r"google(?:\.[a-z]{2,3}){1,2}", "/news/url", ("url",)),
    )
)
"""Hosts, paths and parameters of links that only lead on to the address they carry."""
AMP_CACHE = re.compile(
    r"^(?:[\w-]+\.cdn\.ampproject\.org/(?:[acv]/)?|(?:www\.)?google(?:\.[a-z]{2,3}){1,2}/amp/|[\w-]+\.bing-amp\.com/c/)(?:s/)?(?=[\w-]+\.)",
    re.IGNORECASE,
)
DEFAULT_PORTS = {"http": 80, "https": 443}
LONGEST_ADDRESS = 2000
MOST_WRAPPERS = 3
REMEMBERED = 4096
"""Addresses whose form is remembered: each is asked for several times while its item is read."""


@lru_cache(maxsize=REMEMBERED)
def canonical(url: str, *, base: str = "") -> str:
    """Return the canonical form of an http(s) address, resolved against `base`; empty for anything else.

    http and https, www and mobile hosts, AMP pages and a slash at the end are one page. Routes (``#!/t/1``) and
    comments (``#comment-41``) are kept, other fragments are not.
    """
    try:
        parts = _split(unwrapped(url, base=base))
        if parts is None:
            return ""
        host = _host(parts)
        query = url_query_cleaner(parts.geturl(), list(_superfluous(parts)), remove=True, unique=False)
        scheme = "https" if ":" not in host.rpartition("]")[2] else parts.scheme
        plain = urlunsplit((scheme, host, _path(parts), urlsplit(query).query, _fragment(parts.fragment)))
        return str(canonicalize_url(plain, keep_fragments=True))
    except ValueError:  # an IPv6 address that never closes its bracket, a port that is no number
        return ""


@lru_cache(maxsize=REMEMBERED)
def unwrapped(url: str, *, base: str = "") -> str:
    """Return the address a link leads to behind wrappers that count clicks (Google Alerts, Facebook, AMP caches)."""
    url = absolute(url, base) or url.strip()
    for _ in range(MOST_WRAPPERS):
        inner = _inner(url)
        if not inner:
            break
        url = inner
    return url


def absolute(url: str, base: str) -> str:
    """Return the address a link leads to, or empty where it is not http(s)."""
    try:
        joined = urljoin(base, url.strip()) if base else url.strip()
        return joined if urlsplit(joined).scheme in DEFAULT_PORTS and len(joined) <= LONGEST_ADDRESS else ""
    except ValueError:
        return ""


def host_of(url: str) -> str:
    """Return an address's host without www and mobile prefixes, or empty."""
    try:
        return TWIN_HOST.sub("", (urlsplit(url).hostname or "").lower())
    except ValueError:
        return ""


def _split(url: str) -> SplitResult | None:
    parts = urlsplit(url)
    if parts.scheme.lower() not in DEFAULT_PORTS or not parts.hostname or len(url) > LONGEST_ADDRESS:
        return None
    return parts._replace(scheme=parts.scheme.lower())


def _inner(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return ""
    if cached := AMP_CACHE.match(f"{host}{parts.path}"):
        query = f"?{parts.query}" if parts.query else ""
        return f"https://{(host + parts.path)[cached.end() :]}{query}"
    for pattern, path, names in WRAPPERS:
        if pattern.match(host) and parts.path.rstrip("/") == path.rstrip("/"):
            given = dict(parse_qsl(parts.query))
            for name in names:
                inner = given.get(name, "")
                inner = unquote(inner) if inner[:12].lower().startswith(("http%3a", "https%3a")) else inner
                if inner.startswith(("http://", "https://")) and len(inner) <= LONGEST_ADDRESS:
                    return inner
    return ""


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").lower().rstrip(".")
    host = f"[{host}]" if ":" in host else TWIN_HOST.sub("", host)
    return host if parts.port in (None, DEFAULT_PORTS[parts.scheme]) else f"{host}:{parts.port}"


def _path(parts: SplitResult) -> str:
    return AMP_PATH.sub("", JSESSION.sub("", parts.path)).rstrip("/") or "/"


def _fragment(fragment: str) -> str:
    if ROUTE.match(fragment):
        return fragment.removesuffix("/")
    if COMMENT.match(fragment):
        return fragment
    return ""


def _superfluous(parts: SplitResult) -> Iterator[str]:
    host = (parts.hostname or "").lower()
    extra = {name for site, names in OF_HOSTS.items() if host == site or host.endswith(f".{site}") for name in names}
    for pair in parts.query.split("&"):
        name, _, value = pair.partition("=")
        if (
            TRACKING.match(name)
            or name.lower() in extra
            or (SHARED_BY.match(name) and SHARERS.match(value))
            or (SESSION.match(name) and SESSION_VALUE.match(value))
            or (TWIN_QUERY.match(name) and TWIN_VALUE.match(value))
            or (name == "m" and value in ("0", "1") and BLOGGER.search(parts.path))
        ):
            yield name


FORMER = re.compile(
    r"^(utm_\w+|fbclid|gclid|dclid|gbraid|wbraid|msclkid|yclid|twclid|ttclid|igshid|igsh|mc_cid|mc_eid|mkt_tok"
    r"|at_(medium|campaign|custom\d|ptr_name|link_\w+|format|bbc_team)|ns_\w+|cmpid|cmp|ref_src|ref_url|spm|scm"
    r"|_hsenc|_hsmi|vero_id|oly_(anon|enc)_id|wt_mc|s_cid|icid|ocid|sr_share|fb_action_\w+|pk_\w+|piwik_\w+)$",
    re.IGNORECASE,
)
"""What 0.1.0 dropped."""


def former(url: str) -> list[str]:
    """Return the canonical forms that 0.1.0 gave an address and its twins, by which old mentions rest in stores."""
    try:
        parts = _split(url.strip())
        if parts is None:
            return []
        names = [name for pair in parts.query.split("&") if FORMER.match(name := pair.split("=", 1)[0])]
        cleaned = urlsplit(url_query_cleaner(urlunsplit(parts._replace(fragment="")), names, remove=True))
        host = (parts.hostname or "").removeprefix("www.")
        tail = "" if parts.port in (None, *DEFAULT_PORTS.values()) else f":{parts.port}"
        netloc = f"[{host}]{tail}" if ":" in host else f"{host}{tail}"
        one = urlsplit(str(canonicalize_url(urlunsplit(("https", netloc, cleaned.path, cleaned.query, "")))))
        bare = one.path.rstrip("/")
        return [
            urlunsplit((scheme, f"{www}{one.netloc}", path, one.query, ""))
            for scheme in ("https", "http")
            for www in ("", "www.")
            for path in dict.fromkeys((f"{bare}/", bare or "/"))
        ]
    except ValueError:
        return []
