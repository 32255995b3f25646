"""Hits, increments and steps of one shard, for the contract suite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from hailwhale.core.events.aggregate import Increments, SeriesIncrement
from hailwhale.core.time.bucketing import ChunkSet, RollupChunk
from hailwhale.store.protocol import Store
from hailwhale.store.redis.keys import shard_of
from hailwhale.store.types import CellQuery, ChunkAddress, CommitStep, EncodedHit

ROOT = "Shop"
SHARD = shard_of(ROOT)
PK = (ROOT,)
US = ("country", "US")


def hits(*names: str, id: str | None = None) -> list[EncodedHit]:
    return [EncodedHit(ROOT, name.encode(), id) for name in names]


def increments(
    amounts: dict[tuple[int, str], Decimal | int],
    dimension: tuple[str, ...] = (),
    rollup: str = "all",
    labels: Mapping[Any, Sequence[str]] | None = None,
) -> Increments:
    frame = ChunkSet((RollupChunk(rollup, 0, None if rollup == "all" else 3600),))
    rows = [
        SeriesIncrement(PK, dimension, (metric,), frame, [((index,), [amount])])
        for (index, metric), amount in amounts.items()
    ]
    known = {node: dict.fromkeys(names) for node, names in (labels or {}).items()}
    return Increments(rows, known, {(): {ROOT: None}})


def hit_count(store: Store, dimension: tuple[str, ...] = (), rollup: str = "all") -> Decimal | None:
    return store.cells.read([CellQuery(ChunkAddress(PK, dimension, rollup, 0), [(0, "hits")])])[0][
        0
    ]


def one_hit(**step: object) -> CommitStep:
    return CommitStep(shard=SHARD, increments=increments({(0, "hits"): 1}), **step)  # type: ignore[arg-type]
