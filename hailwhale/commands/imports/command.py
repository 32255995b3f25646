"""`hailwhale import`: counts each row of a file exactly once; resumes after an interruption.

Defines the options, opens the file, and writes the progress bar, the summary and the file of
rejects. The services read and count the rows.
"""

from __future__ import annotations

import argparse
import gzip
import json
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO, BinaryIO

from tqdm import tqdm

from hailwhale.commands.imports.hailwhale1 import EPILOG as ORIGINAL_EPILOG
from hailwhale.commands.imports.hailwhale1 import copied_rows
from hailwhale.commands.imports.mapping_options import LOG_EPILOG, add_mapping, reading_of
from hailwhale.commands.options import Subparsers, add_settings, read_settings
from hailwhale.core.events.aggregate import EventBatch, RolledUpBatch
from hailwhale.core.events.paths import parse_label
from hailwhale.core.time.bucketing import BucketPlanner
from hailwhale.errors import BadInput
from hailwhale.services.container import Services, open_services
from hailwhale.services.imports.file_formats import FileFormat
from hailwhale.services.imports.hailwhale1 import FORMAT
from hailwhale.services.imports.importer import FileContent, Importer, ImportReport, examine

_SHOWN_REJECTS = 20
_SHOWN_MONTHS = 3
_STDIN = "-"

_EPILOG = """\
NDJSON has one event per line, with the parameters of /count. A CSV file has a header, and options
map its columns to events. A pk or dimension is a path of labels, with column names in braces:

  hailwhale import sales.csv --pk 'Product > {sku}' --dimension 'country > {country}' \\
      --dimension 'store > {region} > {city}' --metric revenue=amount --metric units --at sold_at

A path ends at its first empty cell. An empty metric is not counted. Write a path with a label that
contains > as a JSON list: '["profit > loss", "{sku}"]'. Write a literal brace twice.

An import may be killed at any time. Run it again with the same arguments: it continues where it
stopped, and every row counts exactly once. A file that is already imported counts nothing. It is
recognized by its content and its mapping, under any name. The exit code is 1 if any row was
rejected, else 0.

"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "import",
        help="count each row of a file exactly once: NDJSON, CSV or an access log",
        description="Count the rows of a file at once, without the buffer.",
        epilog=_EPILOG + ORIGINAL_EPILOG + LOG_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "file", metavar="FILE", help="file to import, also .gz; - is stdin, which cannot be resumed"
    )
    add_mapping(parser, ("ndjson", "csv", FORMAT), "csv for *.csv, else ndjson")
    parser.add_argument(
        "--rejects", metavar="FILE", type=Path, help="write rejected rows to this file"
    )
    parser.add_argument("--again", action="store_true", help="count an imported file again")
    parser.add_argument(
        "--name",
        help="identify the import by this name, not by its content; same name, same rows",
    )
    add_settings(parser, "redis_url", "data_dir")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Import the file and print the outcome; return 1 when rows were rejected."""
    with _source(args) as source, closing(open_services(read_settings(args))) as services:
        return _import(args, source, services)


@dataclass(frozen=True, slots=True)
class _Source:
    """The source of rows: a file, or stdin when `path` is None; and how it is parsed.

    `origin` names a place whose content may change between runs.
    """

    shown: str
    path: Path | None
    reading: FileFormat
    origin: str | None = None

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        if self.path is None:
            yield sys.stdin.buffer
            return
        try:
            raw = self.path.open("rb")
        except OSError as fault:
            raise BadInput("file", str(self.path), f"a readable file ({fault.strerror})") from fault
        with raw:
            if self.path.suffix == ".gz":
                with gzip.GzipFile(fileobj=raw) as unpacked:
                    yield unpacked  # type: ignore[misc]
            else:
                yield raw

    def content(self) -> FileContent:
        """Return the id of the import; stdin can be read only once, so its id is always new."""
        if self.path is None:
            return FileContent(secrets.token_hex(16), 0)
        with self.opened() as stream:
            return examine(stream, self.reading.text)


@contextmanager
def _source(args: argparse.Namespace) -> Iterator[_Source]:
    if args.name is not None:
        parse_label(args.name, parameter="name")
    if args.format == FORMAT:
        reading = reading_of(args, FORMAT)
        with copied_rows(args.file) as rows:
            yield _Source(rows.shown, rows.path, reading, rows.origin)
        return
    path = None if args.file == _STDIN else Path(args.file)
    if path is not None and not path.is_file():
        raise BadInput("file", args.file, "an existing file, or - for stdin")
    if path is None and args.again:
        raise BadInput("again", _STDIN, "a file, because stdin is always counted")
    if args.rejects is not None and path is not None and _same(args.rejects, path):
        raise BadInput("rejects", str(args.rejects), "a file other than the one to import")
    suffixes = [] if path is None else [suffix for suffix in path.suffixes if suffix != ".gz"]
    default = "csv" if suffixes[-1:] == [".csv"] else "ndjson"
    yield _Source(args.file, path, reading_of(args, default))


def _same(one: Path, other: Path) -> bool:
    return one.exists() and one.samefile(other)


def importing_over(
    services: Services, make_batch: Callable[[BucketPlanner], EventBatch] = EventBatch
) -> Importer:
    """Return an importer over open services."""
    return Importer(
        commits=services.store.commits,
        imports=services.store.imports,
        grid=services.settings.zone,
        rollups=services.settings.rollups,
        limits=services.settings.limits,
        clock=time.time,
        name_of=services.visitors.name,
        make_batch=make_batch,
    )


def _import(args: argparse.Namespace, source: _Source, services: Services) -> int:
    importing = importing_over(services, RolledUpBatch if source.origin else EventBatch)
    content = source.content()
    if source.origin and not args.again and not importing.began_with(source.origin, content.name):
        expected = (
            "its content of when its import began, but it has counted since (--again counts all)"
        )
        raise BadInput("file", source.shown, expected)
    name = args.name or content.name
    if source.path is None and args.name is None:
        print("hailwhale: an import from stdin cannot be resumed", file=sys.stderr)
    for number in count(1):
        called = name if number == 1 else f"{name}-{number}"
        after = importing.last_line(called)
        with _rejects(args.rejects, after) as rejects:
            started_s = time.monotonic()
            report = _count(importing, called, after, source, content.lines, rejects)
            elapsed_s = time.monotonic() - started_s
        done_before = after > 0 and report.rows == 0
        if not (done_before and args.again):
            break
    if done_before:
        print(f"{source.shown} is already imported: nothing counted (--again counts it again)")
    else:
        print(_summary(source.shown, after, report, elapsed_s))
    return 1 if rejects.total else 0


def _count(
    importing: Importer, name: str, after: int, source: _Source, lines: int, rejects: _Rejects
) -> ImportReport:
    """Count the rows after a line, with a progress bar on a terminal."""
    with (
        source.opened() as stream,
        tqdm(
            total=lines or None, initial=after, unit=" lines", unit_scale=True, disable=None
        ) as bar,
    ):
        rows = source.reading.rows(stream, after)
        return importing.run(name, rows, rejects, lambda report: bar.update(report.line - bar.n))


def _summary(file: str, after: int, report: ImportReport, elapsed_s: float) -> str:
    resumed = f" after line {after:,}" if after else ""
    before = f"{report.before:,} counted before, " if report.before else ""
    text = (
        f"{file}: {report.rows:,} rows{resumed}, {report.counted:,} counted, {before}"
        f"{report.rejected:,} rejected, {report.rows / max(elapsed_s, 0.001):,.0f} rows/s"
    )
    return f"{text}\n{_of_undated(report)}" if report.undated else text


def _of_undated(report: ImportReport) -> str:
    """Tell in which months the rows are that only the period all counts."""
    months = report.undated.most_common(_SHOWN_MONTHS)
    told = [f"{rows:,} in {month}" for month, rows in months]
    if len(report.undated) > len(months):
        told.append(f"the others in {len(report.undated) - len(months):,} more months")
    return (
        f"{report.undated.total():,} rows are older than every rollup with dates retains: "
        f"{', '.join(told)}. They count only in the period all (see HAILWHALE_ROLLUPS). If these "
        "are not their times, name their format with --at-format"
    )


class _Rejects:
    """Prints the first rejected rows to stderr and writes all of them to a file, if given."""

    def __init__(self, file: IO[bytes] | None, kept: int) -> None:
        self.total = kept
        self._file = file
        self._said = 0

    def __call__(self, line: int, fault: BadInput) -> None:
        self.total += 1
        self._said += 1
        if self._said <= _SHOWN_REJECTS:
            tqdm.write(f"line {line}: {fault}", file=sys.stderr)
        elif self._said == _SHOWN_REJECTS + 1:
            tqdm.write(
                "more rows were rejected; --rejects FILE writes all of them to a file",
                file=sys.stderr,
            )
        if self._file is not None:
            error = {"parameter": fault.parameter, "message": fault.message}
            text = json.dumps({"line": line, "error": error}, ensure_ascii=False)
            self._file.write(text.encode(errors="replace") + b"\n")
            self._file.flush()  # before the row is noted as passed


@contextmanager
def _rejects(path: Path | None, after: int) -> Iterator[_Rejects]:
    """Open the file of rejected rows; when an import resumes, keep those up to its line."""
    if path is None:
        yield _Rejects(None, 0)
        return
    try:
        file = path.open("a+b")
    except OSError as fault:
        raise BadInput("rejects", str(path), f"a writable file ({fault.strerror})") from fault
    with file:
        file.seek(0)
        kept = end = 0
        for text in file:
            if not 0 < _line_of(text) <= after:
                break
            kept += 1
            end += len(text)
        file.truncate(end)
        yield _Rejects(file, kept)


def _line_of(text: bytes) -> int:
    """Return the line number of a reject; 0 for one that a crash left incomplete."""
    try:
        return int(json.loads(text)["line"]) if text.endswith(b"\n") else 0
    except (ValueError, TypeError, KeyError):
        return 0
