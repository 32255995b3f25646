"""Parsers of setting values: one for each kind of value.

A parser raises `ValueError` that says what it expected. `settings` defines which settings exist.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network

from hailwhale.core.security.hosts import parse_host
from hailwhale.errors import BadSetting

KEY_FORM = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)  # 32 bytes in URL-safe base64
# Python reads 1_000 and digits of other scripts, too; a leading zero is octal elsewhere.
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,18})", re.ASCII)
_SIZE = re.compile(r"(0|[1-9][0-9]{0,15})(|kb|mb|gb)", re.ASCII)
_UNITS = {"": 1, "kb": 1024, "mb": 1024**2, "gb": 1024**3}
_SECONDS = re.compile(r"(?:0|[1-9][0-9]{0,5})(?:\.[0-9]{1,9})?|\.[0-9]{1,9}", re.ASCII)
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+", re.ASCII)
_ADDRESS = re.compile(r"https?://[^\s\"'<>\\?#]+", re.ASCII)


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from `least` to `most`."""

    def read(text: str) -> int:
        if not _WHOLE.fullmatch(text.strip()) or not least <= int(text) <= most:
            raise ValueError(f"expected a whole number from {least} to {most}")
        return int(text)

    return read


def size(text: str) -> int:
    """Parse a number of bytes with or without a unit of 1024s, such as 512mb; "" is 0."""
    found = _SIZE.fullmatch(text.strip().lower())
    if text.strip() and found is None:
        raise ValueError("expected a size such as 512mb or 4gb, or a number of bytes")
    return int(found[1]) * _UNITS[found[2]] if found else 0


def seconds(text: str) -> float:
    """Parse seconds, from 0.01 to 3600."""
    if not _SECONDS.fullmatch(text.strip()) or not 0.01 <= float(text) <= 3600:
        raise ValueError("expected seconds from 0.01 to 3600")
    return float(text)


def flag(text: str) -> bool:
    """Parse a boolean: 1 or 0, or a word for these."""
    words = {
        "1": True,
        "true": True,
        "yes": True,
        "0": False,
        "false": False,
        "no": False,
        "": False,
    }
    if text.lower() not in words:
        raise ValueError("expected 1 or 0")
    return words[text.lower()]


def namespace(text: str) -> str:
    """Parse the prefix of a store's keys."""
    if not text.isascii() or not text.replace("-", "").replace("_", "").isalnum():
        raise ValueError("expected letters, digits, - and _")
    return text


def origins(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list of web origins; * stands for all."""
    found = tuple(part.strip().rstrip("/") for part in text.split(",") if part.strip())
    if not all(origin == "*" or _ORIGIN.fullmatch(origin) for origin in found):
        raise ValueError("expected origins such as https://admin.example.com, or *")
    return found


def hosts(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list of host names and addresses, without ports."""
    given = [part.strip() for part in text.split(",") if part.strip()]
    bare = (part.count(":") > 1 and not part.startswith("[") for part in given)
    found = [
        parse_host(f"[{part}]" if six else part) for part, six in zip(given, bare, strict=True)
    ]
    if any(place is None or place.port is not None for place in found):
        raise ValueError("expected names and addresses without a port, such as hw.example.com")
    return tuple(place.host for place in found if place is not None)


def names(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list of names."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def address(text: str) -> str:
    """Parse the URL of a site, or empty text."""
    if text and not _ADDRESS.fullmatch(text):
        raise ValueError("expected an address such as https://hw.example.com")
    return text.rstrip("/")


def keys(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list of keys of sealed URLs; an error never shows them."""
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    if not all(map(KEY_FORM.fullmatch, found)):
        raise BadSetting("HAILWHALE_SEAL_KEYS: expected keys created by `hailwhale keys new`")
    return found


def networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Parse a comma-separated list of IP networks."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    try:
        return tuple(ip_network(part, strict=False) for part in parts)
    except ValueError as fault:
        expected = "expected IP addresses or networks such as 127.0.0.1,10.0.0.0/8"
        raise ValueError(f"{expected}: {fault}") from fault


def rates(text: str) -> str:
    """Check rate limits in the notation of the package limits; return the text."""
    if text.strip():
        from limits import parse_many  # half a second, for those alone who limit

        try:
            parse_many(text)
        except ValueError as fault:
            expected = "expected rates such as 100/second;10000/hour"
            raise ValueError(f"{expected}: {fault}") from fault
    return text.strip()


def one_of(*words: str) -> Callable[[str], str]:
    """Return a parser that accepts one of some words."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"expected one of {', '.join(words)}")
        return text

    return read
