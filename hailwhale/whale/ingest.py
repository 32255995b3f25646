"""`Whale`'s methods that count, set and erase at once.

Facades: they pass values on to the parsers and services.
"""

from __future__ import annotations

from hailwhale.core.events.param_names import normalize_names
from hailwhale.core.events.paths import parse_pk
from hailwhale.core.query.parameters import RESET_PARAMETERS, parse_requested_dimensions
from hailwhale.core.time.period_text import plain_arguments
from hailwhale.default_instance import ClassOrInstance, either
from hailwhale.errors import BadInput
from hailwhale.store.types import AcceptStatus
from hailwhale.types import DimensionsLike, Label, MetricsLike, PathLike, TimeLike


class EventMethods(ClassOrInstance):
    """Changes counts; a change is visible when its method returns."""

    @either
    def count_now(
        self,
        pk: PathLike | None = None,
        dimensions: DimensionsLike | None = None,
        metrics: MetricsLike | None = None,
        at: TimeLike | None = None,
        id: str | int | None = None,
        *,
        dimension: DimensionsLike | None = None,
        metric: MetricsLike | None = None,
        uid: str | int | None = None,
    ) -> bool:
        """Count one event; it can be read when this returns.

        Args:
            pk: What is counted: a label such as "Shop", or a path of labels such as
                ["Product", 7], which counts at each of its prefixes. None is the unnamed pk, "_".
            dimensions: What the event can be split by: a label, a path of labels, a mapping such as
                {"country": "US"}, which may nest, or a list of paths.
            metrics: Amounts by name, such as {"revenue": 19.99}, or names that count 1 each. "hits"
                is 1 unless it is given.
            at: When it happened: epoch seconds or milliseconds, ISO 8601 text, a datetime or a date
                (UTC without an offset). None is now.
            id: A key that makes the event count once in 24 hours, however often it is sent.
            uid: Who did it, for the metric "uniques"; only a keyed hash of it is stored.
            dimension, metric: Aliases of `dimensions` and `metrics`; give only one of each.

        Returns:
            False if an event with this `id` was counted before, else True.

        Raises:
            BadInput: A parameter has an invalid value; nothing is counted.
            StoreUnavailable: The store does not answer.

        Example:
            >>> from hailwhale import Whale
            >>> Whale.count_now(["Mug", 7], {"country": "US"}, {"revenue": 9.5}, id="order-17")
            True
            >>> Whale.count_now(["Mug", 7], {"country": "US"}, {"revenue": 9.5}, id="order-17")
            False
        """
        fields = plain_arguments(
            pk=pk,
            dimensions=dimensions,
            metrics=metrics,
            at=at,
            id=id,
            uid=uid,
            dimension=dimension,
            metric=metric,
        )
        return self.services.counting.count_now(fields) is AcceptStatus.ACCEPTED

    @either
    def count_decision(
        self,
        pk: PathLike | None = None,
        option: Label | None = None,
        dimensions: DimensionsLike | None = None,
        metrics: MetricsLike | None = None,
        at: TimeLike | None = None,
        id: str | int | None = None,
        *,
        options: Label | None = None,
        dimension: DimensionsLike | None = None,
        metric: MetricsLike | None = None,
        decision: str | None = None,
        uid: str | int | None = None,
    ) -> bool:
        """Count that an option was shown to a visitor, or its result.

        Args:
            pk: The decision: a label such as "Page", or a path of labels.
            option: The option that was shown.
            dimensions: What is known of the visitor, such as {"country": "US"}.
            metrics: Amounts by name, such as {"spent": 0.5}. "hits" is 1, which counts an exposure,
                unless it is given; a result of an exposure counted before has {"hits": 0, ...}.
            at: When it happened: epoch seconds or milliseconds, ISO 8601 text, a datetime or a date
                (UTC without an offset). None is now.
            id: A key that makes the event count once in 24 hours, however often it is sent.
            decision: The id of the decision that /decide answered when asked to `log`.
            uid: Who the visitor is, for the metric "uniques".
            options, dimension, metric: Aliases of `option`, `dimensions` and `metrics`; give
                only one of each.

        Returns:
            False if an event with this `id` was counted before, else True.

        Raises:
            BadInput: A parameter has an invalid value; nothing is counted.
            StoreUnavailable: The store does not answer.

        Example:
            >>> from hailwhale import Whale
            >>> Whale.count_decision("Page", "a", {"country": "US"}, {"spent": 0.5})
            True
            >>> Whale.count_decision("Page", "a", {"country": "US"}, {"hits": 0, "earned": 2})
            True
            >>> Whale.total(["Page", "a"], "earned/spent", "today")
            4
        """
        fields = plain_arguments(
            pk=pk,
            option=option,
            options=options,
            dimensions=dimensions,
            metrics=metrics,
            at=at,
            id=id,
            dimension=dimension,
            metric=metric,
            decision=decision,
            uid=uid,
        )
        return self.services.exposing_now.count(fields) is AcceptStatus.ACCEPTED

    count_decided_now = count_decision

    @either
    def update_count_to(
        self,
        pk: PathLike | None = None,
        dimensions: DimensionsLike | None = None,
        metrics: MetricsLike | None = None,
        *,
        dimension: DimensionsLike | None = None,
        metric: MetricsLike | None = None,
    ) -> None:
        """Set the total ever counted of each metric to a value, by counting the difference.

        For readings, such as the length of a queue. The difference counts at every pk and dimension
        above, too.

        Args:
            pk: What is counted: a label such as "Queue", or a path of labels.
            dimensions: The dimension to set: at most one path. None is the overall.
            metrics: The values by name, such as {"jobs": 12}.
            dimension, metric: Aliases of `dimensions` and `metrics`; give only one of each.

        Raises:
            BadInput: A parameter has an invalid value; nothing is changed.
            StoreUnavailable: The store does not answer.

        Example:
            >>> from hailwhale import Whale
            >>> Whale.update_count_to("Queue", metrics={"jobs": 12})
            >>> Whale.total("Queue", "jobs", "all")
            12
        """
        self.services.counting.update_count_to(
            plain_arguments(
                pk=pk, dimensions=dimensions, metrics=metrics, dimension=dimension, metric=metric
            )
        )

    @either
    def reset(
        self,
        pk: PathLike,
        dimensions: DimensionsLike | None = None,
        *,
        dimension: DimensionsLike | None = None,
    ) -> int:
        """Erase a pk and all pks below it, or one dimension of all of them.

        What the pks and dimensions above have summed up stays.

        Args:
            pk: What to erase: a label such as "Shop", or a path of labels; "_" is the unnamed pk.
            dimensions: The dimension to erase: one path. None erases the whole pk.
            dimension: An alias of `dimensions`; give one of the two.

        Returns:
            How many chunks of stored numbers were erased.

        Raises:
            BadInput: A parameter has an invalid value; nothing is changed.
            StoreUnavailable: The store does not answer.

        Example:
            >>> from hailwhale import Whale
            >>> Whale.count_now("Mug")
            True
            >>> Whale.reset("Mug") > 0
            True
        """
        fields = normalize_names(
            plain_arguments(pk=pk, dimensions=dimensions, dimension=dimension), RESET_PARAMETERS
        )
        limits = self.services.settings.limits
        if fields.get("pk") in (None, ""):
            raise BadInput("pk", pk, 'the pk to erase ("_" for the unnamed one)')
        paths = parse_requested_dimensions(fields.get("dimensions"), limits)
        if len(paths) != 1:
            raise BadInput("dimensions", fields["dimensions"], "one dimension to erase")
        return self.services.erasing.reset(parse_pk(pk, limits), paths[0]).chunks
