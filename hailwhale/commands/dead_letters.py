"""`hailwhale dead-letters`: lists, retries or deletes hits that could not be parsed."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator

from hailwhale.commands.options import Subparsers, add_settings, read_settings
from hailwhale.errors import BadInput
from hailwhale.services.container import open_services
from hailwhale.store.protocol import DeadLetterStore
from hailwhale.store.redis.keys import SHARDS
from hailwhale.store.types import DeadLetter

_NOT_FOUND = 1  # the exit code when a given id is unknown


def add_parser(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "dead-letters",
        help="list, retry or drop hits that could not be parsed",
        description="List, retry or drop dead letters: hits that a drain could not parse, stored "
        "with the reason. /count rejects invalid events, so these never become dead letters. But "
        "a drain may not know the hits that a newer release wrote. `retry` puts them into the "
        "buffer again, for a drain to count.",
    )
    parser.add_argument("what", choices=("list", "retry", "drop"), help="the action")
    parser.add_argument(
        "ids", nargs="*", metavar="ID", help="ids of dead letters, as printed by list"
    )
    parser.add_argument("--all", action="store_true", help="retry or drop all dead letters")
    parser.add_argument("--json", action="store_true", help="list one JSON object per line")
    add_settings(parser, "redis_url", "data_dir")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List dead letters, or move those named; return 1 when one of these does not exist."""
    if args.what != "list" and bool(args.ids) == args.all:
        raise BadInput("dead-letters", args.ids, "either ids or --all")
    services = open_services(read_settings(args))
    try:
        chosen = [
            (id, shard, letter)
            for id, shard, letter in _letters(services.store.dead_letters)
            if not args.ids or id in args.ids
        ]
        if args.what == "list":
            for id, _, letter in chosen:
                print(_line(id, letter, args.json))
        else:
            moved = _move(services.store.dead_letters, chosen, retry=args.what == "retry")
            print(
                f"{moved:,} dead letters {'buffered again' if args.what == 'retry' else 'dropped'}"
            )
    finally:
        services.close()
    return _NOT_FOUND if set(args.ids) - {id for id, _, _ in chosen} else 0


def _letters(letters: DeadLetterStore) -> Iterator[tuple[str, int, DeadLetter]]:
    """Yield every dead letter with its id and its shard, oldest first within a shard."""
    for shard in range(SHARDS):
        for letter in letters.read(shard):
            yield letter_id(shard, letter), shard, letter


def letter_id(shard: int, letter: DeadLetter) -> str:
    """Return the id of a dead letter; equal letters, which are interchangeable, share one id.

    >>> letter_id(17, DeadLetter(b"no hit", "why"))
    '17-40fec76b66'
    """
    text = f"{letter.reason}\n".encode() + letter.hit
    return f"{shard}-{hashlib.blake2b(text, digest_size=5).hexdigest()}"


def _line(id: str, letter: DeadLetter, as_json: bool) -> str:
    hit = letter.hit.decode(errors="backslashreplace")
    if as_json:
        return json.dumps({"id": id, "reason": letter.reason, "hit": hit})
    return f"{id}  {letter.reason}\n    {hit!r}"


def _move(
    letters: DeadLetterStore, chosen: list[tuple[str, int, DeadLetter]], *, retry: bool
) -> int:
    by_shard: dict[int, list[DeadLetter]] = {}
    for _, shard, letter in chosen:
        by_shard.setdefault(shard, []).append(letter)
    move = letters.retry if retry else letters.drop
    return sum(move(shard, some) for shard, some in by_shard.items())
