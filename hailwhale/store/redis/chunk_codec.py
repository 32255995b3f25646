"""Encodes rows of increments as chunks for the scripts that apply them.

Defines the format of a chunk of the plan; rows.lua describes the part that it reads. What many rows
share (their frame, metrics and shape) is written once, so a row is little more than its numbers.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from hailwhale.core.events.aggregate import SeriesIncrement, SeriesKey
from hailwhale.core.numbers import decimal_text
from hailwhale.core.time.bucketing import ChunkSet
from hailwhale.store.redis.keys import Keys, shard_of

_QUOTE = '","'


@dataclass(frozen=True, slots=True)
class WriteBatch:
    """An encoded chunk: `rows` are the input of rows.lua, the rest says which series they are of.

    `prefixes` are the first parts of the keys, by frame. `nodes` has for each row its frame and the
    last part of its keys, alternating. `series` has the (pk, dimension) of each row.
    """

    name: str
    prefixes: Sequence[Sequence[str]]
    nodes: Sequence[int | str]
    series: Sequence[SeriesKey]
    rows: str = ""

    @property
    def text(self) -> str:
        """Return the chunk in the format of the plan."""
        return f"{self.name}\n{compact([self.prefixes, self.nodes])}\n{self.rows}"

    @property
    def frames(self) -> Sequence[int]:
        """Return the frame of each row."""
        return cast("Sequence[int]", self.nodes[::2])

    def keys(self) -> list[str]:
        """Return the hashes of cells that it changes, in the order of the rows."""
        prefixes, nodes = self.prefixes, cast("Sequence[str]", self.nodes[1::2])
        rows = zip(self.frames, nodes, strict=True)
        return [prefix + node for frame, node in rows for prefix in prefixes[frame]]


def cut(rows: Sequence[SeriesIncrement], cells: int) -> Iterator[list[SeriesIncrement]]:
    """Yield the rows in runs of about `cells` cells."""
    run: list[SeriesIncrement] = []
    size = 0
    for row in rows:
        run.append(row)
        size += row.size
        if size >= cells:
            yield run
            run, size = [], 0
    if run:
        yield run


def pack(keys: Keys, rows: Sequence[SeriesIncrement]) -> WriteBatch:
    """Encode rows of one shard as a chunk."""
    shared = _SharedTexts(keys, shard_of(rows[0].pk[0]))
    nodes: list[int | str] = []
    texts: list[str] = []
    for row in rows:
        frame = shared.frame(row.frame)
        nodes += (frame, keys.node(row.pk, row.dimension))
        shape = shared.shape(tuple([indices for indices, _ in row.sums]))
        amounts = _QUOTE.join([decimal_text(each) for _, sums in row.sums for each in sums])
        texts.append(f'[{frame + 1},{shared.names(row.metrics)},{shape},"{amounts}"]')
    written = f"{shared.text()[:-1]},[{','.join(texts)}]]"
    series = [(row.pk, row.dimension) for row in rows]
    return WriteBatch(secrets.token_hex(8), shared.prefixes, nodes, series, written)


class _SharedTexts:
    """What rows of a chunk share, numbered from 1 as Lua does, each when it is first asked for."""

    def __init__(self, keys: Keys, shard: int) -> None:
        self._keys = keys
        self._shard = shard
        self.prefixes: list[list[str]] = []
        self._ttls: list[list[int]] = []
        self._frames: dict[ChunkSet, int] = {}
        self._names: dict[tuple[str, ...], int] = {}
        self._shapes: dict[tuple[tuple[int, ...], ...], int] = {}

    def frame(self, frame: ChunkSet) -> int:
        """The place of a frame, from 0."""
        found = self._frames.get(frame)
        if found is None:
            found = self._frames[frame] = len(self.prefixes)
            self.prefixes.append(
                [self._keys.chunk(self._shard, c.rollup, c.start_s) for c in frame.chunks]
            )
            self._ttls.append([chunk.ttl_s or 0 for chunk in frame.chunks])
        return found

    def names(self, metrics: tuple[str, ...]) -> int:
        """The number of a list of metrics."""
        return self._names.setdefault(metrics, len(self._names) + 1)

    def shape(self, moments: tuple[tuple[int, ...], ...]) -> int:
        """The number of a list of moments, each a list of indices."""
        return self._shapes.setdefault(moments, len(self._shapes) + 1)

    def text(self) -> str:
        """All of it as rows.lua takes it."""
        return compact([self._ttls, list(self._names), list(self._shapes)])


def read_chunk(stored: bytes) -> WriteBatch:
    """Decode a chunk of the plan, without its rows."""
    name, head, _rows = stored.split(b"\n", 2)
    prefixes, nodes = json.loads(head)
    return WriteBatch(name.decode(), prefixes, nodes, [Keys.parts(node) for node in nodes[1::2]])


def compact(value: object) -> str:
    """Return JSON without spaces."""
    return json.dumps(value, separators=(",", ":"))
