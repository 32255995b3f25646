"""Questions to a service, and their answers as the library gives them.

A facade: it hands values on, which the service parses.
"""

from __future__ import annotations

from typing import Any

from hailwhale.client.transport import ServiceConnection
from hailwhale.core.numbers import Number
from hailwhale.errors import BadInput


class Queries:
    """Asks what `Whale` is asked, with the same parameters; who asks waits for the answer.

    A wrong value raises `BadInput`, a service that does not answer `StoreUnavailable`, a token that
    may not `NotAllowed`. Numbers are exact: int when whole, float when a float says just that, else
    Decimal.
    """

    def __init__(self, service: ServiceConnection) -> None:
        self._service = service

    def totals(
        self,
        /,
        pk: object = None,
        dimensions: object = None,
        metrics: object = None,
        periods: object = None,
        **asked: object,
    ) -> dict[str, dict[str, dict[str, Number]]]:
        """`{period: {dimension: {metric: number}}}`, as `Whale.totals`."""
        given = {"metrics": metrics, "periods": periods, **asked}
        sums: dict[str, dict[str, dict[str, Number]]]
        sums = self._ask("/totals", pk, dimensions, **given)
        return sums

    def quantiles(
        self,
        /,
        pk: object = None,
        metrics: object = None,
        periods: object = None,
        dimensions: object = None,
        **asked: object,
    ) -> dict[str, dict[str, dict[str, Number]]]:
        """`{period: {dimension: {"latency:p95": number}}}`, as `Whale.quantiles`."""
        given = {"metrics": metrics, "periods": periods, **asked}
        found: dict[str, dict[str, dict[str, Number]]]
        found = self._ask("/quantiles", pk, dimensions, **given)
        return found

    def plotpoints(
        self,
        /,
        pk: object = None,
        dimensions: object = None,
        metrics: object = None,
        period: object = None,
        depth: object = None,
        **asked: object,
    ) -> dict[str, dict[str, list[list[Number]]]]:
        """`{dimension: {metric: [[epoch ms, number], …]}}`, as `Whale.plotpoints`."""
        given = {"metrics": metrics, "period": period, "depth": depth, **asked}
        points: dict[str, dict[str, list[list[Number]]]]
        points = self._ask("/plotpoints", pk, dimensions, **given)
        return points

    def rank(
        self,
        /,
        pk: object = None,
        dimensions: object = None,
        metrics: object = None,
        period: object = None,
        depth: object = None,
        **asked: object,
    ) -> list[dict[str, Any]]:
        """`[{"dimension": …, "value": …, "share": …, …}, …]`, as `Whale.rank`."""
        given = {"metrics": metrics, "period": period, "depth": depth, **asked}
        rows: list[dict[str, Any]] = self._ask("/rank", pk, dimensions, **given)
        return rows

    def decide(
        self,
        /,
        pk: object = None,
        options: object = None,
        dimensions: object = None,
        **asked: object,
    ) -> Any:
        """The option for a visitor with these dimensions; a list of them with `slots`."""
        given: dict[str, object] = {"options": options, "reasons": 0, **asked}
        answer = self._ask("/decide", pk, dimensions, **given)
        if "options" in answer:
            return [each["option"] for each in answer["options"]]
        return answer["option"]

    def _ask(self, path: str, pk: object, dimensions: object, **asked: object) -> Any:
        if "format" in asked:
            raise BadInput("format", asked["format"], "a question without a format")
        return self._service.ask(path, {"pk": pk, "dimensions": dimensions, **asked})
