"""File formats of imports: lines of JSON, a table, or an access log.

Defines what an access log counts by default, and that its lines may be pixels whose query is the
event. A format is a value: its `text` identifies it, so equal texts give equal rows of a file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from hailwhale.core.events.literals import unwrap
from hailwhale.core.events.param_names import Fields
from hailwhale.core.events.query_string import query_fields_of
from hailwhale.core.imports.access_log import FORMATS, LogReader, cells
from hailwhale.errors import BadInput
from hailwhale.services.imports.column_mapping import ColumnMapping, MakeFields
from hailwhale.services.imports.row_readers import (
    InputLine,
    InputRow,
    csv_rows,
    json_rows,
    lines_of,
)
from hailwhale.services.ingest.bots import is_bot

PIXELS = ("/count", "/count.gif", "/pixel.gif")
_TOKEN = "token"  # noqa: S105 - the name of a parameter that is not part of the event

LOG_PK = "Requests"
_PATHS = ("path > {path}", "status > {status_class} > {status}", "method > {method}")
_REFERER = "referer > {referer_host}"
LOG_DIMENSIONS = {
    name: (*_PATHS, *(() if name == "clf" else (_REFERER,)))
    + (("bucket > {bucket}",) if name == "s3" else ())
    for name in FORMATS
}


class FileFormat(Protocol):
    """Read the rows of a file."""

    @property
    def text(self) -> str:
        """Return the text that identifies the format."""

    def rows(self, stream: BinaryIO, after: int) -> Iterator[InputRow]:
        """Yield the rows of a file after a line; raise `BadInput` if it cannot be read."""


class LineFormat(FileFormat, Protocol):
    """A format in which every line stands alone."""

    def of_lines(self, lines: Iterable[InputLine], after: int = 0) -> Iterator[InputRow]:
        """Yield the rows of the lines after a number."""


@dataclass(frozen=True, slots=True)
class NdjsonFormat:
    """One JSON event per line."""

    @property
    def text(self) -> str:
        return "ndjson"

    def rows(self, stream: BinaryIO, after: int) -> Iterator[InputRow]:
        return self.of_lines(lines_of(stream), after)

    def of_lines(self, lines: Iterable[InputLine], after: int = 0) -> Iterator[InputRow]:
        return json_rows(lines, after)


@dataclass(frozen=True, slots=True)
class TableFormat:
    """A table with a header."""

    columns: ColumnMapping

    @property
    def text(self) -> str:
        return self.columns.text

    def rows(self, stream: BinaryIO, after: int) -> Iterator[InputRow]:
        return csv_rows(stream, self.columns, after)


@dataclass(frozen=True, slots=True)
class AccessLogFormat:
    """An access log in one of `core.imports.access_log.FORMATS`.

    With `pixels`, a set of paths, only successful requests of these paths are events, and the query
    is the event. Otherwise every line is an event, built by `columns`. `skip_bots` omits requests
    of self-identified bots.
    """

    form: str
    columns: ColumnMapping
    pixels: frozenset[str] = frozenset()
    skip_bots: bool = False

    def __post_init__(self) -> None:
        """Raise `BadInput` for a column that the format does not have."""
        if FORMATS[self.form].names:
            self.columns.bind(LogReader(FORMATS[self.form]).names)

    @property
    def text(self) -> str:
        return json.dumps([self.form, self.columns.text, sorted(self.pixels), self.skip_bots])

    def rows(self, stream: BinaryIO, after: int) -> Iterator[InputRow]:
        return self.of_lines(lines_of(stream), after)

    def of_lines(self, lines: Iterable[InputLine], after: int = 0) -> Iterator[InputRow]:
        reader = LogReader(FORMATS[self.form])
        bound: dict[tuple[str, ...], MakeFields] = {}
        for line in lines:
            passed = line.number <= after and not line.text.startswith(b"#")
            if passed or not line.text.strip():
                continue
            made: Fields | BadInput | None
            try:
                told = reader.read(line.text.decode("utf-8", "replace").rstrip("\r\n"))
                if told is None or (self.skip_bots and is_bot(told.get("user_agent", ""))):
                    continue
                made = self._pixel(told) if self.pixels else self._request(told, reader, bound)
            except BadInput as fault:
                made = fault
            if made is not None:
                yield InputRow(line.number, line.size_bytes, made)

    def _request(
        self, told: dict[str, str], reader: LogReader, bound: dict[tuple[str, ...], MakeFields]
    ) -> Fields:
        names = reader.names
        if names not in bound:
            bound[names] = self.columns.bind(names)
        return bound[names](cells(told, names))

    def _pixel(self, told: dict[str, str]) -> Fields | None:
        """Return the event of a pixel; None for other or unsuccessful requests."""
        answered = told["status"][:1] in ("2", "3")
        if told["path"] not in self.pixels or told["method"] != "GET" or not answered:
            return None
        fields = query_fields_of(told["query"], "query")
        fields.pop(_TOKEN, None)
        return {"at": told["time"]} | {name: unwrap(value) for name, value in fields.items()}
