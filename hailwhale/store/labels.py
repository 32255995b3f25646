"""Labels becoming known: how a step's labels are written down for know.lua and commit.lua.

Owns the form of sets of labels in the scripts' arguments, and how refused ones are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hailwhale.core.dimensions import Path
from hailwhale.core.increments import Increments, Node
from hailwhale.store.base import Committed, Outcome, Step
from hailwhale.store.chunks import compact
from hailwhale.store.connection import Client, Script, faults_named
from hailwhale.store.keys import Keys

AT_ONCE = 1_000  # labels that one script makes known: bounds the time it holds up the server


@dataclass(frozen=True, slots=True)
class LabelSets:
    """Sets of labels: their keys, what know.lua takes of each, and whose children they are."""

    keys: list[str] = field(default_factory=list)
    sets: list[list[Any]] = field(default_factory=list)
    owners: list[Node | Path] = field(default_factory=list)

    def append(self, key: str, most: int, labels: Sequence[str], owner: Node | Path) -> None:
        self.keys.append(key)
        self.sets.append([most, *labels])
        self.owners.append(owner)

    @property
    def is_large(self) -> bool:
        """Whether they are too many to become known in the step itself."""
        return sum(map(len, self.sets)) - len(self.sets) > AT_ONCE

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

    def refused(self, answer: Sequence[bytes | int]) -> Committed:
        """What did not fit, by whom it belongs to, of an answer {'overflow', set, label, …}."""
        labels: dict[Node, list[str]] = {}
        sublabels: dict[Path, list[str]] = {}
        for index, label in zip(answer[1::2], answer[2::2], strict=True):
            owner = self.owners[int(index) - 1]
            text = label.decode() if isinstance(label, bytes) else str(label)
            # A pk is a path of labels, a node is a pair of paths.
            if owner and isinstance(owner[0], tuple):
                labels.setdefault(owner, []).append(text)
            else:
                sublabels.setdefault(owner, []).append(text)
        return Committed(Outcome.OVERFLOW, labels, sublabels)


def label_sets(keys: Keys, shard: int, increments: Increments, max_children: int) -> LabelSets:
    """The labels that become known with increments."""
    found = LabelSets()
    for pk, labels in increments.sublabels.items():
        found.append(keys.subpks(shard, pk), max_children if pk else 0, list(labels), pk)
    for node, labels in increments.labels.items():
        found.append(keys.children(*node), max_children, list(labels), node)
    return found


class KnownAhead:
    """Makes the labels of large steps known ahead of them, some at a time."""

    def __init__(self, client: Client, keys: Keys) -> None:
        self._keys = keys
        self._script = Script(client, "know")

    def know(self, step: Step, labels: LabelSets) -> Committed | None:
        """Make labels known; what stands in the way of their step, or None.

        Should the step come to nothing, they are still those of hits that were there.
        """
        fence = step.position or ""
        parts = list(labels.slices())
        calls: list[tuple[list[str], list[Any]]] = [
            ([self._keys.position(step.shard), *part.keys], [fence, compact(part.sets)])
            for part in parts
        ]
        with faults_named():
            answers = self._script.many(calls)
        if any(answer[0] == b"stale" for answer in answers):
            return Committed(Outcome.STALE)
        refusals = [
            part.refused(answer)
            for part, answer in zip(parts, answers, strict=True)
            if answer[0] == b"overflow"
        ]
        return _together(refusals) if refusals else None


def _together(refusals: Sequence[Committed]) -> Committed:
    """Several refusals as one."""
    labels: dict[Node, list[str]] = {}
    sublabels: dict[Path, list[str]] = {}
    for refusal in refusals:
        for node, found in refusal.labels.items():
            labels.setdefault(node, []).extend(found)
        for pk, more in refusal.sublabels.items():
            sublabels.setdefault(pk, []).extend(more)
    return Committed(Outcome.OVERFLOW, labels, sublabels)
