"""Encrypts the uids that wait in a spool file for the salt to hash them with.

The salt is the store's, so a process that has not read it before an outage cannot hash. Raw uids
are never stored: those of one file are encrypted under a key of its own, which is a file next to it
and is removed with it. With HAILWHALE_UID_KEY the folder alone does not suffice to read them.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_BYTES = 32
_NONCE_BYTES = 12


class UidSeal:
    """The key of one spool file; a new one until `read` from a path."""

    def __init__(self, uid_key: str, key: bytes = b"") -> None:
        self._uid_key = uid_key
        self._key = key or secrets.token_bytes(_KEY_BYTES)
        self._is_saved = bool(key)

    @classmethod
    def read(cls, path: Path, uid_key: str) -> UidSeal:
        """Return the key stored at a path; a new one, which opens nothing, if there is none."""
        try:
            return cls(uid_key, path.read_bytes())
        except OSError:
            return cls(uid_key)

    def save(self, path: Path) -> None:
        """Store the key, synced to disk, unless it is stored already; raise OSError on failure."""
        if self._is_saved:
            return
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(fd, self._key)
            os.fsync(fd)
        finally:
            os.close(fd)
        self._is_saved = True

    def sealed(self, uids: Sequence[str | None]) -> str:
        """Return uids encrypted, as text."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        text = json.dumps(uids).encode()
        return b64encode(nonce + self._cipher().encrypt(nonce, text, None)).decode()

    def opened(self, text: str) -> list[str | None]:
        """Return the uids of a sealed text; raise `ValueError` if it is of another key."""
        from cryptography.exceptions import InvalidTag  # seldom needed, and slow to import

        raw = b64decode(text)
        try:
            found = self._cipher().decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None)
        except InvalidTag as fault:
            raise ValueError("sealed with another key") from fault
        uids: list[str | None] = json.loads(found)
        return uids

    def _cipher(self) -> AESGCM:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        secret = hashlib.sha256(self._uid_key.encode()).digest() if self._uid_key else b""
        return AESGCM(hashlib.blake2b(self._key, key=secret, digest_size=_KEY_BYTES).digest())
