"""The queries of `Queries` as coroutines, as `AsyncClient` answers them."""

from __future__ import annotations

from typing import Literal, Protocol, overload, runtime_checkable

from hailwhale.types import (
    DimensionsLike,
    FormulasLike,
    Known,
    LengthLike,
    MetricsLike,
    Number,
    OptionNumbers,
    OptionsLike,
    PathLike,
    PeriodLike,
    PeriodsLike,
    Plotpoints,
    RankColumn,
    RankRow,
    Reasons,
    SharesLike,
    SpyEvent,
    Subdimensions,
    ThresholdLike,
    Totals,
    ZoneLike,
)


@runtime_checkable
class AsyncQueries(Protocol):
    """`AsyncClient` answers these questions, each a coroutine.

    `help(hailwhale.Whale)` describes parameters and answers.
    """

    async def totals(
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
        """Return sums over whole periods."""

    async def total(
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
        """Return the total of one metric over one period."""

    async def today(
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
        """Return the total of one metric since midnight."""

    async def yesterday(
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
        """Return the total of one metric over the day before today."""

    async def quantiles(
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
        """Return quantiles of timings: the value below which a share of them lies."""

    async def plotpoints(
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
        """Return a series of points: a number for each bucket of a period."""

    async def rank(
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
        """Rank the children of a dimension or of a pk by a metric."""

    async def subdimensions(
        self,
        pk: PathLike | None = None,
        dimensions: DimensionsLike | None = None,
        depth: int | None = None,
        *,
        dimension: DimensionsLike | None = None,
    ) -> Subdimensions:
        """Return the dimensions that are known below others."""

    async def pks(
        self,
        pk: PathLike | None = None,
    ) -> list[list[str]]:
        """Return the pks that are known one level below a pk."""

    async def known(
        self,
        pk: PathLike | None = None,
    ) -> Known:
        """Return what can be asked about a pk."""

    async def spy(
        self,
        pk: PathLike | None = None,
        uid: str | int | None = None,
        limit: int | None = None,
    ) -> list[SpyEvent]:
        """Return the last events at or below a pk, newest first."""

    @overload
    async def decide(
        self,
        pk: PathLike | None = None,
        options: OptionsLike | None = None,
        dimensions: DimensionsLike | None = None,
        *,
        by_metric: str | None = None,
        goal: Literal["max", "min"] | None = None,
        weights: OptionNumbers | None = None,
        holdout: ThresholdLike | None = None,
        minimum: OptionNumbers | None = None,
        maximum: OptionNumbers | None = None,
        half_life: LengthLike | None = None,
        delay: LengthLike | None = None,
        explore: bool | None = None,
        uid: str | int | None = None,
        slots: None = None,
        log: bool | None = None,
        reasons: bool | None = None,
        option: OptionsLike | None = None,
        dimension: DimensionsLike | None = None,
        known_data: DimensionsLike | None = None,
    ) -> str: ...

    @overload
    async def decide(
        self,
        pk: PathLike | None = None,
        options: OptionsLike | None = None,
        dimensions: DimensionsLike | None = None,
        *,
        by_metric: str | None = None,
        goal: Literal["max", "min"] | None = None,
        weights: OptionNumbers | None = None,
        holdout: ThresholdLike | None = None,
        minimum: OptionNumbers | None = None,
        maximum: OptionNumbers | None = None,
        half_life: LengthLike | None = None,
        delay: LengthLike | None = None,
        explore: bool | None = None,
        uid: str | int | None = None,
        slots: int,
        log: bool | None = None,
        reasons: bool | None = None,
        option: OptionsLike | None = None,
        dimension: DimensionsLike | None = None,
        known_data: DimensionsLike | None = None,
    ) -> list[str]:
        """Choose an option for a visitor, and count the choice."""

    async def reasons(
        self,
        pk: PathLike | None = None,
        options: OptionsLike | None = None,
        dimensions: DimensionsLike | None = None,
        *,
        by_metric: str | None = None,
        goal: Literal["max", "min"] | None = None,
        weights: OptionNumbers | None = None,
        holdout: ThresholdLike | None = None,
        minimum: OptionNumbers | None = None,
        maximum: OptionNumbers | None = None,
        half_life: LengthLike | None = None,
        delay: LengthLike | None = None,
        explore: bool | None = None,
        option: OptionsLike | None = None,
        dimension: DimensionsLike | None = None,
        known_data: DimensionsLike | None = None,
    ) -> Reasons:
        """Return what is known of each option for a visitor."""

    async def weighted_reasons(
        self,
        pk: PathLike | None = None,
        options: OptionsLike | None = None,
        dimensions: DimensionsLike | None = None,
        *,
        by_metric: str | None = None,
        goal: Literal["max", "min"] | None = None,
        weights: OptionNumbers | None = None,
        holdout: ThresholdLike | None = None,
        minimum: OptionNumbers | None = None,
        maximum: OptionNumbers | None = None,
        half_life: LengthLike | None = None,
        delay: LengthLike | None = None,
        explore: bool | None = None,
        option: OptionsLike | None = None,
        dimension: DimensionsLike | None = None,
        known_data: DimensionsLike | None = None,
    ) -> dict[str, float]:
        """Return the current share of visitors for each option."""

    async def update_count_to(
        self,
        pk: PathLike | None = None,
        dimensions: DimensionsLike | None = None,
        metrics: MetricsLike | None = None,
        *,
        dimension: DimensionsLike | None = None,
        metric: MetricsLike | None = None,
    ) -> None:
        """Set the total ever counted of each metric to a value, by counting the difference."""

    async def reset(
        self,
        pk: PathLike,
        dimensions: DimensionsLike | None = None,
        *,
        dimension: DimensionsLike | None = None,
    ) -> int:
        """Erase a pk and all pks below it, or one dimension of all of them."""
