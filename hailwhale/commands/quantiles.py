"""`hailwhale quantiles`: prints a table of quantiles, such as the 95th percentile."""

from __future__ import annotations

import argparse
from contextlib import closing
from typing import Any

import simplejson

from hailwhale.commands.options import Subparsers, add_settings, settings_to_ask
from hailwhale.commands.query import totals_table
from hailwhale.core.events.histogram import RELATIVE_ERROR
from hailwhale.core.events.literals import parse_literal
from hailwhale.core.query.parameters import DEFAULT_SHARES, parse_quantiles
from hailwhale.whale import Whale

_LITERALS = ("pk", "metrics", "dimensions", "periods")


def add_parser(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "quantiles",
        help="p50, p95 and p99 of timings",
        description="Quantiles of timings that came by StatsD, each within "
        f"{RELATIVE_ERROR * 100:.1f} per cent of the true one.",
        epilog='example: hailwhale quantiles \'["web", "api"]\' latency --period 1h:1d '
        '--dimensions \'{"country": "US"}\'',
    )
    shares = ",".join(f"{share:g}" for share in DEFAULT_SHARES)
    parser.add_argument("pk", metavar="PK", help="a label or a list of labels")
    parser.add_argument("metrics", metavar="METRIC", help="the timing, or several with commas")
    parser.add_argument("--shares", "--share", metavar="S", help=f"of the values ({shares})")
    parser.add_argument("--dimensions", "--dimension", metavar="D", help="of what (the overall)")
    parser.add_argument("--periods", "--period", metavar="P", help="periods such as 1d:1mo,today")
    parser.add_argument("--tz", metavar="ZONE", help="time zone (the service's)")
    parser.add_argument("--json", action="store_true", help="JSON")
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
