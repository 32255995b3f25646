"""Checks whether the service may listen on the host of its settings. Pure."""

from __future__ import annotations

from ipaddress import ip_address

from hailwhale.errors import BadSetting
from hailwhale.settings import Settings


def is_loopback(host: str) -> bool:
    """Return whether a server on `host` can be reached from this machine only.

    >>> [is_loopback(host) for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost")]
    [True, True, True, True]
    >>> [is_loopback(host) for host in ("0.0.0.0", "::", "", "192.168.1.5", "example.com")]
    [False, False, False, False, False]
    """
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:  # another name: what it resolves to may change
        return False


def refuse_unsafe(settings: Settings) -> None:
    """Raise `BadSetting` if other machines could reach the service without any token."""
    guarded = settings.admin_token or settings.reading == "token"
    if is_loopback(settings.host) or guarded or settings.open_to_all:
        return
    raise BadSetting(
        f"HAILWHALE_HOST: {settings.host!r} can be reached from other machines: set "
        "HAILWHALE_ADMIN_TOKEN or HAILWHALE_READING=token, or HAILWHALE_OPEN=1 (--open) to let "
        "everyone count, read and erase"
    )
