"""Reads the rows of a file: lines of JSON or records of a table, as event fields or an error.

Defines both formats and where a row ends. A broken row is rejected alone, with the line it ends on,
and the following rows are read as usual. Rows depend only on the bytes of the file, not on limits
or the clock: a resumed import must find the same rows.
"""

from __future__ import annotations

import codecs
import csv
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import BinaryIO

from hailwhale.core.events.literals import parse_relaxed_json
from hailwhale.core.events.param_names import Fields
from hailwhale.errors import BadInput
from hailwhale.services.imports.column_mapping import Cells, ColumnMapping, MakeFields

LINE_BYTES = 16 * 1024 * 1024  # more is ignored: no event is as large

READ_FAULTS = (
    OSError,
    EOFError,
    zlib.error,
)  # errors of a disk, and of a truncated or corrupt gzip file


def unreadable(fault: Exception) -> BadInput:
    """Return the error to raise if reading a file fails."""
    return BadInput("file", str(fault), "a complete file that can be read")


@dataclass(frozen=True, slots=True)
class InputRow:
    """A row: the line it ends on (from 1), its size, and its fields or its error."""

    line: int
    size_bytes: int
    fields: Fields | BadInput


@dataclass(frozen=True, slots=True)
class InputLine:
    """A line: its number (from 1), its size with its end, and its first LINE_BYTES at most."""

    number: int
    size_bytes: int
    text: bytes


@dataclass(frozen=True, slots=True)
class _Record:
    line: int
    size_bytes: int
    cells: list[str] | BadInput


def ndjson_rows(stream: BinaryIO, after: int = 0) -> Iterator[InputRow]:
    """Yield the rows of a file with one JSON object per line, starting after line `after`.

    Skips empty lines. Raises `BadInput` if the file cannot be read.

    >>> from io import BytesIO
    >>> [(row.line, row.fields) for row in ndjson_rows(BytesIO(b'{"pk": "Shop"}'))]
    [(1, {'pk': 'Shop'})]
    """
    return json_rows(lines_of(stream), after)


def json_rows(lines: Iterable[InputLine], after: int = 0) -> Iterator[InputRow]:
    """Yield the rows of lines with one JSON object each, after the number `after`."""
    for line in lines:
        if line.number > after and line.text.strip():
            yield InputRow(line.number, line.size_bytes, _object(line.text))


def csv_rows(stream: BinaryIO, columns: ColumnMapping, after: int = 0) -> Iterator[InputRow]:
    """Yield the rows of a table with a header, starting after line `after`.

    Cells are separated by commas and quoted per RFC 4180; a record may span lines. Raises
    `BadInput` if the file cannot be read, or if its header lacks a column of the mapping.

    >>> from io import BytesIO
    >>> file = BytesIO(b"country,sales" + bytes([10]) + b"US,3")
    >>> columns = ColumnMapping.parse(dimensions=["country > {country}"], metrics=["sales"])
    >>> [row.fields for row in csv_rows(file, columns)]
    [{'dimensions': [('country', 'US')], 'metrics': {'sales': '3'}}]
    """
    records = _records(lines_of(stream))
    header = next(records, None)
    if header is None or isinstance(header.cells, BadInput):
        raise BadInput("file", "no header", "a table whose first row has the column names")
    fields = columns.bind(header.cells)
    for record in records:
        if record.line > after:
            yield InputRow(record.line, record.size_bytes, _made(fields, record.cells))


def _made(fields: MakeFields, cells: Cells | BadInput) -> Fields | BadInput:
    if isinstance(cells, BadInput):
        return cells
    try:
        return fields(cells)
    except BadInput as fault:
        return fault


def lines_of(stream: BinaryIO) -> Iterator[InputLine]:
    """Yield the lines of a file, each truncated to LINE_BYTES.

    Raises `BadInput` if the file cannot be read.
    """
    for number in count(1):
        text = rest = _read_line(stream)
        if number == 1:
            text = text.removeprefix(codecs.BOM_UTF8)
        if not rest:
            return
        size_bytes = len(rest)
        while len(rest) == LINE_BYTES and not rest.endswith(b"\n"):
            rest = _read_line(stream)
            size_bytes += len(rest)
        yield InputLine(number, size_bytes, text)


def _read_line(stream: BinaryIO) -> bytes:
    try:
        return stream.readline(LINE_BYTES)
    except READ_FAULTS as fault:
        raise unreadable(fault) from fault


def _object(text: bytes) -> Fields | BadInput:
    try:
        value = parse_relaxed_json(text.decode(), "event")
    except UnicodeDecodeError:
        return BadInput("event", text, "UTF-8 text")
    except BadInput as fault:
        return fault
    if not isinstance(value, dict):
        return BadInput("event", value, 'a JSON object such as {"pk": "Shop", "metrics": {…}}')
    return value


def _records(lines: Iterator[InputLine]) -> Iterator[_Record]:
    """Yield the records of a table, each with as many cells as the first; skip empty lines.

    An unclosed quote would swallow everything after it. So if a record of several lines is broken,
    only its first line is rejected and the other lines are parsed again.
    """
    again: deque[InputLine] = deque()
    taken: list[InputLine] = []

    def texts() -> Iterator[str]:
        while line := again.popleft() if again else next(lines, None):
            taken.append(line)
            # Invalid UTF-8 becomes surrogates, which labels and numbers may not contain.
            yield line.text.decode("utf-8", "surrogateescape")

    reader = csv.reader(texts(), strict=True)
    width = 0
    while True:
        taken.clear()
        cells = _next_record(reader, width)
        if not taken:
            return
        if isinstance(cells, BadInput) and len(taken) > 1:
            again.extendleft(reversed(taken[1:]))
            del taken[1:]
            reader = csv.reader(texts(), strict=True)
        if cells:
            size_bytes = sum([line.size_bytes for line in taken])
            yield _Record(taken[-1].number, size_bytes, cells)
            width = width or (0 if isinstance(cells, BadInput) else len(cells))


def _next_record(reader: Iterator[list[str]], width: int) -> list[str] | BadInput:
    """Return the next record, empty at the end and for an empty line.

    `width` 0 accepts any number of cells.
    """
    try:
        cells = next(reader, [])
    except csv.Error as fault:
        return BadInput("row", "a broken record", f"cells separated by commas ({fault})")
    if cells and width and len(cells) != width:
        return BadInput("row", f"{len(cells)} cells", f"{width} cells, as in the header")
    return cells
