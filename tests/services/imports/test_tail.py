"""Following a log: whatever is done to its files, whenever it is cut off, each line counts once."""

from __future__ import annotations

import gzip
import json
import logging
import os
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from hailwhale.core.query.parameters import parse_totals
from hailwhale.errors import StoreUnavailable
from hailwhale.services.container import Services
from hailwhale.services.imports.file_formats import NdjsonFormat
from hailwhale.services.imports.importer import Importer
from hailwhale.services.imports.tail import LogTailer
from hailwhale.services.json_shapes import totals_json
from hailwhale.store.protocol import Store
from tests.conftest import Clock
from tests.parts import FailsOnce, watched

QUIET_S = 10
ROOTS = 3


class Log:
    """A log that is written, and whoever follows it."""

    def __init__(self, folder: Path, services: Services, clock: Clock) -> None:
        self.path = folder / "access.log"
        self.services = services
        self._clock = clock
        self._written = 0
        self._following: LogTailer | None = None

    def write(self, lines: int = 1, path: Path | None = None, end: str = "\n") -> None:
        """Lines that are all different, of one of eight shards each."""
        with (path or self.path).open("a") as file:
            for _ in range(lines):
                self._written += 1
                root = f"Log {self._written % ROOTS}"
                event = {"pk": [root, "x"], "metrics": {"n": self._written}, "dimensions": "all"}
                file.write(json.dumps(event | {"_": self._written}) + end)

    def follow(self, store: Store | None = None) -> LogTailer:
        """Begin to follow, as a process that is started does."""
        self.leave()
        services = self.services
        self._following = LogTailer(
            path=self.path,
            reading=NdjsonFormat(),
            importing=Importer(
                commits=(store or services.store).commits,
                imports=(store or services.store).imports,
                grid=services.settings.zone,
                rollups=services.settings.rollups,
                limits=services.settings.limits,
                clock=self._clock,
                name_of=services.visitors.name,
            ),
            clock_s=self._clock,
            quiet_s=QUIET_S,
        )
        return self._following

    def leave(self) -> None:
        if self._following is not None:
            self._following.close()
            self._following = None

    def look(self) -> None:
        """Look until there is nothing new."""
        following = self._following or self.follow()
        while following.look():
            pass

    def quiet(self) -> None:
        self._clock.now_s += QUIET_S + 1
        self.look()

    def is_counted(self) -> None:
        """Each line that was written is counted once, and nothing else."""
        hits = sum(self.total(f"Log {number}", "hits") for number in range(ROOTS))
        assert hits == self._written
        total = sum(self.total(f"Log {number}", "n") for number in range(ROOTS))
        assert total == self._written * (self._written + 1) // 2
        assert self.total("Other", "hits") == 0

    def total(self, pk: str, metric: str) -> Decimal:
        question = {"pk": pk, "metrics": metric, "period": "all"}
        found = totals_json(self.services.reporting.totals(parse_totals(question)))["all"]["_"]
        return Decimal(found[metric])

    def aside(self, name: str) -> Path:
        return self.path.with_name(f"access.log{name}")

    def rename(self, name: str = ".1") -> Path:
        return self.path.rename(self.aside(name))

    def copy_and_cut(self, name: str = ".1") -> None:
        shutil.copyfile(self.path, self.aside(name))
        os.truncate(self.path, 0)

    def pack(self, name: str = ".1") -> None:
        path = self.aside(name)
        status = path.stat()
        packed = self.aside(f"{name}.gz")
        packed.write_bytes(gzip.compress(path.read_bytes()))
        os.utime(packed, (status.st_atime, status.st_mtime))
        path.unlink()


@pytest.fixture
def log(tmp_path: Path, services: Services, clock: Clock) -> Iterator[Log]:
    found = Log(tmp_path, services, clock)
    yield found
    found.leave()


def test_lines_are_counted_as_they_come(log: Log) -> None:
    log.look()
    log.write(3)
    log.look()
    log.is_counted()
    log.write(2)
    log.look()
    log.look()
    log.is_counted()


def test_a_line_counts_when_its_end_is_written(log: Log) -> None:
    log.write(2)
    log.write(1, end="")
    log.look()
    assert sum(log.total(f"Log {number}", "hits") for number in range(ROOTS)) == 2
    with log.path.open("a") as file:
        file.write("\n")
    log.look()
    log.is_counted()


def test_a_restarted_process_resumes(log: Log) -> None:
    for _ in range(4):
        log.write(5)
        log.look()
        log.follow()
    log.look()
    log.is_counted()


def test_a_log_of_many_parts_is_counted(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hailwhale.services.imports.tail.CHUNK_BYTES", 300)
    log.write(40)
    log.look()
    log.is_counted()


def test_what_is_written_to_a_renamed_log_counts_too(log: Log) -> None:
    log.write(3)
    log.look()
    old = log.rename()
    log.write(2, old)
    log.look()
    log.write(2)
    log.write(2, old)
    log.look()
    log.is_counted()
    log.write(1, old, end="")
    log.quiet()
    log.is_counted()


def test_a_renamed_log_is_closed_when_it_no_longer_grows(log: Log) -> None:
    log.write(3)
    log.look()
    old = log.rename()
    log.write(1)
    log.look()
    log.quiet()
    log.quiet()
    with old.open("a") as file:
        file.write('{"pk": "Other"}\n')
    log.look()
    log.is_counted()


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("unread", [0, 3])
@pytest.mark.parametrize("after", [0, 1, 20])
def test_a_log_rotated_by_copytruncate(log: Log, restarted: bool, unread: int, after: int) -> None:
    log.write(4)
    log.look()
    log.write(unread)
    log.copy_and_cut()
    log.write(after)
    if restarted:
        log.follow()
    log.look()
    log.write(2)
    log.look()
    log.quiet()
    log.is_counted()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("unread", [0, 3])
def test_rotations_while_nobody_looked(log: Log, packed: bool, unread: int, clock: Clock) -> None:
    log.write(4)
    log.look()
    log.leave()
    clock.now_s = max(file.stat().st_mtime for file in [log.path]) + 1
    log.write(unread)
    for number in ("-20260301", "-20260302"):
        log.rename(number)
        if packed:
            log.pack(number)
        log.write(5)
    for path in log.path.parent.iterdir():
        os.utime(path, (clock.now_s, clock.now_s))
    log.follow()
    log.look()
    log.is_counted()
    log.quiet()
    log.follow()
    log.look()
    log.quiet()
    log.is_counted()


def test_logs_rotated_before_the_first_start_are_not_counted(log: Log) -> None:
    log.aside(".1").write_text('{"pk": "Other"}\n')
    log.aside(".2.gz").write_bytes(gzip.compress(b'{"pk": "Other"}\n'))
    for name in (".1", ".2.gz"):
        os.utime(log.aside(name), (1_000_000_000, 1_000_000_000))
    log.write(2)
    for _ in range(2):
        log.follow()
        log.look()
        log.quiet()
    log.is_counted()


@pytest.mark.parametrize("name", ["access.log.bak", "access.logs", "xaccess.log.1", "access.log2"])
def test_other_files_in_the_folder_are_ignored(log: Log, clock: Clock, name: str) -> None:
    log.write(2)
    log.look()
    log.path.with_name(name).write_text('{"pk": "Other"}\n')
    clock.now_s = log.path.stat().st_mtime + 100
    log.follow()
    log.look()
    log.is_counted()


def test_logs_that_begin_with_the_same_line_are_two_when_one_is_renamed(log: Log) -> None:
    for number in range(3):
        log.path.write_text('{"pk": "Same"}\n' + f'{{"pk": "Same", "metric": "n{number}"}}\n' * 3)
        log.look()
        log.rename(f".{number}")
    log.write(1)
    log.follow()
    log.look()
    assert log.total("Same", "hits") == 12


def test_a_copy_that_is_not_cut_yet_counts_once(log: Log) -> None:
    log.write(4)
    log.look()
    log.write(2)
    shutil.copyfile(log.path, log.aside(".1"))
    log.follow()
    log.look()
    os.truncate(log.path, 0)
    log.write(2)
    log.look()
    log.quiet()
    log.is_counted()


def test_truncation_without_a_copy_is_reported(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    log.write(2)
    log.look()
    os.truncate(log.path, 0)
    log.write(1)
    with caplog.at_level(logging.WARNING):
        log.look()
    assert "was truncated and no copy of it was found" in caplog.text
    log.is_counted()


def test_invalid_lines_are_reported_and_the_others_count(
    log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    log.write(1)
    with log.path.open("ab") as file:
        file.write(b"{\n" * 30 + b"\xff\n\n")
    log.write(1)
    following = log.follow()
    with caplog.at_level(logging.WARNING):
        log.look()
    log.is_counted()
    assert (following.tally.counted, following.tally.rejected) == (2, 31)
    assert caplog.text.count("not counted: ") == 20
    assert "11 more lines were not counted" in caplog.text


@pytest.mark.parametrize(
    ("after", "block_rows"), [(False, 3), (True, 5000)], ids=["before it", "after it"]
)
def test_cut_off_at_any_step_each_line_counts_once(
    log: Log, after: bool, block_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hailwhale.services.imports.importer.BLOCK_ROWS", block_rows)
    steps = 0
    while True:
        steps += 1
        log.write(6)
        failing = FailsOnce(steps, after=after)
        following = log.follow(watched(log.services.store, failing, "commits", "imports"))
        try:
            while following.look():
                log.write(following.tally.counted < 20)
        except StoreUnavailable:
            log.write(3)
            if steps in (6, 12, 18, 24):
                log.rename(f".{steps}")
            if steps in (9, 15, 21):
                log.write(1)
                log.copy_and_cut(f".{steps}")
            continue
        break
    assert steps > 25
    log.write(2)
    log.follow()
    log.look()
    log.is_counted()
