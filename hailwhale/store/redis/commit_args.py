"""Serializes a step into KEYS and ARGV for commit.lua.

`label_sets` and `chunk_codec` encode labels and increments. Opens no connection and sends nothing.
The head of the script describes what it takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hailwhale.core.numbers import decimal_text
from hailwhale.store.redis.chunk_codec import WriteBatch, compact, cut, pack
from hailwhale.store.redis.dead_letters import letter_text
from hailwhale.store.redis.format_check import FORMAT
from hailwhale.store.redis.keys import Keys, cell_field
from hailwhale.store.redis.label_sets import LabelSets
from hailwhale.store.redis.spy_log import spied_order
from hailwhale.store.redis.views import RedisViews
from hailwhale.store.redis.visitor_counts import visit_chunks
from hailwhale.store.types import CommitCondition, CommitStep

ID_REMEMBERED_S = 24 * 3600
_VISITS_A_CELL = 3  # adding a visitor takes less time than a cell
_ALL_INDEX = 0  # the one bucket of the `all` rollup


@dataclass(frozen=True, slots=True)
class CommitCall:
    """The keys and arguments of one call of commit.lua; `plan` has the chunks to apply after it."""

    keys: list[str]
    args: list[str]
    plan: Sequence[WriteBatch]


def commit_call(
    step: CommitStep,
    labels: LabelSets,
    room: int,
    keys: Keys,
    views: RedisViews,
    chunk_cells: int,
    generation: int,
) -> CommitCall:
    """Return a step as commit.lua takes it; `room` is the remaining quota of labels.

    `generation` is that of `RedisSchema`.

    Increments of one chunk are sent inline; more become a plan.
    """
    shard = step.shard
    names = [
        keys.buffer(shard),
        keys.position(shard),
        keys.plan(shard),
        keys.dead(shard),
        keys.stats(shard),
        keys.imports(shard),
        keys.views(shard),
        *labels.keys,
    ]
    order: dict[str, object] = {
        "position": "" if step.position is None else step.position,
        "taken": step.taken,
        "taken_bytes": step.taken_bytes,
        "dead": [letter_text(letter) for letter in step.dead],
        "children": labels.sets,
        "room": room,
        "folded": step.folded,
        "latest": step.latest_s,
        "writer": [FORMAT, generation],
    }
    if step.block is not None:
        order["block"] = [step.block.name, step.block.number]
    if step.id is not None:
        names.append(keys.ids(step.increments.rows[0].pk[0]))
        order["id"] = [step.id, ID_REMEMBERED_S]
    chunks = [pack(keys, rows) for rows in cut(step.increments.rows, chunk_cells)]
    chunks += visit_chunks(keys, step.increments.visits, _VISITS_A_CELL * chunk_cells)
    plan = chunks if len(chunks) > 1 else []
    if len(chunks) == 1:
        names += chunks[0].keys()
        touched, updates = views.registry(shard).updates(chunks[0], len(names) + 1)
        names += views.keys(shard, touched)
        order["inline"] = [views.registry(shard).generation, updates]
    if step.guard is not None:
        names.append(keys.cells(step.guard.pk, step.guard.dimension, "all", 0))
        order["guard"] = _guard_list(step.guard, len(names))
    if step.spied is not None:
        spied_keys, order["spied"] = spied_order(step.spied, shard, keys, len(names) + 1)
        names += spied_keys
    rows = [chunk.text for chunk in plan] or [chunk.rows for chunk in chunks]
    return CommitCall(names, [compact(order), *rows], plan)


def _guard_list(guard: CommitCondition, place: int) -> list[object]:
    return [place, cell_field(_ALL_INDEX, guard.metric), decimal_text(guard.expected)]
