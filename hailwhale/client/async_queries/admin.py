"""Requests for admins: set counters and erase, awaited."""

from __future__ import annotations

import asyncio

from hailwhale.client.async_queries.base import AsyncQueryBase
from hailwhale.types import DimensionsLike, MetricsLike, PathLike


class AsyncAdminRequests(AsyncQueryBase):
    """Changes stored counts; requires an admin's token."""

    async def update_count_to(
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
            StoreUnavailable: The service or its store does not answer.
            NotAllowed: The token is not an admin's.
            TooMany: The caller is over the rate limit.

        Example:
            >>> async def ask():
            ...     await client.update_count_to("Queue", metrics={"jobs": 12})
            ...     return await client.total("Queue", "jobs", "all")
            >>> asyncio.run(ask())
            12
        """
        await asyncio.to_thread(
            self._queries.update_count_to,
            pk=pk,
            dimensions=dimensions,
            metrics=metrics,
            dimension=dimension,
            metric=metric,
        )

    async def reset(
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
            StoreUnavailable: The service or its store does not answer.
            NotAllowed: The token is not an admin's.
            TooMany: The caller is over the rate limit.

        Example:
            >>> client.count("Mug")
            True
            >>> async def ask():
            ...     await client.flush()
            ...     return await client.reset("Mug") > 0
            >>> asyncio.run(ask())
            True
        """
        return await asyncio.to_thread(
            self._queries.reset, pk=pk, dimensions=dimensions, dimension=dimension
        )
