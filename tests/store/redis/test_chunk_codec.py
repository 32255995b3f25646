"""Chunks of increments as the plan holds them: what is written is read, and a key is made once."""

from __future__ import annotations

import pytest

from hailwhale.core.events.aggregate import SeriesIncrement, VisitorIncrement
from hailwhale.core.events.paths import Path
from hailwhale.core.time.bucketing import ChunkSet, RollupChunk
from hailwhale.store.redis.chunk_codec import WriteBatch, pack, read_chunk
from hailwhale.store.redis.keys import Keys
from hailwhale.store.redis.views import ViewRegistry
from hailwhale.store.redis.visitor_counts import visit_chunks

KEYS = Keys()
FRAME = ChunkSet((RollupChunk("1d", 0, 9_999), RollupChunk("all", 0, None)))
SERIES: tuple[tuple[Path, Path], ...] = (
    (("Shop",), ()),
    (("Shop",), ("town", "a:b")),
    (("Shop", "7"), ("town", '["x"]')),
)


def packed() -> WriteBatch:
    rows = [SeriesIncrement(*node, ("hits",), FRAME, [((3, 0), [1])]) for node in SERIES]
    return pack(KEYS, rows)


def visited() -> WriteBatch:
    visits = [VisitorIncrement(*node, FRAME, {"ann", "bob"}) for node in SERIES]
    [chunk] = visit_chunks(KEYS, visits, 1_000)
    return chunk


@pytest.mark.parametrize("chunk", [packed(), visited()], ids=["sums", "visitors"])
def test_a_chunk_reads_back_as_it_was_written(chunk: WriteBatch) -> None:
    found = read_chunk(chunk.text.encode())
    assert tuple(found.series) == tuple(chunk.series) == SERIES
    assert (found.name, list(found.frames), found.keys()) == (
        chunk.name,
        list(chunk.frames),
        chunk.keys(),
    )


def test_views_are_found_by_the_pk_and_the_dimension_of_a_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a key is split, or made again, for a row")

    chunk = packed()
    towns = [("towns", 31, "hits")]
    pks = [("pks", 1, "hits")]
    registry = ViewRegistry(
        "g",
        {
            ("1d:0:", (False, ("Shop",), ("town",))): towns,
            ("all:0:", (True, ("Shop",), ("town", '["x"]'))): pks,
        },
    )
    monkeypatch.setattr(Keys, "parts", staticmethod(refused))
    monkeypatch.setattr(Keys, "node", staticmethod(refused))
    assert registry.updates(chunk, 5) == (
        ["towns", "pks"],
        [
            (5, 31, "hits", [2], [1], ["a:b"]),
            (8, 1, "hits", [3], [2], ["7"]),
        ],
    )
