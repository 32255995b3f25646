"""`Client` for blocking programs and `AsyncClient` for asyncio.

Facades: events go to the outbox, which sends them from a thread in both clients. Queries go to the
service.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from hailwhale.client.async_queries import AsyncServiceQueries
from hailwhale.client.base import ClientBase
from hailwhale.client.sync_queries import ServiceQueries


class Client(ClientBase, ServiceQueries):
    """Counts over HTTP in the background, and asks; for programs that wait for an answer.

    `count` and `count_decision` queue an event and return; the other methods wait, and raise what
    the library would. Every keyword that can be singular or plural is accepted in both spellings.
    In the examples `client` is `Client("http://localhost:8085")`.

    >>> from hailwhale import Client
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
        """Wait until the service has answered for every event that was counted so far.

        Args:
            timeout_s: How many seconds to wait at most.

        Returns:
            True if every event has an answer; False if the time was up first.

        Example:
            >>> client.count("Signup")
            True
            >>> client.flush()
            True
        """
        return self._outbox.flush(timeout_s)

    def close(self) -> bool:
        """Flush, and count no more; the end of a `with` block and of the program do the same.

        Returns:
            True if every event has an answer; False if some were dropped without one.

        Example:
            >>> client.close()
            True
            >>> client.count("Signup")
            False
        """
        return self._outbox.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class AsyncClient(ClientBase, AsyncServiceQueries):
    """Counts over HTTP in the background, and asks, without blocking the event loop.

    `count` and `count_decision` are no coroutines: they return at once, so there is nothing to
    await. All other methods are awaited. In the examples `client` is
    `AsyncClient("http://localhost:8085")`.

    >>> import asyncio
    >>> async def sign_up():
    ...     client.count("Signup")
    ...     await client.flush()
    ...     return await client.total("Signup", period="today")
    >>> asyncio.run(sign_up())
    1
    """

    async def flush(self, timeout_s: float = 10) -> bool:
        """Wait until the service has answered for every event that was counted so far.

        Args:
            timeout_s: How many seconds to wait at most.

        Returns:
            True if every event has an answer; False if the time was up first.

        Example:
            >>> async def sign_up():
            ...     client.count("Signup")
            ...     return await client.flush()
            >>> asyncio.run(sign_up())
            True
        """
        return await asyncio.to_thread(self._outbox.flush, timeout_s)

    async def close(self) -> bool:
        """Flush, and count no more; an `async with` block and the program's end do the same.

        Returns:
            True if every event has an answer; False if some were dropped without one.

        Example:
            >>> asyncio.run(client.close())
            True
            >>> client.count("Signup")
            False
        """
        return await asyncio.to_thread(self._outbox.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
