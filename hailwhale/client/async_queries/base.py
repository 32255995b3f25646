"""What all awaited questions share: the questions that block, which run in threads."""

from __future__ import annotations

from functools import cached_property

from hailwhale.client.sync_queries import ServiceQueries
from hailwhale.client.sync_queries.base import QueryBase


class AsyncQueryBase(QueryBase):
    """Asks the service that a connection leads to, without blocking the event loop."""

    @cached_property
    def _queries(self) -> ServiceQueries:
        return ServiceQueries(self._service)
