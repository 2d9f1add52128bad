"""No address of anybody's own network is ever asked, whatever a page, a redirect or a name server says.

Three belts. The middleware looks at every request, redirects and robots.txt included: scheme, port, literal address.
The resolver hands Twisted only public addresses, and Twisted connects to the very address it was handed, so a name
that changes its mind between check and connection (DNS rebinding) gains nothing. Last, the address that really
answered is looked at before the answer is used.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any, Self
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from twisted.internet.interfaces import IAddress, IHostnameResolver, IHostResolution, IResolutionReceiver
from zope.interface import implementer

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
PORTS = frozenset({80, 443, 8000, 8008, 8080, 8443, 8888})
"""Where web servers listen; others (mail, databases) are allowed only where a source's own address names them."""
NAT64 = ipaddress.ip_network("64:ff9b::/96")
BLOCKED: dict[str, str] = {}
"""Names that led into a private network, and to which address; the error a person reads tells it."""


def is_allowed(address: Address, *, allow_private: bool) -> bool:
    """Return whether an address may be asked. Link-local ones (cloud metadata!) and multicast never are."""
    address = embedded(address)
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    return allow_private or (address.is_global and not address.is_reserved)


def embedded(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address only wraps (mapped, 6to4, Teredo, NAT64), else itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
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
    """Resolves names, and hands on only the addresses that may be asked."""

    def __init__(self, inner: Any, *, allow_private: bool) -> None:
        self.inner, self.allow_private = inner, allow_private

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
        return self.inner.resolveHostName(sieve, hostName, portNumber, addressTypes, transportSemantics)


@implementer(IResolutionReceiver)
class _Sieve:
    def __init__(self, receiver: Any, host: str, *, allow_private: bool) -> None:
        self.receiver, self.host, self.allow_private = receiver, host, allow_private

    def resolutionBegan(self, resolution: IHostResolution) -> None:  # noqa: N802  Twisted's own name
        self.receiver.resolutionBegan(resolution)

    def addressResolved(self, address: IAddress) -> None:  # noqa: N802  Twisted's own name
        found = ipaddress.ip_address(str(getattr(address, "host", "")).split("%")[0])
        if is_allowed(found, allow_private=self.allow_private):
            self.receiver.addressResolved(address)
        else:
            BLOCKED[self.host] = str(found)

    def resolutionComplete(self) -> None:  # noqa: N802  Twisted's own name
        self.receiver.resolutionComplete()
