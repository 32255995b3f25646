"""Protocols that `Whale` and the clients share, for code that accepts any of them.

>>> def sales_today(source: Queries) -> Number:
...     return source.total("Shop", "sales", period="today")
"""

from __future__ import annotations

from hailwhale.protocols.async_queries import AsyncQueries
from hailwhale.protocols.sync_queries import Queries
from hailwhale.types import Number

__all__ = ["AsyncQueries", "Number", "Queries"]
