"""Queries to a service that block; results have the same form as those of the library."""

from __future__ import annotations

from hailwhale.client.sync_queries.admin import AdminRequests
from hailwhale.client.sync_queries.decisions import DecisionQueries
from hailwhale.client.sync_queries.labels import LabelQueries
from hailwhale.client.sync_queries.series import PlotQueries
from hailwhale.client.sync_queries.totals import TotalQueries

__all__ = ["ServiceQueries"]


class ServiceQueries(TotalQueries, PlotQueries, LabelQueries, DecisionQueries, AdminRequests):
    """Sends the queries of `Whale`, with the same names and parameters, to a service.

    Numbers are exact: an int when whole, a float when that is exact, else a Decimal.
    """
