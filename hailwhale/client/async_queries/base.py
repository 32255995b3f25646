"""Base of the awaited queries: runs the blocking queries in threads."""

from __future__ import annotations

from functools import cached_property

from hailwhale.client.sync_queries import ServiceQueries
from hailwhale.client.sync_queries.base import QueryBase


class AsyncQueryBase(QueryBase):
    """Queries the service of a connection without blocking the event loop."""

    @cached_property
    def _queries(self) -> ServiceQueries:
        return ServiceQueries(self._service)
