"""No address of anybody's own network is ever asked, whatever a page, a redirect or a name server says.

Three belts. The middleware looks at every request, redirects and robots.txt included: scheme, port, literal address.
The resolver hands Twisted only public addresses, and Twisted connects to the very address it was handed, so a name
that changes its mind between check and connection (DNS rebinding) gains nothing. Last, the address that really
answered is looked at before the answer is used.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from typing import Any, Self
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from twisted.internet.interfaces import IAddress, IHostnameResolver, IHostResolution, IResolutionReceiver
from zope.interface import implementer

NAME_SECONDS = 10.0
"""How long a name server may take."""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
PORTS = frozenset({80, 443, 8000, 8008, 8080, 8443, 8888})
"""Where web servers listen; others (mail, databases) are allowed only where a source's own address names them."""
NEVER = tuple(
    ipaddress.ip_network(each)
    for each in (
        "0.0.0.0/8",  # this host
        "100.100.100.200/32",  # Alibaba Cloud's metadata
        "168.63.129.16/32",  # Azure's own services: a public address in name only
        "169.254.0.0/16",  # link-local: most clouds' metadata
        "192.0.0.192/32",  # Oracle Cloud's metadata
        "255.255.255.255/32",
        "fe80::/10",
        "fec0::/10",  # site-local: deprecated, still routed at home
        "fd00:ec2::/32",  # AWS's metadata over IPv6
        "fd20:ce::/32",  # Google Cloud's metadata over IPv6
    )
)
"""Not asked even where private addresses are allowed: who answers there hands out a machine's own credentials."""
SPECIAL = tuple(
    ipaddress.ip_network(each)
    for each in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "240.0.0.0/4",
        "::/96",  # unspecified, loopback, and IPv4 in an old wrapping
        "::ffff:0:0:0/96",
        "64:ff9b:1::/48",
        "100::/64",
        "100:0:0:1::/64",
        "2001::/23",
        "2001:db8::/32",
        "2620:4f:8000::/48",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
    )
)
"""The special-purpose ranges of IANA's two registries (RFC 6890): nobody's web is there. Read 2026-11-30.

Python's own `is_global` knows them as of its release: site-local and newer ranges pass there.
"""
NAT64 = ipaddress.ip_network("64:ff9b::/96")
ISATAP = (0x00005EFE, 0x02005EFE)
"""Middle of an IPv6 address that wraps an IPv4 one at its end (RFC 5214)."""
BLOCKED: dict[str, str] = {}
"""Names that led into a private network, and to which address; the error a person reads tells it."""


def is_allowed(address: Address, *, allow_private: bool) -> bool:
    """Return whether an address may be asked. Link-local ones (cloud metadata!) and multicast never are."""
    if any(address in network for network in NEVER):  # before unwrapping: IPv6 has names of its own for such places
        return False
    inner = embedded(address)
    if inner.is_link_local or inner.is_multicast or inner.is_unspecified or any(inner in each for each in NEVER):
        return False
    if allow_private:
        return True
    special = any(inner in network for network in SPECIAL)
    return inner.is_global and not inner.is_reserved and not special


def embedded(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address only wraps (mapped, 6to4, Teredo, NAT64, ISATAP), else itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    low = int(address) & 0xFFFFFFFF
    if address in NAT64 or (int(address) >> 32) & 0xFFFFFFFF in ISATAP or (int(address) >> 32 == 0 and low > 0xFFFF):
        return ipaddress.IPv4Address(low)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


def why_not(url: str, *, allow_private: bool, ports: frozenset[int] = PORTS) -> str:
    """Return why an address may not be asked, or empty."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "not a valid address"
    if parts.scheme not in ("http", "https"):
        return f"scheme {parts.scheme[:20]!r} is not http or https"
    if not host or parts.username is not None:
        return "an address with a user name or without a host"
    if port is not None and port not in ports and not allow_private:
        return f"port {port} is not one of a web server"
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        return ""  # a name: the resolver decides
    return "" if is_allowed(literal, allow_private=allow_private) else private(host)


def private(address: object) -> str:
    """Return the sentence about a private address."""
    return f"{address} is a private address (crawl.allow_private_addresses is off)"


class GuardMiddleware:
    """Stands in front of every request and behind every answer."""

    def __init__(self, *, allow_private: bool, ports: frozenset[int]) -> None:
        self.allow_private, self.ports = allow_private, ports

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Return one that knows the settings."""
        own = {int(port) for port in crawler.settings.getlist("GUARD_PORTS")}
        return cls(allow_private=crawler.settings.getbool("GUARD_ALLOW_PRIVATE"), ports=PORTS | own)

    def process_request(self, request: Request) -> None:
        """Refuse what may not be asked."""
        if reason := why_not(request.url, allow_private=self.allow_private, ports=self.ports):
            raise IgnoreRequest(f"refused: {reason}")

    def process_response(self, request: Request, response: Response) -> Response:
        """Refuse an answer that came from where it may not."""
        address = response.ip_address
        if address is not None and not is_allowed(address, allow_private=self.allow_private):
            raise IgnoreRequest(f"refused: {urlsplit(request.url).hostname} answered from {private(address)}")
        return response


@implementer(IHostnameResolver)
class GuardedResolver:
    """Resolves names, and hands on only the addresses that may be asked.

    Args:
        later: the reactor's ``callLater``; with it, a name server that is silent is given up after `NAME_SECONDS`, as
            the system's own resolver has no such limit.
    """

    def __init__(self, inner: Any, *, allow_private: bool, later: Callable[..., Any] | None = None) -> None:
        self.inner, self.allow_private, self.later = inner, allow_private, later

    def resolveHostName(  # noqa: N802  Twisted's own name
        self,
        resolutionReceiver: Any,  # noqa: N803  Twisted passes it by this name
        hostName: str,  # noqa: N803  as above
        portNumber: int = 0,  # noqa: N803  as above
        addressTypes: Sequence[type[Any]] | None = None,  # noqa: N803  as above
        transportSemantics: str = "TCP",  # noqa: N803  as above
    ) -> Any:
        """Resolve a name, as Twisted asks for it."""
        sieve = _Sieve(resolutionReceiver, hostName, allow_private=self.allow_private)
        if self.later:
            self.later(NAME_SECONDS, sieve.give_up)
        return self.inner.resolveHostName(sieve, hostName, portNumber, addressTypes, transportSemantics)


@implementer(IResolutionReceiver)
class _Sieve:
    def __init__(self, receiver: Any, host: str, *, allow_private: bool) -> None:
        self.receiver, self.host, self.allow_private, self.done = receiver, host, allow_private, False

    def give_up(self) -> None:
        """End with what has been found so far."""
        self.resolutionComplete()

    def resolutionBegan(self, resolution: IHostResolution) -> None:  # noqa: N802  Twisted's own name
        self.receiver.resolutionBegan(resolution)

    def addressResolved(self, address: IAddress) -> None:  # noqa: N802  Twisted's own name
        if self.done:
            return
        found = ipaddress.ip_address(str(getattr(address, "host", "")).split("%")[0])
        if is_allowed(found, allow_private=self.allow_private):
            self.receiver.addressResolved(address)
        else:
            BLOCKED[self.host] = str(found)

    def resolutionComplete(self) -> None:  # noqa: N802  Twisted's own name
        if not self.done:
            self.done = True
            self.receiver.resolutionComplete()
