"""How a step is written down for commit.lua and apply.lua, and how their answers are read.

Owns the form of the scripts' arguments and of a chunk of the plan. It opens no connection and sends
nothing; the scripts say in their heads what they take.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hailwhale.core.dimensions import Path
from hailwhale.core.increments import Node, Target
from hailwhale.core.metrics import decimal_text
from hailwhale.store.base import ChunkAddress, Committed, DeadLetter, Guard, Outcome, Step
from hailwhale.store.keys import Keys, cell_field

ID_REMEMBERED_S = 24 * 3600
_ALL_INDEX = 0  # the one bucket of the `all` rollup


@dataclass(frozen=True, slots=True)
class CommitCall:
    """The keys and arguments of one call of commit.lua, and whose sets of labels its keys are."""

    keys: list[str]
    args: list[str]
    owners: Sequence[Node | Path]

    def committed(self, answer: Sequence[bytes | int]) -> Committed:
        """What the script's answer says, refused labels by their owner."""
        outcome, *refused = [_text(part) for part in answer]
        labels: dict[Node, list[str]] = {}
        sublabels: dict[Path, list[str]] = {}
        for index, label in zip(refused[::2], refused[1::2], strict=True):
            owner = self.owners[int(index) - 1]
            # A pk is a path of labels, a node is a pair of paths.
            if owner and isinstance(owner[0], tuple):
                labels.setdefault(owner, []).append(label)
            else:
                sublabels.setdefault(owner, []).append(label)
        return Committed(Outcome(outcome), labels, sublabels)


def commit_call(
    step: Step, now_s: int, keys: Keys, max_children: int, chunk_cells: int
) -> CommitCall:
    """A step as commit.lua takes it; increments of one chunk go inline, more become a plan."""
    shard = step.shard
    names = [
        keys.buffer(shard),
        keys.position(shard),
        keys.plan(shard),
        keys.dead(shard),
        keys.stats(shard),
        keys.imports(shard),
    ]
    sets: list[list[object]] = []
    owners: list[Node | Path] = []
    for pk, labels in step.increments.sublabels.items():
        names.append(keys.subpks(shard, pk))
        sets.append([max_children if pk else 0, *labels])
        owners.append(pk)
    for node, labels in step.increments.labels.items():
        names.append(keys.children(*node))
        sets.append([max_children, *labels])
        owners.append(node)
    order: dict[str, object] = {
        "position": "" if step.position is None else step.position,
        "taken": step.taken,
        "dead": [_letter_text(letter) for letter in step.dead],
        "children": sets,
        "folded": step.folded,
    }
    if step.block is not None:
        order["block"] = [step.block.name, step.block.number]
    if step.id is not None:
        names.append(keys.ids(step.increments.targets[0].pk[0]))
        order["id"] = [step.id, now_s, ID_REMEMBERED_S]
    chunks = list(_chunked(step.increments.targets, chunk_cells))
    if len(chunks) == 1:
        (inline,) = chunks
        chunks = []
        names += [chunk_key(keys, row) for row in inline]
        order["inline"] = [_row_list(row) for row in inline]
    if step.guard is not None:
        names.append(keys.cells(step.guard.pk, step.guard.dimension, "all", 0))
        order["guard"] = _guard_list(step.guard, len(names))
    return CommitCall(names, [_compact(order), *(_chunk_text(keys, c) for c in chunks)], owners)


def chunk_key(keys: Keys, chunk: ChunkAddress | Target) -> str:
    """The key of the hash in which a chunk's cells lie."""
    return keys.cells(chunk.pk, chunk.dimension, chunk.rollup, chunk.chunk_start_s)


def read_chunk(chunk: bytes) -> tuple[bytes, list[str]]:
    """The name of a chunk of the plan, and the keys it touches."""
    name, keys, _rows = chunk.split(b"\n", 2)
    return name, json.loads(keys)


def read_letter(stored: bytes) -> DeadLetter:
    """A dead letter as it was before it was kept."""
    fields = json.loads(stored)
    return DeadLetter(fields["hit"].encode("latin-1"), fields["reason"])


def _chunk_text(keys: Keys, rows: Sequence[Target]) -> str:
    names = [chunk_key(keys, row) for row in rows]
    return f"{secrets.token_hex(8)}\n{_compact(names)}\n{_compact([_row_list(r) for r in rows])}"


def _row_list(row: Target) -> list[object]:
    """A row as rows.lua takes it: [ttl, field, amount, field, amount, …]."""
    out: list[object] = [row.ttl_s or 0]
    for cell, amount in row.amounts.items():
        out += [cell_field(*cell), decimal_text(amount)]
    return out


def _chunked(rows: Sequence[Target], cells: int) -> Iterator[list[Target]]:
    """Rows in runs of about `cells` cells: a row is never cut, for it lies in one hash."""
    chunk: list[Target] = []
    size = 0
    for row in rows:
        chunk.append(row)
        size += len(row.amounts)
        if size >= cells:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _guard_list(guard: Guard, place: int) -> list[object]:
    return [place, cell_field(_ALL_INDEX, guard.metric), decimal_text(guard.expected)]


def _letter_text(letter: DeadLetter) -> str:
    return json.dumps({"reason": letter.reason, "hit": letter.hit.decode("latin-1")})


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _text(part: bytes | int) -> str:
    return part.decode() if isinstance(part, bytes) else str(part)
