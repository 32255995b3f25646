"""Signs cookies: a uid followed by a keyed hash that only this service can compute.

Defines the format, `uid.signature`, and verifies it. Knows nothing of how a cookie is set.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable

_SIGNATURE_BYTES = 12


class CookieSigner:
    """Sign the uids that cookies hold; thread-safe."""

    def __init__(self, key: Callable[[], bytes]) -> None:
        """Initialize; `key` is called once, when the first cookie is signed or verified."""
        self._key_of = key
        self._key: bytes | None = None

    def prepare(self) -> None:
        """Get the key now rather than with the first cookie."""
        self._signature("")

    def sign(self, uid: str) -> str:
        """Return the cookie of a uid; `verify` reads it."""
        return f"{uid}.{self._signature(uid)}"

    def verify(self, cookie: str) -> str | None:
        """Return the uid that was signed here; None for anything else."""
        uid, _, signature = cookie.rpartition(".")
        right = self._signature(uid).encode()
        return uid if uid and hmac.compare_digest(signature.encode(), right) else None

    def _signature(self, uid: str) -> str:
        if self._key is None:
            self._key = self._key_of()
        made = hashlib.blake2b(uid.encode(), digest_size=_SIGNATURE_BYTES, key=self._key)
        return urlsafe_b64encode(made.digest()).decode().rstrip("=")
