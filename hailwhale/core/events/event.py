"""Parses events; the only parser for HTTP, the library and imports.

Defines the parameters of an event. Takes plain values and the current time. Knows nothing of where
they came from, which cells an event adds to, or how it is buffered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hailwhale.core.events.event_cost import refuse_costly
from hailwhale.core.events.limits import DEFAULT_LIMITS, Limits
from hailwhale.core.events.literals import parse_cached
from hailwhale.core.events.metrics import Metrics, parse_metrics
from hailwhale.core.events.param_names import Fields, normalize_names
from hailwhale.core.events.paths import Path, parse_dimensions, parse_label, parse_pk
from hailwhale.core.time.timestamp import parse_timestamp
from hailwhale.core.value_parsers import parse_name
from hailwhale.errors import BadInput

EVENT_PARAMETERS = ("pk", "dimensions", "metrics", "at", "id", "uid")
TOTAL_PARAMETERS = ("pk", "dimensions", "metrics")  # of an event that sets totals


@dataclass(frozen=True, slots=True)
class Event:
    """A parsed, validated event. `dimensions` are leaf paths; an empty tuple is the overall only.

    `at_s` is in epoch seconds. `id` makes the event count once however often it is sent. `uid`
    identifies the visitor and is never stored unhashed.
    """

    pk: Path
    dimensions: tuple[Path, ...]
    metrics: Mapping[str, Decimal]
    at_s: int
    id: str | None = None
    uid: str | None = None

    @property
    def numbers(self) -> int:
        """Return how many numbers it adds to at each pk and dimension: metrics, and its visitor."""
        return len(self.metrics) + (self.uid is not None)


def parse_event(
    fields: Fields,
    now_s: float,
    limits: Limits = DEFAULT_LIMITS,
    parameters: Sequence[str] = EVENT_PARAMETERS,
    *,
    add_hits: bool = True,
) -> Event:
    """Parse the parameters of an event; those of other names than `parameters` are refused.

    Values are plain already: a list or an object, not its JSON text. A `LazyLiteral` is parsed once
    and its result reused. Raises `BadInput` naming the parameter. The caller checks
    `limits.event_bytes`, because it sees the event as received. Without `add_hits` only the given
    metrics are counted, if any.

    >>> event = parse_event({"pk": ["Product", 123], "metric": {"sales": 2}}, now_s=1_767_225_600)
    >>> event.pk, event.dimensions, event.at_s
    (('Product', '123'), (), 1767225600)
    >>> event.metrics
    {'sales': Decimal('2'), 'hits': Decimal('1')}
    """
    if not isinstance(fields, Mapping):
        raise BadInput("event", fields, f"an object with {', '.join(parameters)}")
    found = normalize_names(fields, parameters)
    event = Event(
        parse_cached(found.get("pk"), parse_pk, limits),
        parse_cached(found.get("dimensions"), parse_dimensions, limits),
        parse_cached(
            found.get("metrics"), parse_metrics if add_hits else _parse_metrics_alone, limits
        ),
        parse_timestamp(found.get("at"), now_s),
        _parse_name(found.get("id"), limits, "id"),
        _parse_name(found.get("uid"), limits, "uid"),
    )
    refuse_costly(event.pk, event.dimensions, event.numbers, limits)
    return event


def _parse_metrics_alone(value: object, limits: Limits) -> Metrics:
    return parse_metrics(value, limits, add_hits=False)


def _parse_name(value: object, limits: Limits, parameter: str) -> str | None:
    name = parse_name(value, parameter)
    if name is None or (name == "" and parameter == "uid"):  # a page's slot that was left empty
        return None
    return parse_label(name, limits, parameter)
