"""The library's door to counting and asking: `Whale`, on the class or on an instance.

A facade: it hands values on to the parsers and services, and has no logic of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hailwhale.core.decisions.parameters import DecisionQuery, parse_decide, parse_reasons
from hailwhale.core.events.limits import Limits
from hailwhale.core.events.paths import parse_pk
from hailwhale.core.numbers import Number
from hailwhale.core.query.parameters import (
    parse_children,
    parse_plot,
    parse_quantiles,
    parse_rank,
    parse_requested_dimensions,
    parse_totals,
)
from hailwhale.default_instance import either, given
from hailwhale.errors import BadInput
from hailwhale.sealed import SealedUrls
from hailwhale.services.json_shapes import (
    PlotAnswer,
    RankAnswer,
    TotalsAnswer,
    pks_json,
    plotpoints_json,
    ranking_json,
    reasons_json,
    subdimensions_json,
    totals_json,
)
from hailwhale.services.query.graph_data import graph_tag
from hailwhale.store.types import AcceptStatus


class Whale(SealedUrls):
    """Counts events at once and answers questions about them.

    Every method works on the class (over the store that the HAILWHALE_* settings name: the embedded
    one unless HAILWHALE_REDIS_URL is set) and on an instance, `Whale("redis://localhost")`. Every
    keyword may be singular or plural. A wrong value raises `hailwhale.errors.BadInput` and nothing
    is counted; a store that does not answer raises `StoreUnavailable`.

    Numbers in answers are exact: int when whole, float when a float says just that, else Decimal.
    """

    @either
    def count_now(
        self,
        pk: object = None,
        dimensions: object = None,
        metrics: object = None,
        at: object = None,
        id: object = None,
        *,
        dimension: object = None,
        metric: object = None,
        uid: object = None,
    ) -> bool:
        """Count one event; it can be read when this returns. False if its `id` was counted before.

        `pk` is a label or a path of labels, `dimensions` and `metrics` any form of the README,
        `at` when it happened (now), `id` an idempotency key remembered for 24 hours, `uid` whoever
        did it, for `uniques`.
        """
        fields = given(pk=pk, dimensions=dimensions, metrics=metrics, at=at, id=id, uid=uid)
        fields |= given(dimension=dimension, metric=metric)
        return self.services.counting.count_now(fields) is AcceptStatus.ACCEPTED

    @either
    def update_count_to(
        self,
        pk: object = None,
        dimensions: object = None,
        metrics: object = None,
        *,
        dimension: object = None,
        metric: object = None,
    ) -> None:
        """Make the total ever counted of each metric equal to its value: count the difference.

        For readings, such as a queue's: `Whale.update_count_to("Queue", metrics={"jobs": 12})`.
        """
        fields = given(pk=pk, dimensions=dimensions, metrics=metrics)
        self.services.counting.update_count_to(fields | given(dimension=dimension, metric=metric))

    @either
    def totals(
        self,
        pk: object = None,
        dimensions: object = None,
        metrics: object = None,
        periods: object = None,
        *,
        dimension: object = None,
        metric: object = None,
        period: object = None,
        tz: object = None,
        tzoffset: object = None,
    ) -> TotalsAnswer:
        """`{period: {dimension: {metric: number}}}`: sums over whole periods.

        With no metric asked `hits`, with no dimension the overall `_`, with no period the five of
        the README. Metrics may be formulas, `dollars/hits`.
        """
        fields = given(pk=pk, dimensions=dimensions, metrics=metrics, periods=periods)
        fields |= given(dimension=dimension, metric=metric, period=period, tz=tz, tzoffset=tzoffset)
        services = self.services
        question = parse_totals(fields, services.settings.limits)
        return totals_json(services.reporting.totals(question))

    @either
    def total(
        self,
        pk: object = None,
        metric: object = "hits",
        period: object = None,
        dimension: object = None,
        *,
        tz: object = None,
    ) -> Number:
        """One number: the total of one metric or formula over one period (`1d:1mo`)."""
        answer = self.totals(
            pk, dimension=dimension, metric=metric, period=period or "1d:1mo", tz=tz
        )
        numbers = [
            number
            for dimensions in answer.values()
            for metrics in dimensions.values()
            for number in metrics.values()
        ]
        if len(numbers) != 1:
            raise BadInput("total", f"{len(numbers)} numbers", "one metric, period and dimension")
        return numbers[0]

    @either
    def today(self, pk: object = None, metric: object = "hits", dimension: object = None) -> Number:
        """The total of one metric or formula since midnight."""
        return self.total(pk, metric, "today", dimension)

    @either
    def yesterday(
        self, pk: object = None, metric: object = "hits", dimension: object = None
    ) -> Number:
        """The total of one metric or formula over the day before today."""
        return self.total(pk, metric, "yesterday", dimension)

    @either
    def plotpoints(
        self,
        pk: object = None,
        dimensions: object = None,
        metrics: object = None,
        period: object = None,
        depth: object = None,
        *,
        dimension: object = None,
        metric: object = None,
        periods: object = None,
        threshold: object = None,
        limit: object = None,
        sort: object = None,
        other: object = None,
        tz: object = None,
        tzoffset: object = None,
    ) -> PlotAnswer:
        """`{dimension: {metric: [[epoch ms, number], …]}}`: a point for each interval of a period.

        `depth=1` adds the children that hold at least `threshold` (0.1) of their parent, the top
        `limit` (10; 0 for all) by `sort` (`-metric`: the largest first); `other=True` folds the
        rest into one series.
        """
        fields = given(pk=pk, dimensions=dimensions, metrics=metrics, period=period, depth=depth)
        fields |= given(dimension=dimension, metric=metric, periods=periods, threshold=threshold)
        fields |= given(limit=limit, sort=sort, other=other, tz=tz, tzoffset=tzoffset)
        services = self.services
        question = parse_plot(fields, services.settings.limits)
        return plotpoints_json(services.reporting.plotpoints(question))

    @either
    def rank(
        self,
        pk: object = None,
        dimensions: object = None,
        metrics: object = None,
        period: object = None,
        depth: object = None,
        *,
        dimension: object = None,
        metric: object = None,
        periods: object = None,
        of: object = None,
        threshold: object = None,
        limit: object = None,
        sort: object = None,
        by: object = None,
        tz: object = None,
        tzoffset: object = None,
    ) -> RankAnswer:
        """`[{"dimension": …, "value": …, "share": …, …}, …]`: what is below a dimension, in order.

        The top `limit` (10; 0 for all) children of a dimension, or with `of="pks"` of the pk, by
        `sort` (`-metric`, the first metric asked for, the largest first); `depth` more levels down,
        "all" for all. Each row has the metric's `value`, its `share` of the parent, the
        `parent_value`, the `difference` from it, that `relative` to it, and the `importance`: by
        how much of itself the parent moves with this row.
        `hailwhale.core.query.ranking.standings` defines them.
        `by` makes one of these numbers the order; `threshold` leaves out smaller shares.
        """
        fields = given(pk=pk, dimensions=dimensions, metrics=metrics, period=period, depth=depth)
        fields |= given(dimension=dimension, metric=metric, periods=periods, threshold=threshold)
        fields |= given(of=of, limit=limit, sort=sort, by=by, tz=tz, tzoffset=tzoffset)
        services = self.services
        question = parse_rank(fields, services.settings.limits)
        return ranking_json(services.ranking.rank(question))

    @either
    def count_decision(
        self,
        pk: object = None,
        option: object = None,
        dimensions: object = None,
        metrics: object = None,
        at: object = None,
        id: object = None,
        *,
        dimension: object = None,
        metric: object = None,
        decision: object = None,
        uid: object = None,
    ) -> bool:
        """Count that an option was shown, or with `metrics={"hits": 0, …}` what came of it.

        `decision` is the id that /decide answered with `log`. False if its `id` was counted before.
        """
        fields = given(pk=pk, option=option, dimensions=dimensions, metrics=metrics, at=at, id=id)
        fields |= given(dimension=dimension, metric=metric, decision=decision, uid=uid)
        return self.services.exposing_now.count(fields) is AcceptStatus.ACCEPTED

    count_decided_now = count_decision

    @either
    def decide(
        self,
        /,
        pk: object = None,
        options: object = None,
        dimensions: object = None,
        **asked: object,
    ) -> Any:
        """The option for a visitor with these dimensions; a list of them with `slots`.

        `by_metric` says what to decide by, a metric (per hit) or a formula such as `earned/spent`,
        and `goal` "max" or "min". The same `uid` gets the same option. Further: `weights`,
        `holdout`, `minimum`, `maximum`, `half_life`, `delay`, `explore`, as for /decide.
        """
        choice = self._choice(parse_decide, pk, options, dimensions, asked)
        services = self.services
        options_given = [
            each.option for each in services.deciding.decide(choice, services.counting.take).given
        ]
        return options_given if choice.slots > 1 else options_given[0]

    @either
    def reasons(
        self,
        /,
        pk: object = None,
        options: object = None,
        dimensions: object = None,
        **asked: object,
    ) -> dict[str, Any]:
        """What is known of each option for such a visitor, as /reasons answers it."""
        choice = self._choice(parse_reasons, pk, options, dimensions, asked)
        return reasons_json(self.services.deciding.reasons(choice))

    @either
    def weighted_reasons(
        self,
        /,
        pk: object = None,
        options: object = None,
        dimensions: object = None,
        **asked: object,
    ) -> dict[str, float]:
        """`{option: share}`: how visitors with these dimensions are divided among options now."""
        choice = self._choice(parse_reasons, pk, options, dimensions, asked)
        reasons = self.services.deciding.reasons(choice)
        return {each.option: each.weight for each in reasons.report.options}

    def _choice(
        self,
        parse: Callable[[Mapping[str, object], Limits], DecisionQuery],
        pk: object,
        options: object,
        dimensions: object,
        asked: Mapping[str, object],
    ) -> DecisionQuery:
        fields = given(pk=pk, options=options, dimensions=dimensions, **asked)
        return parse(fields, self.services.settings.limits)

    @either
    def subdimensions(
        self,
        pk: object = None,
        dimensions: object = None,
        depth: object = None,
        *,
        dimension: object = None,
    ) -> dict[str, list[str]]:
        """`{dimension: [dimension, …]}`: the dimensions known below each one asked for."""
        fields = given(pk=pk, dimensions=dimensions, depth=depth, dimension=dimension)
        services = self.services
        question = parse_children(fields, services.settings.limits)
        return subdimensions_json(services.reporting.subdimensions(question))

    @either
    def pks(self, pk: object = None) -> list[list[str]]:
        """The pks known one level below a pk, as paths; without one, the root pks."""
        services = self.services
        above = () if pk is None else parse_pk(pk, services.settings.limits)
        return pks_json(services.reporting.pks(above))

    @either
    def quantiles(
        self,
        pk: object = None,
        metrics: object = None,
        periods: object = None,
        dimensions: object = None,
        *,
        shares: object = None,
        metric: object = None,
        period: object = None,
        dimension: object = None,
        tz: object = None,
    ) -> TotalsAnswer:
        """`{period: {dimension: {"latency:p95": number}}}` of timings that StatsD clients sent.

        `shares` are those of the values that lie at or below (0.5, 0.95, 0.99). Each number is off
        by 4.8 % of itself at the most.
        """
        fields = given(pk=pk, metrics=metrics, periods=periods, dimensions=dimensions)
        fields |= given(metric=metric, period=period, dimension=dimension, tz=tz, shares=shares)
        services = self.services
        question, asked_shares = parse_quantiles(fields, services.settings.limits)
        return totals_json(services.quantiles.totals(question, asked_shares))

    @either
    def graph_tag(
        self,
        /,
        pk: object = None,
        dimensions: object = None,
        metrics: object = None,
        period: object = None,
        depth: object = None,
        *,
        hwurl: str | None = None,
        **options: object,
    ) -> str:
        """The line of HTML that shows a live graph: for a template, marked as safe there.

        `hwurl` is where browsers reach the service (`HAILWHALE_PUBLIC_URL`); `options` are the
        other parameters of /plotpoints and /graph.js: `title`, `height`, `view`, `live`, … Asks
        nothing of the store.
        """
        fields = given(pk=pk, dimensions=dimensions, metrics=metrics, period=period, depth=depth)
        fields |= given(hwurl=hwurl, **options)
        return graph_tag(fields, self.settings.home, self.settings.limits)

    @either
    def reset(self, pk: object, dimension: object = None) -> int:
        """Erase a pk and all below it, or one dimension of it; how many chunks of cells went.

        What the paths above have summed up stays.
        """
        services = self.services
        paths = parse_requested_dimensions(dimension, services.settings.limits)
        if len(paths) != 1:
            raise BadInput("dimension", dimension, "one dimension to erase")
        return services.erasing.reset(parse_pk(pk, services.settings.limits), paths[0])
