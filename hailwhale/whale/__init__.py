"""Facade for counting and queries: `Whale`, on the class or on an instance.

It passes values on to the parsers and services, and has no logic of its own.
"""

from __future__ import annotations

from hailwhale.sealed import SealedUrls
from hailwhale.whale.decisions import DecisionMethods
from hailwhale.whale.ingest import EventMethods
from hailwhale.whale.labels import LabelMethods
from hailwhale.whale.series import SeriesMethods
from hailwhale.whale.totals import TotalMethods

__all__ = ["Whale"]


class Whale(EventMethods, TotalMethods, SeriesMethods, LabelMethods, DecisionMethods, SealedUrls):
    """Counts events at once and answers questions about them.

    Every method works on the class, over the store that the HAILWHALE_* settings name (the embedded
    one unless HAILWHALE_REDIS_URL is set), and on an instance, `Whale("redis://localhost")`.

    Every keyword that can be singular or plural is accepted in both spellings: `metric=` and
    `metrics=`. A wrong value raises `BadInput`, which names the parameter, and nothing is counted;
    a store that does not answer raises `StoreUnavailable`.

    Numbers in answers are exact: an int when whole, a float when that is exact, else a Decimal.

    >>> from hailwhale import Whale
    >>> Whale.count_now(["Mug", 7], {"country": "US"}, {"revenue": 9.5})
    True
    >>> Whale.total("Mug", "revenue", period="today")
    9.5
    """
