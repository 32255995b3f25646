"""Options of `import` and `tail`: how a file is parsed, and which fields make an event."""

from __future__ import annotations

import argparse
from typing import Any

from hailwhale.core.imports.access_log import FORMATS
from hailwhale.errors import BadInput
from hailwhale.services.imports.column_mapping import ColumnMapping
from hailwhale.services.imports.file_formats import (
    LOG_DIMENSIONS,
    LOG_PK,
    PIXELS,
    AccessLogFormat,
    FileFormat,
    LineFormat,
    NdjsonFormat,
    TableFormat,
)
from hailwhale.services.imports.hailwhale1 import FORMAT as ORIGINAL
from hailwhale.services.imports.hailwhale1 import HailWhale1Format

_COLUMNS = ("pk", "dimensions", "metrics", "at", "at_format", "id", "uid")
_DEFAULTS_OF_LOGS = {
    "pk": f" (default: {LOG_PK})",
    "at": " (default: time)",
    "uid": " (default: visitor)",
}
_DEFAULTS_OF_CSV_AND_LOGS = {
    "pk": f" (default of logs: {LOG_PK})",
    "at": " (default: now; of logs: time)",
    "uid": " (default: none; of logs: visitor)",
}
_LOG_ONLY = ("pixels", "pixel", "no_bots")

LOG_EPILOG = """\
Access logs (nginx, combined, clf, s3, cloudfront) have the fields host, user, time, method, path,
query, status, status_class, bytes, referer, referer_host, user_agent and visitor, which is host and
user_agent. By default a line counts under the pk Requests, with the dimensions path, status, method
and referer, the metric bytes, and its visitor as uid. With --pixels, only requests of /count,
/count.gif and /pixel.gif count, each as the event in its query."""


def add_mapping(parser: argparse.ArgumentParser, formats: tuple[str, ...], default: str) -> None:
    """Add the options to a command."""
    choices = (*formats, *FORMATS)
    parser.add_argument("--format", choices=choices, help=f"file format (default: {default})")
    where = "CSV, logs" if "csv" in formats else "logs"
    defaults = _DEFAULTS_OF_CSV_AND_LOGS if "csv" in formats else _DEFAULTS_OF_LOGS
    parser.add_argument("--pk", metavar="PATH", help=f"{where}: what to count{defaults['pk']}")
    for option, metavar, what in (
        ("dimension", "PATH", "dimension; may be repeated"),
        ("metric", "NAME[=COLUMN]", "column to sum; may be repeated"),
    ):
        parser.add_argument(
            f"--{option}",
            f"--{option}s",
            dest=f"{option}s",
            action="append",
            metavar=metavar,
            help=f"{where}: {what}",
        )
    parser.add_argument(
        "--at", metavar="COLUMN", help=f"{where}: column of the time{defaults['at']}"
    )
    parser.add_argument(
        "--at-format",
        metavar="FORMAT",
        help=f"{where}: how that column is written: epoch, epoch_ms, year, or a strptime format "
        "such as %%d/%%m/%%Y (default: as in events)",
    )
    parser.add_argument(
        "--id", metavar="COLUMN", help=f"{where}: column of the idempotency key (default: none)"
    )
    parser.add_argument(
        "--uid", metavar="COLUMN", help=f"{where}: column of the visitor id{defaults['uid']}"
    )
    parser.add_argument(
        "--pixels",
        action="store_true",
        help=f"logs: count only requests of {', '.join(PIXELS)}, each as the event in its query",
    )
    parser.add_argument(
        "--pixel",
        action="append",
        metavar="PATH",
        help="logs: like --pixels, for this path; may be repeated",
    )
    parser.add_argument("--no-bots", action="store_true", help="logs: ignore bots")


def reading_of(args: argparse.Namespace, default: str) -> FileFormat:
    """Return the format that the options describe; `default` is used if none is given."""
    form: str = args.format or default
    if form in FORMATS:
        return _access_log(args, form)
    for name in _LOG_ONLY:
        if getattr(args, name):
            raise BadInput(
                name.replace("_", "-"), form, f"--format with one of {', '.join(FORMATS)}"
            )
    given = _given(args)
    if form == ORIGINAL:
        if given:
            name, value = _first(given)
            raise BadInput(name, value, "--format csv: a HailWhale of 2011 defines its own")
        return HailWhale1Format()
    if form == "csv":
        return TableFormat(ColumnMapping.parse(**given))
    if given:
        name, value = _first(given)
        raise BadInput(name, value, "--format csv: each line of NDJSON defines its own")
    return NdjsonFormat()


def line_reading_of(args: argparse.Namespace, default: str) -> LineFormat:
    """Return the format as `reading_of` does; it must be one that is parsed line by line."""
    found = reading_of(args, default)
    if isinstance(found, NdjsonFormat | AccessLogFormat) and args.format != "cloudfront":
        return found
    raise BadInput("format", args.format, "ndjson, or the format of a log other than cloudfront")


def _given(args: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(args, name) for name in _COLUMNS if getattr(args, name) is not None}


def _first(given: dict[str, Any]) -> tuple[str, Any]:
    """Return the first of the options given, by the name that it has on the command line."""
    name, value = next(iter(given.items()))
    return name.replace("_", "-"), value


def _access_log(args: argparse.Namespace, form: str) -> AccessLogFormat:
    given = _given(args)
    pixels = frozenset([*(args.pixel or ()), *(PIXELS if args.pixels else ())])
    if pixels and given:
        name, value = _first(given)
        raise BadInput(
            name, value, "no mapping with --pixels: the query of each request defines its own"
        )
    defaults: dict[str, Any] = {
        "pk": LOG_PK,
        "dimensions": LOG_DIMENSIONS[form],
        "metrics": ["bytes"],
        "at": "time",
        "uid": "visitor",
    }
    return AccessLogFormat(form, ColumnMapping.parse(**{**defaults, **given}), pixels, args.no_bots)
