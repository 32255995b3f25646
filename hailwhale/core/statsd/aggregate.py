"""What samples of StatsD add up to: the events and the gauges of an interval.

Owns what each kind of sample is counted as:

- a counter `shop.orders.revenue` is the metric `revenue` of the pk `shop > orders`, its values
  divided by their rate;
- a gauge is a metric that is set, and besides `depth_sum` and `depth_count` of the readings, whose
  quotient is the mean reading of any span; signed values change it, as StatsD has it;
- a set `site.visitors` is the pk of the same path: its members are uids, and `uniques` how many;
- a timing is `latency_sum`, `latency_count` and the buckets of its histogram.

In each of them `hits` is how many values there were, divided by their rate. Pure: the clock is an
argument, limits are too. It must not know the line protocol's text, buffers or stores.
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
    """How names and tags become pks, metrics and dimensions.

    `under` stands in front of every pk. With `whole_names` a name is a metric as it is, and `under`
    alone the pk. `tags` are those that count, None for all. With `absolute_gauges` a gauge's sign
    belongs to its value, as DogStatsD has it.
    """

    under: Path = ()
    whole_names: bool = False
    tags: frozenset[str] | None = None
    absolute_gauges: bool = False

    def place(self, sample: StatsdSample, limits: Limits) -> SamplePlace:
        """Where a sample counts; raises `BadInput` for a name or tags that cannot be counted.

        >>> from hailwhale.core.statsd.lines import parse_line
        >>> MetricNaming().place(parse_line(b"shop.orders.paid:1|c|#country:US"), Limits())
        SamplePlace(pk=('shop', 'orders'), metric='paid', dimensions=(('country', 'US'),))
        """
        name = "_".join(sample.name.split()).replace("/", "-")  # as StatsD's own server does
        labels = tuple([label for label in name.split(".") if label])
        if not labels:
            raise BadInput(LINE, sample.name, "a name")
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
    """A pk, a metric of it, and the dimensions of a sample."""

    pk: Path
    metric: str
    dimensions: tuple[Path, ...]


_Event = tuple[Path, tuple[Path, ...], int, str | None]  # pk, dimensions, at_s, uid
_Amounts = dict[tuple[str, Decimal], Decimal]  # by metric and rate


class StatsdSums:
    """Samples being summed up: `add` them, then `take` the events; gauges stay until `settled`.

    `size` is how many numbers are kept.

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
        """Add a sample, which is of `now_s` unless it says; raises `BadInput`, and adds nothing."""
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
        """The events of what was summed up, which is then let go of."""
        events, self._events, self._amounts = self._events, {}, 0
        return [
            fields for event, amounts in events.items() for fields in self._fields(event, amounts)
        ]

    def gauges(self) -> dict[SamplePlace, Decimal]:
        """The values to be set."""
        return dict(self._gauges)

    def settled(self, place: SamplePlace, value: Decimal) -> None:
        """A gauge was set; it is kept on if it has another value by now."""
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
        """An event, or several where it has more metrics than one may; their hits add up."""
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
    """What sampled values stand for."""
    if rate == 1:
        return amount
    found = _DIVIDING.divide(amount, rate).quantize(_ROUNDED, context=_DIVIDING)
    return Decimal(decimal_text(found))
