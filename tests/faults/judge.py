"""The verdict: what a store holds against what was acknowledged, refused or left unknown.

Reads the whole namespace, so that what should not be there is found as well as what is missing.
Knows nothing of processes, HTTP and kills.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import Enum
from typing import Any

import redis

from hailwhale.core.time.bucketing import VISITORS_EVER
from hailwhale.services.ingest.visitor_ids import VisitorHasher
from hailwhale.store.redis.keys import SHARDS, Keys, cell_field
from tests.faults.brute_force import Contents, predicted
from tests.faults.traffic import TRACE_DIMENSION, TRACER, Sample, times_counted

_SHOWN = 5
_PAGE = 2_000
_PRECISION = 400


class Fate(Enum):
    """What the sender of an event knows about it."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "unknown"  # no answer, or that the store did not answer


@dataclass(frozen=True, slots=True)
class Verdict:
    """Events by fate, and what was found of them.

    `lost` were acknowledged and are not counted, `doubled` are counted more than once (whatever
    their fate), `unrefused` were refused and are counted all the same. `wrong` cells, sets of
    labels and sets of visitors differ from the brute force, or are there and should not be, or are
    left unapplied.
    """

    acknowledged: int
    refused: int
    unknown: int
    unknown_counted: int
    counted: int
    lost: int
    doubled: int
    unrefused: int
    cells: int
    wrong: int
    examples: Sequence[str]

    @property
    def exact(self) -> bool:
        """Whether nothing was lost, nothing doubled and every cell is right."""
        return not (self.lost or self.doubled or self.unrefused or self.wrong)


def judge(
    client: redis.Redis,
    keys: Keys,
    fates: Sequence[tuple[Sample, Fate]],
    now_s: int,
    *,
    visitors: bool = True,
) -> Verdict:
    """Compare everything in the namespace with what these fates allow; `visitors` includes them."""
    found = _contents(client, keys)
    times = [_times(found, keys, sample) for sample, _ in fates]
    judged = list(zip(fates, times, strict=True))
    due = [
        sample
        for (sample, fate), count in judged
        if fate is Fate.ACKNOWLEDGED or (fate is Fate.UNKNOWN and count)
    ]
    expected = predicted(due, keys, now_s)
    differences = [
        *_differences(expected, found),
        *_miscounted_series(client, keys, found),
        *_left_over(client, keys),
        *(_wrong_visitors(client, keys, due) if visitors else ()),
    ]

    def number(fate: Fate, counts: Iterable[int]) -> int:
        return sum(told is fate and count in counts for (_, told), count in judged)

    anything = range(10)
    return Verdict(
        acknowledged=number(Fate.ACKNOWLEDGED, anything),
        refused=number(Fate.REFUSED, anything),
        unknown=number(Fate.UNKNOWN, anything),
        unknown_counted=number(Fate.UNKNOWN, anything[1:]),
        counted=sum(count > 0 for count in times),
        lost=number(Fate.ACKNOWLEDGED, [0]),
        doubled=sum(count > 1 for count in times),
        unrefused=number(Fate.REFUSED, anything[1:]),
        cells=sum(map(len, expected.cells.values())),
        wrong=len(differences),
        examples=differences[:_SHOWN],
    )


def _times(found: Contents, keys: Keys, sample: Sample) -> int:
    """How often a sample was counted, by its digit in the total of its group."""
    key = keys.cells(sample.pk[:1], (TRACE_DIMENSION, sample.group), "all", 0)
    total = found.cells.get(key, {}).get(cell_field(0, TRACER), Decimal(0))
    with localcontext(prec=_PRECISION):
        return times_counted(total, sample.digit)


def _contents(client: Any, keys: Keys) -> Contents:
    """All cells and all sets of labels in the namespace.

    Names of metrics that were let in are none of what was counted: an event may come to nothing
    after it, and one that went into the spool was not asked about.
    """
    contents = Contents()
    for names in _pages(client, keys, "HASH"):
        cells = [name for name in names if keys.kind(name) not in ("stats", "spied")]
        for name, held in _read(client.pipeline(transaction=False), "hgetall", cells):
            contents.cells[name] = {
                cell.decode(): Decimal(text.decode()) for cell, text in held.items()
            }
    for names in _pages(client, keys, "SET"):
        known = [name for name in names if keys.kind(name) != "names"]
        for name, labels in _read(client.pipeline(transaction=False), "smembers", known):
            contents.labels[name] = {label.decode() for label in labels}
    return contents


def _miscounted_series(client: Any, keys: Keys, found: Contents) -> Iterator[str]:
    """Whether the shards know how many labels they have."""
    told = sum(int(client.hget(keys.stats(shard), "series") or 0) for shard in range(SHARDS))
    if told != sum(map(len, found.labels.values())):
        yield f"there are said to be {told} series"


def _left_over(client: Any, keys: Keys) -> Iterator[str]:
    """Buffers, plans and dead letters: lists that are there only while not empty.

    The only others are those of the spy log, which is no count.
    """
    for names in _pages(client, keys, "LIST"):
        for name in names:
            if not keys.kind(name).startswith("spy"):
                yield f"{name} is not empty"


@dataclass(frozen=True, slots=True)
class _Salt:
    """The salt of visitor ids as any client of redis-py reads it."""

    client: Any
    keys: Keys

    def get(self, kind: str, names: Sequence[str]) -> list[bytes]:
        return [self.client.hget(self.keys.secrets(kind), name) for name in names]


def _wrong_visitors(client: Any, keys: Keys, due: Sequence[Sample]) -> Iterator[str]:
    """Groups that do not have exactly the visitors of their events.

    Two HyperLogLogs have the same visitors if each counts as many as both together.
    """
    hasher = VisitorHasher(_Salt(client, keys), key="", salt_days=0, clock=time.time)
    expected: dict[str, set[str]] = {}
    for sample in due:
        if sample.uid is not None:
            dimension = (TRACE_DIMENSION, sample.group)
            key = keys.cells(sample.pk[:1], dimension, VISITORS_EVER, 0)
            expected.setdefault(key, set()).add(hasher.name(sample.uid))
    for key, names in expected.items():
        judged = f"{key}:judged"  # in the same slot of a cluster, whose pipelines have no PFCOUNT
        client.pfadd(judged, *names)
        due_count, found_count, union_count = [
            client.pfcount(*together) for together in ((judged,), (key,), (judged, key))
        ]
        client.delete(judged)
        if not due_count == found_count == union_count:
            yield f"{key!r}: {found_count} visitors instead of {due_count}, both {union_count}"


def _pages(client: Any, keys: Keys, kind: str) -> Iterator[list[str]]:
    """The names of the keys of all shards that are of one type."""
    page: set[str] = set()  # a scan may name a key twice
    for name in client.scan_iter(f"{keys.namespace}:{{*}}:*", count=_PAGE, _type=kind):
        page.add(name.decode())
        if len(page) >= _PAGE:
            yield list(page)
            page = set()
    yield list(page)


def _read(pipeline: Any, command: str, names: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for name in names:
        getattr(pipeline, command)(name)
    yield from zip(names, pipeline.execute(), strict=True)


def _differences(expected: Contents, found: Contents) -> Iterator[str]:
    for key in expected.cells.keys() | found.cells.keys():
        due, held = expected.cells.get(key, {}), found.cells.get(key, {})
        if due != held:
            for cell in due.keys() | held.keys():
                if due.get(cell) != held.get(cell):
                    yield f"{key!r} {cell}: {held.get(cell)} instead of {due.get(cell)}"
    for key in expected.labels.keys() | found.labels.keys():
        known, kept = expected.labels.get(key, set()), found.labels.get(key, set())
        if known != kept:
            yield f"{key!r}: missing {known - kept}, too many {kept - known}"
