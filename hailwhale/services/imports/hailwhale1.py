"""Imports the numbers of a HailWhale of 2011 as rows in a fixed order.

All rows are first written to a file, so that the import is identified by its content and resumes
over the same rows. Knows nothing of Redis, or of the format of a key.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import BinaryIO, Protocol

from hailwhale.core.imports.hailwhale1 import HailWhale1Key, buckets_of, read_key, rows_of
from hailwhale.errors import BadInput
from hailwhale.services.imports.row_readers import InputRow, json_rows, lines_of

FORMAT = "hailwhale1"

_READ_AT_ONCE = 200
_UNREAD = "unread"  # field of a row that replaces the event: the reason to reject it


class HashSource(Protocol):
    """The hashes of a store to import from."""

    def keys(self) -> Iterator[str]:
        """Yield the names of keys that may be of the format, in any order, possibly repeated."""

    def hashes(self, keys: Sequence[str]) -> list[dict[str, str]]:
        """Return the fields and values of some keys."""


@dataclass(frozen=True, slots=True)
class HailWhale1Format:
    """The `FileFormat` of what `write_rows` writes, used like those in `file_formats`."""

    @property
    def text(self) -> str:
        return FORMAT

    def rows(self, stream: BinaryIO, after: int) -> Iterator[InputRow]:
        for row in json_rows(lines_of(stream), after):
            unread = None if isinstance(row.fields, BadInput) else row.fields.get(_UNREAD)
            if unread is not None:
                fault = (
                    BadInput.from_message(*map(str, unread)) if isinstance(unread, list) else None
                )
                row = InputRow(row.line, row.size_bytes, fault or row.fields)
            yield row


def write_rows(originals: HashSource, out: BinaryIO) -> int:
    """Write a line for each instant of each (pk, dimension), and for each unreadable key.

    Returns the number of readable keys; 0 means that the store does not have this format.
    """
    keys, unread = _sorted(originals)
    for name in unread:
        expected = "a key of four parts, pk||dimension||interval||metric, kept by day or by hour"
        _refuse(out, BadInput("key", name, expected))
    for (pk, dimension), some in groupby(keys, lambda key: (key.pk, key.dimension)):
        found = []
        for key, fields in _read(originals, list(some)):
            try:
                found.append((key, buckets_of(key, fields)))
            except BadInput as fault:
                _refuse(out, fault)
        for row in rows_of(pk, dimension, found):
            _write(out, row)
    return len(keys)


def _sorted(originals: HashSource) -> tuple[list[HailWhale1Key], list[str]]:
    """Return the keys to read, and the names that cannot be imported.

    These are names in another format, and names of amounts that exist only in intervals that are
    not imported.
    """
    taken: set[HailWhale1Key] = set()
    others: dict[tuple[str, str, str], str] = {}
    unread: set[str] = set()
    for name in originals.keys():  # noqa: SIM118 - not a mapping
        key = read_key(name)
        if key is None:
            unread.add(name)
        elif key.taken:
            taken.add(key)
        else:
            others[key.pk, key.dimension, key.metric] = name
    known = {(key.pk, key.dimension, key.metric) for key in taken}
    unread.update([name for amount, name in others.items() if amount not in known])
    return sorted(taken, key=lambda key: (key.pk, key.dimension, key.text)), sorted(unread)


def _read(
    originals: HashSource, keys: Sequence[HailWhale1Key]
) -> Iterable[tuple[HailWhale1Key, dict[str, str]]]:
    for start in range(0, len(keys), _READ_AT_ONCE):
        some = keys[start : start + _READ_AT_ONCE]
        yield from zip(some, originals.hashes([key.text for key in some]), strict=True)


def _refuse(out: BinaryIO, fault: BadInput) -> None:
    _write(out, {_UNREAD: [fault.parameter, fault.message]})


def _write(out: BinaryIO, row: dict[str, object]) -> None:
    out.write(json.dumps(row).encode() + b"\n")
