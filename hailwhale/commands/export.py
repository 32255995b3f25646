"""`hailwhale export`: writes series to a file, as CSV, NDJSON or Parquet.

Defines the options and writes the file atomically: it is complete or it does not exist.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import closing
from pathlib import Path
from tempfile import NamedTemporaryFile

from hailwhale.commands.options import Subparsers, add_settings, settings_to_ask
from hailwhale.core.events.literals import parse_literal
from hailwhale.core.query.parameters import parse_plot
from hailwhale.core.time.period import DEFAULT
from hailwhale.errors import BadInput
from hailwhale.services.query.export import (
    FORMATS,
    OF,
    head_of,
    rows_of,
    write_rows_csv,
    write_rows_ndjson,
    write_rows_parquet,
)
from hailwhale.whale import Whale

_LITERALS = ("pk", "dimensions", "metrics")
_TEXTS = ("periods", "tz", "depth", "threshold", "limit", "sort")
_ENDINGS = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".parquet": "parquet"}
_TO_STDOUT = "-"


def add_parser(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "export",
        help="write series to a file: CSV, NDJSON or Parquet",
        description="Write plotpoints or totals to a file, one number per row.",
        epilog="example: hailwhale export Shop --dimensions country --depth 1 --metrics revenue "
        "--period 1d:1y --output revenue.parquet",
    )
    parser.add_argument("pk", metavar="PK", help="a label or a list of labels")
    parser.add_argument("--of", choices=OF, default=OF[0], help=f"what to write (default: {OF[0]})")
    parser.add_argument(
        "--dimensions", "--dimension", metavar="D", help="dimension paths (default: overall)"
    )
    parser.add_argument(
        "--metrics", "--metric", metavar="M", help="metrics and formulas (default: hits)"
    )
    parser.add_argument(
        "--periods", "--period", metavar="P", help=f"one period (default: {DEFAULT})"
    )
    parser.add_argument("--tz", metavar="ZONE", help="time zone (default: the service's)")
    parser.add_argument("--depth", metavar="N", help="levels of descendants to add (default: 0)")
    parser.add_argument(
        "--threshold", metavar="SHARE", help="minimum share of the parent (default: 0)"
    )
    parser.add_argument("--limit", metavar="N", help="maximum descendants, 0: all (default: 0)")
    parser.add_argument(
        "--sort", metavar="METRIC", help="metric to sort by; --sort=-METRIC: largest first"
    )
    parser.add_argument(
        "--format", choices=FORMATS, help="file format (default: by the file's extension, else csv)"
    )
    parser.add_argument(
        "--output", metavar="FILE", default=_TO_STDOUT, help="file to write (default: -, stdout)"
    )
    add_settings(parser, "redis_url", "data_dir")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the file; replace an existing one only when the new one is complete."""
    form = args.format or _ENDINGS.get(Path(args.output).suffix.lower(), FORMATS[0])
    if form == "parquet" and args.output == _TO_STDOUT:
        raise BadInput("output", args.output, "a file, because Parquet cannot be written to stdout")
    with closing(Whale(settings=settings_to_ask(args))) as whale:
        services = whale.services
        question = parse_plot(_fields(args), services.settings.limits)
        head = head_of(args.of)
        rows = rows_of(question.pk, services.graphing.graph(question), args.of)
    if args.output == _TO_STDOUT:
        write = write_rows_csv if form == "csv" else write_rows_ndjson
        write(sys.stdout, head, rows)
        return 0
    target = Path(args.output)
    try:
        with NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as made:
            partial = Path(made.name)
    except OSError as fault:
        raise BadInput("output", args.output, f"a writable file ({fault})") from fault
    try:
        if form == "parquet":
            write_rows_parquet(partial, head, rows)
        else:
            write = write_rows_csv if form == "csv" else write_rows_ndjson
            with partial.open("w", encoding="utf-8", newline="") as out:
                write(out, head, rows)
        partial.chmod(0o666 & ~_umask())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return 0


def _fields(args: argparse.Namespace) -> dict[str, object]:
    """Return the query: all descendants of the dimension, unless an option restricts them."""
    texts = {name: getattr(args, name) for name in (*_LITERALS, *_TEXTS)}
    given = {
        name: parse_literal(text, name) if name in _LITERALS else text
        for name, text in texts.items()
        if text is not None
    }
    return {"threshold": 0, "limit": 0, **given}


def _umask() -> int:
    """Return the umask of this process; there is no way to read it without setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
