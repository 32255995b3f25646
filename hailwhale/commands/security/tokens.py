"""`hailwhale tokens`: creates, lists and revokes bearer tokens."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime

from hailwhale.commands.options import Subparsers, add_settings, read_settings
from hailwhale.commands.table import table
from hailwhale.services.security.bearer_tokens import Scope, Token, Tokens
from hailwhale.whale import Whale


def add_parser(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "tokens",
        help="add, list and revoke bearer tokens",
        description="Add, list and revoke bearer tokens. A token permits counting, reading or "
        "everything (admin), for all pks or for some root pks. It is printed once, when it is "
        "added, because the store keeps only its hash. Services apply changes within seconds.",
        epilog="example: hailwhale tokens add acme --scope count --scope read --root Acme",
    )
    parser.add_argument("what", choices=("add", "list", "revoke"), help="the action")
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="name of the token; revoke also takes its id"
    )
    parser.add_argument(
        "--scope",
        action="append",
        default=[],
        choices=[scope.value for scope in Scope],
        help="what the token permits; may be repeated",
    )
    parser.add_argument(
        "--root",
        action="append",
        default=[],
        metavar="PK",
        help="limit the token to this root pk; may be repeated (default: all pks)",
    )
    add_settings(parser, "redis_url", "data_dir")
    parser.set_defaults(run=run, fail=parser.error)


def run(args: argparse.Namespace) -> int:
    """Create, list or revoke tokens, and print the outcome."""
    if (args.name is None) != (args.what == "list"):
        args.fail(f"{args.what} takes {'no name' if args.what == 'list' else 'a name'}")
    whale = Whale(settings=read_settings(args))
    try:
        services = whale.services
        if args.what == "add":
            _add(services.tokens, args, whale)
        elif args.what == "revoke":
            token = services.tokens.revoke(args.name)
            print(f"{token.name} ({token.id}) is revoked; services reject it within seconds")
        else:
            print(tokens_table(list(services.tokens.known().values())))
    finally:
        whale.close()
    return 0


def _add(tokens: Tokens, args: argparse.Namespace, whale: Whale) -> None:
    scopes = [Scope(word) for word in args.scope]
    limits = whale.settings.limits
    _, text = tokens.add(args.name, scopes, args.root, limits, int(time.time()))
    print(text)


def tokens_table(tokens: list[Token]) -> str:
    """Format one line per token.

    >>> print(tokens_table([Token("a1", "acme", frozenset([Scope.READ]), frozenset(), 0, "")]))
    id  name  scopes  roots  created
    a1  acme  read    all    1970-01-01
    """
    rows = [
        [
            token.id,
            token.name,
            " ".join(sorted(scope.value for scope in token.scopes)),
            ", ".join(sorted(token.roots)) or "all",
            datetime.fromtimestamp(token.made_s, UTC).strftime("%Y-%m-%d"),
        ]
        for token in sorted(tokens, key=lambda token: (token.made_s, token.name))
    ]
    return table(["id", "name", "scopes", "roots", "created"], rows)
