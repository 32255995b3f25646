"""Hashes visitor ids with a key; raw uids are never stored.

Manages the secrets this needs and their rotation. Knows nothing of what hashes are counted for.

A hash uses a salt that the store keeps, and HAILWHALE_UID_KEY if it is set: then the store alone
does not suffice to test uids. With HAILWHALE_UID_SALT_DAYS the salt changes every so many days and
the old one is destroyed. A returning visitor then counts as a new one, and old hashes can no longer
be linked to uids.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from hailwhale.core.time.calendar_grid import DAY_S
from hailwhale.errors import StoreUnavailable
from hailwhale.store.protocol import SecretStore

_HASH_BYTES = 9  # 12 characters of base64; the chance that any two of 100,000 collide is 10^-12
_UID_BYTES = 12
_FOR_EVER = "ever"


@dataclass(frozen=True, slots=True)
class _Salts:
    """The salts of an epoch and of the next one, which may begin while the store is unavailable."""

    epoch: int
    keys: tuple[bytes, ...] = field(repr=False)

    def cover(self, epoch: int) -> bool:
        """Return whether the salt of an epoch is among them."""
        return 0 <= epoch - self.epoch < len(self.keys)


class VisitorHasher:
    """Hash uids; thread-safe."""

    def __init__(
        self,
        secrets: SecretStore,
        key: str,
        salt_days: int,
        clock: Callable[[], float],
        is_away: Callable[[], bool] = lambda: False,
    ) -> None:
        """Initialize; `key` is HAILWHALE_UID_KEY or empty, `salt_days` 0 never rotates.

        While `is_away` says that the store is unavailable it is not asked.
        """
        self._secrets = secrets
        self._is_away = is_away
        self._key = key.encode()
        self._salt_days = salt_days
        self._clock = clock
        self._lock = Lock()
        self._asked = 0  # how often the store was asked
        self._failure: StoreUnavailable | None = None  # of the last time
        self._salts: _Salts | None = None
        self._lasting: bytes | None = None

    def name(self, uid: str) -> str:
        """Return a visitor's hash, 12 characters of URL-safe base64; it changes with the salt.

        Raises `StoreUnavailable` if the salt is not cached here and the store is unavailable.
        """
        if self._is_away() and not self.can_name():
            raise StoreUnavailable("the store is unavailable, and has the salt of visitor ids")
        return self.looked_up(uid)

    def looked_up(self, uid: str) -> str:
        """Return the same as `name`; ask the store even if it was unavailable lately."""
        epoch = self._epoch()
        salts = self._salts
        if salts is None or not salts.cover(epoch):
            salts = self._look(epoch)
        return _hashed(uid, salts.keys[epoch - salts.epoch])

    def can_name(self) -> bool:
        """Return whether the salt is cached, so that `name` needs no store."""
        return self._salts is not None and self._salts.cover(self._epoch())

    def _epoch(self) -> int:
        return int(self._clock()) // (self._salt_days * DAY_S) if self._salt_days else 0

    def lasting_name(self, uid: str) -> str:
        """Return a visitor's hash under a permanent salt, for sticky assignments."""
        if self._lasting is None:
            self._lasting = self.lasting_key("kept")
        return _hashed(uid, self._lasting)

    def lasting_key(self, kind: str) -> bytes:
        """Derive the permanent key of a kind from the secrets of the store and ours."""
        if self._is_away():
            raise StoreUnavailable("the store is unavailable, and has the key")
        return self._derived(kind, [_FOR_EVER])[0]

    def prepare(self) -> None:
        """Read the salts, so that an outage of the store finds them cached."""
        self._look(self._epoch())

    def new_uid(self) -> str:
        """Return a random uid for a visitor who has none."""
        return _text(secrets.token_bytes(_UID_BYTES))

    def _look(self, epoch: int) -> _Salts:
        """Read the salts; threads that wait for another's try share its result."""
        asked = self._asked
        with self._lock:
            if asked != self._asked:
                if self._failure is not None:
                    raise self._failure
                if self._salts is not None and self._salts.cover(epoch):
                    return self._salts
            self._failure = None
            try:
                return self._read(epoch)
            except StoreUnavailable as fault:
                self._failure = fault
                raise
            finally:
                self._asked += 1

    def _read(self, epoch: int) -> _Salts:
        names = [str(epoch), str(epoch + 1)] if self._salt_days else [_FOR_EVER]
        found = self._salts = _Salts(epoch, tuple(self._derived("visitors", names)))
        return found

    def _derived(self, kind: str, names: list[str]) -> list[bytes]:
        """Derive keys from the store's secrets and ours."""
        secret = self._key and hashlib.sha256(self._key).digest()
        return [
            hashlib.blake2b(salt, key=secret, digest_size=32).digest()
            for salt in self._secrets.get(kind, names)
        ]


def _hashed(uid: str, key: bytes) -> str:
    return _text(hashlib.blake2b(uid.encode(), digest_size=_HASH_BYTES, key=key).digest())


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
