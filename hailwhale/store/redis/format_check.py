"""Checks the format of a store's data: refuses one that this version cannot read, marks others.

Defines the number of the format and recognizes earlier ones. Cells, labels, visitors, decisions and
spy logs have had one format since the first version. Pending data has not: hits in a buffer,
increments in a plan, and the line after which an import resumes. Read by the wrong version these
would be lost or counted twice, so such a store is not opened.

A store is marked when it is created. One without a mark is older than the marks: it is checked
once, and marked if nothing in it has an earlier format.
"""

from __future__ import annotations

import json
from itertools import chain

from hailwhale.errors import StoreMismatch
from hailwhale.store.redis.client import RedisClient, ask
from hailwhale.store.redis.keys import SHARDS, Keys

FORMAT = 1  # of all data: a version that changes a format also reads this one, or refuses it

_FIELD = "format"
_LOOKED_AT = 100  # hits at the head of each buffer, where the oldest are
_LATER_STATS = ("series", "mark", "lag")  # what the version that numbered by lines did not keep

_WAITING = (
    "an earlier version left hits or increments waiting in this store, in a format that this "
    "version does not read: run `hailwhale drain --once` with the version that wrote them, then "
    "open the store with this one"
)
_IMPORTS = (
    "the first version, which numbered the lines of imports differently, may have written this "
    "store: a file that was imported there could be counted twice. Import the files again into an "
    "empty store in another data directory; or, if none of them will be imported again, delete the "
    "key {key} with redis-cli while the version that wrote it runs"
)


def check_format(client: RedisClient, keys: Keys, *, is_new: bool) -> None:
    """Mark a store with the format of its data; raise `StoreMismatch` if it is not readable."""
    [found] = ask(client, [("HGET", keys.meta(), _FIELD)])
    if found is not None:
        if int(found) > FORMAT:
            raise StoreMismatch(
                f"a later version wrote this store: its format is {int(found)}, this version reads "
                f"formats up to {FORMAT}. Install the version that wrote it, or a later one"
            )
        return
    if not is_new:
        _refuse_waiting(client, keys)
        _refuse_imports(client, keys)
    ask(client, [("HSET", keys.meta(), _FIELD, FORMAT)])


def _refuse_waiting(client: RedisClient, keys: Keys) -> None:
    shards = range(SHARDS)
    buffers = ask(client, [("LRANGE", keys.buffer(n), 0, _LOOKED_AT - 1) for n in shards])
    chunks = ask(client, [("LINDEX", keys.plan(n), 0) for n in shards])
    hits = chain.from_iterable(buffers)
    if any(map(_is_earlier_hit, hits)) or any(map(_is_earlier_chunk, chunks)):
        raise StoreMismatch(_WAITING)


def _is_earlier_hit(hit: bytes) -> bool:
    r"""Return whether the amounts of a hit are an object by name, the first format.

    >>> _is_earlier_hit(b'0\t[["Shop"],[]]\t{"hits":1}'), _is_earlier_hit(b'0\t[["a"],[],["n"]]\t1')
    (True, False)
    """
    parts = hit.split(b"\t")
    return len(parts) == 3 and parts[2].startswith(b"{")


def _is_earlier_chunk(chunk: bytes | None) -> bool:
    r"""Return whether a chunk of a plan has rows in one of the first two formats.

    The first had the key of each row. The second had bucket sets in place of shapes, which are
    lists of bucket sets.

    >>> _is_earlier_chunk(b'name\n["hw:{1}:all:0:a"]\n[[0,"0:hits","1"]]')
    True
    >>> _is_earlier_chunk(b'name\n[[["p"]],[0,"a"]]\n[[[0]],[["hits"]],[[0]],[[1,1,1,"1"]]]')
    True
    >>> _is_earlier_chunk(b'name\n[[["p"]],[0,"a"]]\n[[[0]],[["hits"]],[[[0]]],[[1,1,1,"1"]]]')
    False
    """
    if chunk is None:
        return False
    _, nodes, rows = chunk.split(b"\n", 2)
    if isinstance(json.loads(nodes)[0], str):
        return True
    if not rows.startswith(b"["):  # visitors, which have only one format
        return False
    moments = json.loads(rows)[2]
    return isinstance(moments[0][0], int)


def _refuse_imports(client: RedisClient, keys: Keys) -> None:
    """Refuse imports whose last blocks may be numbered by lines.

    Later versions number a block by twice its last line plus one. Data that only they keep shows
    that a store is one of theirs.
    """
    [blocks] = ask(client, [("HVALS", keys.imports_done())])
    if not blocks:
        return
    shards = range(SHARDS)
    stats = ask(client, [("HMGET", keys.stats(n), *_LATER_STATS) for n in shards])
    views = ask(client, [("EXISTS", keys.views(n)) for n in shards])
    if not any(views) and not any(chain.from_iterable(stats)):
        raise StoreMismatch(_IMPORTS.format(key=keys.imports_done()))
