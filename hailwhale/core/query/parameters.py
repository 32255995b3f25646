"""Questions, parsed once at the edge: what /totals, /plotpoints, /rank and the library ask.

Owns the parameters of a question and their defaults. It does not answer: it must not know stores.
Values are plain Python (a list, a dict, a text): the web layer has already read its literals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hailwhale.core.events.limits import DEFAULT_LIMITS, Limits
from hailwhale.core.events.metrics import UNIQUES
from hailwhale.core.events.param_names import normalize_names
from hailwhale.core.events.paths import OVERALL, Path, parse_dimensions, parse_pk
from hailwhale.core.numbers import finite
from hailwhale.core.query.formula import Formula
from hailwhale.core.query.ranking import COLUMNS, Sort
from hailwhale.core.time.calendar_grid import Grid, parse_tzoffset, parse_zone
from hailwhale.core.time.period import DEFAULT, DEFAULT_TOTALS, Period
from hailwhale.errors import BadInput

Fields = Mapping[str, object]

_COMMON = ("pk", "dimensions", "metrics", "periods", "tz", "tzoffset", "format")
PLOT_PARAMETERS = (*_COMMON, "depth", "threshold", "limit", "sort", "other")
RANK_PARAMETERS = (*_COMMON, "of", "depth", "threshold", "limit", "sort", "by")
TOTALS_PARAMETERS = _COMMON
CHILDREN_PARAMETERS = ("pk", "dimensions", "depth")
BELOW_PARAMETERS = ("pk",)
RESET_PARAMETERS = ("pk", "dimensions")

DEFAULT_LIMIT = 10
MAX_ROWS = 1_000_000
DEFAULT_THRESHOLD = Decimal("0.1")
MAX_FORMULAS = 64
MAX_PERIODS = 32
_MAX_OFFSET = 9999  # four digits


@dataclass(frozen=True, slots=True)
class TotalsQuery:
    """Sums over periods. `grid` is the time zone asked for, None for the service's own."""

    pk: Path
    dimensions: tuple[Path, ...]
    formulas: tuple[Formula, ...]
    periods: tuple[Period, ...]
    grid: Grid | None


@dataclass(frozen=True, slots=True)
class PlotQuery:
    """Series over one period, and which descendants of the dimensions to show with them."""

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


@dataclass(frozen=True, slots=True)
class RankQuery:
    """What is below the dimensions of a pk, in order; with `of_pks` what is below the pk itself.

    `formulas[0]` is what is told of each in full; the order goes by the column `by` of `sort`.
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
    """The dimensions known below some dimensions, `depth` levels down."""

    pk: Path
    dimensions: tuple[Path, ...]
    depth: int


def parse_totals(fields: Fields, limits: Limits = DEFAULT_LIMITS) -> TotalsQuery:
    """Read the parameters of a totals question; see `TOTALS_PARAMETERS`."""
    return totals_query(normalize_names(fields, TOTALS_PARAMETERS), limits)


def totals_query(found: Fields, limits: Limits = DEFAULT_LIMITS) -> TotalsQuery:
    """Read the parameters of a totals question, names normalized already."""
    periods = _texts(found.get("periods"), "period") or list(DEFAULT_TOTALS)
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
    """Read the parameters of a plotpoints question; see `PLOT_PARAMETERS`."""
    return plot_query(normalize_names(fields, PLOT_PARAMETERS), limits)


def plot_query(found: Fields, limits: Limits = DEFAULT_LIMITS) -> PlotQuery:
    """Read the parameters of a plotpoints question, names normalized already."""
    formulas = parse_formulas(found.get("metrics"))
    depth = whole(found.get("depth"), "depth", 0, limits.depth, default=0)
    other = flag(found.get("other"), "other")
    if other and any(UNIQUES in formula.metrics for formula in formulas):
        raise BadInput("other", found["other"], "no other=1 with uniques: they do not add up")
    return PlotQuery(
        parse_pk(found.get("pk"), limits),
        parse_requested_dimensions(found.get("dimensions"), limits),
        formulas,
        _period(found),
        _zone(found),
        depth,
        _share(found.get("threshold"), DEFAULT_THRESHOLD if depth else Decimal(0)),
        _limit(found),
        _sort(found, formulas[0]),
        other,
    )


def parse_rank(fields: Fields, limits: Limits = DEFAULT_LIMITS) -> RankQuery:
    """Read the parameters of a ranking; see `RANK_PARAMETERS`."""
    found = normalize_names(fields, RANK_PARAMETERS)
    formulas = parse_formulas(found.get("metrics"))
    dimensions = parse_requested_dimensions(found.get("dimensions"), limits)
    of_pks = _word(found.get("of"), "of", ("dimensions", "pks")) == "pks"
    if of_pks and len(dimensions) > 1:
        raise BadInput("dimensions", found["dimensions"], "one dimension to rank pks at")
    depth = limits.depth if found.get("depth") == "all" else found.get("depth")
    return RankQuery(
        parse_pk(found.get("pk"), limits),
        dimensions,
        of_pks,
        formulas,
        _period(found),
        _zone(found),
        whole(depth, "depth", 1, limits.depth, default=1),
        _share(found.get("threshold"), Decimal(0)),
        _limit(found),
        _sort(found, formulas[0]),
        _word(found.get("by"), "by", COLUMNS),
    )


def parse_children(fields: Fields, limits: Limits = DEFAULT_LIMITS) -> ChildrenQuery:
    """Read the parameters of a subdimensions question; see `CHILDREN_PARAMETERS`."""
    found = normalize_names(fields, CHILDREN_PARAMETERS)
    return ChildrenQuery(
        parse_pk(found.get("pk"), limits),
        parse_requested_dimensions(found.get("dimensions"), limits),
        whole(found.get("depth"), "depth", 1, limits.depth, default=1),
    )


def parse_requested_dimensions(value: object, limits: Limits = DEFAULT_LIMITS) -> tuple[Path, ...]:
    """The dimensions asked for: as an event's, but only the paths named, and the overall by `_`.

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
    """The metrics asked for: one, a list, or several with commas between; `hits` when none are.

    >>> [formula.text for formula in parse_formulas("dollars, dollars/hits")]
    ['dollars', 'dollars/hits']
    """
    texts = _texts(value, "metrics") or ["hits"]
    if len(texts) > MAX_FORMULAS:
        raise BadInput("metrics", value, f"at most {MAX_FORMULAS} metrics")
    formulas = (Formula.parse(text, "metrics") for text in texts)
    return tuple({formula.text: formula for formula in formulas}.values())


def whole(value: object, parameter: str, least: int, most: int, default: int) -> int:
    """A whole number within bounds; absent or empty gives the default.

    >>> whole("3", "depth", 0, 8, default=0)
    3
    """
    if value is None or value == "":
        return default
    expected = f"a whole number from {least} to {most}"
    number = _number(value, parameter, least, most, expected)
    if number != int(number):
        raise BadInput(parameter, value, expected)
    return int(number)


def flag(value: object, parameter: str) -> bool:
    """A yes or no: 1 or 0, true or false; absent or empty is no.

    >>> flag("1", "other"), flag(None, "other")
    (True, False)
    """
    words = {"1": True, "true": True, "0": False, "false": False, "": False, "none": False}
    known = isinstance(value, bool | str | None) or value in (0, 1)
    word = str(value).strip().lower() if known else "?"
    if word not in words:
        raise BadInput(parameter, value, "1 or 0")
    return words[word]


def _share(value: object, default: Decimal) -> Decimal:
    if value is None or value == "":
        return default
    return _number(value, "threshold", 0, 1, "a share of the parent from 0 to 1, such as 0.1")


def _number(value: object, parameter: str, least: int, most: int, expected: str) -> Decimal:
    number = finite(value)
    if number is None or not least <= number <= most:
        raise BadInput(parameter, value, expected)
    return number


def _texts(value: object, parameter: str) -> list[str]:
    """A text, several with commas between, or a list of texts, as a list; empty when absent."""
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    if isinstance(value, Sequence) and all(isinstance(part, str) for part in value):
        return list(value)
    raise BadInput(parameter, value, "a text or a list of texts")


def _word(value: object, parameter: str, words: Sequence[str]) -> str:
    """One of some words; absent or empty is the first."""
    word = words[0] if value is None or value == "" else value
    if word not in words:
        raise BadInput(parameter, value, f"one of {' '.join(words)}")
    return str(word)


def _period(found: Fields) -> Period:
    periods = _texts(found.get("periods"), "period") or [DEFAULT]
    if len(periods) != 1:
        raise BadInput("period", found["periods"], "one period")
    return Period.parse(periods[0], "period")


def _limit(found: Fields) -> int:
    return whole(found.get("limit"), "limit", 0, MAX_ROWS, default=DEFAULT_LIMIT)


def _sort(found: Fields, shown: Formula) -> Sort:
    """What is asked for, else what is shown first, the largest at the top."""
    sort = found.get("sort")
    if sort is None or sort == "":
        return Sort(shown, descending=True)
    if not isinstance(sort, str):
        raise BadInput("sort", sort, "a metric, with a minus in front for the largest first")
    return Sort.parse(sort)


def _zone(found: Fields) -> Grid | None:
    zone, offset = found.get("tz"), found.get("tzoffset")
    if zone not in (None, "") and offset not in (None, ""):
        raise BadInput("tzoffset", offset, "either tz or tzoffset, not both")
    if zone not in (None, ""):
        if not isinstance(zone, str):
            raise BadInput("tz", zone, "an IANA time zone such as Europe/Berlin")
        return parse_zone(zone, "tz")
    if offset not in (None, ""):
        small = isinstance(offset, int) and -_MAX_OFFSET <= offset <= _MAX_OFFSET
        return parse_tzoffset(str(offset) if small else offset)
    return None
