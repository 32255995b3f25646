"""Open a store of the format that this version reads, mark it, and refuse any other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from hailwhale.errors import StoreMismatch
from hailwhale.store.redis.store import RedisStore
from hailwhale.store.types import EncodedHit
from tests.conftest import NOW_S

SHARD = 49  # of the root pk Product
PART = "\\u001e"
DRAIN = "hailwhale drain --once"
AGAIN = "Import the files again.*delete the key t[0-9]+:imports"

EARLIER_HIT = b'1773576630\t[["Product"],[["country","US"]]]\t{"hits":1,"revenue":19.99}'
HIT = b'1773576630\t[["Product"],[["country","US"]],["hits","revenue"]]\t1,19.99'
BY_KEY = f'name\n["hw:{{49}}:all:0:Product{PART}"]\n[[0,"0:hits","1"]]'.encode()
BY_MOMENT = (
    f'name\n[[["hw:{{49}}:all:0:"]],[0,"Product{PART}"]]\n[[[0]],[["hits"]],[[0]],[[1,1,1,"1"]]]'
).encode()
BY_SHAPE = BY_MOMENT.replace(b"[[0]],[[1,1,1", b"[[[0]]],[[1,1,1")
VISITS = f'name\n[[["hw:{{49}}:visitors-all:0:"]],[0,"a{PART}"]]\nV[[[0]],["x"],[[1,1]]]'.encode()


def declare(store: RedisStore) -> None:
    store.schema.declare("UTC", ["1h:35d", "all"], NOW_S)


def command(store: RedisStore, *words: Any) -> Any:
    return store.client.execute_command(*words)


def mark(store: RedisStore) -> Any:
    return command(store, "HGET", store.keys.meta(), "format")


def made_before_there_were_marks(store: RedisStore, put_there: Sequence[tuple[Any, ...]]) -> None:
    """Make a store without a mark, with values where an earlier version would have put them."""
    declare(store)
    command(store, "HDEL", store.keys.meta(), "format")
    for kind, *values in put_there:
        put(store, kind, *values)


def put(store: RedisStore, kind: str, *values: Any) -> None:
    keys = store.keys
    if kind == "imports":
        command(store, "HSET", keys.imports_done(), *values)
    elif kind == "stats":
        command(store, "HSET", keys.stats(SHARD), *values)
    elif kind == "views":
        command(store, "HSET", keys.views(SHARD), *values)
    else:
        key = keys.buffer(SHARD) if kind == "buffer" else keys.plan(SHARD)
        command(store, "RPUSH", key, *values)


def test_a_store_is_marked_when_it_is_made(store: RedisStore) -> None:
    declare(store)
    assert mark(store) == b"1"
    declare(store)
    assert mark(store) == b"1"


@pytest.mark.parametrize("found", [2, 17])
def test_a_store_of_a_later_version_is_refused(store: RedisStore, found: int) -> None:
    declare(store)
    command(store, "HSET", store.keys.meta(), "format", found)
    with pytest.raises(StoreMismatch, match=f"format is {found}.*Install the version that wrote"):
        declare(store)
    assert mark(store) == b"%d" % found


@pytest.mark.parametrize(
    "put_there",
    [
        [],
        [("buffer", HIT, b"no hit", HIT + b"\tq2fX0-aT_x9c")],
        [("plan", BY_SHAPE)],
        [("plan", VISITS, BY_SHAPE)],
        [("imports", "a", 601), ("stats", "drained", 4, "lag", 0)],
        [("imports", "a", 600, "b", 601), ("stats", "series", 17)],
        [("imports", "a", 601), ("views", "\x1fgeneration", "x")],
    ],
)
def test_a_store_without_a_mark_and_nothing_of_an_earlier_format_is_marked(
    store: RedisStore, put_there: Sequence[tuple[Any, ...]]
) -> None:
    made_before_there_were_marks(store, put_there)
    declare(store)
    assert mark(store) == b"1"


@pytest.mark.parametrize(
    ("put_there", "what_to_do"),
    [
        ([("buffer", EARLIER_HIT)], DRAIN),
        ([("buffer", b"no hit", HIT, EARLIER_HIT)], DRAIN),
        ([("plan", BY_KEY)], DRAIN),
        ([("plan", BY_MOMENT)], DRAIN),
        ([("imports", "a", 600)], AGAIN),
        ([("imports", "a", 601), ("stats", "accepted", 3, "drained", 3)], AGAIN),
    ],
)
def test_what_waits_in_an_earlier_format_is_refused_with_what_to_do_and_stays(
    store: RedisStore, put_there: Sequence[tuple[Any, ...]], what_to_do: str
) -> None:
    made_before_there_were_marks(store, put_there)
    for _ in range(2):
        with pytest.raises(StoreMismatch, match=what_to_do):
            declare(store)
        assert mark(store) is None
    loads = [load for load in store.stats.loads() if load.shard == SHARD]
    waiting = sum(len(values) for kind, *values in put_there if kind in ("buffer", "plan"))
    assert sum(load.buffered + load.planned for load in loads) == waiting


def test_another_time_zone_is_refused_whatever_the_format(store: RedisStore) -> None:
    made_before_there_were_marks(store, [])
    with pytest.raises(StoreMismatch, match="HAILWHALE_TIMEZONE=UTC"):
        store.schema.declare("Europe/Berlin", ["1h:35d", "all"], NOW_S)


def test_a_store_whose_server_came_back_empty_is_marked_again(store: RedisStore) -> None:
    declare(store)
    command(store, "DEL", store.keys.meta())
    store.buffers.accept([EncodedHit("Product", HIT, None)], NOW_S)
    assert [load.buffered for load in store.stats.loads()] == [1]
    assert mark(store) == b"1"
