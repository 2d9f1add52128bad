"""One address for one page: without tracking, fragments, default ports and the order of parameters."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit, urlunsplit

from w3lib.url import canonicalize_url, url_query_cleaner

TRACKING = re.compile(
    r"^(utm_\w+|fbclid|gclid|dclid|gbraid|wbraid|msclkid|yclid|twclid|ttclid|igshid|igsh|mc_cid|mc_eid|mkt_tok"
    r"|at_(medium|campaign|custom\d|ptr_name|link_\w+|format|bbc_team)|ns_\w+|cmpid|cmp|ref_src|ref_url|spm|scm"
    r"|_hsenc|_hsmi|vero_id|oly_(anon|enc)_id|wt_mc|s_cid|icid|ocid|sr_share|fb_action_\w+|pk_\w+|piwik_\w+)$",
    re.IGNORECASE,
)
"""Parameters that say who shared a link, not what it leads to."""
DEFAULT_PORTS = {"http": 80, "https": 443}
LONGEST = 2000


def canonical(url: str, *, base: str = "") -> str:
    """Return the canonical form of an http(s) address, resolved against `base`; empty for anything else."""
    try:
        parts = urlsplit(urljoin(base, url.strip())) if base else urlsplit(url.strip())
        if parts.scheme.lower() not in DEFAULT_PORTS or not parts.hostname or len(url) > LONGEST:
            return ""
        plain = urlunsplit((parts.scheme.lower(), _host(parts.hostname, parts.port, parts.scheme), *parts[2:4], ""))
        return str(canonicalize_url(url_query_cleaner(plain, _tracking(parts.query), remove=True)))
    except ValueError:  # an IPv6 address that never closes its bracket, a port that is no number
        return ""


def absolute(url: str, base: str) -> str:
    """Return the address a link leads to, or empty where it is not http(s)."""
    try:
        joined = urljoin(base, url.strip())
        return joined if urlsplit(joined).scheme in DEFAULT_PORTS and len(joined) <= LONGEST else ""
    except ValueError:
        return ""


def _host(host: str, port: int | None, scheme: str) -> str:
    host = f"[{host}]" if ":" in host else host
    return host if port in (None, DEFAULT_PORTS[scheme.lower()]) else f"{host}:{port}"


def _tracking(query: str) -> list[str]:
    names = (pair.split("=", 1)[0] for pair in query.split("&"))
    return [name for name in names if TRACKING.match(name)]
