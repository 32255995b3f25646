"""Materialized views: all children of a parent in one place, updated once a query has used them.

Manages which views a shard has, computes what a chunk of increments changes in them, builds and
reads them. The scripts define their layout in the store. A view is a copy of cells for queries that
compare many children; the cells are authoritative. Knows nothing of what a view is used for.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hailwhale.core.events.paths import Path
from hailwhale.store.redis.chunk_codec import WriteBatch
from hailwhale.store.redis.client import RedisClient, Script, ask, faults_named
from hailwhale.store.redis.cluster import RedisCommand
from hailwhale.store.redis.keys import Keys, shard_of
from hailwhale.store.types import ChildrenView, ViewData

_IDLE_S = 7 * 86_400  # a view expires when it is not read for this time
_CHILDREN_AT_ONCE = 200  # bounds the time that building one blocks the server
_MARK = "\x1d"  # in no label and no name of a metric
_GENERATION = b"\x1fgeneration"

_ABSENT = ViewData(b"", b"")

Update = tuple[int, int, str, list[int], list[int], list[str]]
Family = tuple[bool, Path, Path]  # the children of (pk, dimension), or with True those of the pk


class ViewUpdates(NamedTuple):
    """The names of views, and the update of each as views.lua takes it."""

    names: list[str]
    updates: list[Update]


@dataclass(frozen=True, slots=True)
class ViewRegistry:
    """The views of one shard at a generation: name, width and metric, by chunk and family.

    A family is a parent with its children.
    """

    generation: str = ""
    by_family: Mapping[tuple[str, Family], Sequence[tuple[str, int, str]]] = field(
        default_factory=dict
    )

    def updates(self, chunk: WriteBatch, first: int) -> ViewUpdates:
        """Return the updates of the views that a chunk changes.

        `first` is the index in KEYS of the first key of the first of them.
        """
        if not self.by_family:
            return ViewUpdates([], [])
        found: dict[str, Update] = {}
        chunks = [[_place(prefix) for prefix in prefixes] for prefixes in chunk.prefixes]
        rows = zip(chunk.frames, chunk.series, strict=True)
        for number, (frame, series) in enumerate(rows, 1):
            for family, label in _families(*series):
                for place, of_chunk in enumerate(chunks[frame], 1):
                    for name, width, metric in self.by_family.get((of_chunk, family), ()):
                        if name not in found:
                            key = first + 3 * len(found)
                            found[name] = (key, width, metric, [], [], [])
                        _, _, _, numbers, places, labels = found[name]
                        numbers.append(number)
                        places.append(place)
                        labels.append(label)
        return ViewUpdates(list(found), list(found.values()))


class RedisViews:
    """`hailwhale.store.protocol.ViewStore` on three keys per view.

    `read` also returns None for a view that another process dropped while it was read.
    """

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._build = Script(client, "build_view")
        self._renew = Script(client, "renew_view")
        self._registries: dict[int, ViewRegistry] = {}

    def registry(self, shard: int) -> ViewRegistry:
        """Return the views of a shard as known to this process."""
        return self._registries.get(shard) or self.look(shard)

    def look(self, shard: int) -> ViewRegistry:
        """Read the current views of a shard."""
        with faults_named():
            [known] = ask(self._client, [("HGETALL", self._keys.views(shard))])
        generation = known.pop(_GENERATION, b"").decode()
        by_family: dict[tuple[str, Family], list[tuple[str, int, str]]] = {}
        for name in map(bytes.decode, known):
            family, metric, width = name.split(_MARK)
            by_family.setdefault(_family(family), []).append((name, int(width), metric))
        found = self._registries[shard] = ViewRegistry(generation, by_family)
        return found

    def keys(self, shard: int, names: Sequence[str]) -> list[str]:
        """Return the keys of views, as the scripts take them."""
        return [key for name in names for key in self._keys.view(shard, name)]

    def read(self, views: Sequence[ChildrenView], now_s: float) -> list[ViewData | None]:
        found = self._look_at(views, now_s)
        absent = [place for place, data in enumerate(found) if data == _ABSENT]
        for place in absent:
            self._make(views[place], now_s)
        if absent:
            again = self._look_at([views[place] for place in absent], now_s)
            for place, data in zip(absent, again, strict=True):
                found[place] = data
        return [None if data == _ABSENT else data for data in found]

    def drop(self, shard: int) -> None:
        registry = self.look(shard)
        names = [name for views in registry.by_family.values() for name, _, _ in views]
        with faults_named():
            ask(self._client, [("UNLINK", key) for key in self.keys(shard, names)])

    def _look_at(self, views: Sequence[ChildrenView], now_s: float) -> list[ViewData | None]:
        """Return the data of views: _ABSENT if not built, None if an amount does not fit.

        The state is read before and after, to ensure that both belong to the same view. Names are
        read before units, so that there is a row for each name.
        """
        commands: list[RedisCommand] = []
        for view in views:
            ordinals, names, units = self._keys_of(view)[1:]
            state = ("HMGET", ordinals, "\x1fready", "\x1frough", "\x1fasked")
            commands += [state, ("GET", names), ("GET", units), state]
        with faults_named():
            answers = ask(self._client, commands)
        found: list[ViewData | None] = []
        for place, view in enumerate(views):
            before, names, units, after = answers[4 * place : 4 * place + 4]
            if before[1] or after[1]:
                found.append(None)
            elif not before[0] or before[0] != after[0]:
                found.append(_ABSENT)
            else:
                found.append(ViewData(names, units))
                if int(after[2]) < now_s - _IDLE_S / 2:
                    self._touch(view, now_s)
        return found

    def _touch(self, view: ChildrenView, now_s: float) -> None:
        """Postpone the expiry of a view."""
        with faults_named():
            self._renew(self._keys_of(view), [_name(view), int(now_s), _ttl_s(view, now_s)])

    def _make(self, view: ChildrenView, now_s: float) -> None:
        head: list[Any] = [_name(view), view.metric, view.width]
        head += [int(now_s), _ttl_s(view, now_s)]
        keys = self._keys_of(view)
        with faults_named():
            token = self._build(keys, [*head, "begin", secrets.token_hex(8)])
            # Read only now: the view is registered, so updates add labels that are missing here.
            labels = self._labels(view)
            for first in range(0, len(labels), _CHILDREN_AT_ONCE):
                some = labels[first : first + _CHILDREN_AT_ONCE]
                cells = [self._cells(view, label) for label in some]
                if not self._build(keys + cells, [*head, "fill", token, *some]):
                    return
            self._build(keys, [*head, "end", token])

    def _labels(self, view: ChildrenView) -> list[str]:
        """Return the labels of the children, sorted, so that views of them are mostly alike."""
        if view.of_pks:
            key = self._keys.subpks(shard_of(view.pk[0]), view.pk)
        else:
            key = self._keys.children(view.pk, view.dimension)
        [labels] = ask(self._client, [("SMEMBERS", key)])
        return sorted(label.decode() for label in labels)

    def _keys_of(self, view: ChildrenView) -> list[str]:
        shard = shard_of(view.pk[0])
        return [self._keys.views(shard), *self._keys.view(shard, _name(view))]

    def _cells(self, view: ChildrenView, label: str) -> str:
        pk, dimension = view.child(label)
        return self._keys.cells(pk, dimension, view.rollup, view.chunk_start_s)


def _ttl_s(view: ChildrenView, now_s: float) -> int:
    if view.expires_s is None:
        return _IDLE_S
    return max(min(_IDLE_S, int(view.expires_s - now_s)), 1)


def _name(view: ChildrenView) -> str:
    kind = "p" if view.of_pks else "d"
    chunk = f"{view.rollup}:{view.chunk_start_s}:"
    node = Keys.node(view.pk, view.dimension)
    return f"{chunk}{kind}{node}{_MARK}{view.metric}{_MARK}{view.width}"


def _place(prefix: str) -> str:
    """Return the chunk of a key's prefix, such as `1h:1767225600:`."""
    return prefix.partition("}:")[2]


def _family(text: str) -> tuple[str, Family]:
    """Parse the chunk and the family of a view from its name."""
    rollup, start, rest = text.split(":", 2)
    return f"{rollup}:{start}:", (rest[0] == "p", *Keys.parts(rest[1:]))


def _families(pk: Path, dimension: Path) -> Iterator[tuple[Family, str]]:
    """Yield the families in which a (pk, dimension) is a child, and its label there."""
    if dimension:
        yield (False, pk, dimension[:-1]), dimension[-1]
    if len(pk) > 1:
        yield (True, pk[:-1], dimension), pk[-1]
