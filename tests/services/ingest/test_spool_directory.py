"""The spool's files: what was kept is read back, whole records only, and belongs to one process."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from hailwhale.services.ingest.spool_directory import Record, SpoolDirectory, SpoolFile
from hailwhale.services.ingest.uid_seal import UidSeal
from hailwhale.store.types import EncodedHit, ProducerSequence

NOW_S = 1_773_576_630
SEAL = UidSeal("")


@pytest.fixture
def spool(tmp_path: Path) -> SpoolDirectory:
    return SpoolDirectory(tmp_path / "data" / "spool", 1_000_000)


def record(sender: str, number: int, *names: str, now_s: int = NOW_S) -> Record:
    return Record(
        ProducerSequence(sender, number),
        now_s,
        [EncodedHit("Shop", name.encode()) for name in names],
    )


def groups(file: SpoolFile) -> list[Record]:
    """All that can be read of a file."""
    found, at = [], 0
    while (group := file.group(at)) is not None:
        found.append(group[0])
        at = group[1]
    return found


def paths(spool: SpoolDirectory) -> Sequence[Path]:
    return sorted(spool.folder.iterdir())


def test_a_record_comes_back_as_it_was_kept(spool: SpoolDirectory) -> None:
    hits = [
        EncodedHit("Shop", b'1\t[["Shop"],[],["hits"]]\t1', "order-1"),
        EncodedHit("Zürich ☎", "2\tZürich".encode(), None),
        EncodedHit("_", b"\xff\x00 not a hit", ""),
    ]
    kept = Record(ProducerSequence("x", 7), NOW_S, hits)
    file = spool.new_file(SEAL)
    file.append(kept.encoded(SEAL))
    assert groups(file) == [kept]


def test_the_folder_and_its_files_are_for_their_user_alone(spool: SpoolDirectory) -> None:
    spool.new_file(SEAL)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (spool.folder, *paths(spool))]
    assert modes == [0o700, 0o600]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (
            [record("x", 0, "a", "b"), record("x", 2, "c")],
            [record("x", 0, "a", "b", "c")],
        ),
        (  # another sender
            [record("x", 0, "a"), record("y", 1, "b")],
            [record("x", 0, "a"), record("y", 1, "b")],
        ),
        (  # numbers were left out
            [record("x", 0, "a"), record("x", 2, "b")],
            [record("x", 0, "a"), record("x", 2, "b")],
        ),
        (  # far apart in time, by which ids are remembered
            [record("x", 0, "a"), record("x", 1, "b", now_s=NOW_S + 61)],
            [record("x", 0, "a"), record("x", 1, "b", now_s=NOW_S + 61)],
        ),
        (  # a clock that was set back
            [record("x", 0, "a"), record("x", 1, "b", now_s=NOW_S - 3600)],
            [record("x", 0, "a"), record("x", 1, "b", now_s=NOW_S - 3600)],
        ),
    ],
)
def test_records_in_a_row_are_read_as_one_group(
    spool: SpoolDirectory, records: list[Record], expected: list[Record]
) -> None:
    file = spool.new_file(SEAL)
    for each in records:
        file.append(each.encoded(SEAL))
    assert groups(file) == expected


def test_a_group_is_no_longer_than_one_call_should_be(spool: SpoolDirectory) -> None:
    file = spool.new_file(SEAL)
    for number in range(25):
        file.append(record("x", 10 * number, *["a" * 10_000] * 10).encoded(SEAL))
    assert [len(group.hits) for group in groups(file)] == [110, 110, 30]  # just over a megabyte


def test_a_record_that_was_cut_off_anywhere_is_not_there_and_those_before_it_are(
    spool: SpoolDirectory,
) -> None:
    whole, torn = record("x", 0, "a"), record("x", 1, "b").encoded(SEAL)
    for length in range(len(torn)):
        file = spool.new_file(SEAL)
        file.append(whole.encoded(SEAL))
        file.append(torn[:length])
        assert groups(file) == [whole]
        file.close()


@pytest.mark.parametrize(
    "tail", [b"\0" * 100, b"\xff" * 100, record("x", 1, "b").encoded(SEAL)[:-1]]
)
def test_unreadable_files_are_renamed_and_never_deleted(spool: SpoolDirectory, tail: bytes) -> None:
    file = spool.new_file(SEAL)
    file.append(record("x", 0, "a").encoded(SEAL))
    end = spool.size_bytes()
    file.append(tail)
    assert not file.remove(end)
    (left,) = paths(spool)
    assert left.suffix == ".unreadable"
    assert left.read_bytes().endswith(tail)
    assert (spool.abandoned(), spool.size_bytes()) == ([], 0)


def test_a_changed_byte_ends_what_can_be_read(spool: SpoolDirectory) -> None:
    file = spool.new_file(SEAL)
    first, second = record("x", 0, "a").encoded(SEAL), record("y", 0, "b").encoded(SEAL)
    file.append(first)
    file.append(second)
    (path,) = paths(spool)
    content = bytearray(path.read_bytes())
    content[len(first) + 20] ^= 1
    path.write_bytes(content)
    assert groups(file) == [record("x", 0, "a")]


def test_a_file_read_to_its_end_is_gone(spool: SpoolDirectory) -> None:
    file = spool.new_file(SEAL)
    file.append(record("x", 0, "a").encoded(SEAL))
    assert file.remove(spool.size_bytes())
    assert paths(spool) == []


def test_a_failed_write_leaves_nothing_and_the_next_one_is_kept(
    spool: SpoolDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = spool.new_file(SEAL)
    file.append(record("x", 0, "a").encoded(SEAL))
    size = spool.size_bytes()

    def full(fd: int, data: memoryview, at: int) -> int:
        if len(data) < 20:
            raise OSError(errno.ENOSPC, "no space left on device")
        return os.write(fd, data[:10]) if os.lseek(fd, at, os.SEEK_SET) == at else 0

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="no space"):
            file.append(record("x", 1, "b").encoded(SEAL))
    assert spool.size_bytes() == size
    file.append(record("x", 2, "c").encoded(SEAL))
    assert groups(file) == [record("x", 0, "a"), record("x", 2, "c")]


def test_a_file_is_abandoned_only_when_nobody_holds_it(spool: SpoolDirectory) -> None:
    file = spool.new_file(SEAL)
    file.append(record("x", 0, "a").encoded(SEAL))
    assert spool.abandoned() == []
    file.close()  # as its process's death would
    (found,) = spool.abandoned()
    assert groups(found) == [record("x", 0, "a")]
    assert spool.abandoned() == []


def test_a_spool_that_was_never_made_is_empty(spool: SpoolDirectory) -> None:
    assert (spool.size_bytes(), spool.abandoned(), spool.folder.exists()) == (0, [], False)


def test_the_room_is_that_of_all_files_together(tmp_path: Path) -> None:
    spool = SpoolDirectory(tmp_path, 100)
    for _ in range(2):
        spool.new_file(SEAL).append(b"x" * 40)
    assert [spool.has_room(size) for size in (20, 21)] == [True, False]
