"""Files of a log as they lie on the disk: the one being written, those put aside, packed ones.

Owns what makes two of them the same log and how one is read from a place on. A log is known by how
it begins, its *head*: that stays when it is renamed, copied or packed. It knows no store.
"""

from __future__ import annotations

import gzip
import os
import re
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, cast

HEAD_BYTES = 4096
_COMPARED_BYTES = 64 * 1024
_PACKED = ".gz"
_MARK = "[.-][0-9][0-9T_:.-]*"  # a number or a time, as rotations give them
_SIZE = struct.Struct("<I")  # what a gzip file ends with: the size of what is in it, modulo 2^32


class LogFile:
    """A file that is open. Its content is what was packed, where it is packed."""

    def __init__(self, path: Path) -> None:
        """Raises `OSError` when it cannot be opened."""
        self.path = path
        self._raw = path.open("rb")
        self.inode = os.fstat(self._raw.fileno()).st_ino
        self.packed = path.suffix == _PACKED
        self._stream = self._unpacked()
        self._head: bytes | None = None

    def _unpacked(self) -> BinaryIO:
        if not self.packed:
            return self._raw
        self._raw.seek(0)
        return cast(BinaryIO, gzip.GzipFile(fileobj=self._raw))

    def close(self) -> None:
        self._stream.close()
        self._raw.close()

    def size(self) -> int:
        """How much it holds by now; of a packed file modulo 2^32."""
        status = os.fstat(self._raw.fileno())
        if not self.packed:
            return status.st_size
        if status.st_size < _SIZE.size:
            return 0
        return int(_SIZE.unpack(os.pread(self._raw.fileno(), 4, status.st_size - 4))[0])

    def modified_s(self) -> float:
        return os.fstat(self._raw.fileno()).st_mtime

    def read(self, start: int, most: int) -> bytes:
        """What lies from a place on, as far as it is there."""
        try:
            if not self.packed:
                return os.pread(self._raw.fileno(), most, start)
            self._stream.seek(start)
            return self._stream.read(most)
        except (EOFError, zlib.error, gzip.BadGzipFile):  # it is still being packed
            self._stream = self._unpacked()
            return b""

    def head(self, *, final: bool = False) -> bytes | None:
        """Its first line, or as much of it as makes a head; None as long as that is not there.

        With `final` nothing more will come, and whatever is there will do.
        """
        if self._head is None:
            begin = self.read(0, HEAD_BYTES)
            line, newline, _ = begin.partition(b"\n")
            if newline or len(begin) == HEAD_BYTES or (final and begin):
                self._head = line + newline
        return self._head

    def holds(self, end: int) -> bool:
        """Whether it goes as far as a place; packed files are whole or cannot be read."""
        return self.packed or self.size() >= end

    def ends_at(self, end: int) -> bool:
        """Whether it goes just as far as a place, as far as that can be told at once."""
        return self.size() == (end % 2**32 if self.packed else end)

    def begins(self, head: bytes) -> bool:
        """Whether it begins with a head."""
        return self.read(0, len(head)) == head

    def is_copy_of(self, other: LogFile) -> bool:
        """Whether one of the two begins as the other, as far as it goes."""
        ours, theirs = self.read(0, _COMPARED_BYTES), other.read(0, _COMPARED_BYTES)
        shorter = min(len(ours), len(theirs))
        return ours[:shorter] == theirs[:shorter]


def siblings(path: Path) -> list[LogFile]:
    """What was put aside of a log, the oldest first: `access.log.1`, `access.log-20260301.gz`, …"""
    stem, suffix = re.escape(path.stem), re.escape(path.suffix)
    name = re.compile(rf"(?:{stem}{suffix}{_MARK}|{stem}{_MARK}{suffix})(?:\.gz)?")
    found: list[LogFile] = []
    for each in path.parent.iterdir():
        if name.fullmatch(each.name) and each.is_file():
            try:
                found.append(LogFile(each))
            except OSError:  # it is gone, or not for us
                continue
    return sorted(found, key=lambda file: (file.modified_s(), file.path.name))
