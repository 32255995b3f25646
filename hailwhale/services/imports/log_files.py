"""Files of a log on disk: the one being written, rotated ones and compressed ones.

Decides which files belong to the same log, and reads one from an offset. A log is identified by its
beginning, its *head*, which stays when the file is renamed, copied or compressed. Knows nothing of
stores.
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
_MARK = "[.-][0-9][0-9T_:.-]*"  # a number or a time, as rotation appends it
_SIZE = struct.Struct("<I")  # the end of a gzip file: the size of its content modulo 2^32


class LogFile:
    """An open file; reads the uncompressed content of a compressed one."""

    def __init__(self, path: Path) -> None:
        """Open a file; raise `OSError` if that fails."""
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
        """Return the current size of the content in bytes; modulo 2^32 for a compressed file."""
        status = os.fstat(self._raw.fileno())
        if not self.packed:
            return status.st_size
        if status.st_size < _SIZE.size:
            return 0
        return int(_SIZE.unpack(os.pread(self._raw.fileno(), 4, status.st_size - 4))[0])

    def modified_s(self) -> float:
        return os.fstat(self._raw.fileno()).st_mtime

    def read(self, start: int, most: int) -> bytes:
        """Return up to `most` bytes from an offset, as many as there are."""
        try:
            if not self.packed:
                return os.pread(self._raw.fileno(), most, start)
            self._stream.seek(start)
            return self._stream.read(most)
        except (EOFError, zlib.error, gzip.BadGzipFile):  # still being compressed
            self._stream = self._unpacked()
            return b""

    def head(self, *, final: bool = False) -> bytes | None:
        """Return its first line, or the first HEAD_BYTES of it; None if not yet written.

        With `final` nothing more will be written, so whatever is there is the head.
        """
        if self._head is None:
            begin = self.read(0, HEAD_BYTES)
            line, newline, _ = begin.partition(b"\n")
            if newline or len(begin) == HEAD_BYTES or (final and begin):
                self._head = line + newline
        return self._head

    def holds(self, end: int) -> bool:
        """Return whether it reaches an offset; compressed files are complete or unreadable."""
        return self.packed or self.size() >= end

    def ends_at(self, end: int) -> bool:
        """Return whether it ends at an offset, by its size; a compressed file's is modulo 2^32."""
        return self.size() == (end % 2**32 if self.packed else end)

    def begins(self, head: bytes) -> bool:
        """Return whether it begins with a head."""
        return self.read(0, len(head)) == head

    def is_copy_of(self, other: LogFile) -> bool:
        """Return whether one of the two starts with the other, in the bytes compared."""
        ours, theirs = self.read(0, _COMPARED_BYTES), other.read(0, _COMPARED_BYTES)
        shorter = min(len(ours), len(theirs))
        return ours[:shorter] == theirs[:shorter]


def siblings(path: Path) -> list[LogFile]:
    """Return the rotated files of a log, oldest first.

    Their names are such as `access.log.1` and `access.log-20260301.gz`.
    """
    stem, suffix = re.escape(path.stem), re.escape(path.suffix)
    name = re.compile(rf"(?:{stem}{suffix}{_MARK}|{stem}{_MARK}{suffix})(?:\.gz)?")
    found: list[LogFile] = []
    for each in path.parent.iterdir():
        if name.fullmatch(each.name) and each.is_file():
            try:
                found.append(LogFile(each))
            except OSError:  # removed, or not readable
                continue
    return sorted(found, key=lambda file: (file.modified_s(), file.path.name))
