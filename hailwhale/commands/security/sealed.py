"""`hailwhale pixel` and `hailwhale graph`: create sealed URLs for public pages."""

from __future__ import annotations

import argparse
from typing import Any

from hailwhale.commands.options import Subparsers, add_settings, read_settings
from hailwhale.core.events.literals import parse_literal
from hailwhale.core.graph.options import GRAPH_PARAMETERS
from hailwhale.whale import Whale

_SEALED = ("key_file", "data_dir", "public_url")
_NOT_SEALED = ("format", "target", "hwurl", "periods")


def add_parser(subparsers: Subparsers) -> None:
    """Add the two commands."""
    pixel = subparsers.add_parser(
        "pixel",
        help="print the URL of a sealed pixel",
        description="Print the URL of a pixel that counts exactly the given event. Nobody can read "
        "or change the event in the URL.",
        epilog="""example: hailwhale pixel --pk Signup --metrics '{"dollars": 5}' --once""",
    )
    pixel.add_argument("--pk", help="what to count: a label or a list of labels")
    pixel.add_argument(
        "--dimensions", "--dimension", metavar="D", help="dimensions of the event (default: none)"
    )
    pixel.add_argument(
        "--metrics", "--metric", metavar="M", help="amounts to sum; hits defaults to 1"
    )
    pixel.add_argument("--slots", metavar="NAMES", help="dimensions that the page may add, or uid")
    pixel.add_argument("--once", action="store_true", help="count only once, within 23 hours")
    _add_common(pixel, "an <img> tag instead of the URL")
    pixel.set_defaults(run=run_pixel)

    graph = subparsers.add_parser(
        "graph",
        help="print the URL of a sealed graph",
        description="Print the URL of a graph that shows exactly the given data, to everyone who "
        "has the URL.",
        epilog="example: hailwhale graph --pk Shop --metrics dollars --depth 1 --title Sales",
    )
    for name in GRAPH_PARAMETERS:
        if name not in _NOT_SEALED:
            graph.add_argument(f"--{name}", metavar="VALUE", help=f"parameter {name} of /graph.js")
    graph.add_argument("--period", metavar="VALUE", help="parameter period of /graph.js")
    _add_common(graph, "a <script> tag instead of the URL")
    graph.set_defaults(run=run_graph)


def _add_common(parser: argparse.ArgumentParser, tag: str) -> None:
    parser.add_argument(
        "--expires", metavar="TIME", help="lifetime, such as 12h or 30d (default: unlimited)"
    )
    parser.add_argument("--tag", action="store_true", help=f"print {tag}")
    add_settings(parser, *_SEALED)


def run_pixel(args: argparse.Namespace) -> int:
    """Print the URL, or the tag."""
    whale = Whale(settings=read_settings(args))
    make = whale.pixel_tag if args.tag else whale.pixel_url
    given = _given(args, ("pk", "dimensions", "metrics"))
    slots = args.slots.split(",") if args.slots else ()
    print(make(**given, slots=slots, expires=args.expires, once=args.once))
    return 0


def run_graph(args: argparse.Namespace) -> int:
    """Print the URL, or the tag."""
    whale = Whale(settings=read_settings(args))
    make = whale.sealed_graph_tag if args.tag else whale.sealed_graph_url
    given = _given(
        args, [name for name in (*GRAPH_PARAMETERS, "period") if name not in _NOT_SEALED]
    )
    print(make(expires=args.expires, **given))
    return 0


def _given(args: argparse.Namespace, names: tuple[str, ...] | list[str]) -> dict[str, Any]:
    texts = {name: getattr(args, name) for name in names}
    return {name: parse_literal(text, name) for name, text in texts.items() if text is not None}
