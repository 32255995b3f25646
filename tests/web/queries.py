"""What a test asks to see what was counted."""

from __future__ import annotations

from decimal import Decimal

from tests.web.client import Client


def total(
    whale: Client,
    pk: object = "_",
    metric: str = "hits",
    dimension: object = "_",
    period: str = "all",
) -> Decimal | int:
    """One number, by /totals; everything ever unless another period is given."""
    asked = {"pk": pk, "dimension": dimension, "metric": metric, "period": period}
    answer = whale.get("/totals", asked)
    assert answer.status == 200, answer.text
    [[number]] = [found.values() for found in answer.json[period].values()]
    return Decimal(number)
