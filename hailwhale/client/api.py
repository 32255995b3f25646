"""`Client` and `AsyncClient`: the one for programs that wait, the other for those on asyncio.

Facades: events go into the outbox, whose thread serves both, and questions to the service.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from hailwhale.client.base import ClientBase
from hailwhale.client.queries import Queries

P = ParamSpec("P")
R = TypeVar("R")


class Client(ClientBase, Queries):
    """Counts in the background and asks, for programs that wait.

    >>> client = Client("http://127.0.0.1:9", close_timeout_s=0)
    >>> client.count("Signup", dimensions={"campaign": "spring"})
    True
    >>> client.stats.queued
    1
    >>> client.close()
    False
    >>> client.stats.dropped
    1
    """

    def flush(self, timeout_s: float = 10) -> bool:
        """Wait until all that was counted so far has an answer, at most so long; whether it has."""
        return self._outbox.flush(timeout_s)

    def close(self) -> bool:
        """Flush, and count no more; False when events had no answer and were dropped."""
        return self._outbox.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _in_a_thread(
    ask: Callable[Concatenate[Queries, P], R],
) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, R]]:
    """A question that is asked in a thread, so that the loop goes on."""

    @functools.wraps(ask)
    async def asked(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.to_thread(ask, Queries(self._service), *args, **kwargs)

    return asked


class AsyncClient(ClientBase):
    """Counts in the background and asks, without holding up the event loop.

    `count` and `count_decision` are no coroutines: they return at once, so there is nothing to
    await. The questions, `flush` and `close` are::

        async with AsyncClient("https://hw.example.com") as client:
            client.count("Signup")
            await client.totals("Signup", period="today")
    """

    totals = _in_a_thread(Queries.totals)
    quantiles = _in_a_thread(Queries.quantiles)
    plotpoints = _in_a_thread(Queries.plotpoints)
    rank = _in_a_thread(Queries.rank)
    decide = _in_a_thread(Queries.decide)

    async def flush(self, timeout_s: float = 10) -> bool:
        """As `Client.flush`."""
        return await asyncio.to_thread(self._outbox.flush, timeout_s)

    async def close(self) -> bool:
        """As `Client.close`."""
        return await asyncio.to_thread(self._outbox.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
