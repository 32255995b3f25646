"""The keys of sealed URLs: read from a setting or a file; created and rotated in the file.

Manages the file and its mode. Knows nothing of what is sealed. A key is never logged, shown or put
into a message.

The file has one key per line, newest first: the first one seals, all of them open. It is read again
when it changes, so a rotation needs no restart.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import secrets
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from hailwhale.errors import BadSetting, HailWhaleError
from hailwhale.setting_parsers import KEY_FORM
from hailwhale.settings import Settings

log = logging.getLogger("hailwhale.services")

_KEY_BYTES = 32
_ID_BYTES = 4
_MODE = 0o600
_HEAD = "# Keys of HailWhale's sealed URLs, the newest first. Anyone who has one can seal URLs.\n"


@dataclass(frozen=True, slots=True)
class SealKey:
    """A secret, and the id by which a token names the key that sealed it."""

    id: bytes
    secret: bytes

    def __repr__(self) -> str:
        return f"SealKey({self.id.hex()})"

    @classmethod
    def read(cls, text: str) -> SealKey:
        """Parse a key in the notation of settings and files.

        >>> SealKey.read("A" * 43)
        SealKey(34210c6b)
        """
        secret = base64.urlsafe_b64decode(f"{text}=")
        return cls(hashlib.sha256(b"hailwhale key id" + secret).digest()[:_ID_BYTES], secret)


class Keyring:
    """The keys of the settings, else those currently in their key file."""

    def __init__(self, settings: Settings) -> None:
        self._given = tuple(SealKey.read(text) for text in settings.seal_keys)
        self._path = settings.keys_path
        self._lock = Lock()
        self._seen: tuple[int, ...] | None = None
        self._read: tuple[SealKey, ...] = ()

    def all(self) -> tuple[SealKey, ...]:
        """Return all keys, the sealing one first; empty if there are none.

        Raises `BadSetting` for a file that others can read or that is not a key file. If a file
        that was read before becomes invalid, this is logged and the keys stay as they were.
        """
        if self._given:
            return self._given
        try:
            looked = os.stat(self._path)
        except OSError:
            return ()
        seen = (looked.st_mtime_ns, looked.st_size, looked.st_ino, looked.st_mode)
        with self._lock:
            if seen != self._seen:
                self._look_again(seen)
            return self._read

    def _look_again(self, seen: tuple[int, ...]) -> None:
        try:
            self._read = tuple(map(SealKey.read, read_keys(self._path)))
        except BadSetting as fault:
            if self._seen is None:
                raise
            log.error("%s; the previous keys stay in use", fault)
        self._seen = seen


def read_keys(path: Path) -> list[str]:
    """Return the texts of the keys in a file; raise `BadSetting` if it is invalid."""
    try:
        with path.open(encoding="ascii") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            lines = [line.strip() for line in file]
    except (OSError, UnicodeDecodeError) as fault:
        raise BadSetting(f"HAILWHALE_KEY_FILE: {path} cannot be read: {fault}") from fault
    if mode & 0o077:
        raise BadSetting(f"HAILWHALE_KEY_FILE: other users can read {path}: run chmod 600 {path}")
    found = [line for line in lines if line and not line.startswith("#")]
    if not all(map(KEY_FORM.fullmatch, found)):
        raise BadSetting(f"HAILWHALE_KEY_FILE: {path} has a line that is not a key")
    return found


def new_file(path: Path) -> SealKey:
    """Create a key file with one key; raise `HailWhaleError` if the file exists."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = _new_key()
    try:
        _write(path, [text])
    except FileExistsError as fault:
        raise HailWhaleError(
            f"{path} already exists: run `hailwhale keys rotate` to add a key"
        ) from (fault)
    return SealKey.read(text)


def rotate_file(path: Path, keep: int) -> list[SealKey]:
    """Put a new key first in a key file and keep at most `keep` of the old ones.

    Returns all keys now in the file. Tokens sealed with a removed key can no longer be opened.
    """
    texts = [_new_key(), *read_keys(path)[:keep]]
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _write(beside, texts)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    return [SealKey.read(text) for text in texts]


def _new_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).decode().rstrip("=")


def _write(path: Path, texts: Sequence[str]) -> None:
    """Create a file that only its owner may read, from the start."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    with os.fdopen(fd, "w", encoding="ascii") as file:
        os.fchmod(fd, _MODE)
        file.write(_HEAD + "".join(f"{text}\n" for text in texts))
        file.flush()
        os.fsync(fd)
