"""`hailwhale quantiles`: prints a table of quantiles, such as the 95th percentile."""

from __future__ import annotations

import argparse
from contextlib import closing
from typing import Any

import simplejson

from hailwhale.commands.options import Subparsers, add_settings, settings_to_ask
from hailwhale.commands.query import PERIODS_HELP, totals_table
from hailwhale.core.events.histogram import MAX_RELATIVE_ERROR
from hailwhale.core.events.literals import parse_literal
from hailwhale.core.query.parameters import DEFAULT_SHARES, parse_quantiles
from hailwhale.whale import Whale

_LITERALS = ("pk", "metrics", "dimensions", "periods")


def add_parser(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "quantiles",
        help="print p50, p95 and p99 of timings",
        description="Print quantiles of timings that StatsD clients sent. Each is within "
        f"{MAX_RELATIVE_ERROR * 100:.1f} % of the exact value.",
        epilog='example: hailwhale quantiles \'["web", "api"]\' latency --period 1h:1d '
        '--dimensions \'{"country": "US"}\'',
    )
    shares = ",".join(f"{share:g}" for share in DEFAULT_SHARES)
    parser.add_argument("pk", metavar="PK", help="a label or a list of labels")
    parser.add_argument("metrics", metavar="METRIC", help="one timing, or several with commas")
    parser.add_argument(
        "--shares", "--share", metavar="S", help=f"quantiles such as 0.95 (default: {shares})"
    )
    parser.add_argument(
        "--dimensions", "--dimension", metavar="D", help="dimension paths (default: overall)"
    )
    parser.add_argument("--periods", "--period", metavar="P", help=PERIODS_HELP)
    parser.add_argument("--tz", metavar="ZONE", help="time zone (default: the service's)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_settings(parser, "redis_url", "data_dir")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the quantiles."""
    given = {name: getattr(args, name) for name in _LITERALS}
    fields = {name: parse_literal(text, name) for name, text in given.items() if text is not None}
    asked: dict[str, Any] = {**fields, "shares": args.shares, "tz": args.tz}
    with closing(Whale(settings=settings_to_ask(args))) as whale:
        if args.json:
            answer = whale.quantiles(**asked)
            print(simplejson.dumps(answer, use_decimal=True, ensure_ascii=False))
            return 0
        services = whale.services
        question, shares = parse_quantiles(asked, services.settings.limits)
        found = services.quantiles.totals(question, shares)
    print(totals_table(found))
    return 0
