"""Queries to a service as coroutines; each runs in a thread, so the event loop is not blocked."""

from __future__ import annotations

from hailwhale.client.async_queries.admin import AsyncAdminRequests
from hailwhale.client.async_queries.decisions import AsyncDecisionQueries
from hailwhale.client.async_queries.labels import AsyncLabelQueries
from hailwhale.client.async_queries.series import AsyncPlotQueries
from hailwhale.client.async_queries.totals import AsyncTotalQueries

__all__ = ["AsyncServiceQueries"]


class AsyncServiceQueries(
    AsyncTotalQueries,
    AsyncPlotQueries,
    AsyncLabelQueries,
    AsyncDecisionQueries,
    AsyncAdminRequests,
):
    """Sends the queries of `ServiceQueries`; each one is awaited."""
