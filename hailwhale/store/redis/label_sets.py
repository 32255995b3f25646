"""Adds known labels: serialises sets of them for know.lua and commit.lua.

Owns the form of sets of labels in the scripts' arguments, how refused ones are read, and how many
more the store has room for. Each label is a series: a pk, or a dimension of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hailwhale.core.events.aggregate import Increments, SeriesKey
from hailwhale.core.events.paths import Path
from hailwhale.store.redis.chunk_codec import compact
from hailwhale.store.redis.client import RedisClient, Script, ask, faults_named
from hailwhale.store.redis.keys import SHARDS, Keys
from hailwhale.store.types import CommitOutcome, CommitResult, CommitStep

AT_ONCE = 1_000  # labels that one script makes known: bounds the time it holds up the server
_ROOM_STALE_S = 60
_AMPLE = -1


@dataclass(frozen=True, slots=True)
class LabelSets:
    """Sets of labels: their keys, what know.lua takes of each, and whose children they are."""

    keys: list[str] = field(default_factory=list)
    sets: list[list[Any]] = field(default_factory=list)
    owners: list[SeriesKey | Path] = field(default_factory=list)

    def append(self, key: str, most: int, labels: Sequence[str], owner: SeriesKey | Path) -> None:
        self.keys.append(key)
        self.sets.append([most, *labels])
        self.owners.append(owner)

    @property
    def size(self) -> int:
        """How many labels they are."""
        return sum(map(len, self.sets)) - len(self.sets)

    @property
    def is_large(self) -> bool:
        """Whether they are too many to become known in the step itself."""
        return self.size > AT_ONCE

    def slices(self) -> Iterator[LabelSets]:
        """The same in parts of at most AT_ONCE labels; a large set is cut."""
        part, room = LabelSets(), AT_ONCE
        for key, (most, *labels), owner in zip(self.keys, self.sets, self.owners, strict=True):
            at = 0
            while at < len(labels):
                some = labels[at : at + room]
                part.append(key, most, some, owner)
                at += len(some)
                room -= len(some)
                if not room:
                    yield part
                    part, room = LabelSets(), AT_ONCE
        if part.sets:
            yield part

    def refused(self, answer: Sequence[bytes | int]) -> CommitResult:
        """What did not fit, by whom it belongs to, of an answer {'overflow', set, label, …}."""
        labels: dict[SeriesKey, list[str]] = {}
        sublabels: dict[Path, list[str]] = {}
        for index, label in zip(answer[1::2], answer[2::2], strict=True):
            owner = self.owners[int(index) - 1]
            text = label.decode() if isinstance(label, bytes) else str(label)
            # A pk is a path of labels, a node is a pair of paths.
            if owner and isinstance(owner[0], tuple):
                labels.setdefault(owner, []).append(text)
            else:
                sublabels.setdefault(owner, []).append(text)
        return CommitResult(CommitOutcome.OVERFLOW, labels, sublabels)


def label_sets(keys: Keys, shard: int, increments: Increments, max_children: int) -> LabelSets:
    """The labels that become known with increments."""
    found = LabelSets()
    for pk, labels in increments.sublabels.items():
        found.append(keys.subpks(shard, pk), max_children if pk else 0, list(labels), pk)
    for node, labels in increments.labels.items():
        found.append(keys.children(*node), max_children, list(labels), node)
    return found


class RemainingQuota:
    """How many more series the store has room for, of `most` in all its shards.

    What there are is read when a quarter of the room may have been taken by this process, but at
    most once a second, and once a minute in any case. So the bound is kept to by about what comes
    in within a second.
    """

    def __init__(self, client: RedisClient, keys: Keys, most: int) -> None:
        self._client = client
        self._keys = keys
        self._most = most
        self._read_s = -_ROOM_STALE_S
        self._left = self._unread = 0

    def of(self, labels: LabelSets, now_s: int) -> int:
        """The room that there is for labels, as know() takes it."""
        self._unread -= labels.size
        age_s = abs(now_s - self._read_s)
        if age_s >= _ROOM_STALE_S or (self._unread < 0 and age_s >= 1):
            self._left = max(0, self._most - self._series())
            self._unread = self._left // 4 - labels.size
            self._read_s = now_s
        return _AMPLE if labels.size <= self._left else self._left

    def _series(self) -> int:
        stats = [("HGET", self._keys.stats(shard), "series") for shard in range(SHARDS)]
        with faults_named():
            return sum(int(found or 0) for found in ask(self._client, stats))


class LabelPreloader:
    """Makes the labels of large steps known ahead of them, some at a time."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._keys = keys
        self._script = Script(client, "know")

    def know(self, step: CommitStep, labels: LabelSets, room: int) -> CommitResult | None:
        """Make labels known; what stands in the way of their step, or None.

        Should the step come to nothing, they are still those of hits that were there.
        """
        fence = step.position or ""
        parts = list(labels.slices())
        calls: list[tuple[list[str], list[Any]]] = [
            (
                [self._keys.position(step.shard), self._keys.stats(step.shard), *part.keys],
                [fence, compact(part.sets), room],
            )
            for part in parts
        ]
        with faults_named():
            answers = self._script.many(calls)
        if any(answer[0] == b"stale" for answer in answers):
            return CommitResult(CommitOutcome.STALE)
        refusals = [
            part.refused(answer)
            for part, answer in zip(parts, answers, strict=True)
            if answer[0] == b"overflow"
        ]
        return _together(refusals) if refusals else None


def _together(refusals: Sequence[CommitResult]) -> CommitResult:
    """Several refusals as one."""
    labels: dict[SeriesKey, list[str]] = {}
    sublabels: dict[Path, list[str]] = {}
    for refusal in refusals:
        for node, found in refusal.labels.items():
            labels.setdefault(node, []).extend(found)
        for pk, more in refusal.sublabels.items():
            sublabels.setdefault(pk, []).extend(more)
    return CommitResult(CommitOutcome.OVERFLOW, labels, sublabels)
