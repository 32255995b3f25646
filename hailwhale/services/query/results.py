"""Answers to queries as values: exact Decimals, paths as tuples of labels, times in seconds.

Knows nothing of JSON: `services.json_shapes` converts these values for the web and the library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hailwhale.core.events.paths import Path
from hailwhale.core.query.ranking import ParentComparison


@dataclass(frozen=True, slots=True)
class PeriodTotals:
    """Totals over one period, by dimension and then by the text of the metric or formula."""

    period: str
    by_path: Mapping[Path, Mapping[str, Decimal]]


@dataclass(frozen=True, slots=True)
class SeriesPoints:
    """Series by dimension and then by metric: one value for each of the buckets' starts."""

    starts_s: tuple[int, ...]
    by_path: Mapping[Path, Mapping[str, Sequence[Decimal]]]


@dataclass(frozen=True, slots=True)
class RankedChild:
    """A child in a ranking, compared with its parent by the first metric of the query.

    `by_metric` has every metric of the query, by its text; None where a quotient is by 0.
    """

    path: Path
    comparison: ParentComparison
    by_metric: Mapping[str, Decimal | None]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Children in order; with `of_pks` their paths are pks, otherwise dimensions."""

    of_pks: bool
    children: tuple[RankedChild, ...]


@dataclass(frozen=True, slots=True)
class KnownNames:
    """The metrics and top-level dimensions counted under a pk, and whether it is a decision."""

    metrics: tuple[str, ...]
    dimensions: tuple[str, ...]
    is_decision: bool
