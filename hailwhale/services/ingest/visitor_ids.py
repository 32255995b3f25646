"""Who came: uids into keyed hashes, the only form in which they are kept.

Owns the secrets that this takes and when they change. It does not know what hashes are counted for.

A hash is made with a salt that the store keeps, and with HAILWHALE_UID_KEY, if it is set: then it
takes more than the store to try uids out. With HAILWHALE_UID_SALT_DAYS the salt is another one
every so many days, and the old one is destroyed: a visitor who comes again is a new one, and nobody
can tell any more whose the old hashes were.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from hailwhale.core.time.calendar_grid import DAY_S
from hailwhale.store.protocol import SecretStore

_HASH_BYTES = 9  # 12 signs of base64, and one chance in 10^12 that two of 100,000 visitors are one
_UID_BYTES = 12
_FOR_EVER = "ever"


@dataclass(frozen=True, slots=True)
class _Salts:
    """The salts of an epoch and of the next, which may begin while the store is away."""

    epoch: int
    keys: tuple[bytes, ...]


class VisitorHasher:
    """Hashes uids. Threads may share it."""

    def __init__(
        self, secrets: SecretStore, key: str, salt_days: int, clock: Callable[[], float]
    ) -> None:
        """`key` is HAILWHALE_UID_KEY, or empty; `salt_days` 0 is one salt for ever."""
        self._secrets = secrets
        self._key = key.encode()
        self._salt_days = salt_days
        self._clock = clock
        self._lock = Lock()
        self._salts: _Salts | None = None
        self._lasting: bytes | None = None

    def name(self, uid: str) -> str:
        """A visitor's hash, 12 signs of URL-safe base64; another one with another salt.

        Raises `StoreUnavailable` when the salt is not known here yet and the store is away.
        """
        epoch = int(self._clock()) // (self._salt_days * DAY_S) if self._salt_days else 0
        salts = self._salts
        if salts is None or not 0 <= epoch - salts.epoch < len(salts.keys):
            salts = self._look(epoch)
        return _hashed(uid, salts.keys[epoch - salts.epoch])

    def lasting_name(self, uid: str) -> str:
        """A visitor's hash whose salt never changes: for what a visitor is to find again."""
        if self._lasting is None:
            self._lasting = self.lasting_key("kept")
        return _hashed(uid, self._lasting)

    def lasting_key(self, kind: str) -> bytes:
        """Derive the key of a kind that never changes from the secrets of the store and ours."""
        return self._derived(kind, [_FOR_EVER])[0]

    def new_uid(self) -> str:
        """A uid for somebody who has none."""
        return _text(secrets.token_bytes(_UID_BYTES))

    def _look(self, epoch: int) -> _Salts:
        with self._lock:
            names = [str(epoch), str(epoch + 1)] if self._salt_days else [_FOR_EVER]
            found = self._salts = _Salts(epoch, tuple(self._derived("visitors", names)))
            return found

    def _derived(self, kind: str, names: list[str]) -> list[bytes]:
        """Keys made of the store's secrets and ours."""
        secret = self._key and hashlib.sha256(self._key).digest()
        return [
            hashlib.blake2b(salt, key=secret, digest_size=32).digest()
            for salt in self._secrets.get(kind, names)
        ]


def _hashed(uid: str, key: bytes) -> str:
    return _text(hashlib.blake2b(uid.encode(), digest_size=_HASH_BYTES, key=key).digest())


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
