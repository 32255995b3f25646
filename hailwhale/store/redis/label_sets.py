"""Adds known labels: serializes sets of them for know.lua and commit.lua.

Defines the format of sets of labels in the scripts' arguments, reads the refused ones, and tracks
how many more the store has room for. Each label is a series: a pk, or a dimension of one.
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

AT_ONCE = 1_000  # labels that one script makes known; bounds the time it blocks the server
_ROOM_STALE_S = 60
_AMPLE = -1


@dataclass(frozen=True, slots=True)
class LabelSets:
    """Sets of labels: their keys, what know.lua takes of each, and their parents."""

    keys: list[str] = field(default_factory=list)
    sets: list[list[Any]] = field(default_factory=list)
    owners: list[SeriesKey | Path] = field(default_factory=list)

    def append(self, key: str, most: int, labels: Sequence[str], owner: SeriesKey | Path) -> None:
        self.keys.append(key)
        self.sets.append([most, *labels])
        self.owners.append(owner)

    @property
    def size(self) -> int:
        """Return the number of labels."""
        return sum(map(len, self.sets)) - len(self.sets)

    @property
    def is_large(self) -> bool:
        """Return whether there are too many to make them known in the step itself."""
        return self.size > AT_ONCE

    def slices(self) -> Iterator[LabelSets]:
        """Yield them in parts of at most AT_ONCE labels; a large set is split."""
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
        """Return the labels that did not fit, by parent.

        `answer` is what the script returned: {'overflow', set, label, …}.
        """
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
    """Return the labels that become known with increments."""
    found = LabelSets()
    for pk, labels in increments.sublabels.items():
        found.append(keys.subpks(shard, pk), max_children if pk else 0, list(labels), pk)
    for node, labels in increments.labels.items():
        found.append(keys.children(*node), max_children, list(labels), node)
    return found


class RemainingQuota:
    """The number of series that the store still has room for, of `most` in all its shards.

    The current number is read once this process may have used a quarter of the room, but at most
    once a second, and at least once a minute. So the limit is exceeded by at most about what
    arrives within a second.
    """

    def __init__(self, client: RedisClient, keys: Keys, most: int) -> None:
        self._client = client
        self._keys = keys
        self._most = most
        self._read_s = -_ROOM_STALE_S
        self._left = self._unread = 0

    def of(self, labels: LabelSets, now_s: int) -> int:
        """Return the room for labels, as know() takes it."""
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
    """Make the labels of large steps known before the steps, some at a time."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._keys = keys
        self._script = Script(client, "know")

    def know(self, step: CommitStep, labels: LabelSets, room: int) -> CommitResult | None:
        """Make labels known; return the result that prevents their step, or None.

        If the step is not committed, the labels stay known: they are labels of hits that existed.
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
    """Merge several refusals into one."""
    labels: dict[SeriesKey, list[str]] = {}
    sublabels: dict[Path, list[str]] = {}
    for refusal in refusals:
        for node, found in refusal.labels.items():
            labels.setdefault(node, []).extend(found)
        for pk, more in refusal.sublabels.items():
            sublabels.setdefault(pk, []).extend(more)
    return CommitResult(CommitOutcome.OVERFLOW, labels, sublabels)
