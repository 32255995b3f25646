"""Follows a log that grows, is rotated, truncated and compressed; each line counts exactly once.

The store keeps the offset up to which a file was read, as the number of an import's block: in every
shard in the same atomic step as the counts. Each round reads it from the store and never relies on
memory. The end of a part is stored before the part is counted, so that whoever resumes after a kill
cuts alike, as `importer` requires. Numbers are offsets in the file, in bytes.

- *Renamed*: the old file is read through its open descriptor until it was quiet for a while.
- *Copied and truncated*: the rest is read from the copy, which is found by its head.
- *Rotated while not running*: files rotated since the first start are found by their head,
  compressed or not.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from math import ceil
from pathlib import Path

from hailwhale.errors import BadInput
from hailwhale.services.imports.file_formats import LineFormat
from hailwhale.services.imports.importer import Importer, ImportReport
from hailwhale.services.imports.log_files import LogFile, siblings
from hailwhale.services.imports.row_readers import LINE_BYTES, InputLine

log = logging.getLogger("hailwhale.tail")

CHUNK_BYTES = 1024 * 1024
QUIET_S = 10.0
_NAME_CHARS = 32
_SAID = 20  # rejected lines logged per part


@dataclass(slots=True)
class _TailedFile:
    """A file being followed; `name` is that of its import, once the file has a head."""

    file: LogFile
    live: bool  # it is at the path where the log is written
    quiet_since_s: float
    name: str = ""
    head: bytes = b""


@dataclass(slots=True)
class TailStats:
    """Counts of rows since the start."""

    counted: int = 0
    before: int = 0
    rejected: int = 0

    def add(self, report: ImportReport) -> None:
        self.counted += report.counted
        self.before += report.before
        self.rejected += report.rejected


@dataclass(slots=True, kw_only=True)
class LogTailer:
    """Follow the log at `path`.

    `label` distinguishes it from other logs with the same path. `clock_s` returns the current time
    in epoch seconds.
    """

    path: Path
    reading: LineFormat
    importing: Importer
    clock_s: Callable[[], float]
    label: str = ""
    quiet_s: float = QUIET_S
    tally: TailStats = field(default_factory=TailStats)
    _followed: list[_TailedFile] = field(default_factory=list)
    _begun: bool = False

    @property
    def name(self) -> str:
        """Return the name under which this log is followed, whatever file it is in."""
        return self._named(b"")

    def look(self) -> bool:
        """Count new lines, at most one part of each file; return whether there were any.

        Raises `StoreUnavailable`; the next call then resumes at the offset in the store.
        """
        if not self._begun:
            self._begin()
        self._look_for_another()
        found = False
        for each in list(self._followed):
            found = self._advance(each) or found
        return found

    def close(self) -> None:
        for each in self._followed:
            each.file.close()
        self._followed = []

    def _begin(self) -> None:
        """Find files rotated since the first start; the first start itself takes none."""
        since_s = self.importing.last_line(self.name)
        if not since_s:
            since_s = ceil(self.clock_s())
            self.importing.finish(self.name, since_s)
        self._look_for_another()
        aside = siblings(self.path)
        unread: list[LogFile] = []
        try:
            unread = [file for file in aside if self._is_unread(file, since_s)]
        finally:
            for file in aside:
                if file not in unread:
                    file.close()
        for file in unread:
            self._follow(file, live=False)
        self._begun = True

    def _is_unread(self, file: LogFile, since_s: int) -> bool:
        """Return whether a rotated file may have lines that are not counted."""
        head = file.head(final=True)
        if head is None:
            return False
        known = False
        for name in (self._named(head), f"{self._named(head)}-{file.inode}"):
            noted, planned = self.importing.last_line(name), self.importing.planned(name)
            if planned and noted >= planned and file.ends_at(noted):
                return False
            known = known or planned > 0
        return known or file.modified_s() > since_s

    def _named(self, head: bytes) -> str:
        parts = (str(self.path.absolute()), self.reading.text, self.label)
        digest = hashlib.sha256("\0".join(parts).encode() + b"\0" + head)
        return f"tail-{digest.hexdigest()[:_NAME_CHARS]}"

    def _follow(self, file: LogFile, *, live: bool) -> None:
        self._followed.append(_TailedFile(file, live, self.clock_s()))

    def _look_for_another(self) -> None:
        """Follow the file at the path, if it was replaced."""
        try:
            inode = self.path.stat().st_ino
            if any(each.live and each.file.inode == inode for each in self._followed):
                return
            file = LogFile(self.path)
        except OSError:  # there is none between a rename and the next line
            return
        for each in self._followed:
            each.live, each.quiet_since_s = False, self.clock_s()
        self._follow(file, live=True)

    def _advance(self, each: _TailedFile) -> bool:
        """Count a part of a file; return whether there was one, or the file was replaced."""
        final = self._is_over(each)
        if not each.name and not self._name(each, final=final):
            return False
        noted, planned = self.importing.last_line(each.name), self.importing.planned(each.name)
        if not self._is_whole(each, max(noted, planned)):
            self._cut_short(each, max(noted, planned))
            return True
        if planned > noted:
            part = each.file.read(noted, planned - noted)
        else:
            part = _lines_of(each.file, noted, final=final)
        if part and not self._is_whole(
            each, noted + len(part)
        ):  # the file changed while it was read
            return True
        if part:
            self._count(each, noted, part)
            each.quiet_since_s = self.clock_s()
        elif final:
            self._let_go(each)
        return bool(part)

    def _count(self, each: _TailedFile, start: int, part: bytes) -> None:
        end = start + len(part)
        self.importing.plan(each.name, end)
        rows = self.reading.of_lines(_numbered(part, start))
        said = _RejectLog(each.file.path)
        self.tally.add(self.importing.run(each.name, rows, said, lambda report: None))
        self.importing.finish(each.name, end)
        said.rest()

    def _is_over(self, each: _TailedFile) -> bool:
        """Return whether a file is complete: it was rotated, and is quiet."""
        replaced = not each.live and any(other.live for other in self._followed)
        return replaced and self.clock_s() - each.quiet_since_s >= self.quiet_s

    def _is_whole(self, each: _TailedFile, end: int) -> bool:
        """Return whether a file still begins with its head and reaches `end`."""
        return each.file.begins(each.head) and each.file.holds(end)

    def _name(self, each: _TailedFile, *, final: bool) -> bool:
        """Name the import of a file; return False if it has no head yet or is a mere copy."""
        head = each.file.head(final=final)
        if head is None:
            if final:
                self._let_go(each)
            return False
        name = self._named(head)
        like = [other for other in self._followed if other.name and other.head == head]
        if any(each.file.is_copy_of(other.file) for other in like):
            self._let_go(each)
            return False
        own = f"{name}-{each.file.inode}"
        if not each.file.packed and (
            like or self.importing.planned(own) or self.importing.last_line(name) > each.file.size()
        ):
            name = own  # another log that begins with the same line
        each.head, each.name = head, name
        log.info("following %s from byte %d", each.file.path, self.importing.last_line(name))
        return True

    def _cut_short(self, each: _TailedFile, end: int) -> None:
        """Continue in the copy of a truncated file, and follow the truncated one again."""
        copy = None
        for file in reversed(siblings(self.path)):
            fits = not copy and file.inode != each.file.inode and file.begins(each.head)
            if fits and file.holds(end):
                copy = file
            else:
                file.close()
        if copy is None:
            log.warning(
                "%s was truncated and no copy of it was found; lines may be lost", each.file.path
            )
        else:
            log.info(
                "%s was truncated; reading its remaining lines from %s", each.file.path, copy.path
            )
            aside = _TailedFile(copy, False, self.clock_s(), each.name, each.head)
            self._followed.append(aside)
        self._let_go(each)
        self._look_for_another()

    def _let_go(self, each: _TailedFile) -> None:
        each.file.close()
        self._followed.remove(each)


class _RejectLog:
    """Log which lines were rejected and why, the first ones of a part one by one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0

    def __call__(self, end: int, fault: BadInput) -> None:
        self._count += 1
        if self._count <= _SAID:
            log.warning(
                "not counted: the line of %s that ends at byte %d: %s", self._path, end, fault
            )

    def rest(self) -> None:
        if self._count > _SAID:
            log.warning("%s: %d more lines were not counted", self._path, self._count - _SAID)


def _lines_of(file: LogFile, start: int, *, final: bool) -> bytes:
    """Return some complete lines from an offset; with `final` also an unfinished last line."""
    most = CHUNK_BYTES
    while True:
        part = file.read(start, most)
        lines, newline, _ = part.rpartition(b"\n")
        if newline:
            return lines + newline
        if len(part) < most:
            return part if final else b""
        if most >= LINE_BYTES:  # too long: it is rejected in parts
            return part
        most = LINE_BYTES


def _numbered(part: bytes, start: int) -> Iterator[InputLine]:
    """Yield the lines of a part, numbered by the offsets of their ends."""
    end = start
    for text in BytesIO(part):
        end += len(text)
        yield InputLine(end, len(text), text)
