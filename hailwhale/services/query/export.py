"""Exports series to files: CSV for spreadsheets, NDJSON with exact numbers, Parquet for analysis.

Defines the rows of a file and how each format writes them. Knows nothing of where a file goes.

A row is one number: of plotpoints with the start of its bucket, of totals with its period.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path as File
from tempfile import TemporaryDirectory
from typing import IO

import simplejson

from hailwhale.core.events.paths import Path, written
from hailwhale.errors import BadInput
from hailwhale.services.query.csv_output import number_or_none, write_csv
from hailwhale.services.query.graph_data import GraphData

OF = ("plotpoints", "totals")
FORMATS = ("csv", "ndjson", "parquet")


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One number of a file; `when` is the start of a bucket in ISO 8601, or a period's text.

    `value` is None, an empty cell, where a quotient is by 0.
    """

    when: str
    pk: Path
    dimension: Path
    metric: str
    value: Decimal | None


def rows_of(pk: Path, graphed: GraphData, of: str) -> Iterator[ExportRow]:
    """Yield the rows of a query: series by series, and bucket by bucket within each."""
    starts = [datetime.fromtimestamp(edge_s, UTC).isoformat() for edge_s in graphed.edges_s[:-1]]
    for one in graphed.series:
        if of == "totals":
            yield ExportRow(graphed.period, pk, one.path, one.metric, one.total)
        else:
            for start, value in zip(starts, one.values, strict=True):
                yield ExportRow(start, pk, one.path, one.metric, value)


def head_of(of: str) -> tuple[str, ...]:
    """Return the names of the columns.

    >>> head_of("totals")
    ('period', 'pk', 'dimension', 'metric', 'value')
    """
    return ("period" if of == "totals" else "time", "pk", "dimension", "metric", "value")


def write_rows_csv(out: IO[str], head: tuple[str, ...], rows: Iterable[ExportRow]) -> None:
    """Write CSV: paths as in answers, and no text that a spreadsheet would execute."""
    cells = (
        (row.when, written(row.pk), written(row.dimension), row.metric, number_or_none(row.value))
        for row in rows
    )
    write_csv(out, head, cells)


def write_rows_ndjson(out: IO[str], head: tuple[str, ...], rows: Iterable[ExportRow]) -> None:
    """Write one JSON object per line: paths as lists, numbers with all their digits."""
    for row in rows:
        cells = (row.when, list(row.pk), list(row.dimension), row.metric, number_or_none(row.value))
        line = dict(zip(head, cells, strict=True))
        out.write(simplejson.dumps(line, use_decimal=True, ensure_ascii=False) + "\n")


def write_rows_parquet(target: File, head: tuple[str, ...], rows: Iterable[ExportRow]) -> None:
    """Write Parquet with DuckDB: paths as lists of text, times as timestamps.

    Numbers are doubles. Raises `BadInput` if DuckDB is not installed.
    """
    try:
        import duckdb
    except ImportError as fault:
        expected = "csv or ndjson; for parquet run: pip install 'hailwhale[parquet]'"
        raise BadInput("format", "parquet", expected) from fault
    kinds = ("VARCHAR" if head[0] == "period" else "TIMESTAMPTZ", "VARCHAR[]", "VARCHAR[]")
    columns = dict(zip(head, (*kinds, "VARCHAR", "DOUBLE"), strict=True))
    with TemporaryDirectory(prefix="hailwhale-") as folder:
        lines = File(folder) / "rows.ndjson"
        with lines.open("w", encoding="utf-8") as out:
            write_rows_ndjson(out, head, rows)
        with duckdb.connect() as database:
            read = database.read_json(str(lines), columns=columns, format="newline_delimited")
            read.write_parquet(str(target), compression="zstd")
