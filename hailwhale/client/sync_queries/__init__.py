"""Questions to a service, and their answers as the library gives them; the caller waits."""

from __future__ import annotations

from hailwhale.client.sync_queries.admin import AdminRequests
from hailwhale.client.sync_queries.decisions import DecisionQueries
from hailwhale.client.sync_queries.labels import LabelQueries
from hailwhale.client.sync_queries.series import PlotQueries
from hailwhale.client.sync_queries.totals import TotalQueries

__all__ = ["ServiceQueries"]


class ServiceQueries(TotalQueries, PlotQueries, LabelQueries, DecisionQueries, AdminRequests):
    """Asks what `Whale` is asked, by the same names and with the same parameters.

    Numbers are exact: an int when whole, a float when that is exact, else a Decimal.
    """
