"""Aggregates StatsD samples into the events and gauges of a flush interval.

Each sample type is counted as follows:

- a counter `shop.orders.revenue` is the metric `revenue` of the pk `shop > orders`; its values are
  divided by their sample rate;
- a gauge is a metric that is set. `depth_sum` and `depth_count` sum its readings, so their quotient
  is the mean reading of any time range. Signed values change the gauge, as in StatsD;
- a set `site.visitors` is the pk of the same path; its members are uids, counted by `uniques`;
- a timing is `latency_sum`, `latency_count` and the buckets of its histogram.

`hits` is the number of values divided by their rate, for every type. Pure: the clock and the limits
are arguments. Knows nothing of the line protocol, buffers or stores.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal

from hailwhale.core.events.aggregate import EXACT
from hailwhale.core.events.histogram import bucket_metric
from hailwhale.core.events.limits import Limits
from hailwhale.core.events.metrics import HITS, parse_metric_name
from hailwhale.core.events.paths import Path, parse_dimensions, parse_pk
from hailwhale.core.numbers import decimal_text
from hailwhale.core.statsd.lines import LINE, SampleType, StatsdSample
from hailwhale.errors import BadInput

SUM, COUNT = "_sum", "_count"

_PLACES_KNOWN = 50_000
_ROUNDED = Decimal("1e-12")  # sampled values alone: 1/0.3 has no end
_DIVIDING = Context(prec=80, rounding=ROUND_HALF_EVEN)
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class MetricNaming:
    """Map names and tags to pks, metrics and dimensions.

    `under` is the prefix of every pk. With `whole_names` a name is used unchanged as the metric,
    and `under` alone is the pk. `tags` are the tags to keep, None for all. With `absolute_gauges`
    the sign belongs to the gauge's value, as in DogStatsD.
    """

    under: Path = ()
    whole_names: bool = False
    tags: frozenset[str] | None = None
    absolute_gauges: bool = False

    def place(self, sample: StatsdSample, limits: Limits) -> SamplePlace:
        """Return where a sample is counted; raise `BadInput` for an invalid name or tag.

        >>> from hailwhale.core.statsd.lines import parse_line
        >>> MetricNaming().place(parse_line(b"shop.orders.paid:1|c|#country:US"), Limits())
        SamplePlace(pk=('shop', 'orders'), metric='paid', dimensions=(('country', 'US'),))
        """
        name = "_".join(sample.name.split()).replace("/", "-")  # as StatsD's own server does
        labels = tuple([label for label in name.split(".") if label])
        if not labels:
            raise BadInput(
                LINE, sample.name, "a metric name with at least one label, such as shop.orders"
            )
        above = () if self.whole_names else labels[:-1]
        metric = name if self.whole_names else labels[-1]
        if sample.kind is SampleType.SET:
            above = (name,) if self.whole_names else labels
        else:
            parse_metric_name(f"{metric}{COUNT}", limits, LINE)
        chosen = [tag for tag in sample.tags if self.tags is None or tag[0] in self.tags]
        paths = sorted(set(chosen))
        if (
            sample.kind is SampleType.GAUGE and paths
        ):  # it can be set in one place only: they make one
            paths = [tuple([label for path in paths for label in path])]
        pk = parse_pk([*self.under, *above] or None, limits, LINE)
        return SamplePlace(
            pk, metric, parse_dimensions([list(path) for path in paths], limits, LINE)
        )


@dataclass(frozen=True, slots=True)
class SamplePlace:
    """The pk, metric and dimensions of a sample."""

    pk: Path
    metric: str
    dimensions: tuple[Path, ...]


_Event = tuple[Path, tuple[Path, ...], int, str | None]  # pk, dimensions, at_s, uid
_Amounts = dict[tuple[str, Decimal], Decimal]  # by metric and rate


class StatsdSums:
    """Aggregate samples: `add` them, then `take` the events; gauges stay until `settled`.

    `size` is the number of values held.

    >>> from hailwhale.core.statsd.lines import parse_line
    >>> sums = StatsdSums(MetricNaming(), Limits())
    >>> for line in (b"shop.sold:2|c", b"shop.sold:3|c|@0.5"):
    ...     sums.add(parse_line(line), now_s=1_767_225_600)
    >>> [event["metrics"] for event in sums.take()]
    [{'hits': Decimal('3'), 'sold': Decimal('8')}]
    """

    def __init__(self, naming: MetricNaming, limits: Limits) -> None:
        self._naming = naming
        self._limits = limits
        self._places: dict[tuple[str, SampleType, tuple[Path, ...]], SamplePlace] = {}
        self._events: dict[_Event, _Amounts] = {}
        self._gauges: dict[SamplePlace, Decimal] = {}
        self._amounts = 0

    @property
    def size(self) -> int:
        return self._amounts + len(self._gauges)

    def add(self, sample: StatsdSample, now_s: int) -> None:
        """Add a sample at its own time or `now_s`; raise `BadInput` without adding anything."""
        place = self._place(sample)
        at_s = now_s if sample.at_s is None else sample.at_s
        if sample.kind is SampleType.SET:
            for text in sample.texts:
                self._count((place.pk, place.dimensions, at_s, text), HITS, _ONE)
            return
        event = (place.pk, place.dimensions, at_s, None)
        for text, amount in zip(sample.texts, sample.amounts, strict=True):
            if sample.kind is SampleType.GAUGE:
                signed = text.strip()[:1] in ("+", "-") and not self._naming.absolute_gauges
                self._gauge(place, event, amount, signed=signed)
                continue
            self._count(event, HITS, _ONE, sample.rate)
            if sample.kind is SampleType.COUNTER:
                self._count(event, place.metric, amount, sample.rate)
                continue
            self._count(event, place.metric + SUM, amount, sample.rate)
            self._count(event, place.metric + COUNT, _ONE, sample.rate)
            self._count(event, bucket_metric(place.metric, amount), _ONE, sample.rate)

    def take(self) -> list[dict[str, object]]:
        """Return the events of the interval and clear them."""
        events, self._events, self._amounts = self._events, {}, 0
        return [
            fields for event, amounts in events.items() for fields in self._fields(event, amounts)
        ]

    def gauges(self) -> dict[SamplePlace, Decimal]:
        """Return the gauges to set, with their values."""
        return dict(self._gauges)

    def settled(self, place: SamplePlace, value: Decimal) -> None:
        """Mark a gauge as set; keep it if its value has changed meanwhile."""
        if self._gauges.get(place) == value:
            del self._gauges[place]

    def _place(self, sample: StatsdSample) -> SamplePlace:
        key = (sample.name, sample.kind, sample.tags)
        found = self._places.get(key)
        if found is None:
            found = self._naming.place(sample, self._limits)
            if len(self._places) >= _PLACES_KNOWN:
                self._places.clear()
            self._places[key] = found
        return found

    def _gauge(self, place: SamplePlace, event: _Event, amount: Decimal, *, signed: bool) -> None:
        self._count(event, HITS, _ONE)
        if signed:
            waiting = self._gauges.get(place)
            if waiting is None:
                self._count(event, place.metric, amount)
            else:
                self._gauges[place] = EXACT.add(waiting, amount)
            return
        self._gauges[place] = amount
        self._count(event, place.metric + SUM, amount)
        self._count(event, place.metric + COUNT, _ONE)

    def _count(self, event: _Event, metric: str, amount: Decimal, rate: Decimal = _ONE) -> None:
        amounts = self._events.setdefault(event, {})
        before = amounts.get((metric, rate))
        if before is None:
            self._amounts += 1
            amounts[metric, rate] = amount
        else:
            amounts[metric, rate] = EXACT.add(before, amount)

    def _fields(self, event: _Event, amounts: _Amounts) -> list[dict[str, object]]:
        """Yield the fields of an event, split if it has more metrics than the limit.

        The hits of the parts add up to those of the whole.
        """
        pk, dimensions, at_s, uid = event
        sums: dict[str, Decimal] = {}
        for (metric, rate), amount in amounts.items():
            sums[metric] = EXACT.add(sums.get(metric, Decimal(0)), _scaled(amount, rate))
        hits = sums.pop(HITS, Decimal(0))
        names, most = list(sums), max(1, self._limits.metrics - 1)
        found: list[dict[str, object]] = []
        for start in range(0, max(1, len(names)), most):
            metrics = {name: sums[name] for name in names[start : start + most]}
            metrics = {HITS: Decimal(0) if start else hits, **metrics}
            fields: dict[str, object] = {
                "pk": list(pk),
                "dimensions": [list(path) for path in dimensions],
            }
            fields |= {"metrics": metrics, "at": at_s}
            found.append(fields if uid is None else fields | {"uid": uid})
        return found


def _scaled(amount: Decimal, rate: Decimal) -> Decimal:
    """Divide a sampled amount by its rate."""
    if rate == 1:
        return amount
    found = _DIVIDING.divide(amount, rate).quantize(_ROUNDED, context=_DIVIDING)
    return Decimal(decimal_text(found))
