"""Commits a batch, folding labels that exceed a limit into `_other`.

Used by the drain and by immediate counting, so both count alike. Knows the store's protocol and
nothing of HTTP.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from hailwhale.core.events.aggregate import EventBatch
from hailwhale.core.events.overflow import OverflowMap
from hailwhale.errors import BadInput
from hailwhale.store.protocol import CommitStore
from hailwhale.store.types import (
    CommitCondition,
    CommitOutcome,
    CommitResult,
    CommitStep,
    DeadLetter,
    ImportBlock,
    SpyEntries,
)

log = logging.getLogger("hailwhale.counting")


def commit(
    commits: CommitStore,
    shard: int,
    batch: EventBatch,
    now_s: int,
    *,
    position: str | None = None,
    taken: int = 0,
    taken_bytes: int = 0,
    dead: Sequence[DeadLetter] = (),
    id: str | None = None,
    guard: CommitCondition | None = None,
    block: ImportBlock | None = None,
    spied: SpyEntries | None = None,
) -> CommitResult:
    """Commit a batch as one atomic step and return its result (never OVERFLOW).

    The store refuses a step whose new labels exceed max_children, or max_series in total, and names
    these labels. They are redirected to `_other` and the step is tried again. Each try redirects at
    least one more label, so the loop ends. A guarded step is not redirected, because another cell
    would then be counted than the one it guards: it raises `BadInput` and counts nothing.
    """
    redirects = OverflowMap()
    while True:
        step = CommitStep(
            shard=shard,
            increments=batch.increments(redirects),
            position=position,
            taken=taken,
            taken_bytes=taken_bytes,
            dead=dead,
            id=id,
            guard=guard,
            block=block,
            folded=redirects.count,
            spied=spied,
            latest_s=batch.latest_s,
        )
        answer = commits.commit(step, now_s)
        if answer.outcome is not CommitOutcome.OVERFLOW:
            if redirects.count:
                log.warning(
                    "label limit reached: %d new labels are counted under _other", redirects.count
                )
            return answer
        if guard is not None:
            raise _no_cell_of_its_own(answer)
        redirects = redirects.merged(answer.labels, answer.sublabels)


def _no_cell_of_its_own(answer: CommitResult) -> BadInput:
    pks, dimensions = answer.sublabels.values(), answer.labels.values()
    parameter, found = ("pk", pks) if pks else ("dimensions", dimensions)
    new = sorted(label for labels in found for label in labels)
    return BadInput(parameter, ", ".join(new), "existing labels: the label limit is reached")
