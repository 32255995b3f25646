"""How far an append-only file can be read, whatever stands at its end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale.store.aof_records import AofExtent, read_extent

Record = Sequence[bytes]

ARGUMENTS = st.binary(max_size=40) | st.sampled_from([b"*1\r\n$1\r\nx\r\n", b"\r\n", b"multi", b""])
COMMANDS = st.tuples(
    st.sampled_from([b"SET", b"RPUSH", b"hset"]), ARGUMENTS, st.lists(ARGUMENTS)
).map(lambda parts: [[parts[0], parts[1], *parts[2]]])
TRANSACTIONS = st.lists(COMMANDS, max_size=3).map(
    lambda commands: [[b"MULTI"], *(command for [command] in commands), [b"EXEC"]]
)
UNITS = st.lists(COMMANDS | TRANSACTIONS | st.just([[b"#TS:1796103869"]]), max_size=8)


def encoded(record: Record) -> bytes:
    if record[0].startswith(b"#"):
        return record[0] + b"\r\n"
    parts = b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in record)
    return b"*%d\r\n%s" % (len(record), parts)


def extent(folder: Path, data: bytes) -> AofExtent:
    path = folder / "log.aof"
    path.write_bytes(data)
    return read_extent(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("records")


@given(UNITS, st.data())
def test_what_is_cut_off_anywhere_ends_after_the_last_whole_unit(
    folder: Path, units: list[list[Record]], data: st.DataObject
) -> None:
    texts = [b"".join(map(encoded, unit)) for unit in units]
    ends = [len(b"".join(texts[:count])) for count in range(len(texts) + 1)]
    cut = data.draw(st.integers(0, ends[-1]))
    found = extent(folder, b"".join(texts)[:cut])
    assert found.end == max(end for end in ends if end <= cut)
    assert found.is_whole == (cut in ends)


@given(UNITS, st.binary(min_size=1, max_size=60).filter(lambda tail: tail[:1] not in b"*#"))
def test_what_is_no_record_is_behind_the_end(
    folder: Path, units: list[list[Record]], tail: bytes
) -> None:
    whole = b"".join(encoded(record) for unit in units for record in unit)
    found = extent(folder, whole + tail)
    assert (found.end, found.stop, found.size) == (len(whole), len(whole), len(whole + tail))


SET = encoded([b"SET", b"a", b"1"])
MULTI, EXEC = encoded([b"MULTI"]), encoded([b"EXEC"])


@pytest.mark.parametrize(
    ("data", "end", "follow"),
    [
        (b"", 0, False),
        (SET + b"\0" * 4_096, len(SET), False),
        (SET + SET[:-3], len(SET), False),
        (SET + b"\0" * 4_096 + SET, len(SET), True),
        (SET + SET.replace(b"$1", b"$9") + SET, len(SET), True),
        (SET + b"*3\r\n$3\r\nSET\r\n$999999\r\na\r\n" + SET, len(SET), True),
        (SET + MULTI + SET + b"\0\0", len(SET), False),
        (SET + MULTI + SET, len(SET), False),
        (SET + MULTI + SET + EXEC, len(SET + MULTI + SET + EXEC), False),
        (b"*0\r\n", 0, False),
        (b"*1\r\n$-1\r\n", 0, False),
        (b"*99999999999\r\n", 0, False),
    ],
)
def test_records_after_the_damage_are_noticed(
    folder: Path, data: bytes, end: int, follow: bool
) -> None:
    found = extent(folder, data)
    assert (found.end, found.records_follow) == (end, follow)
