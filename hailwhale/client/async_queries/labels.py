"""Label queries: pks, dimensions, metrics and the last events, awaited."""

from __future__ import annotations

import asyncio

from hailwhale.client.async_queries.base import AsyncQueryBase
from hailwhale.types import DimensionsLike, Known, PathLike, SpyEvent, Subdimensions


class AsyncLabelQueries(AsyncQueryBase):
    """Queries which labels and events were counted."""

    async def subdimensions(
        self,
        pk: PathLike | None = None,
        dimensions: DimensionsLike | None = None,
        depth: int | None = None,
        *,
        dimension: DimensionsLike | None = None,
    ) -> Subdimensions:
        """Return the dimensions that are known below others.

        Args:
            pk: What is asked about: a label such as "Shop", or a path of labels such as ["Product",
                7]. None is the unnamed pk, "_".
            dimensions: The dimensions to answer for: a label, a path of labels, a mapping such as
                {"country": "US"}, or a list of paths. None is the overall, "_".
            depth: How many levels down. None is 1.
            dimension: An alias of `dimensions`; give one of the two.

        Returns:
            `{dimension: [dimension, ...]}`: below each dimension asked for, in the order of their
            labels, keyed as in `totals`.

        Raises:
            BadInput: A parameter has an invalid value.
            StoreUnavailable: The service or its store does not answer.
            NotAllowed: The token may not read.
            TooMany: The caller is over the rate limit.

        Example:
            >>> client.count("Mug", {"country": "US"})
            True
            >>> async def ask():
            ...     await client.flush()
            ...     return await client.subdimensions("Mug", depth=2)
            >>> asyncio.run(ask())
            {'_': ['country', '["country", "US"]']}
        """
        return await asyncio.to_thread(
            self._queries.subdimensions,
            pk=pk,
            dimensions=dimensions,
            depth=depth,
            dimension=dimension,
        )

    async def pks(
        self,
        pk: PathLike | None = None,
    ) -> list[list[str]]:
        """Return the pks that are known one level below a pk.

        Args:
            pk: The pk to look below: a label such as "Shop", or a path of labels. None returns the
                root pks.

        Returns:
            A path of labels for each pk, in the order of their labels.

        Raises:
            BadInput: A parameter has an invalid value.
            StoreUnavailable: The service or its store does not answer.
            NotAllowed: The token may not read.
            TooMany: The caller is over the rate limit.

        Example:
            >>> client.count(["Mug", 7])
            True
            >>> async def ask():
            ...     await client.flush()
            ...     return await client.pks("Mug")
            >>> asyncio.run(ask())
            [['Mug', '7']]
        """
        return await asyncio.to_thread(self._queries.pks, pk=pk)

    async def known(
        self,
        pk: PathLike | None = None,
    ) -> Known:
        """Return what can be asked about a pk.

        Args:
            pk: What is asked about: a label such as "Shop", or a path of labels such as ["Product",
                7]. None is the unnamed pk, "_".

        Returns:
            `metrics`, the names of the metrics that were counted; `dimensions`, the first labels of
            its dimensions; and `decision`, whether options are counted under it.

        Raises:
            BadInput: A parameter has an invalid value.
            StoreUnavailable: The service or its store does not answer.
            NotAllowed: The token may not read.
            TooMany: The caller is over the rate limit.

        Example:
            >>> client.count("Mug", {"country": "US"}, {"revenue": 9.5})
            True
            >>> async def ask():
            ...     await client.flush()
            ...     return await client.known("Mug")
            >>> asyncio.run(ask())
            {'metrics': ['hits', 'revenue'], 'dimensions': ['country'], 'decision': False}
        """
        return await asyncio.to_thread(self._queries.known, pk=pk)

    async def spy(
        self,
        pk: PathLike | None = None,
        uid: str | int | None = None,
        limit: int | None = None,
    ) -> list[SpyEvent]:
        """Return the last events at or below a pk, newest first.

        Only the latest events are kept, and during bursts only the newest of those. Events that are
        still buffered are not among them.

        Args:
            pk: What is asked about: a label such as "Shop", or a path of labels such as ["Product",
                7]. None is the unnamed pk, "_".
            uid: Return the events of this visitor alone.
            limit: How many events to return, from 1 to 1,000. None is 100.

        Returns:
            A mapping for each event: `at` in epoch seconds, `pk` and `dimensions` as paths,
            `metrics` by name and, where the event had a uid, the hash `visitor`. Private values are
            `"***"`.

        Raises:
            BadInput: A parameter has an invalid value.
            StoreUnavailable: The service or its store does not answer.
            NotAllowed: The token may not read.
            TooMany: The caller is over the rate limit.

        Example:
            >>> client.count("Mug", "blue")
            True
            >>> async def ask():
            ...     await client.flush()
            ...     return await client.spy("Mug", limit=1)
            >>> asyncio.run(ask())
            [{'at': 1773576630, 'pk': ['Mug'], 'dimensions': [['blue']], 'metrics': {'hits': 1}}]
        """
        return await asyncio.to_thread(self._queries.spy, pk=pk, uid=uid, limit=limit)
