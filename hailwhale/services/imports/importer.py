"""Imports many rows, each counted exactly once however often the import is killed and resumed.

Rows are cut into blocks and a block is summed by shard. Each shard counts a numbered step at most
once and in order, in the same atomic step as its cells. Numbers derive from lines: a row with an id
is a step of its own, numbered twice its line. The sum of a block is numbered twice its last line
plus one. So the progress of an import is a line to resume after. Two runs of one import must cut
rows alike: how rows are cut depends on the rows alone. Neither the constants that define it nor the
numbering may change between releases.

Knows rows and the store, and nothing of files, terminals or formats.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO

from hailwhale.core.events.aggregate import EventBatch
from hailwhale.core.events.event import Event, parse_event
from hailwhale.core.events.limits import Limits
from hailwhale.core.time.bucketing import BucketPlanner
from hailwhale.core.time.calendar_grid import Grid
from hailwhale.core.time.rollups import Rollup
from hailwhale.errors import BadInput, TooLarge
from hailwhale.services.imports.row_readers import READ_FAULTS, InputRow, unreadable
from hailwhale.services.ingest.batch_commit import commit
from hailwhale.store.protocol import CommitStore, ImportStore
from hailwhale.store.redis.keys import shard_of
from hailwhale.store.types import CommitOutcome, ImportBlock

BLOCK_ROWS = 5_000
BLOCK_NODES = 25_000  # bounds the cells of a step, and so the time that it blocks the store

_READ_BYTES = 1024 * 1024
_NAME_CHARS = 32
_MARK_CHARS = 12  # of a name, as a number that the store's scripts can compare
_PLANNED = ":planned"


@dataclass(slots=True)
class ImportReport:
    """The outcome of the rows that one run of an import read, up to `line`.

    `before` counts rows that were counted earlier: by an interrupted run, or under their id.
    `undated` counts those of all rows that are older than every rollup with dates, by month, such
    as 1970-01; they add to the all-time total only.
    """

    line: int = 0
    rows: int = 0
    counted: int = 0
    before: int = 0
    rejected: int = 0
    undated: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class FileContent:
    """The content of a file: a digest that names its import, and the number of line ends."""

    name: str
    lines: int


def examine(stream: BinaryIO, mapping: str) -> FileContent:
    """Return the content of a file, named by its bytes and its mapping, not by its location.

    Raises `BadInput` if the file cannot be read.

    >>> from io import BytesIO
    >>> examine(BytesIO(b"{}"), "ndjson")
    FileContent(name='7b3099aee24e960e5eca3db407635ae5', lines=0)
    """
    digest = hashlib.sha256(mapping.encode() + b"\0")
    lines = 0
    try:
        while part := stream.read(_READ_BYTES):
            digest.update(part)
            lines += part.count(b"\n")
    except READ_FAULTS as fault:
        raise unreadable(fault) from fault
    return FileContent(digest.hexdigest()[:_NAME_CHARS], lines)


class Importer:
    """Count rows in numbered blocks; an import that runs twice at once still counts once."""

    def __init__(
        self,
        *,
        commits: CommitStore,
        imports: ImportStore,
        grid: Grid,
        rollups: Sequence[Rollup],
        limits: Limits,
        clock: Callable[[], float],
        name_of: Callable[[str], str],
        make_batch: Callable[[BucketPlanner], EventBatch] = EventBatch,
    ) -> None:
        """Initialize; `name_of` hashes a uid, and `make_batch` creates a batch that sums rows."""
        self._make_batch = make_batch
        self._name_of = name_of
        self._commits = commits
        self._imports = imports
        self._grid = grid
        self._rollups = tuple(rollups)
        self._limits = limits
        self._clock = clock

    def last_line(self, name: str) -> int:
        """Return the line up to which all rows of an import are counted; 0 if it is new."""
        return self._imports.last_block(name) // 2

    def planned(self, name: str) -> int:
        """Return the line up to which rows were planned for counting; 0 if none were."""
        return self._imports.last_block(name + _PLANNED) // 2

    def plan(self, name: str, line: int) -> None:
        """Store the line up to which the rows of the next run go.

        For imports that grow: whoever resumes after a kill must supply the same rows.
        """
        self._imports.note_block(_summed_up_to(name + _PLANNED, line))

    def finish(self, name: str, line: int) -> None:
        """Record that there are no more rows up to a line."""
        self._imports.note_block(_summed_up_to(name, line))

    def began_with(self, source: str, content: str) -> bool:
        """Return whether the import of a source has this content; the first call sets it.

        The source may change later. Contents are the names that `examine` returns.
        """
        number = int(content[:_MARK_CHARS], 16) + 1
        known = self._imports.last_block(source)
        if known == 0:
            self._imports.note_block(ImportBlock(source, number))
        return known in (0, number)

    def run(
        self,
        name: str,
        rows: Iterable[InputRow],
        refused: Callable[[int, BadInput], None],
        settled: Callable[[ImportReport], None],
    ) -> ImportReport:
        """Count the rows, which must be all those of the import after its `last_line`.

        Calls `refused` with each invalid row's line and error, before the row is passed for good.
        Calls `settled` with the progress after each block. Raises `StoreUnavailable` if
        interrupted; run again to resume.
        """
        report = ImportReport()
        for block in _blocks(rows):
            report.line = block[-1].line
            shards = self._count(name, block, report, refused)
            self._settle(shards, _summed_up_to(name, report.line))
            settled(report)
        return report

    def _count(
        self,
        name: str,
        block: Sequence[InputRow],
        report: ImportReport,
        refused: Callable[[int, BadInput], None],
    ) -> set[int]:
        """Commit a block in every shard it has rows of; return these shards."""
        now_s = int(self._clock())
        schedule = BucketPlanner(self._grid, self._rollups, now_s)
        parts: dict[int, _Part] = {}
        touched: set[int] = set()
        for row in block:
            report.rows += 1
            try:
                event = self._event(row, now_s)
            except BadInput as fault:
                report.rejected += 1
                refused(row.line, fault)
                continue
            if len(schedule.moment(event.at_s).indices) == 1 < len(self._rollups):
                report.undated[f"{datetime.fromtimestamp(event.at_s, UTC):%Y-%m}"] += 1
            shard = shard_of(event.pk[0])
            touched.add(shard)
            if event.id is not None:
                alone = _Part(shard, self._make_batch(schedule))
                alone.add(event, self._visitor(event))
                self._commit(alone, _alone_at(name, row.line), now_s, report, event.id)
                continue
            if shard not in parts:
                parts[shard] = _Part(shard, self._make_batch(schedule))
            parts[shard].add(event, self._visitor(event))
        for part in parts.values():
            self._commit(part, _summed_up_to(name, block[-1].line), now_s, report)
        return touched

    def _commit(
        self,
        part: _Part,
        number: ImportBlock,
        now_s: int,
        report: ImportReport,
        id: str | None = None,
    ) -> None:
        outcome = commit(self._commits, part.shard, part.batch, now_s, id=id, block=number).outcome
        if outcome is CommitOutcome.COMMITTED:
            report.counted += part.rows
        else:
            report.before += part.rows

    def _event(self, row: InputRow, now_s: int) -> Event:
        if isinstance(row.fields, BadInput):
            raise row.fields
        if row.size_bytes > self._limits.event_bytes:
            most = f"at most {self._limits.event_bytes} bytes"
            raise TooLarge("event", f"{row.size_bytes} bytes", most)
        return parse_event(row.fields, now_s, self._limits)

    def _visitor(self, event: Event) -> str | None:
        return None if event.uid is None else self._name_of(event.uid)

    def _settle(self, shards: Iterable[int], number: ImportBlock) -> None:
        """Apply what was committed up to a block, then record the block as counted everywhere.

        The order matters: what an earlier run left in a plan is found again only until the block is
        recorded.
        """
        for shard in shards:
            while self._commits.apply_next(shard):
                pass
        self._imports.note_block(number)


@dataclass(slots=True)
class _Part:
    """Rows of one shard being summed."""

    shard: int
    batch: EventBatch
    rows: int = 0

    def add(self, event: Event, visitor: str | None) -> None:
        self.batch.add(event.pk, event.dimensions, event.at_s, event.metrics, visitor)
        self.rows += 1


def _alone_at(name: str, line: int) -> ImportBlock:
    return ImportBlock(name, 2 * line)


def _summed_up_to(name: str, line: int) -> ImportBlock:
    return ImportBlock(name, 2 * line + 1)


def _blocks(rows: Iterable[InputRow]) -> Iterator[list[InputRow]]:
    """Yield the rows in blocks of bounded cost."""
    block: list[InputRow] = []
    nodes = 0
    for row in rows:
        block.append(row)
        nodes += _nodes(row.fields)
        if len(block) >= BLOCK_ROWS or nodes >= BLOCK_NODES:
            yield block
            block, nodes = [], 0
    if block:
        yield block


def _nodes(fields: Mapping[str, object] | BadInput) -> int:
    """Return an upper bound of the (pk, dimension) nodes that a row counts at.

    Uses the plain values, not the parsed event: whether a row is valid depends on limits and time.
    """
    if isinstance(fields, BadInput):
        return 1
    labels = _labels(fields.get("dimensions")) + _labels(fields.get("dimension"))
    return _labels(fields.get("pk")) * labels


def _labels(value: object) -> int:
    """Return the number of keys and scalars in a plain value; None counts as one."""
    found = 0
    unseen = [value]
    while unseen:
        value = unseen.pop()
        if isinstance(value, dict):
            found += len(value)
            unseen.extend(value.values())
        elif isinstance(value, (list, tuple)):
            unseen.extend(value)
        else:
            found += 1
    return found
