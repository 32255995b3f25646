"""Parses query parameters: those of /totals, /plotpoints, /rank, /spy … and of the library.

Defines the parameters of queries and their defaults. Values are plain Python (a list, a dict, a
text): the web layer has already parsed their literals. Knows nothing of stores, or of how a query
is answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from hailwhale.core.events.limits import DEFAULT_LIMITS, Limits
from hailwhale.core.events.metrics import UNIQUES
from hailwhale.core.events.param_names import Fields, normalize_names
from hailwhale.core.events.paths import OVERALL, Path, parse_dimensions, parse_pk
from hailwhale.core.numbers import finite
from hailwhale.core.query.formula import Formula
from hailwhale.core.query.ranking import COLUMNS, Sort
from hailwhale.core.time.calendar_grid import Grid, parse_tzoffset, parse_zone
from hailwhale.core.time.period import DEFAULT, DEFAULT_TOTALS, Period
from hailwhale.core.value_parsers import (
    is_absent,
    parse_bool,
    parse_decimal,
    parse_enum,
    parse_int,
    parse_name,
    parse_texts,
)
from hailwhale.errors import BadInput

_COMMON = ("pk", "dimensions", "metrics", "periods", "tz", "tzoffset", "format")
PLOT_PARAMETERS = (*_COMMON, "depth", "threshold", "limit", "sort", "other")
RANK_PARAMETERS = (*_COMMON, "of", "depth", "threshold", "limit", "sort", "by")
TOTALS_PARAMETERS = _COMMON
QUANTILES_PARAMETERS = (*TOTALS_PARAMETERS, "shares")
SPY_PARAMETERS = ("pk", "uid", "limit", "live")
CHILDREN_PARAMETERS = ("pk", "dimensions", "depth")
BELOW_PARAMETERS = ("pk",)
RESET_PARAMETERS = ("pk", "dimensions")

DEFAULT_LIMIT = 10
MAX_ROWS = 1_000_000
DEFAULT_THRESHOLD = Decimal("0.1")
MAX_FORMULAS = 64
MAX_PERIODS = 32
MAX_SHARES = 100
DEFAULT_SHARES = (0.5, 0.95, 0.99)
DEFAULT_SPY_LIMIT = 100
MAX_SPY_LIMIT = 1_000
_MAX_OFFSET = 9999  # four digits


@dataclass(frozen=True, slots=True)
class TotalsQuery:
    """A query for sums over periods; `grid` is the requested zone, None for the service's."""

    pk: Path
    dimensions: tuple[Path, ...]
    formulas: tuple[Formula, ...]
    periods: tuple[Period, ...]
    grid: Grid | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotQuery:
    """A query for series over one period, and which descendants of the dimensions to include."""

    pk: Path
    dimensions: tuple[Path, ...]
    formulas: tuple[Formula, ...]
    period: Period
    grid: Grid | None
    depth: int
    threshold: Decimal
    limit: int
    sort: Sort
    other: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RankQuery:
    """A query for a ranking of the children of a pk's dimensions.

    With `of_pks` the children of the pk itself are ranked.
    `formulas[0]` is reported in full for each child; the children are ordered by the column `by` of
    `sort`.
    """

    pk: Path
    dimensions: tuple[Path, ...]
    of_pks: bool
    formulas: tuple[Formula, ...]
    period: Period
    grid: Grid | None
    depth: int
    threshold: Decimal
    limit: int
    sort: Sort
    by: str


@dataclass(frozen=True, slots=True)
class ChildrenQuery:
    """A query for the known descendants of some dimensions, `depth` levels down."""

    pk: Path
    dimensions: tuple[Path, ...]
    depth: int


class QuantilesQuery(NamedTuple):
    """A query for quantiles over periods: at `shares` of the values, for each metric."""

    question: TotalsQuery
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SpyQuestion:
    """A query for recent events: those at or below a pk, of one visitor if a uid is given."""

    pk: Path
    uid: str | None
    limit: int
    live: bool


def parse_totals(fields: Fields, limits: Limits = DEFAULT_LIMITS) -> TotalsQuery:
    """Parse the parameters of a totals query; see `TOTALS_PARAMETERS`."""
    return totals_query(normalize_names(fields, TOTALS_PARAMETERS), limits)


def totals_query(found: Fields, limits: Limits = DEFAULT_LIMITS) -> TotalsQuery:
    """Parse the parameters of a totals query whose names are already normalized."""
    periods = parse_texts(found.get("periods"), "period") or list(DEFAULT_TOTALS)
    if len(periods) > MAX_PERIODS:
        raise BadInput("period", periods, f"at most {MAX_PERIODS} periods")
    return TotalsQuery(
        parse_pk(found.get("pk"), limits),
        parse_requested_dimensions(found.get("dimensions"), limits),
        parse_formulas(found.get("metrics")),
        tuple(Period.parse(text, "period") for text in periods),
        _zone(found),
    )


def parse_plot(fields: Fields, limits: Limits = DEFAULT_LIMITS) -> PlotQuery:
    """Parse the parameters of a plotpoints query; see `PLOT_PARAMETERS`."""
    return plot_query(normalize_names(fields, PLOT_PARAMETERS), limits)


def plot_query(found: Fields, limits: Limits = DEFAULT_LIMITS) -> PlotQuery:
    """Parse the parameters of a plotpoints query whose names are already normalized."""
    formulas = parse_formulas(found.get("metrics"))
    depth = parse_int(found.get("depth"), "depth", 0, limits.depth, default=0)
    other = parse_bool(found.get("other"), "other")
    if other and any(UNIQUES in formula.metrics for formula in formulas):
        raise BadInput("other", found["other"], "no other=1 with uniques: they cannot be added up")
    return PlotQuery(
        pk=parse_pk(found.get("pk"), limits),
        dimensions=parse_requested_dimensions(found.get("dimensions"), limits),
        formulas=formulas,
        period=_period(found),
        grid=_zone(found),
        depth=depth,
        threshold=_threshold(found, DEFAULT_THRESHOLD if depth else Decimal(0)),
        limit=_limit(found),
        sort=_sort(found, formulas[0]),
        other=other,
    )


def parse_rank(fields: Fields, limits: Limits = DEFAULT_LIMITS) -> RankQuery:
    """Parse the parameters of a ranking; see `RANK_PARAMETERS`."""
    found = normalize_names(fields, RANK_PARAMETERS)
    formulas = parse_formulas(found.get("metrics"))
    dimensions = parse_requested_dimensions(found.get("dimensions"), limits)
    of_pks = parse_enum(found.get("of"), "of", ("dimensions", "pks")) == "pks"
    if of_pks and len(dimensions) > 1:
        raise BadInput("dimensions", found["dimensions"], "a single dimension when pks are ranked")
    depth = limits.depth if found.get("depth") == "all" else found.get("depth")
    return RankQuery(
        pk=parse_pk(found.get("pk"), limits),
        dimensions=dimensions,
        of_pks=of_pks,
        formulas=formulas,
        period=_period(found),
        grid=_zone(found),
        depth=parse_int(depth, "depth", 1, limits.depth, default=1),
        threshold=_threshold(found, Decimal(0)),
        limit=_limit(found),
        sort=_sort(found, formulas[0]),
        by=parse_enum(found.get("by"), "by", COLUMNS),
    )


def parse_children(fields: Fields, limits: Limits = DEFAULT_LIMITS) -> ChildrenQuery:
    """Parse the parameters of a subdimensions query; see `CHILDREN_PARAMETERS`."""
    found = normalize_names(fields, CHILDREN_PARAMETERS)
    return ChildrenQuery(
        parse_pk(found.get("pk"), limits),
        parse_requested_dimensions(found.get("dimensions"), limits),
        parse_int(found.get("depth"), "depth", 1, limits.depth, default=1),
    )


def parse_quantiles(fields: Fields, limits: Limits = DEFAULT_LIMITS) -> QuantilesQuery:
    """Parse the parameters of a quantiles query; see `QUANTILES_PARAMETERS`."""
    found = normalize_names(fields, QUANTILES_PARAMETERS)
    shares = parse_shares(found.pop("shares", None))
    return QuantilesQuery(totals_query(found, limits), shares)


def parse_shares(shares: object) -> tuple[float, ...]:
    """Parse shares of the values, each above 0 and at most 1.

    >>> parse_shares("0.5,0.999"), parse_shares(0.9), parse_shares(None)
    ((0.5, 0.999), (0.9,), (0.5, 0.95, 0.99))
    """
    if shares is None:
        return DEFAULT_SHARES
    given = shares.split(",") if isinstance(shares, str) else shares
    if isinstance(given, list | tuple) and len(given) > MAX_SHARES:
        raise BadInput("shares", shares, f"at most {MAX_SHARES} shares")
    numbers = [finite(each) for each in (given if isinstance(given, list | tuple) else [given])]
    found = tuple([float(number or 0) for number in numbers])
    if not found or not all(0 < share <= 1 for share in found):
        raise BadInput("shares", shares, "shares above 0 and at most 1, such as 0.5, 0.95")
    return found


def parse_spy(fields: Fields, limits: Limits = DEFAULT_LIMITS) -> SpyQuestion:
    """Parse the parameters of a spy query; see `SPY_PARAMETERS`."""
    found = normalize_names(fields, SPY_PARAMETERS)
    uid = parse_name(found.get("uid"), "uid")
    return SpyQuestion(
        parse_pk(found.get("pk"), limits),
        None if is_absent(uid) else str(uid),
        parse_int(found.get("limit"), "limit", 1, MAX_SPY_LIMIT, default=DEFAULT_SPY_LIMIT),
        parse_bool(found.get("live"), "live"),
    )


def parse_requested_dimensions(value: object, limits: Limits = DEFAULT_LIMITS) -> tuple[Path, ...]:
    """Parse the requested dimensions.

    The syntax is that of an event, but only the named paths are requested; `_` is the overall.

    >>> parse_requested_dimensions({"country": ["US", "CA"]})
    (('country', 'US'), ('country', 'CA'))
    >>> parse_requested_dimensions([["_"], ["country"]])
    ((), ('country',))
    """
    if (
        isinstance(value, list | tuple)
        and value
        and all(isinstance(v, list | tuple) for v in value)
    ):
        paths = [path for item in value for path in parse_dimensions(item, limits) or (OVERALL,)]
        if len(paths) > limits.paths:
            raise BadInput("dimensions", value, f"at most {limits.paths} paths")
        return tuple(dict.fromkeys(paths))
    return parse_dimensions(value, limits) or (OVERALL,)


def parse_formulas(value: object) -> tuple[Formula, ...]:
    """Parse the requested metrics: one, a list, or several separated by commas; default `hits`.

    >>> [formula.text for formula in parse_formulas("dollars, dollars/hits")]
    ['dollars', 'dollars/hits']
    """
    texts = parse_texts(value, "metrics") or ["hits"]
    if len(texts) > MAX_FORMULAS:
        raise BadInput("metrics", value, f"at most {MAX_FORMULAS} metrics")
    formulas = (Formula.parse(text, "metrics") for text in texts)
    return tuple({formula.text: formula for formula in formulas}.values())


def _threshold(found: Fields, default: Decimal) -> Decimal:
    value = found.get("threshold")
    if is_absent(value):
        return default
    expected = "a share of the parent from 0 to 1, such as 0.1"
    return parse_decimal(value, "threshold", 0, 1, expected)


def _period(found: Fields) -> Period:
    periods = parse_texts(found.get("periods"), "period") or [DEFAULT]
    if len(periods) != 1:
        raise BadInput("period", found["periods"], "a single period such as 1d:1mo")
    return Period.parse(periods[0], "period")


def _limit(found: Fields) -> int:
    return parse_int(found.get("limit"), "limit", 0, MAX_ROWS, default=DEFAULT_LIMIT)


def _sort(found: Fields, shown: Formula) -> Sort:
    """Return the requested sort; by default the formula `shown`, largest first."""
    sort = found.get("sort")
    if is_absent(sort):
        return Sort(shown, descending=True)
    if not isinstance(sort, str):
        raise BadInput("sort", sort, "a metric such as hits, or -hits for the largest first")
    return Sort.parse(sort)


def _zone(found: Fields) -> Grid | None:
    zone, offset = found.get("tz"), found.get("tzoffset")
    if not is_absent(zone) and not is_absent(offset):
        raise BadInput("tzoffset", offset, "either tz or tzoffset, not both")
    if not is_absent(zone):
        if not isinstance(zone, str):
            raise BadInput("tz", zone, "an IANA time zone such as Europe/Berlin")
        return parse_zone(zone, "tz")
    if not is_absent(offset):
        small = isinstance(offset, int) and -_MAX_OFFSET <= offset <= _MAX_OFFSET
        return parse_tzoffset(str(offset) if small else offset)
    return None
