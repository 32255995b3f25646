"""Parses the host of a Host header, of an Origin and of a Referer. Pure.

Returns each host in one spelling, so that hosts can be compared as texts. Resolves no names: only
addresses and the name `localhost` are known to be loopback.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[^\[\]:]{1,254})(?::([0-9]{0,5}))?")
_ORIGIN = re.compile(r"(https?)://([^/?#@\\]+)(?:[/?#].*)?", re.IGNORECASE | re.DOTALL)
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?:{_LABEL}\.)*{_LABEL}")
_NUMBER = re.compile(r"[0-9]{1,64}|0x[0-9a-f]{0,64}")  # the last label of an address, of no name
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class HostPort:
    """A host in its one spelling, and the port if one was given.

    A name is in lower case and without a final dot; an address is as `ipaddress` writes it, without
    brackets.
    """

    host: str
    port: int | None = None


@dataclass(frozen=True, slots=True)
class SiteOrigin:
    """The origin of a page: its scheme, host and port; the port is never missing."""

    scheme: str
    host: str
    port: int

    def is_at(self, place: HostPort) -> bool:
        """Return whether a page of this origin asked its own server when it sent this Host.

        A Host without a port is that of the default port of the origin's scheme: the server does
        not know whether a proxy uses TLS.

        >>> parse_origin("https://hw.example.com").is_at(parse_host("HW.example.com"))
        True
        >>> parse_origin("http://localhost:3000").is_at(parse_host("localhost:8085"))
        False
        """
        port = _DEFAULT_PORTS[self.scheme] if place.port is None else place.port
        return (self.host, self.port) == (place.host, port)


def parse_host(text: str) -> HostPort | None:
    """Parse the value of a Host header; None for anything else than one host.

    >>> parse_host("LocalHost.:8085"), parse_host("[::ffff:7f00:1]")
    (HostPort(host='localhost', port=8085), HostPort(host='127.0.0.1', port=None))
    >>> parse_host("127.1"), parse_host("localhost, evil.example")
    (HostPort(host='127.0.0.1', port=None), None)
    """
    found = _HOST.fullmatch(text.lower()) if text.isascii() else None
    if found is None:
        return None
    host = _ipv6(found[1][1:-1]) if found[1].startswith("[") else _name_or_ipv4(found[1])
    port = int(found[2]) if found[2] else None
    if host is None or (port is not None and port > 65_535):
        return None
    return HostPort(host, port)


def parse_origin(text: str) -> SiteOrigin | None:
    """Parse an Origin, or the origin of a URL such as a Referer's; None if there is none.

    >>> parse_origin("http://localhost:8085/demo?x=1")
    SiteOrigin(scheme='http', host='localhost', port=8085)
    >>> parse_origin("null") is None
    True
    """
    found = _ORIGIN.fullmatch(text)
    place = parse_host(found[2]) if found else None
    if found is None or place is None:
        return None
    scheme = found[1].lower()
    port = _DEFAULT_PORTS[scheme] if place.port is None else place.port
    return SiteOrigin(scheme, place.host, port)


def is_loopback_host(host: str) -> bool:
    """Return whether a parsed host can only be the client's own machine.

    Names below `localhost` are left out, because some resolvers look them up.

    >>> [is_loopback_host(host) for host in ("localhost", "127.8.8.8", "::1")]
    [True, True, True]
    >>> [is_loopback_host(host) for host in ("0.0.0.0", "::", "x.localhost", "127.0.0.1.nip.io")]
    [False, False, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _ipv6(text: str) -> str | None:
    try:
        address = IPv6Address(text)
    except ValueError:
        return None
    return str(address.ipv4_mapped or address)


def _name_or_ipv4(text: str) -> str | None:
    text = text.removesuffix(".")
    if _NUMBER.fullmatch(text.rpartition(".")[2]):
        return _ipv4(text)
    return text if len(text) <= 253 and _NAME.fullmatch(text) else None


def _ipv4(text: str) -> str | None:
    """Parse an address in the spellings that programs take: fewer parts, octal, hexadecimal."""
    parts = text.split(".")
    if len(parts) > 4 or not all(map(_NUMBER.fullmatch, parts)):
        return None
    try:
        *first, last = (int(part, _base(part)) for part in parts)
    except ValueError:
        return None
    if any(number > 255 for number in first) or last >= 256 ** (4 - len(first)):
        return None
    return str(IPv4Address(sum(n << 24 - 8 * i for i, n in enumerate(first)) + last))


def _base(part: str) -> int:
    if part.startswith("0x"):
        return 16
    return 8 if part.startswith("0") and part != "0" else 10
