"""The spy log: the newest events of a root pk or of a visitor, for inspecting what arrives.

Selects the hits of a window to keep, what is shown of them, and how they are erased. The step that
counts hits also writes them, so the log costs no round trip and holds only counted hits. It is not
a count: during bursts only the newest hits are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from hailwhale.core.decisions.exposure import PRODUCT_SIGN
from hailwhale.core.events.event import Event
from hailwhale.core.events.hit_codec import decode_amount, decode_head, decode_instant, split_hit
from hailwhale.core.events.paths import PAIRS, Path
from hailwhale.core.query.parameters import SpyQuestion
from hailwhale.services.ingest.visitor_ids import VisitorHasher
from hailwhale.store.protocol import SpyStore
from hailwhale.store.redis.spy_log import SIGNS
from hailwhale.store.types import SpyEntries

MASK = "***"

_LOOKED_AT = 10_000  # hits at the end of a window that are examined, and
_KEPT_AT_ONCE = 2_000  # how many of them a step keeps: bounds the cost for the drain
_MOST_OF_A_ROOT = 1_000
_ALL = 1_000_000


RecentHit = tuple[str, bytes]  # a root pk and a hit


@dataclass(frozen=True, slots=True)
class SpyRule:
    """The size of the spy log: `most` events per list (0: none), kept `kept_s` after the newest."""

    most: int
    kept_s: int

    def of(self, seen: Sequence[RecentHit]) -> SpyEntries | None:
        """Return the newest of the given hits, each with its root pk, as entries of the log."""
        if not self.most or not seen:
            return None
        by_root: dict[str, list[bytes]] = {}
        for root, hit in seen[-_MOST_OF_A_ROOT:]:
            by_root.setdefault(root, []).append(hit)
        return SpyEntries(by_root, self.most, self.kept_s)

    def last_of(
        self, hits: Sequence[bytes], roots: Mapping[bytes, str], dead: Container[bytes]
    ) -> SpyEntries | None:
        """Return the newest hits of a window by root pk; `roots` maps heads to root pks."""
        if not self.most:
            return None
        found: dict[str, list[bytes]] = {}
        left, most = _KEPT_AT_ONCE, min(self.most, _MOST_OF_A_ROOT)
        for hit in reversed(hits[-_LOOKED_AT:]):
            parts = hit.split(b"\t", 2)
            root = roots.get(parts[1]) if len(parts) == 3 else None
            if root is None or hit in dead:
                continue
            kept = found.setdefault(root, [])
            if len(kept) < most:
                kept.append(hit)
                left -= 1
                if not left:
                    break
        by_root = {root: kept[::-1] for root, kept in found.items() if kept}
        return SpyEntries(by_root, self.most, self.kept_s) if by_root else None


NOT_SPIED = SpyRule(0, 0)


@dataclass(frozen=True, slots=True)
class RecentEvent:
    """An event as the spy log shows it; private labels and visitors read `MASK`.

    Private metrics are None. `visitor` is the hash of the uid, empty if there was none.
    """

    at_s: int
    pk: Path
    dimensions: tuple[Path, ...]
    metrics: Mapping[str, Decimal | None]
    visitor: str


@dataclass(frozen=True, slots=True)
class RecentPage:
    """Events, newest first, and the number to request the ones after them with."""

    number: int
    events: tuple[RecentEvent, ...]


class RecentEvents:
    """Read the spy log; `private` lists dimensions, metrics or `uid` to mask."""

    def __init__(
        self, log: SpyStore, visitors: VisitorHasher, private: Sequence[str], most: int
    ) -> None:
        self._log = log
        self._visitors = visitors
        self._private = frozenset(private)
        self._most = most

    def recent(self, question: SpyQuestion) -> tuple[RecentEvent, ...]:
        """Return the newest events, newest first."""
        return self.since(question, None).events

    def since(self, question: SpyQuestion, number: int | None) -> RecentPage:
        """Return the events since `number`, newest first, and the number for the next call.

        Events that arrived between two calls are included as far as the log goes back. With None,
        returns everything in the log.
        """
        root = question.pk[0]
        visitor = None if question.uid is None else self._visitors.name(question.uid)
        live = number is not None
        seen = self._log.read(root, None if live else visitor, max(self._most, 1))
        hits = seen.hits
        if number is not None:
            fresh = min(max(0, seen.number - number), len(hits))
            hits = hits[len(hits) - fresh :]
        shown: list[RecentEvent] = []
        for hit in reversed(hits):
            event, who = read_hit(hit)
            if _is_below(event.pk, question.pk) and visitor in (None, who):
                shown.append(self._shown(event, who))
                if len(shown) == question.limit:
                    break
        return RecentPage(seen.number, tuple(shown))

    def erase(self, pk: Path, dimension: Path = ()) -> None:
        """Erase the events at or below a pk and at or below a dimension."""

        def goes(event: Event, _who: str) -> bool:
            at = any(_is_below(path, dimension) for path in event.dimensions)
            return _is_below(event.pk, pk) and (at or not dimension)

        for sign in (None, *SIGNS):
            self._erase(pk[0], sign, goes)

    def forget(self, root: str, uid: str) -> int:
        """Erase the events of a visitor under a root pk; return how many there were."""
        visitor = self._visitors.name(uid)

        def goes(_event: Event, who: str) -> bool:
            return who == visitor

        return max(self._erase(root, visitor, goes), self._erase(root, None, goes))

    def _erase(self, root: str, visitor: str | None, goes: Callable[[Event, str], bool]) -> int:
        hits = self._log.read(root, visitor, _ALL).hits
        going = [hit for hit in hits if goes(*read_hit(hit))]
        self._log.erase(root, dict.fromkeys(going))
        return len(going)

    def _shown(self, event: Event, who: str) -> RecentEvent:
        """Return an event as it is shown, with private parts masked."""
        return RecentEvent(
            at_s=event.at_s,
            pk=event.pk,
            dimensions=tuple([self._path(path) for path in event.dimensions if path[0] != PAIRS]),
            metrics={
                name: None if name in self._private else amount
                for name, amount in event.metrics.items()
                if PRODUCT_SIGN not in name
            },
            visitor=MASK if who and "uid" in self._private else who,
        )

    def _path(self, path: Path) -> Path:
        if path[0] not in self._private:
            return path
        return (path[0], *(MASK for _ in path[1:]))


class CountedEvent(NamedTuple):
    """An event that was counted, and the hash of its visitor, or ""."""

    event: Event
    visitor: str


def read_hit(hit: bytes) -> CountedEvent:
    """Return the event that a hit stands for."""
    at, head, numbers, visitor = split_hit(hit)
    found = decode_head(head)
    amounts = [Decimal(decode_amount(number)) for number in numbers.split(b",")]
    metrics = dict(zip(found.metrics, amounts, strict=True))
    event = Event(found.pk, found.dimensions, metrics, decode_instant(at))
    return CountedEvent(event, visitor.decode())


def _is_below(path: Path, above: Path) -> bool:
    return path[: len(above)] == above
