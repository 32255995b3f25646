"""Seeded traffic of which every single event can be found again in the sums.

Each event adds one digit of its own to a metric: event 7 of a group adds 10^7. Amounts go from
10^-30 to 10^29, the whole range allowed. So the digits of the group's total say how often each of
its 60 events was counted. Knows what an event looks like; nothing of how it is sent or stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from random import Random

Path = tuple[str, ...]

ROOTS = ("Product", "Zürich", "Mail", "_")
TRACER = "tracer"
TRACE_DIMENSION = "trace"
GROUP_SIZE = 60
_LOWEST_POWER = -30
_OPEN_GROUPS = 4  # at a time, so that a batch goes to several shards
_PRODUCTS = ("1", "2", "3", "none of these")
_SOME_LEAVES: tuple[tuple[Path, ...], ...] = (
    (),
    (("country", "US"),),
    (("country", "US"), ("device", "Mac OS X")),
    (("country", "CH", "ZH"), ("device", "☎")),
    (("tag", "x"), ("tag", "y")),
)
_REVENUES = ("19.99", "0.1", "-5.25", "1000000", "0.00000001", "123456789012345.67")
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400
_AGES_S = (
    *(0, 7 * _MINUTE_S, 40 * _MINUTE_S),  # kept by every rollup
    *(2 * _DAY_S, 20 * _DAY_S),  # past what 1m keeps
    *(60 * _DAY_S, 400 * _DAY_S),  # past what 1h keeps
    5 * 365 * _DAY_S,  # past what 1d keeps
    *(-3 * _HOUR_S, -20 * _HOUR_S),  # a sender's clock that is ahead
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One event, and how to find it: digit `digit` of the tracer total of `group` (a dimension).

    `sound` is False for one that is broken on purpose and must be refused.
    """

    pk: Path
    leaves: tuple[Path, ...]
    metrics: tuple[tuple[str, Decimal], ...]
    at_s: int
    group: str
    digit: int
    id: str | None
    sound: bool
    uid: str | None = None

    @property
    def fields(self) -> dict[str, object]:
        """The parameters of this event as plain values."""
        fields: dict[str, object] = {
            "pk": list(self.pk),
            "dimensions": [list(path) for path in self.leaves],
            "metrics": dict(self.metrics),
            "at": self.at_s,
        }
        optional = {"id": self.id, "uid": self.uid}
        return fields | {name: text for name, text in optional.items() if text is not None}


@dataclass(slots=True)
class _Group:
    name: str
    root: str
    at_s: int
    used: int = 0


class Traffic:
    """An endless stream of samples; `name` must differ between the streams of one run.

    Times are around `now_s`, in every class of age that the default rollups distinguish.
    """

    def __init__(self, seed: int, name: str, now_s: int) -> None:
        self._random = Random(f"{seed} {name}")
        self._visitors = Random(f"{seed} {name} visitors")
        self._name = name
        self._now_s = now_s
        self._groups = [self._new_group(number) for number in range(_OPEN_GROUPS)]
        self._next_group = _OPEN_GROUPS

    def requests(self) -> Iterator[list[Sample]]:
        """What goes into one request: mostly one sample, sometimes a batch."""
        while True:
            size = self._random.choice((1, 1, 1, 10, 60))
            yield [self._sample() for _ in range(size)]

    def _new_group(self, number: int) -> _Group:
        root = self._random.choice(ROOTS)
        return _Group(f"{self._name}.{number}", root, self._now_s - self._random.choice(_AGES_S))

    def _sample(self) -> Sample:
        random = self._random
        place = random.randrange(_OPEN_GROUPS)
        group = self._groups[place]
        digit, group.used = group.used, group.used + 1
        if group.used == GROUP_SIZE:
            self._groups[place] = self._new_group(self._next_group)
            self._next_group += 1
        sound = random.random() > 0.02
        return Sample(
            pk=(group.root, random.choice(_PRODUCTS)) if random.random() < 0.8 else (group.root,),
            leaves=(*random.choice(_SOME_LEAVES), (TRACE_DIMENSION, group.name)),
            metrics=tuple(self._metrics(digit, sound)),
            at_s=group.at_s,
            group=group.name,
            digit=digit,
            id=f"{group.name}/{digit}" if random.random() < 0.3 else None,
            sound=sound,
            uid=self._uid(),
        )

    def _uid(self) -> str | None:
        """A visitor, known or not: some come to many groups, some come once."""
        if self._visitors.random() < 0.6:
            return None
        return f"visitor {self._visitors.choice((30, 10_000))}.{self._visitors.randrange(30)}"

    def _metrics(self, digit: int, sound: bool) -> Iterator[tuple[str, Decimal]]:
        yield TRACER, Decimal(1).scaleb(digit + _LOWEST_POWER)
        if self._random.random() < 0.7:
            yield "revenue", Decimal(self._random.choice(_REVENUES))
        if self._random.random() < 0.2:
            yield "hits", Decimal(3)
        if not sound:
            yield "no:name", Decimal(1)


def times_counted(total: Decimal, digit: int) -> int:
    """How often the event of a digit is in the tracer total of its group.

    >>> times_counted(Decimal("2.001"), 30), times_counted(Decimal("2.001"), 29)
    (2, 0)
    """
    shifted = total.scaleb(-_LOWEST_POWER - digit)
    return int(shifted) % 10
