"""Determines a client's address and scheme: what trusted proxies wrote of them, and nobody else.

Also determines its network. Knows nothing of what they are used for: the log, rate limits, cookies.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from hailwhale.web.request import Environ

Network = IPv4Network | IPv6Network


def client_address(environ: Environ, trusted: Sequence[Network]) -> str:
    """Return the address that a request came from; only trusted proxies are believed.

    Reads X-Forwarded-For from its end, where the nearest proxy writes, as long as the writer is
    trusted. A Unix socket has no address: its peer is trusted if 127.0.0.1 is.

    >>> proxies = [ip_network("10.0.0.0/8")]
    >>> said = {"HTTP_X_FORWARDED_FOR": "6.6.6.6, 203.0.113.9, 10.0.0.7"}
    >>> client_address({"REMOTE_ADDR": "10.0.0.1", **said}, proxies)
    '203.0.113.9'
    >>> client_address({"REMOTE_ADDR": "198.51.100.4", **said}, proxies)
    '198.51.100.4'
    """
    found = _peer(environ)
    said = [part.strip() for part in environ.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    while said and _is_in(found, trusted):
        before = said.pop()
        if not _is_address(before):
            break
        found = before
    return found


def is_encrypted(environ: Environ, trusted: Sequence[Network]) -> bool:
    """Return whether the client uses HTTPS; X-Forwarded-Proto counts from a trusted proxy only.

    >>> said = {"HTTP_X_FORWARDED_PROTO": "https"}
    >>> is_encrypted({"REMOTE_ADDR": "10.0.0.1", **said}, [ip_network("10.0.0.0/8")])
    True
    >>> is_encrypted({"REMOTE_ADDR": "198.51.100.4", **said}, [ip_network("10.0.0.0/8")])
    False
    """
    if environ.get("wsgi.url_scheme") == "https":
        return True
    nearest = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
    return nearest == "https" and _is_in(_peer(environ), trusted)


def network_of(environ: Environ, trusted: Sequence[Network]) -> str:
    """Return the network to rate-limit: an IPv4 address, or the /64 of IPv6, one customer's.

    >>> network_of({"REMOTE_ADDR": "2001:db8::1:2:3:4"}, [])
    '2001:db8::'
    """
    text = client_address(environ, trusted)
    if not _is_address(text):
        return "unknown"
    address = ip_address(text)
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address) >> 64 << 64, 64)).network_address)


def _peer(environ: Environ) -> str:
    return environ.get("REMOTE_ADDR") or "127.0.0.1"


def _is_in(text: str, networks: Sequence[Network]) -> bool:
    if not networks or not _is_address(text):
        return False
    address = ip_address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)


def _is_address(text: str) -> bool:
    """Return whether a text is an address without a zone, which could be any text."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text
