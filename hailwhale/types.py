"""Types of the public API: what parameters take and what methods return.

Parameters (`...Like`) list the Python values that stand for one thing. Results are described with
their shapes and units; every number in them is exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict
from zoneinfo import ZoneInfo

from hailwhale.core.numbers import Number
from hailwhale.core.time.period import Period

__all__ = [
    "DimensionsLike",
    "FormulasLike",
    "GraphOptions",
    "GraphView",
    "Known",
    "Label",
    "LengthLike",
    "MetricsLike",
    "Number",
    "OptionNumbers",
    "OptionReasons",
    "OptionsLike",
    "PathLike",
    "PeriodLike",
    "PeriodsLike",
    "Plotpoints",
    "RankColumn",
    "RankRow",
    "Reasons",
    "SampleRatio",
    "SharesLike",
    "SpyEvent",
    "Subdimensions",
    "ThresholdLike",
    "TimeLike",
    "Totals",
    "Verdict",
    "ZoneLike",
]

# --- What parameters take -------------------------------------------------------------------------

#: One label. A number or boolean is the same label as its text, so 7 is "7" and True is "true".
Label: TypeAlias = str | int | float | Decimal

#: What a pk is given as. One label, or a list of labels from the root down, ["Product", 7].
PathLike: TypeAlias = Label | Sequence[Label]

#: Dimensions. A label; a list of labels, which is one path; a list of such lists, which is several
#: paths; or a nested mapping. `{"country": {"US": "NY"}, "tag": ["x", "y"]}` stands for the paths
#: country > US > NY, tag > x and tag > y. Keys are labels. "_" is the overall.
DimensionsLike: TypeAlias = (
    Label
    | Sequence[Label]
    | Sequence[Sequence[Label]]
    | Mapping[Any, Label | Sequence[Label | Mapping[Any, Any]] | Mapping[Any, Any]]
)

#: The metrics of an event. A mapping of names to amounts, or one name or a list of names that
#: count 1 each. An amount may be numeric text, such as "19.99".
MetricsLike: TypeAlias = str | Sequence[str] | Mapping[str, Number | str]

#: Metrics to query. A name or a formula ("dollars/hits"), several separated by commas, or a list.
FormulasLike: TypeAlias = str | Sequence[str]

#: A period. Its text (`"1d:1mo"`, `"today"`) or a `Period`. A timedelta is the time of that length
#: up to now. A date is that day. A tuple of two dates is the first and the last day. A datetime is
#: accepted as a date if it is at midnight. Days are those of the service's time zone.
PeriodLike: TypeAlias = str | Period | timedelta | date | tuple[date, date]

#: One or several periods. A `PeriodLike`, text with commas between, or a list of periods.
PeriodsLike: TypeAlias = PeriodLike | Sequence[PeriodLike]

#: When an event happened. Epoch seconds as a number or text (milliseconds from 10^11 on), ISO 8601
#: text, a datetime, or a date, which means its midnight. Without an offset it is UTC.
TimeLike: TypeAlias = int | float | Decimal | str | date

#: A length of time. Text such as "12h" or "30d", or a timedelta of whole seconds.
LengthLike: TypeAlias = str | timedelta

#: A time zone. Its IANA name, such as "Europe/Berlin", or a ZoneInfo.
ZoneLike: TypeAlias = str | ZoneInfo

#: The options of a decision. Labels in a list, or text with commas between.
OptionsLike: TypeAlias = Label | Sequence[Label]

#: One number for every option, or a number by option, such as `{"a": 1, "b": 3}`.
OptionNumbers: TypeAlias = Number | Mapping[str, Number]

#: Shares of values. One or several numbers above 0 and at most 1, or text with commas between.
SharesLike: TypeAlias = Number | str | Sequence[Number | str]

#: A share from 0 to 1, as a number or as numeric text.
ThresholdLike: TypeAlias = Number | str

RankColumn: TypeAlias = Literal["value", "share", "difference", "relative", "importance"]
GraphView: TypeAlias = Literal["line", "area", "stacked", "bar", "table", "number"]
Verdict: TypeAlias = Literal["good", "bad", "test"]


class GraphOptions(TypedDict, total=False):
    """Further options of a graph; `docs/widget.rst` describes each one."""

    dimension: DimensionsLike | None
    metric: FormulasLike | None
    periods: PeriodLike | None
    threshold: ThresholdLike | None
    limit: int | None
    sort: str | None
    other: bool | None
    tz: ZoneLike | None
    tzoffset: int | str | None
    title: str | None
    view: GraphView | None
    area: bool | None
    height: int | None  # CSS pixels
    width: int | None  # CSS pixels
    theme: Literal["auto", "light", "dark"] | None
    table: bool | None
    controls: bool | None
    legend: bool | None
    live: bool | None
    interval: int | None  # seconds between two refreshes of a live graph
    axis2: str | None
    compare: PeriodLike | None
    locale: str | None


# --- What methods return --------------------------------------------------------------------------

#: `{period: {dimension: {metric: number}}}`. The key of a period is its text as it was asked
#: ("1d:1mo"). The key of a dimension is its label, or the JSON text of its path such as
#: '["country", "US"]', and "_" for the overall. The key of a metric is its name or formula.
Totals: TypeAlias = dict[str, dict[str, dict[str, Number]]]

#: `{dimension: {metric: [[start, number], ...]}}`. A pair for each bucket of the period, oldest
#: first. `start` is when the bucket begins, in epoch milliseconds.
Plotpoints: TypeAlias = dict[str, dict[str, list[list[Number]]]]

#: `{dimension: [dimension, ...]}`. The dimensions below each one that was asked.
Subdimensions: TypeAlias = dict[str, list[str]]


class RankRow(TypedDict):
    """One row of a ranking: a `dimension` or, where pks are ranked, a `pk`, keyed as in `Totals`.

    The numbers are those of the first metric asked for: `value` is its total over the period and
    `parent_value` the parent's; `share` is the part of the parent (1 is all of it); `difference` is
    value less parent_value, and `relative` that by the size of parent_value. `importance` is by how
    many per cent the parent's value changes when everything below the child grows by one per cent.
    A quotient by 0 is None, and so is what depends on it. `metrics` has the value of every metric
    asked for.
    """

    dimension: NotRequired[str]
    pk: NotRequired[str]
    value: Number | None
    share: Number | None
    parent_value: Number | None
    difference: Number | None
    relative: Number | None
    importance: Number | None
    metrics: dict[str, Number | None]


class OptionReasons(TypedDict):
    """The evidence for one option for a visitor.

    `estimate` is the value of the formula, and `interval` its 95 % credible interval. `best` is the
    probability that no other option is better, and `loss` the expected shortfall against the best
    one. `share` is the part of visitors that get it now (1 is all), and `hits` how often it was
    exposed. `reason` says in words which dimension moved the estimate most.
    """

    estimate: float
    interval: list[float]
    best: float
    loss: float
    share: float
    hits: float
    verdict: Verdict
    reason: str


class SampleRatio(TypedDict):
    """How often each option was assigned and shown, over all time.

    `p` is the probability of a difference as large as this if nothing is wrong; None if it cannot
    be computed. `warning` is present when the two numbers are inconsistent.
    """

    decided: dict[str, int]
    exposed: dict[str, int]
    p: float | None
    warning: NotRequired[str]


class Reasons(TypedDict):
    """The evidence for every option; `winner` is one that can be adopted for good, or None."""

    options: dict[str, OptionReasons]
    winner: str | None
    sample_ratio: SampleRatio


class SpyEvent(TypedDict):
    """An event as it was counted. `at` is in epoch seconds; `"***"` stands for what is private.

    `visitor` is the hash of the event's `uid`, if it had one.
    """

    at: int
    pk: list[str]
    dimensions: list[list[str]]
    metrics: dict[str, Number | str]
    visitor: NotRequired[str]


class Known(TypedDict):
    """What can be asked about a pk: names of metrics, and dimensions one label deep.

    `decision` says whether exposures of options were counted under it.
    """

    metrics: list[str]
    dimensions: list[str]
    decision: bool
