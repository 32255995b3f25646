"""The spool: a folder of files in which hits wait on local disk for the store.

Defines the format of a record and the life of a file: created, appended to and synced, read, taken
over from a dead process, removed. Knows nothing of threads, or of when the store is unavailable.

A file is a sequence of records, each the hits of one call::

    length of the body | its CRC-32 | body: JSON [sender, number, now_s, [[root, hit, id], …]]
    4 bytes            | 4 bytes    | and, if some hits wait for the hash of their uid, the uids

The uids are encrypted; see `uid_seal`.

Only the process that created a file appends to it, and only a process that holds its lock reads it,
so a locked file belongs to a live process. A record that was being written when its process died
was never acknowledged; its length or checksum does not match.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import secrets
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from hailwhale.services.ingest.uid_seal import UidSeal
from hailwhale.store.types import EncodedHit, ProducerSequence

log = logging.getLogger("hailwhale.spool")

_HEAD = struct.Struct(">II")
_SUFFIX = ".spool"
_SET_ASIDE = ".unreadable"
_KEY = ".key"
_GROUP_BYTES = 1 << 20
_GROUP_S = 60  # ids expire by the time of their call, so distant calls are not grouped


@dataclass(frozen=True, slots=True)
class Record:
    """Hits as they were sent, and when: all that is needed to send them again."""

    stamp: ProducerSequence
    now_s: int
    hits: Sequence[EncodedHit]

    @property
    def has_uids(self) -> bool:
        """Return whether hits wait for the hash of their visitor."""
        return any(each.uid is not None for each in self.hits)

    def encoded(self, seal: UidSeal) -> bytes:
        """Return the record in the format of the file."""
        hits = [(each.root, _text(each.hit), each.id) for each in self.hits]
        parts: list[object] = [self.stamp.sender, self.stamp.number, self.now_s, hits]
        if self.has_uids:
            parts.append(seal.sealed([each.uid for each in self.hits]))
        body = json.dumps(parts).encode()
        return _HEAD.pack(len(body), zlib.crc32(body)) + body


def _decoded(body: bytes, seal: UidSeal) -> Record:
    sender, number, now_s, hits, *sealed = json.loads(body)
    uids: Sequence[str | None] = [None] * len(hits)
    if sealed:
        try:
            uids = seal.opened(sealed[0])
        except ValueError as fault:
            log.error("the uids of %d hits are lost: %s; the hits count", len(hits), fault)
    found = [
        EncodedHit(root, _bytes(hit), id, uid)
        for (root, hit, id), uid in zip(hits, uids, strict=True)
    ]
    return Record(ProducerSequence(sender, number), now_s, found)


def _text(hit: bytes) -> str:
    return hit.decode("utf-8", "surrogateescape")


def _bytes(hit: str) -> bytes:
    return hit.encode("utf-8", "surrogateescape")


class RecordGroup(NamedTuple):
    """Records that can be sent in one call, as one record, and the offset after them."""

    record: Record
    end: int


class SpoolFile:
    """One file of a spool, open and locked by this process."""

    def __init__(self, path: Path, fd: int, uid_key: str, seal: UidSeal | None = None) -> None:
        """Take ownership of `fd`, which is open for reading and writing and holds the lock."""
        self._path = path
        self._key_path = path.with_suffix(_KEY)
        self.seal = seal or UidSeal.read(self._key_path, uid_key)
        self._fd = fd
        self._size = os.fstat(fd).st_size

    def append(self, encoded: bytes, *, has_uids: bool = False) -> None:
        """Append a record and sync it to disk; after an OSError it is not stored."""
        if has_uids:
            self.seal.save(self._key_path)
            _sync_folder(self._path.parent)
        try:
            rest, at = memoryview(encoded), self._size
            while rest:
                written = os.pwrite(self._fd, rest, at)
                rest, at = rest[written:], at + written
            os.fsync(self._fd)
        except OSError:
            os.ftruncate(self._fd, self._size)
            raise
        self._size += len(encoded)

    def group(self, at: int) -> RecordGroup | None:
        """Return the records from an offset on that can be sent in one call, as one.

        Returns None if no complete record begins there.
        """
        found = self._read(at)
        if found is None:
            return None
        end = at + _GROUP_BYTES
        first, at = found
        hits = list(first.hits)
        while at < end and (found := self._read(at)) is not None:
            record = found[0]
            in_a_row = (
                ProducerSequence(first.stamp.sender, first.stamp.number + len(hits)) == record.stamp
            )
            if not in_a_row or abs(record.now_s - first.now_s) > _GROUP_S:
                break
            hits += record.hits
            at = found[1]
        return RecordGroup(Record(first.stamp, first.now_s, hits), at)

    def _read(self, at: int) -> tuple[Record, int] | None:
        head = os.pread(self._fd, _HEAD.size, at)
        if len(head) < _HEAD.size:
            return None
        length, checksum = _HEAD.unpack(head)
        body = os.pread(self._fd, length, at + _HEAD.size)
        if not length or len(body) < length or zlib.crc32(body) != checksum:
            return None
        return _decoded(body, self.seal), at + _HEAD.size + length

    def remove(self, at: int) -> bool:
        """Remove and close the file, read up to `at`; return whether all of it was read.

        A file with an unreadable rest is renamed instead, never deleted.
        """
        whole = at >= self._size
        if whole:
            self._key_path.unlink(missing_ok=True)
            self._path.unlink(missing_ok=True)
        else:
            self._path.rename(self._path.with_suffix(_SET_ASIDE))
        self.close()
        return whole

    def close(self) -> None:
        """Close the file unchanged, so another process can take it over."""
        os.close(self._fd)


@dataclass(frozen=True, slots=True)
class SpoolDirectory:
    """A folder of spool files of any process, limited to `most_bytes` bytes in total.

    `uid_key` is HAILWHALE_UID_KEY, which uids are encrypted with in addition.
    """

    folder: Path
    most_bytes: int
    uid_key: str = field(default="", repr=False)

    def size_bytes(self) -> int:
        """Return the size of all its files in bytes, for all processes of this machine."""
        return sum(_size(path) for path in self._paths())

    def set_aside(self) -> Sequence[Path]:
        """Return the files with an unreadable rest."""
        return sorted(self.folder.glob(f"*{_SET_ASIDE}"))

    def has_room(self, size_bytes: int) -> bool:
        """Return whether `size_bytes` more bytes fit."""
        return self.size_bytes() + size_bytes <= self.most_bytes

    def can_be_written(self) -> bool:
        """Return whether the folder looks writable, without creating a file."""
        there = next(each for each in (self.folder, *self.folder.parents) if each.exists())
        return there.is_dir() and os.access(there, os.W_OK | os.X_OK)

    def new_file(self, seal: UidSeal) -> SpoolFile:
        """Create a file of this process, with its key; a new folder is private to the user.

        Raises OSError.
        """
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync_folder(self.folder.parent)
        path = self.folder / f"{secrets.token_hex(8)}{_SUFFIX}"
        with self._locked():
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _sync_folder(self.folder)  # the name is on disk before any content
        return SpoolFile(path, fd, self.uid_key, seal)

    def abandoned(self) -> list[SpoolFile]:
        """Take over and return the files of dead processes."""
        if not any(self._paths()):
            return []
        with self._locked():  # so no file is taken before its creator locks it
            found = [_taken_over(path, self.uid_key) for path in self._paths()]
        return [file for file in found if file is not None]

    def _paths(self) -> Iterator[Path]:
        return self.folder.glob(f"*{_SUFFIX}")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with _opened_folder(self.folder) as fd:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield


@contextmanager
def _opened_folder(folder: Path) -> Iterator[int]:
    fd = os.open(folder, os.O_RDONLY)
    try:
        yield fd
    finally:
        os.close(fd)


def _sync_folder(folder: Path) -> None:
    with _opened_folder(folder) as fd:
        os.fsync(fd)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # removed meanwhile
        return 0


def _taken_over(path: Path, uid_key: str) -> SpoolFile | None:
    """Return the file; None if a process has it locked or has just removed it."""
    try:
        fd = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(fd).st_nlink:
            return SpoolFile(path, fd, uid_key)
    except OSError:
        pass
    os.close(fd)
    return None
