"""Reads the records of an append-only file, to find where a damaged one stops being readable.

Defines what a complete record is, and a transaction. Knows nothing of the files around it, and
changes none.

A record is a command such as `*2\\r\\n$6\\r\\nSELECT\\r\\n$1\\r\\n0\\r\\n`, or a line after a `#`.
Between MULTI and EXEC, the server applies all records or none.
"""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass
from pathlib import Path

_BEGIN, _END = b"multi", b"exec"
_LINE_END = b"\r\n"
_LONGEST_LINE = 1_100  # of an annotation; a length takes less
_COUNT = re.compile(rb"[1-9]\d{0,8}|0")
_RECORD = re.compile(rb"\*[1-9]\d{0,8}\r\n\$")


@dataclass(frozen=True, slots=True)
class AofExtent:
    """How far an append-only file can be read.

    `end` is after the last record that can be applied, outside an unfinished transaction. Reading
    stopped at `stop`, which is `size` unless a record is incomplete. `records_follow` says whether
    complete records come after the damage.
    """

    size: int
    end: int
    stop: int
    records_follow: bool

    @property
    def is_whole(self) -> bool:
        """Return whether every byte belongs to a record that can be applied."""
        return self.end == self.size


def read_extent(path: Path) -> AofExtent:
    """Read an append-only file to the end, or to its first damage. Raises OSError."""
    with path.open("rb") as file:
        size = path.stat().st_size
        if not size:
            return AofExtent(0, 0, 0, False)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _extent(data)


def _extent(data: mmap.mmap) -> AofExtent:
    at = end = 0
    in_transaction = False
    while (found := _record(data, at)) is not None:
        name, at = found
        if name in (_BEGIN, _END):
            in_transaction = name == _BEGIN
        if not in_transaction:
            end = at
    follow = any(_record(data, each.start()) for each in _RECORD.finditer(data, at + 1))
    return AofExtent(len(data), end, at, follow)


def _record(data: mmap.mmap, at: int) -> tuple[bytes, int] | None:
    """Return the name of the command at an offset and the offset after it; None if incomplete."""
    if data[at : at + 1] == b"#":
        line_end = data.find(_LINE_END, at, at + _LONGEST_LINE)
        return None if line_end < 0 else (b"", line_end + len(_LINE_END))
    found = _number(data, at, b"*")
    if found is None:
        return None
    parts, at = found
    name = b""
    for part in range(parts):
        found = _number(data, at, b"$")
        if found is None:
            return None
        length, start = found
        at = start + length + len(_LINE_END)
        if data[at - len(_LINE_END) : at] != _LINE_END:
            return None
        if part == 0:
            name = data[start : start + min(length, len(_BEGIN) + 1)].lower()
    return (name, at) if parts else None


def _number(data: mmap.mmap, at: int, kind: bytes) -> tuple[int, int] | None:
    """Return the number of a line such as `*3`, and the offset after the line."""
    if data[at : at + 1] != kind:
        return None
    line_end = data.find(_LINE_END, at, at + 14)
    digits = data[at + 1 : max(line_end, at + 1)]
    if line_end < 0 or _COUNT.fullmatch(digits) is None:
        return None
    return int(digits), line_end + len(_LINE_END)
