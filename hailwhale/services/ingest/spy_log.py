"""The spy log: the last events of a root pk or of a visitor, to look at what comes in.

Owns which hits of a window are kept, what of them is shown, and how they are erased. It is written
in the step that counts them, so it costs no round trip and holds what was counted. It is no count:
of many hits at once only the last are in it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hailwhale.core.decisions.exposure import PRODUCT_SIGN
from hailwhale.core.events.event import Event
from hailwhale.core.events.hit_codec import decode_amount, decode_head, decode_instant, split_hit
from hailwhale.core.events.limits import DEFAULT_LIMITS, Limits
from hailwhale.core.events.param_names import normalize_names
from hailwhale.core.events.paths import PAIRS, Path, parse_pk
from hailwhale.core.numbers import as_number
from hailwhale.core.query.parameters import flag, whole
from hailwhale.errors import BadInput
from hailwhale.services.ingest.visitor_ids import VisitorHasher
from hailwhale.store.protocol import Store
from hailwhale.store.redis.spy_log import SIGNS
from hailwhale.store.types import SpyEntries
from hailwhale.types import SpyEvent

SPY_PARAMETERS = ("pk", "uid", "limit", "live")
DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000
MASK = "***"

_LOOKED_AT = 10_000  # hits at the end of a window that are looked at, and
_KEPT_AT_ONCE = 2_000  # how many of them a step keeps: bounds what the spy log costs the drain
_MOST_OF_A_ROOT = 1_000
_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class SpyQuestion:
    """Whose events: those at or below a pk, of a visitor by its uid if one is given."""

    pk: Path
    uid: str | None
    limit: int
    live: bool


def parse_spy(fields: Mapping[str, object], limits: Limits = DEFAULT_LIMITS) -> SpyQuestion:
    """Read the parameters of a look into the spy log; see `SPY_PARAMETERS`."""
    found = normalize_names(fields, SPY_PARAMETERS)
    uid = found.get("uid")
    if uid is not None and (isinstance(uid, bool) or not isinstance(uid, str | int)):
        raise BadInput("uid", uid, "text or a whole number")
    return SpyQuestion(
        parse_pk(found.get("pk"), limits),
        None if uid is None or uid == "" else str(uid),
        whole(found.get("limit"), "limit", 1, MAX_LIMIT, default=DEFAULT_LIMIT),
        flag(found.get("live"), "live"),
    )


RecentHit = tuple[str, bytes]  # a root pk and a hit


@dataclass(frozen=True, slots=True)
class SpyRule:
    """How much is kept: `most` events a list (0: none at all), until none came for `kept_s`."""

    most: int
    kept_s: int

    def of(self, seen: Sequence[RecentHit]) -> SpyEntries | None:
        """The last of some hits, each with its root pk."""
        if not self.most or not seen:
            return None
        by_root: dict[str, list[bytes]] = {}
        for root, hit in seen[-_MOST_OF_A_ROOT:]:
            by_root.setdefault(root, []).append(hit)
        return SpyEntries(by_root, self.most, self.kept_s)

    def last_of(
        self, hits: Sequence[bytes], roots: Mapping[bytes, str], dead: Container[bytes]
    ) -> SpyEntries | None:
        """The last hits of a window, by root pk; `roots` tells the root of each head."""
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


class RecentEvents:
    """Looks into the spy log. `private` are dimensions, metrics or `uid` that are masked."""

    def __init__(
        self, store: Store, visitors: VisitorHasher, private: Sequence[str], most: int
    ) -> None:
        self._store = store
        self._visitors = visitors
        self._private = frozenset(private)
        self._most = most

    def recent(self, question: SpyQuestion) -> list[SpyEvent]:
        """The last events, newest first."""
        return self.since(question, None)[1]

    def since(self, question: SpyQuestion, number: int | None) -> tuple[int, list[SpyEvent]]:
        """The number to ask with the next time, and the events since `number`, newest first.

        Those that came while nobody asked are there as far as the log goes back; with None, all
        that it has.
        """
        root = question.pk[0]
        visitor = None if question.uid is None else self._visitors.name(question.uid)
        live = number is not None
        seen = self._store.seen(root, None if live else visitor, max(self._most, 1))
        hits = seen.hits
        if number is not None:
            fresh = min(max(0, seen.number - number), len(hits))
            hits = hits[len(hits) - fresh :]
        shown: list[SpyEvent] = []
        for hit in reversed(hits):
            event, who = read_hit(hit)
            if _is_below(event.pk, question.pk) and visitor in (None, who):
                shown.append(self._shown(event, who))
                if len(shown) == question.limit:
                    break
        return seen.number, shown

    def erase(self, pk: Path, dimension: Path = ()) -> None:
        """Erase the events at or below a pk, and at or below one dimension."""

        def goes(event: Event, _who: str) -> bool:
            at = any(_is_below(path, dimension) for path in event.dimensions)
            return _is_below(event.pk, pk) and (at or not dimension)

        for sign in (None, *SIGNS):
            self._erase(pk[0], sign, goes)

    def forget(self, root: str, uid: str) -> int:
        """Erase the events of a visitor under a root pk; how many there were."""
        visitor = self._visitors.name(uid)

        def goes(_event: Event, who: str) -> bool:
            return who == visitor

        return max(self._erase(root, visitor, goes), self._erase(root, None, goes))

    def _erase(self, root: str, visitor: str | None, goes: Callable[[Event, str], bool]) -> int:
        hits = self._store.seen(root, visitor, _ALL).hits
        going = [hit for hit in hits if goes(*read_hit(hit))]
        self._store.erase_seen(root, dict.fromkeys(going))
        return len(going)

    def _shown(self, event: Event, who: str) -> SpyEvent:
        """An event as it is told, with what is private masked."""
        shown: SpyEvent = {
            "at": event.at_s,
            "pk": list(event.pk),
            "dimensions": [self._path(path) for path in event.dimensions if path[0] != PAIRS],
            "metrics": {
                name: MASK if name in self._private else as_number(amount)
                for name, amount in event.metrics.items()
                if PRODUCT_SIGN not in name
            },
        }
        if who:
            shown["visitor"] = MASK if "uid" in self._private else who
        return shown

    def _path(self, path: Path) -> list[str]:
        if path[0] not in self._private:
            return list(path)
        return [path[0], *(MASK for _ in path[1:])] if len(path) > 1 else [path[0]]


def read_hit(hit: bytes) -> tuple[Event, str]:
    """The event that a hit stands for, and its visitor or ""."""
    at, head, numbers, visitor = split_hit(hit)
    found = decode_head(head)
    amounts = [Decimal(decode_amount(number)) for number in numbers.split(b",")]
    metrics = dict(zip(found.metrics, amounts, strict=True))
    return Event(found.pk, found.dimensions, metrics, decode_instant(at)), visitor.decode()


def _is_below(path: Path, above: Path) -> bool:
    return path[: len(above)] == above
