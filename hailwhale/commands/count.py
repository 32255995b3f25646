"""`hailwhale count`: counts one event, through the library or over HTTP."""

from __future__ import annotations

import argparse
import json
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from hailwhale.commands.options import Subparsers, add_settings, read_settings
from hailwhale.core.events.literals import parse_literal
from hailwhale.errors import BadInput, HailWhaleError, StoreUnavailable
from hailwhale.whale import Whale

_LITERALS = ("pk", "dimensions", "metrics")
_TIMEOUT_S = 30
_HINT = "; pass a token with --token (`hailwhale tokens add` creates one)"


def add_parser(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "count",
        help="count one event",
        description="Count one event at once, or with --url send it to a service. Write values as "
        "in a URL: text, a list or an object.",
        epilog="""example: hailwhale count '["Product", 7]' --dimensions '{"country": "US"}' """
        """--metrics '{"revenue": 9.5}'""",
    )
    parser.add_argument("pk", metavar="PK", help="what to count: a label or a list of labels")
    parser.add_argument(
        "--dimensions", "--dimension", metavar="D", help="dimensions of the event (default: none)"
    )
    parser.add_argument(
        "--metrics", "--metric", metavar="M", help="amounts to sum; hits defaults to 1"
    )
    parser.add_argument("--at", metavar="TIME", help="time of the event (default: now)")
    parser.add_argument("--id", help="idempotency key: the same id counts once in 24 hours")
    parser.add_argument("--uid", help="visitor id, for uniques; stored only as a keyed hash")
    parser.add_argument("--url", help="send to this service, such as http://localhost:8085")
    parser.add_argument("--token", default="", help="with --url: bearer token with the scope count")
    add_settings(parser, "redis_url", "data_dir")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Count the event and print the outcome."""
    texts = {name: getattr(args, name) for name in (*_LITERALS, "at", "id", "uid")}
    given = {name: text for name, text in texts.items() if text is not None}
    if args.url is not None:
        _post(args.url, given, args.token)
        print("accepted")
        return 0
    fields: dict[str, Any] = {
        name: parse_literal(text, name) if name in _LITERALS else text
        for name, text in given.items()
    }
    whale = Whale(settings=read_settings(args))
    try:
        fresh = whale.count_now(**fields)
    finally:
        whale.close()
    print("counted" if fresh else "already counted: an event with this id was counted before")
    return 0


def _post(url: str, fields: dict[str, str], token: str) -> None:
    """Send the event to /count as a form; the service parses its values as it parses a URL's."""
    if not url.startswith(("http://", "https://")):
        raise BadInput("url", url, "the URL of a service, such as http://localhost:8085")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = Request(f"{url.rstrip('/')}/count", urlencode(fields).encode(), headers)  # noqa: S310
    try:
        with urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            answer.read()
    except HTTPError as fault:
        hint = _HINT if fault.code == 401 else ""
        raise HailWhaleError(f"{url} answered {fault.code}: {_reason(fault)}{hint}") from fault
    except (URLError, OSError) as fault:
        raise StoreUnavailable(
            f"{url} does not answer: {getattr(fault, 'reason', fault)}"
        ) from fault


def _reason(fault: HTTPError) -> str:
    try:
        error = json.loads(fault.read())["error"]
        parameter = error["parameter"]
        return f"{parameter}: {error['message']}" if parameter else str(error["message"])
    except (ValueError, LookupError, TypeError):
        return str(fault.reason)
