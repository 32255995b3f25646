"""The journal of a decision: who was given what and the result, one by one, for inspection.

Defines the format of an entry. Counts are stored elsewhere and exact. A journal is bounded, and an
entry may be missing if the store was unavailable when it was written.
"""

from __future__ import annotations

import json
import logging
import math
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hailwhale.core.decisions import Assignment
from hailwhale.core.events.paths import Path
from hailwhale.errors import StoreUnavailable
from hailwhale.store.protocol import JournalStore

log = logging.getLogger("hailwhale.journal")

_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


@dataclass(slots=True, kw_only=True)
class JournalEntry:
    """One decision, and the sums of the metrics that were counted for it since.

    `shares` are the propensities of the options for such a visitor. `given` is the option that the
    visitor got, with the propensity at the time it was drawn: the visitor may have kept it.
    """

    id: str
    at_s: int
    options: tuple[str, ...]
    shares: tuple[float, ...]
    given: Assignment
    dimensions: tuple[Path, ...]
    metrics: dict[str, float] = field(default_factory=dict)


class DecisionJournal:
    """Write the journals of decisions to the store, each of at most `most` entries."""

    def __init__(self, journals: JournalStore, most: int, clock: Callable[[], float]) -> None:
        self._journals = journals
        self._most = most
        self._clock = clock

    def decided(
        self,
        pk: Path,
        options: Sequence[str],
        shares: Sequence[float],
        given: Sequence[Assignment],
        dimensions: Sequence[Path],
    ) -> str:
        """Write what was given; return the id that links results to it.

        Several options given at once are one entry each under the same id.
        """
        id = secrets.token_urlsafe(9)
        at_s = int(self._clock())
        entries = [
            _text(
                id=id,
                at=at_s,
                options=list(options),
                shares=[_short(share) for share in shares],
                option=each.option,
                propensity=_short(each.propensity),
                dimensions=[list(path) for path in dimensions],
            )
            for each in given
        ]
        self._journals.append(pk, entries, self._most)
        return id

    def counted(
        self,
        pk: Path,
        id: str,
        option: str,
        metrics: Mapping[str, float],
        event: str | None = None,
    ) -> None:
        """Write the result of a decision; log, rather than raise, if that fails.

        `event` is the idempotency id of the result, if it has one: if the entry is there twice, it
        counts once.
        """
        once = {} if event is None else {"event": event}
        entry = _text(id=id, at=int(self._clock()), option=option, metrics=dict(metrics), **once)
        try:
            self._journals.append(pk, [entry], self._most)
        except StoreUnavailable as fault:
            log.warning("result counted, but not written to the decision log: %s", fault)

    def lines(self, pk: Path) -> Iterable[bytes]:
        """Return the stored entries, lines of JSON without line ends, oldest first."""
        return self._journals.read(pk)


def read_journal(lines: Iterable[bytes]) -> list[JournalEntry]:
    """Return the decisions in the lines of a journal, each with what was counted for it.

    Omits invalid lines, and results whose decision is missing.
    """
    found: dict[tuple[str, str], JournalEntry] = {}
    events: set[tuple[str, str, str]] = set()
    for line in lines:
        try:
            entry = json.loads(line)
            key = (entry["id"], entry["option"])
            if "metrics" not in entry:
                found[key] = _decided(entry)
            elif key in found and _is_new(entry, events):
                amounts = {name: float(each) for name, each in entry["metrics"].items()}
                if not all(map(math.isfinite, amounts.values())):
                    raise ValueError("amounts that are finite numbers")
                sums = found[key].metrics
                for name, amount in amounts.items():
                    sums[name] = sums.get(name, 0.0) + amount
        except _UNREADABLE as fault:
            log.warning("entry left out of the decision log: %r (%s)", line[:80], fault)
    return list(found.values())


def _is_new(entry: Mapping[str, str], events: set[tuple[str, str, str]]) -> bool:
    """Return whether a result is new; one without an idempotency id always is."""
    if "event" not in entry:
        return True
    event = (entry["id"], entry["option"], entry["event"])
    known = event in events
    events.add(event)
    return not known


def _short(number: float) -> float:
    """Round to six significant digits, so that a small propensity does not become 0."""
    return float(f"{number:.6g}")


def _decided(entry: Mapping[str, object]) -> JournalEntry:
    made: dict[str, object] = {"id": entry["id"], "at_s": entry["at"], "option": entry["option"]}
    dimensions, options, shares = entry["dimensions"], entry["options"], entry["shares"]
    if not isinstance(dimensions, list) or not isinstance(options, list):
        raise TypeError("options and dimensions are lists")
    if not isinstance(shares, list) or len(shares) != len(options):
        raise TypeError("as many shares as options")
    propensity = float(str(entry["propensity"]))
    if entry["option"] not in options or not 0 < propensity <= 1:
        raise ValueError("an option that was offered, with a propensity above 0")
    if not all(0 <= float(share) <= 1 for share in shares):
        raise ValueError("shares from 0 to 1")
    return JournalEntry(
        id=str(made["id"]),
        at_s=int(str(made["at_s"])),
        options=tuple(map(str, options)),
        shares=tuple(map(float, shares)),
        given=Assignment(str(made["option"]), propensity),
        dimensions=tuple(tuple(map(str, path)) for path in dimensions),
    )


def _text(**entry: object) -> bytes:
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode()
