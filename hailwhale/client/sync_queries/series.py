"""Queries for series and rankings."""

from __future__ import annotations

from typing import Literal

from hailwhale.client.sync_queries.base import QueryBase
from hailwhale.core.time.period_text import plain_arguments
from hailwhale.types import (
    DimensionsLike,
    FormulasLike,
    PathLike,
    PeriodLike,
    Plotpoints,
    RankColumn,
    RankRow,
    ThresholdLike,
    ZoneLike,
)


class PlotQueries(QueryBase):
    """Queries many numbers: over time, or of many children."""

    def plotpoints(
        self,
        pk: PathLike | None = None,
        dimensions: DimensionsLike | None = None,
        metrics: FormulasLike | None = None,
        period: PeriodLike | None = None,
        depth: int | None = None,
        *,
        dimension: DimensionsLike | None = None,
        metric: FormulasLike | None = None,
        periods: PeriodLike | None = None,
        threshold: ThresholdLike | None = None,
        limit: int | None = None,
        sort: str | None = None,
        other: bool | None = None,
        tz: ZoneLike | None = None,
        tzoffset: int | str | None = None,
    ) -> Plotpoints:
        """Return a series of points: a number for each bucket of a period.

        Args:
            pk: What is asked about: a label such as "Shop", or a path of labels such as ["Product",
                7]. None is the unnamed pk, "_".
            dimensions: The dimensions to answer for: a label, a path of labels, a mapping such as
                {"country": "US"}, or a list of paths. None is the overall, "_".
            metrics: Metrics or formulas such as "dollars/hits": a list, or text with commas
                between. None is "hits".
            period: A period such as "1d:1mo" or "today", a Period, a timedelta (ending now),
                a date (that day), or a tuple of two dates (first and last day). None is "1d:1mo",
                the last month by day.
            depth: How many levels of descendants to add to each dimension. None is 0.
            threshold: The smallest share of its parent, from 0 to 1, with which a descendant is
                shown. None is 0.1.
            limit: How many descendants to show at most; 0 is all. None is 10.
            sort: The metric or formula to sort by; a minus in front puts the largest first. None is
                the first of the metrics, the largest first.
            other: Whether to add the sum of the children that are not shown as a series "_other".
            tz: The time zone of days, weeks and months: an IANA name or a ZoneInfo. None is the
                service's.
            tzoffset: In place of `tz`, an offset from UTC in hours and minutes, such as "-500".
            dimension, metric, periods: Aliases of `dimensions`, `metrics` and `period`; give
                only one of each.

        Returns:
            `{dimension: {metric: [[start, number], ...]}}`: the dimensions asked for, then the
            descendants shown. `start` is when a bucket begins, in epoch milliseconds; buckets
            without events are there with 0. A number is an int when whole, a float when that is
            exact, else a Decimal.

        Raises:
            BadInput: A parameter has an invalid value, or no stored rollup can answer.
            StoreUnavailable: The service or its store does not answer.
            NotAllowed: The token may not read.
            TooMany: The caller is over the rate limit.

        Example:
            >>> client.count("Mug", {"country": "US"}, {"revenue": 9.5})
            True
            >>> client.flush()
            True
            >>> client.plotpoints("Mug", metrics="revenue", period="1h:2h", depth=1)
            {'_': {'revenue': [[1773572400000, 0], [1773576000000, 9.5]]},
             'country': {'revenue': [[1773572400000, 0], [1773576000000, 9.5]]}}
        """
        answer: Plotpoints = self._ask(
            "/plotpoints",
            plain_arguments(
                pk=pk,
                dimensions=dimensions,
                metrics=metrics,
                period=period,
                depth=depth,
                dimension=dimension,
                metric=metric,
                periods=periods,
                threshold=threshold,
                limit=limit,
                sort=sort,
                other=other,
                tz=tz,
                tzoffset=tzoffset,
            ),
        )
        return answer

    def rank(
        self,
        pk: PathLike | None = None,
        dimensions: DimensionsLike | None = None,
        metrics: FormulasLike | None = None,
        period: PeriodLike | None = None,
        depth: int | Literal["all"] | None = None,
        *,
        dimension: DimensionsLike | None = None,
        metric: FormulasLike | None = None,
        periods: PeriodLike | None = None,
        of: Literal["dimensions", "pks"] | None = None,
        threshold: ThresholdLike | None = None,
        limit: int | None = None,
        sort: str | None = None,
        by: RankColumn | None = None,
        tz: ZoneLike | None = None,
        tzoffset: int | str | None = None,
    ) -> list[RankRow]:
        """Rank the children of a dimension or of a pk by a metric.

        Args:
            pk: What is asked about: a label such as "Shop", or a path of labels such as ["Product",
                7]. None is the unnamed pk, "_".
            dimensions: The dimensions whose children to rank: a label, a path of labels or a list
                of paths. None is the overall, "_".
            metrics: Metrics or formulas; rows show the first of them in full. None is "hits".
            period: A period such as "1d:1mo" or "today", a Period, a timedelta (ending now),
                a date (that day), or a tuple of two dates (first and last day). None is "1d:1mo",
                the last month by day.
            depth: How many levels down to rank, or "all". None is 1, the children.
            of: "pks" ranks the children of the pk instead.
            threshold: The smallest share of its parent, from 0 to 1, with which a row is shown.
                None is 0.
            limit: How many rows to return at most; 0 is all. None is 10.
            sort: The metric or formula to sort by; a minus in front puts the largest first. None is
                the first of the metrics, the largest first.
            by: The number of a row to sort by. None is "value".
            tz: The time zone of days, weeks and months: an IANA name or a ZoneInfo. None is the
                service's.
            tzoffset: In place of `tz`, an offset from UTC in hours and minutes, such as "-500".
            dimension, metric, periods: Aliases of `dimensions`, `metrics` and `period`; give
                only one of each.

        Returns:
            Rows in order, one for each child; see `hailwhale.types.RankRow`.
            `value` is the total of the first metric over the period, `share` its part of the parent
            (1 is all).

        Raises:
            BadInput: A parameter has an invalid value, or no stored rollup can answer.
            StoreUnavailable: The service or its store does not answer.
            NotAllowed: The token may not read.
            TooMany: The caller is over the rate limit.

        Example:
            >>> client.count("Shop", {"country": "US"}, {"dollars": 30})
            True
            >>> client.count("Shop", {"country": "CA"}, {"dollars": 10})
            True
            >>> client.flush()
            True
            >>> client.rank("Shop", "country", "dollars", limit=1)
            [{'dimension': '["country", "US"]', 'value': 30, 'share': 0.75, 'parent_value': 40,
              'difference': -10, 'relative': -0.25, 'importance': 0.75, 'metrics': {'dollars': 30}}]
        """
        answer: list[RankRow] = self._ask(
            "/rank",
            plain_arguments(
                pk=pk,
                dimensions=dimensions,
                metrics=metrics,
                period=period,
                depth=depth,
                dimension=dimension,
                metric=metric,
                periods=periods,
                of=of,
                threshold=threshold,
                limit=limit,
                sort=sort,
                by=by,
                tz=tz,
                tzoffset=tzoffset,
            ),
        )
        return answer
