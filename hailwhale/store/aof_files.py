"""The append-only files of the embedded Valkey: checks them before a start, and repairs them.

Defines what can be repaired: the damaged end of the last file, and a manifest of which the files
leave no doubt. What is cut off or replaced is copied first. Everything else is an error that names
the runbook. Knows nothing of processes; records are read by `aof_records`.

    appendonlydir/appendonly.aof.manifest       names the others, in the order of loading
                  appendonly.aof.1.base.rdb     the data at one moment
                  appendonly.aof.1.incr.aof     the commands since
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from hailwhale.errors import DamagedData
from hailwhale.store.aof_records import read_extent

log = logging.getLogger("hailwhale.store")

_FOLDER = "appendonlydir"
_MANIFEST = "appendonly.aof.manifest"
_COPIES = "damaged"
_LINE = re.compile(r"file (\S+) seq (\d+) type ([bhi])( .*)?")
_NAME = re.compile(r"appendonly\.aof\.(\d+)\.(base|incr)\.(?:rdb|aof)")
_MAGIC = (b"REDIS", b"VALKEY")
_EMPTY_BASE_BYTES = 256  # a base without keys has less
_RUNBOOK = 'see "After damage" in docs/operations.rst'


@dataclass(frozen=True, slots=True)
class _AofFile:
    path: Path
    seq: int
    is_base: bool

    @property
    def line(self) -> str:
        return f"file {self.path.name} seq {self.seq} type {'b' if self.is_base else 'i'}\n"

    @property
    def size(self) -> int:
        return self.path.stat().st_size


class AofFiles:
    """The append-only files in a data directory that no server uses."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / _FOLDER
        self._manifest = self._folder / _MANIFEST
        self._copies = data_dir / _COPIES

    def check(self) -> bool:
        """Return whether there are data to load; write a lost manifest again if there is no doubt.

        Raises `DamagedData` if a start would lose data: a server whose manifest does not name a
        file overwrites that file.
        """
        there = self._there()
        if not self._manifest.exists():
            if there:
                self._write_again(there, "is missing")
            return bool(there)
        named = self._named()
        if named is None:
            self._write_again(there, "is damaged")
            return True
        last = max((file.seq for file in named if not file.is_base), default=0)
        for file in there:
            if not file.is_base and file.seq > last and file.size:
                self._write_again(there, f"does not name {file.path.name}")
                return True
        for file in named:
            if not file.path.exists():
                _refuse(f"{file.path} is missing, and its data with it")
            _check_base(file)
        return True

    def repair(self) -> bool:
        """Cut off the damaged end of the last file, after it was copied; return whether there was.

        For data that a server could not load. Raises `DamagedData` for other damage.
        """
        named = self._named() or []
        for file in named:
            if file.path.suffix == ".rdb":
                continue
            extent = read_extent(file.path)
            if extent.is_whole:
                continue
            where = f"{file.path} is damaged at byte {extent.stop:,} of {extent.size:,}"
            if file is not named[-1]:
                _refuse(f"{where}, and a later file was written after it")
            if extent.records_follow:
                _refuse(f"{where}, and complete records follow")
            self._cut(file.path, extent.end)
            return True
        return False

    def _there(self) -> list[_AofFile]:
        """Return the files in the folder, whether or not the manifest names them."""
        paths = sorted(self._folder.glob("*")) if self._folder.is_dir() else []
        matches = [(path, _NAME.fullmatch(path.name)) for path in paths]
        return [
            _AofFile(path, int(match[1]), match[2] == "base")
            for path, match in matches
            if match is not None
        ]

    def _named(self) -> list[_AofFile] | None:
        """Return the files that the manifest names to be loaded; None if it is damaged."""
        try:
            text = self._manifest.read_bytes().decode("ascii", "replace")
        except OSError as fault:
            raise DamagedData(f"cannot read {self._manifest}: {fault}; {_RUNBOOK}") from fault
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        matches = [_LINE.fullmatch(line) for line in lines]
        found = [
            _AofFile(self._folder / match[1], int(match[2]), match[3] == "b")
            for match in matches
            if match is not None and match[3] != "h"
        ]
        is_whole = text.endswith("\n") and None not in matches
        return found if found and is_whole and found[0].is_base else None

    def _write_again(self, there: Sequence[_AofFile], why: str) -> None:
        """Write the manifest from the files: a base, and the only file of commands since.

        With several of either, a rewrite was under way or had ended, and the names do not tell
        which. Loading both would count twice.
        """
        bases = [file for file in there if file.is_base]
        rest = [file for file in there if not file.is_base]
        names = ", ".join(file.path.name for file in there) or "no other files"
        is_first_start = not rest and bases and bases[0].size < _EMPTY_BASE_BYTES
        if len(bases) != 1 or not (len(rest) == 1 or is_first_start):
            _refuse(f"{self._manifest} {why}, and {names} do not tell what it contained")
        _check_base(bases[0])
        try:
            if self._manifest.exists():
                shutil.copyfile(self._manifest, self._copy_of(self._manifest, "replaced"))
            written = self._manifest.with_suffix(".new")
            written.write_text("".join(file.line for file in (*bases, *rest)))
            _sync(written)
            written.rename(self._manifest)
            _sync(self._folder)
        except OSError as fault:
            raise DamagedData(
                f"{self._manifest} {why}, and it cannot be written again: {fault}; {_RUNBOOK}"
            ) from fault
        log.error("%s %s: wrote it again from %s", self._manifest, why, names)

    def _cut(self, path: Path, end: int) -> None:
        copy = self._copy_of(path, f"from-byte-{end}")
        try:
            with path.open("rb") as file, copy.open("wb") as kept:
                file.seek(end)
                shutil.copyfileobj(file, kept)
            _sync(copy)
            _sync(copy.parent)
            cut = path.stat().st_size - end
            os.truncate(path, end)
            _sync(path)
        except OSError as fault:
            raise DamagedData(
                f"the damaged end of {path} cannot be copied and cut off: {fault}; {_RUNBOOK}"
            ) from fault
        log.error(
            "the last %s bytes of %s were incomplete, as after a power failure: they were cut off; "
            "a copy is in %s",
            f"{cut:,}",
            path,
            copy,
        )

    def _copy_of(self, path: Path, what: str) -> Path:
        self._copies.mkdir(mode=0o700, exist_ok=True)
        return self._copies / f"{path.name}.{time.time_ns()}.{what}"


def _check_base(file: _AofFile) -> None:
    """Raise `DamagedData` for a file that does not begin as a snapshot: an empty one would load."""
    if file.path.suffix != ".rdb":
        return
    with file.path.open("rb") as opened:
        if not opened.read(max(map(len, _MAGIC))).startswith(_MAGIC):
            _refuse(f"{file.path} does not begin as a snapshot does")


def refuse_unloadable(log_line: str) -> NoReturn:
    """Raise `DamagedData` for data that the server cannot load, with the server's own words."""
    _refuse(f"the embedded Valkey cannot load its data ({log_line})")


def _refuse(what: str) -> NoReturn:
    raise DamagedData(f"{what}: {_RUNBOOK}")


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
