"""`hailwhale keys`: creates and rotates the keys of sealed URLs in their file."""

from __future__ import annotations

import argparse

from hailwhale.commands.options import Subparsers, add_settings, read_settings
from hailwhale.errors import BadInput, HailWhaleError
from hailwhale.services.security.keyring import new_file, rotate_file

_KEPT = 3


def add_parser(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "keys",
        help="create and rotate the keys of sealed URLs",
        description="Create the key file of sealed URLs, or add a key to it. The first key seals "
        "and all keys open, so a URL works until its key is rotated out. Services reload the file "
        "when it changes. Every machine that serves needs the same keys.",
        epilog="example: hailwhale keys new; later: hailwhale keys rotate --keep 1",
    )
    parser.add_argument(
        "what", choices=("new", "rotate"), help="create the file, or add a key to it"
    )
    parser.add_argument(
        "--keep",
        metavar="N",
        type=int,
        default=_KEPT,
        help=f"with rotate: number of old keys kept for decryption (default: {_KEPT})",
    )
    add_settings(parser, "key_file", "data_dir")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the file and print which keys are in it; a key itself is never shown."""
    settings = read_settings(args)
    if settings.seal_keys:
        raise HailWhaleError(
            "HAILWHALE_SEAL_KEYS is set, so no key file is used: change the variable instead"
        )
    if args.keep < 0:
        raise BadInput("keep", args.keep, "0 or a positive number of keys")
    path = settings.keys_path
    keys = [new_file(path)] if args.what == "new" else rotate_file(path, args.keep)
    ids = [key.id.hex() for key in keys]
    print(f"{path}: {ids[0]} seals" + "".join(f", {id} opens" for id in ids[1:]))
    return 0
