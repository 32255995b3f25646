"""Questions to a service, and their answers as the library gives them; the caller waits."""

from __future__ import annotations

from hailwhale.client.queries.admin import AdminRequests
from hailwhale.client.queries.decisions import DecisionQueries
from hailwhale.client.queries.labels import LabelQueries
from hailwhale.client.queries.series import SeriesQueries
from hailwhale.client.queries.totals import TotalQueries

__all__ = ["Queries"]


class Queries(TotalQueries, SeriesQueries, LabelQueries, DecisionQueries, AdminRequests):
    """Asks what `Whale` is asked, by the same names and with the same parameters.

    Numbers are exact: an int when whole, a float when that is exact, else a Decimal.
    """
