"""Queries for totals and quantiles."""

from __future__ import annotations

from hailwhale.client.sync_queries.base import QueryBase
from hailwhale.core.query.single_number import single_number, single_question
from hailwhale.core.time.period_text import plain_arguments
from hailwhale.types import (
    DimensionsLike,
    FormulasLike,
    Number,
    PathLike,
    PeriodLike,
    PeriodsLike,
    SharesLike,
    Totals,
    ZoneLike,
)


class TotalQueries(QueryBase):
    """Queries one number for each period."""

    def totals(
        self,
        pk: PathLike | None = None,
        dimensions: DimensionsLike | None = None,
        metrics: FormulasLike | None = None,
        periods: PeriodsLike | None = None,
        *,
        dimension: DimensionsLike | None = None,
        metric: FormulasLike | None = None,
        period: PeriodLike | None = None,
        tz: ZoneLike | None = None,
        tzoffset: int | str | None = None,
    ) -> Totals:
        """Return sums over whole periods.

        Args:
            pk: What is asked about: a label such as "Shop", or a path of labels such as ["Product",
                7]. None is the unnamed pk, "_".
            dimensions: The dimensions to answer for: a label, a path of labels, a mapping such as
                {"country": "US"}, or a list of paths. None is the overall, "_".
            metrics: Metrics or formulas such as "dollars/hits": a list, or text with commas
                between. None is "hits".
            periods: Periods such as "1d:1mo" or "today", a Period, a timedelta (ending now),
                a date (that day), a tuple of two dates (first and last day), or a list of these.
                None is all of `hailwhale.periods.DEFAULT_TOTALS`.
            tz: The time zone of days, weeks and months: an IANA name or a ZoneInfo. None is the
                service's.
            tzoffset: In place of `tz`, an offset from UTC in hours and minutes, such as "-500".
            dimension, metric, period: Aliases of `dimensions`, `metrics` and `periods`; give
                only one of each.

        Returns:
            `{period: {dimension: {metric: number}}}`. A period is keyed by its text as asked, a
            dimension by its label or, when it is a path, its JSON text; the overall is "_". A
            number is an int when whole, a float when that is exact, else a Decimal.

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
            >>> client.totals("Mug", {"country": "US"}, "revenue", "today")
            {'today': {'["country", "US"]': {'revenue': 9.5}}}
        """
        answer: Totals = self._ask(
            "/totals",
            plain_arguments(
                pk=pk,
                dimensions=dimensions,
                metrics=metrics,
                periods=periods,
                dimension=dimension,
                metric=metric,
                period=period,
                tz=tz,
                tzoffset=tzoffset,
            ),
        )
        return answer

    def total(
        self,
        pk: PathLike | None = None,
        metric: FormulasLike | None = None,
        period: PeriodLike | None = None,
        dimension: DimensionsLike | None = None,
        *,
        metrics: FormulasLike | None = None,
        periods: PeriodLike | None = None,
        dimensions: DimensionsLike | None = None,
        tz: ZoneLike | None = None,
        tzoffset: int | str | None = None,
    ) -> Number:
        """Return the total of one metric over one period.

        Args:
            pk: What is asked about: a label such as "Shop", or a path of labels such as ["Product",
                7]. None is the unnamed pk, "_".
            metric: The metric or formula, such as "dollars/hits". None is "hits".
            period: A period such as "1d:1mo" or "today", a Period, a timedelta (ending now),
                a date (that day), or a tuple of two dates (first and last day). None is "1d:1mo",
                the last month by day.
            dimension: The dimension: a label, a path of labels or a mapping such as {"country":
                "US"}. None is the overall, "_".
            tz: The time zone of days, weeks and months: an IANA name or a ZoneInfo. None is the
                service's.
            tzoffset: In place of `tz`, an offset from UTC in hours and minutes, such as "-500".
            metrics, periods, dimensions: Aliases of `metric`, `period` and `dimension`; give
                only one of each.

        Returns:
            One number in the metric's unit: an int when whole, a float when that is exact, else a
            Decimal.

        Raises:
            BadInput: A parameter has an invalid value, or asks for several numbers.
            StoreUnavailable: The service or its store does not answer.
            NotAllowed: The token may not read.
            TooMany: The caller is over the rate limit.

        Example:
            >>> client.count("Signup", "campaign")
            True
            >>> client.flush()
            True
            >>> client.total("Signup", period="today")
            1
        """
        return single_number(
            self._ask(
                "/totals",
                single_question(
                    pk=pk,
                    metric=metric,
                    period=period,
                    dimension=dimension,
                    metrics=metrics,
                    periods=periods,
                    dimensions=dimensions,
                    tz=tz,
                    tzoffset=tzoffset,
                ),
            )
        )

    def today(
        self,
        pk: PathLike | None = None,
        metric: FormulasLike | None = None,
        dimension: DimensionsLike | None = None,
        *,
        metrics: FormulasLike | None = None,
        dimensions: DimensionsLike | None = None,
        tz: ZoneLike | None = None,
        tzoffset: int | str | None = None,
    ) -> Number:
        """Return the total of one metric since midnight.

        Args:
            pk: What is asked about: a label such as "Shop", or a path of labels such as ["Product",
                7]. None is the unnamed pk, "_".
            metric: The metric or formula, such as "dollars/hits". None is "hits".
            dimension: The dimension: a label, a path of labels or a mapping such as {"country":
                "US"}. None is the overall, "_".
            tz: The time zone of days, weeks and months: an IANA name or a ZoneInfo. None is the
                service's.
            tzoffset: In place of `tz`, an offset from UTC in hours and minutes, such as "-500".
            metrics, dimensions: Aliases of `metric` and `dimension`; give only one of each.

        Returns:
            One number in the metric's unit: an int when whole, a float when that is exact, else a
            Decimal.

        Raises:
            BadInput: A parameter has an invalid value, or asks for several numbers.
            StoreUnavailable: The service or its store does not answer.
            NotAllowed: The token may not read.
            TooMany: The caller is over the rate limit.

        Example:
            >>> client.count("Signup")
            True
            >>> client.flush()
            True
            >>> client.today("Signup")
            1
        """
        question = single_question(
            pk=pk,
            metric=metric,
            dimension=dimension,
            metrics=metrics,
            dimensions=dimensions,
            tz=tz,
            tzoffset=tzoffset,
            period="today",
        )
        return single_number(self._ask("/totals", question))

    def yesterday(
        self,
        pk: PathLike | None = None,
        metric: FormulasLike | None = None,
        dimension: DimensionsLike | None = None,
        *,
        metrics: FormulasLike | None = None,
        dimensions: DimensionsLike | None = None,
        tz: ZoneLike | None = None,
        tzoffset: int | str | None = None,
    ) -> Number:
        """Return the total of one metric over the day before today.

        Args:
            pk: What is asked about: a label such as "Shop", or a path of labels such as ["Product",
                7]. None is the unnamed pk, "_".
            metric: The metric or formula, such as "dollars/hits". None is "hits".
            dimension: The dimension: a label, a path of labels or a mapping such as {"country":
                "US"}. None is the overall, "_".
            tz: The time zone of days, weeks and months: an IANA name or a ZoneInfo. None is the
                service's.
            tzoffset: In place of `tz`, an offset from UTC in hours and minutes, such as "-500".
            metrics, dimensions: Aliases of `metric` and `dimension`; give only one of each.

        Returns:
            One number in the metric's unit: an int when whole, a float when that is exact, else a
            Decimal.

        Raises:
            BadInput: A parameter has an invalid value, or asks for several numbers.
            StoreUnavailable: The service or its store does not answer.
            NotAllowed: The token may not read.
            TooMany: The caller is over the rate limit.

        Example:
            >>> client.count("Signup", at="2026-03-14T12:00Z")
            True
            >>> client.flush()
            True
            >>> client.yesterday("Signup")
            1
        """
        question = single_question(
            pk=pk,
            metric=metric,
            dimension=dimension,
            metrics=metrics,
            dimensions=dimensions,
            tz=tz,
            tzoffset=tzoffset,
            period="yesterday",
        )
        return single_number(self._ask("/totals", question))

    def quantiles(
        self,
        pk: PathLike | None = None,
        metrics: FormulasLike | None = None,
        periods: PeriodsLike | None = None,
        dimensions: DimensionsLike | None = None,
        *,
        shares: SharesLike | None = None,
        metric: FormulasLike | None = None,
        period: PeriodLike | None = None,
        dimension: DimensionsLike | None = None,
        tz: ZoneLike | None = None,
        tzoffset: int | str | None = None,
    ) -> Totals:
        """Return quantiles of timings: the value below which a share of them lies.

        Timings come from StatsD clients, through `hailwhale statsd`.

        Args:
            pk: What is asked about: a label such as "Shop", or a path of labels such as ["Product",
                7]. None is the unnamed pk, "_".
            metrics: Names of timings: a list, or text with commas between.
            periods: Periods such as "1d:1mo" or "today", a Period, a timedelta (ending now),
                a date (that day), a tuple of two dates (first and last day), or a list of these.
                None is all of `hailwhale.periods.DEFAULT_TOTALS`.
            dimensions: The dimensions to answer for: a label, a path of labels, a mapping such as
                {"country": "US"}, or a list of paths. None is the overall, "_".
            shares: The shares, above 0 and at most 1. None is 0.5, 0.95 and 0.99.
            tz: The time zone of days, weeks and months: an IANA name or a ZoneInfo. None is the
                service's.
            tzoffset: In place of `tz`, an offset from UTC in hours and minutes, such as "-500".
            metric, period, dimension: Aliases of `metrics`, `periods` and `dimensions`; give
                only one of each.

        Returns:
            `{period: {dimension: {"latency:p95": number}}}`, keyed as the answer of `totals`. Each
            number is in the unit of the timing, usually milliseconds, with a relative error of at
            most 4.8 %; 0 where there are no values.

        Raises:
            BadInput: A parameter has an invalid value, or no stored rollup can answer.
            StoreUnavailable: The service or its store does not answer.
            NotAllowed: The token may not read.
            TooMany: The caller is over the rate limit.

        Example:
            >>> client.quantiles("Api", "latency", "today", shares=0.95)
            {'today': {'_': {'latency:p95': 20.512}}}
        """
        answer: Totals = self._ask(
            "/quantiles",
            plain_arguments(
                pk=pk,
                metrics=metrics,
                periods=periods,
                dimensions=dimensions,
                shares=shares,
                metric=metric,
                period=period,
                dimension=dimension,
                tz=tz,
                tzoffset=tzoffset,
            ),
        )
        return answer
